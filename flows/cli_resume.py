"""The command `refsync resume`: a run that ended early is gone on with."""

import os
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson
from flows.cli_run import carried_out
from flows.console import Shown
from flows.logs import log_to
from flows.prefect_env import settle
from flows.resume import left_by
from flows.run import Report, run_job
from flows.settings import load_settings


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

    def run_left() -> Report:
        if flow or os.environ.get("PREFECT_API_URL"):
            settle(settings.state)
            from flows.sync import resume_as_flow  # noqa: PLC0415 - after `settle`

            return resume_as_flow(left.run.id, left.job.name, force=force)
        with shown.progress() as progress:
            return run_job(settings, left.job, left.options, progress=progress, left=left)

    return carried_out(shown, settings, run_left, json=json)
