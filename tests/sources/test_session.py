"""One exchange, its limits and its repetitions."""

import asyncio
import gzip
import json
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from sources.connection import ApiConnection, Retries
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.session import Call, HttpSession
from sources.verdict import Denied, retry_after
from tests.sources.conftest import Server

Connect = Callable[..., ApiConnection]

GET, SAFE_POST, POST = (
    {"method": "GET"},
    {"method": "POST", "safe": True},
    {"method": "POST", "safe": False},
)


class Script:
    """An endpoint that gives its answers one after the other, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self._answers = answers
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, Response):
            return answer
        return answer(request) if callable(answer) else JSONResponse(answer)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


class Listening(HTTPServer):
    """A server of the standard library: it takes the requests made to a proxy, and TLS."""

    def __init__(self, scheme: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"{scheme}://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[Listening]:
    with Listening("https" if context else "http") as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def https(certificate: Path, *, mutual: bool = False) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    with listening(context) as server:
        yield server.url


def ask(connection: ApiConnection, path: str = "", **call: Any) -> Any:
    with HttpSession(connection) as session:
        return session.ask(Call(connection.base_url + path, **call)).document


def told(error: SourceError) -> str:
    return "\n".join([str(error), *error.__notes__])


# Attempts


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_outage_is_repeated_until_it_ends(server: Server, connect: Connect, status: int) -> None:
    script = Script(Response("later", status), Response("later", status), {"rows": []})

    assert ask(connect(server.add(script))) == {"rows": []}
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 501, 590])
def test_a_refusal_is_never_repeated(server: Server, connect: Connect, status: int) -> None:
    script = Script(Response("no", status))

    with pytest.raises(Denied) as refused:
        ask(connect(server.add(script)))

    assert refused.value.status == status
    assert len(script.requests) == 1


@pytest.mark.parametrize(("call", "requests"), [(GET, 3), (SAFE_POST, 3), (POST, 1)])
def test_only_what_may_be_repeated_is(
    server: Server, connect: Connect, call: dict[str, Any], requests: int
) -> None:
    script = Script(Response("down", 503))

    with pytest.raises(Unreachable):
        ask(connect(server.add(script)), **call)

    assert len(script.requests) == requests


def test_the_last_error_says_how_often_was_tried(server: Server, connect: Connect) -> None:
    url = server.add(Script(Response("back\x00 at\n8", 503)))

    with pytest.raises(Unreachable) as outage:
        ask(connect(url), "/servers", params={"page": 2, "token": "t0p"})

    assert told(outage.value) == (
        "the server answers 503 Service Unavailable: back at 8\n"
        f"where: GET {url}/servers?page=2&token=***\n"
        "mend: run again once the server answers; `retry` and `timeout` of the connection bound "
        "it\n"
        "tried: 3 times"
    )


@pytest.mark.parametrize("dated", [False, True], ids=["seconds", "date"])
def test_retry_after_is_waited_for(server: Server, connect: Connect, *, dated: bool) -> None:
    def busy(_: Request) -> Response:
        after = formatdate(time.time() + 2, usegmt=True) if dated else "1"
        return Response("", 429, headers={"Retry-After": after})

    url = server.add(Script(busy, {}))
    begun = time.monotonic()

    ask(connect(url))

    assert time.monotonic() - begun >= 1


def test_a_date_to_come_back_at_is_read_against_the_clock_of_the_server() -> None:
    headers = {
        "Retry-After": formatdate(1_000_060, usegmt=True),
        "Date": formatdate(1_000_000, usegmt=True),
    }

    assert retry_after(headers, now=5_000_000_000) == 60


@pytest.mark.parametrize("value", ["", "soon", "-1"])
def test_a_retry_after_that_says_nothing_is_none(value: str) -> None:
    assert retry_after({"Retry-After": value}, now=0) is None


def test_retry_after_is_capped(server: Server, connect: Connect) -> None:
    url = server.add(Script(Response("", 429, headers={"Retry-After": "3600"}), {}))
    retry = {"attempts": 2, "jitter": 0, "max_retry_after": 0.01}

    assert ask(connect(url, retry=retry)) == {}


def test_590_cannot_be_declared_an_outage() -> None:
    with pytest.raises(ValidationError, match="590 is a refusal"):
        Retries(statuses=(503, 590))


# Bodies


def _cut(_: Request) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"rows": ['
        raise RuntimeError("the simulator cuts here")

    return StreamingResponse(half(), media_type="application/json")


def _short(request: Request) -> Response:
    response = _cut(request)
    response.headers["Content-Length"] = "1000"
    return response


CUTS = [
    pytest.param(_cut, id="chunked"),
    pytest.param(_short, id="shorter than its length"),
    pytest.param(Response(b'{"rows": [{"id": "a'), id="within a text"),
    pytest.param(Response(b'{"rows": [{"id": "\xc3'), id="within a character"),
    pytest.param(Response(b"\x1f\x8bnot gzip", headers={"Content-Encoding": "gzip"}), id="gzip"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_answer_is_asked_for_again(server: Server, connect: Connect, cut: Any) -> None:
    assert ask(connect(server.add(Script(cut, {"rows": [1]})))) == {"rows": [1]}


@pytest.mark.parametrize("cut", CUTS)
def test_an_answer_that_is_always_cut_is_an_outage(
    server: Server, connect: Connect, cut: Any
) -> None:
    with pytest.raises(Unreachable):
        ask(connect(server.add(Script(cut))))


def test_a_dripping_answer_meets_the_total_deadline(server: Server, connect: Connect) -> None:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    url = server.add(Script(lambda _: StreamingResponse(drops())))
    connection = connect(url, timeout={"read": 5, "total": 0.4}, retry={"attempts": 1})
    begun = time.monotonic()

    with pytest.raises(Unreachable, match=r"not whole after 0\.4 s"):
        ask(connection)

    assert 0.4 <= time.monotonic() - begun < 2


def test_a_silent_server_meets_the_read_timeout(server: Server, connect: Connect) -> None:
    async def asleep(_: Request) -> Response:
        await asyncio.sleep(1)
        return Response("{}")

    connection = connect(server.add(asleep), timeout={"read": 0.1}, retry={"attempts": 1})

    with pytest.raises(Unreachable, match=r"the server was silent for 0\.1 s"):
        ask(connection)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_body_over_the_cap_is_not_read_to_its_end(
    server: Server, connect: Connect, *, compressed: bool
) -> None:
    body = b"[" + b"1, " * 1_000_000 + b"1]"
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    url = server.add(Script(Response(gzip.compress(body) if compressed else body, headers=headers)))

    with pytest.raises(Unreadable, match=r"larger than 1\.0MiB") as error:
        ask(connect(url, max_body="1MiB"))

    assert "`max_body`" in told(error.value)


def test_a_body_up_to_the_cap_is_read(server: Server, connect: Connect) -> None:
    body = json.dumps(["é" * 1000] * 300, ensure_ascii=False).encode()
    url = server.add(Script(Response(gzip.compress(body), headers={"Content-Encoding": "gzip"})))

    assert ask(connect(url, max_body=len(body))) == ["é" * 1000] * 300


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the server answers with an empty body"),
        (b"<html>\r\n <b>Sign in</b>", "a page instead of JSON: <html> <b>Sign in</b>"),
        (b'{"load": NaN}', "not JSON"),
        (b'{"name": "caf\xe9 noir"}', "not JSON, byte 13 is not UTF-8"),
        (b"{} {}", "not JSON, unexpected content after document at character 3"),
    ],
)
def test_what_is_not_json_is_unreadable_and_never_repeated(
    server: Server, connect: Connect, body: bytes, words: str
) -> None:
    script = Script(Response(body))

    with pytest.raises(Unreadable) as error:
        ask(connect(server.add(script)))

    assert words in str(error.value)
    assert len(script.requests) == 1


def test_the_sample_of_a_page_holds_200_characters(server: Server, connect: Connect) -> None:
    with pytest.raises(Unreadable) as error:
        ask(connect(server.add(Script(Response("<p>" + "x" * 5000)))))

    assert str(error.value) == (
        "the server answers with a page instead of JSON: <p>" + "x" * 197 + "…"
    )


def test_a_declared_charset_is_honoured_when_it_is_not_utf_8(
    server: Server, connect: Connect
) -> None:
    media_type = "application/json; charset=iso-8859-1"

    assert ask(connect(server.add(Script(Response(b'["caf\xe9"]', media_type=media_type))))) == [
        "café"
    ]


# Origins, redirects, cookies


def test_redirects_are_refused_with_the_address_to_write(server: Server, connect: Connect) -> None:
    url = server.add(Script(RedirectResponse("https://cmdb.example/login?token=t0p")))

    with pytest.raises(Refused) as error:
        ask(connect(url))

    assert "redirects (307) to https://cmdb.example/login?token=***" in str(error.value)
    assert "`base_url`" in told(error.value)


def test_a_redirect_inside_the_origin_is_followed_with_the_credentials(
    server: Server, connect: Connect
) -> None:
    target = Script({"moved": True})
    to = server.add(target)
    url = server.add(Script(RedirectResponse(to, 302)))
    auth = {"type": "api_key", "name": "X-Key", "key": "k3y"}

    assert ask(connect(url, redirects="same_origin", auth=auth)) == {"moved": True}
    assert target.requests[0].headers["X-Key"] == "k3y"


def test_a_redirect_to_another_origin_is_never_followed(
    server: Server, elsewhere: Server, connect: Connect
) -> None:
    thief = Script({})
    url = server.add(Script(RedirectResponse(elsewhere.add(thief), 302)))

    with pytest.raises(Refused, match="redirects"):
        ask(connect(url, redirects="same_origin", headers={"X-Api-Key": "k3y"}))

    assert thief.requests == []


@pytest.mark.parametrize("location", ["https://[cmdb", "http://127.0.0.1:port/"])
def test_a_redirect_to_what_is_no_address_is_refused(
    server: Server, connect: Connect, location: str
) -> None:
    url = server.add(Script(Response("", 302, headers={"Location": location})))

    with pytest.raises(Refused, match="redirects"):
        ask(connect(url, redirects="same_origin"))


def test_a_redirected_post_is_not_turned_into_a_get(server: Server, connect: Connect) -> None:
    target = Script({})
    url = server.add(Script(RedirectResponse(server.add(target), 302)))

    with pytest.raises(Refused, match="redirects"):
        ask(connect(url, redirects="same_origin"), method="POST", json={})

    assert target.requests == []


def test_redirects_in_a_circle_end(server: Server, connect: Connect) -> None:
    script = Script(lambda request: RedirectResponse(str(request.url), 302))

    with pytest.raises(Refused, match="redirects"):
        ask(connect(server.add(script), redirects="same_origin"))

    assert len(script.requests) == 6


def test_a_call_never_leaves_the_origin(
    server: Server, elsewhere: Server, connect: Connect
) -> None:
    thief = Script({})

    with (
        HttpSession(connect(server.url)) as session,
        pytest.raises(Refused, match="leave the origin"),
    ):
        session.ask(Call(elsewhere.add(thief)))

    assert thief.requests == []


def test_cookies_are_not_carried_from_call_to_call(server: Server, connect: Connect) -> None:
    answer = JSONResponse({})
    answer.set_cookie("JSESSIONID", "1")
    script = Script(answer)
    connection = connect(server.add(script))

    with HttpSession(connection) as session:
        session.ask(Call(connection.base_url))
        session.ask(Call(connection.base_url))

    assert "cookie" not in script.requests[1].headers


# Proxies, certificates, environment


def test_the_user_agent_names_refsync(server: Server, connect: Connect) -> None:
    script = Script({})

    ask(connect(server.add(script)))

    assert script.requests[0].headers["User-Agent"].startswith("refsync/")


def test_a_stated_proxy_wins_over_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    with listening() as proxy:
        ask(connect("http://cmdb.example/api", proxy=proxy.url))

    assert proxy.asked == ["http://cmdb.example/api"]


def test_a_proxy_of_the_environment_is_used_but_for_no_proxy(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        ask(connect("http://cmdb.example/api"))
        ask(connect(server.add(Script({}))))

    assert proxy.asked == ["http://cmdb.example/api"]


def test_direct_ignores_the_proxy_of_the_environment(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert ask(connect(server.add(Script([1])), proxy="direct")) == [1]


def test_a_dead_proxy_is_an_outage_and_its_password_is_not_told(connect: Connect) -> None:
    connection = connect("http://cmdb.example", proxy="http://me:h1dden@127.0.0.1:1")

    with pytest.raises(Unreachable) as error:
        ask(connection)

    assert "the proxy cannot be used: Connection refused" in str(error.value)
    assert "h1dden" not in told(error.value) + repr(connection)


def test_an_unknown_certificate_is_refused_with_the_option_that_trusts_it(
    connect: Connect, certificate: Path
) -> None:
    with https(certificate) as url, pytest.raises(Refused, match="not trusted") as error:
        ask(connect(url))

    assert "`tls.ca_bundle`" in told(error.value)


def test_a_stated_authority_is_trusted_whatever_the_environment_says(
    connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))

    with https(certificate) as url:
        assert ask(connect(url, tls={"ca_bundle": certificate})) == {}


def test_authorities_of_the_environment_that_are_not_there_are_refused(
    connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))

    with https(certificate) as url, pytest.raises(Refused, match="certificate file") as error:
        ask(connect(url))

    assert "REQUESTS_CA_BUNDLE" in told(error.value)


def test_certificates_that_are_not_verified_are_warned_of(
    connect: Connect, certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with https(certificate) as url, caplog.at_level(logging.WARNING):
        assert ask(connect(url, tls={"verify": False})) == {}

    assert f"certificates are not verified: {url}" in caplog.messages


def test_a_client_certificate_is_shown_to_the_server(connect: Connect, certificate: Path) -> None:
    trusted = {"ca_bundle": certificate}

    with https(certificate, mutual=True) as url:
        assert ask(connect(url, tls=trusted | {"client_cert": certificate})) == {}
        with pytest.raises(Unreachable):
            ask(connect(url, tls=trusted))


# What is declared


@pytest.mark.parametrize(
    "url",
    [
        "ftp://cmdb",
        "cmdb.example",
        "https://cmdb:port",
        "https://me:h1dden@cmdb",
        "https://cmdb/?key=h1dden",
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(ValidationError) as error:
        ApiConnection(base_url=url)

    assert "h1dden" not in str(error.value)


def test_a_credential_with_a_line_end_is_refused_and_not_told(
    server: Server, connect: Connect
) -> None:
    auth = {"type": "bearer", "token": "h1dden\n"}

    with pytest.raises(Refused, match="cannot be written") as error:
        ask(connect(server.url, auth=auth))

    assert "h1dden" not in told(error.value)
    assert error.value.__context__ is None


def test_a_host_that_does_not_exist_is_an_outage(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        ask(connect("http://cmdb.invalid", retry={"attempts": 1}))


# A vendor's library over the same session


def test_a_library_over_the_session_gets_whole_responses_and_its_limits(
    server: Server, connect: Connect
) -> None:
    class Own(requests.Response):
        pass

    def adopt(response: requests.Response, **_: Any) -> None:
        response.__class__ = Own

    url = server.add(Script({"result": [1]}, Response("[" + "1," * 1_000_000)))

    with HttpSession(connect(url, max_body="1MiB")) as session:
        session.hooks["response"].append(adopt)
        response = session.get(f"{url}/table", timeout=(1, 1), params={"a": 1}, stream=True)
        assert isinstance(response, Own)
        assert response.json() == {"result": [1]}
        assert response.text == '{"result":[1]}'
        with pytest.raises(Unreadable, match="larger than"):
            session.get(url)
