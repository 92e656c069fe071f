"""Throttling and faults strike where and as often as asked: cases 65 to 85 of the spec."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
import requests
import urllib3

from tests.sandbox.servicenow_client import BY_ID, Client, ids, numbered

PATH = "/api/now/table/u_rows"
CANCELLED = "Transaction cancelled: maximum execution time exceeded"


@pytest.fixture
def rows(now: Client) -> Client:
    """A table of ten rows."""
    now.put("u_rows", numbered(10))
    return now


def page(now: Client, **params: Any) -> requests.Response:
    return now.page("u_rows", BY_ID, **params)


def statuses(now: Client, count: int, **params: Any) -> list[int]:
    return [page(now, **params).status_code for _ in range(count)]


# -- throttling


def test_case_65_a_rate_rule_refuses_twice_and_lets_the_third_call_by(rows: Client) -> None:
    rows.fault("rate_limit", times=2)

    first, second, third = (page(rows) for _ in range(3))

    assert [first.status_code, second.status_code, third.status_code] == [429, 429, 200]
    assert first.headers["Retry-After"] == "2"
    assert first.headers["X-RateLimit-Limit"] == "100"
    assert "X-RateLimit-Reset" in first.headers
    assert "X-RateLimit-Rule" in first.headers
    assert first.json()["error"] == {
        "message": "Rate limit exceeded",
        "detail": "Rate limit of 100 requests per hour for Table API exceeded",
    }


def test_case_65_a_rule_counts_the_calls_of_an_account_by_the_hour(rows: Client) -> None:
    rows.turn(rate_limit=2)

    answers = [page(rows) for _ in range(3)]
    other = page(rows, user="etl_acl")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
    assert other.status_code == 200


def test_case_66_a_wait_of_an_hour_may_be_asked(rows: Client) -> None:
    rows.fault("rate_limit", retry_after="3600")

    assert page(rows).headers["Retry-After"] == "3600"


@pytest.mark.parametrize("body", ["empty", "html"])
def test_case_67_exhausted_semaphores_say_no_time(rows: Client, body: str) -> None:
    rows.fault("semaphore", body=body)

    answer = page(rows)

    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")
    assert bool(answer.content) == (body == "html")


def test_case_67_calls_at_once_may_be_too_many(rows: Client) -> None:
    rows.turn(max_in_flight=1, latency=0.3)
    barrier = threading.Barrier(3)

    def ask(_: int) -> int:
        barrier.wait(timeout=10)
        return page(rows).status_code

    with ThreadPoolExecutor(3) as pool:
        found = sorted(pool.map(ask, range(3)))

    assert found[0] == 200
    assert found[-1] == 429
    assert rows.traffic()["in_flight_peak"] >= 2


def test_case_68_202_is_empty(rows: Client) -> None:
    rows.fault("accepted")

    answer = page(rows)

    assert (answer.status_code, answer.content) == (202, b"")
    assert page(rows).status_code == 200


# -- failures


def test_case_69_one_window_fails_for_ever_and_smaller_ones_beside_it_do_not(
    rows: Client,
) -> None:
    rows.fault("status", covers="005", times=0)

    whole = page(rows, limit=10)
    halves = [page(rows, limit=5, offset=offset).status_code for offset in (0, 5)]
    alone = [page(rows, limit=1, offset=offset).status_code for offset in range(10)]

    assert whole.status_code == 500
    assert whole.json() == {
        "error": {"message": "java.lang.NullPointerException", "detail": None},
        "status": "failure",
    }
    assert halves == [200, 500]
    assert alone == [200] * 5 + [500] + [200] * 4


@pytest.mark.parametrize("status", [502, 503, 504])
def test_case_70_a_proxy_answers_in_html_twice(rows: Client, status: int) -> None:
    rows.fault("status", status=status, body="html", times=2)

    first, second, third = (page(rows) for _ in range(3))

    assert [first.status_code, second.status_code, third.status_code] == [status, status, 200]
    assert first.headers["Content-Type"].startswith("text/html")


def test_case_71_a_page_too_long_for_the_quota_is_cancelled_with_200(now: Client) -> None:
    now.turn(row_cost=0.15, quota=60)
    asked = {"fields": "sys_id,name"}

    cancelled = now.page("cmdb_ci_server", BY_ID, limit=401, **asked)
    whole = now.page("cmdb_ci_server", BY_ID, limit=400, **asked)
    displayed = now.page("cmdb_ci_server", BY_ID, limit=400, display_value="all", **asked)
    joined = now.page("cmdb_ci_server", BY_ID, limit=400, fields="sys_id,location.name")

    assert cancelled.status_code == 200
    document = cancelled.json()
    assert list(document) == ["result", "error", "status"]
    assert len(document["result"]) == 400
    assert document["error"]["message"] == CANCELLED
    assert document["error"]["detail"].startswith(f"{CANCELLED} Check logs for error trace")
    assert "error" not in whole.json()
    assert len(displayed.json()["result"]) == len(joined.json()["result"]) == 200


def test_case_71_some_rows_come_before_the_error(rows: Client) -> None:
    rows.fault("cancelled", over=5, times=0, keep=0.3)

    document = page(rows, limit=10).json()

    assert ids(document["result"]) == ["000", "001", "002"]
    assert document["status"] == "failure"
    assert len(page(rows, limit=5).json()["result"]) == 5


@pytest.mark.parametrize("by_quota", [True, False])
@pytest.mark.parametrize(
    ("form", "begin", "end"),
    [
        pytest.param("error_first", '{"error":{', '"status":"failure","result":[]}', id="case_72"),
        pytest.param("only_error", '{"error":{', '},"status":"failure"}', id="case_73"),
        pytest.param("spliced", '{"result":[{"name":', '},"status":"failure"}', id="case_74"),
        pytest.param("string", '{"result":"Transaction', '"}', id="case_75"),
    ],
)
def test_a_cancelled_transaction_has_other_forms(
    rows: Client, *, form: str, begin: str, end: str, by_quota: bool
) -> None:
    if by_quota:
        rows.turn(row_cost=10, quota=50, cancelled_form=form)
    else:
        rows.fault("cancelled", form=form)

    answer = page(rows)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.text.startswith(begin)
    assert answer.text.endswith(end)
    if form == "spliced":
        with pytest.raises(json.JSONDecodeError):
            answer.json()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"value": ""}, {"result": ""}),
        ({"value": None}, {"result": None}),
        ({"missing": True}, {}),
        ({"value": ["x"]}, {"result": ["x"]}),
    ],
    ids=["text", "null", "missing", "texts"],
)
def test_case_75_the_result_is_no_list_of_rows(
    rows: Client, fields: dict[str, Any], expected: object
) -> None:
    rows.fault("result", **fields)

    assert page(rows).json() == expected


@pytest.mark.parametrize("cut", ["length", "chunked", "between_rows"])
def test_case_76_a_body_is_cut_and_the_connection_with_it(rows: Client, cut: str) -> None:
    whole = page(rows).content
    rows.fault("cut", cut=cut, keep=0.5)
    with rows.get(PATH, {"sysparm_query": BY_ID}, stream=True) as answer:
        parts: list[bytes] = []
        with pytest.raises(urllib3.exceptions.ProtocolError):
            parts.extend(iter(lambda: answer.raw.read1(65536), b""))
        part = b"".join(parts)

    assert ("Content-Length" in answer.headers) == (cut == "length")
    assert whole.startswith(part)
    if cut == "between_rows":
        assert len(json.loads(part + b"]}")["result"]) == 5
    assert page(rows).content == whole


def test_case_76_a_gzip_stream_is_cut_and_nothing_else_tells(rows: Client) -> None:
    whole = page(rows).content
    rows.fault("cut", cut="gzip", keep=0.6)

    answer = page(rows)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) < len(whole)


def test_case_77_a_body_is_empty(rows: Client) -> None:
    rows.fault("empty")

    answer = page(rows)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("application/json")


def test_case_78_an_instance_hibernates_in_html_with_200(rows: Client) -> None:
    rows.fault("hibernating")
    once = page(rows)
    rows.turn(state="hibernating")
    whole = [page(rows), rows.token("client_credentials"), rows.get("/anything", user="")]

    for answer in (once, *whole):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Your instance is hibernating" in answer.text


def test_case_79_a_redirect_leads_to_the_sign_in_page_of_another_host(rows: Client) -> None:
    rows.turn(
        faults=[
            {"kind": "redirect", "to": "https://sso.example"},
            {"kind": "login_page"},
        ]
    )

    redirect, sign_in = page(rows), page(rows)

    assert redirect.status_code == 302
    assert redirect.headers["Location"].startswith("https://sso.example/login_with_sso.do")
    assert sign_in.headers["Content-Type"].startswith("text/html")


def test_case_80_good_json_comes_as_plain_text(rows: Client) -> None:
    rows.fault("content_type")

    answer = page(rows)

    assert answer.headers["Content-Type"] == "text/plain"
    assert len(answer.json()["result"]) == 10


def test_case_81_headers_come_late(rows: Client) -> None:
    rows.fault("slow", seconds=1)

    with pytest.raises(requests.ReadTimeout):
        rows.get(PATH, timeout=(5, 0.05))
    assert page(rows).status_code == 200


def test_case_81_a_body_drips(rows: Client) -> None:
    whole = page(rows).content
    rows.fault("drip", chunks=5, seconds=0.02)

    with rows.get(PATH, {"sysparm_query": BY_ID}, stream=True) as answer:
        parts = []
        while part := answer.raw.read1():
            parts.append(part)

    assert b"".join(parts) == whole
    assert len(parts) > 1


def test_case_82_a_connection_breaks_without_an_answer(rows: Client) -> None:
    rows.fault("reset")

    with pytest.raises(requests.ConnectionError):
        page(rows)
    assert page(rows).status_code == 200


def test_case_84_a_403_comes_and_goes(rows: Client) -> None:
    rows.fault("node_switch", at=4, every=10, times=0)

    found = statuses(rows, 14)

    assert [rank for rank, status in enumerate(found, 1) if status == 403] == [4, 14]


def test_case_84_a_session_keeps_its_403_until_it_is_dropped(rows: Client) -> None:
    rows.fault("node_switch", at=2)
    with requests.Session() as kept:

        def ask() -> requests.Response:
            return kept.get(f"{rows.url}{PATH}", auth=("etl", "secret"), timeout=10)

        found = [ask().status_code for _ in range(4)]
        kept.cookies.clear()
        after = ask()

    assert found == [200, 403, 403, 403]
    assert after.status_code == 200


def test_case_85_maintenance_in_the_middle_of_a_run(rows: Client) -> None:
    first = page(rows, limit=5)
    rows.turn(state="maintenance")
    closed = page(rows, limit=5, offset=5)
    rows.turn(state="up")
    second = page(rows, limit=5, offset=5)

    assert closed.status_code == 503
    assert closed.headers["Content-Type"].startswith("text/html")
    assert ids(first.json()["result"] + second.json()["result"]) == ids(numbered(10))


# -- rows


def test_a_page_is_repeated(rows: Client) -> None:
    rows.fault("repeat", at=2, times=0)

    pages = [ids(page(rows, limit=4, offset=offset).json()["result"]) for offset in (0, 4, 8)]

    assert pages == [["000", "001", "002", "003"]] * 3


def test_a_page_is_short_and_its_rows_are_lost(rows: Client) -> None:
    rows.fault("short", keep=0.5)

    answer = page(rows, limit=4)

    assert ids(answer.json()["result"]) == ["000", "001"]
    assert answer.headers["X-Total-Count"] == "10"


@pytest.mark.parametrize("odd", ["not an object", None, 3, ["x"]], ids=str)
def test_a_record_is_not_an_object(rows: Client, odd: object) -> None:
    rows.fault("bad_record", index=1, record=odd)

    assert page(rows, limit=3).json()["result"] == [numbered(1)[0], odd, numbered(3)[2]]


@pytest.mark.parametrize(
    ("kind", "raw", "tolerant"),
    [
        ("surrogate", b"half \\ud83d", True),
        ("control", b'"a\x01b\x02c"', True),
        ("bad_utf8", b'"caf\xe9"', False),
        ("bom", b"\xef\xbb\xbf{", False),
    ],
)
def test_a_text_breaks_the_parser(rows: Client, *, kind: str, raw: bytes, tolerant: bool) -> None:
    rows.fault(kind, index=2)

    body = page(rows).content

    assert raw in body.replace(b"cut in half", b"half")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    if tolerant:
        rows_of = json.loads(body, strict=False)["result"]
        assert ids(rows_of) == ids(numbered(10))


def test_an_answer_is_huge_and_valid(rows: Client) -> None:
    rows.fault("huge", megabytes=3)

    answer = page(rows)

    assert len(answer.content) > 3 * 2**20
    assert answer.json() == {"result": []}


# -- which calls a fault strikes


def test_a_fault_strikes_from_a_call_on_as_often_as_asked(rows: Client) -> None:
    rows.fault("status", status=503, at=2, times=2)

    assert statuses(rows, 5) == [200, 503, 503, 200, 200]


def test_a_fault_is_on_one_table_or_api(rows: Client) -> None:
    rows.turn(
        faults=[
            {"kind": "status", "on": "stats/u_rows", "times": 0},
            {"kind": "status", "on": "meta/cmdb_ci", "times": 0},
            {"kind": "status", "on": "instance/cmdb_ci", "times": 0},
        ]
    )

    assert page(rows).status_code == 200
    for path in ("stats/u_rows", "cmdb/meta/cmdb_ci", "cmdb/instance/cmdb_ci"):
        assert rows.get(f"/api/now/{path}").status_code == 500
    rows.fault("empty", times=0)
    assert rows.get("/api/now/stats/u_rows").json() == {"result": {"stats": {}}}
    assert rows.get(f"{PATH}/000").content == b""


def test_a_fault_is_on_calls_that_ask_for_something(rows: Client) -> None:
    rows.fault("status", asked="sysparm_no_count=true", times=0)

    assert page(rows).status_code == 200
    assert page(rows, no_count="true").status_code == 500


def test_of_several_faults_the_first_strikes_and_all_count(rows: Client) -> None:
    rows.turn(faults=[{"kind": "rate_limit"}, {"kind": "status", "at": 2}])

    assert statuses(rows, 3) == [429, 500, 200]


def test_an_unknown_knob_is_refused(rows: Client) -> None:
    answer = rows.session.put(f"{rows.url}/sandbox/knobs", json={"nope": 1}, timeout=10)

    assert answer.status_code == 400
    assert "nope" in answer.text
