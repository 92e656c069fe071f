"""What stands between refsync and a simulator, and does what the simulator's own faults do not.

gate.strike("413", route="/api/v4/contextgraph-import*", after=1, times=1)
"""

import asyncio
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Kind = Literal["413", "drip", "wrong JSON", "call"]
_DRIP = 0.15  # seconds a byte


@dataclass(slots=True)
class Gate:
    """An ASGI application before another one; `seen` counts the calls of the route."""

    app: ASGIApp
    kind: Kind | None = None
    route: str = "*"
    method: str = "*"
    after: int = 0
    times: int | None = None
    seen: int = 0
    struck: int = 0
    act: Callable[[], None] = field(default=lambda: None)

    def strike(self, kind: Kind, **where: Any) -> None:
        self.open()
        self.kind = kind
        for name, value in where.items():
            setattr(self, name, value)

    def open(self) -> None:
        """Everything passes."""
        self.kind, self.route, self.method = None, "*", "*"
        self.after, self.times, self.seen, self.struck = 0, None, 0, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answer(scope)
        if answer is None:
            await self.app(scope, receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> "Response | _Drip | None":
        if scope["type"] != "http" or not self._is_due(scope):
            return None
        if self.kind == "call":
            self.act()
            return None
        self.struck += 1
        match self.kind:
            case "413":
                page = "<html><head><title>413 Request Entity Too Large</title></head></html>"
                return HTMLResponse(page, 413)
            case "wrong JSON":
                return JSONResponse({"hello": "world"})
        return _Drip()

    def _is_due(self, scope: Scope) -> bool:
        names = (scope["path"], self.route), (scope["method"], self.method)
        if self.kind is None or not all(fnmatch.fnmatchcase(*pair) for pair in names):
            return False
        self.seen += 1
        past = self.seen - self.after
        return past > 0 and (self.times is None or past <= self.times)


class _Drip:
    """An answer of a thousand bytes, one at a time."""

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _byte in range(999):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            gone = asyncio.ensure_future(receive())
            if (await asyncio.wait({gone}, timeout=_DRIP))[0]:
                return
            gone.cancel()
