"""The acceptance cases of specs/easyvista-cases.md on searches and on what changed since."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sources.base import Scope
from sources.errors import Refused
from tests.sources.easyvista_rig import Read, Rig, fields, rows, served

ASSETS = {"resource": "assets", "crosscheck": "none"}
TAG = fields("ASSET_TAG")
BULK = datetime(2026, 3, 1, 0, 15, tzinfo=UTC)  # the stamp of 120 assets
NEWEST = max(datetime.fromisoformat(row["LAST_UPDATE"]) for row in rows()["AM_ASSET"])


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold()
    return one


def searched(*conditions: dict[str, Any]) -> dict[str, Any]:
    return ASSETS | {"search": list(conditions)}


def since(moment: datetime, *names: str, until: datetime | None = None) -> Scope:
    return Scope(fields=frozenset(names), since=moment, until=until)


def keys(read: Read) -> list[str]:
    assert read.error is None
    return [str(key) for key in read.values("ASSET_ID")]


def test_e1_an_equality_is_asked_for_and_kept(rig: Rig) -> None:
    read = rig.read(searched({"field": "ASSET_TAG", "value": "T-0001"}), TAG)

    assert keys(read) == ["1001"]
    assert rig.queries("assets")[0]["search"] == 'ASSET_TAG:"T-0001"'


@pytest.mark.parametrize("like", ["pattern", "contains"])
def test_e6_and_e7_a_beginning_is_asked_for_with_its_wildcard(rig: Rig, like: str) -> None:
    rig.state.turn({"like": like})

    read = rig.read(searched({"field": "ASSET_TAG", "cond": "begin_with", "value": "T-00"}), TAG)

    assert len(read.records) == 99
    assert rig.queries("assets")[0]["search"] == 'ASSET_TAG~"T-00*"'


def test_e14_a_condition_on_an_unknown_field_would_bring_everything_and_is_refused(
    rig: Rig,
) -> None:
    read = rig.read(searched({"field": "NOPE", "value": "x"}), TAG)

    assert isinstance(read.error, Refused)
    assert read.pages == []
    assert 'drops the condition NOPE:"x": it gives 250 records with it and without it' in read.told


def test_e15_a_condition_that_is_dropped_is_kept_here_and_told(rig: Rig) -> None:
    everywhere = rig.read(ASSETS, fields("LOCATION.LOCATION_PATH")).values("LOCATION.LOCATION_PATH")
    path = next(each for each in everywhere if each and "/" in each)
    table = searched({"field": "LOCATION.LOCATION_PATH", "value": path})

    read = rig.read(table, TAG)

    assert set(read.values("LOCATION.LOCATION_PATH")) == {path}
    assert len(read.records) == everywhere.count(path)
    assert read.complete
    left_out = 250 - len(read.records)
    assert f'the server did not keep to LOCATION.LOCATION_PATH:"{path}": {left_out}' in read.told


def test_e16_a_nested_field_without_its_object_is_refused_and_shown_how_to_write(
    rig: Rig,
) -> None:
    read = rig.read(searched({"field": "DEPARTMENT_FR", "value": "Finance"}), TAG)

    assert isinstance(read.error, Refused)
    assert "DEPARTMENT.DEPARTMENT_FR" in read.told


def test_e17_a_dotted_field_is_searched(rig: Rig) -> None:
    read = rig.read(searched({"field": "DEPARTMENT.DEPARTMENT_FR", "value": "Finance"}), TAG)

    assert set(read.values("DEPARTMENT.DEPARTMENT_FR")) == {"Finance"}
    assert "did not keep" not in read.told


def test_e18_one_dropped_condition_among_others_is_noticed(rig: Rig) -> None:
    tag, nope = {"field": "ASSET_TAG", "value": "T-0001"}, {"field": "NOPE", "value": "x"}

    read = rig.read(searched(tag, nope), TAG)

    assert isinstance(read.error, Refused)
    assert "drops the condition NOPE" in read.told


def test_e20_a_value_of_the_wrong_type_is_refused_once(rig: Rig) -> None:
    read = rig.read(searched({"field": "STATUS_ID", "value": "abc"}), TAG)

    assert isinstance(read.error, Refused)
    assert "the server answers 590" in read.told
    assert "code 2013" in read.told
    assert rig.calls() == 1


def test_e3_several_values_of_a_field_are_any_of_them(rig: Rig) -> None:
    read = rig.read(searched({"field": "STATUS_ID", "cond": "is_one_of", "value": [1, 2]}), TAG)

    assert set(read.values("STATUS_ID")) == {"1", "2"}
    held = [row for row in rows()["AM_ASSET"] if row["STATUS_ID"] in {1, 2}]
    assert len(read.records) == len(held)


def test_e3_a_build_that_reads_one_value_alone_loses_none(rig: Rig) -> None:
    rig.state.turn({"build": "2018"})

    read = rig.read(searched({"field": "STATUS_ID", "cond": "is_one_of", "value": [1, 2]}), TAG)

    held = [row for row in rows()["AM_ASSET"] if row["STATUS_ID"] in {1, 2}]
    assert len(read.records) == len(held)


def test_a_condition_that_hangs_on_case_never_leaves_out_what_the_server_kept(rig: Rig) -> None:
    rig.state.turn({"collation": "insensitive"})

    read = rig.read(searched({"field": "ASSET_TAG", "value": "t-0001"}), TAG)

    assert keys(read) == ["1001"]


def test_e23_a_day_is_a_bound(rig: Rig) -> None:
    table = searched({"field": "LAST_UPDATE", "since": "2026-05-01", "until": "2026-05-02"})

    read = rig.read(table, TAG)

    held = [row for row in rows()["AM_ASSET"] if row["LAST_UPDATE"].startswith("2026-05-01")]
    assert len(read.records) == len(held)
    assert rig.queries("assets")[0]["search"] == "LAST_UPDATE:(2026-05-01;2026-05-02)"


def test_e24_a_moment_is_asked_for_with_milliseconds_and_its_offset(rig: Rig) -> None:
    read = rig.read(ASSETS, since(BULK, "ASSET_TAG"))

    assert rig.queries("assets")[0]["search"] == "LAST_UPDATE:(2026-03-01T00:15:00.000Z;)"
    stamps = [row["LAST_UPDATE"] for row in rows()["AM_ASSET"]]
    assert len(read.records) == sum(stamp >= "2026-03-01T00:15:00.000" for stamp in stamps)
    assert read.complete


def test_e25_and_e27_moments_that_are_refused_or_misread_are_never_written(rig: Rig) -> None:
    rig.read(ASSETS, since(BULK + timedelta(microseconds=500), until=BULK + timedelta(hours=1)))

    moment = r"2026-03-01T\d\d:\d\d:\d\d\.\d{3}Z"
    for query in rig.queries("assets"):
        assert re.fullmatch(rf"LAST_UPDATE:\({moment};{moment}\)", query["search"])
    for bound in ("2026-03-01T00:15:00", "2026-03-01 00:15:00.000", "20260301"):
        with pytest.raises(ValueError, match="is read in no certain way"):
            rig.read(searched({"field": "LAST_UPDATE", "since": bound}))


def test_a_window_holds_its_first_moment_and_not_its_last_one(rig: Rig) -> None:
    at = rig.read(ASSETS, since(BULK, until=BULK + timedelta(milliseconds=1)))
    before = rig.read(ASSETS, since(BULK - timedelta(milliseconds=1), until=BULK))
    within = rig.read(ASSETS, since(BULK - timedelta(seconds=1), until=BULK))

    assert len(at.records) == 120
    assert before.records == []
    assert within.complete


@pytest.mark.parametrize("end", ["included", "excluded"])
def test_a_window_is_the_same_whether_the_server_counts_its_end_in_or_not(
    rig: Rig, end: str
) -> None:
    rig.state.turn({"interval_end": end})

    read = rig.read(ASSETS, since(BULK - timedelta(days=30), until=BULK))

    stamps = [datetime.fromisoformat(row["LAST_UPDATE"]) for row in rows()["AM_ASSET"]]
    held = [stamp for stamp in stamps if BULK - timedelta(days=30) <= stamp < BULK]
    assert len(read.records) == len(held)


def test_h1_nothing_changed_brings_the_rows_of_the_boundary_alone(rig: Rig) -> None:
    read = rig.read(ASSETS, since(NEWEST))

    assert len(read.records) == 1
    assert read.complete


def test_h2_one_change_brings_its_row_and_the_boundary(rig: Rig) -> None:
    rig.state.store.update(
        "AM_ASSET", {"1007": {"LAST_UPDATE": "2026-08-30T12:00:00.000+02:00", "ASSET_TAG": "new"}}
    )

    read = rig.read(ASSETS, since(NEWEST, "ASSET_TAG"))

    assert keys(read)[1:] == ["1007"]
    assert read.values("ASSET_TAG")[1] == "new"


@pytest.mark.parametrize("page", [7, 50, 119, 120, 121, 500])
def test_h3_rows_that_share_one_stamp_are_all_read(rig: Rig, page: int) -> None:
    read = rig.read(ASSETS | {"page_size": page}, since(BULK, until=BULK + timedelta(seconds=1)))

    assert len(set(keys(read))) == len(read.records) == 120
    assert read.complete


def test_h3_a_whole_table_of_one_stamp_is_read_by_a_build_without_offset(rig: Rig) -> None:
    rig.state.turn({"build": "2018"})

    read = rig.read(ASSETS | {"page_size": 50}, since(BULK, until=BULK + timedelta(seconds=1)))

    assert len(set(keys(read))) == 120
    assert read.complete


def test_h4_a_row_changed_during_the_sweep_is_read_again_and_none_is_passed_over(
    rig: Rig,
) -> None:
    moved = {"LAST_UPDATE": "2026-08-30T12:00:00.000+02:00"}
    fault = {"kind": "rows", "on": "assets", "at": 2, "update": {"1051": moved, "1052": moved}}
    rig.state.turn({"faults": [fault]})

    read = rig.read(ASSETS | {"page_size": 50}, since(datetime(2025, 1, 1, tzinfo=UTC)))

    assert len(set(keys(read))) == 250
    assert keys(read)[-2:] == ["1051", "1052"]
    assert read.complete


def test_h5_a_row_that_was_deleted_is_lacking_in_a_whole_sweep_alone(rig: Rig) -> None:
    rig.state.store.remove("AM_ASSET", ["1100"])

    window = rig.read(ASSETS, since(NEWEST))
    sweep = rig.read(ASSETS, fields())

    assert "1100" not in keys(window)
    assert set(map(str, range(1001, 1251))) - set(keys(sweep)) == {"1100"}
    assert sweep.complete


def test_h6_a_retired_row_is_a_row_that_changed(rig: Rig) -> None:
    stamp = {"REMOVED_DATE": "2026-08-30", "LAST_UPDATE": "2026-08-30T12:00:00.000+02:00"}
    rig.state.store.update("AM_ASSET", {"1007": stamp})

    read = rig.read(ASSETS, since(NEWEST, "REMOVED_DATE"))

    assert read.values("REMOVED_DATE")[-1] == "2026-08-30"


def test_h7_a_window_that_the_server_drops_is_an_error_and_no_full_reload(rig: Rig) -> None:
    rig.state.turn({"dropped": ["LAST_UPDATE"]})

    read = rig.read(ASSETS, since(BULK))

    assert isinstance(read.error, Refused)
    assert read.pages == []
    assert "the server drops the window on LAST_UPDATE" in read.told


def test_h7_a_window_on_a_misspelt_field_is_an_error(rig: Rig) -> None:
    read = rig.read(ASSETS | {"modified": "LAST_UPDATED"}, since(BULK))

    assert isinstance(read.error, Refused)
    assert "records without LAST_UPDATED came" in read.told


def test_h8_a_window_at_the_change_of_summer_time_has_no_gap(rig: Rig) -> None:
    first, second = (
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    )

    assert keys(rig.read(ASSETS, since(first, until=second))) == ["1031"]
    assert keys(rig.read(ASSETS, since(second, until=second + timedelta(hours=1)))) == ["1032"]


def test_a_window_and_a_condition_on_its_own_field_hold_both(rig: Rig) -> None:
    # Asked for together they would be alternatives: the field is repeated.
    table = searched({"field": "LAST_UPDATE", "since": "2026-04-01"})

    read = rig.read(table, since(BULK, "LAST_UPDATE"))

    assert min(read.values("LAST_UPDATE")) >= "2026-04-01"
    assert read.complete


def test_a_window_is_refused_where_stamps_cannot_be_read(rig: Rig) -> None:
    rig.state.turn({"stamps": "locale"})

    read = rig.read(ASSETS, since(BULK))

    assert "LAST_UPDATE cannot be read" in read.told
    assert "`date_format`" in read.told


def test_a_window_is_refused_where_the_server_does_not_sort(rig: Rig) -> None:
    rig.state.turn({"sort_ignored": True})

    read = rig.read(ASSETS, since(datetime(2025, 1, 1, tzinfo=UTC)))

    assert read.error is not None
    assert "does not sort by LAST_UPDATE" in read.told


def test_a_count_is_that_of_the_window(rig: Rig) -> None:
    assert rig.count(ASSETS, since(BULK, until=BULK + timedelta(seconds=1))) == 120
