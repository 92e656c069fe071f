"""The itop source keeps every source's promises: ids listed, then windows of ids.

The bench is no iTop but the least that answers like one; what strikes it strikes the windows, and
the questions that follow a failure too. `sandbox.itop` is used in the other tests.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.serve import serve
from sources.base import Complete, Record
from sources.itop import SOURCE
from tests.sources.contract import (
    AnchoredContract,
    Bench,
    Fault,
    HttpContract,
    Served,
    SlicedContract,
    key_of,
    keys_to,
    read,
)

SECRET = "s3cr3t/ +é"
PAGE_SIZE = 5

Object = dict[str, Any]


@dataclass
class Itop:
    """Servers, each with its id and a padded text, and one fault."""

    rows: list[Object]
    fault: Fault
    answered: int = 0  # windows
    failures: int = 0

    async def answer(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        asked = json.loads(form["json_data"][0])
        secret = form["auth_pwd"][0]
        strikes = self.answered + 1 == self.fault.page
        if strikes and (failure := self._failure(secret)) is not None:
            return failure
        if asked["operation"] == "list_operations":
            return _json({"code": 0, "message": "Operations: 7", "operations": []})
        found = self._found(asked["key"])
        if asked["output_fields"] != "id":
            found = self._window(found, strikes=strikes)
        error = {"total_too_low": -1, "total_too_high": 1}.get(self.fault.kind, 0)
        total = len(found) + error
        return _json({"code": 0, "message": f"Found: {total}", "objects": _map(found, asked)})

    def _found(self, query: str) -> list[Object]:
        if query.endswith("id = 0"):
            return []
        low, high = (_bound(query, sign) for sign in (">", "<="))
        listed = re.search(r"id IN \(([^)]*)\)", query)
        ids = {int(each) for each in listed[1].split(",")} if listed else None
        return [
            row
            for row in reversed(self.rows)  # no order that anybody could lean on
            if (low is None or row["key"] > low)
            and (high is None or row["key"] <= high)
            and (ids is None or row["key"] in ids)
        ]

    def _window(self, found: list[Object], *, strikes: bool) -> list[Object]:
        if found:
            self.answered += 1
        kind = self.fault.kind if strikes else ""
        if kind == "short_page":
            return found[:1]
        if kind == "repeated_page":
            self.answered = self.fault.page - 1  # until the end of time
            return self.rows[: len(found)]
        if kind in {"row_added", "row_removed", "row_replaced"}:
            self._move(kind)
        return found

    def _move(self, kind: str) -> None:
        self.fault = Fault("none")
        if kind != "row_added":
            del self.rows[0]
        if kind == "row_added":
            self.rows.insert(0, _row(0, 0))
        if kind == "row_replaced":
            self.rows.append(_row(999_999, 0))

    def _failure(self, secret: str) -> Response | None:
        self.failures += 1
        whole = json.dumps({"code": 0, "message": "Found: 1", "objects": {"A::1": {"key": "1"}}})
        denied = {"code": 1, "message": f"Error: Invalid login {secret}"}
        failures = {
            "cut": Response(whole[: len(whole) // 2], media_type="application/json"),
            "fails_always": Response(f"<p>iTop: An error occurred {secret}</p>", 500),
            "html": Response(f"<html>sign in, {secret}</html>", media_type="text/html"),
            "empty_body": Response(b""),
            "credentials": _json(denied),
            "huge": Response(b"[" + b"1," * 2_000_000 + b"1]"),
            "endless": StreamingResponse(repeat(b"1," * 500_000, 300)),
        }
        if self.failures <= 2:
            failures["fails_twice"] = Response("oops", 500)
        if self.failures <= 1:
            failures["too_many_requests"] = Response("", 429, headers={"Retry-After": "0.05"})
        return failures.get(self.fault.kind)


def _bound(query: str, sign: str) -> int | None:
    found = re.search(rf"id {sign} (\d+)", query)
    return int(found[1]) if found else None


def _json(document: object) -> Response:
    return Response(json.dumps(document), media_type="application/json")


def _map(rows: Sequence[Object], asked: dict[str, Any]) -> dict[str, Any] | None:
    names = [name.strip() for name in asked["output_fields"].split(",")]
    objects = {}
    for row in rows:
        fields = row["fields"]
        if isinstance(fields, dict):
            fields = {name: fields[name] for name in names}
        key = str(row["key"])
        objects[f"Server::{key}"] = {
            "code": 0,
            "message": "",
            "class": "Server",
            "key": key,
            "fields": fields,
        }
    return objects or None


def _row(number: int, size: int, name: str = "") -> Object:
    fields = {"id": str(number), "name": name or key_of(number), "text": "é" * size}
    return {"key": number, "fields": fields}


@dataclass(frozen=True)
class Hall:
    """One server for all of them: stopping one takes longer than a test."""

    url: str
    held: dict[str, Itop]


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    held: dict[str, Itop] = {}

    async def rest(request: Request) -> Response:
        return await held[request.path_params["name"]].answer(request)

    routes = [Route("/{name}/webservices/rest.php", rest, methods=["POST"])]
    with serve(Starlette(routes=routes)) as url:
        yield Hall(url, held)


@dataclass(frozen=True)
class ItopBench:
    """Servers of one class, asked for with the words of a dataset."""

    hall: Hall
    words: dict[str, Any]
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "id"

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        fault = fault or Fault("")
        name = "srv-dup" if fault.kind == "same_sort_key" else ""
        rows = [_row(number, size, name) for number in range(1, count + 1)]
        if fault.kind == "odd_row":
            rows[(fault.page - 1) * PAGE_SIZE + 1]["fields"] = "not the fields of a server"
        itop = f"itop{len(self.hall.held)}"
        self.hall.held[itop] = Itop(rows, fault)
        page_size = PAGE_SIZE if count < 10_000 else 1_000
        dataset = {"class": "Server", "fields": ["name", "text"], "page_size": page_size}
        yield Served(
            SOURCE.config.model_validate(
                {"connection": "itop", "datasets": {"servers": dataset | self.words}}
            ),
            SOURCE.connection.model_validate(
                {
                    "base_url": f"{self.hall.url}/{itop}",
                    "auth": {"type": "form", "username": "etl", "password": SECRET},
                    "retry": {"attempts": 3, "initial": 0.01, "jitter": 0},
                    "max_body": "2MiB",
                }
            ),
            "servers",
            secrets=(SECRET,),
        )

    def key(self, record: Record) -> str:
        return key_of(int(record["id"]))


class TestWindows(HttpContract, AnchoredContract, SlicedContract):
    """A class, or a condition on it."""

    @pytest.fixture
    def bench(self, hall: Hall) -> Bench:
        return ItopBench(hall, {})

    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_what_a_window_lacks_is_asked_for_again(self, bench: Bench, page: int) -> None:
        count = 3 * PAGE_SIZE + 1

        with bench.serve(count, Fault("short_page", page)) as served:
            reading = read(bench, served)

        assert reading.keys == keys_to(count)
        assert isinstance(reading.outcome, Complete)
        assert f"{PAGE_SIZE - 1} came only when asked for again" in reading.outcome.evidence


class TestLists(HttpContract, AnchoredContract, SlicedContract):
    """A whole query, whose objects are then read by lists of ids."""

    @pytest.fixture
    def bench(self, hall: Hall) -> Bench:
        return ItopBench(hall, {"oql": "SELECT Server"})
