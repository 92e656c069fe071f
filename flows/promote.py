"""What one Canopsis of a job has otherwise than another: the plan between two referentials.

Both sides are what the ledger has confirmed of them: the entities of the one stand for what was
found, those of the other for what is known. Nothing is read from a source and nothing is written.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from flows.job import Job
from flows.misdeclared import Fault, Misdeclared
from flows.settings import Settings
from flows.workplace import open_ledger
from referential.change import ACTIONS, UNCONFIRMED, Change
from referential.columns import objects
from referential.plan import make_plan


@dataclass(frozen=True, slots=True)
class Promotion:
    """The changes that would bring *target* to what *origin* has, the first of them, and counts.

    `doubtful` entities of the origin wait for its next run: nobody knows what it holds of them.
    """

    job: str
    origin: str
    target: str
    owned: int
    doubtful: int
    counts: dict[str, int]
    command: str
    changes: list[Change] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def document(self) -> dict[str, Any]:
        """The whole as JSON values."""
        figures = {each.name: getattr(self, each.name) for each in fields(self)}
        named = ("id", "kind", "dataset", "category")
        shown = [
            {"action": type(each).__name__.lower()} | {name: getattr(each, name) for name in named}
            for each in self.changes
        ]
        return figures | {"changes": shown}


def promotion_of(settings: Settings, job: Job, origin: str, target: str, limit: int) -> Promotion:
    """Compare two targets of *job*; raises Misdeclared for one that it does not load."""
    from_job, to_job = job.towards(origin), job.towards(target)
    if from_job.feed == to_job.feed:
        what = f"{origin!r} and {target!r} are one Canopsis"
        raise Misdeclared([Fault("--from, --to", what, "name two targets of the job")])
    with open_ledger(settings) as ledger:
        there, here = ledger.known(from_job.feed), ledger.known(to_job.feed)
    enabled = there[there["state"] == "enabled"]
    if enabled.empty:
        what = f"the ledger knows nothing of {from_job.feed}"
        mend = f"load it first: refsync sync {job.name} --to {origin}"
        raise Misdeclared([Fault("--from", what, mend)])
    # as an array of one object: numpy would cut the zeros of bare bytes
    sure = enabled["fingerprint"].to_numpy() != objects([UNCONFIRMED])
    plan = make_plan(
        enabled[sure].drop(columns=["state", "missed"]).assign(offset=-1, size=0),
        here,
        feed=to_job.feed,
        mode="sync",
        missing=job.sync.missing,
        complete=True,
        refused=set(enabled["id"][~sure]),
        prune=job.sync.prune,
    )
    return Promotion(
        job=job.name,
        origin=origin,
        target=target,
        owned=len(enabled),
        doubtful=int((~sure).sum()),
        counts={each: count for each in ACTIONS if (count := plan.counts[each])},
        command=f"refsync sync {job.name} --to {target}",
        changes=plan.head(limit),
    )
