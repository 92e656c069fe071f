"""A real HTTP server that keeps what is posted to it, for webhooks."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serve import serve

WITHIN = 60.0  # seconds for what a busy server sends on its own time


def await_that(look: Callable[[], Any], enough: Callable[[Any], bool] = bool) -> Any:
    """What *look* sees, once it is *enough*."""
    deadline = time.monotonic() + WITHIN
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


@dataclass
class Receiver:
    """`url` takes posts; `got` are their bodies, as JSON."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)

    def await_that(self, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first body that is *enough*, once it is there."""
        found: list[dict[str, Any]] = await_that(lambda: list(filter(enough, list(self.got))))
        return found[0]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    async def take(request: Request) -> Response:
        made.got.append(await request.json())
        return Response(status_code=204)

    with serve(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        made.url = f"{url}/hook"
        yield made
