"""The Prefect flow `backfill_referential`: the windows of `flows.backfilling` as tasks.

Import it after `flows.prefect_env.settle`. A window is a task that reads it, with retries after an
outage, and two more where it has something to load: one that loads, one that verifies.
"""

import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Annotated, Any, Self, cast
from uuid import UUID

import orjson
from prefect import flow, tags
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from flows import stages
from flows.artifacts import artifact_key
from flows.backfill_request import Request, zone_of
from flows.backfilled import Backfilled, Line
from flows.backfilling import AT_ONCE, Audience, Wait, backfill_job
from flows.console_backfill import summary
from flows.deployable import TAG
from flows.job import jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.named_ids import checked
from flows.outcome import EXPECTED, told
from flows.portion import PortionRun
from flows.run import Call, directly
from flows.settings import Settings, load_settings
from flows.sync import as_task, stage_task
from flows.windows import shown
from referential.ledger import utc_now

LONGEST = 400_000  # bytes of the ids among the parameters: Prefect takes 512 kB of them all


class Tasks:
    """The hands of a flow; at most *parallel* tasks are given to it at any moment."""

    def __init__(self, settings: Settings, _parallel: int) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Prefect waits for its tasks; those whose turn never comes give themselves up."""

    def calling(self, run: PortionRun, /) -> Call:
        """Stages that talk to Canopsis are tasks; the others are over at once."""

        def call(stage: Callable[..., Any], *arguments: Any) -> Any:
            if stage in (stages.load, stages.verify):
                return as_task(self._settings, stage, *arguments, watch=run.watch)
            return directly(stage, *arguments)

        return call

    def read(self, run: PortionRun) -> Wait:
        """Begin the task that reads a window."""
        refusals: list[BaseException] = []
        window = run.portion.window
        zone = zone_of(run.place.job)
        name = "named records" if window is None else shown(window.low, zone)
        reading = stage_task(
            self._settings,
            run.read,
            refusals,
            stage="extract",
            watch=run.watch,
            run_name=f"read {name}",
        )
        future = reading.submit()

        def wait() -> None:
            future.wait()
            if refusals:
                raise refusals[0]
            future.result()

        return wait


@flow(
    name="refsync",
    flow_run_name="{job} backfill",
    description="Load what changed in a past span of time, window by window.",
    persist_result=False,
)
def backfill_referential(  # noqa: PLR0917 - the parameters of the form, called by their names
    job: str,
    since: str = "",
    until: str = "",
    window: Annotated[str, Field(pattern=r"^[0-9]{1,6}[smhd]$")] = "7d",
    parallel: Annotated[int, Field(ge=1, le=AT_ONCE)] = 4,
    record_ids: list[str] | None = None,
    to: str = "",
    *,
    again: bool = False,
    allow_changed: bool = False,
) -> Backfilled | State[Any]:
    """Load what changed in a past span of time; nothing is ever disabled, deleted or taken away.

    A window that is done is not done again, so that a backfill that ended early can be started
    anew as it was. The flow run is `Failed` when a window is; the others are done all the same.

    Args:
        job: The job, `<customer>/<job>`.
        since: First day (2026-01-31, in the zone of the job's schedule), or moment with offset.
        until: Day or moment at which the span ends, itself not wanted; empty for now.
        window: Length of a window, such as 7d, 12h or 90m.
        parallel: How many windows are read side by side; they are loaded one after the other.
        record_ids: Ids of the records to read, in place of dates.
        to: The Canopsis connection to load, one of those of the job; empty for its usual one.
        again: Do windows anew that are done already.
        allow_changed: Let each window pass the limit of entities that changed.
    """
    try:
        ids = None if record_ids is None else checked(record_ids, "record_ids")
        made = _run(job, Request(since, until, window, parallel, ids, again, allow_changed), to)
    except EXPECTED as error:
        return Failed(message=told(error), data=error)
    if made.exit_code:
        return Failed(message=_failure(made), data=made)
    return made


def run_as_flow(job: str, request: Request, to: str) -> Backfilled:
    """Run `backfill_referential` here; raises what stopped it."""
    ids = None if request.ids is None else sorted(request.ids)
    if ids and len(orjson.dumps(ids)) > LONGEST:
        what = f"{len(ids):,} ids are more than a flow run takes as its parameters"
        mend = "name fewer, or run it without Prefect: unset PREFECT_API_URL, leave --flow out"
        raise Misdeclared([Fault("--record-ids", what, mend)])
    with tags(TAG, f"customer:{job.partition('/')[0]}"):  # those that a deployment gives
        state: State[Any] = backfill_referential(
            job,
            since=request.since,
            until=request.until,
            window=request.window,
            parallel=request.parallel,
            record_ids=ids,
            to=to,
            again=request.again,
            allow_changed=request.allow_changed,
            return_state=True,
        )
    result: Any = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    made: Backfilled = result
    return made


def _run(job: str, request: Request, to: str) -> Backfilled:
    settings = load_settings()
    found = load_job(job, jobs_folder(settings.jobs)).towards(to)
    asked = request.asked(found, utc_now())
    key = artifact_key(found.name, found.sync.connection if found.elsewhere else "")
    audience = _Share(f"{key}-backfill-progress")
    made = backfill_job(settings, found, asked, hands=partial(Tasks, settings), audience=audience)
    rows = [_row(line) for line in made.lines]
    create_table_artifact(rows, key=f"{key}-backfill", description=f"{found.name}: {summary(made)}")
    return made


def _failure(made: Backfilled) -> str:
    failed = [f"{_span(line)} {line.outcome}: {line.message}" for line in made.failed]
    return "\n".join([f"{made.job}: {summary(made)}", *failed])


def _row(line: Line) -> dict[str, Any]:
    return {
        "window": _span(line),
        "outcome": line.outcome,
        "records": line.records,
        "created": line.created,
        "updated": line.updated,
        "enabled": line.enabled,
        "rejects": line.rejects,
        "seconds": line.seconds,
        "run": line.run,
    }


def _span(line: Line) -> str:
    if line.since is None or line.until is None:
        return "the named records"
    return f"{line.since:%Y-%m-%d %H:%M}Z to {line.until:%Y-%m-%d %H:%M}Z"


class _Share(Audience):
    """One progress artifact: the share of windows that are over, once a second at most."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._over = 0
        self._told = 0.0
        self._artifact: UUID | None = None

    def ended(self, line: Line, of: int) -> None:
        del line
        self._over += 1
        share = min(100.0, 100.0 * self._over / of)
        if self._artifact is None:
            made = create_progress_artifact(share, key=self._key, description="windows")
            self._artifact = cast("UUID", made)  # typed as if it could be a coroutine
        elif share >= 100 or time.monotonic() - self._told >= 1:
            update_progress_artifact(self._artifact, share)
        else:
            return
        self._told = time.monotonic()
