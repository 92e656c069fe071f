"""How often a stage is tried again under Prefect, after how long, and how long it may take.

A stage is tried again after an outage alone. Its time runs from its first attempt, the pauses in
between included: whoever gives the extraction two hours wants to know after two hours.

Prefect interrupts a task by a signal, anywhere in its code, and in the main thread alone; elsewhere
it only notices when the call at hand returns (specs/prefect.md §4). That will do for the check,
which changes nothing and makes few calls. Extraction and load are stopped here, between two pages
and between two imports, where everything that was confirmed is written down; a single call is
bounded by its connection.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flows.job import Job
from flows.sync_config import SyncConfig
from flows.workplace import Progress
from referential.errors import Unreachable
from sources.errors import Unreachable as SourceUnreachable

OUTAGES: Final = (Unreachable, SourceUnreachable)
RETRIES: Final = 3  # where a job says nothing
JITTER: Final = 0.5  # of a pause, so that jobs that fail together do not come back together
TICKING: Final = ("extract", "load")  # they tell how far they are, and are stopped there
_FIRST, _LONGEST = 5.0, 300.0  # seconds

_NOUNS: Final = {"check": "the check", "extract": "the extraction", "load": "the load"}


class TookTooLong(Unreachable):
    """A stage passed its time: an outage, but one that is not waited for again."""


def delays(retries: int) -> list[float]:
    """The seconds before each further attempt: 5, 10, 20 and so on, five minutes at most."""
    return [min(_LONGEST, _FIRST * 2**rank) for rank in range(retries)]


@dataclass(slots=True)
class Watch:
    """The time of the stages of one run.

    A thread that reads side by side with others may tell too; it raises there all the same.
    """

    job: Job
    clock: Callable[[], float] = time.monotonic
    _ends: dict[str, float] = field(default_factory=dict)

    @property
    def retries(self) -> int:
        return self.job.sync.retries

    def begin(self, stage: str) -> None:
        """An attempt of *stage* begins; the first one sets the clock."""
        limit = limit_of(self.job.sync, stage)
        if limit is not None:
            self._ends.setdefault(stage, self.clock() + limit)

    def left(self, stage: str) -> float | None:
        """Seconds that *stage* has left, 0 when there are none; None: it may take its time."""
        limit, end = limit_of(self.job.sync, stage), self._ends.get(stage)
        if limit is None or end is None:
            return limit
        return max(0.0, end - self.clock())

    def over(self, stage: str) -> bool:
        return self.left(stage) == 0

    def late(self, stage: str) -> TookTooLong:
        """The error of a stage that passed its time."""
        limit = limit_of(self.job.sync, stage) or 0
        return TookTooLong(
            f"{_NOUNS.get(stage, stage)} took longer than {_span(limit)} (sync.timeouts.{stage})",
            where=self.job.place("sync", "timeouts", stage),
            mend=f"give sync.timeouts.{stage} more, or see what makes it slow;"
            " what was confirmed is in the ledger",
        )

    def told(self, progress: Progress) -> Progress:
        """*progress*, which raises TookTooLong when the stage that tells it has no time left."""

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage in TICKING and self.over(stage):
                raise self.late(stage)
            progress(stage, done, total)

        return tell


def limit_of(sync: SyncConfig, stage: str) -> int | None:
    """Seconds that *stage* may take; None: as long as it does."""
    limits = {"check": sync.timeouts.check, "extract": sync.timeouts.extract}
    return (limits | {"load": sync.timeouts.load}).get(stage)


def _span(seconds: int) -> str:
    """As a job file would say it: `2h`, `90m`, `45s`."""
    whole = int(timedelta(seconds=seconds).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if whole and whole % length == 0:
            return f"{whole // length}{unit}"
    return f"{whole}s"
