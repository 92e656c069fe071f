"""What stands before the API: the reverse proxy with its limits and pages, outages, credentials."""

import asyncio
import fnmatch

from starlette.datastructures import Headers, QueryParams
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from sandbox import canopsis_webcore
from sandbox.canopsis_api import Api, Call, answer
from sandbox.canopsis_auth import Unauthorized, Unspeakable, authenticate, may
from sandbox.canopsis_knobs import Fault, FaultKind
from sandbox.canopsis_platform import Canopsis

INDEX = (
    "<!DOCTYPE html><html><head><title>Canopsis</title></head>"
    "<body><div id=app></div></body></html>"
)
MAINTENANCE = {"error": "canopsis is under maintenance"}


def nginx_page(status: int, words: str) -> Response:
    """An error page of the proxy."""
    title = f"{status} {words}"
    return HTMLResponse(
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        status,
    )


class Front:
    """The ASGI application behind which the API and the control routes are."""

    def __init__(self, canopsis: Canopsis, api: Api, control: Api) -> None:
        self._canopsis, self._api, self._control = canopsis, api, control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call, size = await self._read(scope, receive)
        if call is None:
            return
        if call.path.startswith("/sandbox/"):
            with self._canopsis.lock:
                response = self._control.handle(self._canopsis, call)
            await response(scope, receive, send)
            return
        knobs = self._canopsis.knobs
        name = self._api.name(call.method, call.path, knobs.numbers())
        self._canopsis.traffic.requests[name] += 1
        self._canopsis.traffic.bytes[name] += size
        await asyncio.sleep(knobs.latency)
        fault = self._claim(call)
        if fault is None:
            await self._answer(call, size)(scope, receive, send)
        else:
            await self._fail(fault, call, size, receive)(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> tuple[Call | None, int]:
        """The call and the size of its body, which is dropped once too large for the proxy.

        The proxy reads on after having decided, lest the client never see the answer.
        """
        version = self._canopsis.knobs.numbers()
        proxied, path = api_path(scope["path"], version)
        chunks: list[bytes] = []
        size = 0
        limit = None if path.startswith("/sandbox/") else self._canopsis.knobs.body_limit
        message: Message = {"more_body": True}
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                return None, size
            size += len(message["body"])
            if limit is None or size <= limit:
                chunks.append(message["body"])
        query = QueryParams(scope["query_string"])
        headers = Headers(scope=scope)
        body = b"".join(chunks)
        return Call(scope["method"], path, query, headers, body, proxied=proxied), size

    def _answer(self, call: Call, size: int) -> Response:
        """The answer of the platform when nothing is out of order."""
        knobs = self._canopsis.knobs
        if size > knobs.body_limit:
            return nginx_page(413, "Request Entity Too Large")
        if not call.proxied:
            return HTMLResponse(INDEX)  # a wrong address looks like success (specs §1.4)
        if knobs.numbers() < canopsis_webcore.UNTIL:
            with self._canopsis.lock:
                return canopsis_webcore.respond(self._api, self._canopsis, call)
        return self._handled(call)

    def _handled(self, call: Call) -> Response:
        """The answer of the API from 4.3 on."""
        knobs = self._canopsis.knobs
        try:
            call.user = authenticate(knobs, self._canopsis.tokens, call.headers, call.query)
        except Unauthorized:
            return answer({"error": "Unauthorized"}, 401)
        except Unspeakable:
            return answer({"error": "Internal server error"}, 500)
        if knobs.maintenance and call.user and not may(call.user, "api_maintenance", "can"):
            return answer(MAINTENANCE, 503)
        with self._canopsis.lock:
            return self._api.handle(self._canopsis, call)

    def _claim(self, call: Call) -> Fault | None:
        """The fault this call falls to: the first that is due, of all that count it."""
        due = None
        for fault in self._canopsis.knobs.faults:
            if fnmatch.fnmatchcase(call.path, fault.route) and fnmatch.fnmatchcase(
                call.method, fault.method
            ):
                fault.seen += 1
                past = fault.seen - fault.after
                if past > 0 and (fault.times is None or past <= fault.times):
                    due = due or fault
        return due

    def _fail(self, fault: Fault, call: Call, size: int, receive: Receive) -> "Response | Broken":
        executed = fault.kind == "reset" if fault.executed is None else fault.executed
        response = self._answer(call, size) if executed else answer({"_id": "never to be seen"})
        if fault.kind == "hang":
            return Broken(response, fault.seconds, receive)
        if fault.kind == "reset":
            return Broken(response)
        response = _page(fault.kind)
        if fault.retry_after is not None:
            response.headers["retry-after"] = f"{fault.retry_after:g}"
        return response


class Broken:
    """An answer that never ends: cut in the middle, or kept back until the client leaves."""

    def __init__(
        self, response: Response, seconds: float = 0.0, waiting: Receive | None = None
    ) -> None:
        self._response, self._seconds, self._waiting = response, seconds, waiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._waiting is not None:
            try:
                await asyncio.wait_for(_gone(self._waiting), self._seconds)
            except TimeoutError:
                await nginx_page(504, "Gateway Time-out")(scope, receive, send)
            return
        body = bytes(self._response.body)
        start = {
            "type": "http.response.start",
            "status": self._response.status_code,
            "headers": self._response.raw_headers,
        }
        await send(start)
        # The server closes the socket of an application that returns before its last chunk.
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def api_path(path: str, version: tuple[int, ...]) -> tuple[bool, str]:
    """Whether the proxy hands a call to the API, and the path that the API then sees (§1.4).

    All under `/backend` goes there, and from 4.4 on what is under `/api` too. 3.x has no prefix.
    """
    if version < canopsis_webcore.GO_FRONT:
        return True, path
    if path.startswith("/backend/"):
        return True, path.removeprefix("/backend")
    return path.startswith("/sandbox/") or (path.startswith("/api/") and version >= (4, 4)), path


def _page(kind: FaultKind) -> Response:
    """What a fault answers with."""
    match kind:
        case "500":
            return answer({"error": "Internal server error"}, 500)
        case "401":
            return answer({"error": "Unauthorized"}, 401)
        case "429":
            return answer({"error": "Too Many Requests"}, 429)
        case "502":
            return nginx_page(502, "Bad Gateway")
        case "503":
            return nginx_page(503, "Service Temporarily Unavailable")
        case _:
            return HTMLResponse(INDEX)
