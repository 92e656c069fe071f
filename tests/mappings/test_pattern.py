"""Which entity patterns Canopsis accepts, and which it would skip in silence."""

from typing import Any

import pytest

from mappings.pattern import CONDITIONS, check_pattern


def condition(field: str, cond: str, value: Any, field_type: str | None = None) -> dict[str, Any]:
    typed = {"field_type": field_type} if field_type is not None else {}
    return {"field": field, "cond": {"type": cond, "value": value}, **typed}


GOOD = [
    condition("_id", "eq", "a"),
    condition("name", "is_one_of", ["a", "b"]),
    condition("name", "is_not_one_of", ["a"]),
    condition("type", "neq", ""),
    condition("category", "exist", False),
    condition("component", "regexp", "^a(?=b)"),
    condition("name", "not_contain", "x"),
    condition("name", "begin_with", "x"),
    condition("name", "not_begin_with", "x"),
    condition("name", "end_with", "x"),
    condition("name", "not_end_with", "x"),
    condition("impact_level", "gt", 3),
    condition("impact_level", "lt", 3.0),
    condition("infos.a", "eq", "x", "string"),
    condition("infos.a", "eq", 3, "int"),
    condition("infos.a", "eq", False, "bool"),
    condition("infos.a", "has_every", ["x"], "string_array"),
    condition("infos.a", "has_not", ["x"], "string_array"),
    condition("infos.a", "is_empty", True, "string_array"),
    condition("infos.a", "exist", True),
    condition("infos.a", "exist", True, ""),
]
BAD = [
    condition("name", "eq", 3),
    condition("name", "eq", None),
    condition("name", "is_one_of", "a"),
    condition("name", "is_one_of", []),
    condition("name", "is_one_of", ["a", 3]),
    condition("name", "contain", ""),
    condition("name", "regexp", "a("),
    condition("name", "exist", "true"),
    condition("name", "gt", 3),
    condition("name", "some", "a"),
    condition("enabled", "eq", True),
    condition("import_source", "eq", "a"),
    condition("description", "eq", "a"),
    condition("infos.", "exist", True),
    condition("impact_level", "gt", "3"),
    condition("impact_level", "gt", 3.5),
    condition("impact_level", "eq", True),
    condition("infos.a", "eq", "x"),
    condition("infos.a", "eq", "x", "int"),
    condition("infos.a", "eq", "x", "text"),
    condition("infos.a", "is_one_of", ["x"], "string_array"),
    condition("infos.a", "exist", True, "bool"),
    condition("infos.a", "eq", 1, "bool"),
    {"field": "name"},
    {"field": "name", "cond": {}},
    {"field": 3, "cond": {"type": "eq", "value": "a"}},
    "name = a",
]
FORBIDDEN = [
    condition("connector", "eq", "a"),
    condition("last_event_date", "relative_time", {"value": 1, "unit": "d"}),
    condition("last_event_date", "absolute_time", {"from": 1, "to": 2}),
    condition("component_infos.a", "eq", "x", "string"),
]


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_a_valid_condition_is_accepted(good: Any) -> None:
    assert check_pattern([[good]]) == []


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_an_invalid_condition_is_told_of(bad: Any) -> None:
    (problem,) = check_pattern([[GOOD[0], bad]])

    assert problem.startswith("group 1, condition 2: ")


@pytest.mark.parametrize("field", FORBIDDEN, ids=str)
def test_some_fields_are_good_for_searches_and_forbidden_to_services(field: Any) -> None:
    (problem,) = check_pattern([[field]])

    assert "a service's pattern cannot use" in problem
    assert check_pattern([[field]], service=False) == []


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        ([], "a pattern is a list of groups, at least one"),
        ({}, "a pattern is a list of groups, at least one"),
        (None, "a pattern is a list of groups, at least one"),
        ([[]], "group 1: a group is a list of conditions, at least one"),
        ([[GOOD[0]], {}], "group 2: a group is a list of conditions, at least one"),
    ],
    ids=str,
)
def test_groups_hold_conditions(groups: Any, problem: str) -> None:
    assert check_pattern(groups) == [problem]


def test_every_fault_of_a_pattern_is_told() -> None:
    problems = check_pattern([[GOOD[0], BAD[0]], [], [BAD[1]]])

    assert [problem.split(": ")[0] for problem in problems] == [
        "group 1, condition 2",
        "group 2",
        "group 3, condition 1",
    ]


def test_every_condition_of_the_specification_is_known() -> None:
    assert {kind: sorted(conditions) for kind, conditions in CONDITIONS.items()} == {
        "string": [
            *("begin_with", "contain", "end_with", "eq", "exist", "is_not_one_of", "is_one_of"),
            *("neq", "not_begin_with", "not_contain", "not_end_with", "regexp"),
        ],
        "int": ["eq", "gt", "lt", "neq"],
        "bool": ["eq"],
        "string_array": ["has_every", "has_not", "has_one_of", "is_empty"],
        "time": ["absolute_time", "relative_time"],
        "": ["exist"],
    }
