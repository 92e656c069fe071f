"""The Prefect flow `sync_referential`: the stages of `flows.run` with retries, logs, artifacts.

Import it after `flows.prefect_env.settle`, which says where Prefect keeps its files.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from prefect import flow, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Failed
from prefect.tasks import Task

from flows.artifacts import Progress, show
from flows.deployable import TAG
from flows.job import Job, jobs_folder, load_job
from flows.outcome import EXPECTED, told
from flows.policies import JITTER, OUTAGES, RETRIES, TICKING, TookTooLong, Watch, delays
from flows.resume import left_by
from flows.run import Report, run_job
from flows.settings import Settings, load_settings
from flows.stopping import Terminated
from flows.workplace import Mode, Options
from referential.history import Outcome

# Prefect's own `Failed` is for what failed: these loaded what they could, or were told not to
NAMES: Final[dict[Outcome, str]] = {"partial": "Partial", "held": "Held", "refused": "Refused"}


def as_task(
    settings: Settings,
    stage: Callable[..., Any],
    *arguments: Any,
    watch: Watch | None = None,
) -> Any:
    """Run one stage as a task; its arguments are closed over, so that Prefect stores none.

    Raises what the stage raises. *watch* has the policy of the job: how often an outage is tried
    again, and until when.
    """
    name = stage.__name__
    seconds = None if watch is None or name in TICKING else watch.left(name)
    refusals: list[BaseException] = []
    step = stage_task(
        settings, partial(stage, *arguments), refusals, stage=name, watch=watch, seconds=seconds
    )
    try:
        returned = step()
    except TimeoutError as error:
        if watch is None or seconds is None:  # it is the stage's own
            raise
        raise watch.late(name) from error
    if refusals:
        raise refusals[0]
    return returned


def stage_task(
    settings: Settings,
    work: Callable[[], Any],
    refusals: list[BaseException],
    *,
    stage: str,
    watch: Watch | None,
    seconds: float | None = None,
    run_name: str | None = None,
) -> Task[[], Any]:
    """The task that does the *work* of a stage.

    A refusal is an answer: the task ends `Failed` with the message and no traceback. Prefect hands
    such a state back as a value, so it is left in *refusals*, for the caller to raise.
    """
    retries = RETRIES if watch is None else watch.retries

    @task(
        name=stage,
        task_run_name=run_name,
        retries=retries,
        retry_delay_seconds=delays(retries),
        retry_jitter_factor=JITTER,
        retry_condition_fn=partial(_tried_again, watch, stage),
        timeout_seconds=seconds,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def step() -> Any:
        if watch is not None:
            watch.begin(stage)
        try:
            return work()
        except TookTooLong as error:
            refusals.append(error)
            return Failed(name="TimedOut", message=settings.redact(told(error)))
        except OUTAGES:
            raise  # for Prefect to try again
        except EXPECTED as error:
            refusals.append(error)
            return Failed(message=settings.redact(told(error)))

    return step


def _tried_again(
    watch: Watch | None, stage: str, _task: Task[..., Any], _run: TaskRun, state: State[Any]
) -> bool:
    """A stage is tried again after an outage alone: a refusal does not go away by itself."""
    error = state.result(raise_on_failure=False)
    outage = isinstance(error, OUTAGES) and not isinstance(error, TookTooLong)
    return outage and not (watch is not None and watch.over(stage))


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
    """Run a job; a run with an exit code other than 0 is a `Failed` flow run.

    Its state is named `Partial`, `Held` or `Refused` where that is how the run ended. The ledger
    and the artifacts have the run either way. Prefect's form shows what follows.

    Args:
        job: The job, `<customer>/<job>`.
        mode: `sync` sends what changed, `full` sends everything again.
        allow_missing: Let this one run pass the limit of entities that are missing.
        allow_changed: Let this one run pass the limit of entities that changed.
        accept: Checksum of the one plan that may pass all limits.
        to: The Canopsis connection to load, one of those of the job; empty for its usual one.
    """
    options = Options(
        mode, allow_missing=allow_missing, allow_changed=allow_changed, accept=accept, to=to
    )
    return _answered(partial(_run, job, options))


@flow(
    name="resume_referential",
    flow_run_name="resume {run}",
    description="Go on with a run that ended early, from what it has read.",
    persist_result=False,
)
def resume_referential(run: str, *, force: bool = False) -> Report | State[Any]:
    """Go on with a run of the ledger that was interrupted, failed or killed.

    Args:
        run: Id of the run, as `refsync runs` shows it.
        force: Load it although it was read more than a day ago.
    """
    return _answered(partial(_resume, run, force=force))


def run_as_flow(job: str, options: Options) -> Report:
    """Run `sync_referential` here; raises what stopped it."""
    return _reported(
        partial(
            sync_referential,
            job,
            options.mode,
            allow_missing=options.allow_missing,
            allow_changed=options.allow_changed,
            accept=options.accept,
            to=options.to,
        ),
        job,
    )


def resume_as_flow(run: str, job: str, *, force: bool) -> Report:
    """Run `resume_referential` here; raises what stopped it."""
    return _reported(partial(resume_referential, run, force=force), job)


def _reported(start: Callable[..., Any], job: str) -> Report:
    """What *start* reports; its flow run has the tags that a deployment would give it."""
    try:
        with tags(TAG, f"customer:{job.partition('/')[0]}"):
            state: State[Any] = start(return_state=True)
    except Terminated as error:
        # raised once Prefect has dealt with the signal that ended the run
        partly = getattr(error.__context__, "report", None)
        if partly is not None:
            error.report = partly  # type: ignore[attr-defined]
        raise
    result: Any = state.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    report: Report = result
    return report


def _answered(run: Callable[[], Report]) -> Report | State[Any]:
    """The report of *run*, or the state that tells how it ended."""
    try:
        report = run()
    except EXPECTED as error:
        partly: Report | None = getattr(error, "report", None)
        return _failed(told(error), error, partly)
    return _failed(report.message, report, report) if report.exit_code else report


def _failed(message: str, data: Any, report: Report | None) -> State[Any]:
    name = NAMES.get(report.outcome, "Failed") if report else "Failed"
    return Failed(name=name, message=message, data=data)


def _run(job: str, options: Options) -> Report:
    settings = load_settings()
    loaded = load_job(job, jobs_folder(settings.jobs)).towards(options.to)
    return _shown(settings, loaded, partial(run_job, settings, loaded, options))


def _resume(run: str, *, force: bool) -> Report:
    settings = load_settings()
    left = left_by(settings, run, force=force)
    go_on = partial(run_job, settings, left.job, left.options, left=left)
    return _shown(settings, left.job, go_on)


def _shown(settings: Settings, job: Job, run: Callable[..., Report]) -> Report:
    watch = Watch(job)
    progress = watch.told(Progress(settings, job).tell)
    try:
        report = run(progress=progress, call=partial(as_task, settings, watch=watch))
    except BaseException as error:
        partly: Report | None = getattr(error, "report", None)
        if partly is not None:
            show(settings, job, partly)
        raise
    show(settings, job, report)
    return report
