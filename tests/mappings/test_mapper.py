"""Records in, entities and rejects out: what a mapping makes of good data and of odd data."""

import math
import subprocess
import sys
from typing import Any

import orjson
import pytest
from bench_mapping import same
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.loading import load_mapping
from mappings.mapper import Mapped, Mapper
from mappings.pattern import check_pattern
from mappings.remarks import remarks
from referential.entity import Entity, encode, fingerprint

Record = dict[str, Any]
KEYS = st.sampled_from("abcd")


def component(infos: dict[str, Any] | None = None, **rules: Any) -> Mapper:
    rule = {"name": "name", **rules, "infos": infos or {}}
    return load_mapping({"entities": [{"dataset": "servers", "component": rule}]})


def bodies(mapped: Mapped) -> list[dict[str, Any]]:
    return [orjson.loads(payload) for payload in mapped.entities.payloads]


def one(mapper: Mapper, record: Record) -> dict[str, Any]:
    (body,) = bodies(mapper.map_page(mapper.datasets[0], [record], 1))
    return body


def value_of(rule: object, record: Record) -> Any:
    """What an info of this rule holds; None when it is left out."""
    infos = one(component({"x": {"value": rule}}), {"name": "n", **record})["infos"]
    return infos["x"]["value"] if "x" in infos else None


def refusal(mapper: Mapper, record: Record) -> tuple[str, str]:
    mapped = mapper.map_page(mapper.datasets[0], [record], 7)
    assert len(mapped.entities) == 0
    (reject,) = mapped.rejects
    assert (reject.dataset, reject.number, reject.record) == (mapper.datasets[0], 7, record)
    return reject.rule, reject.reason


def test_a_component_is_the_import_item_whole() -> None:
    mapper = component(
        {"env": {"value": "status", "description": "Environment"}, "site": "location.site"},
        category={"set": "Server"},
        impact_level="level",
    )
    record = {"name": "srv1", "status": "prod", "location": {"site": "Lyon"}, "level": 3}

    mapped = mapper.map_page("servers", [record], 1)

    item = {
        "action": "set",
        "category": "Server",
        "enabled": True,
        "impact_level": 3,
        "infos": {
            "env": {"description": "Environment", "name": "env", "value": "prod"},
            "site": {"name": "site", "value": "Lyon"},
        },
        "name": "srv1",
        "type": "component",
    }
    page = mapped.entities
    assert page.payloads == [encode(item)]
    assert page.fingerprints == [fingerprint(encode(item))]
    assert (page.ids, page.kinds, page.groups) == (["srv1"], ["component"], ["srv1"])
    assert page.categories == ["Server"]
    assert Entity.from_payload(page.payloads[0]).id == "srv1"


def test_a_resource_belongs_to_its_component() -> None:
    rule = {"name": "itf", "component": "host", "infos": {"speed": "speed"}}
    mapper = load_mapping({"entities": [{"dataset": "itfs", "resource": rule}]})

    mapped = mapper.map_page("itfs", [{"itf": "eth0/1", "host": "sw1", "speed": 10}], 1)

    page = mapped.entities
    assert (page.ids, page.kinds, page.groups) == (["eth0/1/sw1"], ["resource"], ["sw1"])
    assert bodies(mapped)[0]["component"] == "sw1"


def test_a_service_has_the_pattern_of_its_record() -> None:
    pattern = [
        {"field": "infos.code", "field_type": "string", "cond": "eq", "value": "code"},
        {"field": "type", "cond": "is_one_of", "value": {"set": ["component", "resource"]}},
        {"field": "impact_level", "cond": "gt", "value": "least"},
    ]
    rule = {"name": "name", "pattern": pattern, "output_template": {"set": "{{ .State }}"}}
    mapper = load_mapping({"entities": [{"dataset": "apps", "service": rule}]})

    body = one(mapper, {"name": "app", "code": 12, "least": "2"})

    assert body["output_template"] == "{{ .State }}"
    assert body["entity_pattern"] == [
        [
            {
                "field": "infos.code",
                "field_type": "string",
                "cond": {"type": "eq", "value": "12"},
            },
            {"field": "type", "cond": {"type": "is_one_of", "value": ["component", "resource"]}},
            {"field": "impact_level", "cond": {"type": "gt", "value": 2}},
        ]
    ]
    assert check_pattern(body["entity_pattern"]) == []


def test_one_record_may_become_one_entity_of_each_kind() -> None:
    block = {
        "dataset": "servers",
        "service": {
            "name": "app",
            "pattern": {"field": "component", "cond": "eq", "value": "name"},
        },
        "resource": {"name": {"set": "disk"}, "component": "name"},
        "component": {"name": "name"},
    }
    mapper = load_mapping({"entities": [block]})
    records = [{"name": "a", "app": "x"}, {"name": "b", "app": "y"}]

    mapped = mapper.map_page("servers", records, 1)

    assert mapped.entities.ids == ["a", "b", "disk/a", "disk/b", "x", "y"]
    assert mapped.entities.groups == ["a", "b", "a", "b", "", ""]
    assert mapper.report().datasets["servers"].entities == 6


@pytest.mark.parametrize(
    "record",
    [{}, {"a": None}, {"a": {}}, {"a": {"b": None}}, {"a": "text"}, {"a": [{"b": 1}]}, {"a": 3}],
    ids=str,
)
def test_a_path_that_leads_nowhere_leaves_the_info_out(record: Record) -> None:
    assert value_of("a.b", record) is None


@pytest.mark.parametrize(
    "value",
    ["text", "", "é\n", 7, -1, 7.5, True, False, 0, ["a", "b"], []],
    ids=repr,
)
def test_an_info_keeps_the_type_of_its_json(value: object) -> None:
    kept = value_of("a", {"a": value})

    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"b": 1}, "an object cannot be the value of an info"),
        ([1, "a"], "an array that is not all texts cannot be the value of an info"),
        ([None], "an array that is not all texts"),
        (math.nan, "nan is no number that JSON can hold"),
    ],
    ids=repr,
)
def test_a_value_that_canopsis_cannot_use_is_left_out_and_counted(value: object, why: str) -> None:
    mapper = component({"x": "a", "y": "b"})

    mapped = mapper.map_page("servers", [{"name": "n", "a": value, "b": 1}], 1)

    assert bodies(mapped)[0]["infos"].keys() == {"y"}
    assert mapped.rejects == []
    (refused,) = mapper.report().datasets["servers"].refused
    assert (refused.rule, refused.count, refused.number) == ("component.infos.x", 1, 1)
    assert refused.reason.startswith(why)


def test_a_required_info_that_cannot_be_had_rejects_the_record() -> None:
    mapper = component({"x": {"value": {"copy": "a", "required": True}}})

    rule, reason = refusal(mapper, {"name": "n"})
    assert rule == "component.infos.x"
    assert reason.startswith("component.infos.x has no value: a is missing, null or without a")
    assert reason.endswith("mend the record, or give the rule a default")
    assert refusal(mapper, {"name": "n", "a": {}})[0] == "component.infos.x"


def test_a_default_stands_in_for_what_is_absent() -> None:
    rule = {"copy": "a", "default": "none"}

    assert value_of(rule, {}) == "none"
    assert value_of(rule, {"a": None}) == "none"
    assert value_of(rule, {"a": {}}) == "none"
    assert value_of(rule, {"a": ""}) == ""


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((7, "7"), (7.0, "7"), (1e15, "1000000000000000"), (0.1, "0.1"), (1e-7, "0.0000001")),
        *((True, "true"), (" a ", " a "), ("a/b", "a/b"), ("é", "é"), ("\u00a0x", "\u00a0x")),
    ],
    ids=repr,
)
def test_a_name_is_the_plain_text_of_its_value(value: object, name: str) -> None:
    assert one(component(), {"name": value})["name"] == name


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "component.name has no value: name is missing, null or without a match"),
        ("", "the name is blank"),
        (" \u00a0", "the name is blank"),
        ("a\x00b", "the name holds the character U+0000"),
        ("a\x85b", "the name holds the character U+0085"),
        ("a\nb", "the name holds the character U+000A"),
        ("\ud800", "the name holds the character U+D800"),
        ("n" * 256, "the name has 256 characters and Canopsis takes 255"),
        ([], "an array cannot be a text: []"),
        ({"a": 1}, "an object cannot be a text: {'a': 1}"),
        (math.inf, "inf is no number that a text can show"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_a_record_without_a_good_name_is_a_reject(value: object, why: str) -> None:
    rule, reason = refusal(component(), {"name": value})

    assert rule == "component.name"
    assert reason.startswith(why)


def test_a_name_of_255_characters_is_taken() -> None:
    assert one(component(), {"name": "é" * 255})["name"] == "é" * 255


@pytest.mark.parametrize("char", "/?#%")
def test_a_service_that_no_url_could_name_is_a_reject(char: str) -> None:
    pattern = {"field": "name", "cond": "eq", "value": "name"}
    rule = {"name": "name", "pattern": pattern}
    mapper = load_mapping({"entities": [{"dataset": "apps", "service": rule}]})

    rule_name, reason = refusal(mapper, {"name": f"a{char}b"})

    assert rule_name == "service.name"
    assert f"cannot hold {char!r}" in reason


@pytest.mark.parametrize(
    ("value", "level"), [(1, 1), (10, 10), ("3", 3), (" 4 ", 4), (5.0, 5), (None, 1)], ids=repr
)
def test_an_impact_level_is_a_whole_number_and_1_when_absent(value: object, level: int) -> None:
    assert one(component(impact_level="a"), {"name": "n", "a": value})["impact_level"] == level


@pytest.mark.parametrize("value", [0, 11, "high", 1.5, True, "", "1e0", [3], "-1", "²"], ids=repr)
def test_any_other_impact_level_is_a_reject(value: object) -> None:
    assert refusal(component(impact_level="a"), {"name": "n", "a": value})[0] == (
        "component.impact_level"
    )


def test_a_category_is_a_text_and_left_out_when_absent() -> None:
    mapper = component(category="a")

    assert one(mapper, {"name": "n", "a": 3})["category"] == "3"
    assert "category" not in one(mapper, {"name": "n"})
    assert refusal(mapper, {"name": "n", "a": ["b"]})[0] == "component.category"


@pytest.mark.parametrize(
    ("template", "record", "text"),
    [
        ("{{ uppercase .a.b }}", {"a": {"b": "x"}}, "X"),
        ("{{ uppercase .a.b }}", {"a": {"b": None}}, None),
        ("{{ uppercase .a.b }}", {"a": 3}, None),
        ("{{ uppercase .a.b }}", {}, None),
        ("APP-{{ .id }}", {"id": 123456}, "APP-123456"),
        ("APP-{{ .id }}", {"id": 1234567}, "APP-1.234567e+06"),  # a float64, as in Go
        ('APP-{{ printf "%.0f" .id }}', {"id": 1234567}, "APP-1234567"),
        ("{{ .l }}", {"l": [1234567, {"n": 1234567}]}, "[1.234567e+06 map[n:1.234567e+06]]"),
        ("APP-{{ .id }}", {"id": "1234567"}, "APP-1234567"),
        ("APP-{{ .id }}", {"id": 0}, "APP-0"),
        ("{{ .a }}-{{ .b }}", {"a": "x"}, None),
        ("{{ if .a }}{{ .a }}{{ else }}none{{ end }}", {}, "none"),
        ("{{ if .a }}{{ .a }}{{ else }}none{{ end }}", {"a": "x"}, "x"),
        ("{{ or .alias .host }}", {"host": "h"}, "h"),
        ("{{ or .alias .host }}", {}, None),
        ("{{ range .tags }}{{ . }},{{ end }}", {"tags": ["a", "b"]}, "a,b,"),
        ("{{ range .tags }}{{ . }},{{ end }}", {}, None),
        ('{{ eq .a "x" }}', {}, None),
        ("{{ with .a.b }}{{ . }}{{ else }}none{{ end }}", {"a": {"b": "x"}}, "x"),
        ("{{ with .a.b }}{{ . }}{{ else }}none{{ end }}", {"a": None}, "none"),
        ("{{ if .a }}{{ .a.b }}{{ else }}none{{ end }}", {"a": {"b": "x", "c": 1}}, "x"),
        ("{{ if .a }}{{ .a.b }}{{ else }}none{{ end }}", {"a": {"c": 1}}, None),
        ("{{ if .a }}{{ .a.b }}{{ else }}none{{ end }}", {"a": {}}, "none"),
        ("{{ if eq .cpu 4.0 }}four{{ end }}", {"cpu": 4}, "four"),
        ("{{ if eq .cpu 4 }}four{{ end }}", {"cpu": 4}, None),
        ("fixed {{ `text` }}", {}, "fixed text"),
        ("{{ index .tags 0 }}", {"tags": ["a"]}, "a"),
    ],
    ids=str,
)
def test_a_template_over_the_record(template: str, record: Record, text: str | None) -> None:
    assert value_of(template, record) == text


def test_a_template_that_fails_leaves_its_info_out_and_is_counted() -> None:
    mapper = component({"x": {"value": "{{ index .tags 5 }}"}})

    mapped = mapper.map_page("servers", [{"name": "n", "tags": ["a"]}] * 3, 1)

    assert [body["infos"] for body in bodies(mapped)] == [{}, {}, {}]
    (refused,) = mapper.report().datasets["servers"].refused
    assert refused.count == 3
    assert "out of range" in refused.reason


def test_a_template_that_fails_where_a_name_is_needed_rejects_the_record() -> None:
    rule, reason = refusal(component(name="{{ index .tags 5 }}"), {"tags": ["a"]})

    assert rule == "component.name"
    assert "out of range" in reason


@pytest.mark.parametrize(
    ("rule", "value", "text"),
    [
        ({"template": "{{ .Field | uppercase }}", "field": "a.b"}, "x", "X"),
        ({"template": "{{ .Field }}", "field": "a.b"}, 1234567, "1.234567e+06"),
        ({"template": "{{ .Field }}", "field": "a.b", "regexp": ".+"}, 1234567, "1234567"),
        ({"copy": "a.b", "cast": "string"}, 12345678901234567890, "12345678901234567890"),
        ({"template": "{{ .Field }}", "field": "a.b"}, None, None),
        ({"template": "{{ if .Field }}a{{ else }}b{{ end }}", "field": "a.b"}, None, "b"),
        ({"regexp": "CMDB:(?P<SI>[^,]*)", "field": "a.b"}, "CMDB:PAY,x", "PAY"),
        ({"regexp": "CMDB:(?P<SI>[^,]*)", "field": "a.b"}, "nothing", None),
        ({"regexp": "CMDB:(?P<SI>[^,]*)", "field": "a.b"}, None, None),
        ({"regexp": "CMDB:(?P<SI>[^,]*)", "field": "a.b"}, ["CMDB:PAY"], None),
        ({"regexp": "[0-9]+", "field": "a.b"}, "ab12cd", "12"),
        ({"regexp": "([a-z])([0-9]+)", "field": "a.b"}, "ab12cd", "b12"),
        ({"regexp": r"(a)\1", "field": "a.b"}, "xaay", "aa"),
        ({"regexp": "^[0-9]{2}", "field": "a.b"}, 7501, "75"),
        (
            {"template": "{{ .RegexMatch.SI }}", "field": "a.b", "regexp": "(?P<SI>.)(?P<T>.)?"},
            *("x", "x"),
        ),
        (
            {"template": "{{ .RegexMatch.T }}", "field": "a.b", "regexp": "(?P<SI>.)(?P<T>.)?"},
            *("x", ""),
        ),
        (
            {
                "template": "{{ .Field }}:{{ .RegexMatch.SI | uppercase }}",
                "field": "a.b",
                "regexp": "(?P<SI>.)",
            },
            *("xy", "xy:X"),
        ),
        (
            {"template": '{{ index .RegexMatch "1" }}', "field": "a.b", "regexp": "(.)y"},
            *("xy", "x"),
        ),
    ],
    ids=str,
)
def test_a_template_or_an_expression_over_a_field(rule: object, value: Any, text: object) -> None:
    assert value_of(rule, {"a": {"b": value}}) == text


def test_a_long_text_is_searched_with_the_same_result() -> None:
    rule = {"regexp": "(a+)+b(?P<end>.*)", "field": "a"}
    text = "a" * 20_000 + "bc"

    assert value_of(rule, {"a": text}) == "c"


def ids_of_rejects(mapper: Mapper, *records: Any) -> list[str]:
    mapped = mapper.map_page(mapper.datasets[0], list(records), 1)
    rejects = [*mapped.rejects, *mapper.finish(mapper.datasets[0]).rejects]
    return [reject.id for reject in rejects]


def test_a_reject_keeps_the_identity_of_the_entity_that_was_refused() -> None:
    good, bad = {"name": "a", "level": 1}, {"name": "b", "level": 99}

    assert ids_of_rejects(component(impact_level="level"), good, bad) == ["b"]
    assert ids_of_rejects(component(category="c"), good, {"name": "b", "c": []}) == ["b"]
    assert ids_of_rejects(component({"x": "a"}), {"name": "b", "a": "\ud800"}) == ["b"]


@pytest.mark.parametrize("bad", [{}, {"name": "a\nb"}, {"name": []}, "text", None], ids=repr)
def test_a_reject_without_a_good_name_has_no_identity_whatever_came_before(bad: Any) -> None:
    good = {"name": "a", "level": 1}

    assert ids_of_rejects(component(impact_level="level"), good, bad) == [""]
    constant = component({"x": {"value": {"copy": "a", "required": True}}}, name={"set": "one"})
    assert ids_of_rejects(constant, {"level": 1}, None) == ["one", ""]


def test_the_identity_of_a_refused_resource_needs_its_component() -> None:
    def ids(name: Any, host: Any, *records: Record) -> list[str]:
        rule = {"name": name, "component": host, "impact_level": "level"}
        return ids_of_rejects(
            load_mapping({"entities": [{"dataset": "itfs", "resource": rule}]}), *records
        )

    good = {"itf": "eth0", "host": "sw1"}
    assert ids("itf", "host", good, good | {"level": 0}) == ["eth0/sw1"]
    assert ids("itf", "host", good, {"itf": "eth1"}, {"host": "sw2"}) == ["", ""]
    assert ids({"set": "ping"}, "host", good, good | {"level": 0}, {}) == ["ping/sw1", ""]
    assert ids("itf", {"set": "sw9"}, good, good | {"level": 0}, {}) == ["eth0/sw9", ""]


def test_the_identity_of_a_refused_service_is_its_name() -> None:
    pattern = {"field": "name", "cond": "is_one_of", "value": "server"}
    rule = {"name": "app", "pattern": pattern, "impact_level": "level"}
    mapper = load_mapping({"entities": [{"dataset": "links", "service": rule}]})

    records = [{"app": "x", "server": "s"}, {"app": "x"}, {"app": "y", "server": "s", "level": 0}]
    assert ids_of_rejects(mapper, *records, {"app": "a/b", "server": "s"}) == ["x", "y", ""]


def test_what_is_no_object_is_a_reject() -> None:
    records: list[Any] = [{"name": "a"}, "text", 3, None, ["name"], {"name": "b"}]

    mapper = component()
    mapped = mapper.map_page("servers", records, 1)

    assert mapped.entities.ids == ["a", "b"]
    assert [reject.number for reject in mapped.rejects] == [2, 3, 4, 5]
    assert {reject.reason.split(",")[0] for reject in mapped.rejects} == {"a record is an object"}


def test_what_is_no_object_is_a_reject_even_when_no_rule_needs_the_record() -> None:
    records: list[Any] = [{"a": 1}, None]

    mapped = component({"x": "a"}, name={"set": "one"}).map_page("servers", records, 1)

    assert mapped.entities.ids == ["one"]
    assert [(reject.number, reject.rule) for reject in mapped.rejects] == [(2, "component")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(KEYS, JSON, max_size=6), max_size=4))
def test_no_record_however_odd_stops_a_page(records: list[Record]) -> None:
    rules = {
        "a": "a.b",
        "b": {"value": {"copy": "b", "lookup": {"x": 1}, "unknown": "warn"}},
        "c": "{{ uppercase .c.a }}{{ if .d }}{{ .d.a }}{{ end }}",
        "d": {"value": {"regexp": "(.)b", "field": "d"}},
    }
    mapper = component(rules, name="a", category="b", impact_level="c")

    mapped = mapper.map_page("servers", records, 1)

    assert len(mapped.entities) + len(mapped.rejects) == len(records)
    assert all(Entity.from_payload(payload).name for payload in mapped.entities.payloads)


def test_an_entity_that_json_cannot_hold_is_a_reject_and_the_page_goes_on() -> None:
    mapper = component({"x": "a"})
    records = [{"name": "a", "a": 1}, {"name": ""}, {"name": "b", "a": "\ud800"}, {"name": "c"}]

    mapped = mapper.map_page("servers", [*records, {"name": "d", "a": 2**70}], 11)

    assert mapped.entities.ids == ["a", "c"]
    assert [reject.number for reject in mapped.rejects] == [12, 13, 15]
    assert mapped.rejects[1].record == records[2]
    assert "cannot be written as JSON" in mapped.rejects[1].reason


def links(*rows: tuple[object, object], **more: object) -> list[Record]:
    return [{"app": app, "server": server, **more} for app, server in rows]


def gathered(cond: str = "is_one_of", **rule: Any) -> Mapper:
    condition = {"field": "name", "cond": cond, "value": "server"}
    written = {"name": "app", "pattern": condition, **rule}
    return load_mapping({"entities": [{"dataset": "links", "service": written}]})


def test_a_service_gathers_the_values_of_all_its_records() -> None:
    mapper = gathered(category={"set": "Application"}, infos={"env": "env"})
    first = mapper.map_page("links", links(("B", "s2"), ("A", "s1"), ("B", "s1"), env="prod"), 1)
    second = mapper.map_page("links", links(("A", "s1"), ("A", ["s9", "s0"]), env="test"), 4)

    mapped = mapper.finish("links")

    assert (len(first.entities), len(second.entities)) == (0, 0)
    assert mapped.entities.ids == ["B", "A"]
    assert mapped.entities.categories == ["Application", "Application"]
    patterns = [body["entity_pattern"][0][0]["cond"]["value"] for body in bodies(mapped)]
    assert patterns == [["s1", "s2"], ["s0", "s1", "s9"]]
    assert [body["infos"]["env"]["value"] for body in bodies(mapped)] == ["prod", "prod"]
    assert all(check_pattern(body["entity_pattern"]) == [] for body in bodies(mapped))
    assert mapper.report().datasets["links"].entities == 2


def test_the_order_of_records_does_not_change_a_gathered_service() -> None:
    rows = [("A", "s3"), ("A", "s1"), ("A", "s2")]
    one_way, other_way = gathered(), gathered()
    one_way.map_page("links", links(*rows), 1)
    other_way.map_page("links", links(*reversed(rows)), 1)

    assert one_way.finish("links").entities == other_way.finish("links").entities


def test_a_record_without_a_value_to_gather_is_a_reject_and_makes_no_service() -> None:
    mapper = gathered()

    mapped = mapper.map_page("links", links(("A", None), ("B", "s1"), ("C", []), ("B", {})), 1)

    assert [(reject.number, reject.rule) for reject in mapped.rejects] == [
        (1, "service.pattern.name"),
        (3, "service.pattern.name"),
        (4, "service.pattern.name"),
    ]
    assert mapper.finish("links").entities.ids == ["B"]


def test_a_second_finish_has_nothing_left() -> None:
    mapper = gathered()
    mapper.map_page("links", links(("A", "s1")), 1)

    assert (len(mapper.finish("links").entities), len(mapper.finish("links").entities)) == (1, 0)


def test_records_of_one_service_must_agree_on_what_is_not_gathered() -> None:
    pattern = [
        {"field": "name", "cond": "is_one_of", "value": "server"},
        {"field": "infos.env", "field_type": "string", "cond": "eq", "value": "env"},
    ]
    rule = {"name": "app", "pattern": pattern}
    mapper = load_mapping({"entities": [{"dataset": "links", "service": rule}]})
    rows = links(("A", "s1"), ("A", "s2"), env="prod") + links(("A", "s3"), env="test")

    mapped = mapper.map_page("links", rows, 1)

    assert [(reject.number, reject.rule) for reject in mapped.rejects] == [
        (3, "service.pattern.infos.env")
    ]
    (body,) = bodies(mapper.finish("links"))
    assert [cond["cond"]["value"] for cond in body["entity_pattern"][0]] == [["s1", "s2"], "prod"]


def test_the_report_counts_records_entities_and_distinct_rejects() -> None:
    mapper = component({"x": "a"}, impact_level="level")
    mapper.map_page("servers", [{"name": "n", "a": 1}, {"name": ""}], 1)
    mapper.map_page("servers", [{"name": "m", "level": 99}, {"name": "o"}], 3)

    tally = mapper.report().datasets["servers"]

    assert (tally.records, tally.entities, tally.rejects) == (4, 2, 2)
    assert tally.reasons == {
        "component.name: blank name": 1,
        "component.impact_level: impact level out of range": 1,
    }
    assert tally.filled == {"x": 0.5}


def test_fill_rates_speak_of_entities_whatever_was_rejected() -> None:
    required = {"value": {"copy": "needed", "required": True}}
    mapper = component({"a": "a", "d": {"value": {"copy": "d", "default": 1}}, "r": required})

    mapper.map_page("servers", [{"name": "n", "needed": 1, "a": 1}, {"name": "m"}], 1)

    assert mapper.report().datasets["servers"].filled == {"a": 1.0, "d": 1.0, "r": 1.0}


def test_a_rule_that_never_gave_a_value_of_its_own_is_reported() -> None:
    level = {"copy": "criticty", "default": 2}
    mapper = component({"x": "a", "y": "b", "z": {"value": {"set": 1}}}, impact_level=level)
    records = [{"name": "n", "a": 1, "criticity": 3}, {"name": "m", "b": None}]

    mapper.map_page("servers", records, 1)

    tally = mapper.report().datasets["servers"]
    assert tally.silent == ("component.impact_level", "component.infos.y")
    assert tally.unmapped == ("criticity",)


def test_what_a_run_noticed_is_said_in_a_few_lines() -> None:
    translated = {"copy": "status", "lookup": {"prod": 1, "test": 2}, "unknown": "warn"}
    mapper = component({"env": {"value": translated}, "x": "a", "y": "b"})
    records = [{"name": "n", "status": "dev", "a": {}, "new": 1}, {"name": "m", "status": "prod"}]

    mapper.map_page("servers", [*records, records[0]], 1)

    odd = "an object cannot be the value of an info"
    said = [line.replace("component.infos.", "") for line in remarks(mapper.report())]
    assert said == [
        "servers: fields neither mapped nor ignored: new",
        "servers: rules that never gave a value: x, y",
        "servers: env met values unknown to lookup 'env': 'dev' (2 times)",
        f"servers: x left out 2 values, the first of record 1, {odd}: {{}}",
        "rows of lookups that no record asked for: env: test",
    ]
    assert remarks(component().report()) == []


def test_unmapped_fields_are_named_once_at_any_depth() -> None:
    block = {
        "dataset": "servers",
        "component": {"name": "name", "infos": {"site": "location.site", "all": "tags"}},
        "ignore": ["location.rack.unit", "owner"],
    }
    mapper = load_mapping({"entities": [block]})
    location = {"site": "a", "room": "b", "rack": {"unit": 1, "name": "c"}}
    records = [{"name": "n", "location": location, "tags": [], "owner": {"x": 1}, "Resp. t": 1}]

    mapper.map_page("servers", records * 3, 1)

    assert mapper.report().datasets["servers"].unmapped == (
        r"Resp\. t",
        "location.rack.name",
        "location.room",
    )


def test_a_field_that_appears_late_is_named_all_the_same() -> None:
    mapper = component()
    for number in range(20):
        mapper.map_page("servers", [{"name": "n"}] * 1_000, number * 1_000 + 1)

    mapper.map_page("servers", [*[{"name": "n"}] * 999, {"name": "n", "new": 1}], 20_001)

    assert mapper.report().datasets["servers"].unmapped == ("new",)


def test_mapping_leaves_the_records_and_the_job_as_they_were() -> None:
    mapper = component({"tags": "tags", "c": {"value": {"set": ["x"]}}})
    record = {"name": "n", "tags": ["a"], "location": {"site": "b"}}
    before = orjson.dumps(record)

    first = mapper.map_page("servers", [record], 1).entities
    second = mapper.map_page("servers", [record], 2).entities

    assert orjson.dumps(record) == before
    assert first == second


_COLLECTED = """
import gc
from mappings.loading import load_mapping
infos = {"site": "location.site", "x": {"value": "{{ uppercase .a }}"}}
block = {"entities": [{"dataset": "servers", "component": {"name": "name", "infos": infos}}]}
mapper = load_mapping(block)
records = [{"name": f"n{rank}", "location": {"site": "b"}, "a": "c"} for rank in range(1_000)]
mapper.map_page("servers", records, 1)
gc.collect()
gc.disable()
mapped = mapper.map_page("servers", records, 1_001)
print(len(mapped.entities), gc.collect())
"""


def test_mapping_makes_nothing_for_the_collector() -> None:
    """In an interpreter of its own: the collector also finds what other threads of ours drop."""
    command = [sys.executable, "-c", _COLLECTED]

    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["1000", "0"]


def test_the_bench_compares_ways_that_make_the_same_bytes() -> None:
    assert same()


def test_the_mapping_layer_loads_no_client_library() -> None:
    code = (
        "import sys, mappings, mappings.loading, mappings.golden\n"
        "print(*sorted({'requests', 'sqlalchemy', 'prefect', 'pandas'} & sys.modules.keys()))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == ""
