"""Answers that misbehave on purpose."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sandbox.jsonapi_knobs import Fault
from sandbox.jsonapi_pages import BAD_UTF8, NAN, Window

LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>"
    b'<body><form action="/login" method="post">Your session has expired.</form></body></html>\n'
)
# The key of the ASGI scope under which the application leaves the connection.
TRANSPORT = "sandbox.transport"


def instead(fault: Fault, *, path: str) -> Response | None:
    """The answer in place of a page or file; None when the fault leaves the page or file there."""
    match fault.kind:
        case "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            body = orjson.dumps({"error": f"answered {fault.status} as asked"})
            return Response(body, fault.status, headers, "application/json")
        case "html":
            return Response(LOGIN_PAGE, 200, media_type="text/html")
        case "empty":
            return Response(b"", 200, media_type="application/json")
        case "redirect":
            return Response(b"", 302, {"Location": f"{fault.to}{path}"})
        case "reset":
            return Reset()
        case _:
            return None


def spoiled_rows(
    fault: Fault, rows: Sequence[Any], asked: Window, collection: Sequence[Any]
) -> list[Any]:
    """The rows of a page once the fault has struck them."""
    spoiled = list(rows)
    match fault.kind:
        case "repeat":
            start = max(asked.start - asked.size, 0)
            spoiled = list(collection[start : start + asked.size])
        case "short":
            spoiled = spoiled[: int(len(spoiled) * fault.keep)]
        case "bad_record" if spoiled:
            spoiled[min(fault.index, len(spoiled) - 1)] = fault.record
        case "nan" if spoiled:
            spoiled[0] = {**spoiled[0], "load": NAN}
        case "bad_utf8" if spoiled:
            spoiled[0] = {**spoiled[0], "comment": BAD_UTF8}
    return spoiled


def delivered(fault: Fault, response: Response) -> Response:
    """The response as the fault has it travel."""
    body, status = bytes(response.body), response.status_code
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    match fault.kind:
        case "cut":
            return Cut(body, status, headers, sent=int(len(body) * fault.keep))
        case "drip":
            return Drip(body, status, headers, chunks=fault.chunks, seconds=fault.seconds)
        case "bom":
            return Response(b"\xef\xbb\xbf" + body, status, headers)
        case _:
            return response


class Reset(Response):
    """No answer at all: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        scope[TRANSPORT].abort()
        await _hang_up(receive)


class Cut(Response):
    """Fewer bytes than Content-Length says, then the connection closes."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str], *, sent: int) -> None:
        super().__init__(body, status, headers)
        self._sent = min(sent, max(len(body) - 1, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_start(self))
        part = bytes(self.body[: self._sent])
        await send({"type": "http.response.body", "body": part, "more_body": True})
        scope[TRANSPORT].close()
        await _hang_up(receive)


class Drip(Response):
    """A body that arrives in pieces, each after a wait."""

    def __init__(
        self, body: bytes, status: int, headers: dict[str, str], *, chunks: int, seconds: float
    ) -> None:
        super().__init__(body, status, headers)
        self._chunks = chunks
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        await send(_start(self))
        size = max(-(-len(self.body) // self._chunks), 1)
        for start in range(0, len(self.body), size):
            await asyncio.sleep(self._seconds)
            part = bytes(self.body[start : start + size])
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(response: Response) -> Message:
    status, headers = response.status_code, response.raw_headers
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _hang_up(receive: Receive) -> None:
    """Wait until the server has noticed, or it would complain of an unfinished answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
