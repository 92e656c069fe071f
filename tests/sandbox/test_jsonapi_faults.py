"""Each fault of the simulated JSON API strikes where and as often as asked, then all is well."""

import time

import orjson
import pytest
import requests

from tests.sandbox.jsonapi_client import PAGES, ROWS, Client, ids


def test_a_fault_strikes_its_page_as_often_as_asked(api: Client) -> None:
    api.fault("status", status=503, at=2, times=2)

    statuses = [api.get(params={"page": page}).status_code for page in (1, 2, 3, 2, 2)]

    assert statuses == [200, 503, 200, 503, 200]


def test_a_fault_may_strike_for_ever_and_elsewhere_alone(api: Client) -> None:
    api.session.put(f"{api.url}/sandbox/files/export", data=b"[]", timeout=10)
    api.fault("status", on="export", times=0)

    assert [api.get("/files/export").status_code for _ in range(3)] == [500] * 3
    assert api.get().status_code == 200


def test_faults_strike_one_a_call_in_their_order(api: Client) -> None:
    api.turn(faults=[{"kind": "status", "status": 429, "retry_after": "1"}, {"kind": "empty"}])

    first, second, third = (api.get() for _ in range(3))

    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert (second.status_code, second.content) == (200, b"")
    assert ids(third.json()["data"]) == PAGES[0]


def test_a_sign_in_page_comes_with_200(api: Client) -> None:
    api.fault("html")

    answer = api.get()

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_redirect_leads_to_the_same_path_elsewhere(api: Client) -> None:
    api.fault("redirect", to="http://elsewhere.example")

    answer = api.get(params={"page": 2}, allow_redirects=False)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://elsewhere.example/api/servers?page=2"


def test_a_connection_breaks_without_an_answer(api: Client) -> None:
    api.fault("reset")

    with pytest.raises(requests.ConnectionError):
        api.get()
    assert api.page() == PAGES[0]


def test_a_body_is_cut_before_its_announced_end(api: Client) -> None:
    whole = api.get().content
    api.fault("cut", keep=0.5)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get()

    api.fault("cut", keep=1)
    with api.get(stream=True) as answer:
        assert int(answer.headers["Content-Length"]) == len(whole)
        assert answer.raw.read(len(whole) - 1) == whole[:-1]
    assert api.page() == PAGES[0]


def test_a_body_drips(api: Client) -> None:
    whole = api.get().content
    api.fault("drip", chunks=4, seconds=0.05)

    begun = time.monotonic()
    answer = api.get()

    assert answer.content == whole
    assert time.monotonic() - begun >= 0.2


def test_a_page_is_repeated(api: Client) -> None:
    api.fault("repeat", at=2)

    assert [api.page(page=page) for page in (1, 2, 3)] == [PAGES[0], PAGES[0], PAGES[2]]


def test_a_page_is_short_and_its_rows_are_lost(api: Client) -> None:
    api.turn(paging="cursor")
    api.fault("short", at=2, keep=0.4)

    cursor, pages = "", []
    while cursor is not None:
        body = api.get(params={"cursor": cursor}).json()
        pages.append(ids(body["data"]))
        cursor = body["next"]

    assert pages == [PAGES[0], PAGES[1][:1], PAGES[2]]


@pytest.mark.parametrize("shape", ["envelope", "map"])
@pytest.mark.parametrize("odd", ["not an object", None, 3, ["x"]], ids=str)
def test_a_record_is_not_an_object(api: Client, shape: str, odd: object) -> None:
    api.turn(shape=shape)
    api.fault("bad_record", index=1, record=odd)

    rows = api.get().json()["data"]

    assert list(rows.values() if shape == "map" else rows) == [ROWS[0], odd, ROWS[2]]


def test_a_number_is_not_one(api: Client) -> None:
    api.fault("nan", at=1)

    text = api.get().text

    assert '"load":NaN' in text
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text)


def test_a_byte_is_not_utf8(api: Client) -> None:
    api.fault("bad_utf8")

    body = api.get().content

    assert b'"comment":"caf\xe9"' in body
    with pytest.raises(UnicodeDecodeError):
        body.decode()


def test_a_byte_order_mark_comes_first(api: Client) -> None:
    plain = api.get().content
    api.fault("bom")

    assert api.get().content == b"\xef\xbb\xbf" + plain


def test_rows_come_and_go_between_two_pages(api: Client) -> None:
    api.fault("rows", at=1, remove=2, add=[{"id": "new"}])

    pages = [api.page(page=page) for page in (1, 2, 1)]

    assert pages == [["00", "01", "02"], ["04", "05", "06"], ["new", "02", "03"]]


def test_the_token_endpoint_fails_when_it_is_named(api: Client) -> None:
    api.turn(auth="oauth2")
    api.fault("status", status=503, on="token")
    form = {
        "grant_type": "client_credentials",
        "client_id": "api-client",
        "client_secret": "api-secret",
    }

    statuses = [
        api.session.post(f"{api.url}/token", data=form, timeout=10).status_code for _ in range(2)
    ]

    assert statuses == [503, 200]


def test_the_headers_of_a_redirected_call_are_seen_where_it_arrives(api: Client) -> None:
    api.fault("redirect", to=api.url.replace("127.0.0.1", "localhost"))

    answer = api.get(headers={"Authorization": "Bearer x", "X-Api-Key": "k"})

    calls = api.traffic()["calls"]
    assert answer.status_code == 200
    assert [call["headers"].get("authorization") for call in calls] == ["Bearer x", None]
    assert [call["headers"].get("x-api-key") for call in calls] == ["k", "k"]
