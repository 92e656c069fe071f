"""What left the source leaves Canopsis; what others wrote stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from referential.change import UNCONFIRMED
from referential.entity import encode
from referential.errors import Unreachable
from referential.feed import Feed
from referential.prune import pruned
from sandbox.canopsis_knobs import Fault
from tests.referential.canopsis_rig import component, resource, service
from tests.referential.loading_rig import Rig, rigged


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as rig:
        yield rig


def infos(rig: Rig, identity: str) -> dict[str, Any]:
    held = rig.there.live()[identity]["infos"]
    return {key: info["value"] for key, info in held.items()}


def by_others(rig: Rig, identity: str, **fields: Any) -> None:
    """Somebody else writes fields of a stored entity."""
    with rig.there.state.lock:
        rig.there.state.store.entities[identity].update(fields)


def foreign_info(rig: Rig, identity: str, key: str, value: Any) -> None:
    with rig.there.state.lock:
        held = rig.there.state.store.entities[identity]["infos"]
        held[key] = {"name": key, "description": "theirs", "value": value}


def with_category(name: str, category: str, **values: Any) -> bytes:
    body = orjson.loads(component(name, **values))
    return encode(body | ({"category": category} if category else {}))


def test_infos_that_left_the_source_are_removed_and_those_of_others_stay(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"), component("b", env="prod"))
    foreign_info(rig, "a", "owner", "them")

    run = rig.sync(component("a", env="test"), component("b", env="prod"))

    assert run.plan.counts["prune"] == 1
    assert infos(rig, "a") == {"env": "test", "owner": "them"}
    assert rig.there.live()["a"]["infos"]["owner"]["description"] == "theirs"
    assert run.loaded.counts == {"prune": 1}
    assert run.loaded.pruned == {"a": 1}
    assert rig.sync(component("a", env="test"), component("b", env="prod")).plan.changes.empty


def test_what_is_pruned_keeps_all_else_that_others_wrote(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"), resource("r", "a", size="1", unit="GB"))
    theirs = {
        "description": "the big one",
        "sli_avail_state": 2,
        "coordinates": {"lat": 48.8, "lng": 2.3},
    }
    by_others(rig, "a", **theirs)
    before = rig.there.live()["a"]

    rig.sync(component("a", env="prod"), resource("r", "a", size="1"))

    after = rig.there.live()["a"]
    assert {name: after[name] for name in theirs} == theirs
    assert after["import_source"] == before["import_source"]
    assert after["enabled"] is True
    assert (infos(rig, "a"), infos(rig, "r/a")) == ({"env": "prod"}, {"size": "1"})


def test_a_category_that_left_the_source_is_cleared_unless_somebody_changed_it(rig: Rig) -> None:
    rig.sync(with_category("a", "Server"), with_category("b", "Server"), with_category("c", "Rack"))
    rack = rig.there.live()["c"]["category"]
    by_others(rig, "b", category=rack)

    run = rig.sync(with_category("a", ""), with_category("b", ""), with_category("c", "Rack"))

    live = rig.there.live()
    assert run.plan.counts["prune"] == 2
    assert not live["a"].get("category")
    assert live["b"]["category"] == rack


def test_a_key_that_another_feed_of_the_same_canopsis_owns_is_kept(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"))
    rig.feed = Feed("acme/sites", "acme-canopsis")
    rig.sync(component("a", site="Paris"))

    rig.feed = Feed("acme/servers", "acme-canopsis")
    rig.sync(component("a", env="test"))
    assert infos(rig, "a") == {"env": "test", "site": "Paris"}

    rig.feed = Feed("acme/sites", "acme-canopsis")
    rig.sync(component("a", floor="2"))
    assert infos(rig, "a") == {"env": "test", "floor": "2"}


def test_a_key_of_a_feed_of_another_canopsis_is_pruned(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"))
    rig.feed = Feed("acme/sites", "another")
    rig.sync(component("a", site="Paris"))

    rig.feed = Feed("acme/servers", "acme-canopsis")
    rig.sync(component("a", env="test"))

    assert infos(rig, "a") == {"env": "test"}


def test_a_service_is_pruned_by_its_own_endpoint(rig: Rig) -> None:
    def app(**values: Any) -> bytes:
        body = orjson.loads(service("APP-1"))
        given = {key: {"name": key, "value": value} for key, value in values.items()}
        return encode(body | {"infos": given, "output_template": "all well"})

    rig.sync(app(team="ops", phone="17"))

    rig.sync(app(team="ops"))

    assert infos(rig, "APP-1") == {"team": "ops"}
    assert rig.there.requests("PUT /api/v4/entitybasics") == 0
    assert rig.there.live()["APP-1"]["entity_pattern"]


def test_an_entity_that_comes_back_without_an_info_is_pruned_too(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"), component("b"))
    rig.sync(component("b"))
    assert not rig.there.live()["a"]["enabled"]

    rig.sync(component("a", env="prod"), component("b"))

    assert rig.there.live()["a"]["enabled"]
    assert infos(rig, "a") == {"env": "prod"}


def test_a_pruning_that_canopsis_refuses_is_a_reject_and_the_rest_is_loaded(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"), component("b", env="prod", site="Lyon"))
    foreign_info(rig, "a", "odd", {"not": "editable"})

    run = rig.sync(component("a", env="test"), component("b", env="test"))

    (reject,) = run.loaded.rejects
    assert (reject.rule, reject.record["id"], reject.record["infos"]) == (
        "load.prune",
        "a",
        ["site"],
    )
    assert "invalid structure" in reject.reason
    assert infos(rig, "a")["env"] == "test"
    assert infos(rig, "b") == {"env": "test"}
    known = rig.ledger.known(rig.feed).set_index("id")["infos"]
    assert known.to_dict() == {"a": "env\nsite", "b": "env"}


@pytest.mark.parametrize("route", ["GET /api/v4/entitybasics", "PUT /api/v4/entitybasics"])
def test_a_pruning_cut_short_is_done_by_the_next_run_even_if_the_source_went_back(
    rig: Rig, route: str
) -> None:
    rig.sync(component("a", env="prod", site="Paris"), component("b", env="prod", site="Lyon"))
    method, path = route.split()
    faults = rig.there.state.knobs.faults
    faults.append(Fault("reset", path, method, times=None, after=1))
    with pytest.raises(Unreachable):
        rig.sync(component("a", env="prod"), component("b", env="prod"))
    known = rig.ledger.known(rig.feed).set_index("id")
    assert known["fingerprint"].tolist() == [UNCONFIRMED] * 2

    faults.clear()
    rig.sync(component("a", env="prod", site="Paris"), component("b", env="prod"))

    assert infos(rig, "a") == {"env": "prod", "site": "Paris"}
    assert infos(rig, "b") == {"env": "prod"}


def test_an_entity_that_has_nothing_to_lose_is_not_written() -> None:
    held = {"infos": {"env": {"value": "prod"}}, "category": {"_id": "7", "name": "Rack"}}

    assert pruned(held, frozenset({"site"}), "Server", enabled=True) is None


@pytest.mark.parametrize("version", ["22.10.7", "4.6.0"])
def test_a_canopsis_of_before_prunes_by_its_own_import(tmp_path: Path, version: str) -> None:
    with rigged(tmp_path, version=version) as rig:
        rig.sync(component("a", env="prod", site="Paris"), resource("r", "a", size="1", unit="GB"))
        foreign_info(rig, "a", "owner", "them")
        foreign_info(rig, "r/a", "owner", "them")

        run = rig.sync(component("a", env="test"), resource("r", "a", size="1"))

        assert infos(rig, "a") == {"env": "test", "owner": "them"}
        assert infos(rig, "r/a") == {"size": "1", "owner": "them"}
        assert run.loaded.pruned == {"a": 1, "r/a": 1}
        assert rig.there.requests("PUT /api/v4/entitybasics") == 0
