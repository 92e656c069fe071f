import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from referential.client import Canopsis
from referential.errors import ImportFailed, Refused, Unreachable, Unreadable
from referential.loaded import Loaded
from sandbox.canopsis_knobs import Fault, JobFault, Poison
from tests.referential.canopsis_rig import FAST, component, resource, service
from tests.referential.loading_rig import Rig, rigged

LOST_FILE = "open /tmp/import_{id}.json: no such file or directory"
NO_SUCH = "failed to delete an entity with _id = {}"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rigged(tmp_path) as rig:
        yield rig


@pytest.fixture
def rig_of(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    with ExitStack() as stack:
        yield lambda **knobs: stack.enter_context(rigged(tmp_path, **knobs))


def servers(count: int, **values: Any) -> list[bytes]:
    return [component(f"srv{rank:05}", **values) for rank in range(count)]


def services(count: int) -> list[bytes]:
    return [service(f"APP-{rank:03}") for rank in range(count)]


def imports(**limits: Any) -> dict[str, Any]:
    return {"pace": FAST, **limits}


def modes(rig: Rig) -> list[str]:
    return ["partial" if made.partial else "full" for made in rig.there.imports()]


# --- full or partial


def test_a_first_load_goes_by_the_full_import(rig: Rig) -> None:
    run = rig.sync(component("a"), resource("r", "a"), *services(10))

    assert modes(rig) == ["full"]
    assert run.loaded.counts == {"create": 12}
    assert sorted(rig.there.live()) == sorted(rig.known())


def test_a_run_with_nothing_to_do_calls_nobody(rig: Rig) -> None:
    rig.sync(component("a"))
    before = sum(rig.there.state.traffic.requests.values())

    run = rig.sync(component("a"))

    assert len(run.plan) == 0
    assert sum(rig.there.state.traffic.requests.values()) == before


def test_a_small_delta_goes_by_the_partial_import(rig: Rig) -> None:
    rig.sync(*servers(5), *services(5))

    rig.sync(*servers(4), component("srv00004", os="linux"), *services(5))

    assert modes(rig) == ["full", "partial"]
    assert rig.there.live()["srv00004"]["infos"]["os"]["value"] == "linux"


def test_a_delta_with_more_entities_than_there_are_services_goes_by_the_full_import(
    rig: Rig,
) -> None:
    rig.sync(*servers(5), *services(4))

    rig.sync(*servers(5, os="linux"), *services(4))

    assert modes(rig) == ["full", "full"]


def test_a_new_service_goes_by_the_full_import(rig: Rig) -> None:
    rig.sync(component("x"), *services(5))

    rig.sync(component("x"), *services(6))
    rig.there.state.tick()

    assert modes(rig) == ["full", "full"]
    with Canopsis(rig.there.connection()) as canopsis:
        assert canopsis.context_graph("APP-005") == {"impact": [], "depends": ["x"]}


@pytest.mark.parametrize(("version", "mode"), [("23.10.5", "full"), ("23.10.6", "partial")])
def test_a_version_whose_partial_import_is_broken_is_loaded_by_the_full_one(
    rig_of: Callable[..., Rig], version: str, mode: str
) -> None:
    rig = rig_of(version=version)
    rig.sync(component("a"), *services(5))

    rig.sync(component("a"), resource("r", "a"), *services(5))

    assert modes(rig) == ["full", mode]


# --- what is sent


def test_items_are_sent_as_the_spool_holds_them(rig: Rig) -> None:
    items = [component("a", os="linux"), resource("r", "a", speed=10), service("APP")]
    bodies: list[bytes] = []
    submit = rig.there.state.jobs.submit
    rig.there.state.jobs.submit = lambda body, **options: (
        bodies.append(body) or submit(body, **options)
    )

    run = rig.sync(*items)

    assert bodies == [b"[" + b",".join(items) + b"]"]
    assert run.loaded.bytes == len(bodies[0])
    for item in orjson.loads(bodies[0]):
        assert item["action"] == "set"
        assert item["enabled"] is True
        assert item["impact_level"] == 1
        assert isinstance(item["infos"], dict)


def test_a_component_and_its_resources_travel_in_one_batch(rig: Rig) -> None:
    items = [
        component(name) if rank == 0 else resource(f"r{rank}", name)
        for name in ("a", "b", "c")
        for rank in range(3)
    ]

    run = rig.sync(*items, imports=imports(max_items=4))

    assert [made.entities for made in run.loaded.imports] == [3, 3, 3]
    assert len(rig.there.live()) == 9


def test_a_component_travels_with_its_resources_whatever_their_changes(rig: Rig) -> None:
    rig.sync(*(component(name) for name in "abc"))
    bodies = rig.there.watched()

    changed = [(component(name, os="linux"), resource("r", name)) for name in "abc"]
    run = rig.sync(*(item for pair in changed for item in pair), imports=imports(max_items=2))

    sent = [[item.get("component", item["name"]) for item in orjson.loads(body)] for body in bodies]
    assert sent == [[name, name] for name in "abc"]
    assert run.loaded.counts == {"update": 3, "create": 3}


def test_services_come_after_their_members(rig: Rig) -> None:
    bodies = rig.there.watched()

    rig.sync(service("APP"), component("x"), imports=imports(max_items=1))

    assert [orjson.loads(body)[0]["name"] for body in bodies] == ["x", "APP"]


def test_a_batch_is_no_larger_than_its_bytes(rig: Rig) -> None:
    run = rig.sync(*servers(50), imports=imports(max_bytes=1_000))

    assert all(made.bytes <= 1_000 for made in run.loaded.imports)
    assert len(rig.there.live()) == 50


def test_the_size_that_canopsis_refuses_is_learned_and_remembered(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(body_limit=2_000)

    run = rig.sync(*servers(100))

    assert len(rig.there.live()) == 100
    assert run.loaded.rejects == []
    assert run.loaded.max_bytes <= 2_000
    refused = rig.there.requests("PUT /api/v4/contextgraph-import") - len(run.loaded.imports)
    assert refused <= math.ceil(math.log2(100 * len(servers(1)[0]) / 2_000)) + 1


def test_an_entity_larger_than_canopsis_takes_is_a_reject(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(body_limit=2_000)

    run = rig.sync(component("a"), component("fat", text="x" * 3_000), component("z"))

    assert sorted(rig.there.live()) == ["a", "z"]
    assert [reject.record["id"] for reject in run.loaded.rejects] == ["fat"]
    assert "Request Entity Too Large" in run.loaded.rejects[0].reason


# --- what is refused


def test_one_poisonous_entity_among_5000_is_the_only_one_not_loaded(
    rig_of: Callable[..., Rig],
) -> None:
    words = "cannot store the value of srv03333"
    rig = rig_of(poison=[Poison("^srv03333$", "(BadValue) " + words)])

    run = rig.sync(*servers(5_000))

    assert len(rig.there.live()) == 4_999
    assert run.loaded.counts == {"create": 4_999}
    (reject,) = run.loaded.rejects
    assert reject.record["id"] == "srv03333"
    assert reject.record["sent"]["name"] == "srv03333"
    assert reject.reason == "(BadValue) " + words
    assert run.loaded.attempts <= 2 * math.ceil(math.log2(5_000)) + 1
    assert "srv03333" not in rig.known()
    assert rig.ledger.imports(rig.feed, unsettled=True) == []


def test_an_entity_refused_by_the_write_phase_is_a_reject_and_the_rest_is_loaded(
    rig_of: Callable[..., Rig],
) -> None:
    words = "Performing an update on the path '_id' would modify the immutable field '_id'"
    rig = rig_of(poison=[Poison("^APP-003$", words, "write")])

    run = rig.sync(*servers(40), *services(8))

    assert [reject.record["id"] for reject in run.loaded.rejects] == ["APP-003"]
    assert run.loaded.rejects[0].reason == words
    assert len(rig.there.live()) == 47


def test_a_run_that_dies_while_it_looks_for_a_bad_entity_owns_what_was_half_written(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(
        poison=[Poison("^srv00007$", "no", "write")],
        faults=[Fault("503", route="*contextgraph-import", after=1, times=None)],
    )
    with pytest.raises(Unreachable):
        rig.sync(*servers(10))
    assert len(rig.there.live()) == 7
    rig.there.state.knobs.faults = []

    run = rig.sync()

    assert run.loaded.counts == {"disable": 7, "gone": 3}
    assert not any(entity["enabled"] for entity in rig.there.live().values())


def test_a_refused_entity_is_tried_again_by_the_next_run(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(poison=[Poison("^srv00003$", "no")])
    rig.sync(*servers(10))
    rig.there.state.knobs.poison = []

    run = rig.sync(*servers(10))

    assert run.loaded.counts == {"create": 1}
    assert len(rig.there.live()) == 10


def test_when_too_many_imports_fail_the_rest_of_a_refused_batch_is_set_aside(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(poison=[Poison("^srv", "all of them")])

    limits = imports(max_failures=6, max_items=200)
    run = rig.sync(*servers(200), component("xyz"), imports=limits)

    assert len(run.loaded.rejects) == 200
    assert sorted(rig.there.live()) == ["xyz"]
    assert run.loaded.attempts <= 20
    assert any("not tried alone" in reject.reason for reject in run.loaded.rejects)


def test_a_new_resource_under_a_component_that_an_operator_disabled_is_a_reject(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    with Canopsis(rig.there.connection()) as canopsis:
        list(canopsis.disable(["a"]))

    run = rig.sync(
        component("a"),
        component("b"),
        resource("r", "a"),
        resource("r", "b"),
        respect_manual=False,
    )

    assert [reject.record["id"] for reject in run.loaded.rejects] == ["r/a"]
    assert run.loaded.rejects[0].reason == "can't create resource for disabled component"
    assert "r/b" in rig.there.live()


def test_services_that_are_all_skipped_are_rejects_without_being_tried_one_by_one(
    rig: Rig,
) -> None:
    run = rig.sync(*(service(f"APP-{rank}", field="connector") for rank in range(20)))

    assert len(run.loaded.rejects) == 20
    assert run.loaded.attempts == 1
    assert run.loaded.rejects[0].reason == (
        "empty import: Canopsis skips a service whose pattern it does not accept"
    )
    assert rig.known() == {}


# --- what is lost on the way


def test_an_import_whose_file_was_lost_is_sent_again(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(job_faults=[JobFault("fail", LOST_FILE, times=2)])

    run = rig.sync(*servers(3))

    assert [made.state for made in run.loaded.imports] == ["failed", "failed", "done"]
    assert run.loaded.rejects == []
    assert len(rig.known()) == 3


def test_an_import_whose_file_is_always_lost_fails_the_load_and_nothing_is_recorded(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(job_faults=[JobFault("fail", LOST_FILE, times=None)])

    with pytest.raises(ImportFailed, match="no such file") as error:
        rig.sync(*servers(3))

    assert len(rig.there.imports()) == 4
    assert any("share their folder" in note for note in error.value.__notes__)
    assert rig.known() == {}


def test_a_database_that_is_away_fails_the_load_and_rejects_no_entity(
    rig_of: Callable[..., Rig],
) -> None:
    words = "connection(mongo:27017[-5]) socket was unexpectedly closed: EOF"
    rig = rig_of(job_faults=[JobFault("fail", words, times=None)])

    with pytest.raises(ImportFailed, match="unexpectedly closed"):
        rig.sync(*servers(3))

    assert len(rig.there.imports()) == 4


def test_an_import_whose_report_is_gone_is_read_back(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(report_retention=0.0)

    run = rig.sync(*servers(3))

    assert [made.state for made in run.loaded.imports] == ["expired"]
    assert len(rig.known()) == 3


def test_an_import_whose_report_is_gone_and_that_did_nothing_is_sent_again(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(report_retention=0.0, job_faults=[JobFault("fail", "whatever")])

    run = rig.sync(*servers(3))

    assert [made.state for made in run.loaded.imports] == ["expired", "expired"]
    assert len(rig.known()) == 3


def test_a_web_page_with_status_200_is_an_error_and_leaves_the_import_unconfirmed(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(faults=[Fault("html", route="*contextgraph-import")])

    with pytest.raises(Unreadable, match="a web page"):
        rig.sync(*servers(3))

    assert len(rig.ledger.imports(rig.feed, unsettled=True)) == 1
    run = rig.sync(*servers(3))
    assert run.loaded.counts == {"update": 3}
    assert len(rig.there.live()) == 3


def test_a_refusal_of_the_whole_load_leaves_nothing_unconfirmed(rig: Rig) -> None:
    with pytest.raises(Refused, match="lacks a right"):
        rig.sync(*servers(3), auth={"type": "api_key", "key": "reader-key"})

    assert rig.ledger.imports(rig.feed, unsettled=True) == []
    assert rig.there.imports() == []


@pytest.mark.parametrize("route", ["*contextgraph-import", "*contextgraph-import-status*"])
@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "reset"])
def test_a_short_outage_in_the_middle_loses_nothing(
    rig_of: Callable[..., Rig], kind: str, route: str
) -> None:
    rig = rig_of(faults=[Fault(kind, route=route, after=1, times=2)])

    run = rig.sync(*servers(12), imports=imports(max_items=4))

    assert run.loaded.counts == {"create": 12}
    assert run.loaded.rejects == []
    assert len(rig.there.live()) == len(rig.known()) == 12


@pytest.mark.parametrize("kind", ["500", "html", "hang"])
def test_after_a_long_outage_the_next_run_ends_where_an_undisturbed_one_would(
    rig_of: Callable[..., Rig], kind: str
) -> None:
    rig = rig_of(faults=[Fault(kind, route="*contextgraph-import-status*", after=1, times=None)])
    short = {"connect": 1, "read": 0.2, "total": 1}
    with pytest.raises((Unreachable, Unreadable)):
        rig.sync(*servers(12), imports=imports(max_items=4), timeout=short)
    rig.there.state.knobs.faults = []

    run = rig.sync(*servers(12), imports=imports(max_items=4))

    assert run.loaded.rejects == []
    assert len(rig.there.live()) == len(rig.known()) == 12
    assert rig.sync(*servers(12)).plan.counts["unchanged"] == 12


def test_a_right_lost_while_an_import_is_awaited_leaves_it_unconfirmed(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(faults=[Fault("401", route="*contextgraph-import-status*", times=None)])

    with pytest.raises(Refused, match="does not know these credentials"):
        rig.sync(*servers(3))
    rig.there.state.knobs.faults = []

    assert len(rig.ledger.imports(rig.feed, unsettled=True)) == 1
    assert rig.sync(*servers(3)).loaded.counts == {"update": 3}


def test_what_was_done_before_an_outage_is_told(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(faults=[Fault("503", route="*contextgraph-import", after=2, times=None)])
    loaded = Loaded()

    with pytest.raises(Unreachable):
        rig.sync(*servers(20), loaded=loaded, imports=imports(max_items=5))

    assert loaded.counts == {"create": 10}
    assert loaded.attempts == 2


# --- what the ledger learns


def test_the_ledger_records_a_change_only_when_its_import_is_done(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(job_faults=[JobFault("never")])
    short = {"pace": {**FAST, "deadline": 0.1, "deadline_per_entity": 0.0}}

    with pytest.raises(Unreachable, match="still pending"):
        rig.sync(*servers(3), imports=short)

    assert rig.known() == {}
    (left,) = rig.ledger.imports(rig.feed, unsettled=True)
    assert (left.status, left.job, left.size) == ("sent", rig.there.imports()[0].id, 3)


def test_batches_that_were_done_before_an_outage_stay_recorded(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(faults=[Fault("503", route="*contextgraph-import", after=2, times=3)])

    with pytest.raises(Unreachable):
        rig.sync(*servers(20), imports=imports(max_items=5))
    assert len(rig.ledger.imports(rig.feed, unsettled=True)) == 1
    run = rig.sync(*servers(20), imports=imports(max_items=5))

    assert run.plan.counts["unchanged"] == 10
    assert sorted(rig.known()) == sorted(rig.there.live())
    assert len(rig.known()) == 20


def test_every_import_is_settled_in_the_ledger(rig: Rig) -> None:
    rig.sync(*servers(10), imports=imports(max_items=4))

    settled = rig.ledger.imports(rig.feed)
    assert [(made.status, made.size) for made in settled] == [("done", 4), ("done", 4), ("done", 2)]
    assert [made.job for made in settled] == [made.id for made in rig.there.imports()]


def test_progress_goes_up_to_the_total_rejects_included(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(poison=[Poison("^srv00007$", "no")])
    seen: list[tuple[int, int]] = []

    rig.sync(*servers(20), progress=lambda settled, total: seen.append((settled, total)))

    assert seen == sorted(seen)
    assert seen[-1] == (20, 20)


# --- what is missing


def test_a_missing_entity_is_disabled_by_the_bulk_endpoint_and_its_alarm_ends(rig: Rig) -> None:
    event = {
        "event_type": "check",
        "connector": "poller",
        "connector_name": "p1",
        "component": "b",
        "source_type": "component",
        "state": 3,
    }
    rig.sync(component("a"), component("b"))
    with Canopsis(rig.there.connection()) as canopsis:
        canopsis.send_event(event)
        rig.there.state.tick()
        assert canopsis.open_alarms() == 1

        run = rig.sync(component("a"))
        rig.there.state.tick()

        assert canopsis.open_alarms() == 0
    assert run.loaded.counts == {"disable": 1}
    assert len(rig.there.imports()) == 1
    assert rig.there.live()["b"]["enabled"] is False
    assert rig.known() == {"a": "enabled", "b": "disabled"}


def test_disabling_what_is_gone_is_no_failure_and_the_ledger_forgets_it(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    delete(rig, "b")

    run = rig.sync(component("a"))

    assert run.loaded.counts == {"gone": 1}
    assert run.loaded.rejects == []
    assert rig.known() == {"a": "enabled"}


def test_a_missing_entity_is_deleted_by_an_import_when_the_job_says_so(rig: Rig) -> None:
    rig.sync(component("a"), component("b"), resource("r", "b"), service("APP"))

    run = rig.sync(component("a"), missing="delete")

    assert run.loaded.counts == {"delete": 3}
    assert list(rig.there.live()) == ["a"]
    assert rig.known() == {"a": "enabled"}


def test_deleting_what_is_gone_is_no_failure(rig: Rig) -> None:
    rig.sync(component("a"), component("b"), component("c"))
    delete(rig, "b")

    run = rig.sync(component("a"), missing="delete")

    assert run.loaded.counts == {"delete": 1, "gone": 1}
    assert [made.state for made in run.loaded.imports] == ["done"]
    assert rig.known() == {"a": "enabled"}


def test_what_disappears_between_the_look_and_the_deletion_is_no_failure(rig: Rig) -> None:
    rig.sync(component("a"), *servers(8))
    rig.there.state.knobs.job_faults = [JobFault("fail", NO_SUCH.format("srv00004"), times=2)]

    run = rig.sync(component("a"), missing="delete")

    assert run.loaded.counts == {"delete": 7, "gone": 1}
    assert run.loaded.rejects == []
    assert rig.known() == {"a": "enabled"}


def test_what_another_source_loaded_since_is_found_by_itself_and_deleted(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    with Canopsis(rig.there.connection()) as canopsis:
        body = canopsis.dialect.body([component("b")])
        canopsis.await_import(canopsis.send_import(body, source="other").job)

    run = rig.sync(component("a"), missing="delete")

    assert run.loaded.counts == {"delete": 1}
    assert list(rig.there.live()) == ["a"]


@pytest.mark.parametrize("count", [5, 40])
def test_among_few_or_many_only_what_is_still_there_is_deleted(rig: Rig, count: int) -> None:
    rig.sync(component("a"), *servers(count))
    delete(rig, "srv00000", "srv00003")

    run = rig.sync(component("a"), missing="delete")

    assert run.loaded.counts == {"delete": count - 2, "gone": 2}
    assert [made.state for made in run.loaded.imports] == ["done"]


def test_an_import_that_a_dead_run_left_in_the_queue_ends_before_anything_is_removed(
    rig: Rig,
) -> None:
    """It would bring back what the bulk call, which does not queue, has just disabled."""
    rig.there.state.knobs.manual = True
    short = {"pace": {**FAST, "deadline": 0.2, "deadline_per_entity": 0.0}}
    with pytest.raises(Unreachable):
        rig.sync(component("a"), component("b"), imports=short)
    timer = threading.Timer(0.3, rig.there.state.tick)
    timer.start()

    run = rig.sync(missing="disable")

    timer.join()
    rig.there.state.tick()
    assert run.loaded.counts == {"disable": 2}
    assert [entity["enabled"] for entity in rig.there.live().values()] == [False, False]


def test_a_large_component_is_deleted_over_several_imports(rig: Rig) -> None:
    rig.sync(component("a"), component("b"), *(resource(f"r{rank}", "b") for rank in range(9)))

    run = rig.sync(component("a"), missing="delete", imports=imports(max_items=4))

    assert [made.state for made in run.loaded.imports] == ["done"] * 3
    assert run.loaded.counts == {"delete": 10}
    assert list(rig.there.live()) == ["a"]


def test_what_the_ledger_does_not_own_is_left_alone(rig: Rig) -> None:
    with Canopsis(rig.there.connection()) as canopsis:
        body = canopsis.dialect.body([component("foreign"), component("twin", by="them")])
        canopsis.await_import(canopsis.send_import(body, source=rig.source).job)
    rig.sync(component("a"), component("b"))

    rig.sync(component("a"))
    rig.sync(component("a"), missing="delete")

    live = rig.there.live()
    assert sorted(live) == ["a", "b", "foreign", "twin"]
    assert live["foreign"]["enabled"] is True


def test_no_import_sets_and_deletes(rig: Rig) -> None:
    rig.sync(component("a"), resource("r", "a"), component("b"))
    bodies = rig.there.watched()

    rig.sync(component("a", os="linux"), component("c"), missing="delete")

    actions = [{item["action"] for item in orjson.loads(body)} for body in bodies]
    assert actions == [{"set"}, {"delete"}]
    assert sorted(rig.there.live()) == ["a", "c"]


# --- what comes back


def test_an_entity_that_comes_back_is_sent_whole_and_enabled(rig: Rig) -> None:
    rig.sync(component("a"), component("b", os="bsd"))
    rig.sync(component("a"))

    run = rig.sync(component("a"), component("b", os="linux"))

    assert run.loaded.counts == {"enable": 1}
    entity = rig.there.live()["b"]
    assert (entity["enabled"], entity["infos"]["os"]["value"]) == (True, "linux")
    assert rig.known() == {"a": "enabled", "b": "enabled"}


def test_a_disabled_component_is_switched_on_before_its_new_resource_comes(rig: Rig) -> None:
    rig.sync(component("a"), component("b"), resource("old", "b"))
    rig.sync(component("a"))

    run = rig.sync(component("a"), resource("new", "b"))

    assert run.loaded.rejects == []
    assert run.loaded.counts == {"enable": 1, "create": 1}
    assert rig.there.live()["b"]["enabled"] is True
    assert rig.known()["b"] == "enabled"


def test_switching_on_what_is_gone_is_no_failure(rig: Rig) -> None:
    rig.sync(component("a"), component("b"))
    rig.sync(component("a"))
    delete(rig, "b")

    run = rig.sync(component("a"), resource("new", "b"))

    assert run.loaded.counts == {"gone": 1, "create": 1}
    assert sorted(rig.known()) == ["a", "new/b"]


def delete(rig: Rig, *names: str) -> None:
    """Someone else deletes components."""
    with Canopsis(rig.there.connection()) as canopsis:
        items = [canopsis.dialect.deletion("component", name, name) for name in names]
        job = canopsis.send_import(canopsis.dialect.body(items), source="somebody").job
        assert canopsis.await_import(job).state == "done"
