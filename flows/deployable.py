"""What is deployed: of each job with a schedule, all that Prefect and its readers are told.

Prefect writes `<flow>/<deployment>`: the flow is the customer, the name of the deployment the job.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cronsim import CronSim

from flows.job import Job, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.sync_config import Schedule, SyncConfig

TAG: Final = "refsync"
SYNC: Final = "sync:sync_referential"
BACKFILL: Final = "backfill:backfill_referential"
# what Prefect takes in no name, and the two that its own commands cannot look up (`#`, `?`)
_BANNED = "%&<>#?"
_FEW = 100  # values that a form can offer to choose from
_ANY_MOMENT = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deployable:
    """One deployment as it should be.

    `function` is its flow, as `module:function` of the package `flows`. `parameters` are those that
    every run gets unless it is asked for others; `form` is what is known of single parameters
    beyond the signature of the flow, as JSON Schema.
    """

    flow: str
    name: str
    function: str
    description: str
    tags: tuple[str, ...] = (TAG,)
    schedule: Schedule | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    form: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.flow}/{self.name}"


@dataclass(slots=True)
class Found:
    """The jobs of a folder: what of them is to be deployed, and why the others are not.

    `faults` are those of the jobs that do not compile, each `{job, where, what, mend}`.
    """

    deployables: list[Deployable] = field(default_factory=list)
    unscheduled: list[str] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)

    @property
    def jobs(self) -> list[str]:
        """Those that compile."""
        return sorted([*self.unscheduled, *(each.full_name for each in self.deployables)])


def find(folder: Path, names: Sequence[str], only: Collection[str] = ()) -> Found:
    """What to deploy of the jobs *names*. No job stops the others.

    Raises Misdeclared when one of *only*, those that were asked for by name, has no schedule.
    """
    found = Found()
    for name in names:
        try:
            job = load_job(name, folder)
            _refuse_names(job, folder)
        except Misdeclared as error:
            found.faults += [{"job": name, **asdict(fault)} for fault in error.faults]
            continue
        if job.sync.schedule is not None:
            found.deployables.append(_of_job(job))
        elif name in only:
            what = f"{job.name} has no schedule, and runs only when it is asked to"
            mend = "give it a `schedule` in its `sync` block, or leave it out of the command"
            raise Misdeclared([Fault(job.place("sync"), what, mend)])
        else:
            found.unscheduled.append(job.name)
    return found


def backfill(jobs: Collection[str]) -> Deployable:
    """The deployment `refsync/backfill`, which runs any of *jobs* over past windows when asked."""
    description = (
        "Reads what changed in a past span of time again, window by window, and never disables "
        "anything. A window that is done is not done again."
    )
    form = {"job": {"enum": sorted(jobs)}} if 0 < len(jobs) <= _FEW else {}
    return Deployable("refsync", "backfill", BACKFILL, description, form=form)


def in_words(schedule: Schedule) -> str:
    """`At 02:00 every day (Europe/Paris)`, `Every 90 minutes`."""
    if schedule.interval is not None:
        return f"Every {_span(schedule.interval)}"
    words = CronSim(schedule.cron, _ANY_MOMENT).explain()
    return f"{words} ({schedule.timezone})"


def _of_job(job: Job) -> Deployable:
    customer, _, name = job.name.partition("/")
    return Deployable(
        flow=customer,
        name=name,
        function=SYNC,
        description=describe(job),
        tags=(TAG, f"customer:{customer}", f"source:{job.kind}"),
        schedule=job.sync.schedule,
        parameters={"job": job.name},
        form={
            "job": {"enum": [job.name], "readOnly": True},
            "mode": {"enum": ["sync", "full"]},  # a backfill has a window, and its own deployment
            "accept": {"pattern": "^([0-9a-f]{32})?$"},
            "to": {"enum": ["", *job.sync.targets]},
        },
    )


def describe(job: Job) -> str:
    """What the page of the deployment says, in Markdown."""
    return "\n".join(_described(job))


def _described(job: Job) -> Iterator[str]:
    sync = job.sync
    datasets = ", ".join(f"`{name}`" for name in job.datasets)
    yield f"Keeps the entities of `{job.name}` in Canopsis in step with their source."
    yield ""
    yield f"- **Reads** {datasets} from `{job.config.connection}` ({job.kind})"
    yield f"- **Loads** `{sync.connection}`, as import source `{sync.import_source}`"
    if sync.targets:
        others = ", ".join(f"`{name}`" for name in sync.targets)
        yield f"- **On demand** also {others}: the parameter `to`"
    if sync.schedule is not None:
        meanwhile = {"cancel_new": "is cancelled", "enqueue": "waits for its end"}
        yield f"- **Runs** {_lower(in_words(sync.schedule))}"
        yield f"- **Meanwhile** a run that is due {meanwhile[sync.schedule.collision]}"
    yield f"- **Missing** {_missing(sync)}"
    if sync.documentation:
        yield f"- **Documentation** <{sync.documentation}>"
    yield ""
    yield f"`refsync health {job.name}` says whether it is in step,"
    yield f"`refsync plan {job.name}` what a run would change."


def _missing(sync: SyncConfig) -> str:
    if sync.missing == "keep":
        return "entities whose record is gone are kept"
    done = {"disable": "disabled", "delete": "deleted"}[sync.missing]
    after = f" after {sync.missing_after} runs without it" if sync.missing_after > 1 else ""
    limit = sync.limits.missing
    most = f"{limit} of the feed" if isinstance(limit, str) else str(limit)
    return f"entities whose record is gone are {done}{after}, at most {most} in one run"


def _refuse_names(job: Job, folder: Path) -> None:
    """Raises Misdeclared for a job that a worker could not find, or Prefect not name."""
    where = job.place()
    if not (folder / f"{job.name}.yaml").is_file():
        what = f"{job.name} is no job of {folder}, where its scheduled runs look for it"
        raise Misdeclared([Fault(where, what, "move it there, or set REFSYNC_JOBS")])
    bad = sorted({sign for sign in job.name if sign in _BANNED or not sign.isprintable()})
    if bad:
        signs = " ".join(sign if sign.isprintable() else repr(sign) for sign in bad)
        what = f"Prefect could not name {job.name!r}: no {signs} may be in a name"
        raise Misdeclared([Fault(where, what, "rename the file, or the folder of the customer")])
    if job.name == "refsync/backfill":
        what = "the name 'refsync/backfill' is that of the deployment for backfills"
        raise Misdeclared([Fault(where, what, "rename the file, or the folder of the customer")])


def _span(seconds: int) -> str:
    """In the largest unit that leaves no rest: `hour`, `90 minutes`."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length = next((unit, length) for unit, length in units if seconds % length == 0)
    count = seconds // length
    return unit if count == 1 else f"{count} {unit}s"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
