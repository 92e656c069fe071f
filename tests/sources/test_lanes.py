"""Slices read side by side: so many at once and no more, each in its run's context, none behind."""

import contextvars
import threading
from itertools import repeat

import pytest

from sources.base import Complete, Extraction, Page, Slice
from sources.errors import Unreachable
from sources.lanes import GivenUp, Wanted, side_by_side, while_wanted

SLICES = tuple(Slice(index, 4) for index in range(4))


def endless(closed: list[str]) -> Extraction:
    try:
        for number in repeat(1):
            yield Page(number, [{}])
    finally:
        closed.append("closed")
    return Complete("never")


def test_each_slice_comes_with_what_was_made_of_it() -> None:
    made = dict(side_by_side(SLICES, lambda each, _: each.index * 10, 2))

    assert made == {each: each.index * 10 for each in SLICES}


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_no_more_slices_are_read_at_once_than_allowed(at_once: int) -> None:
    reading, most = 0, 0
    lock, met = threading.Lock(), threading.Barrier(at_once, timeout=10)

    def read(_: Slice, __: Wanted) -> None:
        nonlocal reading, most
        with lock:
            reading += 1
            most = max(most, reading)
        met.wait()  # until as many as allowed are here: that many do read side by side
        with lock:
            reading -= 1

    assert len(list(side_by_side(SLICES, read, at_once))) == 4
    assert most == at_once


def test_what_a_slice_raises_is_raised_and_the_others_are_given_up() -> None:
    closed: list[str] = []
    begun = threading.Barrier(4, timeout=10)

    def read(each: Slice, wanted: Wanted) -> None:
        pages = while_wanted(endless(closed), wanted)
        next(pages)
        begun.wait()
        if each.index == 1:
            pages.close()
            raise Unreachable("gone")
        for _ in pages:
            pass

    with pytest.raises(Unreachable, match="gone"):
        list(side_by_side(SLICES, read, 4))

    assert closed == ["closed"] * 4


def test_an_iterator_that_is_closed_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    closed: list[str] = []
    begun = threading.Barrier(4, timeout=10)

    def read(each: Slice, wanted: Wanted) -> None:
        pages = while_wanted(endless(closed), wanted)
        next(pages)
        begun.wait()
        for _ in pages if each.index else ():
            pass

    made = side_by_side(SLICES, read, 4)
    assert next(made) == (SLICES[0], None)
    made.close()

    assert threading.active_count() == before
    assert closed == ["closed"] * 4


def test_slices_that_have_not_begun_are_not_begun_after_a_failure() -> None:
    begun: list[int] = []

    def read(each: Slice, _: Wanted) -> None:
        begun.append(each.index)
        raise Unreachable("gone")

    with pytest.raises(Unreachable):
        list(side_by_side(SLICES, read, 1))

    assert len(begun) < 4


def test_a_slice_is_read_in_the_context_of_its_run() -> None:
    run = contextvars.ContextVar("run", default="")
    run.set("acme")

    made = side_by_side(SLICES, lambda *_: run.get(), 2)

    assert {word for _, word in made} == {"acme"}


def test_somebody_is_told_while_slices_are_awaited() -> None:
    told = threading.Event()

    def read(_: Slice, __: Wanted) -> bool:
        return told.wait(timeout=10)

    assert all(heard for _, heard in side_by_side(SLICES, read, 4, told.set))


def test_pages_that_are_waited_for_come_with_their_outcome() -> None:
    def pages() -> Extraction:
        yield Page(1, [{"a": 1}])
        return Complete("one row")

    outcomes: list[object] = []

    def through() -> Extraction:
        outcomes.append((yield from while_wanted(pages(), lambda: True)))
        return outcomes[0]  # type: ignore[return-value] # the outcome

    assert [page.records for page in through()] == [[{"a": 1}]]
    assert outcomes == [Complete("one row")]


def test_a_page_that_nobody_waits_for_is_not_read() -> None:
    closed: list[str] = []
    extraction = while_wanted(endless(closed), iter([True, False]).__next__)
    next(extraction)

    with pytest.raises(GivenUp):
        next(extraction)

    assert closed == ["closed"]
