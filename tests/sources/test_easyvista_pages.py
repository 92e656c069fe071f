"""Rows that come and go while an EasyVista list is read: what is followed, what is only noticed."""

from collections.abc import Iterator
from typing import Any

import pytest

from sources.base import Complete, Partial, Scope
from sources.slices import joined
from tests.sources.easyvista_rig import Read, Rig, fields, rows, served

ASSETS = {"resource": "assets", "crosscheck": "none", "page_size": 50}
TAG = fields("ASSET_TAG")
KEYS = [str(1001 + rank) for rank in range(250)]


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold()
    return one


def moving(rig: Rig, **change: Any) -> Read:
    """What is read when rows change after the second page."""
    rig.state.turn({"faults": [{"kind": "rows", "on": "assets", "at": 2} | change]})
    return rig.read(ASSETS, TAG)


def keys(read: Read) -> list[str]:
    return [str(key) for key in read.values("ASSET_ID")]


@pytest.mark.parametrize("gone", [1, 30, 48, 49, 60, 90])
def test_rows_deleted_before_the_place_that_is_read_are_made_up_for(rig: Rig, gone: int) -> None:
    read = moving(rig, remove=gone)

    assert keys(read) == KEYS
    assert read.complete
    assert f"went from 250 to {250 - gone} while rows were read" in read.told


@pytest.mark.parametrize("gone", [99, 150])
def test_rows_deleted_up_to_and_beyond_that_place_leave_none_of_the_others_out(
    rig: Rig, gone: int
) -> None:
    read = moving(rig, remove=gone)

    assert set(keys(read)) >= set(KEYS[gone:])
    assert len(set(keys(read))) == len(read.records)
    assert read.complete


def test_the_last_row_read_may_be_the_one_that_goes(rig: Rig) -> None:
    read = moving(rig, remove_keys=["1099"])

    assert keys(read) == KEYS
    assert read.complete


@pytest.mark.parametrize("come", [1, 30, 48, 60, 120])
def test_rows_inserted_before_that_place_give_nothing_twice(rig: Rig, come: int) -> None:
    new = [{"ASSET_ID": number, "ASSET_TAG": "new"} for number in range(1, come + 1)]

    read = moving(rig, add=new)

    assert set(keys(read)) >= set(KEYS)
    assert len(set(keys(read))) == len(read.records)
    assert read.complete


def test_rows_added_at_the_end_are_read(rig: Rig) -> None:
    read = moving(rig, add=[{"ASSET_ID": 5000, "ASSET_TAG": "new"}])

    assert keys(read) == [*KEYS, "5000"]
    assert read.complete


def test_a_row_deleted_ahead_is_no_doubt(rig: Rig) -> None:
    read = moving(rig, remove_keys=["1200"])

    assert keys(read) == [key for key in KEYS if key != "1200"]
    assert read.complete


def test_as_many_rows_come_as_go_and_none_is_lost(rig: Rig) -> None:
    read = moving(rig, remove=1, add=[{"ASSET_ID": 5000, "ASSET_TAG": "new"}])

    assert keys(read) == [*KEYS, "5000"]
    assert read.complete


def test_rows_that_move_in_a_list_without_order_are_partial(rig: Rig) -> None:
    rig.state.turn({"sort_ignored": True})

    read = moving(rig, remove=5)

    assert isinstance(read.outcome, Partial)
    assert "their order does not tell which were missed" in read.told


def test_a_list_without_order_that_keeps_still_is_complete(rig: Rig) -> None:
    rig.state.turn({"sort_ignored": True})

    read = rig.read(ASSETS, TAG)

    assert sorted(keys(read)) == KEYS
    assert read.complete


def test_a_list_in_another_order_at_each_call_is_never_complete_with_a_row_lost(rig: Rig) -> None:
    rig.state.turn({"sort_ignored": True, "ties": "shuffled"})

    read = rig.read(ASSETS, TAG)

    assert not read.complete or set(keys(read)) == set(KEYS)


def test_a_server_that_gives_one_row_at_once_proves_nothing(rig: Rig) -> None:
    rig.hold({"AM_ASSET": rows()["AM_ASSET"][:20]}, max_rows_cap=1)

    read = rig.read(ASSETS, TAG)

    assert keys(read) == KEYS[:20]
    assert isinstance(read.outcome, Partial)


@pytest.mark.parametrize("cap", [2, 3, 49])
def test_a_server_that_gives_a_few_rows_at_once_is_read_to_its_end(rig: Rig, cap: int) -> None:
    rig.hold({"AM_ASSET": rows()["AM_ASSET"][:20]}, max_rows_cap=cap)

    read = rig.read(ASSETS, TAG)

    assert keys(read) == KEYS[:20]
    assert read.complete


def test_a_hundred_pages_are_no_reason_to_stop(rig: Rig) -> None:
    read = rig.read(ASSETS | {"page_size": 2}, TAG)

    assert keys(read) == KEYS
    assert read.complete


def test_an_offset_that_is_ignored_while_next_is_announced_is_partial(rig: Rig) -> None:
    rig.state.turn({"offset_ignored": True})

    read = rig.read(ASSETS, TAG)

    assert read.outcome == Partial("a page brings again the records of an earlier page")


def test_a_saved_view_that_ignores_offset_is_read_at_once(rig: Rig) -> None:
    rig.state.turn({"view_offset": False})
    view = {"queryguid": "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C01}"}
    key = ["PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID"]

    read = rig.read({"internal_query": view, "key": key, "page_size": 100})
    keyless = rig.read({"internal_query": view, "page_size": 100})

    assert len(read.records) == len(keyless.records) == 300
    assert read.complete
    assert keyless.complete
    assert {query["queryguid"] for query in rig.queries("internalqueries")} == {view["queryguid"]}


def test_a_saved_view_takes_a_filter_of_its_own(rig: Rig) -> None:
    view = {
        "queryguid": "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C02}",
        "custom_filter": "AM_ASSET.LOCATION_ID = 7",
    }

    read = rig.read({"internal_query": view, "key": "ASSET_ID"})

    held = [row for row in rows()["AM_ASSET"] if row["LOCATION_ID"] == 7 and row["IS_CI"]]
    assert len(read.records) == len(held) > 0


@pytest.mark.parametrize("most", [1, 2, 3, 4, 7])
def test_slices_meet_at_their_seams(rig: Rig, most: int) -> None:
    table = ASSETS | {"page_size": 20}
    slices = rig.slices(table, most)
    reads = [rig.read(table, Scope(fields=TAG.fields, slice=each)) for each in slices]

    assert len(slices) == most
    assert [key for read in reads for key in keys(read)] == KEYS
    outcomes = [read.outcome for read in reads if read.outcome is not None]
    assert isinstance(joined(outcomes), Complete)


def test_slices_between_which_a_row_went_do_not_meet(rig: Rig) -> None:
    slices = rig.slices(ASSETS, 4)
    scopes = [Scope(fields=TAG.fields, slice=each) for each in slices]
    reads = [rig.read(ASSETS, scope) for scope in scopes[:2]]
    rig.state.store.remove("AM_ASSET", ["1001"])
    reads += [rig.read(ASSETS, scope) for scope in scopes[2:]]

    outcomes = [read.outcome for read in reads if read.outcome is not None]
    assert isinstance(joined(outcomes), Partial)


def test_a_slice_that_vanished_is_partial(rig: Rig) -> None:
    slices = rig.slices(ASSETS, 4)
    rig.state.store.remove("AM_ASSET", KEYS[100:])

    read = rig.read(ASSETS, Scope(slice=slices[-1]))

    assert isinstance(read.outcome, Partial)


def test_a_build_without_offset_is_not_cut(rig: Rig) -> None:
    rig.state.turn({"build": "2018"})

    assert [each.of for each in rig.slices(ASSETS, 4)] == [1]


def test_what_has_no_order_is_not_cut(rig: Rig) -> None:
    view = {"queryguid": "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C01}"}

    assert [each.of for each in rig.slices({"internal_query": view}, 4)] == [1]
    assert [each.of for each in rig.slices({"links": {}}, 4)] == [1]
    assert rig.calls() == 0


def test_no_more_calls_are_under_way_than_the_connection_allows(rig: Rig) -> None:
    rig.state.turn({"max_in_flight": 3, "latency": 0.002})

    read = rig.read({"links": {}}, max_concurrency=3)

    assert read.complete
    assert rig.state.at_once == 3


def test_links_come_in_the_same_order_whichever_answer_comes_first(rig: Rig) -> None:
    first = rig.read({"links": {}}, max_concurrency=8)
    again = rig.read({"links": {}}, max_concurrency=1)

    assert first.records == again.records
