"""What iTop is asked, and which words of a job are no query."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from sources.itop_dataset import ItopDataset
from sources.itop_ids import Bounds
from sources.itop_moments import changed_within
from sources.itop_oql import selected_class

PARIS = ZoneInfo("Europe/Paris")


def table(**words: Any) -> ItopDataset:
    return ItopDataset.model_validate({"class": "Server", **words})


def test_a_class_is_asked_for_by_windows_of_ids() -> None:
    selection = table().selection()

    assert selection.all() == "SELECT Server"
    assert selection.all(low=7) == "SELECT Server WHERE id > 7"
    assert selection.part([101, 105, 200]) == "SELECT Server WHERE id > 100 AND id <= 200"
    assert selection.among([101, 105]) == "SELECT Server WHERE id IN (101, 105)"


def test_a_condition_stands_in_brackets_of_its_own() -> None:
    selection = table(where=" status = 'a' OR cpu = 'b' ").selection()

    assert selection.part([1, 9]) == (
        "SELECT Server WHERE (status = 'a' OR cpu = 'b') AND id > 0 AND id <= 9"
    )


def test_a_query_is_run_once_and_its_objects_are_read_by_id() -> None:
    query = "SELECT s FROM Server AS s JOIN Location AS l ON s.location_id = l.id"
    selection = table(oql=query).selection()

    assert selection.all() == query
    assert selection.part([3, 8]) == "SELECT Server WHERE id IN (3, 8)"


@pytest.mark.parametrize(
    "where",
    [
        "status = 'a') OR (1",
        "(status = 'a'",
        "status = 'a",
        'name = "a',
        "id = 1) UNION SELECT Person WHERE (1",
    ],
)
def test_a_condition_that_would_run_out_of_its_brackets_is_refused(where: str) -> None:
    with pytest.raises(ValidationError, match="do not close"):
        table(where=where)


@pytest.mark.parametrize("where", [r"name = 'O\'Reilly (Labs'", 'name LIKE "it\'s)"', "(a = (1))"])
def test_what_stands_in_quotes_closes_nothing(where: str) -> None:
    assert table(where=where).where == where


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("SELECT Server", "Server"),
        ("select Server AS s where s.id > 1", "Server"),
        ("SELECT s FROM Server AS s JOIN Location AS l ON s.location_id = l.id", "Server"),
        ("SELECT l, s FROM Server AS s JOIN Location AS l ON s.location_id = l.id", "Location"),
        ("SELECT Server WHERE name = 'a UNION b'", "Server"),
        ("SELECT Server UNION SELECT VirtualMachine", None),
    ],
)
def test_the_class_of_a_query_is_read_from_it(query: str, selected: str | None) -> None:
    assert selected_class(query) == selected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"oql": "SELECT Location"}, "`oql` selects Location, `class` is Server"),
        ({"oql": "status = 'a'"}, "begins with SELECT"),
        ({"oql": "SELECT Server", "where": "id > 1"}, "write the condition in it"),
        ({"oql": "SELECT Server", "cursor_field": "last_update"}, "takes no window"),
        ({"fields": ["*", "name"]}, "the star alone"),
        ({"class": "Server WHERE 1"}, "should match pattern"),
        ({"page_size": 0}, "greater than or equal to 1"),
    ],
)
def test_a_dataset_that_contradicts_itself_is_refused(words: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        table(**words)


def test_a_window_is_written_in_the_local_time_of_itop() -> None:
    since, until = datetime(2026, 1, 5, 23, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)

    assert changed_within("last_update", since, until, PARIS) == (
        "last_update >= '2026-01-06 00:00:00'",
        "last_update < '2026-07-01 02:00:00'",
    )


def test_a_window_is_never_narrower_than_asked_when_a_clock_is_set_back() -> None:
    # At 01:00 UTC on 25 October 2026, 03:00 becomes 02:00 in Paris: 02:30 comes twice.
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001
    second = second.replace(tzinfo=UTC)

    (since,) = changed_within("last_update", first, None, PARIS)
    (until,) = changed_within("last_update", None, second, PARIS)

    # What changed at the second 02:00 is after `first`; what changed at the first 02:59 is before
    # `second`.
    assert since <= "last_update >= '2026-10-25 02:00:00'"
    assert until > "last_update < '2026-10-25 02:59:59'"


def test_a_window_between_two_seconds_holds_the_stamps_of_both() -> None:
    moment = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)

    assert changed_within("d", moment, None, PARIS) == ("d >= '2026-01-01 13:00:00'",)
    assert changed_within("d", None, moment, PARIS) == ("d < '2026-01-01 13:00:01'",)


def test_bounds_without_end_are_halved_until_everything_is_below() -> None:
    bounds = Bounds()
    cuts: list[int] = []
    while (halves := bounds.halves()) is not None:
        cuts.append(halves[0].high or 0)
        assert halves[0].high == halves[1].low
        bounds = halves[1]

    assert cuts[:3] == [65_536, 131_072, 262_144]
    assert cuts[-1] >= 2**61


def test_bounds_with_an_end_are_halved_down_to_one_id() -> None:
    bounds = Bounds(0, 1_000)
    while (halves := bounds.halves()) is not None:
        bounds = halves[1]

    assert bounds == Bounds(999, 1_000)
