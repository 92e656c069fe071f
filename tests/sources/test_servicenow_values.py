"""Cells, columns and keys of ServiceNow, without any instance."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.errors import Refused
from sources.servicenow_order import Sequel
from sources.servicenow_values import Shape, keys_of, value_of

LINK = "https://acme.service-now.com/api/now/table/cmn_location/0a1b"


def shape(*fields: str, display: str = "false", links: bool = False) -> Shape:
    return Shape.of(fields, display, links=links, where="source.datasets.feed")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", "1"),
        ("", ""),
        ({"link": LINK, "value": "0a1b"}, "0a1b"),
        ({"display_value": "HQ", "link": LINK}, "0a1b"),
        ({"display_value": "HQ", "link": LINK, "value": "0a1b"}, "0a1b"),
        ({"display_value": "Operational", "value": "1"}, "1"),
        ({"display_value": "", "value": ""}, ""),
        ({"display_value": "", "link": "", "value": ""}, ""),
        ({"display_value": "HQ", "link": ""}, "HQ"),
        ({"display_value": "HQ"}, "HQ"),
    ],
)
def test_a_cell_has_one_value_in_all_its_shapes(cell: Any, value: str) -> None:
    assert value_of(cell) == value


def test_rows_of_plain_texts_are_records_as_they_are() -> None:
    rows: list[Any] = [{"name": "a", "sys_id": "1"}]

    assert shape("name", "sys_id").records(rows) is rows
    assert rows == [{"name": "a", "sys_id": "1"}]


def test_columns_are_asked_for_once_and_in_order() -> None:
    found = shape("b.c", "a", "b.d.e", "s.value", "s.display_value", display="all")

    assert found.columns == ("a", "b.c", "b.d.e", "s")


def test_dotted_columns_are_laid_inside() -> None:
    rows: list[Any] = [
        {"name": "a", "x.y": "1", "x.z.w": "2", "x.z.v": "3"},
        {"name": "b", "x.y": "", "x.z.w": ""},
    ]

    assert shape("name", "x.y", "x.z.w", "x.z.v").records(rows) == [
        {"name": "a", "x": {"y": "1", "z": {"w": "2", "v": "3"}}},
        {"name": "b", "x": {"y": "", "z": {"w": "", "v": ""}}},
    ]


def test_pairs_keep_their_members_beside_what_is_inside() -> None:
    found = shape("at.value", "at.display_value", "at.name", "status", display="all")
    rows: list[Any] = [
        {
            "at": {"display_value": "HQ", "value": "0a"},
            "at.name": {"display_value": "HQ Paris", "value": "HQ Paris"},
            "status": {"display_value": "Operational", "value": "1"},
        }
    ]

    assert found.records(rows) == [
        {"at": {"display_value": "HQ", "value": "0a", "name": "HQ Paris"}, "status": "1"}
    ]


def test_an_empty_reference_with_links_has_nothing_inside() -> None:
    rows: list[Any] = [{"at": "", "at.name": ""}]

    assert shape("at.value", "at.name", links=True).records(rows) == [{"at": {"name": ""}}]


def test_labels_with_links_get_their_value_from_the_link() -> None:
    rows: list[Any] = [{"at": {"display_value": "HQ", "link": LINK}}, {"at": ""}]

    assert shape("at.value", display="true", links=True).records(rows) == [
        {"at": {"display_value": "HQ", "link": LINK, "value": "0a1b"}},
        {"at": ""},
    ]


def test_labels_without_links_have_no_other_value() -> None:
    with pytest.raises(Refused, match="the label alone"):
        shape("at.value", display="true")


def test_without_pairs_value_is_a_column_like_others() -> None:
    rows: list[Any] = [{"choice.value": "1"}]

    assert shape("choice.value").records(rows) == [{"choice": {"value": "1"}}]


@pytest.mark.parametrize(
    ("fields", "display"),
    [
        (("a", "a.b"), "false"),
        (("a.b", "a.b.c"), "false"),
        (("a", "a.value"), "all"),
        (("a.b", "a.b.display_value"), "all"),
    ],
)
def test_what_is_asked_whole_cannot_be_asked_inside(fields: tuple[str, ...], display: str) -> None:
    with pytest.raises(Refused, match="is asked whole, and inside by"):
        shape(*fields, display=display)


@pytest.mark.parametrize("path", ["Name", "a b", "a,b", "a..b", "é", "a.", "1a", "$key"])
def test_what_can_be_no_column_is_refused(path: str) -> None:
    with pytest.raises(Refused, match="no column can be called"):
        shape(path)


def test_columns_that_lack_are_counted() -> None:
    found = shape("a", "b", "c.d")
    found.records([{"a": "1"}, {"a": "1", "b": "2", "c.d": ""}])
    found.records([{"b": "2"}])

    assert found.absent == {"a": 1, "b": 1, "c.d": 2}
    assert found.remarks(3) == ["missing: a in 1 of 3, b in 1 of 3"]
    assert shape("a").remarks(0) == []


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        ([], []),
        ([{"sys_id": "a"}, {"sys_id": "b"}], ["a", "b"]),
        ([{"sys_id": {"display_value": "a", "value": "a"}}], ["a"]),
        ([{"sys_id": "a"}, "odd", 3, None, {"name": "b"}, []], ["a", "", "", "", "", ""]),
        ([{"sys_id": ""}, {"sys_id": None}, {"sys_id": 7}], ["", "", ""]),
    ],
)
def test_each_row_has_a_key_or_none(rows: list[Any], ids: list[str]) -> None:
    assert keys_of(rows) == ids


# Keys follow one another


GUIDS = st.lists(st.uuids().map(lambda one: one.hex), unique=True, max_size=40)


@given(GUIDS, st.integers(1, 7))
def test_guids_in_order_are_never_doubted(ids: list[str], size: int) -> None:
    sequel, ids = Sequel(), sorted(ids)

    assert not any(sequel.doubt(ids[at : at + size]) for at in range(0, len(ids), size))
    assert sequel.count == len(ids)


@given(GUIDS.filter(lambda ids: len(ids) > 1), st.data())
def test_a_guid_that_comes_again_or_late_is_always_doubted(ids: list[str], data: Any) -> None:
    ids = sorted(ids)
    place = data.draw(st.integers(1, len(ids) - 1))
    early = data.draw(st.integers(0, place - 1))
    ids.insert(place, ids[early])
    cut = data.draw(st.integers(0, len(ids)))
    sequel = Sequel()

    assert sequel.doubt(ids[:cut]) or sequel.doubt(ids[cut:])


@pytest.mark.parametrize("fold", [str, str.lower], ids=["binary", "insensitive"])
def test_other_keys_may_stand_where_a_collation_wants_them(fold: Any) -> None:
    ids = ["0" * 32, "a" * 32, "f" * 32, "ABCDEF" + "0" * 26, "global", "glide.maint", "Zz", "x_1"]
    sequel = Sequel()
    ids.sort(key=fold)

    assert not any(sequel.doubt(ids[at : at + 3]) for at in range(0, len(ids), 3))


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([["global"], ["global"]], "come again"),
        ([["global", "global"]], "come again"),
        ([["b", "a"]], "another order"),
        ([["Zoo", "apple", "Bar"]], "another order"),
        ([["0a"], ["0a", "0b"]], "come again"),
        ([["0b"], ["0a"]], "come again"),
    ],
)
def test_keys_that_do_not_follow_are_doubted(pages: list[list[str]], said: str) -> None:
    sequel = Sequel()
    *before, last = pages

    assert not any(map(sequel.doubt, before))
    assert said in sequel.doubt(last)


def test_keys_from_outside_their_range_are_doubted() -> None:
    assert "outside the range" in Sequel("40", "80").doubt(["3f" + "0" * 30])
    assert "outside the range" in Sequel("40", "80").doubt(["40" + "0" * 30, "80" + "0" * 30])
    assert not Sequel("40", "80").doubt(["40", "7f" + "f" * 30])
    assert not Sequel("", "80").doubt(["00", "global"])
    assert not Sequel().doubt([])
