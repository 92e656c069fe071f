"""The command `refsync backfill`: windows of the past, or records that are named."""

import os
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.arguments import AsJson, JobName, To
from flows.backfill_request import Request, zone_of
from flows.backfilling import AT_ONCE, backfill_job
from flows.console import Shown
from flows.console_backfill import show_backfill, watching
from flows.job import jobs_folder, load_job
from flows.logs import log_to
from flows.named_ids import read_ids
from flows.prefect_env import settle
from flows.settings import load_settings
from referential.ledger import utc_now

Since = Annotated[
    str, Parameter(help="First day, or moment with its offset, of the modification dates.")
]
Until = Annotated[
    str, Parameter(help="Day or moment at which they end, itself not wanted; now if not given.")
]
Window = Annotated[str, Parameter(help="Length of a window: 7d, 12h, 90m.")]
Parallel = Annotated[
    int, Parameter(validator=Number(gte=1, lte=AT_ONCE), help="Windows read side by side.")
]
RecordIds = Annotated[
    str | None,
    Parameter(
        help="File with the ids of the records to read, one a line, in place of dates;"
        " - for standard input."
    ),
]
Again = Annotated[bool, Parameter(negative="", help="Do windows anew that are done already.")]
AllowChanged = Annotated[
    bool, Parameter(negative="", help="Let each window pass the limit `changed`.")
]
Flow = Annotated[
    bool, Parameter(negative="", help="Run as a Prefect flow (as with PREFECT_API_URL set).")
]


def backfill(
    job: JobName,
    *,
    since: Since = "",
    until: Until = "",
    window: Window = "7d",
    parallel: Parallel = 4,
    record_ids: RecordIds = None,
    to: To = "",
    again: Again = False,
    allow_changed: AllowChanged = False,
    flow: Flow = False,
    json: AsJson = False,
) -> int:
    """Load what changed in a past span of time, window by window; nothing is ever disabled.

    A window that is done is not done again: started anew, a backfill goes on where it ended.

    For example

        refsync backfill acme/servers --since 2026-01-01 --until 2026-04-01 --window 7d
        refsync backfill acme/servers --since 2026-01-01 --window 1d --parallel 4
        refsync backfill acme/servers --record-ids lost.txt
    """
    shown, settings = Shown(json), load_settings()
    found = load_job(job, jobs_folder(settings.jobs)).towards(to)
    ids = None if record_ids is None else read_ids(record_ids)
    request = Request(since, until, window, parallel, ids, again, allow_changed)
    asked, zone = request.asked(found, utc_now()), zone_of(found)
    log_to(shown, settings)
    if flow or os.environ.get("PREFECT_API_URL"):
        settle(settings.state)
        from flows.backfill import run_as_flow  # noqa: PLC0415 - after `settle`

        made = run_as_flow(job, request, to)
    else:
        with watching(shown, zone) as audience:
            made = backfill_job(settings, found, asked, audience=audience)
    if json:
        shown.json(made.document())
    else:
        show_backfill(shown, made, zone)
    return made.exit_code
