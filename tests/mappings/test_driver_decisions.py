"""The decisions of `specs/driver-compat.md` §2.2 that need no run, each by its number."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.driver import NoRows, rows_of
from mappings.driver_reading import read_driver
from mappings.driver_sheet import DriverErrors
from tests.mappings.driver_rows import FILE, info_of, mapped, odd, read, with_info

NAME = "{type: copy, value: name}"
TEMPLATE = "{type: template, field: a, value: '%s'}"
REGEXP = "{type: template, field: a, regexp: '%s', value: '%s'}"


def remarks(text: str) -> list[str]:
    return [each.what for each in read_driver(text).remarks]


@pytest.mark.parametrize(
    ("value", "row", "wanted"),
    [
        (
            "{type: regexp, field: a, regexp: 'b(.)', value: '{{ index .RegexMatch \"1\" }}'}",
            "c",
            "c",
        ),
        ("{type: regexp, field: a, regexp: 'b.'}", "abc", "bc"),
        ("{type: regexp, field: a, regexp: '(b)(?P<n>.)(?P<m>.)'}", "abcd", "c"),
        ("{type: regexp, field: a, regexp: '(?<=a)b'}", "ab", "b"),
    ],
)
def test_d1_regexp_is_template_and_alone_gives_its_first_named_group_or_the_match(
    value: str, row: str, wanted: str
) -> None:
    row = f"ab{row}" if "index" in value else row

    assert info_of(value, {"a": row}) == wanted


def test_d1_a_regexp_needs_its_regexp_and_one_without_value_is_remarked_on() -> None:
    with pytest.raises(DriverErrors, match="1 fault"):
        read_driver(with_info("{type: regexp, field: a, value: x}"))
    assert remarks(with_info("{type: regexp, field: a, regexp: b}")) == [
        "a regexp without value gives its first named group, else the whole match"
    ]


def test_d2_infos_of_the_mapping_are_of_every_entity_and_yield_to_its_own() -> None:
    shared = "  infos: {a: {value: {type: set, value: 1}}, b: {value: {type: set, value: 2}}}\n"
    own = "    infos: {b: {value: {type: set, value: own}}}\n"
    resource = f"  resource:\n    name: {NAME}\n    component: {NAME}\n"

    made, _ = mapped(FILE + own + resource + shared, [{"name": "n"}])

    found = [{key: info["value"] for key, info in each["infos"].items()} for each in made]
    assert found == [{"a": "1", "b": "own"}, {"a": "1", "b": "2"}]


@pytest.mark.parametrize("path", ["  path:\n", '  path: ""\n', ""])
def test_d3_without_path_the_rows_are_the_answer_itself(path: str) -> None:
    listed = read_driver(FILE.replace("  path: rows\n", path))
    mapped_ = read_driver(FILE.replace("  path: rows\n", f"{path}  is_map: true\n"))

    assert rows_of(listed, [{"name": "a"}]) == [{"name": "a"}]
    assert rows_of(mapped_, {"k": {"name": "a"}}) == [{"$key": "k", "name": "a"}]


@pytest.mark.parametrize(
    ("is_map", "answer", "what", "mend"),
    [
        ("false", {"rows": {}}, "'rows' is an object, not an array of rows", "is_map: true"),
        ("true", {"rows": []}, "'rows' is an array, not an object of rows", "is_map: false"),
        ("false", {"rows": "x"}, "'rows' is a text, not an array", "mend mapping.path"),
        ("false", {"rosw": []}, "the answer has no 'rows'", "did you mean 'rosw'?"),
        ("false", [], "goes through objects, and the answer is an array", ""),
        ("false", None, "goes through objects, and the answer is null", ""),
    ],
)
def test_d3_an_answer_of_another_shape_is_refused(
    is_map: str, answer: Any, what: str, mend: str
) -> None:
    file = read_driver(FILE.replace("path: rows", f"path: rows\n  is_map: {is_map}"))

    with pytest.raises(NoRows) as refused:
        rows_of(file, answer)
    assert what in str(refused.value)
    assert mend in refused.value.mend


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"a": {"b": 7}}, 7),
        ({"a": {"b": {"c": 1}}}, {"c": 1}),
        ({"a": [{"b": 7}]}, None),
        ({"a": {"0": {"b": 7}}}, None),
        ({"a": "b"}, None),
        ({"a": None}, None),
        ({"a.b": 7}, None),
        ({}, None),
    ],
)
def test_d4_a_dot_steps_through_objects_alone(row: dict[str, Any], wanted: Any) -> None:
    assert info_of("{type: copy, value: a.b}", row) == wanted


def test_d5_what_is_missing_is_left_out_and_counted_by_path() -> None:
    text = FILE + (
        "    category: {type: copy, value: kind}\n"
        "    description: {type: copy, value: kind}\n"
        "    infos: {x: {value: {type: template, field: a.b, value: x}}}\n"
    )

    made, mapper = mapped(text, [{"name": "n"}, {"name": "m", "kind": None}])

    bare = {"action": "set", "type": "component", "enabled": True, "impact_level": 1, "infos": {}}
    assert made == [bare | {"name": "n"}, bare | {"name": "m"}]
    assert dict(mapper.counts.missing) == {"kind": 4, "a.b": 2}


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("resource:\n    name: N\n    component: {type: copy, value: home}", "resource.component"),
        (
            "service:\n    name: N\n    pattern: {field: name, cond: eq, value: Z}",
            "service.pattern",
        ),
        ("service:\n    name: {type: copy, value: z}\n    pattern: P", "service.name"),
    ],
)
def test_d5_without_name_component_or_pattern_the_row_is_skipped(section: str, rule: str) -> None:
    pattern = f"pattern: {{field: name, cond: eq, value: {NAME}}}"
    section = section.replace("N\n", f"{NAME}\n").replace("pattern: P", pattern)
    section = section.replace("value: Z", "value: {type: copy, value: z}")
    text = f"{FILE[: FILE.index('  component:')]}  {section}\n"

    made, mapper = mapped(text, [{"name": "n"}, {"name": "m", "home": "h", "z": "z"}])

    assert len(made) == 1
    assert mapper.counts.reasons == {f"{rule}: missing": 1}


def test_d5_to_strict_users_a_missing_field_is_a_failure() -> None:
    text = f"{FILE}    category: {{type: copy, value: kind}}\n"

    assert mapped(text, [{"name": "a"}])[1].report().failures == ()
    (failure,) = mapped(text, [{"name": "a"}], strict=True)[1].report().failures
    assert failure.what == "kind is missing or null in 1 values"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("{type: copy, value: a}", None),
        (TEMPLATE % "{{.Field}}", "<no value>"),
        (TEMPLATE % "{{uppercase .Field}}", ""),
        (TEMPLATE % "{{if .Field}}y{{else}}n{{end}}", "n"),
    ],
)
def test_d6_null_is_missing_but_a_template_sees_it(value: str, wanted: str | None) -> None:
    assert info_of(value, {"a": None}) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1234567, "1234567"),
        (12345678901234567890, "12345678901234567890"),
        (1e21, "1000000000000000000000"),
        (7.0, "7"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_d7_numbers_and_booleans_are_plain_texts_where_a_text_is_due(
    value: object, wanted: str
) -> None:
    text = f"{FILE}    category: {{type: copy, value: c}}\n"
    resource = f"  resource:\n    name: {NAME}\n    component: {NAME}\n"

    made, _ = mapped(text + resource, [{"name": value, "c": value}])

    assert (made[0]["name"], made[0]["category"]) == (wanted, wanted)
    assert (made[1]["name"], made[1]["component"]) == (wanted, wanted)


@pytest.mark.parametrize("key", ["name", "category", "description"])
@pytest.mark.parametrize("value", [["x"], {"x": 1}])
def test_d7_an_array_or_an_object_skips_the_row(key: str, value: object) -> None:
    text = f"{FILE}    category: {{type: copy, value: category}}\n"
    text += "    description: {type: copy, value: description}\n"
    good = {"name": "n", "category": "c", "description": "d"}

    made, mapper = mapped(text, [good | {key: value}, good])

    assert len(made) == 1
    assert mapper.counts.reasons == {f"component.{key}: not a text": 1}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("0123", []),
        (7, []),
        (7.0, []),
        (True, []),
        (["a", "b"], []),
        ([], []),
        ("", []),
        (0.5, ["a fractional number matches no pattern: 0.5"]),
        ({"k": None}, ["an object can neither be edited nor matched: {'k': None}"]),
        ([1, "b"], ["an array that is not all texts matches no pattern: [1, 'b']"]),
    ],
)
def test_d8_an_info_is_copied_as_it_is_and_told_of_once_when_it_is_odd(
    value: object, told: list[str]
) -> None:
    copy = "{type: copy, value: a}"

    assert info_of(copy, {"a": value}) == value
    assert type(info_of(copy, {"a": value})) is type(value)
    assert odd(copy, {"a": value}) == told


def test_d9_numbers_in_templates_print_as_go_prints_them() -> None:
    value = TEMPLATE % "{{.Field}}"

    assert info_of(value, {"a": 1234567}) == "1.234567e+06"
    assert info_of(value, {"a": 999999}) == "999999"
    assert info_of(TEMPLATE % '{{printf "%.0f" .Field}}', {"a": 1234567}) == "1234567"
    (told,) = odd(value, {"a": 1234567})
    assert '{{ printf "%.0f" .Field }}' in told
    assert odd(value, {"a": 999999}) == []


def test_d9_numbers_plain_is_ours() -> None:
    text = with_info(TEMPLATE % "{{.Field}}").replace("path: rows", "numbers: plain")

    made, mapper = mapped(text, [{"name": "n", "a": 1234567}])

    assert made[0]["infos"]["x"]["value"] == "1234567"
    assert mapper.counts.odd == {}


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("0123", "0123"),
        ("yes", "yes"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2021-09-29", "2021-09-29"),
        ("12:30:45", "12:30:45"),
        ("True", "True"),
        ('"a b"', "a b"),
        ("~", ""),
        ("[a, 0123]", ["a", "0123"]),
    ],
)
def test_d10_a_constant_is_its_source_text(written: str, wanted: object) -> None:
    assert info_of(f"{{type: set, value: {written}}}", {}) == wanted


def test_d11_without_field_a_template_sees_null() -> None:
    assert info_of("{type: template, value: 'x{{.Field}}'}", {"Field": "f"}) == "x<no value>"


@pytest.mark.parametrize("value", [5, True, None, ["b"], {"b": 1}])
def test_d12_a_regexp_does_not_match_what_is_no_text(value: object) -> None:
    assert info_of(REGEXP % ("(?P<m>.)", "{{.RegexMatch.m}}"), {"a": value}) is None
    assert info_of(REGEXP % (".*", "{{if .RegexMatch}}y{{else}}n{{end}}"), {"a": value}) == "n"


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{.RegexMatch.m}}", None),
        ("constant", None),
        ("{{.Field}}", None),
        ('{{index .RegexMatch "m"}}', None),
        # one that asks whether there is a match has its own answer (§2.1)
        ("{{if .RegexMatch}}y{{else}}n{{end}}", "n"),
    ],
)
def test_d13_without_a_match_there_is_no_value(template: str, wanted: str | None) -> None:
    assert info_of(REGEXP % ("^b(?P<m>.)", template), {"a": "c"}) == wanted


@pytest.mark.parametrize(
    "value",
    [
        TEMPLATE % "{{.Field",
        TEMPLATE % "{{nofunction}}",
        REGEXP % ("a(b", "x"),
        REGEXP % ("a", "{{"),
    ],
)
def test_d14_what_cannot_be_compiled_refuses_the_file(value: str) -> None:
    with pytest.raises(DriverErrors) as refused:
        read_driver(with_info(value))

    (fault,) = refused.value.problems
    assert fault.line == 10
    assert fault.key.startswith("mapping.component.infos.x.value.")


def test_d15_a_template_that_fails_on_a_row_leaves_its_value_out() -> None:
    value = TEMPLATE % "{{add .Field 1}}"

    made, mapper = mapped(with_info(value), [{"name": "n", "a": 1}, {"name": "m", "a": "1"}])

    assert [each["infos"] for each in made] == [{}, {}]
    (note,) = mapper.counts.failed.values()
    assert (note.rule, note.count, note.number) == ("component.infos.x", 2, 1)
    assert "failed convert to int64" in note.reason


def test_d20_the_rows_of_a_map_are_its_values_in_their_order() -> None:
    text = with_info("{type: copy, value: $key}").replace("path: rows", "is_map: true")
    rows = rows_of(read_driver(text), {"z": {"name": "1"}, "a": {"name": "2"}, "m": "odd"})

    made, mapper = mapped(text, rows)

    assert [(each["name"], each["infos"]["x"]["value"]) for each in made] == [
        ("1", "z"),
        ("2", "a"),
    ]
    assert mapper.counts.reasons == {"row: not an object": 1}


def test_d22_a_row_gives_one_entity_a_section_components_first_services_last() -> None:
    sections = (
        f"  service:\n    name: {NAME}\n    pattern: {{field: name, cond: eq, value: {NAME}}}\n"
        f"  resource:\n    name: {NAME}\n    component: {NAME}\n"
    )
    text = FILE.replace("  component:", f"{sections}  component:")

    made, mapper = mapped(text, [{"name": "a"}, {"name": "b"}])

    order = ["component", "component", "resource", "resource", "service", "service"]
    assert [each["type"] for each in made] == order
    assert [each["name"] for each in made] == ["a", "b"] * 3
    assert mapper.report().datasets["rows"].entities == 6


def test_d30_tags_several_conditions_and_upstream_are_ours() -> None:
    entity = (
        "    tags: {zone: {type: copy, value: zone}, none: {type: copy, value: no}}\n"
        f"    upstream: {NAME}\n"
    )
    one = f"{{field: name, cond: eq, value: {NAME}}}"
    two = "{field: type, cond: eq, value: {type: set, value: component}}"

    made, _ = mapped(FILE + entity, [{"name": "n", "zone": "z"}])
    assert (made[0]["tags"], made[0]["upstream"]) == ({"zone": "z"}, "n")

    for pattern, groups in ((f"[{one}, {two}]", [2]), (f"[[{one}], [{two}, {one}]]", [1, 2])):
        service = f"  service:\n    name: {NAME}\n    pattern: {pattern}\n"
        made, _ = mapped(FILE + service, [{"name": "n"}])
        assert [len(group) for group in made[1]["entity_pattern"]] == groups


@pytest.mark.parametrize(
    ("condition", "value", "wanted"),
    [
        ("field: infos.a, field_type: string_array, cond: has_one_of", "x", ["x"]),
        ("field: infos.a, field_type: string_array, cond: has_every", ["x", 1], ["x", "1"]),
        ("field: infos.a, field_type: string_array, cond: has_not", 5, ["5"]),
        ("field: name, cond: is_one_of", "x", ["x"]),
        ("field: name, cond: eq", 5, "5"),
        ("field: infos.a, field_type: int, cond: eq", "12", 12),
        ("field: infos.a, field_type: int, cond: neq", 12.0, 12),
        ("field: infos.a, field_type: bool, cond: eq", "true", True),
        ("field: infos.a, field_type: string, cond: eq", 12, "12"),
        ("field: impact_level, cond: gt", "3", 3),
    ],
)
def test_d31_a_value_becomes_what_its_condition_takes(
    condition: str, value: object, wanted: object
) -> None:
    pattern = f"{{{condition}, value: {{type: copy, value: v}}}}"
    service = f"  service:\n    name: {NAME}\n    pattern: {pattern}\n"

    made, _ = mapped(FILE + service, [{"name": "n", "v": value}])

    (((found,),)) = made[1]["entity_pattern"]
    assert found["cond"]["value"] == wanted
    assert type(found["cond"]["value"]) is type(wanted)


def test_d33_variables_are_absent_unless_one_is_given() -> None:
    text = with_info("{type: template, value: '{{.Env.x}}'}")

    assert mapped(text, [{"name": "n"}])[0][0]["infos"] == {}
    given, _ = mapped(text, [{"name": "n"}], variables={"x": "1"})
    assert given[0]["infos"]["x"]["value"] == "1"
    other, _ = mapped(text, [{"name": "n"}], variables={"y": "1"})
    assert other[0]["infos"] == {}


def test_d34_the_zone_is_that_of_localtime() -> None:
    moment = datetime(2021, 9, 29, 10, tzinfo=UTC)
    text = with_info(TEMPLATE % '{{localtime "15h" .Field}}')

    for zone, wanted in (("Europe/Paris", "12h"), (None, "10h")):
        template = read_driver(text, zone=zone).rules[0].infos[0].value.template
        assert template is not None
        assert template.render({"Field": moment}) == wanted


def test_d35_the_dot_is_a_map_of_field_and_match() -> None:
    assert info_of(TEMPLATE % "{{.}}", {"a": "t"}) == "map[Field:t RegexMatch:map[]]"
    assert info_of(REGEXP % ("(?P<g>.)", "{{.}}"), {"a": "t"}) == (
        "map[Field:t RegexMatch:map[g:t]]"
    )


def test_every_key_of_ours_is_read() -> None:
    file = read_driver(read("every_key.yml"))

    assert file.template_vars == (("site", "north"),)
    assert file.missing == "delete"
    assert not file.plain_numbers
