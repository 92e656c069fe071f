"""The simulated JSON API serves every paging, shape, credential and fault it promises."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from sandbox.cmdb import records
from tests.sandbox.jsonapi_client import IDS, ROWS, Client, ids

# -- paging: each reads the seven rows by three


def by_number(api: Client) -> Iterator[list[str]]:
    for number in range(1, 4):
        yield api.page(page=number)


def by_offset(api: Client) -> Iterator[list[str]]:
    for offset in (0, 3, 6):
        yield api.page(offset=offset, limit=3)


def by_cursor(api: Client) -> Iterator[list[str]]:
    cursor = ""
    while cursor is not None:
        body = api.get(params={"cursor": cursor}).json()
        yield ids(body["data"])
        cursor = body["next"]


def by_cursor_header(api: Client) -> Iterator[list[str]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(params={"cursor": cursor})
        yield ids(answer.json()["data"])
        cursor = answer.headers.get("X-Next-Cursor")


def by_link(api: Client) -> Iterator[list[str]]:
    url: str | None = f"{api.url}/api/servers?kept=yes"
    while url:
        answer = api.session.get(url, timeout=10)
        yield ids(answer.json()["data"])
        url = answer.links.get("next", {}).get("url")
        assert url is None or (url.startswith(api.url) and "kept=yes" in url)


def by_next(api: Client) -> Iterator[list[str]]:
    url: str | None = f"{api.url}/api/servers"
    while url:
        body = api.session.get(url, timeout=10).json()
        yield ids(body["data"])
        url = body["next"]


def by_keyset(api: Client) -> Iterator[list[str]]:
    last = ""
    while page := api.page(after=last):
        yield page
        last = page[-1]


def by_range(api: Client) -> Iterator[list[str]]:
    for first in (0, 3, 6):
        answer = api.get(params={"range": f"{first}-{first + 2}"})
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"{first}-{min(first + 2, 6)}/7"
        yield ids(answer.json()["data"])


@pytest.mark.parametrize(
    ("paging", "read"),
    [
        ("page", by_number),
        ("offset", by_offset),
        ("cursor", by_cursor),
        ("cursor_header", by_cursor_header),
        ("link", by_link),
        ("next", by_next),
        ("keyset", by_keyset),
        ("range", by_range),
    ],
)
def test_every_paging_gives_every_row_once(
    api: Client, paging: str, read: Callable[[Client], Iterator[list[str]]]
) -> None:
    api.turn(paging=paging)

    assert list(read(api)) == [IDS[:3], IDS[3:6], IDS[6:]]


def test_without_paging_everything_is_one_page(api: Client) -> None:
    api.turn(paging="none")

    assert api.page() == IDS


def test_parameters_may_come_in_a_body(api: Client) -> None:
    url = f"{api.url}/api/servers"

    as_json = api.session.post(url, json={"page": 2}, timeout=10)
    as_form = api.session.post(url, data={"page": 2}, timeout=10)

    assert ids(as_json.json()["data"]) == ids(as_form.json()["data"]) == IDS[3:6]


def test_the_url_of_the_next_page_may_be_relative_or_elsewhere(api: Client) -> None:
    api.turn(paging="next", links="relative")
    assert api.get().json()["next"].startswith("/api/servers?cursor=")

    api.turn(links="absolute", links_base="http://elsewhere.example")
    assert api.get().json()["next"].startswith("http://elsewhere.example/api/servers?cursor=")


def test_a_larger_page_than_allowed_is_lowered_silently(api: Client) -> None:
    api.turn(max_page_size=2)

    assert api.page(limit=1000) == IDS[:2]


@pytest.mark.parametrize(
    ("beyond", "status", "rows"), [("empty", 200, []), ("last", 200, IDS[6:]), ("404", 404, None)]
)
def test_beyond_the_last_page(
    api: Client, beyond: str, status: int, rows: list[str] | None
) -> None:
    api.turn(beyond=beyond)

    answer = api.get(params={"page": 9})

    assert answer.status_code == status
    assert rows is None or ids(answer.json()["data"]) == rows


@pytest.mark.parametrize(
    "params", [{"page": "x"}, {"page": 0}, {"limit": 0}, {"limit": -1}], ids=str
)
def test_nonsense_is_refused(api: Client, params: dict[str, Any]) -> None:
    assert api.get(params=params).status_code == 400


def test_a_cursor_that_never_was_is_refused(api: Client) -> None:
    api.turn(paging="cursor")

    assert api.get(params={"cursor": "?"}).status_code == 400


# -- shapes and counts


@pytest.mark.parametrize(
    ("knobs", "body"),
    [
        ({"shape": "list"}, ROWS[:1]),
        ({"records_path": "a.b"}, {"a": {"b": ROWS[:1]}}),
        ({"shape": "map", "records_path": "objects"}, {"objects": {"00": ROWS[0]}}),
        ({"shape": "map", "records_path": ""}, {"00": ROWS[0]}),
        (
            {"shape": "map", "map_drops_key": True, "records_path": ""},
            {"00": {"name": ROWS[0]["name"]}},
        ),
        (
            {"shape": "hits"},
            {
                "hits": {
                    "total": {"value": 7, "relation": "eq"},
                    "hits": [{"_id": "00", "_source": ROWS[0]}],
                }
            },
        ),
        ({"extra": {"code": 0}, "more_path": "meta.more"}, None),
    ],
    ids=["list", "dotted", "map", "root map", "map without key", "hits", "extra"],
)
def test_every_shape(api: Client, knobs: dict[str, Any], body: Any) -> None:
    api.turn(**knobs)

    expected = body or {"code": 0, "meta": {"more": True}, "data": ROWS[:1]}
    assert api.get(params={"limit": 1}).json() == expected


@pytest.mark.parametrize(("total", "told"), [("number", 9), ("string", "9")])
def test_the_count_may_be_told_in_the_body_and_be_wrong(api: Client, total: str, told: Any) -> None:
    api.turn(total=total, total_path="meta.count", total_error=2)

    assert api.get().json()["meta"] == {"count": told}


def test_the_count_may_be_told_in_a_header(api: Client) -> None:
    api.turn(total="header", shape="list")

    assert api.get().headers["X-Total-Count"] == "7"


@pytest.mark.parametrize(
    ("end", "last"), [("null", {"next": None}), ("empty", {"next": ""}), ("absent", {})]
)
def test_the_last_page_ends_as_asked(api: Client, end: str, last: dict[str, Any]) -> None:
    api.turn(paging="cursor", page_size=7, end=end)

    assert api.get().json() == {"data": ROWS, **last}


@pytest.mark.parametrize(
    "knobs",
    [{"pagin": "page"}, {"paging": "pages"}, {"shape": "list", "paging": "cursor"}],
    ids=["unknown knob", "unknown value", "no room for a cursor"],
)
def test_a_knob_that_cannot_be_turned_says_so(api: Client, knobs: dict[str, Any]) -> None:
    answer = api.session.put(f"{api.url}/sandbox/knobs", json=knobs, timeout=10)

    assert answer.status_code == 400
    assert api.page() == IDS[:3]


# -- files, traffic, rows that change


def test_a_file_is_served_byte_for_byte(api: Client) -> None:
    body = b"\xef\xbb\xbf[1,\x00]"
    url = f"{api.url}/sandbox/files/a/b.json"
    api.session.put(url, data=body, headers={"Content-Type": "text/plain"}, timeout=10)

    answer = api.get("/files/a/b.json")

    assert answer.content == body
    assert answer.headers["Content-Type"] == "text/plain"
    assert api.get("/files/absent").status_code == 404
    assert api.get("/api/absent").status_code == 404


def test_a_collection_is_replaced_at_run_time(api: Client) -> None:
    assert api.page() == IDS[:3]

    url = f"{api.url}/sandbox/collections/servers"
    api.session.put(url, json=[{"id": "new"}], timeout=10)

    assert api.page() == ["new"]


def test_a_reset_brings_everything_back(api: Client) -> None:
    api.turn(shape="list", faults=[{"kind": "html", "times": 0}])
    api.session.delete(f"{api.url}/sandbox/collections/servers", timeout=10)

    api.session.post(f"{api.url}/sandbox/reset", timeout=10)

    assert api.page() == IDS[:3]
    assert api.traffic()["requests"] == 1


def test_traffic_counts_calls_and_keeps_their_headers(api: Client) -> None:
    length = len(api.get(headers={"X-Trace": "7"}, params={"page": 2}).content)
    api.get("/api/absent")

    traffic = api.traffic()

    assert traffic["requests"] == 2
    assert traffic["statuses"] == {"200": 1, "404": 1}
    assert traffic["paths"]["/api/servers"] == {"requests": 1, "bytes_sent": length}
    assert traffic["calls"][0]["query"] == {"page": "2"}
    assert traffic["calls"][0]["headers"]["x-trace"] == "7"


def test_pages_are_compressed_for_callers_that_accept_it(api: Client) -> None:
    api.turn(gzip=True)

    squeezed = api.get(stream=True)
    raw = squeezed.raw.read()
    plain = api.get(headers={"Accept-Encoding": "identity"})

    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert "Content-Encoding" not in plain.headers


# -- in a process of its own


def test_it_runs_in_a_process_of_its_own() -> None:
    knobs = orjson.dumps({"page_size": 40, "shape": "list"}).decode()
    command = [sys.executable, "-m", "sandbox.jsonapi", "--records", "50", "--knobs", knobs]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        first = requests.get(f"{url}/api/servers", timeout=10).json()
        rest = requests.get(f"{url}/api/servers", params={"page": 2}, timeout=10).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert first + rest == records(50)
