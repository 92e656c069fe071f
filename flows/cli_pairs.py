"""The two commands for golden pairs: compare them, or record the records of one."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson, Count, JobName
from flows.console import Shown
from flows.console_pairs import show_compared, show_recorded
from flows.job import jobs_folder, load_job
from flows.pairs import compare_jobs
from flows.recording import record_job
from flows.settings import load_settings


def compare(
    *jobs: JobName,
    update: Annotated[
        bool, Parameter(negative="", help="Rewrite the expected files instead of comparing.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Map the golden records of jobs and compare what they become; without a name, of all jobs.

    Beside `<job>.yaml` stand `<job>.records.jsonl`, `<job>.entities.jsonl` and, when the mapping is
    to refuse some of them, `<job>.rejects.jsonl`. Nothing is asked of any source. Exit code 1 when
    something differs.

    For example

        refsync test
        refsync test acme/servers --update
    """
    shown, settings = Shown(json), load_settings()
    with shown.progress() as progress:
        seen = compare_jobs(settings, jobs, update=update, progress=progress)
    if json:
        shown.json(asdict(seen))
    else:
        show_compared(shown, seen)
    return seen.exit_code


def record(
    job: JobName,
    *,
    limit: Annotated[Count, Parameter(help="Records to keep of each dataset.")] = 50,
    dataset: Annotated[
        tuple[str, ...], Parameter(negative="", help="Only this dataset; may be given again.")
    ] = (),
    force: Annotated[bool, Parameter(negative="", help="Replace records that are there.")] = False,
    json: AsJson = False,
) -> int:
    """Read real records, make them anonymous by the job's `record` block, keep them beside it.

    Only what the mapping reads is kept. With REFSYNC_RECORD_KEY set, the same values have the same
    stand-ins in every recording; otherwise in this one alone.

    For example

        refsync record acme/servers
        refsync record acme/servers --limit 200 --force
    """
    shown, settings = Shown(json), load_settings()
    compiled = load_job(job, jobs_folder(settings.jobs))
    with shown.progress() as progress:
        seen = record_job(
            settings, compiled, limit=limit, datasets=dataset, force=force, progress=progress
        )
    if json:
        shown.json(asdict(seen))
    else:
        show_recorded(shown, seen)
    return 0
