"""The HTTP layer of Canopsis: cases 1 to 16 of `specs/canopsis.md` §10."""

import base64
import time
from collections.abc import Callable

import pytest

from tests.sandbox.canopsis_cases import READER, ROOT, Caller, c, infos, values

Start = Callable[[str], Caller]


def test_case_001_an_anonymous_import_is_unauthorized_and_makes_no_job(canopsis: Caller) -> None:
    answer = canopsis.call(
        "PUT", "contextgraph-import", params={"source": "s1"}, json=[c("A")], headers={}
    )

    canopsis.settle()
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    assert not canopsis.has("A")


def test_case_002_a_user_without_the_right_is_forbidden(canopsis: Caller) -> None:
    answer = canopsis.call(
        "PUT", "contextgraph-import", params={"source": "s1"}, json=[c("A")], headers=READER
    )

    canopsis.settle()
    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})
    assert not canopsis.has("A")


@pytest.mark.parametrize("path", ["contextgraph-import", "contextgraph-import-partial"])
@pytest.mark.parametrize("params", [{}, {"source": ""}], ids=["absent", "empty"])
def test_case_003_an_import_without_source_is_refused(
    canopsis: Caller, path: str, params: dict[str, str]
) -> None:
    answer = canopsis.call("PUT", path, params=params, json=[])

    assert answer.status_code == 400
    assert answer.json() == {"errors": {"source": "Source is missing."}}


def test_case_003_rights_are_checked_before_the_source(canopsis: Caller) -> None:
    assert canopsis.call("PUT", "contextgraph-import", headers={}).status_code == 401
    assert canopsis.call("PUT", "contextgraph-import", headers=READER).status_code == 403


def test_case_004_a_body_that_is_not_json_is_accepted_then_fails(canopsis: Caller) -> None:
    report = canopsis.load(b"not json")

    assert report["status"] == "failed"
    assert report["info"].startswith("invalid character ")


def test_case_005_the_body_of_the_older_dialect_fails(canopsis: Caller) -> None:
    report = canopsis.load(b'{"cis":[{"name":"A","type":"component","action":"set"}]}')

    assert (report["status"], report["info"]) == ("failed", "cis should be an array")


def test_case_006_an_empty_body_is_an_empty_import(canopsis: Caller) -> None:
    report = canopsis.load(b"")

    assert (report["status"], report["info"]) == ("failed", "empty import")


def test_case_007_an_empty_array_is_an_empty_import(canopsis: Caller) -> None:
    report = canopsis.load([])

    assert (report["status"], report["info"]) == ("failed", "empty import")


def test_case_008_the_status_of_an_unknown_job_is_not_found(canopsis: Caller) -> None:
    answer = canopsis.get("contextgraph-import-status/1c2a0d5e-unknown")

    assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})


def test_case_009_a_job_that_has_not_run_is_pending(canopsis: Caller) -> None:
    job = canopsis.put_import([c("A")])

    report = canopsis.status(job)
    assert report.pop("creation").endswith("Z")
    assert report == {
        "_id": job,
        "last_ping": None,
        "status": "pending",
        "info": "",
        "exec_time": "",
        "source": "s1",
        "stats": {"deleted": 0, "updated": 0},
    }


def test_case_009_a_job_that_has_run_tells_its_time_and_last_ping(canopsis: Caller) -> None:
    report = canopsis.load([c("A")])

    assert report["status"] == "done"
    assert report["last_ping"].endswith("Z")
    assert [len(part) for part in report["exec_time"].split(":")] == [2, 2, 2]


def test_case_010_jobs_run_one_at_a_time_in_the_order_of_creation(lively: Caller) -> None:
    jobs = [lively.put_import([c("A", infos=infos(rank=rank))]) for rank in range(3)]

    # The last job is asked first: between two answers, jobs can only go on.
    seen = [["pending"] * 3]
    deadline = time.monotonic() + 20
    while seen[-1] != ["done"] * 3 and time.monotonic() < deadline:
        seen.append([lively.status(job)["status"] for job in reversed(jobs)])

    order = {"pending": 0, "ongoing": 1, "done": 2}
    ranks = [[order[status] for status in statuses] for statuses in seen]
    assert ranks[-1] == [2, 2, 2]
    assert all(rank == sorted(rank) for rank in ranks)
    assert all(statuses.count("ongoing") <= 1 for statuses in seen)
    assert any("ongoing" in statuses for statuses in seen)
    assert values(lively.entity("A")) == {"rank": 2}


@pytest.mark.parametrize("items", [[c("A")], []], ids=["done", "failed"])
def test_case_011_the_report_of_an_ended_job_is_swept_after_a_day(
    canopsis: Caller, items: list[dict[str, str]]
) -> None:
    job = canopsis.load(items)["_id"]

    canopsis.advance(23 * 3600)
    assert canopsis.get(f"contextgraph-import-status/{job}").status_code == 200

    canopsis.advance(2 * 3600 + 60)
    answer = canopsis.get(f"contextgraph-import-status/{job}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})


def test_case_012_the_version_is_told_to_anyone(canopsis: Caller) -> None:
    answer = canopsis.call("GET", "app-info", headers={})

    assert answer.status_code == 200
    assert answer.json()["version"].startswith("24.10")
    assert answer.json()["edition"] in ("community", "pro")


def test_case_013_a_get_on_the_import_route_shows_that_it_exists(canopsis: Caller) -> None:
    known = canopsis.get("contextgraph-import")
    partial = canopsis.get("contextgraph-import-partial")
    removed = canopsis.get("contextgraph/import")

    assert (known.status_code, known.json()) == (405, {"error": "Method Not Allowed"})
    assert (partial.status_code, partial.json()) == (405, {"error": "Method Not Allowed"})
    assert (removed.status_code, removed.json()) == (404, {"error": "Not found"})


def test_case_013_the_older_import_route_still_exists_in_23_10(canopsis_of: Start) -> None:
    older = canopsis_of("23.10.6")

    answers = [older.get(path) for path in ("contextgraph-import", "contextgraph/import")]

    assert [answer.status_code for answer in answers] == [405, 405]
    assert answers[1].json() == {"error": "Method Not Allowed"}


def test_case_014_a_wrong_key_is_unauthorized_even_where_none_is_needed(canopsis: Caller) -> None:
    by_header = canopsis.call("GET", "app-info", headers={"x-canopsis-authkey": "wrong"})
    by_query = canopsis.call("GET", "app-info", params={"authkey": "wrong"}, headers={})

    assert (by_header.status_code, by_header.json()) == (401, {"error": "Unauthorized"})
    assert by_query.status_code == 401


def test_case_014_the_key_of_the_query_is_looked_at_before_the_header(canopsis: Caller) -> None:
    wrong_header = {"x-canopsis-authkey": "wrong"}

    good = canopsis.call("GET", "entities", params={"authkey": "sandbox-key"}, headers=wrong_header)
    bad = canopsis.call("GET", "entities", params={"authkey": "wrong"}, headers=ROOT)

    assert (good.status_code, bad.status_code) == (200, 401)


def test_case_015_a_wrong_password_wins_over_a_good_key(canopsis: Caller) -> None:
    wrong = base64.b64encode(b"root:wrong").decode()
    right = base64.b64encode(b"root:root").decode()

    refused = canopsis.call("GET", "entities", headers={"Authorization": f"Basic {wrong}"} | ROOT)
    welcome = canopsis.call("GET", "entities", headers={"Authorization": f"Basic {right}"})

    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized"})
    assert welcome.status_code == 200


def test_case_016_a_token_lives_from_login_to_logout(canopsis: Caller) -> None:
    login = canopsis.call(
        "POST", "login", json={"username": "root", "password": "root"}, headers={}
    )
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}

    during = canopsis.call("GET", "account/me", headers=bearer)
    logout = canopsis.call("POST", "logout", headers=bearer)
    after = canopsis.call("GET", "account/me", headers=bearer)

    assert login.status_code == 200
    assert list(login.json()) == ["access_token"]
    assert (during.status_code, logout.status_code, after.status_code) == (200, 204, 401)
    assert canopsis.call("POST", "logout", headers={}).status_code == 401


def test_case_016_a_bad_login_is_refused(canopsis: Caller) -> None:
    wrong = canopsis.call("POST", "login", json={"username": "root", "password": "x"}, headers={})
    blank = canopsis.call("POST", "login", json={}, headers={})

    assert wrong.status_code == 401
    assert blank.status_code == 400
    assert blank.json() == {
        "errors": {"username": "Username is missing.", "password": "Password is missing."}
    }
