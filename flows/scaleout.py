"""The slices of a flow run as Prefect tasks, run on a Dask cluster through `prefect-dask`.

Import it after `flows.prefect_env.settle`. A remote task costs 100 ms (specs/prefect.md §4), and
there are tens of them; their workers speak to the server that the flow speaks to.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.settings import get_current_settings
from prefect.states import Failed
from prefect_dask.task_runners import DaskTaskRunner

from flows.cluster import Future, Hands, local_cluster
from flows.errand import run_errand
from flows.failure import unpacked

log = logging.getLogger("refsync")


def in_reach() -> bool:
    """Whether this is a flow run whose server workers can reach.

    One without a server of its own has one for itself: each worker would start another
    (specs/prefect.md §5).
    """
    if FlowRunContext.get() is None:
        return False
    if not get_current_settings().api.url:
        log.info("slices are no Prefect tasks: this Prefect has no server for workers to reach")
        return False
    return True


@task(
    name="slice",
    task_run_name="{errand[dataset]} {errand[slice][index]}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
def read_slice(errand: dict[str, Any]) -> Any:
    """One errand on a worker; a failure is an answer: the state says it without a traceback."""
    answer = run_errand(errand)
    if "failure" in answer:
        return Failed(message=str(unpacked(answer["failure"])), data=answer)
    return answer


@contextmanager
def as_tasks(address: str, workers: int) -> Iterator[Hands]:
    """The cluster at *address*, or a new one of this machine, whose errands are Prefect tasks."""
    with ExitStack() as stack:
        cluster = None if address else stack.enter_context(local_cluster(workers))
        runner = stack.enter_context(DaskTaskRunner(cluster, address or None))

        def submit(errand: dict[str, Any]) -> Future:
            return runner.submit(read_slice, {"errand": errand}).wrapped_future

        yield Hands(runner.client, submit, _answer)


def _answer(future: Future) -> dict[str, Any]:
    state: State[Any] = future.result()
    answer: Any = state.result(raise_on_failure=False)
    if isinstance(answer, BaseException):
        raise answer
    return dict(answer)
