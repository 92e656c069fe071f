"""Answers that misbehave on purpose."""

from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.itop_deaths import died, html
from sandbox.itop_json import encoded
from sandbox.itop_knobs import Fault
from sandbox.itop_state import Itop
from sandbox.transport import Cut, Drip, Reset

_MEGABYTE: Final = b"x" * 1_000_000
_LOGIN_PAGE: Final = (
    "<!DOCTYPE html>\n<html><head><title>iTop login</title></head><body>"
    '<form method="post"><input name="auth_user"><input name="auth_pwd" type="password"></form>'
    "</body></html>\n"
)


class Endless(Response):
    """Megabytes of one text, without a Content-Length."""

    def __init__(self, megabytes: int) -> None:
        super().__init__(b"", 200, media_type="application/json")
        self._megabytes = megabytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b'{"message":"', *repeat(_MEGABYTE, self._megabytes)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b'"}', "more_body": False})


def instead(itop: Itop, fault: Fault, request: Request) -> Response | None:
    """The answer in place of iTop's; None when the fault leaves that there."""
    make = _INSTEAD.get(fault.kind)
    return make(itop, fault, request) if make else None


def _status(_: Itop, fault: Fault, __: Request) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    body = fault.body or f"<html><body><h1>{fault.status}</h1></body></html>"
    return Response(body.encode(), fault.status, headers, "text/html")


def _redirect(_: Itop, fault: Fault, request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(b"", 302, {"Location": f"{fault.to}{request.url.path}{query}"})


def _json(body: bytes) -> Response:
    return Response(body, 200, media_type="application/json")


_INSTEAD: Final[Mapping[str, Callable[[Itop, Fault, Request], Response | None]]] = {
    "status": _status,
    "redirect": _redirect,
    "html": lambda _, fault, __: html(fault.body or _LOGIN_PAGE, 200),
    "empty": lambda _, __, ___: _json(b""),
    "endless": lambda _, fault, __: Endless(fault.megabytes),
    "reset": lambda _, __, ___: Reset(),
    "code": lambda _, fault, __: _json(encoded({"code": fault.code, "message": fault.message})),
    "fatal": lambda itop, fault, _: died(itop, fault.cause),
    "repeat": lambda itop, _, __: _json(itop.last) if itop.last else None,
}


def delivered(fault: Fault, response: Response) -> Response:
    """The response as the fault has it travel."""
    body, status = bytes(response.body), response.status_code
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    match fault.kind:
        case "cut":
            return Cut(body, status, headers, sent=int(len(body) * fault.keep))
        case "drip":
            return Drip(body, status, headers, chunks=fault.chunks, seconds=fault.seconds)
        case _:
            return response
