"""The simulated platform: every part of one Canopsis, and what makes it move."""

import asyncio
import contextlib
import copy
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from typing import Any

from sandbox.canopsis_alarms import Alarms
from sandbox.canopsis_auth import Tokens
from sandbox.canopsis_events import Bus, Engines
from sandbox.canopsis_graph import Graph
from sandbox.canopsis_job import Job
from sandbox.canopsis_jobs import Jobs
from sandbox.canopsis_knobs import Knobs
from sandbox.canopsis_store import Store

LOG = logging.getLogger(__name__)
SWEEP_EVERY = 60
"""Seconds between two looks of the soft-delete worker."""


class Traffic:
    """What has been received since the start or the last reset, by `METHOD /route`."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.jobs: list[Job] = []

    def as_json(self) -> dict[str, Any]:
        imports = [
            {
                "_id": job.id,
                "source": job.source,
                "partial": job.partial,
                "bytes": job.size,
                "items": job.items,
                "status": job.status,
            }
            for job in self.jobs
        ]
        return {"requests": self.requests, "bytes": self.bytes, "imports": imports}


class Canopsis:
    """One platform. Whoever touches it from another thread than the server's holds `lock`."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._given = copy.deepcopy(knobs)
        self.lock = threading.RLock()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._empty()

    def reset(self) -> None:
        """Empty everything, and turn the knobs back to what they were at the start."""
        with self.lock:
            given = copy.deepcopy(self._given)
            for knob in fields(Knobs):
                setattr(self.knobs, knob.name, getattr(given, knob.name))
            self._empty()

    def _empty(self) -> None:
        self.store = Store()
        self.graph = Graph(self.store)
        self.store.removed = self.graph.forget
        self.alarms = Alarms(self.store)
        self.engines = Engines(
            self.store, self.graph, self.alarms, self.knobs, lambda: int(self.now())
        )
        self.bus = Bus(self.engines, self.knobs)
        self.bus.wake = self.wake
        self.jobs = Jobs(self.store, self.bus, self.knobs, self.now)
        self.tokens = Tokens(self.knobs, self.now)
        self.traffic = Traffic()
        self.exports: dict[str, dict[str, Any]] = {}
        self.found: OrderedDict[Any, list[str]] = OrderedDict()
        self._swept = self.now()

    def now(self) -> float:
        """The platform's clock, in Unix seconds."""
        return time.time() + self.knobs.clock_offset

    def submit(self, body: bytes, *, source: str, partial: bool, dialect: str = "D2") -> Job:
        job = self.jobs.submit(body, source=source, partial=partial, dialect=dialect)
        self.traffic.jobs.append(job)
        self.wake()
        return job

    def tick(self) -> None:
        """Run every queue to rest, now: jobs, events, soft-delete worker."""
        with self.lock:
            while (job := self.jobs.take()) is not None:
                self.jobs.run(job)
                self._drain()
            self._sweep()
            self._drain()
            self.jobs.sweep()

    def advance(self, seconds: float) -> None:
        """Move the clock; what falls due shows at the next look of its worker."""
        with self.lock:
            self.knobs.clock_offset += seconds
        self.wake()

    def wake(self) -> None:
        """Tell the workers that there is something to do, from whatever thread."""
        if self._wake is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Workers run while the server does."""
        self._wake, self._loop = asyncio.Event(), asyncio.get_running_loop()
        tasks = [
            asyncio.create_task(_forever(self._look_for_job)),
            asyncio.create_task(_forever(self._look_for_event)),
        ]
        try:
            yield
        finally:
            self._wake = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_for_job(self) -> None:
        with self.lock:
            jobs = self.jobs  # after a reset, a job still belongs to the queue it was sent to
            idle = self.knobs.manual or not jobs.waiting()
        if idle:
            await self._rest(0.25)
            return
        await asyncio.sleep(self.knobs.tick)
        with self.lock:
            job = None if self.knobs.manual else jobs.take()
        if job is None:
            await asyncio.sleep(0.05)
            return
        await asyncio.sleep(self.knobs.job_latency)
        with self.lock:
            jobs.run(job)

    async def _look_for_event(self) -> None:
        if self.knobs.manual:
            await self._rest(0.25)
            return
        with self.lock:
            moved = self.bus.step()
            if self.now() - self._swept >= SWEEP_EVERY:
                self._sweep()
            due = self.bus.due_in()
        await (asyncio.sleep(0) if moved else self._rest(0.25 if due is None else min(due, 0.25)))

    async def _rest(self, seconds: float) -> None:
        """Wait to be woken, or for what another thread may have changed without a word."""
        wake = self._wake or asyncio.Event()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), max(seconds, 0.001))
        wake.clear()

    def _sweep(self) -> None:
        self._swept = self.now()
        self.engines.sweep(self.bus.publish)

    def _drain(self) -> None:
        while self.bus.step(at_once=True):
            pass


async def _forever(step: Callable[[], Awaitable[None]]) -> None:
    """A worker: a fault of the simulator itself is told, and does not stop it."""
    while True:
        try:
            await step()
        except Exception:
            LOG.exception("a worker of the simulator failed")
            await asyncio.sleep(0.25)
