"""The api source keeps every source's promises, whatever the paginator."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.serve import serve
from sources.api import SOURCE, ApiConfig
from sources.base import Record
from sources.connection import ApiConnection
from tests.sources.contract import (
    AnchoredContract,
    Bench,
    Fault,
    HttpContract,
    Served,
    SlicedContract,
    key_of,
)

SECRET = "s3cr3t/ +é"
PAGE_SIZE = 5


@dataclass
class Shelf:
    """Records served in pages, in every style at once, with one fault."""

    rows: list[Any]
    fault: Fault
    page_size: int
    answered: int = 0
    asked: int = 0
    failures: int = 0

    async def things(self, request: Request) -> Response:
        self.asked += 1
        strikes = self.answered + 1 == self.fault.page
        if strikes and (failure := self._failure(request)) is not None:
            return failure
        self.answered += 1
        first, rows = self._slice(request.query_params)
        if strikes and self.fault.kind == "short_page":
            rows = rows[:1]
        if strikes and self.fault.kind == "repeated_page":
            self.answered = self.fault.page - 1  # until the end of time
            first, rows = 0, self.rows[: len(rows)]
        answer = self._answer(request, first, rows)
        if strikes:
            self._move()
        return answer

    def _slice(self, query: Mapping[str, str]) -> tuple[int, list[Any]]:
        size = min(int(query.get("limit", self.page_size)), self.page_size)
        if "page" in query:
            first = (int(query["page"]) - 1) * size
        elif "cursor" in query:
            later = (n for n, row in enumerate(self.rows) if _number(row) > int(query["cursor"]))
            first = next(later, len(self.rows))
        else:
            first = int(query.get("offset", 0))
        return first, self.rows[first : first + size]

    def _answer(self, request: Request, first: int, rows: list[Any]) -> Response:
        after = first + len(rows)
        total = {"total_too_low": -1, "total_too_high": 1}.get(self.fault.kind, 0) + len(self.rows)
        document: dict[str, Any] = {"meta": {"total": str(total)}, "items": rows}
        headers = {}
        if after < len(self.rows):
            document["meta"]["cursor"] = _number(rows[-1])
            document["next"] = f"things?offset={after}"
            url = request.url.replace(query=f"offset={after}")
            headers["Link"] = f'<{url}>; rel="next"'
        else:
            document["meta"]["cursor"] = document["next"] = None
        return Response(json.dumps(document), media_type="application/json", headers=headers)

    def _failure(self, request: Request) -> Response | None:
        self.failures += 1
        secret = request.headers.get("Authorization", "")
        first, rows = self._slice(request.query_params)
        whole = bytes(self._answer(request, first, rows).body)
        failures = {
            "cut": Response(whole[: len(whole) // 2], media_type="application/json"),
            "fails_always": Response(f"no thanks {secret}", 503),
            "html": Response(f"<html>sign in, {secret}</html>", media_type="text/html"),
            "empty_body": Response(b""),
            "credentials": Response(f"who is {secret}?", 401),
            "huge": Response(b"[" + b"1," * 2_000_000 + b"1]"),
            "endless": StreamingResponse(repeat(b"1," * 500_000, 300)),
        }
        if self.failures <= 2:
            failures["fails_twice"] = Response("oops", 500)
        if self.failures <= 1:
            failures["too_many_requests"] = Response("", 429, headers={"Retry-After": "0.05"})
        return failures.get(self.fault.kind)

    def _move(self) -> None:
        kind = self.fault.kind
        self.fault = Fault("none")
        if kind in {"row_removed", "row_replaced"}:
            del self.rows[0]
        if kind == "row_added":
            self.rows.insert(0, _row(0, 0))
        if kind == "row_replaced":
            self.rows.append(_row(999_999, 0))


def _row(number: int, size: int) -> Record:
    return {"id": key_of(number), "n": number, "text": "é" * size}


def _number(row: Any) -> int:
    return row["n"] if isinstance(row, dict) else int(row)


@pytest.fixture(scope="module")
def library() -> Iterator["Library"]:
    """One server for all the shelves of this module: stopping one takes longer than a test."""
    shelves: dict[str, Shelf] = {}

    async def things(request: Request) -> Response:
        return await shelves[request.path_params["shelf"]].things(request)

    with serve(Starlette(routes=[Route("/{shelf}/things", things)])) as url:
        yield Library(url, shelves)


@dataclass(frozen=True)
class Library:
    url: str
    shelves: dict[str, Shelf]


@dataclass(frozen=True)
class ApiBench:
    """A shelf and a paginator to read it with."""

    library: Library
    paginator: Mapping[str, Any]
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "id"

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        rows = [_row(number, size) for number in range(1, count + 1)]
        page_size = PAGE_SIZE if count < 10_000 else 1_000
        shelf = Shelf(rows, fault or Fault(""), page_size)
        if shelf.fault.kind == "odd_row":
            rank = (shelf.fault.page - 1) * PAGE_SIZE + 1
            shelf.rows[rank] = str(shelf.rows[rank]["n"])
        name = f"shelf{len(self.library.shelves)}"
        self.library.shelves[name] = shelf
        connection = _connection(f"{self.library.url}/{name}")
        yield Served(self._config(page_size), connection, "things", secrets=(SECRET,))

    def _config(self, page_size: int) -> ApiConfig:
        limit = {"limit": page_size} if "limit" in self.paginator else {}
        dataset = {
            "path": "/things",
            "data_selector": "items",
            "total_path": "meta.total",
            "primary_key": "id",
            "paginator": {**self.paginator, **limit},
        }
        return ApiConfig.model_validate({"connection": "shelf", "datasets": {"things": dataset}})

    def key(self, record: Record) -> str:
        return str(record["id"])


def _connection(url: str) -> ApiConnection:
    return ApiConnection.model_validate(
        {
            "base_url": url,
            "auth": {"type": "basic", "username": "reader", "password": SECRET},
            "retry": {"attempts": 3, "initial": 0.01, "jitter": 0},
            "max_body": "2MiB",
        }
    )


class TestOffset(HttpContract, AnchoredContract, SlicedContract):
    @pytest.fixture
    def bench(self, library: Library) -> Bench:
        return ApiBench(library, {"type": "offset", "limit": PAGE_SIZE})


class TestPageNumber(HttpContract):
    @pytest.fixture
    def bench(self, library: Library) -> Bench:
        return ApiBench(library, {"type": "page_number", "base_page": 1})


class TestCursor(HttpContract, AnchoredContract):
    @pytest.fixture
    def bench(self, library: Library) -> Bench:
        return ApiBench(library, {"type": "cursor", "cursor_path": "meta.cursor"})


class TestJsonLink(HttpContract):
    @pytest.fixture
    def bench(self, library: Library) -> Bench:
        return ApiBench(library, {"type": "json_link", "next_url_path": "next"})


class TestHeaderLink(HttpContract):
    @pytest.fixture
    def bench(self, library: Library) -> Bench:
        return ApiBench(library, {"type": "header_link"})
