"""Slices read side by side are one extraction: in a stable order, bounded, closed behind it."""

import threading
from collections.abc import Callable

import pytest

from sources.base import Complete, Extraction, Outcome, Page, Partial, Reject, Slice
from sources.errors import Unreachable
from sources.lanes import side_by_side

SLICES = tuple(Slice(index, 4) for index in range(4))


def pages(pages_of: Callable[[Slice], int], rows: int = 2) -> Callable[[Slice], Extraction]:
    """Slices that give so many pages of *rows* records; each record tells its slice and page."""

    def extract(each: Slice) -> Extraction:
        for number in range(pages_of(each)):
            records = [{"slice": each.index, "page": number} for _ in range(rows)]
            yield Page(number * rows + 1, records)
        return Complete(f"{pages_of(each) * rows} rows")

    return extract


def read(extraction: Extraction) -> tuple[list[Page], Outcome]:
    seen = []
    while True:
        try:
            seen.append(next(extraction))
        except StopIteration as end:
            outcome: Outcome = end.value
            return seen, outcome


def test_pages_come_in_turn_and_are_numbered_as_they_come() -> None:
    seen, outcome = read(side_by_side(SLICES, pages(lambda each: each.index), 4))

    places = [(page.records[0]["slice"], page.records[0]["page"]) for page in seen]
    assert places == [(1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2)]
    assert [page.first for page in seen] == [1, 3, 5, 7, 9, 11]
    assert outcome == Complete("0 rows; 2 rows; 4 rows; 6 rows")


def test_rejects_are_numbered_as_they_come() -> None:
    def extract(each: Slice) -> Extraction:
        yield Page(1, [{}], (Reject("d", 2, "odd", "x"),))
        return Complete(f"{each.index}")

    seen, _ = read(side_by_side(SLICES, extract, 4))

    assert [reject.number for page in seen for reject in page.rejects] == [2, 4, 6, 8]


def test_one_slice_in_doubt_puts_the_whole_in_doubt() -> None:
    def extract(each: Slice) -> Extraction:
        yield Page(1, [{}])
        return Partial("cut") if each.index == 2 else Complete("whole")

    assert read(side_by_side(SLICES, extract, 4))[1] == Partial("cut")


def test_neighbours_whose_seams_do_not_meet_have_lost_rows() -> None:
    def outcome(seams: dict[int, tuple[str, str]]) -> Outcome:
        def extract(each: Slice) -> Extraction:
            yield Page(1, [{}])
            return Complete("whole", seam=seams[each.index])

        return read(side_by_side(SLICES, extract, 4))[1]

    meeting = {0: ("", "a"), 1: ("a", "b"), 2: ("b", "c"), 3: ("c", "d")}
    torn = {**meeting, 2: ("bb", "c")}

    assert outcome(meeting) == Complete("whole")
    torn_outcome = outcome(torn)
    assert isinstance(torn_outcome, Partial)
    assert "slice 3 does not begin where slice 2 ends" in torn_outcome.reason


def test_what_a_slice_raises_is_raised_and_the_others_are_given_up() -> None:
    closed = []

    def extract(each: Slice) -> Extraction:
        try:
            yield Page(1, [{}])
            if each.index == 1:
                raise Unreachable("gone")
            while True:
                yield Page(1, [{}])
        finally:
            closed.append(each.index)

    with pytest.raises(Unreachable, match="gone"):
        read(side_by_side(SLICES, extract, 4))

    assert sorted(closed) == [0, 1, 2, 3]


def test_an_extraction_that_is_closed_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    extraction = side_by_side(SLICES, pages(lambda _: 1_000), 4)
    next(extraction)

    extraction.close()

    assert threading.active_count() == before


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_no_more_slices_read_at_once_than_allowed(at_once: int) -> None:
    reading, most = 0, 0
    lock, met = threading.Lock(), threading.Barrier(at_once, timeout=10)

    def extract(each: Slice) -> Extraction:
        nonlocal reading, most
        for _ in range(2):
            with lock:
                reading += 1
                most = max(most, reading)
            met.wait()  # until as many as allowed are here: that many do read side by side
            with lock:
                reading -= 1
            yield Page(1, [{"slice": each.index}])
        return Complete("whole")

    seen, _ = read(side_by_side(SLICES, extract, at_once))

    assert len(seen) == 8
    assert most == at_once


def test_the_next_page_of_each_slice_is_read_while_the_others_are_used() -> None:
    asked = [threading.Event() for _ in SLICES]

    def extract(each: Slice) -> Extraction:
        yield Page(1, [{}])
        asked[each.index].set()
        yield Page(2, [{}])
        return Complete("whole")

    extraction = side_by_side(SLICES, extract, 4)
    next(extraction)

    assert asked[0].wait(timeout=10)
    extraction.close()
