"""What the commands that run a job show of the run, and the exit code they leave with."""

from collections.abc import Callable

from flows.console import Shown
from flows.outcome import EXPECTED
from flows.report import write_report
from flows.run import Report
from flows.settings import Settings
from flows.spool import Spool
from referential.plan import Plan


def carried_out(
    shown: Shown, settings: Settings, run: Callable[[], Report], *, json: bool, limit: int = 0
) -> int:
    """Do *run* and show its report, however it ends, with *limit* of its changes.

    Raises what the run raises, once as much as was done of it is shown.
    """
    try:
        report = run()
    except EXPECTED as error:
        partly: Report | None = getattr(error, "report", None)
        if partly is not None:
            _show(shown, settings, partly, json=json, limit=limit)
        raise
    _show(shown, settings, report, json=json, limit=limit)
    if report.message:
        shown.error(report.message)
    return report.exit_code


def _show(shown: Shown, settings: Settings, report: Report, *, json: bool, limit: int) -> None:
    page = write_report(settings, report)
    if json:
        shown.json(report.document() | {"report": str(page)})
        return
    shown.report(report)
    shown.out.print(f"report    {page}")
    if limit and report.planned:
        spool = Spool(settings.spool / report.job / report.run_id)
        shown.changes(Plan.load(spool.plan).head(limit), sum(report.planned.counts.values()))
