"""The Python webcore beside its imports: callers, reading, events, its failures."""

import base64
from typing import Any

import pytest
import requests

from tests.sandbox.canopsis_cases import Item, check_event, infos
from tests.sandbox.canopsis_linked import ci
from tests.sandbox.canopsis_webcore import Begin, webcore_of

__all__ = ["webcore_of"]

A = ci("A", "component", infos=infos(k="v"), import_source="s1")
B = ci("B", "component", import_source="s1") | {"enabled": False}
C = ci("C", "component", import_source="s2")
VERSIONS = ("3.25.0", "4.2.4")
ME = "/account/me"


def basic(name: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_told_to_anyone(webcore_of: Begin, version: str) -> None:
    canopsis = webcore_of(version)

    login = canopsis.call("GET", "/api/internal/login/login_info", params={})
    assert login.status_code == 200
    assert login.json()["version"] == version
    assert canopsis.call("GET", "/api/internal/app_info", params={}).status_code == 401
    assert canopsis.call("GET", "/api/internal/app_info").json()["version"] == version


@pytest.mark.parametrize("version", VERSIONS)
def test_later_addresses_are_unknown(webcore_of: Begin, version: str) -> None:
    canopsis = webcore_of(version)

    for path in ("app-info", "internal/login_info", "entities", "contextgraph/import"):
        response = canopsis.call("GET", f"/api/v4/{path}", params={})
        assert response.status_code == 404, path
        assert "Not found: " in response.text


@pytest.mark.parametrize("version", VERSIONS)
def test_who_may_call(webcore_of: Begin, version: str) -> None:
    canopsis = webcore_of(version)

    anonymous = canopsis.put({"json": {"cis": [A]}}, params={})
    assert anonymous.status_code == 401
    assert "Not authorized" in anonymous.text
    assert canopsis.put({"json": {"cis": [A]}}, params={"authkey": "wrong"}).status_code == 401
    reader = canopsis.put({"json": {"cis": [A]}}, params={"authkey": "reader-key"})
    assert reader.status_code == 403
    assert canopsis.call("GET", ME).json()["data"][0]["_id"] == "root"


def test_3_25_knows_no_header(webcore_of: Begin) -> None:
    canopsis = webcore_of("3.25.0")

    key = {"x-canopsis-authkey": "sandbox-key"}
    assert canopsis.call("GET", ME, params={}, headers=key).status_code == 401
    assert canopsis.call("GET", ME, params={}, headers=basic("root", "root")).status_code == 401
    users = [{"name": "off", "authkey": "off-key", "enabled": False}]
    canopsis.control("knobs", users=users)
    assert canopsis.call("GET", ME, params={"authkey": "off-key"}).status_code == 403


def test_4_2_has_the_go_api_before_it(webcore_of: Begin) -> None:
    canopsis = webcore_of("4.2.4")

    key = {"x-canopsis-authkey": "sandbox-key"}
    assert canopsis.call("GET", ME, params={}, headers=key).status_code == 200
    assert canopsis.call("GET", ME, params={}, headers=basic("root", "root")).status_code == 200
    wrong = canopsis.call("GET", ME, params={}, headers=basic("root", "wrong"))
    assert (wrong.status_code, wrong.json()) == (401, {"error": "Unauthorized"})
    unprefixed = requests.get(f"{canopsis.control_url}/api/internal/app_info", timeout=10)
    assert unprefixed.headers["content-type"].startswith("text/html")
    assert unprefixed.status_code == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_begins_with_a_password(webcore_of: Begin, version: str) -> None:
    canopsis = webcore_of(version)
    form = {"username": "root", "password": "root", "json_response": "true"}

    opened = canopsis.call("POST", "/auth", params={}, data=form)

    assert opened.json()["authkey"] == "sandbox-key"
    cookies = opened.cookies
    assert list(cookies.keys()) == ["session-id" if version == "4.2.4" else "beaker.session.id"]
    assert canopsis.call("GET", ME, params={}, cookies=cookies).status_code == 200
    wrong = canopsis.call("POST", "/auth", params={}, json=form | {"password": "wrong"})
    assert (wrong.status_code, wrong.json()["description"]) == (403, "Wrong login or password")
    by_page = canopsis.call("POST", "/auth", params={}, data={"username": "root"})
    assert (by_page.status_code, by_page.headers["location"]) == (303, "/?logerror=1")
    unknown = canopsis.call("POST", "/auth", params={}, data=form | {"username": "x"})
    assert (unknown.status_code, unknown.headers["location"]) == (307, "/auth/internal")
    assert canopsis.call("POST", "/auth/internal", params={}, data=form).status_code == 403


def read(canopsis: Any, query: str, **params: Any) -> Any:
    asked = {"authkey": "sandbox-key", "query": query, **params}
    return canopsis.call("GET", "/api/v2/entities", params=asked)


def test_entities_are_found_by_a_filter(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A, B, C)

    one = read(canopsis, '{"_id": "A"}').json()
    assert (one["total_count"], one["count"]) == (1, 1)
    assert one["data"][0]["infos"] == infos(k="v")
    assert one["data"][0]["alarm"] is None
    off = read(canopsis, '{"import_source": "s1", "enabled": false}').json()
    assert [each["_id"] for each in off["data"]] == ["B"]
    page = read(canopsis, "{}", limit=2, offset=1).json()
    assert (page["total_count"], page["count"]) == (3, 2)
    some = read(canopsis, '{"_id": {"$in": ["A", "X", "C"]}}').json()
    assert [each["_id"] for each in some["data"]] == ["A", "C"]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.25.0", "list index out of range"),
        ("4.2.4", "IndexError('list index out of range',)"),
    ],
)
def test_nothing_found_is_an_error(webcore_of: Begin, version: str, words: str) -> None:
    response = read(webcore_of(version), '{"_id": "X"}')

    assert response.status_code == 400
    assert response.json() == {"name": "", "description": words}


def test_a_filter_that_means_nothing_is_refused(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A)

    for query in ('{"$some": 1}', "5", "[", '{"depends": "A"}'):
        assert read(canopsis, query).status_code == 400, query
    assert read(canopsis, "{}", limit="many").status_code == 400
    assert read(canopsis, "{}", page=1).status_code == 500
    refused = canopsis.call("POST", "/context", json={"_filter": {"$some": 1}})
    assert refused.status_code == 500
    assert canopsis.call("POST", "/context", json={"sort": [5]}).status_code == 500


def test_pages_of_a_sorted_list(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(C, A, B)
    down = [{"property": "_id", "direction": "DESC"}]

    first = canopsis.context(sort=down, limit=2)
    rest = canopsis.context(sort=down, limit=2, start=2)

    assert (first["total"], rest["total"]) == (3, 3)
    assert [each["_id"] for each in [*first["data"], *rest["data"]]] == ["C", "B", "A"]
    by_source = canopsis.context(sort='[["import_source", "DESC"], "_id"]')["data"]
    assert [each["_id"] for each in by_source] == ["C", "A", "B"]
    assert canopsis.context(_filter={"_id": "X"}) == {"total": 0, "data": [], "success": True}


def send(canopsis: Any, body: Any) -> Any:
    response = canopsis.call("POST", "/api/v2/event", json=body)
    assert response.status_code == 200, response.text
    canopsis.control("tick")
    return response.json()


def test_an_event_opens_an_alarm(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A)

    sent = send(canopsis, check_event("A"))

    assert [len(sent[key]) for key in ("sent_events", "failed_events", "retry_events")] == [1, 0, 0]
    alarm = read(canopsis, '{"_id": "A"}').json()["data"][0]["alarm"]
    assert alarm["v"]["state"]["val"] == 3
    send(canopsis, [check_event("A", "new", 0)])
    assert canopsis.entity("new/A")["impact"] == ["A"]


def test_events_that_have_no_key_are_not_sent(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    bad: list[Item] = [
        {key: value for key, value in check_event("A", "R").items() if key != name}
        for name in ("connector", "connector_name", "event_type", "component", "resource")
    ]

    answer = send(canopsis, [*bad, check_event("A")])

    assert answer["failed_events"] == bad
    assert len(answer["sent_events"]) == 1
    untyped = canopsis.call("POST", "/api/v2/event", data=b"{}")
    assert (untyped.status_code, untyped.json()["description"]) == (200, "nothing to return")
    broken = canopsis.call(
        "POST", "/api/v2/event", data=b"{", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 400


def test_jobs_meet_the_same_faults(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.control("knobs", job_faults=[{"kind": "never"}, {"kind": "stuck"}, {"applied": 1}])

    jobs = [canopsis.send(A, C), canopsis.send(A, C), canopsis.send(A, C), canopsis.send(B)]
    canopsis.control("tick")

    reports = [canopsis.status(job) for job in jobs]
    assert [each["status"] for each in reports] == ["pending", "ongoing", "failed", "done"]
    assert reports[2]["info"].startswith("open /tmp/import_")
    assert canopsis.ids() == ["A", "B"]


@pytest.mark.parametrize(("phase", "left"), [("parse", []), ("write", ["A"])])
def test_a_poisoned_item_fails_its_job(webcore_of: Begin, phase: str, left: list[str]) -> None:
    canopsis = webcore_of()
    canopsis.control("knobs", poison=[{"name": "^C$", "info": "no", "phase": phase}])

    assert canopsis.failed(A, C, B) == "no"
    assert canopsis.ids() == left


def test_the_front_fails_as_it_does_before_any_version(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    for kind in ("500", "502", "401", "429"):
        canopsis.control("knobs", faults=[{"kind": kind}])
        assert canopsis.put({"json": {"cis": [A]}}).status_code == int(kind)
    canopsis.control("tick")
    assert canopsis.ids() == []
    canopsis.control("knobs", faults=[{"kind": "reset"}])
    with pytest.raises(requests.RequestException):
        canopsis.put({"json": {"cis": [A]}})
    canopsis.control("tick")
    assert canopsis.ids() == ["A"]  # the call that was cut has been carried out
    canopsis.control("knobs", faults=[{"kind": "hang", "seconds": 0}])
    assert canopsis.put({"json": {"cis": [A]}}).status_code == 504
    canopsis.control("knobs", faults=[], body_limit=100)
    assert canopsis.put({"json": {"cis": [A | {"name": "x" * 200}]}}).status_code == 413
