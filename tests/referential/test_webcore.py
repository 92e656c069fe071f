"""Canopsis 3.25 to 4.2: how it is called, read back, and told what it cannot do."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from referential.alarms import open_alarms
from referential.client import Canopsis
from referential.dialect import ImportStatus
from referential.errors import ReferentialError, Refused, Unreachable, Unreadable
from referential.rights import EVENT, IMPORT, LOADING, READ, STATUS
from sandbox.canopsis_knobs import User
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
from tests.referential.loading_rig import rigged

ROOT = {"username": "root", "password": "root"}
TRICKY = "k/e+y&=%~"


@pytest.fixture
def there() -> Iterator[Simulated]:
    with simulated(version="3.25.0") as there:
        yield there


@pytest.fixture
def canopsis(there: Simulated) -> Iterator[Canopsis]:
    with Canopsis(there.connection()) as canopsis:
        yield canopsis


def load(canopsis: Canopsis, *items: bytes) -> ImportStatus:
    job = canopsis.send_import(canopsis.body(list(items)), source="s").job
    status = canopsis.await_import(job)
    assert status.state == "done", status.info
    return status


# --- credentials


def test_a_key_goes_into_the_query_of_3_25_and_nowhere_else() -> None:
    answer = json({"total": 1, "data": [{"_id": "root"}], "success": True})
    with (
        scripted(answer) as server,
        Canopsis(connection(server.url, version="3.25")) as canopsis,
    ):
        canopsis.identity(())

    seen = server.seen[0]
    assert (seen.path, seen.query) == ("/account/me", {"authkey": "sandbox-key"})
    assert not {"x-canopsis-authkey", "authorization"} & seen.headers.keys()


def test_a_key_goes_into_a_header_of_4_2() -> None:
    answer = json({"total": 1, "data": [{"_id": "root"}], "success": True})
    with scripted(answer) as server, Canopsis(connection(server.url, version="4.2")) as canopsis:
        canopsis.identity(())

    assert server.seen[0].query == {}
    assert server.seen[0].headers["x-canopsis-authkey"] == "sandbox-key"


def test_a_key_of_the_query_is_in_no_log_and_no_message(caplog: pytest.LogCaptureFixture) -> None:
    def echo(request: Request) -> Response:
        return PlainTextResponse(f"no {request.url.query} for {TRICKY}", 403)

    auth = {"type": "api_key", "key": TRICKY}
    with (
        caplog.at_level(logging.DEBUG),
        scripted(echo) as server,
        Canopsis(connection(server.url, version="3.25", auth=auth)) as canopsis,
        pytest.raises(Refused) as refusal,
    ):
        canopsis.entity("a")

    assert server.seen[0].query["authkey"] == TRICKY
    logged = [each.getMessage() for each in caplog.records if each.name.startswith("urllib3")]
    assert any("authkey=***" in each for each in logged)
    for text in (*logged, str(refusal.value), *refusal.value.__notes__):
        assert TRICKY not in text
        assert "e%2By" not in text


def test_a_call_that_fails_on_the_way_does_not_tell_the_key() -> None:
    with (
        Canopsis(connection("http://127.0.0.1:9", version="3.25")) as canopsis,
        pytest.raises(Unreachable) as outage,
    ):
        canopsis.entity("a")

    assert "sandbox-key" not in f"{outage.value} {outage.value.__notes__}"


@pytest.mark.parametrize("auth", [{"type": "api_key", "key": "sandbox-key"}, {"type": "basic"}])
def test_4_2_is_called_through_its_go_front(auth: dict[str, str]) -> None:
    auth = auth | (ROOT if auth["type"] == "basic" else {})
    with (
        simulated(version="4.2.0") as there,
        Canopsis(connection(f"{there.url}/backend", auth=auth)) as canopsis,
    ):
        assert (canopsis.identity().name, canopsis.dialect.name) == ("root", "D0")
        load(canopsis, component("a"))

        assert list(there.live()) == ["a"]


@pytest.mark.parametrize(
    ("version", "kind", "instead"),
    [
        ("3.25.0", "basic", "`type: api_key`"),
        ("3.25.0", "login", "`type: api_key`"),
        ("4.2.0", "login", "`type: basic` or `type: api_key`"),
        ("4.3.0", "login", "`type: basic` or `type: api_key`"),
    ],
)
def test_credentials_of_later_versions_are_refused_with_what_to_use_instead(
    version: str, kind: str, instead: str
) -> None:
    with simulated(version=version) as there:
        url = there.url if version.startswith("3") else f"{there.url}/backend"
        with (
            Canopsis(connection(url, auth={"type": kind} | ROOT)) as canopsis,
            pytest.raises(Refused, match=f"Canopsis {version} takes no `type: {kind}`") as refusal,
        ):
            canopsis.identity()

    assert any(f"use {instead} under" in note for note in refusal.value.__notes__)


def test_a_wrong_key_is_refused(there: Simulated) -> None:
    auth = {"type": "api_key", "key": "wrong"}
    with (
        Canopsis(there.connection(auth=auth)) as canopsis,
        pytest.raises(Refused, match="does not know these credentials"),
    ):
        canopsis.identity()


def test_the_version_is_asked_of_whoever_tells_it_without_credentials() -> None:
    told = json({"version": "24.10.0"})
    with scripted(told) as server, Canopsis(connection(server.url)) as canopsis:
        assert canopsis.dialect.name == "D2"

    assert not {"x-canopsis-authkey", "authorization"} & server.seen[0].headers.keys()


def test_a_proxy_that_lets_nobody_pass_is_shown_credentials() -> None:
    answers = json({}, 401), json({"version": "24.10.0"})
    with scripted(*answers) as server, Canopsis(connection(server.url)) as canopsis:
        assert canopsis.dialect.name == "D2"

    assert server.seen[1].headers["x-canopsis-authkey"] == "sandbox-key"


# --- rights


def test_an_identity_tells_what_can_be_known_and_changes_nothing(
    there: Simulated, canopsis: Canopsis
) -> None:
    identity = canopsis.identity((*LOADING, EVENT))

    assert (identity.name, identity.lacking) == ("root", ())
    assert identity.rights == (STATUS, READ, EVENT)
    assert (there.imports(), there.live()) == ([], {})
    assert any("right to import" in limit for limit in canopsis.dialect.limits)


def test_rights_that_lack_are_named() -> None:
    nobody = User("nobody", "x", "sandbox-key", {})
    with (
        simulated(version="3.25.0", users=[nobody]) as there,
        Canopsis(there.connection()) as canopsis,
    ):
        lacking = canopsis.identity((*LOADING, EVENT)).lacking

    assert lacking == (STATUS, READ, EVENT)
    assert IMPORT not in lacking


# --- imports


def test_an_import_that_nobody_knows_has_expired(canopsis: Canopsis) -> None:
    assert canopsis.import_status("nobody").state == "expired"


def test_an_import_that_could_not_be_stored_is_an_outage() -> None:
    with (
        simulated(version="3.25.0", store_fault="disk full") as there,
        Canopsis(there.connection()) as canopsis,
        pytest.raises(Unreachable, match=r"could not take the import: .*disk full"),
    ):
        load(canopsis, component("a"))


def test_entities_of_every_kind_are_loaded_switched_and_deleted(
    there: Simulated, canopsis: Canopsis
) -> None:
    load(
        canopsis, component("a"), resource("r", "a"), resource("r", "b"), service("APP", value="a")
    )
    assert set(there.live()) == {"a", "r/a", "b", "r/b", "APP"}

    outcomes = list(canopsis.disable(["r/a", "APP", "gone"], source="s"))

    assert [each.outcome for each in outcomes] == ["done", "done", "absent"]
    assert canopsis.disabled_ids("s") == ["APP", "r/a"]
    assert [each.outcome for each in canopsis.enable(["APP"], source="s")] == ["done"]
    assert canopsis.disabled_ids("s") == ["r/a"]

    deletion = canopsis.dialect.deletion
    load(canopsis, deletion("service", "APP", ""), deletion("resource", "r/a", "a"))
    assert set(there.live()) == {"a", "b", "r/b"}


# --- reading back


def test_entities_are_read_under_the_names_of_later_versions(canopsis: Canopsis) -> None:
    load(canopsis, component("a", env="prod"), resource("r", "a"), service("APP", value="a"))

    entity = canopsis.entity("a")

    assert entity is not None
    assert (entity["type"], entity["enabled"]) == ("component", True)
    assert entity["infos"] == {"env": {"name": "env", "value": "prod"}}
    assert [each["type"] for each in canopsis.entities(kinds=("service",))] == ["service"]
    assert [each["_id"] for each in canopsis.entities()] == ["APP", "a", "r/a"]
    assert (canopsis.count(), canopsis.count(kinds=("resource",))) == (3, 1)
    assert canopsis.context_graph("r/a") == {"impact": ["a"], "depends": []}
    assert canopsis.context_graph("nobody") is None
    assert (canopsis.holds("r/a"), canopsis.holds("nobody")) == (True, False)


def test_a_list_longer_than_a_page_is_read_whole(canopsis: Canopsis) -> None:
    names = [f"srv{rank:04}" for rank in range(2_001)]
    load(canopsis, *map(component, names))

    assert canopsis.ids_of_source("s") == names


def test_entities_out_of_order_are_not_taken_for_a_list() -> None:
    rows = [{"_id": "b", "type": "component"}, {"_id": "a", "type": "component"}]
    with (
        scripted(json({"total": 2, "data": rows, "success": True})) as server,
        Canopsis(connection(server.url, version="3.25")) as canopsis,
        pytest.raises(Unreadable, match="out of order: a after b"),
    ):
        list(canopsis.entities())


def test_a_count_that_comes_first_among_the_entities_is_understood() -> None:
    rows = [7, {"_id": "a", "type": "watcher"}]
    with (
        scripted(json({"total": 2, "data": rows, "success": True})) as server,
        Canopsis(connection(server.url, version="3.25")) as canopsis,
    ):
        assert canopsis.count() == 7
        assert [each["type"] for each in canopsis.entities()] == ["service"]


@pytest.mark.parametrize("answer", [{}, [], {"total": 1, "data": ["a"]}, {"data": [{}]}])
def test_an_answer_of_no_known_shape_is_unreadable(answer: Any) -> None:
    with (
        scripted(json(answer)) as server,
        Canopsis(connection(server.url, version="3.25")) as canopsis,
    ):
        with pytest.raises(Unreadable, match=r"no Canopsis of 3\.25 to 4\.2"):
            canopsis.entity("a")
        with pytest.raises(Unreadable, match=r"no Canopsis of 3\.25 to 4\.2"):
            canopsis.identity()


@pytest.mark.parametrize(
    "ask",
    [
        lambda canopsis: canopsis.open_alarms(),
        lambda canopsis: list(open_alarms(canopsis)),
        lambda canopsis: list(canopsis.entities('name = "a"')),
    ],
)
def test_what_it_cannot_be_asked_is_refused_before_it_is_asked(
    canopsis: Canopsis, ask: Any
) -> None:
    with pytest.raises(ReferentialError, match="this Canopsis cannot") as refusal:
        ask(canopsis)

    told = " ".join(refusal.value.__notes__)
    assert "Canopsis 4.3.0 and later can" in told or "Canopsis 4.6.0 and later can" in told


# --- a feed


def test_what_was_switched_off_by_hand_stays_off(tmp_path: Path) -> None:
    with rigged(tmp_path, version="3.25.0") as rig:
        rig.sync(component("a", env="prod"), component("b", env="prod"))
        with Canopsis(rig.there.connection()) as canopsis:
            list(canopsis.disable(["a"], source="by hand"))

        run = rig.sync(component("a", env="test"), component("b", env="test"))

        held = rig.there.live()
        assert (held["a"]["enabled"], held["b"]["enabled"]) == (False, True)
        assert held["a"]["infos"]["env"]["value"] == "test"
        assert run.loaded.manual == {"a"}


def test_infos_of_others_are_kept_when_ours_are_dropped(tmp_path: Path) -> None:
    with rigged(tmp_path, version="3.25.0") as rig:
        rig.sync(component("a", env="prod", site="Paris"))
        with Canopsis(rig.there.connection()) as canopsis:
            load(canopsis, component("a", theirs="x"))

        run = rig.sync(component("a", env="test"))

        infos = rig.there.live()["a"]["infos"]
        assert {key: infos[key]["value"] for key in infos} == {"env": "test", "theirs": "x"}
        assert run.loaded.pruned == {"a": 1}


def test_what_is_missing_is_deleted_where_the_job_says_so(tmp_path: Path) -> None:
    items = component("a"), resource("r", "a"), component("b"), service("APP", value="a")
    with rigged(tmp_path, version="3.25.0") as rig:
        rig.sync(*items)
        assert set(rig.there.live()) == {"a", "r/a", "b", "APP"}

        run = rig.sync(items[2], missing="delete")

        assert set(rig.there.live()) == {"b"}
        assert (run.loaded.counts["delete"], run.loaded.rejects) == (3, [])


def test_a_service_whose_pattern_no_watcher_can_have_is_a_reject(tmp_path: Path) -> None:
    body = orjson.loads(service("APP"))
    body["entity_pattern"] = [[{"field": "name", "cond": {"type": "neq", "value": "x"}}]]
    with rigged(tmp_path, version="3.25.0") as rig:
        run = rig.sync(component("a"), orjson.dumps(body))

        assert list(rig.there.live()) == ["a"]
        (reject,) = run.loaded.rejects
        assert reject.reason.startswith("filters of watchers, as Canopsis before 4.3 has them")
        assert reject.reason.endswith("have no condition neq on name")


# --- events


def test_an_event_is_published(there: Simulated, canopsis: Canopsis) -> None:
    event = {
        "event_type": "check",
        "connector": "refsync",
        "connector_name": "acme",
        "source_type": "component",
        "component": "refsync",
        "state": 2,
    }
    canopsis.send_event(event)

    with pytest.raises(Refused, match="dropped the event"):
        canopsis.send_event({name: event[name] for name in event if name != "component"})
    assert there.requests("POST /api/v2/event") == 2
