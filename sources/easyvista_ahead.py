"""Calls for one item after the other, some under way at once, answers in the order asked."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_AHEAD: Final = 2  # items asked for beforehand, by call under way

Item = TypeVar("Item")
Got = TypeVar("Got")


def in_turn(ask: Callable[[Item], Got], items: Iterable[Item], at_once: int) -> Iterator[Got]:
    """What *ask* gives for each of *items*, at most *at_once* of them asked at any moment.

    Raises what the first that fails raises; those not yet asked for are given up then, as they are
    when the iterator is closed.
    """
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="easyvista")
    under_way: deque[Future[Got]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(ask, item))
            if len(under_way) >= at_once * _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
