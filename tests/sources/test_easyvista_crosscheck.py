"""CIs that /assets leaves out, because it joins location and department, are looked for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sources.base import Complete, Partial, Scope
from tests.sources.easyvista_rig import Rig, fields, rows, served

ASSETS = {"resource": "assets"}
TAG = fields("ASSET_TAG", "LOCATION.LOCATION_PATH")
# Without location or department, and flagged as CI.
LACKING = {
    str(row["ASSET_ID"])
    for row in rows()["AM_ASSET"]
    if row["IS_CI"] and (row["LOCATION_ID"] is None or row["DEPARTMENT_ID"] is None)
}


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold(inner_joins=True)
    return one


def test_b25_cis_that_the_list_leaves_out_make_the_reading_partial(rig: Rig) -> None:
    read = rig.read(ASSETS, TAG)

    assert len(read.records) == 240  # as its own total says
    assert isinstance(read.outcome, Partial)
    assert f"{len(LACKING)} CIs of /configuration-items are not in /assets" in read.told
    assert "`crosscheck: fetch`" in read.told


def test_they_are_fetched_one_by_one_with_what_was_asked_for(rig: Rig) -> None:
    read = rig.read(ASSETS | {"crosscheck": "fetch"}, TAG)

    fetched = [row for row in read.records if str(row["ASSET_ID"]) in LACKING]
    assert {str(row["ASSET_ID"]) for row in fetched} == LACKING
    assert all(row["ASSET_TAG"] for row in fetched)
    assert {frozenset(row) for row in fetched} == {frozenset({"ASSET_ID", "ASSET_TAG"})}
    assert isinstance(read.outcome, Complete)
    assert f"{len(LACKING)} of {len(LACKING)} CIs that /assets leaves out were fetched" in read.told


def test_pages_count_on_through_what_is_fetched(rig: Rig) -> None:
    read = rig.read(ASSETS | {"crosscheck": "fetch", "page_size": 100}, TAG)

    rank = 1
    for page in read.pages:
        assert page.first == rank
        rank += len(page.records)


def test_one_that_goes_while_it_is_fetched_is_told(rig: Rig) -> None:
    gone = min(LACKING)
    # The keys of both lists have been compared by then.
    fault = {"kind": "rows", "on": "assets/*", "remove_keys": [gone]}
    rig.state.turn({"faults": [fault]})

    read = rig.read(ASSETS | {"crosscheck": "fetch"}, TAG, max_concurrency=1)

    assert read.complete
    count = len(LACKING)
    assert f"{count} of {count} CIs" in read.told or "1 of them went meanwhile" in read.told


def test_who_may_not_list_cis_is_told_so(rig: Rig) -> None:
    rig.state.turn({"users": {"api": {"denied": ["configuration-items"]}}})

    read = rig.read(ASSETS, TAG)
    without = rig.read(ASSETS | {"crosscheck": "none"}, TAG)

    assert isinstance(read.outcome, Partial)
    assert "cannot be looked for" in read.told
    assert "`crosscheck: none`" in read.told
    assert without.complete


def test_conditions_hold_on_both_sides(rig: Rig) -> None:
    table = ASSETS | {"crosscheck": "fetch", "search": [{"field": "CI_STATUS_ID", "value": 1}]}

    read = rig.read(table, TAG)

    held = {
        str(row["ASSET_ID"])
        for row in rows()["AM_ASSET"]
        if row["IS_CI"] and row["CI_STATUS_ID"] == 1
    }
    assert {str(row["ASSET_ID"]) for row in read.records} == held
    assert read.complete


def test_conditions_on_linked_objects_are_told_not_to_be_compared(rig: Rig) -> None:
    table = ASSETS | {"search": [{"field": "DEPARTMENT.DEPARTMENT_FR", "value": "Finance"}]}

    read = rig.read(table, TAG)

    assert read.complete
    assert "not compared with /configuration-items" in read.told


def test_a_list_that_leaves_nothing_out_costs_totals_alone(rig: Rig) -> None:
    rig.state.turn({"inner_joins": False})

    read = rig.read(ASSETS, TAG)

    assert read.complete
    assert [query["max_rows"] for query in rig.queries("configuration-items")] == ["1"]


def test_the_first_slice_looks_for_all_of_them_and_a_window_for_none(rig: Rig) -> None:
    table = ASSETS | {"page_size": 50, "crosscheck": "fetch"}
    reads = [rig.read(table, replace(TAG, slice=each)) for each in rig.slices(table, 4)]
    window = rig.read(table, Scope(since=datetime(2020, 1, 1, tzinfo=UTC)))

    counts = [sum(str(row["ASSET_ID"]) in LACKING for row in read.records) for read in reads]
    assert counts == [len(LACKING), 0, 0, 0]
    assert len(window.records) == 240
