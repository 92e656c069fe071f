"""The Prefect flow `sync_referential`: the stages of `flows.run` with retries, logs, artifacts.

Import it after `flows.prefect_env.settle`, which says where Prefect keeps its files.
"""

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Failed
from prefect.tasks import Task, exponential_backoff

from flows.job import jobs_folder, load_job
from flows.outcome import EXPECTED, told
from flows.page import changes_table, summary_markdown
from flows.report import write_report
from flows.run import Report, run_job
from flows.settings import Settings, load_settings
from flows.workplace import Mode, Options
from referential.errors import Unreachable
from sources.errors import Unreachable as SourceUnreachable

OUTAGES = (Unreachable, SourceUnreachable)
RETRIES = 3
SHOWN_CHANGES = 1_000  # rows of the table of changes: 28 ms (specs/prefect.md §4)


def is_outage(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """A stage is tried again after an outage alone: a refusal does not go away by itself."""
    return isinstance(state.result(raise_on_failure=False), OUTAGES)


def as_task(settings: Settings, stage: Callable[..., Any], *arguments: Any) -> Any:
    """Run one stage as a task; its arguments are closed over, so that Prefect stores none.

    Raises what the stage raises. A refusal is an answer: its task ends `Failed` with the message
    and no traceback. Prefect hands such a state back as a value, so it is raised here, by us.
    """
    refusals: list[BaseException] = []

    @task(
        name=stage.__name__,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=5),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_outage,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def step() -> Any:
        try:
            return stage(*arguments)
        except OUTAGES:
            raise  # for Prefect to try again
        except EXPECTED as error:
            refusals.append(error)
            return Failed(message=settings.redact(told(error)))

    returned = step()
    if refusals:
        raise refusals[0]
    return returned


@flow(
    name="sync_referential",
    flow_run_name="{job} {mode}",
    description="Bring the Canopsis entity referential in step with one feed of one client.",
    persist_result=False,
)
def sync_referential(
    job: str,
    mode: Mode = "sync",
    *,
    allow_missing: bool = False,
    allow_changed: bool = False,
    accept: str = "",
    to: str = "",
) -> Report | State[Any]:
    """Run the job `<customer>/<job>`; a run with an exit code other than 0 is a `Failed` flow run.

    *allow_missing* and *allow_changed* let this one run pass the limit of that name; *accept* is
    the checksum of the one plan that may pass them all. *to* is the Canopsis connection to load,
    one of those of the job; "" its usual one. The ledger and the artifacts have the run either way.
    """
    try:
        options = Options(
            mode, allow_missing=allow_missing, allow_changed=allow_changed, accept=accept, to=to
        )
        report = _run(job, options)
    except EXPECTED as error:
        return Failed(message=told(error), data=error)
    return Failed(message=report.message, data=report) if report.exit_code else report


def run_as_flow(job: str, options: Options) -> Report:
    """Run `sync_referential` here; raises what stopped it."""
    state: State[Any] = sync_referential(
        job,
        options.mode,
        allow_missing=options.allow_missing,
        allow_changed=options.allow_changed,
        accept=options.accept,
        to=options.to,
        return_state=True,
    )
    result: Any = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    report: Report = result
    return report


def _run(job: str, options: Options) -> Report:
    settings = load_settings()
    loaded = load_job(job, jobs_folder(settings.jobs)).towards(options.to)
    progress = _Progress(loaded.name)
    try:
        call = partial(as_task, settings)
        report = run_job(settings, loaded, options, progress=progress.tell, call=call)
    except BaseException as error:
        partly: Report | None = getattr(error, "report", None)
        if partly is not None:
            _show(settings, partly)
        raise
    _show(settings, report)
    return report


def _show(settings: Settings, report: Report) -> None:
    page = write_report(settings, report)
    key = artifact_key(report.job)
    create_markdown_artifact(
        summary_markdown(report), key=f"{key}-summary", description=f"{report.job}: last run"
    )
    create_link_artifact(page.absolute().as_uri(), key=f"{key}-report", description=report.job)
    rows = changes_table(settings, report, SHOWN_CHANGES)
    if rows:
        create_table_artifact(rows, key=f"{key}-changes", description=f"{report.job}: changes")


def artifact_key(job: str) -> str:
    """Prefect takes lower-case letters, digits and dashes (specs/prefect.md §4)."""
    return re.sub(r"[^a-z0-9]+", "-", job.lower()).strip("-")


class _Progress:
    """One progress artifact a stage, updated once a second at most."""

    def __init__(self, job: str) -> None:
        self._key = artifact_key(job)
        self._artifacts: dict[str, UUID] = {}
        self._told = 0.0

    def tell(self, stage: str, done: int, total: int | None) -> None:
        if not total:  # a share of nothing known cannot be shown
            return
        share = min(100.0, 100.0 * done / total)
        if stage not in self._artifacts:
            made = create_progress_artifact(share, key=f"{self._key}-{stage}", description=stage)
            self._artifacts[stage] = cast("UUID", made)  # typed as if it could be a coroutine
        elif share >= 100 or time.monotonic() - self._told >= 1:
            update_progress_artifact(self._artifacts[stage], share)
        else:
            return
        self._told = time.monotonic()
