"""Answers that break on the way: nothing, too little, or one drop at a time.

app = Breakable(routes=[...])      # a Starlette whose answers may break their connection
return Cut(body, 200, headers, sent=100)
"""

import asyncio
from typing import Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

# The key of the ASGI scope under which the application leaves the connection.
_TRANSPORT: Final = "sandbox.transport"


class Breakable(Starlette):
    """An application whose one addition is to let an answer break the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # ASGI has no word for a broken connection: uvicorn's own transport is the only way.
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


class Reset(Response):
    """No answer at all: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        scope[_TRANSPORT].abort()
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
        scope[_TRANSPORT].close()
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
