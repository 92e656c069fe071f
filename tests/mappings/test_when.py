"""`when`: the records that a block is for, in the words of patterns."""

from typing import Any

import pytest

from mappings.errors import MappingErrors, Problem
from mappings.loading import load_mapping
from mappings.mapper import Mapper

Record = dict[str, Any]


def block(when: object, **more: Any) -> dict[str, Any]:
    return {"dataset": "servers", "when": when, "component": {"name": "name"}, **more}


def mapper(*blocks: dict[str, Any]) -> Mapper:
    return load_mapping({"entities": list(blocks)})


def passes(when: object, record: Record) -> bool:
    mapped = mapper(block(when)).map_page("servers", [{"name": "n", **record}], 1)
    assert mapped.rejects == []
    return len(mapped.entities) == 1


def problems(when: object) -> list[Problem]:
    with pytest.raises(MappingErrors) as caught:
        mapper(block(when))
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("cond", "value", "yes", "no"),
    [
        ("eq", "prod", ["prod"], ["Prod", "", None, ["prod"], {}, 1]),
        ("eq", 1, [1, "1", 1.0], [2, None, True]),
        ("eq", True, [True, "true"], [False, 1]),
        ("eq", "", [""], [None, "a"]),
        ("is_one_of", ["a", "b"], ["a", "b"], ["c", None, ["a"]]),
        ("contain", "b", ["abc"], ["ac", None, ["b"]]),
        ("begin_with", "a", ["abc"], ["ba", None]),
        ("end_with", "c", ["abc"], ["cb", None]),
        ("regexp", "^a[0-9]+$", ["a12"], ["a", None, ["a1"]]),
        ("regexp", "^(?!x)", ["a", ""], ["xa", None]),
        ("exist", True, ["a", 0, False, ["x"]], [None, "", [], {}]),
        ("exist", False, [None, "", [], {}], ["a", 0]),
        ("gt", 2, [3, "3", 2.5], [2, "2", None, "x", True, []]),
        ("lt", "2.5", [2, "-1"], [3, None, "x"]),
        ("has_one_of", ["a", "b"], [["a", "x"], "b"], [["x"], None, []]),
        ("has_every", ["a", "b"], [["b", "a", "x"]], [["a"], None, "a"]),
        ("is_empty", True, [[], None], [["a"], "a"]),
    ],
    ids=str,
)
def test_a_condition_holds_for_some_values_and_not_for_others(
    cond: str, value: object, yes: list[Any], no: list[Any]
) -> None:
    when = {"field": "a.b", "cond": cond, "value": value}

    assert [each for each in yes if not passes(when, {"a": {"b": each}})] == []
    assert [each for each in no if passes(when, {"a": {"b": each}})] == []


@pytest.mark.parametrize(
    ("negative", "positive", "value"),
    [
        ("neq", "eq", "a"),
        ("is_not_one_of", "is_one_of", ["a"]),
        ("not_contain", "contain", "a"),
        ("not_begin_with", "begin_with", "a"),
        ("not_end_with", "end_with", "a"),
        ("has_not", "has_one_of", ["a"]),
    ],
)
@pytest.mark.parametrize("found", ["a", "b", "", None, ["a"], {}, 3], ids=repr)
def test_a_negative_condition_is_the_exact_opposite(
    negative: str, positive: str, value: object, found: object
) -> None:
    rule = {"field": "a", "value": value}

    assert passes({**rule, "cond": negative}, {"a": found}) is not passes(
        {**rule, "cond": positive}, {"a": found}
    )


A, B = ({"field": key, "cond": "eq", "value": 1} for key in "ab")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ([A, B], {(1, 1)}),
        ({"all": [A, B]}, {(1, 1)}),
        ({"any": [A, B]}, {(1, 1), (1, 0), (0, 1)}),
        ({"not": A}, {(0, 1), (0, 0)}),
        ({"not": [A, B]}, {(1, 0), (0, 1), (0, 0)}),
        ({"not": {"any": [A, B]}}, {(0, 0)}),
        ({"any": [{"all": [A, B]}, {"not": {"any": [A, B]}}]}, {(1, 1), (0, 0)}),
    ],
    ids=range(7),
)
def test_conditions_are_joined_by_all_any_and_not(
    when: object, expected: set[tuple[int, int]]
) -> None:
    every = [(a, b) for a in (0, 1) for b in (0, 1)]

    assert {(a, b) for a, b in every if passes(when, {"a": a, "b": b})} == expected


def test_a_filtered_record_is_counted_and_is_no_reject() -> None:
    made = mapper(block(A, resource={"name": {"set": "disk"}, "component": "name"}))
    records = [{"name": f"n{a}", "a": a} for a in (0, 1, 2)]

    mapped = made.map_page("servers", records, 1)

    tally = made.report().datasets["servers"]
    assert mapped.entities.ids == ["n1", "disk/n1"]
    assert (tally.records, tally.filtered, tally.rejects) == (3, 2, 0)
    assert tally.unmapped == ()
    assert made.fields("servers") == {"name", "a"}


def test_a_filter_that_keeps_nothing_is_reported() -> None:
    made = mapper(block({"field": "status", "cond": "eq", "value": "Production"}))

    made.map_page("servers", [{"name": "n", "status": "production"}], 1)

    assert made.report().datasets["servers"].silent == ("component.when",)


def test_two_blocks_may_share_a_dataset_by_their_filters() -> None:
    named = {"component": {"name": "name", "category": {"set": "Other"}}}
    made = mapper(block(A), block({"not": A}, **named))

    mapped = made.map_page("servers", [{"name": "x", "a": 1}, {"name": "y"}], 1)

    assert mapped.entities.ids == ["x", "y"]
    assert mapped.entities.categories == ["", "Other"]
    assert made.report().datasets["servers"].filtered == 2
    with pytest.raises(MappingErrors, match="1 problem"):
        mapper(block(A), block(A))
    with pytest.raises(MappingErrors, match="1 problem"):
        mapper(block(A), block(None))


def test_a_filter_on_items_leaves_items_out() -> None:
    when = [{"field": "kind", "cond": "eq", "value": "eth"}, {**A, "field": "$parent.a"}]
    rule = {"name": "name", "component": "$parent.name"}
    made = mapper({"dataset": "servers", "each": "itfs", "when": when, "resource": rule})
    items = [{"name": "e", "kind": "eth"}, {"name": "l", "kind": "lo"}]

    mapped = made.map_page(
        "servers", [{"name": "x", "a": 1, "itfs": items}, {"name": "y", "itfs": items}], 1
    )

    assert mapped.entities.ids == ["e/x"]
    assert made.report().datasets["servers"].filtered == 3


def test_an_entity_that_json_cannot_hold_is_told_of_its_own_record() -> None:
    made = mapper(block(A, component={"name": "name", "infos": {"x": "x"}}))
    records = [{"name": "n0"}, {"name": "n1", "a": 1, "x": 2**70}, {"name": "n2", "a": 1}]

    mapped = made.map_page("servers", records, 1)

    assert mapped.entities.ids == ["n2"]
    assert [(each.number, each.id) for each in mapped.rejects] == [(2, "n1")]


def test_a_text_on_which_an_expression_takes_too_long_is_a_reject() -> None:
    when = {"field": "a", "cond": "regexp", "value": r"(?=a)(a+)+$"}
    made = mapper(block(when))

    text = "ax" * 500 + "a" * 5_000 + "x" * 1_000_000
    (reject,) = made.map_page("servers", [{"name": "n", "a": text}], 1).rejects

    assert (reject.rule, reject.id) == ("component.when", "")


@pytest.mark.parametrize(
    ("when", "path", "what", "mend"),
    [
        ({**A, "cond": "equal"}, ("cond",), "unknown condition 'equal'", "conditions: "),
        ({**A, "cond": "is_oneof"}, ("cond",), "unknown condition", "did you mean 'is_one_of'?"),
        ([A, {**A, "field": "a..b"}], (1, "field"), "path 'a..b' has an empty step", "write"),
        ({"any": [{**A, "cond": "x"}]}, ("any", 0, "cond"), "unknown condition 'x'", ""),
        ({**A, "cond": "gt", "value": "high"}, ("value",), "gt cannot take 'high'", ""),
        ({**A, "cond": "regexp", "value": "a("}, ("value",), "regexp cannot take", ""),
        ({**A, "cond": "exist"}, ("value",), "exist cannot take 1: 1 is neither", ""),
        ({"field": "a", "value": 1}, (), "a condition has field, cond and value", ""),
        ({**A, "all": [B]}, (), "a condition, all, any and not exclude each other", ""),
        ({}, (), "no condition: write field, cond and value, or all, any, not", ""),
        ({**A, "fild": "b"}, ("fild",), "unknown key 'fild'", "did you mean 'field'?"),
        ({"not": [{"anny": [A]}]}, ("not", 0, "anny"), "unknown key", "did you mean 'any'?"),
    ],
    ids=str,
)
def test_a_wrong_condition_is_told_where_it_stands(
    when: object, path: tuple[Any, ...], what: str, mend: str
) -> None:
    problem = problems(when)[0]

    assert problem.path == ("mapping", "entities", 0, "when", *path)
    assert problem.what.startswith(what)
    assert problem.mend.startswith(mend)
