"""What a run did, as the ledger, the pages and the events tell it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from flows.counts import Checked, Extracted, Planned
from flows.outcome import DONE, OUTAGE, REFUSED
from mappings.remarks import Remark
from referential.converge import Left
from referential.history import Outcome
from referential.loaded import Loaded
from referential.verify import Verified


@dataclass(slots=True)
class Report:
    """What a run did, filled as it goes; the ledger keeps it whatever happens."""

    job: str
    run_id: str
    mode: str
    outcome: Outcome = "running"
    checked: Checked | None = None
    extracted: Extracted | None = None
    planned: Planned | None = None
    held: int = 0  # removals that wait for somebody to accept them
    loaded: Loaded | None = None
    verified: Verified | None = None
    left: tuple[Left, ...] = ()  # what a plan made after the load would still do
    rejects: int = 0
    message: str = ""
    finished: tuple[str, ...] = ()
    resumes: str = ""  # the run that this one goes on with
    stages: dict[str, float] = field(default_factory=dict)  # seconds of each, in their order

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """*call*, which calls a stage, and `stages` knows afterwards how long it took."""

        def timing(stage: Callable[..., Any], *arguments: Any) -> Any:
            began = time.monotonic()
            try:
                return call(stage, *arguments)
            finally:
                self.stages[stage.__name__] = round(time.monotonic() - began, 3)

        return timing

    @property
    def exit_code(self) -> int:
        if self.outcome == "held":
            return REFUSED
        return OUTAGE if self.outcome in ("failed", "partial") else DONE

    def counts(self) -> dict[str, Any]:
        """The figures the ledger keeps, JSON values only."""
        counts: dict[str, Any] = {"rejects": self.rejects, "stages": dict(self.stages)}
        if self.resumes:
            counts["resumes"] = self.resumes
        if self.extracted:
            counts["records"] = self.extracted.records
            counts["filtered"] = self.extracted.filtered
        if self.planned:
            counts |= {"found": self.planned.found, "known": self.planned.known}
            counts["plan"] = self.planned.tally
            counts["removals_held"] = self.held
        if self.loaded:
            counts["loaded"] = dict(self.loaded.counts)
            counts["pruned"] = sum(self.loaded.pruned.values())
            counts["manual"] = len(self.loaded.manual)
            counts["imports"] = self.loaded.attempts
            counts["bytes"] = self.loaded.bytes
        if self.verified:
            counts["verified"] = {"expected": self.verified.expected, "found": self.verified.found}
            counts["left"] = len(self.left)
        return counts

    def document(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        return {
            "job": self.job,
            "run": self.run_id,
            "mode": self.mode,
            "outcome": self.outcome,
            "message": self.message,
            "checked": asdict(self.checked) if self.checked else None,
            "datasets": self.evidence(),
            "remarks": [asdict(each) for each in self.remarks],
            "plan": asdict(self.planned) if self.planned else None,
            "counts": self.counts(),
            "finished": list(self.finished),
        }

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return self.extracted.remarks if self.extracted else ()

    def evidence(self) -> dict[str, Any]:
        return {
            name: asdict(read)
            for name, read in (self.extracted.datasets if self.extracted else {}).items()
        }
