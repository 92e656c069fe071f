import base64
import contextlib
import gc
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from referential.answers import Absent, Forbidden, Outage, TooLarge
from referential.connection import CanopsisConnection
from referential.errors import Refused, Unreachable, Unreadable
from referential.wire import Wire
from tests.referential.canopsis_rig import connection, json, scripted

CERTIFICATE = Path(__file__).with_name("loopback.pem")  # of 127.0.0.1, signed by itself
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PAGE = "<!DOCTYPE html><html><head><title>Canopsis</title></head></html>"
BUSY = json({"error": "Internal server error"}, 500)
GOOD = json({"good": True})


def said(error: BaseException) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


@contextlib.contextmanager
def talking(
    *packets: bytes, pause: float = 0.0, reset: bool = False, tls: bool = False
) -> Iterator[str]:
    """A server below HTTP: it reads a request, sends *packets* one by one and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        listener = context.wrap_socket(listener, server_side=True)

    def speak() -> None:
        while listener.fileno() >= 0:
            with contextlib.suppress(OSError):  # a client that leaves, or the end
                peer, _ = listener.accept()
                with peer:
                    peer.recv(65536)
                    for packet in packets:
                        peer.sendall(packet)
                        time.sleep(pause)
                    if reset:
                        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    threading.Thread(target=speak, daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


# --- what goes out


def test_an_api_key_travels_as_a_header_and_never_in_the_address() -> None:
    with scripted(GOOD) as canopsis:
        Wire(connection(canopsis.url)).call("GET", "/api/v4/entities", params={"limit": 1})

    assert canopsis.seen[0].headers["x-canopsis-authkey"] == "sandbox-key"
    assert canopsis.seen[0].query == {"limit": "1"}


def test_basic_credentials_are_utf_8() -> None:
    auth = {"type": "basic", "username": "zoé", "password": "été"}
    with scripted(GOOD) as canopsis:
        Wire(connection(canopsis.url, auth=auth)).call("GET", "/x")

    scheme, encoded = canopsis.seen[0].headers["authorization"].split()
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", "zoé:été")


def test_a_password_with_a_colon_is_refused_for_basic_without_being_shown() -> None:
    auth = {"type": "basic", "username": "root", "password": "ro:ot"}

    with pytest.raises(ValidationError, match="use `type: login` or `type: api_key`") as error:
        connection("http://canopsis.example", auth=auth)

    assert "ro:ot" not in str(error.value)


@pytest.mark.parametrize("key", ["", "clé", "two words", "line\nbreak"])
def test_an_api_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValidationError, match="printable ASCII") as error:
        connection("http://canopsis.example", auth={"type": "api_key", "key": key})

    assert not key or key not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "canopsis.example",
        "ftp://canopsis.example",
        "https://root:pw@canopsis.example",
        "http://c?a=b",
    ],
)
def test_an_address_is_http_and_holds_no_credentials(url: str) -> None:
    with pytest.raises(ValidationError, match="an address"):
        connection(url)


def test_a_prefix_in_the_address_stays_before_the_path() -> None:
    with scripted(GOOD) as canopsis:
        Wire(connection(canopsis.url + "/backend/")).call("GET", "/api/v4/app-info")

    assert canopsis.seen[0].path == "/backend/api/v4/app-info"


def test_no_cookie_is_kept() -> None:
    with scripted(json({}, set_cookie="session-id=abc; Path=/")) as canopsis:
        wire = Wire(connection(canopsis.url))
        wire.call("GET", "/one")
        wire.call("GET", "/two")

    assert "cookie" not in canopsis.seen[1].headers


def test_netrc_never_replaces_our_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted(GOOD) as canopsis:
        Wire(connection(canopsis.url)).call("GET", "/x")

    assert "authorization" not in canopsis.seen[0].headers


def test_a_slow_link_may_take_longer_than_the_connect_timeout_to_carry_a_body() -> None:
    """One `sendall` of the whole body would be cut after `timeout.connect` seconds."""
    body = b"x" * 20_000_000
    received = []
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def sip() -> None:
        peer, _ = listener.accept()
        with peer:
            total = 0
            while total < len(body):
                total += len(peer.recv(1 << 20))
                time.sleep(0.01)
            received.append(total)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = threading.Thread(target=sip, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    slow = connection(url, timeout={"connect": 0.15, "read": 10, "total": 60})

    started = time.monotonic()
    answer = Wire(slow).call("PUT", "/x", body=body)

    thread.join(10)
    listener.close()
    assert answer.body == {}
    assert received[0] >= len(body)
    assert time.monotonic() - started > 0.15


# --- what comes back


def test_a_web_page_with_status_200_is_unreadable_and_points_at_the_address() -> None:
    with scripted(HTMLResponse(PAGE)) as canopsis, pytest.raises(Unreadable) as error:
        Wire(connection(canopsis.url)).call("GET", "/api/v4/app-info")

    assert said(error.value) == (
        "a web page (200 «Canopsis») where Canopsis' API should have answered\n"
        f"where: GET {canopsis.url}/api/v4/app-info\n"
        "mend: see `url` of the connection: any path outside the API gives a page with status "
        "200; up to Canopsis 4.3 it ends with /backend"
    )
    assert len(canopsis.seen) == 1


@pytest.mark.parametrize("content", ["", "  \n", '{"a": ', "null and more"])
def test_an_answer_that_is_empty_or_not_json_is_unreadable(content: str) -> None:
    with scripted(PlainTextResponse(content)) as canopsis, pytest.raises(Unreadable):
        Wire(connection(canopsis.url)).call("GET", "/x")


def test_an_answer_of_status_204_holds_nothing() -> None:
    with scripted(Response(status_code=204)) as canopsis:
        assert Wire(connection(canopsis.url)).call("DELETE", "/x").body is None


def test_json_is_read_whatever_its_content_type() -> None:
    answer = PlainTextResponse('{"errors":{"source":"Source is missing."}}', 400)
    with scripted(answer) as canopsis, pytest.raises(Refused, match=r"source: Source is missing\."):
        Wire(connection(canopsis.url)).call("PUT", "/x", body=b"[]")


def test_a_refusal_is_not_repeated_and_carries_canopsis_words() -> None:
    with scripted(json({"error": "request has invalid structure"}, 400)) as canopsis:
        with pytest.raises(Refused, match="answered 400: request has invalid structure"):
            Wire(connection(canopsis.url)).call("PUT", "/x", body=b"{}")

        assert len(canopsis.seen) == 1


def test_a_missing_right_is_named() -> None:
    with (
        scripted(json({"error": "Forbidden"}, 403)) as canopsis,
        pytest.raises(Forbidden) as error,
    ):
        Wire(connection(canopsis.url)).call("GET", "/x", right="api_entity: read")

    assert "mend: give its role the permission api_entity: read" in said(error.value)


def test_404_is_told_from_other_refusals() -> None:
    with scripted(json({"error": "Not found"}, 404)) as canopsis, pytest.raises(Absent):
        Wire(connection(canopsis.url)).call("GET", "/x")


def test_413_of_a_proxy_is_too_large_without_a_known_limit() -> None:
    page = HTMLResponse("<title>413 Request Entity Too Large</title>", 413)
    with scripted(page) as canopsis, pytest.raises(TooLarge, match="Too Large") as error:
        Wire(connection(canopsis.url)).call("PUT", "/x", body=b"[]")

    assert error.value.limit is None


def test_the_limit_that_canopsis_25_tells_is_learned() -> None:
    answer = json({"error": "request size 5000 exceeds limit 4000"}, 400)
    with scripted(answer) as canopsis, pytest.raises(TooLarge) as error:
        Wire(connection(canopsis.url)).call("PUT", "/x", body=b"[]")

    assert error.value.limit == 4000


def test_a_redirection_is_not_followed_with_our_credentials() -> None:
    with (
        scripted(RedirectResponse("https://user:pw@elsewhere.example/?token=t")) as canopsis,
        pytest.raises(Refused, match=r"redirection to elsewhere\.example") as error,
    ):
        Wire(connection(canopsis.url)).call("GET", "/x")

    assert "pw" not in said(error.value)
    assert "token" not in said(error.value)
    assert len(canopsis.seen) == 1


def test_the_clock_of_the_server_comes_with_its_answer() -> None:
    with scripted(GOOD) as canopsis:
        at = Wire(connection(canopsis.url)).call("GET", "/x").at

    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_a_downloaded_file_may_start_with_a_byte_order_mark() -> None:
    with scripted(Response("\ufeff_id\né\n".encode(), media_type="text/csv")) as canopsis:
        assert Wire(connection(canopsis.url)).text("/x") == "_id\né\n"


def test_a_web_page_in_place_of_a_file_is_unreadable() -> None:
    with scripted(HTMLResponse(PAGE)) as canopsis, pytest.raises(Unreadable, match="a web page"):
        Wire(connection(canopsis.url)).text("/x")


# --- outages


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_outage_is_waited_out(status: int) -> None:
    with scripted(json({"error": "later"}, status), BUSY, GOOD) as canopsis:
        assert Wire(connection(canopsis.url)).call("GET", "/x").body == {"good": True}

    assert len(canopsis.seen) == 3


def test_an_outage_that_lasts_says_how_often_it_was_tried() -> None:
    with (
        scripted(json({"error": "canopsis is under maintenance"}, 503)) as canopsis,
        pytest.raises(Unreachable, match="canopsis is under maintenance") as error,
    ):
        Wire(connection(canopsis.url)).call("GET", "/x")

    assert len(canopsis.seen) == 3
    assert "tried: 3 times in" in said(error.value)
    assert "mend: wait for Canopsis" in said(error.value)


def test_a_call_that_may_not_be_repeated_is_made_once() -> None:
    with scripted(BUSY, GOOD) as canopsis:
        with pytest.raises(Unreachable):
            Wire(connection(canopsis.url)).call("POST", "/api/v4/event", body=b"{}")

        assert len(canopsis.seen) == 1


def test_a_call_that_was_surely_not_done_is_repeated_whatever_it_is() -> None:
    with scripted(json({"error": "slow down"}, 429), GOOD) as canopsis:
        Wire(connection(canopsis.url)).call("POST", "/api/v4/event", body=b"{}")

        assert len(canopsis.seen) == 2


def test_a_body_is_sent_whole_again() -> None:
    with scripted(BUSY, GOOD) as canopsis:
        Wire(connection(canopsis.url)).call("PUT", "/x", body=b"[1,2,3]")

    assert [seen.body for seen in canopsis.seen] == [b"[1,2,3]"] * 2


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    after = "1" if form == "seconds" else format_datetime(now + timedelta(seconds=1), usegmt=True)
    headers = {"Retry-After": after, "Date": format_datetime(now, usegmt=True)}
    with scripted(json({"error": "later"}, 503, **headers), GOOD) as canopsis:
        started = time.monotonic()
        Wire(connection(canopsis.url)).call("GET", "/x")

    assert time.monotonic() - started >= 1


def test_a_retry_after_beyond_the_total_deadline_is_not_waited_for() -> None:
    short = {"connect": 1, "read": 1, "total": 2}
    with scripted(json({"error": "later"}, 503, Retry_After="3600")) as canopsis:
        started = time.monotonic()
        with pytest.raises(Outage) as error:
            Wire(connection(canopsis.url, timeout=short)).call("GET", "/x")

    assert time.monotonic() - started < 1
    assert error.value.wait == 3600


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(Unreachable, match="Connection refused") as error:
        Wire(connection(url)).call("POST", "/x", body=b"{}")

    assert "tried: 3 times" in said(error.value)


def test_an_answer_cut_before_its_end_is_an_outage() -> None:
    with (
        talking(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":1}') as url,
        pytest.raises(Unreachable, match="no whole answer"),
    ):
        Wire(connection(url)).call("GET", "/x")


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_closed_without_an_answer_is_an_outage(*, reset: bool) -> None:
    with talking(reset=reset) as url, pytest.raises(Unreachable, match="no whole answer"):
        Wire(connection(url)).call("GET", "/x")


def test_silence_is_an_outage_after_the_read_timeout() -> None:
    short = {"connect": 1, "read": 0.1, "total": 5}
    with talking(b"", pause=30) as url, pytest.raises(Unreachable, match="not a byte"):
        Wire(connection(url, timeout=short, retry={"attempts": 1})).call("GET", "/x")


def test_an_answer_that_drips_for_ever_is_cut_at_the_total_deadline() -> None:
    drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b" "] * 100]
    short = {"connect": 1, "read": 1, "total": 0.3}
    with talking(*drip, pause=0.05) as url:
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"longer than 0\.3 s"):
            Wire(connection(url, timeout=short)).call("GET", "/x")

    assert time.monotonic() - started < 2


# --- certificates and proxies


def test_a_certificate_that_nobody_vouches_for_is_refused_and_says_how_to_trust_it() -> None:
    with talking(OK, tls=True) as url, pytest.raises(Refused, match="is not trusted") as error:
        Wire(connection(url)).call("GET", "/x")

    assert "give the PEM file of its authority as `tls.ca_bundle`" in said(error.value)


def test_a_certificate_is_trusted_through_our_own_authority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with talking(OK, tls=True) as url:
        trusting = connection(url, tls={"ca_bundle": str(CERTIFICATE)})

        assert Wire(trusting).call("GET", "/x").body == {}


def test_an_authority_file_that_is_not_there_is_a_refusal() -> None:
    nowhere = connection("https://127.0.0.1:9", tls={"ca_bundle": "/nowhere/ca.pem"})

    with pytest.raises(Refused, match=r"/nowhere/ca\.pem"):
        Wire(nowhere).call("GET", "/x")


def test_calls_go_through_the_proxy_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with talking(OK) as proxy:
        proxied = connection("http://canopsis.example", proxy=proxy)

        assert Wire(proxied).call("GET", "/x").body == {}


# --- logging in


def logged_in(token: str) -> Response:
    return json({"access_token": token})


LOGIN = {"type": "login", "username": "root", "password": "s3cret-pw"}


def test_a_login_is_done_once_and_its_token_sent() -> None:
    with scripted(logged_in("t1"), GOOD) as canopsis:
        wire = Wire(connection(canopsis.url, auth=LOGIN))
        wire.call("GET", "/one")
        wire.call("GET", "/two")

    assert [seen.path for seen in canopsis.seen] == ["/api/v4/login", "/one", "/two"]
    assert canopsis.seen[0].body == b'{"username":"root","password":"s3cret-pw"}'
    assert "authorization" not in canopsis.seen[0].headers
    assert canopsis.seen[2].headers["authorization"] == "Bearer t1"


def test_an_expired_token_is_renewed_once() -> None:
    expired = json({"error": "Unauthorized"}, 401)
    with scripted(logged_in("t1"), expired, logged_in("t2"), GOOD) as canopsis:
        Wire(connection(canopsis.url, auth=LOGIN)).call("POST", "/x", body=b"{}")

    assert canopsis.seen[3].headers["authorization"] == "Bearer t2"
    assert canopsis.seen[3].body == b"{}"


def test_a_token_refused_again_after_its_renewal_is_refused() -> None:
    expired = json({"error": "Unauthorized"}, 401)
    with scripted(logged_in("t1"), expired, logged_in("t2"), expired) as canopsis:
        with pytest.raises(Refused, match="does not know these credentials"):
            Wire(connection(canopsis.url, auth=LOGIN)).call("GET", "/x")

        assert len(canopsis.seen) == 4


def test_a_bad_api_key_is_refused_at_once() -> None:
    with scripted(json({"error": "Unauthorized"}, 401)) as canopsis:
        with pytest.raises(Refused, match="does not know these credentials"):
            Wire(connection(canopsis.url)).call("GET", "/x")

        assert len(canopsis.seen) == 1


# --- secrets


def echo(request: Request) -> Response:
    return json({"error": f"what is {request.headers.get('x-canopsis-authkey')}?"}, 400)


def test_a_secret_that_canopsis_echoes_is_masked() -> None:
    with scripted(echo) as canopsis, pytest.raises(Refused) as error:
        Wire(connection(canopsis.url)).call("GET", "/x")

    assert "what is ***?" in said(error.value)


def test_the_password_of_a_proxy_is_not_shown() -> None:
    proxied = connection("http://canopsis.example", proxy="http://me:s3cret-pw@127.0.0.1:9")

    with pytest.raises(Unreachable, match="the proxy gives no way") as error:
        Wire(proxied).call("GET", "/x")

    assert "s3cret-pw" not in said(error.value)
    assert error.value.__cause__ is None


def test_an_address_is_shown_without_its_query() -> None:
    with scripted(json({"error": "no"}, 400)) as canopsis, pytest.raises(Refused) as error:
        Wire(connection(canopsis.url)).call("GET", "/x", params={"search": "private"})

    assert f"where: GET {canopsis.url}/x" in said(error.value)
    assert "private" not in said(error.value)


def test_a_connection_shows_no_secret_of_its_own() -> None:
    shown = repr(
        CanopsisConnection.model_validate(
            {
                "url": "http://canopsis.example",
                "auth": LOGIN,
                "proxy": "http://me:s3cret-pw@proxy.example",
            }
        )
    )

    assert "s3cret-pw" not in shown


def test_every_setting_of_a_connection_is_described() -> None:
    schema = CanopsisConnection.model_json_schema()
    models = [schema, *schema["$defs"].values()]

    fields = [field for model in models for field in model["properties"].items()]

    assert [name for name, field in fields if not field.get("description")] == []


def test_a_body_is_let_go_once_it_is_sent() -> None:
    body = b"[" + b" " * 100_000 + b"]"
    with scripted(GOOD) as canopsis:
        wire = Wire(connection(canopsis.url))
        before = sys.getrefcount(body)
        gc.disable()
        try:
            wire.call("PUT", "/api/v4/contextgraph-import", body=body)
            after = sys.getrefcount(body)
        finally:
            gc.enable()
            wire.close()

    assert after == before
