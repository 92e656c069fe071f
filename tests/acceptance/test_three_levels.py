"""The use case of three levels: servers, the composants they make up, the applications above."""

from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from tests.acceptance.installation import Installation
from tests.acceptance.world import World

DATA = Path(__file__).parent / "data"
LEVELS = ("servers", "composants", "applications")


@pytest.fixture
def loaded(world: World, installation: Installation) -> World:
    """A Canopsis in which the three jobs have run, one after the other."""
    installation.settle("threelevel", canopsis=world.canopsis_url, api=f"{world.api_url}/files")
    for level in LEVELS:
        content = resources.files("sandbox").joinpath("threelevel", f"{level}.json").read_bytes()
        requests.put(f"{world.api_url}/sandbox/files/{level}", data=content, timeout=10)
    outcomes = [installation.sync(f"threelevel/{level}").outcome for level in LEVELS]
    assert outcomes == ["done", "done", "done"]
    return world


def test_the_three_jobs_give_the_nine_entities_of_the_use_case_and_no_other(loaded: World) -> None:
    expected = orjson.loads((DATA / "entities.json").read_bytes())

    held = loaded.entities()

    assert {name: _as_imported(loaded, entity) for name, entity in held.items()} == {
        entity["name"]: entity for entity in expected
    }


def test_they_are_on_and_each_belongs_to_the_import_source_of_its_job(loaded: World) -> None:
    held = loaded.entities()

    assert all(entity["enabled"] for entity in held.values())
    assert {entity["category"]["name"]: entity["import_source"] for entity in held.values()} == {
        "ServeurApplication": "doc-servers",
        "Composant": "doc-composants",
        "Application": "doc-applications",
    }


def test_what_depends_on_each_service_is_the_tree_of_the_use_case(loaded: World) -> None:
    expected = orjson.loads((DATA / "depends.json").read_bytes())

    found = {name: loaded.read("entities/context-graph", _id=name) for name in expected}

    assert {name: sorted(graph["depends"]) for name, graph in found.items()} == expected


def test_what_each_entity_impacts_is_the_same_tree_upside_down(loaded: World) -> None:
    tree = orjson.loads((DATA / "depends.json").read_bytes())
    below = {name for names in tree.values() for name in names}

    found = {name: loaded.read("entities/context-graph", _id=name) for name in below}

    assert {name: graph["impact"] for name, graph in found.items()} == {
        name: [above for above, names in tree.items() if name in names] for name in below
    }


def test_the_day_after_none_of_the_three_jobs_has_anything_to_do(
    loaded: World, installation: Installation
) -> None:
    loaded.forget_traffic()

    outcomes = [installation.sync(f"threelevel/{level}").outcome for level in LEVELS]

    assert outcomes == ["nothing-to-do"] * 3
    assert loaded.traffic()["imports"] == []


def _as_imported(world: World, entity: dict[str, Any]) -> dict[str, Any]:
    """An entity that Canopsis lists, in the words of the use case."""
    pattern = {}
    if entity["type"] == "service":
        service = world.read(f"entityservices/{entity['_id']}")
        pattern = {"entity_pattern": service["entity_pattern"]}
    shown = {name: entity[name] for name in ("type", "name", "infos")}
    return shown | pattern | {"category": entity["category"]["name"]}
