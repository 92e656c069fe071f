"""One run of one job: its stages in order, under the ledger's lock, always kept by the ledger."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from flows import stages
from flows.counts import Checked, Extracted, Planned
from flows.job import Job
from flows.outcome import DONE, OUTAGE, outcome_of, told
from flows.settings import Settings
from flows.workplace import Options, Progress, Workplace, open_ledger, silent
from mappings.remarks import Remark
from referential.history import Outcome
from referential.ledger import utc_now
from referential.loaded import Loaded
from referential.verify import Verified

log = logging.getLogger("refsync")

Call = Callable[..., Any]  # call(stage, *arguments) -> what the stage returns


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
    loaded: Loaded | None = None
    verified: Verified | None = None
    rejects: int = 0
    message: str = ""
    finished: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return OUTAGE if self.outcome in ("failed", "partial") else DONE

    def counts(self) -> dict[str, Any]:
        """The figures the ledger keeps, JSON values only."""
        counts: dict[str, Any] = {"rejects": self.rejects}
        if self.extracted:
            counts["records"] = self.extracted.records
            counts["filtered"] = self.extracted.filtered
        if self.planned:
            counts |= {"found": self.planned.found, "known": self.planned.known}
            counts["plan"] = self.planned.tally
        if self.loaded:
            counts["loaded"] = dict(self.loaded.counts)
            counts["imports"] = self.loaded.attempts
            counts["bytes"] = self.loaded.bytes
        if self.verified:
            counts["verified"] = {"expected": self.verified.expected, "found": self.verified.found}
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


def directly(stage: Callable[..., Any], *arguments: Any) -> Any:
    return stage(*arguments)


def run_job(
    settings: Settings,
    job: Job,
    options: Options,
    *,
    progress: Progress = silent,
    call: Call = directly,
) -> Report:
    """Run *job* once; raises what its stages raise, after the ledger has the run.

    The raised error has the report so far as its attribute `report`.
    """
    mode = "plan" if options.only_plan else options.mode
    with open_ledger(settings) as ledger:
        run_id = ledger.start_run(job.feed, mode, utc_now())
        place = Workplace(settings, job, run_id, options, progress)
        report = Report(job.name, run_id, mode)
        try:
            with ledger.lock(job.feed, run_id):
                _stages(place, report, call)
        except BaseException as error:
            report.outcome = outcome_of(error)
            report.message = settings.redact(told(error))
            error.report = report  # type: ignore[attr-defined]
            raise
        finally:
            ledger.finish_run(
                run_id,
                report.outcome,
                utc_now(),
                counts=report.counts(),
                evidence=report.evidence(),
                checksum=report.planned.checksum if report.planned else "",
                message=report.message,
            )
    return report


def _stages(place: Workplace, report: Report, call: Call) -> None:
    report.checked = call(stages.check, place)
    extracted: Extracted = call(stages.extract, place)
    report.extracted = extracted
    planned: Planned = call(stages.plan, place, extracted)
    report.planned = planned
    try:
        call(stages.guard, place, extracted, planned)
        if not place.options.only_plan and not planned.empty:
            report.loaded = Loaded()
            report.loaded = call(stages.load, place, report.loaded)
            report.verified = call(stages.verify, place, report.loaded)
    finally:
        report.rejects = call(stages.record, place, report.loaded, report.verified)
    if extracted.partial:
        report.outcome, report.message = "partial", extracted.partial
    else:
        report.outcome = "nothing-to-do" if planned.empty else "done"
        if not place.options.only_plan and any(each.taken for each in extracted.datasets.values()):
            report.finished = call(stages.finish, place, extracted)
