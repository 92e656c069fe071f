"""A backfill in the words of who asks for it, at a prompt or in Prefect's form."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flows.backfilling import Asked
from flows.job import Job
from flows.misdeclared import Fault, Misdeclared
from flows.windows import cut_of


@dataclass(frozen=True, slots=True)
class Request:
    """Either dates, `since` to `until` in steps of `window`, or the `ids` of records."""

    since: str = ""
    until: str = ""
    window: str = "7d"
    parallel: int = 4
    ids: frozenset[str] | None = None
    again: bool = False
    allow_changed: bool = False

    def asked(self, job: Job, now: datetime) -> Asked:
        """What it comes to for *job*; raises Misdeclared with every fault."""
        if self.ids is not None:
            if self.since or self.until:
                what = "records are named, and so are dates"
                raise Misdeclared([Fault("--record-ids", what, "leave --since and --until out")])
            return Asked(ids=self.ids, allow_changed=self.allow_changed)
        cut = cut_of(self.since, self.until, self.window, zone=zone_of(job), now=now)
        return Asked(
            tuple(cut.windows()),
            parallel=self.parallel,
            again=self.again,
            allow_changed=self.allow_changed,
            notes=cut.notes,
        )


def zone_of(job: Job) -> ZoneInfo:
    """The zone in which a bare date of *job* is meant: that of its schedule, or UTC."""
    schedule = job.sync.schedule
    return ZoneInfo(schedule.timezone if schedule else "UTC")
