"""The JSON Schema of job files: it takes what compiles, and sees in an editor what does not."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it ships none
from jsonschema.exceptions import best_match  # type: ignore[import-untyped] # it ships none

from flows.job import SHIPPED
from flows.job_schema import job_schema
from flows.yaml_file import YamlFile
from tests.flows.workshop import JOB

VALIDATOR = Draft202012Validator(job_schema())
JOBS = sorted(SHIPPED.glob("[!_]*/[!_]*.yaml"))


def told(document: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def document(text: str = JOB) -> Any:
    return YamlFile("job.yaml", text).data


def without(*path: str | int) -> Any:
    """The job without what stands at *path*."""
    made = document()
    node = made
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return made


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(job_schema())
    assert orjson.loads(orjson.dumps(job_schema())) == job_schema()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.parent.name}/{job.stem}")
def test_every_job_that_is_shipped_is_valid(job: Path) -> None:
    assert told(document(job.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (("sync",), "sync"),
        (("source", "connection"), "connection"),
        (("mapping", "entities"), "entities"),
        (("mapping", "entities", 0, "dataset"), "dataset"),
        (("mapping", "entities", 0, "component", "name"), "name"),
        (("sync", "import_source"), "import_source"),
    ],
)
def test_what_is_missing_is_seen_unless_a_fragment_beside_or_above_may_give_it(
    path: tuple[str | int, ...], word: str
) -> None:
    assert told(without(*path)) == [f"{word!r} is a required property"]
    assert told(without(*path) | {"include": ["_shared.yaml"]}) == []


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_a_fragment_may_stand_in_the_mapping_in_a_block_and_in_an_entity(depth: int) -> None:
    path = ("mapping", "entities", 0, "component")[:depth]
    made = without("mapping", "entities", 0, "component", "name")
    node = made
    for step in path:
        node = node[step]
    node["include"] = "_shared.yaml"

    assert told(made) == []


def test_a_fragment_has_no_place_in_the_source_in_a_value_or_in_an_info() -> None:
    for path in (("source",), ("sync",), ("mapping", "entities", 0, "component", "infos", "site")):
        made = document()
        node = made
        for step in path:
            node = node[step]
        node["include"] = "_shared.yaml"

        assert told(made)


def test_a_variable_may_stand_for_what_is_no_text() -> None:
    made = document()
    made["variables"] = {"least": 3, "missing": "keep", "sites": ["Lyon"], "on": True}
    made["sync"] |= {"missing": "${missing}", "limits": {"missing": "${share}"}}
    block = made["mapping"]["entities"][0]
    block["component"]["infos"]["site"] = {"copy": "site", "trim": "${on}"}
    expect = {"min": "${least}", "allowed": {"site": "${sites}"}, "rejects": "${share}"}
    made["mapping"]["expect"] = {"servers": expect}

    assert told(made) == []
    made["mapping"]["expect"]["servers"]["min"] = "at least ${least}"
    assert len(told(made)) == 1


def test_a_misspelt_word_is_seen_at_every_level() -> None:
    for path in ((), ("mapping",), ("mapping", "entities", 0, "component"), ("sync",)):
        made = document()
        node = made
        for step in path:
            node = node[step]
        node["includ"] = "_shared.yaml"

        assert "'includ' was unexpected" in best_match(VALIDATOR.iter_errors(made)).message
