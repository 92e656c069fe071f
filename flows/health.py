"""Whether each job is in step: when it last ran, when it was last done, and if that is too old."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.durations import span_of
from flows.job import Job, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED, OUTAGE
from flows.settings import Settings
from flows.sync_config import Schedule
from flows.workplace import open_ledger
from referential.history import SOUND, Run
from referential.ledger import Ledger

Verdict = Literal["fine", "failed", "stale", "never ran"]

MAX_AGE = timedelta(hours=26)  # a nightly job, and two hours for it to run
_LATE = timedelta(hours=2)  # what a scheduled run may take, or its own period if that is shorter


@dataclass(frozen=True, slots=True)
class Standing:
    """How one job stands; `age` is of the last run that was done, in seconds.

    `due` is the moment since which a run should have been done. `held` are the removals of the
    last run that wait to be accepted.
    """

    job: str
    target: str
    verdict: Verdict
    last_run: datetime | None = None
    outcome: str = ""
    message: str = ""
    last_done: datetime | None = None
    age: float | None = None
    due: datetime | None = None
    owned: int = 0
    disabled: int = 0
    held: int = 0


@dataclass(slots=True)
class Health:
    """How all jobs asked for stand; `faults` of those that do not compile."""

    jobs: list[Standing] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.faults:
            return MISDECLARED
        return DONE if all(each.verdict == "fine" for each in self.jobs) else OUTAGE


def health_of(
    settings: Settings, names: Sequence[str], now: datetime, max_age: timedelta | None
) -> Health:
    """How the jobs stand *now*; *max_age* counts in place of their schedules."""
    health = Health()
    with open_ledger(settings) as ledger:
        for name in names:
            try:
                job = load_job(name, jobs_folder(settings.jobs))
            except Misdeclared as error:
                told = ({"where": f.where, "what": f.what, "mend": f.mend} for f in error.faults)
                health.faults += [{"job": name, **fault} for fault in told]
            else:
                towards = map(job.towards, job.sync.loads)
                # a further target is judged once it has been loaded
                health.jobs += [
                    standing(each, ledger, now, max_age)
                    for each in towards
                    if not each.elsewhere or ledger.recent_runs(each.feed, 1)
                ]
    return health


def standing(job: Job, ledger: Ledger, now: datetime, max_age: timedelta | None) -> Standing:
    """How one job stands; a run under way is not judged yet."""
    last = next(iter(ledger.recent_runs(job.feed, 1)), None)
    done = next(iter(ledger.recent_runs(job.feed, 1, *SOUND)), None)
    owned = ledger.owned(job.feed)
    due = due_since(job.sync.schedule if max_age is None else None, now, max_age or MAX_AGE)
    figures: dict[str, Any] = {"owned": owned["enabled"], "disabled": owned["disabled"]}
    if last is not None:
        figures |= {"last_run": last.started, "outcome": last.outcome, "message": last.message}
        figures["held"] = last.counts.get("removals_held", 0)
    if done is not None and done.ended is not None:
        figures |= {"last_done": done.ended, "age": (now - done.ended).total_seconds()}
    verdict = _verdict(last, done, due)
    return Standing(job.name, job.feed.target, verdict, due=due, **figures)


def due_since(schedule: Schedule | None, now: datetime, max_age: timedelta) -> datetime:
    """The moment since which a run should have begun and been done.

    By a cron line: the last of its moments that leaves the run the time it may take.
    """
    if schedule is None:
        return now - max_age
    if schedule.interval is not None:
        every = timedelta(seconds=schedule.interval)
        return now - every - min(_LATE, every)
    at = now.astimezone(ZoneInfo(schedule.timezone))
    last, before = _moments(schedule.cron, at)
    late = min(_LATE, last - before)
    return next(CronSim(schedule.cron, at - late, reverse=True)).astimezone(UTC)


def read_age(text: str) -> timedelta:
    """`26h`, `90m`, `2d` or `3600s`; raises Misdeclared for anything else."""
    span = span_of(text)
    if span is None:
        raise Misdeclared(
            [Fault("--max-age", f"{text!r} is no age", "write 26h, 90m, 2d or 3600s")]
        )
    return span


def _moments(cron: str, at: datetime) -> tuple[datetime, datetime]:
    moments = CronSim(cron, at, reverse=True)
    return next(moments), next(moments)


def _verdict(last: Run | None, done: Run | None, due: datetime) -> Verdict:
    if last is None:
        return "never ran"
    if last.outcome not in SOUND:
        return "failed"
    return "fine" if done is not None and done.started >= due else "stale"
