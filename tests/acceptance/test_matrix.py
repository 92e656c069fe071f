"""One feed, every version of Canopsis: loaded by the real stages, read back the same."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.jsonapi import create_app as create_api
from sandbox.serve import serve
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

VERSIONS = (
    "3.25.0",
    "4.2.0",
    "4.3.0",
    "4.6.0",
    "22.10.0",
    "23.04.5",
    "23.10.0",
    "24.04.0",
    "24.10.0",
    "25.04.0",
)
JOB = """
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers: {path: /servers, data_selector: data, primary_key: id, total_header: X-Total-Count}
mapping:
  entities:
    - dataset: servers
      component:
        name: name
        category: {set: Server}
        impact_level: level
        infos:
          env: {value: env, description: Environment}
          team: {value: team}
    - dataset: servers
      resource:
        name: {set: disk}
        component: name
        infos:
          env: {value: env}
    - dataset: servers
      service:
        name: "APP-{{ .app }}"
        pattern: {field: name, cond: is_one_of, value: name}
sync:
  connection: acme-canopsis
  import_source: acme-cmdb
  limits: {missing: 100%, changed: 100%}
"""


def servers(*names: str, env: str = "prod", team: str | None = "ops") -> list[dict[str, Any]]:
    return [
        {"id": rank, "name": name, "env": env, "level": 3, "app": "shop", "team": team}
        for rank, name in enumerate(names)
    ]


@pytest.fixture(params=VERSIONS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    target, source = create_app(Knobs(version=request.param, tick=0, event_delay=0)), create_api()
    with ExitStack() as stack:
        # from 4.0 to 4.3 nothing but this prefix leads to the API
        prefix = "/backend" if request.param.startswith(("4.2", "4.3")) else ""
        url = stack.enter_context(serve(target)) + prefix
        api_url = stack.enter_context(serve(source))
        yield World(url, api_url, target.state.canopsis, source.state.jsonapi)


@pytest.fixture
def installation(tmp_path: Path, world: World) -> Installation:
    (tmp_path / "jobs" / "acme").mkdir(parents=True)
    (tmp_path / "jobs" / "acme" / "servers.yaml").write_text(JOB, encoding="utf-8")
    made = Installation(tmp_path / "installation", tmp_path / "jobs")
    made.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    world.api.turn({"page_size": 1_000, "total": "header"})
    return made


def old(world: World) -> bool:
    """Before 4.3: entities have neither a category nor the name of their component."""
    return world.canopsis.knobs.numbers() < (4, 3)


def category(world: World, identity: str) -> str:
    store = world.canopsis.store
    return str(store.categories[store.entities[identity]["category"]]["name"])


def held(world: World) -> dict[str, tuple[str, bool, Any]]:
    """What stands in Canopsis: kind, whether it is on, its env; a watcher of 3.25 is a service."""
    return {
        identity: (
            doc["type"].replace("watcher", "service"),
            bool(doc.get("enabled")),
            doc["infos"].get("env", {}).get("value"),
        )
        for identity, doc in world.canopsis.store.entities.items()
        if not doc.get("soft_deleted")
    }


def test_the_same_feed_gives_the_same_entities_in_every_version(
    world: World, installation: Installation
) -> None:
    world.api.put_collection("servers", servers("a", "b"))

    report = installation.sync("acme/servers")

    assert (report.outcome, installation.rejects(report.run_id)) == ("done", [])
    assert held(world) == {
        "a": ("component", True, "prod"),
        "b": ("component", True, "prod"),
        "disk/a": ("resource", True, "prod"),
        "disk/b": ("resource", True, "prod"),
        "APP-shop": ("service", True, None),
    }
    store = world.canopsis.store
    disk = store.entities["disk/a"]
    if old(world):
        assert "a" in store.arrays.impact.of("disk/a")
        assert set(store.arrays.depends.of("APP-shop")) == {"a", "b"}
        assert "category" not in store.entities["a"]
    elif world.canopsis.knobs.version.startswith("4.3"):  # it keeps links, and no component
        assert world.read("entitybasics", _id="disk/a")["impact"] == ["a"]
    else:
        assert disk["component"] == "a"
    assert store.entities["a"]["impact_level"] == 3
    assert old(world) or category(world, "a") == "Server"
    assert installation.sync("acme/servers").outcome == "nothing-to-do"


def test_what_changes_goes_and_comes_back_does_so_in_every_version(
    world: World, installation: Installation
) -> None:
    world.api.put_collection("servers", servers("a", "b", "c"))
    installation.sync("acme/servers")
    world.api.put_collection("servers", servers("a", "b", env="test"))

    report = installation.sync("acme/servers")

    assert report.outcome == "done"
    found = held(world)
    assert [found[each][1:] for each in ("a", "disk/b")] == [(True, "test")] * 2
    assert [found[each][1:] for each in ("c", "disk/c")] == [(False, "prod")] * 2

    world.api.put_collection("servers", servers("a", "b", "c", env="test"))
    assert installation.sync("acme/servers").outcome == "done"
    found = held(world)
    assert [found[each][1:] for each in ("c", "disk/c")] == [(True, "test")] * 2


def test_an_info_that_left_the_source_is_dropped_in_every_version(
    world: World, installation: Installation
) -> None:
    world.api.put_collection("servers", servers("a", "b"))
    installation.sync("acme/servers")
    assert set(world.canopsis.store.entities["a"]["infos"]) == {"env", "team"}
    world.api.put_collection("servers", servers("a", "b", team=None))

    report = installation.sync("acme/servers")

    assert (report.outcome, installation.rejects(report.run_id)) == ("done", [])
    entity = world.canopsis.store.entities["a"]
    assert set(entity["infos"]) == {"env"}
    assert (entity["impact_level"], entity["enabled"]) == (3, True)
    assert old(world) or category(world, "a") == "Server"
