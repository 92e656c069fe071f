"""Reading lists of entities back: cases 88 to 91 of `specs/canopsis.md` §10."""

import orjson
import pytest

from tests.sandbox.canopsis_cases import Caller, answered, c, condition


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FOO", ["Foo-1", "foo/bar"]),
        ("oo.1", ["Foo-1"]),
        ("/bar", ["foo/bar"]),
        ("RESOURCE", ["foo/bar"]),
        ("linux", []),
        ("absent", []),
    ],
)
def test_case_088_a_text_is_searched_in_id_name_and_type(
    park: Caller, text: str, found: list[str]
) -> None:
    assert park.ids(search=text) == found


def test_case_088_other_fields_are_searched_when_asked(park: Caller) -> None:
    assert park.ids(search="s2", **{"active_columns[]": "import_source"}) == ["S", "other"]


def test_case_088_types_and_category_narrow_the_list(park: Caller) -> None:
    category = park.entity("Foo-1")["category"]["_id"]

    assert park.ids(**{"type[]": "component"}) == ["Foo-1", "bar", "other"]
    assert park.ids(**{"type[]": ["resource", "service"]}) == ["S", "foo/bar"]
    assert park.ids(category=category) == ["Foo-1"]
    assert park.ids(search="foo", **{"type[]": "component"}) == ["Foo-1"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('name LIKE "foo"', ["foo/bar"]),
        ('name LIKE "^[Ff]oo"', ["Foo-1", "foo/bar"]),
        ('name NOT LIKE "oo"', ["S", "bar", "other"]),
        ('name = "bar"', ["bar"]),
        ('name != "bar" AND type = "component"', ["Foo-1", "other"]),
        ('NOT name = "bar" AND type = "component"', ["Foo-1", "other"]),
        ('name = "bar" OR name = "foo"', ["bar", "foo/bar"]),
        ('name = "S" OR type = "component" AND infos.os.value = "linux"', ["Foo-1", "S", "other"]),
        ('infos.os.value = "linux"', ["Foo-1", "other"]),
        ("infos.cores.value >= 4", ["other"]),
        ("infos.cores.value > 4", []),
        ("enabled = TRUE", ["Foo-1", "S", "bar", "foo/bar", "other"]),
        ("enabled = FALSE", []),
        ('name CONTAINS "bar" "other"', ["bar", "other"]),
    ],
)
def test_case_088_an_expression_is_searched_on_any_stored_field(
    park: Caller, expression: str, found: list[str]
) -> None:
    assert park.ids(search=expression) == found


def test_case_089_entities_are_found_by_their_import_source(park: Caller) -> None:
    assert park.ids(search='import_source = "s1"') == ["Foo-1", "bar", "foo/bar"]
    assert park.ids(search='import_source = "s2"') == ["S", "other"]
    assert park.ids(search='import_source = "none"') == []


def test_case_089_stale_entities_are_found_by_the_time_of_their_import(park: Caller) -> None:
    park.given(c("bar"))
    last = park.entity("bar")["imported"]

    stale = f'import_source = "s1" AND imported < {last}'

    assert park.ids(search=stale) == ["Foo-1", "foo/bar"]
    assert park.ids(search=f'{stale} AND type = "component"') == ["Foo-1"]
    assert park.ids(search=f'import_source = "s1" AND imported >= {last}') == ["bar"]


def test_case_089_what_is_deleted_is_not_found(park: Caller) -> None:
    park.given(c("bar", "delete"))

    assert park.ids(search='import_source = "s1"') == ["Foo-1"]


def test_case_090_a_page_tells_where_it_stands(park: Caller) -> None:
    second = park.page(limit=2, page=2)
    third = park.page(limit=2, page=3)
    beyond = park.page(limit=2, page=4)

    assert [entity["_id"] for entity in second["data"]] == ["bar", "foo/bar"]
    assert second["meta"] == {"page": 2, "per_page": 2, "page_count": 3, "total_count": 5}
    assert [entity["_id"] for entity in third["data"]] == ["other"]
    assert beyond["data"] == []
    assert beyond["meta"]["total_count"] == 5


def test_case_090_a_page_has_ten_entities_unless_asked(canopsis: Caller) -> None:
    canopsis.given(*(c(f"srv{rank:02}") for rank in range(12)))

    page = canopsis.page()
    assert [entity["_id"] for entity in page["data"]] == [f"srv{rank:02}" for rank in range(10)]
    assert page["meta"] == {"page": 1, "per_page": 10, "page_count": 2, "total_count": 12}


def test_case_090_entities_are_sorted_as_asked(park: Caller) -> None:
    assert park.ids(sort="desc", sort_by="_id") == ["other", "foo/bar", "bar", "S", "Foo-1"]
    assert park.ids(sort="asc", sort_by="type") == ["Foo-1", "bar", "other", "foo/bar", "S"]


def test_case_090_without_paging_everything_is_one_page(park: Caller) -> None:
    page = park.page(paginate="false")

    assert len(page["data"]) == 5
    assert page["meta"]["per_page"] == 5
    assert page["meta"]["total_count"] == 5
    assert page["meta"]["page_count"] == 1


def test_case_090_an_empty_list_still_has_one_page(canopsis: Caller) -> None:
    page = canopsis.page()

    assert page["data"] == []
    assert (page["meta"]["page_count"], page["meta"]["total_count"]) == (1, 0)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("limit", "Limit should be greater than 0."),
        ("page", "Page should be greater than 0."),
    ],
)
def test_case_090_a_page_of_nothing_is_refused(canopsis: Caller, field: str, words: str) -> None:
    answer = canopsis.get("entities", **{field: 0})

    assert answered(answer) == (400, {"errors": {field: words}})


def test_case_091_the_list_takes_a_pattern(park: Caller) -> None:
    linux = [[condition("infos.os", "eq", "linux", "string")]]
    typed = [[condition("name", "begin_with", "f")], [condition("type", "eq", "service")]]

    assert park.ids(entity_pattern=orjson.dumps(linux).decode()) == ["Foo-1", "other"]
    assert park.ids(entity_pattern=orjson.dumps(typed).decode()) == ["S", "foo/bar"]


@pytest.mark.parametrize("pattern", ["not json", "[[]]", '{"field":"name"}'])
def test_case_091_an_invalid_pattern_is_refused(canopsis: Caller, pattern: str) -> None:
    answer = canopsis.get("entities", entity_pattern=pattern)

    assert answered(answer) == (
        400,
        {"errors": {"entity_pattern": "EntityPattern is invalid."}},
    )


def test_case_091_an_unknown_filter_is_refused(canopsis: Caller) -> None:
    answer = canopsis.get("entities", **{"filters[]": "absent"})

    assert answered(answer) == (400, {"errors": {"filters.0": "Filter doesn't exist."}})
