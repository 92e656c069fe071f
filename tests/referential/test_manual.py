"""What somebody switched off in Canopsis by hand stays off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from referential.change import UNCONFIRMED
from referential.client import Canopsis
from tests.referential.canopsis_rig import component, resource
from tests.referential.loading_rig import Rig, rigged


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as rig:
        yield rig


def switch_off(rig: Rig, *ids: str) -> None:
    with Canopsis(rig.there.connection()) as canopsis:
        list(canopsis.disable(ids))


def test_an_update_brings_the_values_and_leaves_it_off(rig: Rig) -> None:
    rig.sync(component("a", env="prod"), component("b", env="prod"))
    switch_off(rig, "a")

    for env in ("test", "dev"):
        run = rig.sync(component("a", env=env), component("b", env=env))

        held = rig.there.live()
        assert (held["a"]["enabled"], held["b"]["enabled"]) == (False, True)
        assert held["a"]["infos"]["env"]["value"] == env
        assert run.loaded.manual == {"a"}
    assert rig.sync(component("a", env="dev"), component("b", env="dev")).plan.changes.empty


def test_what_is_pruned_stays_off_too(rig: Rig) -> None:
    rig.sync(component("a", env="prod", site="Paris"))
    switch_off(rig, "a")

    rig.sync(component("a", env="prod"))

    held = rig.there.live()["a"]
    assert (held["enabled"], list(held["infos"])) == (False, ["env"])


def test_it_is_switched_on_where_the_job_does_not_respect_it(rig: Rig) -> None:
    rig.sync(component("a", env="prod"))
    switch_off(rig, "a")

    run = rig.sync(component("a", env="test"), respect_manual=False)

    assert rig.there.live()["a"]["enabled"]
    assert run.loaded.manual == set()


def test_what_we_disabled_ourselves_comes_back_on(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    rig.sync(component("b"))

    rig.sync(component("a"), component("b"))

    assert rig.there.live()["a"]["enabled"]


def test_an_unconfirmed_entity_is_never_taken_for_manual(rig: Rig) -> None:
    rig.sync(component("a", env="prod"))
    switch_off(rig, "a")
    known = rig.ledger.known(rig.feed)
    run = rig.ledger.start_run(rig.feed, "sync", rig.ledger.runs(1)[0].started)
    rig.ledger.record(
        rig.feed,
        run,
        ids=["a"],
        kinds=["component"],
        groups=["a"],
        datasets=known["dataset"].tolist(),
        categories=[""],
        infos=["env"],
        fingerprints=[UNCONFIRMED],
    )

    rig.sync(component("a", env="prod"))

    assert rig.there.live()["a"]["enabled"]


def test_a_new_resource_of_a_component_that_is_off_is_a_reject_and_fails_no_import(
    rig: Rig,
) -> None:
    rig.sync(component("a"), component("b"))
    switch_off(rig, "a")

    run = rig.sync(component("a"), component("b"), resource("r", "a"), resource("r", "b"))

    (reject,) = run.loaded.rejects
    assert reject.record["id"] == "r/a"
    assert "its component a was switched off by hand in Canopsis" in reject.reason
    assert "r/b" in rig.there.live()
    assert [made.state for made in run.loaded.imports] == ["done"]


def test_nothing_is_asked_when_nothing_is_sent(rig: Rig) -> None:
    rig.sync(component("a"))
    before = rig.there.requests("GET /api/v4/entities")

    rig.sync(component("a"))

    assert rig.there.requests("GET /api/v4/entities") == before


def test_an_older_canopsis_leaves_it_off_too(tmp_path: Path) -> None:
    with rigged(tmp_path, version="22.10.7") as rig:
        rig.sync(component("a", env="prod"), component("b", env="prod"))
        switch_off(rig, "a")

        run = rig.sync(component("a", env="test"), component("b", env="test"))

        held = rig.there.live()
        assert (held["a"]["enabled"], held["b"]["enabled"]) == (False, True)
        assert held["a"]["infos"]["env"]["value"] == "test"
        assert run.loaded.manual == {"a"}
