"""The slices of a run read by a Dask cluster: one of this machine, or one that is there already.

Its workers share the place of the parts with the run and nothing else (`flows.errand`). A worker
that dies has its slice read again by another, which begins a part of its own: half a part is never
seen.
"""

import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import distributed
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from flows.crew import Made, Slices
from flows.errand import Brief, errand_of, run_errand
from flows.failure import unpacked
from flows.shared import Place, shared_place
from flows.workplace import Workplace
from sources.base import Slice
from sources.errors import Unreachable

log = logging.getLogger("refsync")

Future = Any  # of distributed, which types none of its functions

_CONNECT: Final = 30.0  # seconds for the scheduler to answer
_WORKERS: Final = 180.0  # seconds for a first worker to be there, or to be there again
_LOOK: Final = 1.0  # seconds between two looks at the cluster while slices are read
_LOST = (OSError, TimeoutError, CommClosedError, CancelledError, KilledWorker)


@dataclass(frozen=True, slots=True)
class Hands:
    """How errands are given to a cluster: `submit` one, get the `answer` of one that is done."""

    client: distributed.Client
    submit: Callable[[dict[str, Any]], Future]
    answer: Callable[[Future], dict[str, Any]]


# the address of a cluster, or "", and how many workers one of this machine is to have
Hiring = Callable[[str, int], AbstractContextManager[Hands]]


@contextmanager
def directly(address: str, workers: int) -> Iterator[Hands]:
    """The cluster at *address*, or a new one of this machine with so many *workers*."""
    with ExitStack() as stack:
        there: Any = address or stack.enter_context(local_cluster(workers))
        client = stack.enter_context(
            distributed.Client(there, timeout=_CONNECT, set_as_default=False)  # type: ignore[no-untyped-call] # see Future
        )

        def submit(errand: dict[str, Any]) -> Future:
            return client.submit(run_errand, errand, pure=False)

        yield Hands(client, submit, distributed.Future.result)


def local_cluster(workers: int) -> distributed.LocalCluster:
    """A cluster of this machine that nobody outside of it can reach."""
    return distributed.LocalCluster(  # type: ignore[no-untyped-call] # see Future
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # its default is reached from everywhere
        silence_logs=logging.ERROR,
    )


class DaskCrew:
    """Reads slices on a cluster, which is hired when the first of them are to be read."""

    def __init__(self, place: Workplace, hiring: Hiring) -> None:
        settings = place.settings
        self._place = place
        self._hiring = hiring
        self._address = str(settings.resolve(settings.words.dask, ("dask",)))
        # of this attempt alone: a worker may still be busy with a former one
        self._folder = f"{place.job.name}/{place.run_id}/parts-{secrets.token_hex(4)}"
        self._shared: Place = shared_place(settings).within(self._folder)
        self._hired: Hands | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._stack:
                self._clear()  # the workers of a cluster that stays see it, and stop
        finally:
            self._clear()  # what those left who ended with their cluster, in mid-part

    def _clear(self) -> None:
        if self._hired is not None:
            self._shared.clear()

    def read(self, slices: Slices) -> Generator[Made, None, None]:
        hands = self._hands(slices)
        number = str(self._place.job.datasets.index(slices.name))
        parts = self._shared.within(number)
        self._brief(slices).leave(parts, slices.mapper.tables())
        waiting, pending = deque(slices.slices), dict[Future, Slice]()
        watch, records = _Watch(hands.client, self._where), 0
        try:
            while waiting or pending:
                while waiting and len(pending) < slices.at_once:
                    each = waiting.popleft()
                    errand = errand_of(f"{self._folder}/{number}", slices.name, each)
                    with _worded(self._where):
                        pending[hands.submit(errand)] = each
                for future in watch.ended(pending):
                    each = pending.pop(future)
                    answer = self._answer(hands, future)
                    records += answer["records"]
                    slices.told(records)
                    yield each, parts.using(answer["part"])
        finally:
            for future in pending:
                future.cancel()

    def _hands(self, slices: Slices) -> Hands:
        if self._hired is None:
            # it tells of every worker that comes and goes; what matters comes as an error
            logging.getLogger("distributed").setLevel(logging.CRITICAL)
            wanted = self._place.job.sync.slices
            workers = min(wanted, slices.at_once, len(os.sched_getaffinity(0)))
            with _worded(self._where):
                hands = self._stack.enter_context(self._hiring(self._address, workers))
                hands.client.wait_for_workers(1, timeout=_WORKERS)
            self._hired = hands
        return self._hired

    def _brief(self, slices: Slices) -> Brief:
        job = self._place.job
        # workers of this machine find the very file, wherever it is
        called = job.name if self._address else str(job.path)
        return Brief.of(job, called, slices.name, slices.scope)

    def _answer(self, hands: Hands, future: Future) -> dict[str, Any]:
        """What the worker answered; raises what it raised."""
        with _worded(self._where):
            answer = hands.answer(future)
        if "failure" in answer:
            raise unpacked(answer["failure"])
        return answer

    @property
    def _where(self) -> str:
        return self._address or "a Dask cluster of this machine"


class _Watch:
    """Looks after errands that are being run, and after those who run them."""

    def __init__(self, client: distributed.Client, where: str) -> None:
        self._client = client
        self._where = where
        self._seen = time.monotonic()  # when there was a worker

    def ended(self, pending: dict[Future, Slice]) -> list[Future]:
        """Those that are done, in the order in which they were given; awaits one, or a moment."""
        with _worded(self._where):
            try:
                with self._client.as_current():
                    distributed.wait(  # type: ignore[no-untyped-call] # see Future
                        list(pending), timeout=_LOOK, return_when="FIRST_COMPLETED"
                    )
            except TimeoutError:
                self._look()
        return [future for future in pending if future.done()]

    def _look(self) -> None:
        if self._client.nthreads():  # type: ignore[no-untyped-call] # see Future
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _WORKERS:
            raise TimeoutError(f"it has had no worker for {_WORKERS:.0f} s")


@contextmanager
def _worded(where: str) -> Iterator[None]:
    """A cluster that is lost is an outage."""
    try:
        yield
    except _LOST as error:
        if isinstance(error, KilledWorker):
            what = f"workers of the Dask cluster died over the same slice, again and again: {error}"
            mend = "see their logs, and what memory they had"
        else:
            words = str(error) or type(error).__name__
            what = f"the Dask cluster does not answer, or has no worker: {words}"
            mend = "start its scheduler and workers, or write `runner: threads`"
        raise Unreachable(what, where=where, mend=mend) from error
