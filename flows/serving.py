"""`refsync serve`: one process that starts the runs of all deployments, each in its own subprocess.

Import it after `flows.prefect_env.settle`.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from flows.rollout import Step

_LOOK: Final = 0.2  # seconds between two looks at the runs that are still at work


class _Served(RunnerDeployment):
    """A deployment as the runner takes it: it is in place already, by `flows.deployments`."""

    _made: UUID

    @classmethod
    def of(cls, step: Step) -> "_Served":
        flow, _, name = step.name.partition("/")
        served = cls(name=name, flow_name=flow)
        served._made = UUID(step.id)
        return served

    async def aapply(self, *_arguments: Any, **_named: Any) -> UUID:
        return self._made


class _Server(Runner):
    """A runner that does not end well-nigh done runs when it is told to stop.

    Prefect's own forces every run whose process is still there to `Cancelled`, one too that has
    just said `Completed` and closes its threads (specs/prefect.md §3). Here the runs at work have
    some seconds to end, and of those that are left only the unfinished are cancelled.
    """

    def __init__(self, *, limit: int, grace: float) -> None:
        # what operators paused must not come back when this process does
        super().__init__(name="refsync", pause_on_shutdown=False, limit=limit)
        self._grace = grace

    async def cancel_all(self) -> None:
        """Called once nothing new is started."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                while self._process_manager.flow_run_count():  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(_LOOK)
        client: PrefectClient = self._client
        for identity in self._process_manager.flow_run_ids():
            run = await client.read_flow_run(identity)
            if run.state is None or not run.state.is_final():
                await self._cancel_run(run, "refsync serve was stopped")


def serve(steps: Sequence[Step], environment: dict[str, str], *, limit: int, grace: float) -> None:
    """Start the runs of the deployments of *steps* until SIGTERM, *limit* at once at most.

    Then the runs at work have *grace* seconds to end. *environment* is what a run needs to find
    its files. KeyboardInterrupt comes through.
    """
    os.environ.update(environment)
    asyncio.run(_serve(steps, _Server(limit=limit, grace=grace)))


async def _serve(steps: Sequence[Step], server: Runner) -> None:
    for step in steps:
        await server.aadd_deployment(_Served.of(step))
    await server.start()
