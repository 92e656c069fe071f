"""In what the versions of Canopsis differ, beside the dialect (`specs/canopsis.md` §9)."""

from collections.abc import Callable

import pytest
import requests

from flows.misdeclared import Misdeclared
from flows.sandboxes import build
from sandbox.canopsis_versions import VERSIONS, known
from tests.sandbox.canopsis_cases import Caller, Item, c
from tests.sandbox.canopsis_linked import A, Linked, Start, ci, linked_of

__all__ = ["linked_of"]

V4 = ("4.3.0", "4.4", "4.5.0", "4.6", "22.10", "23.04.5", "23.10", "24.04", "24.10", "25.04")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_can_be_served(version: str) -> None:
    assert build("canopsis", version) is not None
    assert known(version) == version


@pytest.mark.parametrize("version", ["banana", "4.7", "24.10.1.2", "26.04"])
def test_nonsense_is_refused_with_the_list(version: str) -> None:
    with pytest.raises(Misdeclared, match=r"24\.10, 3\.25, 4\.3\.0"):
        build("canopsis", version)
    with pytest.raises(ValueError, match=r"24\.10, 3\.25, 4\.3\.0"):
        known(version)


@pytest.mark.parametrize("version", V4)
def test_what_tells_the_version(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    app = canopsis.call("GET", "app-info", headers={})
    login = canopsis.call("GET", "internal/login_info", headers={})

    old = version in ("4.3.0", "4.4")
    assert (app.status_code, login.status_code) == ((404, 200) if old else (200, 404))
    assert (login if old else app).json()["version"] == version


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("4.6", {"stack"}),
        ("23.04.5", {"stack"}),
        ("23.10", {"stack", "maintenance"}),
        ("24.10", {"stack", "maintenance", "serial_name"}),
        ("25.04", {"maintenance", "serial_name", "file_import_max_size"}),
    ],
)
def test_what_app_info_tells(linked_of: Start, version: str, told: set[str]) -> None:
    about = linked_of(version).get("app-info").json()

    optional = {"stack", "maintenance", "serial_name", "file_import_max_size"}
    assert set(about) & optional == told


@pytest.mark.parametrize(
    ("version", "statuses"),
    [
        ("4.3.0", [404, 404, 404, 404]),  # no 405 yet
        ("4.4", [404, 404, 404, 404]),
        ("4.5.0", [404, 405, 404, 404]),
        ("4.6", [404, 405, 405, 404]),
        ("22.10", [404, 405, 405, 404]),
        ("23.04.5", [405, 405, 405, 404]),
        ("23.10", [405, 405, 405, 404]),
        ("24.04", [405, 404, 404, 401]),
        ("25.04", [405, 404, 404, 401]),
    ],
)
def test_what_anonymous_probes_find(linked_of: Start, version: str, statuses: list[int]) -> None:
    canopsis = linked_of(version)
    paths = (
        "contextgraph-import",
        "contextgraph/import",
        "contextgraph/import-partial",
        "contextgraph-import-status/probe",
    )

    found = [canopsis.call("GET", path, headers={}).status_code for path in paths]

    assert found == statuses


def test_up_to_4_3_the_proxy_knows_but_backend(linked_of: Start) -> None:
    url = linked_of("4.3.0").control_url

    bare = requests.get(f"{url}/api/v4/internal/login_info", timeout=10)
    prefixed = requests.get(f"{url}/backend/api/v4/internal/login_info", timeout=10)

    assert (bare.status_code, bare.headers["content-type"][:9]) == (200, "text/html")
    assert prefixed.json()["version"] == "4.3.0"


def test_the_login_of_4_3_is_a_session(linked_of: Start) -> None:
    canopsis = linked_of("4.3.0")
    person = {"username": "root", "password": "root"}

    with requests.Session() as session:
        login = session.post(f"{canopsis.url}/api/v4/login", json=person, timeout=10)
        begun = session.post(f"{canopsis.url}/auth", data=person, timeout=10)
        me = session.get(f"{canopsis.url}/api/v4/account/me", timeout=10)

    assert (login.status_code, begun.status_code, me.status_code) == (404, 200, 200)


@pytest.mark.parametrize("version", ["4.3.0", "4.4", "22.10", "24.10"])
def test_a_source_is_asked_for_from_4_4_on(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    path = "contextgraph-import" if version == "24.10" else "contextgraph/import"

    answer = canopsis.call("PUT", path, json=[])

    assert answer.status_code == (200 if version == "4.3.0" else 400)


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        ("4.4", {"source"}),
        ("22.10", {"source"}),
        ("23.04.5", {"source", "last_ping"}),
        ("23.10", {"source", "last_ping"}),
    ],
)
def test_what_a_status_holds(linked_of: Start, version: str, keys: set[str]) -> None:
    canopsis = linked_of(version)

    report = canopsis.status(canopsis.send({"cis": [A]}))

    assert set(report) == {"_id", "creation", "status", "info", "exec_time", "stats"} | keys


@pytest.mark.parametrize(
    ("version", "kept"),
    [("4.3.0", True), ("4.5.8", True), ("4.6", False), ("22.10", False), ("23.10", False)],
)
def test_how_long_reports_are_kept(linked_of: Start, version: str, kept: bool) -> None:  # noqa: FBT001 - parametrized
    canopsis = linked_of(version)
    job = canopsis.send({"cis": [A]})
    canopsis.settle()

    canopsis.advance(26 * 3600)

    found = canopsis.get(f"contextgraph/import/status/{job}").status_code
    assert found == (200 if kept else 404)


@pytest.mark.parametrize(("version", "after"), [("22.10", "pending"), ("23.10", "done")])
def test_a_restart_loses_a_queue_in_memory(linked_of: Start, version: str, after: str) -> None:
    canopsis = linked_of(version)
    job = canopsis.send({"cis": [A]})

    canopsis.control("restart")
    canopsis.settle()

    assert canopsis.status(job)["status"] == after


@pytest.mark.parametrize(
    ("version", "source"), [("4.6", None), ("22.10", None), ("23.04.5", "s1"), ("23.10", "s1")]
)
def test_the_source_is_stored_before_it_is_shown(
    linked_of: Start, version: str, source: str | None
) -> None:
    canopsis = linked_of(version)
    canopsis.run(A)

    assert canopsis.ids(search='import_source = "s1"') == ["A"]
    assert canopsis.entity("A").get("import_source") == source


@pytest.mark.parametrize(
    ("version", "bulk", "graph"),
    [("4.5.9", 404, 404), ("4.6", 207, 404), ("22.10", 207, 200), ("24.10", 207, 200)],
)
def test_when_routes_came(linked_of: Start, version: str, bulk: int, graph: int) -> None:
    canopsis: Linked = linked_of(version)
    session = requests.post(
        f"{canopsis.control_url}/sandbox/entities",
        json={"name": "A", "type": "component"},
        timeout=10,
    )
    assert session.status_code == 201

    switched = canopsis.call("PUT", "bulk/entities/enable", json=[{"_id": "A"}])
    around = canopsis.get("entities/context-graph", _id="A")

    assert (switched.status_code, around.status_code) == (bulk, graph)


@pytest.mark.parametrize(("version", "refused"), [("24.10", False), ("25.04", True)])
def test_from_25_04_an_import_has_a_limit(
    canopsis_of: Callable[[str], Caller],
    version: str,
    refused: bool,  # noqa: FBT001 - parametrized
) -> None:
    canopsis = canopsis_of(version)
    requests.put(f"{canopsis.url}/sandbox/knobs", json={"import_max_size": 10}, timeout=10)

    answer = canopsis.call("PUT", "contextgraph-import", params={"source": "s"}, data=b"x" * 11)

    assert answer.status_code == (400 if refused else 200)
    if refused:
        assert answer.json() == {"error": "request size 11 exceeds limit 10"}


@pytest.mark.parametrize(("version", "tags"), [("24.10", None), ("25.04", ["blue"])])
def test_tags_came_with_25_04(
    canopsis_of: Callable[[str], Caller], version: str, tags: list[str] | None
) -> None:
    canopsis = canopsis_of(version)

    canopsis.given(c("A", tags=["blue"]))

    assert canopsis.entity("A").get("tags") == tags


@pytest.mark.parametrize(("version", "enabled"), [("24.04", True), ("24.10", False)])
def test_from_24_10_a_service_of_the_interface_can_be_disabled_by_name(
    canopsis_of: Callable[[str], Caller],
    version: str,
    enabled: bool,  # noqa: FBT001 - parametrized
) -> None:
    canopsis = canopsis_of(version)
    service = canopsis.add_service("S")

    canopsis.load([{"type": "service", "name": "S", "action": "disable"}])

    assert canopsis.service(service)["enabled"] is enabled


@pytest.mark.parametrize("version", ["4.3.0", "4.6"])
def test_up_to_4_6_a_filter_stands_for_the_types(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A, ci("B", "connector"))

    assert canopsis.ids(**{"type[]": "component"}) == ["A", "B"]
    assert canopsis.ids(filter='{"type": "component", "enabled": {"$ne": false}}') == ["A"]
    assert canopsis.ids(filter='{"$or": [{"infos.k.value": "v"}, {"_id": {"$in": ["B"]}}]}') == [
        "A",
        "B",
    ]
    assert canopsis.get("entities", filter="[]").status_code == 400


@pytest.mark.parametrize(
    ("version", "found"), [("22.10", ["A", "B"]), ("23.04.5", ["A", "B"]), ("23.10", ["A"])]
)
def test_entities_are_selected_by_pattern_from_23_10_on(
    linked_of: Start, version: str, found: list[str]
) -> None:
    canopsis = linked_of(version)
    canopsis.run(A, ci("B", "component"))

    pattern = '[[{"field": "name", "cond": {"type": "eq", "value": "A"}}]]'
    assert canopsis.ids(entity_pattern=pattern) == found


OLD = {"entity_patterns": [{"name": {"regex_match": "^A"}, "infos": {"k": {"value": "v"}}}]}
NEW = {"entity_pattern": [[{"field": "name", "cond": {"type": "regexp", "value": "^A"}}]]}


@pytest.mark.parametrize(
    ("version", "pattern", "depends"),
    [("4.6", OLD, ["A"]), ("4.6", NEW, []), ("22.10", NEW, ["A"]), ("22.10", OLD, [])],
)
def test_the_pattern_of_a_service_changed_its_syntax_with_22_10(
    linked_of: Start,
    version: str,
    pattern: Item,
    depends: list[str],
) -> None:
    canopsis = linked_of(version)

    canopsis.run(A, ci("S", "service", **pattern))

    held = canopsis.service("S")
    assert [name for name in pattern if name in held] == (list(pattern) if depends else [])
    serving = canopsis.entity("A").get("impact")
    assert serving == (["S"] if depends else [])


def test_a_pattern_that_means_nothing_is_stored_by_d1(linked_of: Start) -> None:
    canopsis = linked_of("22.10")
    wrong = [[{"field": "connector", "cond": {"type": "neither", "value": 1}}]]

    canopsis.run(A, ci("S", "service", entity_pattern=wrong))

    assert canopsis.context("S") == {"impact": [], "depends": []}
    assert canopsis.service("S")["entity_pattern"] == wrong
