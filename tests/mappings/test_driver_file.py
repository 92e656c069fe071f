"""Driver files, from their text to the entities: `specs/driver-compat.md`, decisions D1 to D35."""

import json
from pathlib import Path
from typing import Any

import pytest

from mappings.driver import NoRows, rows_of
from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS, DriverMapper
from mappings.driver_sheet import DriverErrors

FILES = Path(__file__).parent / "driver"
FILE = """\
api:
  url: http://cmdb.example/cis
import:
  source: cmdb
  action: set
mapping:
  path: rows
  component:
    name: {type: copy, value: name}
"""


def read(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def mapped(text: str, rows: list[Any], **options: Any) -> tuple[list[dict[str, Any]], DriverMapper]:
    mapper = DriverMapper(read_driver(text), **options)
    done = mapper.map_page(ROWS, rows, 1)
    return [json.loads(payload) for payload in done.entities.payloads], mapper


def info_of(value: str, row: dict[str, Any]) -> Any:
    """What an info becomes whose value is written so."""
    made, _ = mapped(f"{FILE}    infos: {{x: {{value: {value}}}}}\n", [{"name": "a", **row}])
    return made[0]["infos"].get("x", {}).get("value")


def test_the_three_levels_give_exactly_the_nine_entities() -> None:
    got = []
    for name in ("servers", "composants", "applications"):
        file = read_driver(read(f"{name}.yml"))
        rows = rows_of(file, json.loads(read(f"{name}.json")))
        made, mapper = mapped(read(f"{name}.yml"), rows)
        assert file.remarks == ()
        assert mapper.report().datasets[ROWS].rejects == 0
        got += made

    fixed = {(e.pop("action"), e.pop("enabled"), e.pop("impact_level")) for e in got}
    assert fixed == {("set", True, 1)}
    assert got == json.loads(read("entities.json"))


def test_a_legacy_file_copies_paths() -> None:
    file = read_driver(read("legacy.yml"))
    row = {"identity": {"name": "srv"}, "level": 3, "place": {"site": "Nîmes"}, "serial": 12}
    rows = rows_of(file, {"data": {"1": row}})

    made, _ = mapped(read("legacy.yml"), rows)

    assert (file.legacy, file.missing) == (True, "keep")
    assert ["create is unknown" in remark.what for remark in file.remarks] == [True]
    assert made == [
        {
            "action": "set",
            "type": "component",
            "name": "srv",
            "enabled": True,
            "impact_level": 3,
            "infos": {
                "site": {"name": "site", "description": "Site", "value": "Nîmes"},
                "number": {"name": "number", "description": "Serial", "value": 12},
            },
        }
    ]


def test_a_file_with_every_key() -> None:
    file = read_driver(read("every_key.yml"))
    row = {
        "host": "h",
        "kind": "Server",
        "level": "4",
        "live": "no",
        "above": "u",
        "asset": "x CMDB:PAY,",
        "serial": 1234567,
    }
    (component, resource, service), mapper = mapped(read("every_key.yml"), [row])

    assert file.api.insecure_skip_verify
    assert file.api.headers == (("Content-Type", "application/json"), ("X-Site", "Nîmes"))
    assert file.api.json == {
        "query": {"match": "all"},
        "size": 10,
        "since": "2021-09-29T00:00:00Z",
    }
    assert (component["category"], component["impact_level"]) == ("Server", 4)
    assert (component["enabled"], component["tags"]) == (False, {"zone": "north"})
    assert component["upstream"] == "u"
    assert {key: info["value"] for key, info in component["infos"].items()} == {
        "shared": "0123",
        "si": "PAY",
        "big": "1.234567e+06",
    }
    assert (resource["name"], resource["component"]) == ("cpu", "h")
    assert (service["name"], service["output_template"]) == ("S-h", "{{ .State }}")
    assert [[c["cond"]["value"] for c in g] for g in service["entity_pattern"]] == [
        ["PAY", 2],
        [["h"]],
    ]
    assert 'printf "%.0f"' in next(iter(mapper.counts.odd.values())).reason


@pytest.mark.parametrize(
    ("value", "row", "wanted"),
    [
        ("{type: copy, value: a.b}", {"a": {"b": 7}}, 7),
        ("{type: copy, value: a.b}", {"a": [{"b": 7}]}, None),
        ("{type: copy, value: a}", {"a": None}, None),
        ("{type: set, value: yes}", {}, "yes"),
        ("{type: template, field: a, value: '{{.Field}}'}", {"a": None}, "<no value>"),
        ("{type: template, field: a, value: '{{.Field}}'}", {}, None),
        ("{type: template, value: '{{.Field}}'}", {}, "<no value>"),
        ("{type: template, field: a, value: '{{.Field.x}}'}", {"a": "t"}, None),
        ("{type: template, field: a, regexp: '^b', value: '{{.RegexMatch.x}}'}", {"a": "c"}, None),
        ("{type: regexp, field: a, regexp: 'b.'}", {"a": "abc"}, "bc"),
        ("{type: regexp, field: a, regexp: 'b(?P<n>.)'}", {"a": "abc"}, "c"),
        ("{type: regexp, field: a, regexp: 'b'}", {"a": 5}, None),
        ("{type: regexp, field: a, regexp: '(?<=a)b'}", {"a": "ab"}, "b"),
    ],
)
def test_a_value(value: str, row: dict[str, Any], wanted: Any) -> None:
    assert info_of(value, row) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"), [(1234567, "1234567"), (7.0, "7"), (0.5, "0.5"), (True, "true")]
)
def test_a_name_is_plain_text(name: Any, wanted: str) -> None:
    made, _ = mapped(FILE, [{"name": name}])

    assert made[0]["name"] == wanted


@pytest.mark.parametrize("row", [{}, {"name": None}, {"name": ""}, {"name": ["a"]}, "text", None])
def test_a_row_without_a_name_is_skipped(row: Any) -> None:
    made, mapper = mapped(FILE, [row, {"name": "a"}])

    assert [each["name"] for each in made] == ["a"]
    assert mapper.counts.reasons.total() == 1


def test_a_missing_field_is_a_failure_when_asked_for() -> None:
    text = f"{FILE}    category: {{type: copy, value: kind}}\n"

    assert mapped(text, [{"name": "a"}])[1].report().failures == ()
    failure = mapped(text, [{"name": "a"}], strict=True)[1].report().failures[0]
    assert failure.what == "kind is missing or null in 1 values"


@pytest.mark.parametrize(
    ("is_map", "answer", "what"),
    [
        ("false", {"rows": {}}, "is an object, not an array"),
        ("true", {"rows": []}, "is an array, not an object"),
        ("false", {"rosw": []}, "has no 'rows'"),
        ("false", [], "is an array"),
    ],
)
def test_an_answer_without_rows_is_refused(is_map: str, answer: Any, what: str) -> None:
    file = read_driver(FILE.replace("path: rows", f"path: rows\n  is_map: {is_map}"))

    with pytest.raises(NoRows, match=what):
        rows_of(file, answer)


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "mend"),
    [
        ("url: http", "urll: http", (2, 3), "unknown key 'urll'", "'url'"),
        ("http://cmdb.example/cis", "cmdb", (2, 8), "no address", ""),
        ("url: http://cmdb.example/cis", "url:", (1, 1), "url is missing", "add"),
        ("action: set", "action: sett", (5, 11), "unknown action 'sett'", "'set'"),
        ("source: cmdb", "sorce: cmdb", (4, 3), "unknown key 'sorce'", "'source'"),
        ("type: copy", "type: cpoy", (9, 18), "unknown type 'cpoy'", "'copy'"),
        ("{type: copy, value: name}", "name", (9, 11), "must be a mapping", "{type: copy"),
        ("{type: copy, value: name}", "{type: copy}", (9, 5), "value is missing", "add"),
        ("  path: rows", "\tpath: rows", (7, 1), "", ""),
        ("  path: rows", "  path: a\n  path: b", (8, 3), "already defined", "keep one"),
        ("  component:", "  compnent:", (8, 3), "unknown key 'compnent'", "'component'"),
        (
            "{type: copy, value: name}",
            "{type: template, field: name, value: '{{ upercase .Field }}'}",
            (9, 52),
            'function "upercase" not defined',
            "'uppercase'",
        ),
        (
            "{type: copy, value: name}",
            "{type: template, field: name, value: '{{ .Field'}",
            (9, None),
            "template: ",
            "",
        ),
        (
            "{type: copy, value: name}",
            "{type: regexp, field: name, regexp: 'a(b'}",
            (9, None),
            "",
            "",
        ),
        ("{type: copy, value: name}", "{{ .x }}", (9, None), "", "quotes"),
    ],
)
def test_a_fault_has_its_place_and_the_nearest_word(
    old: str, new: str, place: tuple[int, int | None], what: str, mend: str
) -> None:
    assert old in FILE
    with pytest.raises(DriverErrors) as refused:
        read_driver(FILE.replace(old, new, 1))

    found = [
        each
        for each in refused.value.problems
        if what in each.what and mend in each.mend and each.line == place[0]
    ]
    assert found, refused.value.problems
    assert place[1] is None or place[1] in {each.column for each in found}


def test_a_bad_pattern_is_refused_with_its_place() -> None:
    text = FILE + (
        "  service:\n    name: {type: copy, value: name}\n    pattern:\n"
        "      field: nmae\n      cond: eq\n      value: {type: set, value: a}\n"
    )
    with pytest.raises(DriverErrors) as refused:
        read_driver(text)

    (fault,) = refused.value.problems
    assert (fault.line, fault.column) == (13, 14)
    assert "'name'" in fault.mend
