from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from referential.client import Canopsis
from referential.verify import WORDS, Lacking, Verified
from sandbox.canopsis_knobs import Poison
from tests.referential.canopsis_rig import component, resource, service
from tests.referential.loading_rig import Rig, rigged


@pytest.fixture
def rig_of(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    with ExitStack() as stack:
        yield lambda **knobs: stack.enter_context(rigged(tmp_path, **knobs))


@pytest.fixture
def rig(rig_of: Callable[..., Rig]) -> Rig:
    return rig_of()


def send(rig: Rig, *items: bytes, source: str = "other") -> None:
    """Someone else imports."""
    with Canopsis(rig.there.connection()) as canopsis:
        job = canopsis.send_import(canopsis.dialect.body(list(items)), source=source).job
        assert canopsis.await_import(job).state == "done"


def test_what_was_loaded_is_read_back(rig: Rig) -> None:
    run = rig.sync(component("a"), resource("r/1", "a"), service("APP é"))

    verified = rig.verify(run)

    assert verified == Verified(expected=3, found=3, lacking=(), surplus=0)
    assert verified.agrees


def test_only_what_this_run_sent_is_expected(rig: Rig) -> None:
    rig.sync(component("a"), component("b"), component("c"))

    run = rig.sync(component("a", os="linux"), component("b"))

    assert rig.verify(run).expected == 1


def test_a_run_that_sent_nothing_asks_nothing(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    run = rig.sync(component("a"))
    before = sum(rig.there.state.traffic.requests.values())

    assert rig.verify(run) == Verified(expected=0, found=0, lacking=(), surplus=0)
    assert sum(rig.there.state.traffic.requests.values()) == before


def test_a_service_that_canopsis_skipped_without_a_word_is_named(rig: Rig) -> None:
    run = rig.sync(component("a"), service("APP"), service("BAD", field="connector"))

    verified = rig.verify(run)

    assert run.loaded.rejects == []
    assert verified.lacking == (Lacking("BAD", "service", "servers", "skipped"),)
    assert verified.ids == ("BAD",)
    assert not verified.agrees
    assert "pattern" in WORDS["skipped"]


def test_a_service_that_stands_as_it_was_before_is_lacking(rig: Rig) -> None:
    rig.sync(component("a"), service("APP"))
    rig.there.state.advance(1_000)

    run = rig.sync(component("a", os="x"), service("APP", field="connector"))

    assert rig.verify(run).lacking == (Lacking("APP", "service", "servers", "skipped"),)


def test_a_lacking_entity_once_forgotten_is_sent_again_by_the_next_run(rig: Rig) -> None:
    items = (component("a"), service("BAD", field="connector"))
    run = rig.sync(*items)

    rig.ledger.forget(rig.feed, rig.verify(run).ids)

    assert list(rig.known()) == ["a"]
    assert rig.sync(*items).plan.counts["create"] == 1


def test_an_entity_that_vanished_is_absent_and_one_that_was_taken_is_told(rig: Rig) -> None:
    run = rig.sync(component("a"), component("b"), component("c"))
    with Canopsis(rig.there.connection()) as canopsis:
        deletion = canopsis.dialect.deletion("component", "b", "b")
    send(rig, component("c"), deletion)

    assert rig.verify(run).lacking == (
        Lacking("b", "component", "servers", "absent"),
        Lacking("c", "component", "servers", "taken"),
    )


def test_what_others_loaded_under_our_source_is_surplus(rig: Rig) -> None:
    run = rig.sync(component("a"))
    send(rig, component("stray"), source=rig.source)

    assert rig.verify(run) == Verified(expected=1, found=1, lacking=(), surplus=1)


def test_what_canopsis_refused_is_not_expected(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(poison=[Poison("^b$", "no")])
    run = rig.sync(component("a"), component("b"))

    assert rig.verify(run) == Verified(expected=1, found=1, lacking=(), surplus=0)


@pytest.mark.parametrize("offset", [-86_400, 86_400])
def test_a_clock_of_canopsis_that_is_a_day_off_changes_nothing(
    rig_of: Callable[..., Rig], offset: int
) -> None:
    rig = rig_of()
    rig.there.state.advance(offset)

    run = rig.sync(component("a"), component("b"))

    assert rig.verify(run).agrees


def test_many_lacking_entities_are_not_all_looked_up(rig: Rig) -> None:
    names = [f"srv{rank:03}" for rank in range(80)]
    run = rig.sync(*map(component, names))
    send(rig, *map(component, names))

    verified = rig.verify(run)

    assert len(verified.lacking) == 80
    assert [each.why for each in verified.lacking].count("taken") == 50
    assert rig.there.requests("GET /api/v4/entitybasics") == 50
