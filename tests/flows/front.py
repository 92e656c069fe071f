"""What stands before a simulator and, when it is told to, answers in its place, telling secrets."""

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """Lets `after` calls through, then answers as `way` says; None lets all of them through."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner
        self.way: str | None = None
        self.after = 0
        self.secrets: tuple[str, ...] = ()
        self.answers = 0  # of ours

    def turn(self, way: str | None, *secrets: str, after: int = 0) -> None:
        self.way, self.after, self.secrets, self.answers = way, after, secrets, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":  # as a proxy it is given whole addresses
            scope["path"] = urlsplit(scope["path"]).path
        if scope["type"] != "http" or self.way is None or self.after > 0:
            self.after -= 1
            await self.inner(scope, receive, send)
            return
        self.answers += 1
        request = Request(scope, receive)
        brought = [f"{request.url}", *request.headers.values(), (await request.body()).decode()]
        answer = WAYS[self.way](self.secrets, brought)
        for rank, secret in enumerate(self.secrets):
            answer.headers[f"X-Echo-{rank}"] = quote(secret)
            answer.headers.append("Set-Cookie", f"session{rank}={quote(secret)}")
        answer.headers["WWW-Authenticate"] = f'Basic realm="{quote(" ".join(self.secrets))}"'
        await answer(scope, receive, send)


def _lower(quoted: str) -> str:
    """`%2f` for `%2F`, as some servers write it."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)


def _text(secrets: tuple[str, ...], brought: list[str]) -> str:
    """Each secret in every form, and all that the call brought with it."""
    forms = [
        f"{secret} {quote(secret)} {_lower(quote(secret, safe=''))} {html.escape(secret)}"
        f" {json.dumps(secret)}"
        for secret in secrets
    ]
    return " ".join([*forms, *brought])


def _fields(status: int, *, ok: bool = False) -> Callable[..., Response]:
    """JSON with the text wherever the systems have one of theirs."""

    def answer(secrets: tuple[str, ...], brought: list[str]) -> Response:
        text = _text(secrets, brought)
        body: dict[str, Any] = {
            "error": {"message": text, "detail": text},
            "errors": {"auth": text},
            "message": text,
            "description": text,
            "code": 1,
            "HTTP/1.1": text,
        }
        if ok:
            body = {"code": 1, "message": f"Error: {text}", "error": text, "status": "failure"}
        return Response(json.dumps(body), status, media_type="application/json")

    return answer


def _short(status: int) -> Callable[..., Response]:
    """JSON whose error is one text, each secret in it at once."""

    def answer(secrets: tuple[str, ...], _: list[str]) -> Response:
        body = {"error": " ".join(secrets), "description": " ".join(secrets)}
        return Response(json.dumps(body), status, media_type="application/json")

    return answer


def _page(status: int) -> Callable[..., Response]:
    def answer(secrets: tuple[str, ...], brought: list[str]) -> Response:
        title = " ".join(map(html.escape, secrets))
        text = html.escape(_text(secrets, brought))
        return HTMLResponse(f"<html><title>{title}</title><p>{text}</p></html>", status)

    return answer


def _cut(before: int) -> Callable[..., Response]:
    """A text whose secret crosses the place where messages are cut."""

    def answer(secrets: tuple[str, ...], _: list[str]) -> Response:
        return PlainTextResponse("x" * before + "".join(secrets), 500)

    return answer


def _elsewhere(secrets: tuple[str, ...], _: list[str]) -> Response:
    secret = quote(secrets[0], safe="")
    return RedirectResponse(f"https://me:{secret}@login.example/{secret}?ticket={secret}", 302)


WAYS: dict[str, Callable[..., Response]] = {
    "401": _fields(401),
    "403 short": _short(403),
    "500 page": _page(500),
    "500 cut at 188": _cut(188),
    "500 cut at 288": _cut(288),
    "200 page": _page(200),
    "200 error": _fields(200, ok=True),
    "302": _elsewhere,
}
