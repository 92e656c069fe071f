"""The command `refsync resume`: a run that ended early is gone on with."""

import os
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson
from flows.console import Shown
from flows.logs import log_to
from flows.outcome import EXPECTED
from flows.prefect_env import settle
from flows.report import write_report
from flows.resume import Left, left_by
from flows.run import Report, run_job
from flows.settings import Settings, load_settings


def resume(
    run: Annotated[str, Parameter(help="Id of a run, as `refsync runs` shows it.")],
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Load what was read more than a day ago too.")
    ] = False,
    flow: Annotated[
        bool, Parameter(negative="", help="As a Prefect flow run, also without a server.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Go on with a run that was interrupted, that failed, or whose process died.

    What it has read to the end is not read again: it is planned against the ledger as it is now,
    guarded and loaded, as a new run. Of an unfinished extraction the job runs from its start.

    For example

        refsync resume 20261124T031500Z-3f9a
        refsync resume 20261124T031500Z-3f9a --force --json
    """
    shown, settings = Shown(json), load_settings()
    left = left_by(settings, run, force=force)
    log_to(shown, settings)
    if left.restarts:
        shown.note(f"{left.job.name} runs from its start: {left.restarts}")
    else:
        shown.note(f"{left.job.name} goes on with what was read at {left.read:%Y-%m-%d %H:%M:%S}Z")
    try:
        report = _run(shown, settings, left, force=force, flow=flow)
    except EXPECTED as error:
        partly: Report | None = getattr(error, "report", None)
        if partly is not None:
            _show(shown, settings, partly, json=json)
        raise
    _show(shown, settings, report, json=json)
    if report.message:
        shown.error(report.message)
    return report.exit_code


def _run(shown: Shown, settings: Settings, left: Left, *, force: bool, flow: bool) -> Report:
    if flow or os.environ.get("PREFECT_API_URL"):
        settle(settings.state)
        from flows.sync import resume_as_flow  # noqa: PLC0415 - after `settle`

        return resume_as_flow(left.run.id, left.job.name, force=force)
    with shown.progress() as progress:
        return run_job(settings, left.job, left.options, progress=progress, left=left)


def _show(shown: Shown, settings: Settings, report: Report, *, json: bool) -> None:
    page = write_report(settings, report)
    if json:
        shown.json(report.document() | {"report": str(page)})
        return
    shown.report(report)
    shown.out.print(f"report    {page}")
