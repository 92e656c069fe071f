"""The API as routes: one call, one handler, the error envelope (`specs/canopsis.md` §1.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.routing import compile_path

from sandbox.canopsis_auth import may
from sandbox.canopsis_knobs import User
from sandbox.canopsis_platform import Canopsis

Version = tuple[int, ...]


@dataclass(slots=True)
class Call:
    """One call; `params` are the variable parts of the path, `user` is None when anonymous.

    One that is not `proxied` never reaches the API.
    """

    method: str
    path: str
    query: QueryParams
    headers: Headers
    body: bytes
    user: User | None = None
    proxied: bool = True
    params: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body; raises Refusal when it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as fault:
            raise invalid_structure() from fault


Handler = Callable[[Canopsis, Call], Response]


class Refusal(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


def invalid_structure() -> Refusal:
    return Refusal(400, {"error": "request has invalid structure"})


def not_found() -> Refusal:
    return Refusal(404, {"error": "Not found"})


def invalid(**errors: str) -> Refusal:
    """A 400 of the validator: one text a field."""
    return Refusal(400, {"errors": errors})


def answer(content: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(
        orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS),
        status,
        media_type="application/json; charset=utf-8",
    )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path; `needs` is (permission, action), None for anyone.

    `since` and `until` bound the versions that have it (`until` excluded).
    """

    method: str
    path: str
    handler: Handler
    needs: tuple[str, str] | None = None
    since: Version = ()
    until: Version = (99999,)


class Api:
    """All endpoints, found by method and path."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = [(compile_path(each.path)[0], each) for each in endpoints]

    def match(self, method: str, path: str, version: Version) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and the variable parts of its path; raises Refusal 404 or 405."""
        known = False
        for regex, endpoint in self._endpoints:
            if endpoint.since <= version < endpoint.until and (found := regex.match(path)):
                if endpoint.method == method:
                    return endpoint, found.groupdict()
                known = True
        if known and version >= (4, 5):
            raise Refusal(405, {"error": "Method Not Allowed"})
        raise not_found()

    def name(self, method: str, path: str, version: Version) -> str:
        """`METHOD /route`, the route with its parameters unfilled when there is one."""
        try:
            endpoint, _ = self.match(method, path, version)
        except Refusal:
            return f"{method} {path}"
        return f"{method} {endpoint.path}"

    def handle(self, canopsis: Canopsis, call: Call) -> Response:
        """Route, check the caller's rights, carry out."""
        try:
            endpoint, call.params = self.match(call.method, call.path, canopsis.knobs.numbers())
            _check_rights(endpoint, call.user)
            return endpoint.handler(canopsis, call)
        except Refusal as refusal:
            return answer(refusal.body, refusal.status)


def _check_rights(endpoint: Endpoint, user: User | None) -> None:
    if endpoint.needs is None:
        return
    if user is None:
        raise Refusal(401, {"error": "Unauthorized"})
    if not may(user, *endpoint.needs):
        raise Refusal(403, {"error": "Forbidden"})
