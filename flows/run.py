"""One run of one job: its stages in order, under the ledger's lock, always kept by the ledger."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from flows import stages
from flows.counts import Extracted, Guarded, Planned
from flows.event import announce
from flows.job import Job
from flows.outcome import outcome_of, told
from flows.prometheus import write_metrics
from flows.resume import Left, begin_anew, take_over
from flows.retention import clear_away
from flows.run_report import Report
from flows.settings import Settings
from flows.workplace import Options, Progress, Workplace, open_ledger, silent
from referential.converge import told_of
from referential.errors import Locked
from referential.history import SOUND
from referential.ledger import Ledger, utc_now
from referential.loaded import Loaded

log = logging.getLogger("refsync")

__all__ = ["Call", "Report", "bring_in_step", "directly", "run_job"]

Call = Callable[..., Any]  # call(stage, *arguments) -> what the stage returns


def directly(stage: Callable[..., Any], *arguments: Any) -> Any:
    return stage(*arguments)


def run_job(
    settings: Settings,
    job: Job,
    options: Options,
    *,
    progress: Progress = silent,
    call: Call = directly,
    left: Left | None = None,
) -> Report:
    """Run *job* once; raises what its stages raise, after the ledger has the run.

    The raised error has the report so far as its attribute `report`. With *left*, the run goes on
    with another one that ended early, from what that one has read.
    """
    mode = "plan" if options.only_plan else options.mode
    with open_ledger(settings) as ledger:
        run_id = ledger.start_run(job.feed, mode, utc_now())
        place = Workplace(settings, job, run_id, options, progress)
        report = Report(job.name, run_id, mode, resumes=left.run.id if left else "")
        try:
            with ledger.lock(job.feed, run_id):
                if left is not None:  # looked at again: now nobody else can come in between
                    left.check(ledger, but=run_id)
                _stages(place, report, report.timed(call), left)
        except BaseException as error:
            report.outcome = outcome_of(error)
            report.message = settings.redact(told(error))
            error.report = report  # type: ignore[attr-defined]
            raise
        finally:
            _close(place, report, ledger)
    return report


def _close(place: Workplace, report: Report, ledger: Ledger) -> None:
    """The ledger keeps the run, then Canopsis is told of it, even if the ledger cannot keep it."""
    try:
        ledger.finish_run(
            place.run_id,
            report.outcome,
            utc_now(),
            counts=report.counts(),
            evidence=report.evidence(),
            checksum=report.planned.checksum if report.planned else "",
            message=report.message,
            **_missing(place, report),
        )
    finally:
        # of a feed that another run holds, that one will speak
        if not isinstance(sys.exception(), Locked):
            announce(place, report, ledger, utc_now())
            clear_away(place.settings, ledger, job=place.job.name)
        write_metrics(place.settings, ledger)


def _missing(place: Workplace, report: Report) -> dict[str, Any]:
    """What a finished run says of the missing; one that ended otherwise has not looked enough."""
    if place.options.only_plan or report.outcome not in (*SOUND, "partial"):
        return {}
    plan = place.the_plan()
    return {"absent": plan.absent, "back": plan.back}


def _stages(place: Workplace, report: Report, call: Call, left: Left | None) -> None:
    report.checked = call(stages.check, place)
    extracted: Extracted
    if left is not None and left.extracted is not None:
        extracted = call(take_over, place, left)
    else:
        begin_anew(place, utc_now())
        extracted = call(stages.extract, place)
    report.extracted = extracted
    bring_in_step(place, report, call)
    if report.outcome in SOUND:
        # files are read again for further targets, until the usual one has them
        taken = any(each.taken for each in extracted.datasets.values())
        if taken and not place.options.only_plan and not place.job.elsewhere:
            report.finished = call(stages.finish, place, extracted)


def bring_in_step(place: Workplace, report: Report, call: Call) -> None:
    """From what was read to what is recorded; `report` says how it ended."""
    extracted = report.extracted
    if extracted is None:
        raise ValueError("nothing was read yet")
    planned: Planned = call(stages.plan, place, extracted)
    report.planned = planned
    try:
        guarded: Guarded = call(stages.guard, place, extracted, planned)
        planned = report.planned = guarded.planned
        report.held = guarded.held
        if not place.options.only_plan and not planned.empty:
            report.loaded = Loaded()
            report.loaded = call(stages.load, place, report.loaded)
            report.verified = call(stages.verify, place, report.loaded)
            report.left = call(
                stages.converge, place, extracted, report.loaded, report.verified, report.held
            )
    finally:
        report.rejects = call(stages.record, place, report.loaded, report.verified, report.left)
    why = (guarded.message, extracted.partial, told_of(report.left))
    report.message = "\n".join(filter(None, why))
    if report.message:
        report.outcome = "held" if guarded.message else "partial"
    else:
        report.outcome = "nothing-to-do" if planned.empty else "done"
