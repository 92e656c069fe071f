"""A load is over when a plan made anew has nothing to do."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from referential.converge import SHOWN, is_carried_out, left_over, told_of
from referential.feed import Feed
from referential.ledger import Ledger
from referential.plan import Plan, make_plan
from tests.referential.frames import component, found_of, known_of


def again(*, new: int = 0, gone: int = 0) -> Plan:
    found = [component("kept"), *(component(f"new{n}") for n in range(new))]
    known = [component("kept"), *(component(f"gone{n}") for n in range(gone))]
    return make_plan(
        found_of(*found),
        known_of(*known),
        feed=Feed("acme/servers", "prod"),
        mode="sync",
        missing="disable",
        complete=True,
    )


def test_an_empty_plan_converges() -> None:
    left = left_over(again(), rejected=set())

    assert (left, told_of(left)) == ((), "")


def test_what_a_reject_explains_is_left_and_not_told_again() -> None:
    left = left_over(again(new=1), rejected={"new0"})

    assert [(each.id, each.explained) for each in left] == [("new0", True)]
    assert told_of(left) == ""


def test_what_nothing_explains_is_told_with_its_ids() -> None:
    left = left_over(again(new=1, gone=1), rejected=set())

    assert told_of(left).startswith(
        "the load does not converge: 2 changes are to be made again: new0 (create), gone0 (disable)"
    )
    assert "a plan would create it" in left[0].reason


def test_removals_that_wait_are_no_failure() -> None:
    assert left_over(again(gone=3), rejected=set(), removals_wait=True) == ()


def test_of_many_the_first_are_named() -> None:
    told = told_of(left_over(again(new=SHOWN + 5), rejected=set()))

    assert "and 5 more" in told


class Recorded:
    """A ledger in which a run recorded all that it is asked about."""

    def recorded(self, _feed: Feed, _run: str, columns: Mapping[str, Sequence[Any]]) -> bool:
        return bool(columns["id"])


@pytest.mark.parametrize(("new", "gone", "shown"), [(2, 0, True), (0, 1, False), (2, 1, False)])
def test_only_of_what_is_sent_can_the_ledger_show_that_it_is_carried_out(
    new: int, gone: int, *, shown: bool
) -> None:
    plan = again(new=new, gone=gone)

    assert is_carried_out(plan, cast("Ledger", Recorded()), "run") is shown
