"""Slices read side by side, each by a thread of its own, so many at once and no more."""

import contextvars
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from sources.base import Extraction, Slice

T = TypeVar("T")
Wanted = Callable[[], bool]  # whether somebody still waits for what is being read

_LOOK: Final = 1.0  # seconds between two calls of `meanwhile`


class GivenUp(Exception):
    """Nobody waits any more for what was being read."""


def side_by_side(
    slices: Sequence[Slice],
    read: Callable[[Slice, Wanted], T],
    at_once: int,
    meanwhile: Callable[[], None] = lambda: None,
) -> Generator[tuple[Slice, T], None, None]:
    """Each slice with what *read* makes of it, as they end; at most *at_once* at any moment.

    *meanwhile* is called now and then while they are awaited. Raises what the first slice that
    fails raises; the others are given up then, and awaited, as when the iterator is closed.
    """
    stopped = threading.Event()

    def wanted() -> bool:
        return not stopped.is_set()

    with ThreadPoolExecutor(at_once, thread_name_prefix="slice") as pool:
        try:
            # each in a copy of the context, by which logs find the run that they belong to
            pending = {
                pool.submit(contextvars.copy_context().run, read, each, wanted): each
                for each in slices
            }
            while pending:
                ended, _ = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
                meanwhile()
                for future in ended:
                    yield pending.pop(future), future.result()
        finally:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)


def while_wanted(extraction: Extraction, wanted: Wanted) -> Extraction:
    """The same pages; raises GivenUp in place of a page that nobody waits for."""
    try:
        while True:
            if not wanted():
                raise GivenUp
            try:
                page = next(extraction)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return] # an outcome, as of any extraction
            yield page
            del page
    finally:
        extraction.close()
