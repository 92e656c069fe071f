"""The command `refsync health`, for whoever watches over the jobs."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson, JobName
from flows.check import every_job
from flows.console import Shown
from flows.console_health import show_health
from flows.health import health_of, read_age
from flows.job import jobs_folder
from flows.settings import load_settings
from referential.ledger import utc_now


def health(
    *jobs: JobName,
    max_age: Annotated[
        str | None,
        Parameter(
            help="Oldest that the last done run may be, such as 26h, 90m or 2d; without it a job's"
            " own schedule decides, or 26h."
        ),
    ] = None,
    json: AsJson = False,
) -> int:
    """Say of each job whether its last run went well and is recent; without a name, of all.

    Exit codes: 0 all are fine, 1 one failed, is stale or never ran, 2 mis-declared.

    For example

        refsync health
        refsync health acme/servers --max-age 90m --json
    """
    shown, settings = Shown(json), load_settings()
    oldest = None if max_age is None else read_age(max_age)
    names = jobs or every_job(jobs_folder(settings.jobs))
    seen = health_of(settings, names, utc_now(), oldest)
    if json:
        shown.json(asdict(seen))
    else:
        show_health(shown, seen)
    return seen.exit_code
