"""What the compiler tells of a mapping: everything at once, each with its place and its mend."""

from typing import Any

import pytest

from mappings.compile import compile_mapping
from mappings.errors import MappingErrors, Problem
from mappings.language import MappingBlock
from mappings.mapper import Mapper

COMPONENT = ("mapping", "entities", 0, "component")


def block(component: dict[str, Any] | None = None, **more: Any) -> MappingBlock:
    entities = {"dataset": "servers", "component": {"name": "name", **(component or {})}}
    entities |= more.pop("entities", {})
    return MappingBlock.model_validate({"entities": [entities], **more})


def service(pattern: Any, **more: Any) -> MappingBlock:
    entities = {"dataset": "links", "service": {"name": "app", "pattern": pattern, **more}}
    return MappingBlock.model_validate({"entities": [entities]})


def problems(written: MappingBlock, datasets: Any = None) -> list[Problem]:
    with pytest.raises(MappingErrors) as caught:
        compile_mapping(written, datasets=datasets)
    return list(caught.value.problems)


def only(written: MappingBlock, datasets: Any = None) -> Problem:
    (problem,) = problems(written, datasets)
    return problem


def test_every_problem_is_told_with_its_path_and_its_mend() -> None:
    infos = {
        "env": {"value": {"copy": "status", "lookup": "environment"}},
        "site": {"value": "{{ upercase .site }}"},
        "rack": {"value": "location..rack"},
    }
    written = block({"infos": infos}, lookups={"environments": {"production": "prod"}})

    found = problems(written, datasets=["server"])

    at = (*COMPONENT, "infos")
    assert [(problem.path, problem.what, problem.mend) for problem in found] == [
        (
            ("mapping", "entities", 0, "dataset"),
            *("unknown dataset 'servers'", "did you mean 'server'?"),
        ),
        (
            (*at, "env", "value", "lookup"),
            *("unknown lookup 'environment'", "did you mean 'environments'?"),
        ),
        (
            (*at, "site", "value"),
            *('template: function "upercase" not defined', "did you mean 'uppercase'?"),
        ),
        (
            (*at, "rack", "value"),
            "path 'location..rack' has an empty step",
            r"write the keys with one dot between two; a dot inside a key is written \.",
        ),
    ]


def test_the_error_itself_names_every_problem() -> None:
    written = block({"category": "a..b", "infos": {"env": "c..d"}})

    with pytest.raises(MappingErrors, match="2 problems in the mapping") as caught:
        compile_mapping(written)

    assert [note.split(": ")[0] for note in caught.value.__notes__] == [
        "mapping.entities.0.component.category",
        "mapping.entities.0.component.infos.env",
    ]


def test_a_fault_inside_a_template_has_its_line_and_column() -> None:
    written = block({"infos": {"x": {"value": "{{ if .a }}\n  {{ .b | upercase }}\n{{ end }}"}}})

    problem = only(written)

    assert problem.path == (*COMPONENT, "infos", "x", "value")
    assert problem.offset == (1, 10)


def test_a_fault_inside_an_expression_has_its_column() -> None:
    problem = only(block({"infos": {"x": {"value": {"regexp": "CMDB:(?P<SI>[", "field": "a"}}}}))

    assert problem.path == (*COMPONENT, "infos", "x", "value", "regexp")
    assert problem.offset == (0, 12)


@pytest.mark.parametrize(
    ("info", "place"),
    [
        ("a..b", ()),
        ({"value": "a..b"}, ("value",)),
        ({"copy": "a..b"}, ("copy",)),
        ({"value": {"copy": "a..b"}}, ("value", "copy")),
        ({"type": "copy", "value": "a..b"}, ("value",)),
        ({"value": {"type": "copy", "value": "a..b"}}, ("value", "value")),
        ({"value": {"regexp": "x", "field": "a..b"}}, ("value", "field")),
        ({"template": "{{ .Field", "field": "a"}, ("template",)),
    ],
    ids=str,
)
def test_a_problem_points_at_what_was_written(info: object, place: tuple[str, ...]) -> None:
    problem = only(block({"infos": {"x": info}}))

    assert problem.path == (*COMPONENT, "infos", "x", *place)


@pytest.mark.parametrize(
    "template",
    ["{{ . }}", "{{ json . }}", "{{ range $key, $value := . }}{{ $key }}{{ end }}"],
)
def test_a_template_over_the_whole_record_is_refused(template: str) -> None:
    problem = only(block({"infos": {"x": {"value": template}}}))

    assert "looks into the record as a whole" in problem.what
    assert "name its fields" in problem.mend


@pytest.mark.parametrize(
    ("value", "what", "mend"),
    [
        (
            {"template": "{{ .Fields }}", "field": "a"},
            *("with field a template does not see .Fields", "did you mean 'Field'?"),
        ),
        (
            {"template": "{{ .RegexMatch.SJ }}", "field": "a", "regexp": "(?P<SI>.)"},
            *("with field a template does not see .RegexMatch.SJ", "did you mean 'RegexMatch.SI'?"),
        ),
        (
            {"template": "{{ .RegexMatch.SI }}", "field": "a"},
            *("with field a template does not see .RegexMatch.SI", "it sees: Field"),
        ),
    ],
    ids=["field", "group", "no regexp"],
)
def test_a_template_with_field_sees_field_and_groups_alone(
    value: object, what: str, mend: str
) -> None:
    problem = only(block({"infos": {"x": {"value": value}}}))

    assert (problem.what, problem.mend) == (what, mend)


def test_a_template_without_fields_that_fails_is_refused() -> None:
    assert "division by zero" in only(block({"infos": {"x": {"value": "{{ div 1 0 }}"}}})).what


@pytest.mark.parametrize("key", ["a.b", "$a", "a$", "a\x00b", "", " ", "k" * 256], ids=repr)
def test_a_key_that_canopsis_could_not_use_is_refused_at_the_key(key: str) -> None:
    problem = only(block({"infos": {key: "a"}}))

    assert problem.path == (*COMPONENT, "infos", key)
    assert problem.on_key


@pytest.mark.parametrize("twin", ["ENV", "env "])
def test_two_keys_of_infos_that_only_look_different_are_refused(twin: str) -> None:
    problem = only(block({"infos": {"env": "a", twin: "b"}}))

    assert problem.path == (*COMPONENT, "infos", twin)
    assert "differs from 'env' by case or blanks alone" in problem.what


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("impact_level", 11, "impact_level 11 is not from 1 to 10"),
        ("impact_level", {"set": "high"}, "'high' is not a whole number"),
        ("category", {"set": ["a"]}, "an array cannot be a text: ['a']"),
        ("name", {"set": " "}, "the name is blank"),
        ("name", {"set": "a\tb"}, "the name holds the character U+0009"),
        ("name", {"set": "n" * 256}, "the name has 256 characters and Canopsis takes 255"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_constant_that_its_place_cannot_take_is_refused(
    key: str, value: object, what: str
) -> None:
    assert only(block({key: value})).what.startswith(what)


def test_a_default_or_a_row_that_its_place_cannot_take_is_refused() -> None:
    level = {"copy": "a", "lookup": {"low": 1, "huge": 99}, "default": 0}

    found = problems(block({"impact_level": level}))

    assert [(problem.path[-1], problem.what) for problem in found] == [
        ("lookup", "row 'huge': impact_level 99 is not from 1 to 10"),
        ("default", "impact_level 0 is not from 1 to 10"),
    ]


def test_a_service_name_that_hides_it_from_the_api_is_refused() -> None:
    written = MappingBlock.model_validate(
        {
            "entities": [
                {
                    "dataset": "a",
                    "service": {
                        "name": {"set": "R/H"},
                        "pattern": {"field": "name", "cond": "eq", "value": "b"},
                    },
                }
            ]
        }
    )

    assert "cannot hold '/'" in only(written).what


@pytest.mark.parametrize(
    ("condition", "key", "what", "mend"),
    [
        (
            {"field": "connector", "cond": "eq", "value": "a"},
            *("field", "a service's pattern cannot use 'connector'", "use name, component"),
        ),
        (
            {"field": "component_infos.x", "cond": "eq", "value": "a", "field_type": "string"},
            *("field", "a service's pattern cannot use 'component_infos.x'", "use name"),
        ),
        (
            {"field": "nam", "cond": "eq", "value": "a"},
            *("field", "no pattern field 'nam'", "did you mean 'name'?"),
        ),
        (
            {"field": "infos.app", "cond": "eq", "value": "a"},
            *("field", "infos.app needs a field_type", "add field_type: string or int or bool"),
        ),
        (
            {"field": "infos.app", "cond": "has_one_of", "field_type": "string", "value": "a"},
            *("cond", "no condition 'has_one_of' on infos.app, which is of type string", ""),
        ),
        (
            {"field": "name", "cond": "is_on_of", "value": "a"},
            *("cond", "no condition 'is_on_of' on name", "did you mean 'is_one_of'?"),
        ),
        (
            {"field": "name", "cond": "eq", "field_type": "string", "value": "a"},
            *("field_type", "name has a type of its own", "remove field_type"),
        ),
        (
            {"field": "impact_level", "cond": "gt", "value": {"set": "high"}},
            *("value", "'high' is not a whole number", ""),
        ),
        (
            {"field": "name", "cond": "regexp", "value": {"set": "a("}},
            *("value", "'a(' is no expression: Canopsis would skip it", ""),
        ),
        (
            {"field": "name", "cond": "contain", "value": {"set": ""}},
            *("value", "the pattern's text is empty", ""),
        ),
        (
            {"field": "name", "cond": "is_one_of", "value": {"set": []}},
            *("value", "the pattern's list is empty", ""),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pattern_that_canopsis_would_skip_is_refused(
    condition: dict[str, Any], key: str, what: str, mend: str
) -> None:
    shapes = {
        (): condition,
        (1,): [{"field": "type", "cond": "eq", "value": {"set": "component"}}, condition],
        (0, 0): [[condition]],
    }
    for place, pattern in shapes.items():
        problem = problems(service(pattern))[0]

        assert problem.path[:5] == ("mapping", "entities", 0, "service", "pattern")
        assert problem.path[5 : 6 + len(place)] == (*place, key)
        assert problem.what.startswith(what)
        assert problem.mend.startswith(mend)


@pytest.mark.parametrize("pattern", [[], [[]], [[], []]], ids=str)
def test_a_pattern_without_conditions_is_refused(pattern: Any) -> None:
    assert "a group without conditions" in problems(service(pattern))[0].what


def test_a_field_cannot_be_both_ignored_and_mapped() -> None:
    written = block({"infos": {"site": "location.site"}}, entities={"ignore": ["location.site"]})

    assert only(written).what == "'location.site' is ignored and mapped"


def test_the_rest_of_an_object_can_be_ignored_beside_a_mapped_field() -> None:
    written = block({"infos": {"site": "location.site"}}, entities={"ignore": ["location.rack"]})

    assert compile_mapping(written).datasets == ("servers",)


def test_two_rules_that_make_the_same_entities_are_refused() -> None:
    entities = {"dataset": "servers", "component": {"name": "name"}}
    written = MappingBlock.model_validate({"entities": [entities, entities]})

    problem = only(written)

    assert problem.path == ("mapping", "entities", 1, "component")
    assert problem.mend == "put the infos of both into one"


def test_expectations_of_unknown_names_are_refused_at_their_key() -> None:
    expect = {"server": {"min": 1}, "servers": {"filled": {"sit": 1}, "min": 5, "max": 3}}
    written = block({"infos": {"site": "a"}}, expect=expect)

    found = problems(written)

    assert [(problem.path[2:], problem.what, problem.mend) for problem in found] == [
        (("server",), "unknown dataset 'server'", "did you mean 'servers'?"),
        (("servers", "filled", "sit"), "no info 'sit'", "did you mean 'site'?"),
        (("servers", "min"), "min 5 is more than max 3", "lower it"),
    ]


def test_the_fields_are_those_that_rules_read() -> None:
    infos = {
        "a": "location.rack.name",
        "b": {"value": {"template": "{{ .Field }}", "field": "owner.team"}},
        "c": {"value": "{{ .x }}-{{ if .y }}{{ .z.u }}{{ end }}"},
        "d": {"value": {"regexp": "(.)", "field": r"Resp\. technique"}},
        "e": {"value": {"set": "constant"}},
    }
    mapper = compile_mapping(block({"infos": infos}, entities={"ignore": ["i"]}))

    assert mapper.fields("servers") == {
        *("name", "location.rack.name", "owner.team", "x", "y", "z.u", "Resp. technique"),
    }


def test_only_lists_that_vary_make_a_service_gathered() -> None:
    def gathers(cond: str, value: object, field_type: str = "") -> bool:
        field = "infos.x" if field_type else "name"
        condition = {"field": field, "cond": cond, "value": value}
        condition |= {"field_type": field_type} if field_type else {}
        return compile_mapping(service(condition)).gathers("links")

    assert gathers("is_one_of", "server")
    assert gathers("has_one_of", "server", "string_array")
    assert not gathers("eq", "server")
    assert not gathers("is_one_of", {"set": ["a", "b"]})


HOSTILE = [
    "'); raise SystemExit('x",
    '"""\nimport os\n"""',
    "a\n    raise SystemExit",
    "\\",
    "{0}",
    "{__import__('os')}",
    "#\r\nraise SystemExit",
    "\u2028raise SystemExit",
    "é' + missed_0 + '",
]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_text_of_a_job_never_becomes_code(text: str) -> None:
    path = text.replace("\\", "").replace(".", "").replace("[", "") or "x"
    infos = {
        "k" + text.replace(".", "").replace("\n", "").replace("\r", ""): {
            "value": {"copy": path, "lookup": {text: text}, "unknown": "keep", "default": text},
            "description": text,
        },
        "constant": {"value": {"set": [text]}},
    }
    component = {"name": path, "category": {"set": text}, "infos": infos}
    written = MappingBlock.model_validate(
        {"entities": [{"dataset": text, "component": component, "ignore": ["i" + path]}]}
    )

    mapper = compile_mapping(written)
    mapped = mapper.map_page(text, [{path: "n"}], 1)

    assert mapped.entities.ids == ["n"]
    assert mapped.rejects == []


def test_the_generated_source_can_be_read() -> None:
    mapper: Mapper = compile_mapping(block({"infos": {"site": "location.site"}}))

    assert "def unit_0(records" in mapper.source
    assert "# 'component.infos.site'" in mapper.source
