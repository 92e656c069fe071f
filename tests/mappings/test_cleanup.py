"""`cleanup`: what a source writes in place of nothing is null to all that reads the dataset."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.errors import MappingErrors
from mappings.loading import load_mapping
from mappings.mapper import Mapper

Record = dict[str, Any]
ALL = {"blank": True, "untranslated": True, "zero": True, "null_values": ["N/A", 7]}


def mapper(cleanup: dict[str, Any], *rules: object) -> Mapper:
    infos = {f"i{rank}": {"value": rule} for rank, rule in enumerate(rules)}
    component = {"name": {"copy": "name", "default": "n"}, "infos": infos}
    return load_mapping(
        {
            "cleanup": {"servers": cleanup},
            "entities": [{"dataset": "servers", "component": component}],
        }
    )


def values(cleanup: dict[str, Any], record: Record, *rules: object) -> list[Any]:
    made = mapper(cleanup, *rules)
    mapped = made.map_page("servers", [record], 1)
    assert mapped.rejects == []
    assert made.report().datasets["servers"].refused == ()
    (body,) = map(orjson.loads, mapped.entities.payloads)
    found = (body["infos"].get(f"i{rank}") for rank in range(len(rules)))
    return [each and each["value"] for each in found]


@pytest.mark.parametrize(
    ("cleanup", "emptied", "kept"),
    [
        ({}, [], ["", " ", "[a]", "0", 0]),
        ({"blank": True}, ["", " ", "\t\u00a0"], ["a", " a ", "0", 0, False, "[a]"]),
        (
            {"untranslated": True},
            ["[Texte]", "[]"],
            ["[a] b", "a [b]", "[a] [b]", "[", "", "[[a]]"],
        ),
        ({"zero": True}, ["0", 0, 0.0], ["", "00", "0.0", 1, False]),
        ({"null_values": ["N/A", "-", 7]}, ["N/A", "-", "7"], ["n/a", " -", "", 7, "--"]),
        (ALL, ["", " ", "[a]", "0", 0, "N/A", "7"], ["a", 1, True, 7]),
        ({"blank": False}, [], ["", " "]),
    ],
    ids=str,
)
def test_what_stands_for_nothing_is_null(
    cleanup: dict[str, Any], emptied: list[Any], kept: list[Any]
) -> None:
    assert [values(cleanup, {"a": each}, "a") for each in emptied] == [[None]] * len(emptied)
    assert [values(cleanup, {"a": each}, "a") for each in kept] == [[each] for each in kept]


def test_a_rule_for_named_fields_leaves_the_others() -> None:
    cleanup = {
        "blank": ["a"],
        "zero": ["location.id", "owner"],
        "null_values": {"b": ["-"], "location": ["?"]},
    }
    location, owner = {"id": "0", "rack": "0", "room": "?"}, {"team": {"id": "0"}}
    record = {"a": "", "b": "-", "c": "-", "d": "", "location": location, "owner": owner}
    rules = ["a", "b", "c", "d", "location.id", "location.rack", "location.room", "owner.team.id"]

    assert values(cleanup, record, *rules) == [None, None, "-", "", None, "0", None, None]


def test_arrays_lose_their_empty_items() -> None:
    assert values(ALL, {"a": ["x", "", "[t]", "N/A", "y"], "b": [""]}, "a", "b") == [["x", "y"], []]


def test_templates_see_clean_values() -> None:
    record = {"a": {"b": "", "c": "x"}, "tags": ["", "t"], "0": "0"}

    assert values(
        ALL,
        record,
        "{{ if .a.b }}{{ .a.b }}{{ else }}none{{ end }}",
        "{{ .a.b }}-{{ .a.c }}",
        "{{ .a.c }}",
        "{{ range .tags }}<{{ . }}>{{ end }}",
        {"template": "{{ .Field }}!", "field": "a.b"},
        {"regexp": ".*", "field": "a.b"},
        {"first_of": ["a.b", "{{ .a.b }}", "a.c"]},
        {"copy": "a.b", "default": "d"},
    ) == ["none", None, "x", "<t>", None, None, "x", "d"]


def test_a_name_that_stands_for_nothing_is_missing() -> None:
    made = load_mapping(
        {
            "cleanup": {"servers": {"null_values": ["UNKNOWN"]}},
            "entities": [{"dataset": "servers", "component": {"name": "name"}}],
        }
    )

    (reject,) = made.map_page("servers", [{"name": "UNKNOWN"}], 1).rejects

    assert reject.reason.startswith("component.name has no value")


def test_filters_items_lookups_and_expectations_read_clean_values() -> None:
    table = {"dataset": "sites", "key": "id", "value": "label"}
    block = {
        "dataset": "servers",
        "each": "itfs",
        "when": {"field": "kind", "cond": "exist", "value": True},
        "resource": {
            "name": "name",
            "component": "$parent.name",
            "infos": {"site": {"copy": "site", "lookup": table, "unknown": "warn"}},
        },
    }
    made = load_mapping(
        {
            "cleanup": {"servers": {"blank": True, "zero": ["itfs.site"]}, "sites": ALL},
            "entities": [block],
            "expect": {"servers": {"unique": ["name"]}},
        }
    )
    sites = [{"id": "0", "label": "no"}, {"id": "1", "label": "[Un]"}, {"id": "2", "label": "Two"}]
    items = [
        {"name": f"e{site}", "kind": " " * (site > 2) or "x", "site": str(site)}
        for site in range(4)
    ]
    made.map_page("sites", sites, 1)
    made.finish("sites")

    mapped = made.map_page("servers", [{"name": "s", "itfs": items}, {"name": ""}, {"name": ""}], 1)

    infos = [orjson.loads(payload)["infos"] for payload in mapped.entities.payloads]
    assert mapped.entities.ids == ["e0/s", "e1/s", "e2/s"]
    assert [each.get("site", {}).get("value") for each in infos] == [None, None, "Two"]
    tally = made.report().datasets["servers"]
    assert tally.filtered == 1
    assert tally.unknown == ()  # the label in brackets is no value, and its key is known
    assert made.report().failures == ()


def test_the_record_itself_stays_as_it_was() -> None:
    record = {"name": "n", "a": {"b": ["", "x"]}, "c": ""}
    before = orjson.dumps(record)
    made = mapper(ALL, "a", "a.b", "c")

    (reject,) = made.map_page("servers", [record, 3], 1).rejects

    assert orjson.dumps(record) == before
    assert reject.record == 3


def test_a_field_beside_the_cleaned_ones_is_not_touched_in_the_generated_code() -> None:
    source = mapper({"blank": ["b"]}, "a", "b").source

    assert source.count("isspace") == 1


JSON = st.recursive(
    st.sampled_from(["", " ", "[a]", "0", 0, "x", None, True, 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


@given(JSON)
def test_cleaning_again_changes_nothing(value: Any) -> None:
    cleaner = mapper(ALL, "a")._cleaners["servers"]
    once = cleaner.clean(value, ("a",))

    assert cleaner.clean(once, ("a",)) == once


@pytest.mark.parametrize(
    ("cleanup", "path", "what"),
    [
        ({"server": {"blank": True}}, ("server",), "unknown dataset 'server'"),
        ({"servers": {"blanks": True}}, ("servers", "blanks"), "unknown key 'blanks'"),
        ({"servers": {"blank": "a"}}, ("servers", "blank"), "expected true or a list of fields"),
        ({"servers": {"blank": [3]}}, ("servers", "blank", 0), "expected the path of a field"),
        ({"servers": {"zero": ["a..b"]}}, ("servers", "zero", 0), "path 'a..b' has an empty step"),
        (
            {"servers": {"null_values": "-"}},
            ("servers", "null_values"),
            "expected a list of values",
        ),
        ({"servers": {"null_values": [[]]}}, ("servers", "null_values", 0), "expected a text, "),
        (
            {"servers": {"null_values": {"a": 3}}},
            ("servers", "null_values", "a"),
            "expected a list",
        ),
    ],
    ids=str,
)
def test_a_wrong_rule_is_told_where_it_stands(
    cleanup: dict[str, Any], path: tuple[Any, ...], what: str
) -> None:
    block = {"dataset": "servers", "component": {"name": "name"}}

    with pytest.raises(MappingErrors) as caught:
        load_mapping({"cleanup": cleanup, "entities": [block]})

    (problem,) = caught.value.problems
    assert problem.path == ("mapping", "cleanup", *path)
    assert problem.what.startswith(what)


def test_a_value_too_deep_to_be_cleaned_is_a_reject_that_says_so() -> None:
    deep: Any = "x"
    for _ in range(1_000):  # as deep as decoders let through
        deep = [deep]
    block = {"dataset": "servers", "component": {"name": "name", "infos": {"tags": "tags"}}}
    expect = {"servers": {"allowed": {"tags": ["x"]}}}
    made = load_mapping(
        {"cleanup": {"servers": {"blank": True}}, "entities": [block], "expect": expect}
    )

    mapped = made.map_page("servers", [{"name": "srv", "tags": deep}], 1)

    assert mapped.entities.ids == []
    assert [reject.reason for reject in mapped.rejects] == [
        "a value has too many levels to be cleaned: flatten it in the source"
    ]
    assert made.report().datasets["servers"].reasons == {"component.name: nested too deeply": 1}


def test_a_value_too_deep_for_an_option_is_left_out_with_a_reason() -> None:
    deep: Any = "x"
    for _ in range(1_000):
        deep = [deep]
    infos = {"x": {"copy": "x", "hash": "xxh3"}}
    block = {"dataset": "servers", "component": {"name": "name", "infos": infos}}
    made = load_mapping({"entities": [block]})

    mapped = made.map_page("servers", [{"name": "srv", "x": deep}], 1)

    (refused,) = made.report().datasets["servers"].refused
    assert mapped.entities.ids == ["srv"]
    assert (refused.why, refused.count) == ("nested too deeply", 1)
    assert refused.reason.endswith("flatten it in the source")
