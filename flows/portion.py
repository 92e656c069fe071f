"""One portion of a backfill: a window of dates, or the records that are named. Each is a run."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flows import stages
from flows.job import Job
from flows.outcome import outcome_of, told
from flows.policies import Watch
from flows.run import Call, bring_in_step
from flows.run_report import Report
from flows.settings import Settings
from flows.workplace import Options, Workplace
from referential.history import SOUND
from referential.ledger import Ledger, utc_now
from referential.windows import Window


class Given(Exception):
    """The reading of a portion was given up, for the backfill has ended."""


@dataclass(frozen=True, slots=True)
class Portion:
    """The `rank`-th of a backfill, from 1; of its two parts one is there."""

    rank: int
    window: Window | None = None
    ids: frozenset[str] | None = None


@dataclass(slots=True)
class PortionRun:
    """A run of one portion: begun, read (beside others), brought in step (alone), closed.

    `watch` has the retries and times of its stages, for whoever keeps to them.
    """

    portion: Portion
    place: Workplace
    report: Report
    watch: Watch
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def run_id(self) -> str:
        return self.place.run_id

    def check(self) -> None:
        """Both ends answer; raises as `stages.check`."""
        self.report.checked = stages.check(self.place)

    def read(self) -> None:
        """Extract the portion into a spool of its own; raises what the source raises."""
        self.report.extracted = stages.extract(self.place)

    def bring_in_step(self, call: Call) -> None:
        """Plan, guard, load, verify, record; raises what the stages raise."""
        bring_in_step(self.place, self.report, self.report.timed(call))

    def failed(self, error: BaseException) -> None:
        """It ended with *error*; given up, it is interrupted."""
        given = isinstance(error, Given)
        self.report.outcome = "interrupted" if given else outcome_of(error)
        self.report.message = self.place.settings.redact(told(error))

    def close(self, ledger: Ledger) -> None:
        """The ledger keeps the run, and the window as done when it is."""
        report, window = self.report, self.portion.window
        done = report.outcome in SOUND
        self.seconds = time.monotonic() - self.began
        ledger.finish_run(
            self.run_id,
            report.outcome,
            utc_now(),
            counts=report.counts() | self._asked(),
            evidence=report.evidence(),
            checksum=report.planned.checksum if report.planned else "",
            message=report.message,
            back=self.place.the_plan().back if done else (),
            window=window if done else None,
        )

    def _asked(self) -> dict[str, Any]:
        """What the run was asked to read, for whoever looks at it later."""
        if self.portion.window is not None:
            bounds = (self.portion.window.low, self.portion.window.high)
            return {"window": [each.isoformat() for each in bounds]}
        return {"ids": len(self.portion.ids or ())}


def begin(
    settings: Settings,
    job: Job,
    portion: Portion,
    ledger: Ledger,
    *,
    allow_changed: bool,
    told_of: Callable[[str, int, int | None], None],
    given_up: threading.Event,
) -> PortionRun:
    """A new run of the ledger; its reading is given up once *given_up* is set."""
    window = portion.window
    options = Options(
        "backfill",
        allow_changed=allow_changed,
        since=window.low if window else None,
        until=window.high if window else None,
        ids=portion.ids,
    )

    def tell(stage: str, done: int, total: int | None) -> None:
        if given_up.is_set() and stage == "extract":
            raise Given("given up: the backfill has ended")
        told_of(stage, done, total)

    watch = Watch(job)
    run_id = ledger.start_run(job.feed, "backfill", utc_now())
    place = Workplace(settings, job, run_id, options, watch.told(tell))
    return PortionRun(portion, place, Report(job.name, run_id, "backfill"), watch)
