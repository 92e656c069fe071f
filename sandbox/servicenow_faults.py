"""Answers that misbehave on purpose: which call they strike, and what becomes of it."""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.servicenow_knobs import Fault
from sandbox.servicenow_pages import (
    BAD_UTF8,
    BUSY,
    CONTROL,
    HIBERNATING,
    HTML,
    JSON,
    MAINTENANCE,
    SIGN_IN,
    cancelled_body,
    encoded,
    error_body,
    page,
    result_body,
)
from sandbox.servicenow_schema import Record
from sandbox.transport import Cut, Drip, Reset

_TEXTS: Final = {"surrogate": "cut in half \ud83d", "control": CONTROL, "bad_utf8": BAD_UTF8}
_BLOCK: Final = b" " * 2**20
RULE: Final = "ae8c3f5b0a0a0b0c00d1e2f3a4b5c6d7"  # sys_id of the rate limit rule


@dataclass(frozen=True, slots=True)
class Target:
    """The call a fault may strike: what it is on, its limit and query, the rows of its window."""

    on: str
    limit: int = 0
    asked: str = ""
    window: Sequence[Record] = ()


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    left: int | None = field(init=False)  # None: for ever

    def __post_init__(self) -> None:
        self.left = self.fault.times or None


class Faults:
    """The faults of one instance, each with what is left of it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._armed = [_Armed(fault) for fault in faults]

    def strike(self, target: Target) -> Fault | None:
        """The first fault that strikes, once used up a little; None when all is well."""
        struck = None
        for armed in self._armed:
            fault = armed.fault
            if not _concerns(fault, target):
                continue
            armed.seen += 1
            since = armed.seen - fault.at
            if struck is None and since >= 0 and since % fault.every == 0 and armed.left != 0:
                struck = fault
                if armed.left is not None:
                    armed.left -= 1
        return struck


def _concerns(fault: Fault, target: Target) -> bool:
    is_table = "/" not in target.on and target.on != "token"
    here = fault.on == target.on or (not fault.on and is_table)
    return (
        here
        and (not fault.over or target.limit > fault.over)
        and fault.asked in target.asked
        and (not fault.covers or any(row.get("sys_id") == fault.covers for row in target.window))
    )


def instead(fault: Fault, rows: Sequence[Any], path: str) -> Response | None:
    """The answer in place of the real one; None when the fault leaves it there.

    *rows*: those a cancelled transaction would have sent.
    """
    if fault.kind == "cancelled":
        sent = encoded(rows[: int(len(rows) * fault.keep)])
        return Response(cancelled_body(fault.form, sent), 200, media_type=JSON)
    if fault.kind == "redirect":
        return Response(b"", 302, {"Location": f"{fault.to}/login_with_sso.do?glide_sso={path}"})
    make = _INSTEAD.get(fault.kind)
    return make(fault) if make else None


def _status(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.body == "json":
        body, kind = error_body(fault.message, fault.detail), JSON
    else:
        body, kind = page(f"HTTP {fault.status}", fault.message), HTML
    return Response(b"" if fault.body == "empty" else body, fault.status, headers, kind)


def _result(fault: Fault) -> Response:
    body = {} if fault.missing else {"result": fault.value}
    return Response(orjson.dumps(body), 200, media_type=JSON)


def _html(body: bytes, status: int) -> Response:
    return Response(body, status, media_type=HTML)


def rate_limited(limit: int, retry_after: str, reset: int = 0) -> Response:
    """429 of a rate limit rule (spec §8.1)."""
    detail = f"Rate limit of {limit} requests per hour for Table API exceeded"
    headers = {
        "Retry-After": retry_after,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Reset": str(reset),
        "X-RateLimit-Rule": RULE,
    }
    return Response(error_body("Rate limit exceeded", detail), 429, headers, JSON)


def no_roles() -> Response:
    """403 of a session that was restored on another node without its roles (spec §8.3)."""
    body = error_body("User Not Authorized", "Failed API level ACL Validation")
    return Response(body, 403, media_type=JSON)


def spoiled(fault: Fault, rows: Sequence[Any], last: Sequence[Any]) -> list[Any]:
    """The rows of a page once the fault has struck them; *last*: those of the page before."""
    rows = list(rows)
    if fault.kind == "repeat":
        return list(last)
    if fault.kind == "short":
        return rows[: int(len(rows) * fault.keep)]
    if rows:
        place = min(fault.index, len(rows) - 1)
        if fault.kind == "bad_record":
            rows[place] = fault.record
        elif text := _TEXTS.get(fault.kind):
            row = rows[place]
            texts = [name for name in row if name not in {"sys_id", "sys_updated_on"}]
            name = "name" if "name" in row else next(iter(texts), "comments")
            rows[place] = {**row, name: text}
    return rows


def delivered(fault: Fault, response: Response, rows: Sequence[Any]) -> Response:
    """The response as the fault has it travel; *rows*: those in its body."""
    body, status = bytes(response.body), response.status_code
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    match fault.kind:
        case "cut":
            return _cut(fault, body, headers, rows)
        case "drip":
            return Drip(body, status, headers, chunks=fault.chunks, seconds=fault.seconds)
        case "slow":
            return Late(body, status, headers, seconds=fault.seconds)
        case "bom":
            return Response(b"\xef\xbb\xbf" + body, status, headers)
        case "content_type":
            return Response(body, status, {**headers, "content-type": fault.media_type})
        case _:
            return response


def _cut(fault: Fault, body: bytes, headers: dict[str, str], rows: Sequence[Any]) -> Response:
    if fault.cut == "gzip":
        headers["content-encoding"] = "gzip"
        packed = gzip.compress(body, 1, mtime=0)
        return Response(packed[: int(len(packed) * fault.keep)], 200, headers)
    sent = int(len(body) * fault.keep)
    if fault.cut == "between_rows":
        kept = rows[: int(len(rows) * fault.keep)]
        sent = len(result_body(encoded(kept))) - len(b"]}")
    cut = Cut(body, 200, headers, sent=sent)
    if fault.cut != "length":
        del cut.headers["content-length"]  # the body is chunked then
    return cut


class Late(Response):
    """An answer whose first byte comes after a wait."""

    def __init__(
        self, body: bytes, status: int, headers: dict[str, str], *, seconds: float
    ) -> None:
        super().__init__(body, status, headers)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._seconds)
        await super().__call__(scope, receive, send)


class Huge(Response):
    """A whole and valid answer of so many megabytes, most of it blank."""

    def __init__(self, megabytes: int) -> None:
        super().__init__(b"", 200, {"Content-Type": JSON})
        del self.headers["content-length"]
        self._megabytes = megabytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for part in (b'{"result":[', *[_BLOCK] * self._megabytes):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"]}", "more_body": False})


_INSTEAD: Final[dict[str, Callable[[Fault], Response]]] = {
    "status": _status,
    "rate_limit": lambda fault: rate_limited(100, fault.retry_after or "2"),
    "semaphore": lambda fault: _html(BUSY if fault.body == "html" else b"", 429),
    "accepted": lambda _: Response(b"", 202, media_type=JSON),
    "node_switch": lambda _: no_roles(),
    "hibernating": lambda _: _html(HIBERNATING, 200),
    "maintenance": lambda _: _html(MAINTENANCE, 503),
    "login_page": lambda _: _html(SIGN_IN, 200),
    "empty": lambda _: Response(b"", 200, media_type=JSON),
    "reset": lambda _: Reset(),
    "huge": lambda fault: Huge(fault.megabytes),
    "result": _result,
}
