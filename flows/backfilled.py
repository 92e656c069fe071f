"""What a backfill did, portion by portion: for its table, its document, its artifacts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from flows.outcome import DONE, OUTAGE
from flows.portion import Portion, PortionRun
from referential.history import SOUND
from referential.windows import Done as Earlier

ALREADY = "already done"
SHOWN = 10  # ids that a message names


@dataclass(frozen=True, slots=True)
class Line:
    """One portion: its window (None: records that are named), and what became of it."""

    rank: int
    since: datetime | None
    until: datetime | None
    outcome: str
    run: str
    records: int = 0
    created: int = 0
    updated: int = 0
    enabled: int = 0
    rejects: int = 0
    seconds: float = 0.0
    message: str = ""

    @property
    def sound(self) -> bool:
        return self.outcome == ALREADY or self.outcome in SOUND


@dataclass(slots=True)
class Backfilled:
    """`absent` are the named ids that the source does not have; `named` how many there were."""

    job: str
    target: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    named: int = 0
    absent: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Line]:
        return [each for each in self.lines if not each.sound]

    @property
    def exit_code(self) -> int:
        return OUTAGE if self.failed else DONE

    @property
    def outcome(self) -> str:
        if self.failed:
            return "failed"
        fresh = {each.outcome for each in self.lines}
        return "done" if "done" in fresh else "nothing-to-do"

    def document(self) -> dict[str, Any]:
        """The whole of it as JSON values; moments are in UTC."""
        return {
            "job": self.job,
            "target": self.target,
            "mode": "backfill",
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "windows": [asdict(each) for each in self.lines],
            "ids": {"named": self.named, "absent": list(self.absent)} if self.named else None,
            "notes": self.notes,
        }


def line_of(run: PortionRun) -> Line:
    """What a run that is closed did: what was loaded, or else what was planned."""
    report = run.report
    counts: Mapping[str, int] = report.loaded.counts if report.loaded else {}
    return Line(
        *_bounds(run.portion),
        report.outcome,
        run.run_id,
        records=report.extracted.records if report.extracted else 0,
        created=counts.get("create", 0),
        updated=counts.get("update", 0),
        enabled=counts.get("enable", 0),
        rejects=report.rejects,
        seconds=round(run.seconds, 3),
        message=report.message,
    )


def line_of_earlier(portion: Portion, done: Earlier) -> Line:
    """A window that an earlier run did."""
    return Line(*_bounds(portion), ALREADY, done.run)


def _bounds(portion: Portion) -> tuple[int, datetime | None, datetime | None]:
    window = portion.window
    return portion.rank, window.low if window else None, window.high if window else None
