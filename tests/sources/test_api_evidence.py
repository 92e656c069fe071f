"""What proves that every row came, and what speaks against it."""

from typing import Any

import pytest

from sources.base import Complete, Partial
from sources.evidence import Evidence
from sources.ranks import Ranks, cut

END = Complete("page 3 is empty")


def pages(*keys: str, total: int | None = None, primary_key: tuple[str, ...] = ("id",)) -> Evidence:
    """Evidence after pages whose rows have these one-letter keys."""
    evidence = Evidence(primary_key, "total" if total is not None else "")
    for page in keys:
        evidence.add([{"id": key} for key in page])
        evidence.note_total(total)
    return evidence


def test_an_end_alone_is_a_proof_when_nothing_speaks_against_it() -> None:
    assert pages("abc", "de", primary_key=()).outcome(END) == Complete("5 records, page 3 is empty")


def test_every_fact_is_told() -> None:
    assert pages("abc", "de", total=5).outcome(END) == Complete(
        "5 records, page 3 is empty, every id once, total says 5"
    )


@pytest.mark.parametrize("total", [4, 6, 0])
def test_a_total_that_disagrees_is_partial(total: int) -> None:
    assert pages("abc", "de", total=total).outcome(END) == Partial(
        f"total says {total}, 5 records were received"
    )


def test_a_total_that_moves_is_partial() -> None:
    evidence = pages("abc", "de", total=5)
    evidence.note_total(6)
    evidence.add([{"id": "f"}])

    assert evidence.outcome(END) == Partial("total went from 5 to 6 while rows were read")


def test_a_total_that_never_comes_is_partial_unless_there_is_nothing() -> None:
    evidence = Evidence((), "X-Total-Count")
    assert evidence.outcome(END) == Complete("0 records, page 3 is empty")

    evidence.add([{"id": "a"}])
    assert evidence.outcome(END) == Partial("X-Total-Count gives no number")


def test_a_key_that_comes_again_on_a_later_page_is_partial() -> None:
    assert pages("abc", "cd").outcome(END) == Partial(
        "1 records came again on a later page (same id): rows moved while they were read, "
        "or their order is not stable"
    )


def test_a_key_twice_on_a_page_counts_once() -> None:
    assert pages("aab").outcome(END) == Complete(
        "3 records, page 3 is empty, 1 repeat their id on the same page"
    )
    assert isinstance(pages("aab", total=2).outcome(END), Complete)
    assert pages("aab", total=3).outcome(END) == Partial(
        "total says 3, 2 records were received (1 more repeat their id)"
    )


def test_a_page_whose_rows_all_came_before_is_not_counted() -> None:
    evidence = pages("abc", "de")

    assert not evidence.add([{"id": "c"}, {"id": "a"}])
    assert evidence.received == 5


def test_without_a_key_a_page_is_known_by_its_first_and_last_row() -> None:
    evidence = pages("abc", "de", primary_key=())

    assert not evidence.add([{"id": "a"}, {"id": "x"}, {"id": "c"}])
    assert evidence.add([{"id": "a"}, {"id": "c"}])


def test_rows_without_their_key_are_received_all_the_same() -> None:
    evidence = Evidence(("id",), "total")
    evidence.note_total(4)

    evidence.add([{"id": "a"}, {"id": None}, {}, "odd"])

    assert isinstance(evidence.outcome(END), Complete)


@pytest.mark.parametrize(
    ("primary_key", "one", "other"),
    [
        (("ref.id",), {"ref": {"id": 1}}, {"ref": {"id": 2}}),
        (("a", "b"), {"a": 1, "b": 2}, {"a": 2, "b": 1}),
        (("a",), {"a": {"value": "x", "link": "y"}}, {"a": {"value": "z", "link": "y"}}),
    ],
    ids=["dotted", "composed", "object"],
)
def test_keys_may_be_dotted_composed_or_objects(
    primary_key: tuple[str, ...], one: dict[str, Any], other: dict[str, Any]
) -> None:
    evidence = Evidence(primary_key)

    assert evidence.add([one])
    assert evidence.add([other])
    assert not evidence.add([dict(one)])


@pytest.mark.parametrize("primary_key", [(), ("id",)])
def test_the_last_row_asked_again_must_come_first(primary_key: tuple[str, ...]) -> None:
    evidence = pages("abc", primary_key=primary_key)

    assert evidence.follows([{"id": "c"}, {"id": "d"}], 2)
    assert isinstance(evidence.outcome(END), Complete)
    assert not evidence.follows([{"id": "d"}], 2)
    assert isinstance(evidence.outcome(END), Partial)


def test_the_last_row_that_is_gone_has_moved() -> None:
    evidence = pages("abc")

    assert not evidence.follows([], 2)
    assert isinstance(evidence.outcome(END), Partial)


def test_the_order_of_a_record_s_keys_does_not_matter() -> None:
    evidence = Evidence(())
    evidence.add([{"a": 1, "b": {"c": 2, "d": 3}}])

    assert evidence.follows([{"b": {"d": 3, "c": 2}, "a": 1}], 2)


def test_what_the_paginator_calls_partial_stays_so() -> None:
    assert pages("abc", total=3).outcome(Partial("no")) == Partial("no")


def test_a_slice_expects_its_share_of_the_total_and_tells_its_seam() -> None:
    evidence = Evidence(("id",), "total", Ranks(low=2, high=4))
    evidence.note_total(10)

    assert evidence.follows([{"id": "b"}, {"id": "c"}, {"id": "d"}], 1)
    evidence.add([{"id": "c"}, {"id": "d"}])

    assert evidence.agreed
    assert evidence.room == 0
    outcome = evidence.outcome(Complete("the slice ends here"))
    assert isinstance(outcome, Complete)
    assert outcome.seam == ("['b']", "['d']")


def test_a_slice_that_lacks_some_of_its_share_is_partial() -> None:
    evidence = Evidence(("id",), "total", Ranks(low=2))
    evidence.note_total(10)
    evidence.add([{"id": "c"}])

    assert evidence.room is None
    assert evidence.outcome(Complete("page 2 is empty")) == Partial(
        "total says 10, 8 of them in this slice, 1 records were received"
    )


@pytest.mark.parametrize(
    ("total", "most", "page", "shares"),
    [(0, 4, 10, [0]), (9, 4, 10, [9]), (25, 4, 10, [12, 13]), (100, 3, 10, [33, 33, 34])],
)
def test_ranks_are_cut_evenly_and_never_below_a_page(
    total: int, most: int, page: int, shares: list[int]
) -> None:
    parts = cut(total, most, page)

    assert [(part.index, part.of) for part in parts] == [
        (rank, len(shares)) for rank in range(len(shares))
    ]
    assert [Ranks.of(part).share(total) for part in parts] == shares
    assert Ranks.of(parts[-1]).high is None
