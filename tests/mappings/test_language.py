"""The mapping block as written: forms of a value, and what is refused before compiling."""

import copy
import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mappings.errors import MappingErrors, Path, Problem
from mappings.language import MappingBlock
from mappings.loading import load_mapping
from mappings.strict import Strict
from mappings.value_rule import ValueRule
from tests.mappings.every_word import EVERY_WORD, read_file, words

VALID: dict[str, Any] = {
    "lookups": {"environments": {"production": "prod", 1: "one"}},
    "entities": [
        {
            "dataset": "servers",
            "component": {
                "name": "name",
                "category": {"set": "Server"},
                "impact_level": {"copy": "level", "lookup": {"low": 1}, "default": 1},
                "infos": {
                    "env": {
                        "value": {"copy": "status", "lookup": "environments", "unknown": "warn"},
                        "description": "Environment",
                    },
                    "opened": {
                        "first_of": ["opened", "created"],
                        "trim": True,
                        "strip_accents": True,
                        "case": "upper",
                        "cast": {"type": "date", "format": "%d/%m/%Y", "zone": "UTC", "to": "day"},
                    },
                    "tags": {"copy": "tags", "split": ",", "join": ";", "hash": "sha256"},
                    "si": {"value": {"regexp": "(?P<SI>.*)", "field": "asset", "required": True}},
                },
            },
            "ignore": ["finalclass"],
        },
        {
            "dataset": "links",
            "service": {
                "name": {"type": "template", "value": "APP-{{ .Field }}", "field": "app"},
                "pattern": {"field": "name", "cond": "is_one_of", "value": "server"},
            },
        },
    ],
    "expect": {"servers": {"min": 1, "max": 9, "filled": {"env": "90%"}, "rejects": 0.1}},
}


def problems(raw: object, datasets: Any = None) -> tuple[Problem, ...]:
    with pytest.raises(MappingErrors) as caught:
        load_mapping(raw, datasets=datasets, read_file=read_file)
    return caught.value.problems


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [model, *(each for sub in model.__subclasses__() for each in models(sub))]


def with_info(info: object) -> dict[str, Any]:
    component = {"name": "name", "infos": {"x": info}}
    return {"entities": [{"dataset": "servers", "component": component}]}


@pytest.mark.parametrize(
    ("written", "kind", "content"),
    [
        ("location.site", "copy", "location.site"),
        ({"copy": "location.site"}, "copy", "location.site"),
        ({"type": "copy", "value": "location.site"}, "copy", "location.site"),
        ("APP-{{ .code }}", "template", "APP-{{ .code }}"),
        ({"template": "{{ .Field }}", "field": "a"}, "template", "{{ .Field }}"),
        ({"type": "template", "value": "{{ .Field }}", "field": "a"}, "template", "{{ .Field }}"),
        ({"regexp": "a(.)", "field": "a"}, "regexp", ""),
        ({"type": "regexp", "regexp": "a(.)", "field": "a"}, "regexp", ""),
        (
            {"type": "regexp", "regexp": "a", "field": "a", "value": "{{ .Field }}"},
            *("template", "{{ .Field }}"),
        ),
    ],
    ids=str,
)
def test_short_and_long_forms_say_the_same(written: object, kind: str, content: str) -> None:
    rule = ValueRule.model_validate(written)

    assert (rule.kind, rule.text) == (kind, content)


@pytest.mark.parametrize(
    ("written", "constant"),
    [
        ({"set": "Server"}, "Server"),
        ({"type": "set", "value": "Server"}, "Server"),
        (3, 3),
        (True, True),
        ({"set": ["a", "b"]}, ["a", "b"]),
        ({"set": "{{ not a template }}"}, "{{ not a template }}"),
    ],
    ids=str,
)
def test_a_constant_keeps_its_type(written: object, constant: object) -> None:
    rule = ValueRule.model_validate(written)

    assert (rule.kind, rule.constant) == ("set", constant)


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ({}, "no value: write a path, or one of copy, set, template"),
        ({"copy": "a", "set": "b"}, "copy and set exclude each other"),
        ({"value": "a"}, "value needs type: set, copy, template"),
        ({"type": "copy"}, "type copy needs value"),
        ({"type": "copy", "value": 3}, "the value of type copy must be a text"),
        ({"copy": "a", "field": "b"}, "field needs template or regexp"),
        ({"template": "{{ .Field }}", "regexp": "a"}, "regexp needs field, its subject"),
        ({"type": "regexp", "field": "a"}, "type regexp needs regexp"),
        ({"copy": "a", "unknown": "keep"}, "unknown needs a lookup"),
        ({"copy": "a", "lookup": {"b": 1}, "unknown": "default"}, "unknown: default needs default"),
        ({"copy": "a", "required": True, "default": 1}, "required and default contradict"),
        ({"set": "a", "default": 1}, "a constant needs no lookup, default or required"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_contradicts_itself_is_refused(written: object, what: str) -> None:
    found = problems(with_info({"value": written}))

    assert [problem.what for problem in found] == [what]


def test_an_info_is_written_whole_or_as_its_value_alone() -> None:
    forms = [
        {"value": "status", "description": "Status"},
        {"value": {"copy": "status"}, "description": "Status"},
        {"copy": "status", "description": "Status"},
        {"type": "copy", "value": "status", "description": "Status"},
    ]

    for form in forms:
        rule = MappingBlock.model_validate(with_info(form)).entities[0].component
        assert rule is not None
        assert (rule.infos["x"].value.text, rule.infos["x"].description) == ("status", "Status")


def test_a_block_is_frozen() -> None:
    block = MappingBlock.model_validate(VALID)

    with pytest.raises(ValidationError):
        block.lookups = {}


def test_every_field_of_every_model_is_described() -> None:
    schema = MappingBlock.model_json_schema()

    undescribed = [
        f"{name}.{key}"
        for name, model in [("MappingBlock", schema), *schema["$defs"].items()]
        for key, value in model["properties"].items()
        if not value.get("description")
    ]
    assert undescribed == []


def test_the_json_schema_knows_the_short_forms() -> None:
    schema = MappingBlock.model_json_schema()

    value, info = schema["$defs"]["ValueRule"], schema["$defs"]["InfoRule"]
    assert value["type"] == ["object", "string", "number", "boolean"]
    assert value["properties"].keys() >= {"copy", "set", "template", "lookup"}
    assert info["properties"].keys() == {"value", "description"}
    (flat,) = info["patternProperties"]
    assert re.fullmatch(flat, "copy")


def spoilt(path: Path, key: object, value: object) -> dict[str, Any]:
    """The mapping with another key, or another value, at *path*; the order of keys stays."""
    raw = copy.deepcopy(EVERY_WORD)
    parent: Any = raw
    for step in path[:-1]:
        parent = parent[step]
    rest = {(key if each == path[-1] else each): parent[each] for each in parent}
    parent.clear()
    parent.update({each: value if each == key else content for each, content in rest.items()})
    return raw


def test_the_mapping_that_is_spoilt_compiles_and_uses_every_word() -> None:
    load_mapping(EVERY_WORD, read_file=read_file)

    used = {path[-1] for path, _ in words()}
    known = {
        field.alias or name
        for model in models(Strict)
        if model.__module__.startswith("mappings.")
        for name, field in model.model_fields.items()
    }
    assert known - used == {"include", "variables"}


@pytest.mark.parametrize(("path", "value"), words(), ids=str)
def test_any_misspelt_key_is_told_with_the_right_word(path: Path, value: object) -> None:
    key = str(path[-1])
    misspelt = f"{key}z"

    found = problems(spoilt(path, misspelt, value))

    assert [(problem.path, problem.what, problem.mend) for problem in found] == [
        (("mapping", *path[:-1], misspelt), f"unknown key {misspelt!r}", f"did you mean {key!r}?")
    ]
    assert found[0].on_key


@pytest.mark.parametrize(("path", "value"), words(), ids=str)
def test_any_value_of_the_wrong_type_is_told_at_its_place(path: Path, value: object) -> None:
    wrong = [[1]] if isinstance(value, dict) else {"what": {"is": "this"}}

    found = problems(spoilt(path, path[-1], wrong))

    assert found
    assert all(problem.path[: len(path) + 1] == ("mapping", *path) for problem in found), found


WORDS = ("case", "hash", "unknown", "type", "to", "cond", "field_type")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (path, value)
        for path, value in words()
        if path[-1] in WORDS or (path[-1] == "cast" and isinstance(value, str))
    ],
    ids=str,
)
def test_any_misspelt_word_is_told_with_the_right_one(path: Path, value: str) -> None:
    found = problems(spoilt(path, path[-1], f"{value}z"))

    assert [(problem.path, problem.mend) for problem in found] == [
        (("mapping", *path), f"did you mean {value!r}?")
    ]
    assert repr(f"{value}z") in found[0].what


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, value in words() if path[-1] in ("lookup", "dataset")],
    ids=str,
)
def test_any_misspelt_name_is_told_with_the_right_one(path: Path, value: str) -> None:
    found = problems(spoilt(path, path[-1], f"{value}z"), datasets=["servers", "links", "domains"])

    at = ("mapping", *path)
    assert [problem.mend for problem in found if problem.path == at] == [f"did you mean {value!r}?"]


def test_a_fault_does_not_hide_those_behind_it() -> None:
    raw = copy.deepcopy(VALID)
    component = raw["entities"][0]["component"]
    component["nam"] = component.pop("name")
    component["infos"]["env"]["value"]["lookup"] = "environment"
    component["infos"]["si"]["value"]["regexp"] = "(?P<SI"
    raw["entities"][1]["service"]["name"]["value"] = "APP-{{ upercase .Field }}"
    raw["entities"][1]["service"]["pattern"]["cond"] = "is_oneof"
    raw["expect"]["servers"]["min"] = "many"

    found = problems(raw)

    entities = ("mapping", "entities")
    assert [problem.path for problem in found] == [
        (*entities, 0, "component", "infos", "env", "value", "lookup"),
        (*entities, 0, "component", "infos", "si", "value", "regexp"),
        (*entities, 0, "component", "nam"),
        (*entities, 1, "service", "name", "value"),
        (*entities, 1, "service", "pattern", "cond"),
        ("mapping", "expect", "servers", "min"),
    ]


def test_a_faulty_table_is_told_once_however_many_rules_name_it() -> None:
    raw = copy.deepcopy(VALID)
    raw["lookups"]["environments"] = ["production"]

    found = problems(raw)

    assert [problem.path for problem in found] == [("mapping", "lookups", "environments")]


def test_a_faulty_info_does_not_make_its_expectation_faulty() -> None:
    raw = copy.deepcopy(VALID)
    raw["entities"][0]["component"]["infos"]["env"] = [1]

    found = problems(raw)

    assert [problem.path[-1] for problem in found] == ["env"]


@pytest.mark.parametrize("raw", [None, 3, [], "x", {}, {"entities": []}], ids=str)
def test_what_is_no_mapping_at_all_is_one_problem(raw: object) -> None:
    assert len(problems(raw)) == 1


@pytest.mark.parametrize("word", ["description", "enabled"])
def test_a_word_of_the_driver_that_says_nothing_here_is_told_with_the_way_out(word: str) -> None:
    raw = copy.deepcopy(VALID)
    raw["entities"][0]["component"][word] = {"set": "x"}

    (problem,) = problems(raw)

    assert problem.path == ("mapping", "entities", 0, "component", word)
    assert problem.mend.endswith(("make it an info", "remove it"))


def test_two_rows_with_the_same_text_are_refused() -> None:
    raw = copy.deepcopy(VALID)
    raw["lookups"]["environments"] = {1: "a", "1": "b"}

    (problem,) = problems(raw)

    assert "'1' stands twice" in problem.what


def test_models_refuse_unknown_words_everywhere() -> None:
    assert all(model.model_config["extra"] == "forbid" for model in models(Strict))
    assert all(model.model_config["frozen"] for model in models(Strict))
