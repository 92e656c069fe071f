"""Slices of a dataset read side by side, each by a thread of its own, as one extraction.

Their pages come in turn, one of each slice, so that the same slices give the same order; a slice
reads its next page while the pages of the others are mapped. Memory holds two pages a slice.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from sources.base import Extraction, Outcome, Page, Slice
from sources.slices import joined

_LOOK: Final = 0.1  # seconds between two looks whether anybody still waits for the pages


class Lane:
    """One slice and the thread that reads it; `turns` bounds how many lanes read at once."""

    def __init__(
        self, extraction: Extraction, turns: threading.Semaphore, stopped: threading.Event
    ) -> None:
        self._extraction = extraction
        self._turns = turns
        self._stopped = stopped
        self._read: queue.Queue[Page | Outcome | BaseException] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def next(self) -> Page | Outcome:
        """The next page, or the outcome after the last one; raises what the reading raised."""
        got = self._read.get()
        if isinstance(got, BaseException):
            raise got
        return got

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        with contextlib.closing(self._extraction):
            try:
                while not self._stopped.is_set():
                    with self._turns:
                        page = next(self._extraction)
                    if not self._hand_on(page):
                        return
            except StopIteration as end:
                self._hand_on(end.value)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                self._hand_on(error)

    def _hand_on(self, got: Page | Outcome | BaseException) -> bool:
        """False when nobody waits for it any more."""
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._read.put(got, timeout=_LOOK)
                return True
        return False


def side_by_side(
    slices: Sequence[Slice], extract: Callable[[Slice], Extraction], at_once: int
) -> Extraction:
    """One extraction of all *slices*, at most *at_once* of them reading at any moment.

    Pages are numbered as they come. Raises what the first slice that fails raises; the others are
    given up then, as they are when the extraction is closed.
    """
    stopped = threading.Event()
    turns = threading.Semaphore(at_once)
    lanes = [Lane(extract(each), turns, stopped) for each in slices]
    for lane in lanes:
        lane.start()
    try:
        return (yield from _in_turn(lanes))
    finally:
        stopped.set()
        for lane in lanes:
            lane.join()


def _in_turn(lanes: Sequence[Lane]) -> Extraction:
    outcomes: dict[int, Outcome] = {}
    first = 1
    while len(outcomes) < len(lanes):
        for rank, got in _round(lanes, outcomes):
            if isinstance(got, Page):
                page = _numbered(got, first)
                first += len(page.records) + len(page.rejects)
                del got
                yield page
                del page
            else:
                outcomes[rank] = got
    return joined([outcomes[rank] for rank in range(len(lanes))])


def _round(
    lanes: Sequence[Lane], ended: dict[int, Outcome]
) -> Iterator[tuple[int, Page | Outcome]]:
    for rank, lane in enumerate(lanes):
        if rank not in ended:
            yield rank, lane.next()


def _numbered(page: Page, first: int) -> Page:
    """*page* with the rank that its first record has among those of all slices."""
    shift = first - page.first
    rejects = tuple(replace(each, number=each.number + shift) for each in page.rejects)
    return replace(page, first=first, rejects=rejects)
