import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from referential.client import Canopsis
from referential.dialect import ImportStatus
from referential.errors import ReferentialError, Refused, Unreachable, Unreadable
from referential.rights import ALARMS, EVENT, IMPORT, LOADING, READ, STATUS, SWITCH
from sandbox.canopsis_knobs import Fault, FaultKind, JobFault
from tests.referential.canopsis_rig import (
    Simulated,
    component,
    connection,
    json,
    resource,
    scripted,
    service,
    simulated,
)

READER = {"type": "api_key", "key": "reader-key"}
CHECK = {
    "event_type": "check",
    "connector": "test",
    "connector_name": "test",
    "component": "srv1",
    "source_type": "component",
    "state": 2,
}


@pytest.fixture
def there() -> Iterator[Simulated]:
    with simulated() as there:
        yield there


@pytest.fixture
def canopsis(there: Simulated) -> Iterator[Canopsis]:
    with Canopsis(there.connection()) as canopsis:
        yield canopsis


def load(canopsis: Canopsis, *items: bytes, source: str = "s1") -> ImportStatus:
    body = canopsis.dialect.body(list(items))
    status = canopsis.await_import(canopsis.send_import(body, source=source).job)
    assert status.state == "done", status.info
    return status


def prefix(version: str) -> str:
    """The part of the address before the API: from 4.0 to 4.3 nothing else leads to it."""
    return "/backend" if version.startswith(("4.2", "4.3")) else ""


# --- who and what


def test_canopsis_says_its_version_without_credentials(canopsis: Canopsis) -> None:
    info = canopsis.app_info()

    assert (info.version, info.edition) == ("24.10.0", "community")


def test_a_stated_version_is_believed_and_not_asked(there: Simulated) -> None:
    with Canopsis(there.connection(version="23.10.2")) as canopsis:
        assert canopsis.dialect.status_path("j") == "/api/v4/contextgraph/import/status/j"

    assert there.requests("app-info") == 0


@pytest.mark.parametrize("version", ["3.24", "2.9"])
def test_a_version_that_we_do_not_serve_is_refused(there: Simulated, version: str) -> None:
    with (
        Canopsis(there.connection(version=version)) as canopsis,
        pytest.raises(Refused, match=rf"Canopsis {version}\.0"),
    ):
        _ = canopsis.dialect


def test_an_identity_tells_the_rights_held_and_changes_nothing(
    there: Simulated, canopsis: Canopsis
) -> None:
    identity = canopsis.identity((*LOADING, EVENT, ALARMS))

    assert identity.name == "root"
    assert identity.rights == (*LOADING, EVENT, ALARMS)
    assert identity.lacking == ()
    assert there.imports() == []
    assert there.live() == {}


def test_an_identity_names_the_rights_that_are_lacking(there: Simulated) -> None:
    with Canopsis(there.connection(auth=READER)) as canopsis:
        identity = canopsis.identity()

    assert identity.rights == (STATUS, READ)
    assert identity.lacking == (IMPORT, SWITCH)


def test_unknown_credentials_are_refused_before_any_right_is_tried(there: Simulated) -> None:
    auth = {"type": "basic", "username": "root", "password": "wrong"}
    with (
        Canopsis(there.connection(auth=auth, version="24.10")) as canopsis,
        pytest.raises(Refused, match="does not know these credentials"),
    ):
        canopsis.identity()


@pytest.mark.parametrize("kind", ["basic", "login"])
def test_every_way_to_authenticate_works(there: Simulated, kind: str) -> None:
    auth = {"type": kind, "username": "root", "password": "root"}
    with Canopsis(there.connection(auth=auth)) as canopsis:
        assert canopsis.identity().name == "root"


def test_a_token_that_expires_in_the_middle_is_renewed() -> None:
    auth = {"type": "login", "username": "root", "password": "root"}
    with simulated(token_calls=2) as there, Canopsis(there.connection(auth=auth)) as canopsis:
        for rank in range(5):
            load(canopsis, component(f"srv{rank}"))

        assert len(there.live()) == 5
        assert there.requests("login") > 1


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("3.25.0", "D0"),
        ("4.2.0", "D0"),
        ("4.3.0", "D1"),
        ("4.4.0", "D1"),
        ("22.10.0", "D1"),
        ("23.04.5", "D2"),
        ("24.10.0", "D2"),
    ],
)
def test_each_version_is_found_out_where_it_tells_it(version: str, name: str) -> None:
    with (
        simulated(version=version) as there,
        Canopsis(connection(there.url + prefix(version))) as canopsis,
    ):
        assert (canopsis.app_info().version, canopsis.dialect.name) == (version, name)


def test_a_4_3_without_its_prefix_is_told_how_its_address_ends() -> None:
    with (
        simulated(version="4.3.0") as there,
        Canopsis(there.connection()) as canopsis,
        pytest.raises(Unreadable, match="a web page") as error,
    ):
        _ = canopsis.dialect

    assert any("ends with /backend" in note for note in error.value.__notes__)


def test_a_development_build_is_asked_what_it_can_do() -> None:
    with simulated(version="development") as there, Canopsis(there.connection()) as canopsis:
        assert canopsis.dialect.status_path("j") == "/api/v4/contextgraph-import-status/j"
        assert there.requests("GET /api/v4/contextgraph-import") == 2  # and that of the status
        assert there.imports() == []


def test_the_status_of_a_development_build_is_where_nobody_may_read_it() -> None:
    """What is there is kept from those without credentials, what is not is absent for all."""
    development, there = json({"version": "development"}), json({}, 405)
    for status, path in (
        (401, "contextgraph-import-status/j"),
        (404, "contextgraph/import/status/j"),
    ):
        answers = development, there, json({}, status)
        with scripted(*answers) as server, Canopsis(connection(server.url)) as canopsis:
            assert canopsis.dialect.status_path("j") == f"/api/v4/{path}"

        assert all("x-canopsis-authkey" not in seen.headers for seen in server.seen)


def test_the_limit_that_canopsis_tells_lowers_our_own() -> None:
    told = json({"version": "25.04.0", "file_import_max_size": 1_000})
    with scripted(told) as server, Canopsis(connection(server.url)) as canopsis:
        assert canopsis.max_bytes == 1_000


# --- before 23.04


@pytest.mark.parametrize("version", ["3.25.0", "4.2.0", "4.3.0", "4.5.0", "4.6.0", "22.10.0"])
def test_a_disabled_entity_is_found_whatever_the_version(version: str) -> None:
    with (
        simulated(version=version) as there,
        Canopsis(connection(there.url + prefix(version))) as canopsis,
    ):
        job = canopsis.send_import(canopsis.body([component("a"), component("b")]), source="s")
        assert canopsis.await_import(job.job).state == "done"

        outcomes = list(canopsis.disable(["a", "gone"], source="s"))

        assert [(each.id, each.outcome) for each in outcomes] == [("a", "done"), ("gone", "absent")]
        assert canopsis.disabled_ids("s") == ["a"]
        assert [each.outcome for each in canopsis.enable(["a"], source="s")] == ["done"]
        assert canopsis.disabled_ids("s") == []


def test_a_component_that_nobody_described_is_made_once_and_left_alone_afterwards() -> None:
    with simulated(version="22.10.0") as there, Canopsis(there.connection()) as canopsis:
        for item in (resource("r1", "x"), component("x", os="linux"), resource("r2", "x")):
            job = canopsis.send_import(canopsis.body([item]), source="s").job
            assert canopsis.await_import(job).state == "done"

        held = there.live()

    assert held["x"]["infos"]["os"]["value"] == "linux"
    assert [held[each]["component"] for each in ("r1/x", "r2/x")] == ["x", "x"]


# --- imports


def test_an_import_is_queued_then_awaited(there: Simulated, canopsis: Canopsis) -> None:
    receipt = canopsis.send_import(canopsis.dialect.body([component("srv1")]), source="s1")
    status = canopsis.await_import(receipt.job)

    assert (status.id, status.state, status.info) == (receipt.job, "done", "")
    assert there.live()["srv1"]["import_source"] == "s1"
    for moment in (status.created, receipt.at):
        assert moment is not None
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_a_failed_import_comes_with_canopsis_words(canopsis: Canopsis) -> None:
    status = canopsis.await_import(canopsis.send_import(b"[]", source="s1").job)

    assert (status.state, status.info) == ("failed", "empty import")


@pytest.mark.parametrize(
    ("partial", "route"),
    [(False, "contextgraph-import"), (True, "contextgraph-import-partial")],
)
def test_full_and_partial_imports_have_their_own_address(
    there: Simulated, canopsis: Canopsis, *, partial: bool, route: str
) -> None:
    canopsis.send_import(canopsis.dialect.body([component("a")]), source="s1", partial=partial)

    assert [made.partial for made in there.imports()] == [partial]
    assert there.requests(f"/{route}") == 1


@pytest.mark.parametrize("version", ["23.04.5", "23.10.2", "24.04.0", "25.04.0"])
def test_an_import_is_followed_at_the_address_of_each_version(version: str) -> None:
    with simulated(version=version) as there, Canopsis(there.connection()) as canopsis:
        assert load(canopsis, component("srv1")).state == "done"


def test_a_report_that_canopsis_dropped_is_expired(canopsis: Canopsis) -> None:
    assert canopsis.import_status("long-gone") == ImportStatus("long-gone", "expired")


def test_an_import_that_is_never_picked_up_is_an_outage_after_its_deadline() -> None:
    pace = {"first": 0.01, "longest": 0.02, "deadline": 0.2, "deadline_per_entity": 0.01}
    with (
        simulated(job_faults=[JobFault("never")]) as there,
        Canopsis(there.connection(imports={"pace": pace})) as canopsis,
    ):
        job = canopsis.send_import(canopsis.dialect.body([component("a")]), source="s1").job
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"still pending after 0 s") as error:
            canopsis.await_import(job, entities=10)

    assert time.monotonic() - started >= 0.3
    assert any("import queue of Canopsis" in note for note in error.value.__notes__)


def test_an_import_is_sent_again_after_an_outage(there: Simulated, canopsis: Canopsis) -> None:
    there.state.knobs.faults = [Fault("502", route="*contextgraph-import", times=2)]

    load(canopsis, component("srv1"))

    assert there.requests("PUT /api/v4/contextgraph-import") == 3
    assert len(there.imports()) == 1


def test_an_import_whose_answer_was_lost_is_sent_twice_and_ends_the_same(
    there: Simulated, canopsis: Canopsis
) -> None:
    there.state.knobs.faults = [Fault("reset", route="*contextgraph-import")]

    load(canopsis, component("srv1", os="linux"))

    assert len(there.imports()) == 2
    assert there.live()["srv1"]["infos"]["os"]["value"] == "linux"


def test_an_answer_without_an_import_id_is_unreadable() -> None:
    with (
        scripted(json({"total": 1, "data": [{"error": "storage"}]})) as canopsis,
        pytest.raises(Unreadable, match="does not document"),
    ):
        Canopsis(connection(canopsis.url, version="24.10")).send_import(b"[]", source="s")


# --- reading back


def test_entities_are_read_page_after_page(there: Simulated, canopsis: Canopsis) -> None:
    names = [f"srv{rank:04}" for rank in range(1_005)]
    load(canopsis, *map(component, names))

    assert [entity["_id"] for entity in canopsis.entities()] == names
    assert there.requests("GET /api/v4/entities") == 2


def test_entities_are_counted_by_kind(canopsis: Canopsis) -> None:
    load(canopsis, component("a"), resource("r", "a"), service("s"))

    assert canopsis.count() == 3
    assert canopsis.count(kinds=("service",)) == 1
    assert canopsis.count('name = "a"') == 1


def test_ids_of_a_source_come_with_one_export(there: Simulated, canopsis: Canopsis) -> None:
    load(canopsis, component("a,b"), component('say "x"'), component("é"), resource("r", "é"))
    load(canopsis, component("foreign"), source="s2")

    assert sorted(canopsis.ids_of_source("s1")) == ["a,b", "r/é", 'say "x"', "é"]
    assert there.requests("GET /api/v4/entities") == 0


def test_ids_of_a_source_since_a_moment_leave_out_what_is_older(
    there: Simulated, canopsis: Canopsis
) -> None:
    load(canopsis, component("old"))
    there.state.advance(100)
    created = load(canopsis, component("new")).created

    assert created is not None
    assert canopsis.ids_of_source("s1", int(created.timestamp())) == ["new"]


@pytest.mark.parametrize("kind", ["500", "html"])
def test_ids_of_a_source_come_from_the_list_when_exports_fail(
    there: Simulated, canopsis: Canopsis, kind: FaultKind
) -> None:
    load(canopsis, component("a"), component("b"))
    there.state.knobs.faults = [Fault(kind, route="*entity-export*", times=None)]

    assert canopsis.ids_of_source("s1") == ["a", "b"]


def test_a_source_that_canopsis_cannot_search_for_is_refused(canopsis: Canopsis) -> None:
    with pytest.raises(ReferentialError, match="holds a quote"):
        canopsis.ids_of_source('a"b')


def test_an_entity_of_any_kind_is_read(canopsis: Canopsis) -> None:
    load(canopsis, component("a", os="linux"), resource("eth0/1", "a"), service("APP é"))

    found = [canopsis.entity(each) for each in ("a", "eth0/1/a", "APP é")]

    assert [entity["type"] for entity in found if entity] == ["component", "resource", "service"]
    assert canopsis.entity("nobody") is None


def test_the_neighbours_of_an_entity_are_read(canopsis: Canopsis) -> None:
    load(canopsis, component("a"), resource("r", "a"))

    assert canopsis.context_graph("a") == {"impact": [], "depends": ["r/a"]}
    assert canopsis.context_graph("nobody") is None


def test_a_list_without_its_total_is_unreadable() -> None:
    with (
        scripted(json({"data": []})) as canopsis,
        pytest.raises(Unreadable, match="does not document"),
    ):
        list(Canopsis(connection(canopsis.url, version="24.10")).entities())


# --- switching


def test_a_bulk_answer_is_read_one_by_one(there: Simulated, canopsis: Canopsis) -> None:
    load(canopsis, component("a"), component("b"))

    outcomes = list(canopsis.disable(["a", "gone", "", "b"]))

    assert [(each.id, each.outcome) for each in outcomes] == [
        ("a", "done"),
        ("gone", "absent"),
        ("", "refused"),
        ("b", "done"),
    ]
    assert outcomes[2].words == "_id: ID is missing."
    assert [each["enabled"] for each in there.live().values()] == [False, False]


def test_enabling_is_the_reverse(there: Simulated, canopsis: Canopsis) -> None:
    load(canopsis, component("a"))
    list(canopsis.disable(["a"]))

    assert [each.outcome for each in canopsis.enable(["a"])] == ["done"]
    assert there.live()["a"]["enabled"] is True


def test_more_than_ten_thousand_entities_are_switched_in_several_calls(
    there: Simulated, canopsis: Canopsis
) -> None:
    outcomes = list(canopsis.disable(f"e{rank}" for rank in range(10_001)))

    assert {each.outcome for each in outcomes} == {"absent"}
    assert len(outcomes) == 10_001
    assert there.requests("bulk/entities/disable") == 2


def test_a_bulk_answer_that_forgets_an_entity_is_unreadable() -> None:
    with (
        scripted(json([{"status": 200}], 207)) as canopsis,
        pytest.raises(Unreadable, match="does not tell of each"),
    ):
        list(Canopsis(connection(canopsis.url, version="24.10")).disable(["a", "b"]))


# --- events and alarms


def test_an_event_raises_an_alarm_that_is_counted(there: Simulated, canopsis: Canopsis) -> None:
    load(canopsis, component("srv1", env="prod"))
    pattern = [[{"field": "infos.env", "cond": {"type": "exist", "value": True}}]]

    canopsis.send_event(CHECK)
    canopsis.send_event(CHECK | {"component": "srv2"})
    there.state.tick()

    assert canopsis.open_alarms() == 2
    assert canopsis.open_alarms(pattern) == 1


def test_an_event_that_canopsis_drops_with_status_200_is_refused(canopsis: Canopsis) -> None:
    with pytest.raises(Refused, match="dropped the event"):
        canopsis.send_event({name: CHECK[name] for name in CHECK if name != "state"})
