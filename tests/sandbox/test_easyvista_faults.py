"""Errors and misbehaviour of the simulated EasyVista: cases G of specs/easyvista-cases.md."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests

from tests.sandbox.easyvista_client import Client, served


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def statuses(api: Client, count: int, path: str = "assets", **params: Any) -> list[int]:
    return [api.get(path, **params).status_code for _ in range(count)]


def test_a_fault_strikes_from_its_rank_as_often_as_asked(api: Client) -> None:
    api.fault("status", status=503, at=2, times=2)

    assert statuses(api, 5) == [200, 503, 503, 200, 200]


def test_a_fault_may_strike_for_ever(api: Client) -> None:
    api.fault("status", status=502, at=3, times=0)

    assert statuses(api, 6) == [200, 200, 502, 502, 502, 502]


def test_a_fault_strikes_its_path_alone(api: Client) -> None:
    api.fault("status", on="configuration-items/*/item-links", times=0)

    assert statuses(api, 2) == [200, 200]
    assert statuses(api, 1, "configuration-items/1001/item-links") == [500]
    assert statuses(api, 1, "configuration-items/1001") == [200]


def test_a_fault_counts_large_pages_or_some_queries_alone(api: Client) -> None:
    api.fault("status", over=1, at=2)
    assert statuses(api, 3, max_rows=1) == [200] * 3
    assert statuses(api, 3, max_rows=2) == [200, 500, 200]

    api.fault("status", asked='search=ASSET_TAG:"T-0001"', times=0)
    assert statuses(api, 1) == [200]
    assert statuses(api, 1, search='ASSET_TAG:"T-0001"') == [500]


def test_of_several_faults_the_first_that_strikes_does(api: Client) -> None:
    api.turn(faults=[{"kind": "status", "at": 2}, {"kind": "status", "status": 502, "times": 0}])

    assert statuses(api, 3) == [502, 500, 502]


def test_g1_a_list_that_is_not_found(api: Client) -> None:
    api.fault("status", status=404, text="Resource not found")

    assert api.get().json() == {"error": "Resource not found"}


def test_g2_a_590_has_a_message_in_a_message(api: Client) -> None:
    answer = api.get(search='STATUS_ID:"abc"')

    assert (answer.status_code, answer.reason) == (590, "")
    body = answer.json()
    assert body.keys() == {"message", "correlationId", "dataError", "exception"}
    inner, _, code = body["message"].rpartition(" ")
    assert "'abc'" in json.loads(inner)["error"]
    assert re.fullmatch(r"\(2013-[0-9a-f]{13}\)", code)
    assert code == f"(2013-{body['correlationId']})"


def test_g3_the_inner_message_may_not_be_json(api: Client) -> None:
    text = 'The INSERT conflicted with "FK_ASSET" in database "EVO_DATA"'
    api.fault("rejected", text=text, form="quotes")

    inner = api.get().json()["message"].rpartition(" ")[0]

    assert inner == f'{{"error": "{text}"}}'
    with pytest.raises(json.JSONDecodeError):
        json.loads(inner)


def test_g4_the_whole_body_may_not_be_json(api: Client) -> None:
    api.fault("rejected", text='near "x"', form="broken")

    answer = api.get()

    assert answer.status_code == 590
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("error_code", {"error_code": "2013", "error": "no"}),
        ("error_message", {"error_message": "no"}),
        ("code_message", {"code": "2013", "message": "no"}),
    ],
)
def test_a_590_has_other_bodies(api: Client, form: str, body: dict[str, str]) -> None:
    api.fault("rejected", text="no", form=form)

    assert api.get().json() == body


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_g5_a_proxy_answers_with_a_page(api: Client, status: int) -> None:
    api.fault("status", status=status, body="html")

    answer = api.get()

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize(
    ("status", "retry_after"),
    [(503, "2"), (503, "Wed, 21 Oct 2026 07:28:00 GMT"), (503, "86400"), (429, "1"), (429, "")],
)
def test_g6_g7_it_says_when_to_come_back_or_not(api: Client, status: int, retry_after: str) -> None:
    api.fault("status", status=status, retry_after=retry_after)

    answer = api.get()

    assert answer.status_code == status
    assert answer.headers.get("Retry-After", "") == retry_after


@pytest.mark.parametrize("status", [500, 504, 408])
def test_g8_a_page_of_too_many_rows_ends_in_a_timeout(api: Client, status: int) -> None:
    api.turn(timeout_rows=50, timeout_status=status)

    answer = api.get(max_rows=51)

    assert answer.status_code == status
    assert "timeout" in answer.json()["error"].lower()
    assert statuses(api, 1, max_rows=50) == [200]
    assert statuses(api, 1, max_rows=500, search='ASSET_TAG:"T-0001"') == [200]


def test_g8_a_timeout_at_a_page(api: Client) -> None:
    api.fault("timeout", at=2, status=504)

    assert statuses(api, 3) == [200, 504, 200]


def test_g9_a_body_drips(api: Client) -> None:
    whole = api.get().content
    api.fault("drip", chunks=4, seconds=0.01)

    begun = time.monotonic()
    answer = api.get()

    assert answer.content == whole
    assert time.monotonic() - begun >= 0.04


def test_g10_a_body_is_cut_and_a_connection_breaks(api: Client) -> None:
    api.turn(faults=[{"kind": "cut", "keep": 0.9}, {"kind": "reset", "at": 2}])

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get()
    with pytest.raises(requests.ConnectionError):
        api.get()
    assert statuses(api, 1) == [200]


def test_g11_an_answer_of_nothing(api: Client) -> None:
    api.fault("empty")

    answer = api.get()

    assert (answer.status_code, answer.content) == (200, b"")


def test_g12_a_sign_in_page_comes_with_200(api: Client) -> None:
    api.fault("html")

    answer = api.get()

    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


def test_g13_an_error_comes_with_200(api: Client) -> None:
    api.fault("error", text="Invalid session")

    answer = api.get()

    assert (answer.status_code, answer.json()) == (200, {"error": "Invalid session"})


def test_g14_a_list_comes_without_its_records(api: Client) -> None:
    api.fault("no_records")

    body = api.body()

    assert "records" not in body
    assert body["record_count"] == "100"


def test_g15_the_count_of_a_page_is_wrong(api: Client) -> None:
    api.fault("miscounted", by=3)

    body = api.body()

    assert (body["record_count"], len(body["records"])) == ("103", 100)


def test_the_total_is_wrong_once(api: Client) -> None:
    api.fault("total", by=-1, at=2)

    assert [api.body()["total_record_count"] for _ in range(3)] == ["250", "249", "250"]


def test_g16_a_byte_order_mark_comes_first(api: Client) -> None:
    plain = api.get().content
    api.fault("bom")

    assert api.get().content == b"\xef\xbb\xbf" + plain


def test_g17_a_body_is_not_utf8(api: Client) -> None:
    whole = api.get("departments").content
    api.fault("latin1")

    body = api.get("departments").content

    assert b"g\xe9n\xe9rale" in body
    assert body == whole.decode().encode("latin-1")
    api.fault("bad_utf8")
    with pytest.raises(UnicodeDecodeError):
        api.get().content.decode()


def test_g18_a_number_is_not_one(api: Client) -> None:
    api.fault("nan")

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(api.get().content)


def test_g19_a_body_is_compressed_or_half_of_it(api: Client) -> None:
    plain = api.get().content
    api.turn(gzip=True)

    with api.ask(f"{api.root}/assets", stream=True) as answer:
        squeezed = answer.raw.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed) == plain
    without = api.ask(f"{api.root}/assets", headers={"Accept-Encoding": "identity"})
    assert (without.content, without.headers.get("Content-Encoding")) == (plain, None)

    api.fault("gzip_cut")
    with api.ask(f"{api.root}/assets", stream=True) as answer:
        half = answer.raw.read()
    with pytest.raises(EOFError):
        gzip.decompress(half)


def test_g22_a_page_comes_as_partial_content(api: Client) -> None:
    api.fault("partial_content")

    answer = api.get(max_rows=10, offset=20)

    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == "rows 20-29/250"
    assert len(answer.json()["records"]) == 10


def test_g23_no_content(api: Client) -> None:
    api.fault("status", status=204, body="empty")

    answer = api.get()

    assert (answer.status_code, answer.content) == (204, b"")


def test_g25_a_body_has_no_end_in_sight(api: Client) -> None:
    api.fault("huge", megabytes=5000)

    with api.ask(f"{api.root}/assets", stream=True) as answer:
        head = answer.raw.read(2**20)

    assert answer.status_code == 200
    assert head.startswith(b'{"record_count":"1","records":["xxx')
    assert statuses(api, 1) == [200]


def test_a_slow_answer_is_whole(api: Client) -> None:
    plain = api.get().content
    api.fault("slow", seconds=0.05)

    answer = api.get()

    assert answer.content == plain
    assert answer.elapsed.total_seconds() >= 0.05
