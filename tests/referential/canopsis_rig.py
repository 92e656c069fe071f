"""Canopsis doubles for tests of the wire: answers given in advance, requests kept."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from referential.connection import CanopsisConnection
from referential.entity import encode
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.serve import serve

FAST = {"first": 0.01, "factor": 1.5, "longest": 0.05}
KEY = {"type": "api_key", "key": "sandbox-key"}


def connection(url: str, **changes: Any) -> CanopsisConnection:
    """A connection whose waits are short."""
    settings: dict[str, Any] = {
        "url": url,
        "auth": KEY,
        "retry": {"attempts": 3, "first": 0.01, "longest": 0.05},
        "imports": {"pace": FAST},
    }
    return CanopsisConnection.model_validate(settings | changes)


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Script:
    """Answers in their order; the last one is repeated. `seen` holds the requests."""

    answers: list[Response | Callable[[Request], Response]]
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    async def __call__(self, request: Request) -> Response:
        self.seen.append(
            Seen(
                method=request.method,
                path=request.url.path,
                query=dict(request.query_params),
                headers=dict(request.headers),
                body=await request.body(),
            )
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Response) else answer(request)


@contextlib.contextmanager
def scripted(*answers: Response | Callable[[Request], Response]) -> Iterator[Script]:
    """Serve *answers*, whatever is asked."""
    script = Script(list(answers))
    methods = ["GET", "PUT", "POST", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", script.__call__, methods=methods)])
    with serve(app) as script.url:
        yield script


def json(body: Any, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, names)


@dataclass
class Simulated:
    """A served simulator: its address, and its state for a look inside."""

    url: str
    state: Any

    def connection(self, **changes: Any) -> CanopsisConnection:
        return connection(self.url, **changes)

    def live(self) -> dict[str, dict[str, Any]]:
        """Live entities by id, as they are stored."""
        with self.state.lock:
            return {
                each: dict(self.state.store.entities[each]) for each in self.state.store.live_ids()
            }

    def imports(self) -> list[Any]:
        """The imports received so far."""
        return list(self.state.traffic.jobs)

    def watched(self) -> list[bytes]:
        """The bodies of the imports received from now on."""
        bodies: list[bytes] = []
        submit = self.state.jobs.submit

        def watch(body: bytes, **options: Any) -> Any:
            bodies.append(body)
            return submit(body, **options)

        self.state.jobs.submit = watch
        return bodies

    def requests(self, part: str) -> int:
        """How many requests were made whose route holds *part*."""
        return sum(n for route, n in self.state.traffic.requests.items() if part in route)


@contextlib.contextmanager
def simulated(**knobs: Any) -> Iterator[Simulated]:
    """A Canopsis whose worker does not dawdle."""
    app = create_app(Knobs(**{"tick": 0.0, "event_delay": 0.0} | knobs))
    with serve(app) as url:
        yield Simulated(url, app.state.canopsis)


def component(name: str, **values: Any) -> bytes:
    return _item({"type": "component", "name": name}, values)


def resource(name: str, of: str, **values: Any) -> bytes:
    return _item({"type": "resource", "name": name, "component": of}, values)


def service(name: str, field: str = "name", value: str = "x") -> bytes:
    condition = {"field": field, "cond": {"type": "eq", "value": value}}
    return _item({"type": "service", "name": name, "entity_pattern": [[condition]]}, {})


def _item(body: dict[str, Any], values: dict[str, Any]) -> bytes:
    infos = {key: {"name": key, "value": value} for key, value in values.items()}
    common = {"action": "set", "enabled": True, "impact_level": 1, "infos": infos}
    return encode(body | common)
