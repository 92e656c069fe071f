"""What tests of `refsync driver` share: an API that answers by path, its file, what came of it."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.serve import serve
from tests.flows.workshop import Workshop

FILES = Path(__file__).parent.parent / "mappings" / "driver"
CERTIFICATE = Path(__file__).parent.parent / "referential" / "loopback.pem"  # signed by itself
LINE = r"\S+T\S+ INF \S+/main\.go:\d+ > import finished deleted=0 exec_time=\S+ updated=(\d+)\n"
FILE = """\
api:
  url: "{url}"
import:
  source: cmdb
  action: {action}
  missing_action: {missing}
mapping:
  component:
    name: {{type: copy, value: name}}
    category: {{type: copy, value: kind}}
"""


@dataclass(frozen=True)
class To:
    """A redirect."""

    location: str
    status: int = 302


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    raw: list[tuple[bytes, bytes]]  # as sent
    body: bytes


@dataclass
class Cmdb:
    """What an API answers by path, and what it was asked.

    An answer is JSON, a status alone, a redirect, or the bytes of a body.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def forget(self) -> "Cmdb":
        self.answers.clear()
        self.asked.clear()
        return self

    async def answer(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.asked.append(
            Asked(
                request.method,
                path,
                dict(request.headers),
                request.scope["headers"],
                await request.body(),
            )
        )
        found = self.answers.get(request.url.path, 404)
        match found:
            case int():
                return Response("not today", status_code=found)
            case To(location, status):
                headers = {"Location": location} if location else {}
                return Response(status_code=status, headers=headers)
            case bytes():
                return Response(found, media_type="text/html")
        return JSONResponse(found)


@contextmanager
def a_cmdb() -> Iterator[Cmdb]:
    made = Cmdb()
    methods = ["GET", "HEAD", "POST", "PUT"]
    with serve(Starlette(routes=[Route("/{path:path}", made.answer, methods=methods)])) as url:
        made.url = url
        yield made


def write(cmdb: Cmdb, rows: Any, action: str = "set", missing: str = "disable") -> str:
    """The file `api.yml`, whose call is answered with *rows*."""
    cmdb.answers["/rows"] = rows
    text = FILE.format(url=f"{cmdb.url}/rows", action=action, missing=missing)
    return write_text(text)


def write_text(text: str, name: str = "api.yml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def with_api(file: str, **api: Any) -> str:
    """The file with more under `api:`."""
    text = Path(file).read_text(encoding="utf-8")
    lines = "".join(f"  {key}: {orjson.dumps(value).decode()}\n" for key, value in api.items())
    return write_text(text.replace("import:", f"{lines}import:", 1), file)


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "kind": "Server"} for name in names]


def enabled(workshop: Workshop) -> set[str]:
    return {name for name, entity in workshop.entities().items() if entity["enabled"]}


class _Handler(BaseHTTPRequestHandler):
    """Answers any path with one row; as a proxy it tunnels to `server.beyond`."""

    server: "Listening"

    def do_GET(self) -> None:
        self.server.asked.append(f"GET {self.path}")
        self.server.headers.append(dict(self.headers.items()))
        body = orjson.dumps(named("far"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.asked.append(f"CONNECT {self.path}")
        self.send_response(200)
        self.end_headers()
        assert self.server.context is not None
        with self.server.context.wrap_socket(self.connection, server_side=True) as inside:
            said = b""
            while b"\r\n\r\n" not in said:
                said += inside.recv(4096)
            self.server.asked.append(said.decode().split(" HTTP/")[0])
            body = orjson.dumps(named("far"))
            inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def log_message(self, *_: object) -> None:
        pass


class Listening(HTTPServer):
    """A server of the standard library: a proxy, or one that speaks TLS."""

    def __init__(self, context: ssl.SSLContext | None, *, tls: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"
        self.context = context
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []  # names as sent
        if tls and context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate leaves; that is no news."""


@contextmanager
def listening(*, tls: bool = False) -> Iterator[Listening]:
    """A proxy that plays the servers beyond it, or with *tls* one server that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with Listening(context, tls=tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
