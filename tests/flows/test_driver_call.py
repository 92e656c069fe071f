"""The call of a driver file over real HTTP: what is sent, redirects, proxies, TLS, what fails."""

import re
import socket
from inspect import signature
from pathlib import Path

import pytest

from flows.cli_driver import driver
from flows.driver import DriverOptions
from flows.driver_proxy import proxy_for
from tests.flows.command import Ended, Refsync
from tests.flows.driver_rig import (
    CERTIFICATE,
    FILE,
    Cmdb,
    To,
    enabled,
    listening,
    named,
    with_api,
    write,
    write_text,
)
from tests.flows.workshop import Workshop

JSON = {"Content-Type": "application/json"}
# What belongs to job files: no message of a driver's run may speak of it.
FOREIGN = re.compile(
    r"base_url|tls\.|ca_bundle|`|max_body|timeout\.|--allow|of the connection|the dataset"
    r"|refsync sync|same_origin|requests\.|Traceback"
)


def refused(done: Ended, what: str, mend: str) -> None:
    """Whether a run ended in one error, in the words of a driver file, exit code 1 (D18)."""
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert what in errors[0]
    assert mend in done.err
    assert "where: " in done.err
    assert not FOREIGN.search(done.err), done.err
    assert "import finished" not in done.err


# --- what is sent


def test_d16_a_body_is_a_form_whose_header_is_set_when_it_is_absent(
    cmdb: Cmdb, refsync: Refsync
) -> None:
    file = with_api(write(cmdb, named("a")), method="POST")
    text = Path(file).read_text(encoding="utf-8")
    write_text(text.replace("import:", "  body: {b: x y, a: 0123, c: 'é&'}\nimport:", 1))

    assert refsync("driver", file).code == 0
    assert refsync("driver", with_api(file, headers={"content-type": "text/plain"})).code == 0

    first, second = cmdb.asked
    assert first.body == second.body == b"a=0123&b=x+y&c=%C3%A9%26"
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert second.headers["content-type"] == "text/plain"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_d16_with_a_json_header_the_body_is_json_as_go_writes_it(
    method: str, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = with_api(
        write(cmdb, named("a")),
        method=method,
        headers={"content-type": "application/json; charset=utf-8"},
    )
    text = Path(file).read_text(encoding="utf-8")
    body = "{z: <é&>, a: 1, n: {Z: [1, yes, ~, true], 2: 1e21}, f: 1.0, d: 2021-09-29, o: 0123}"
    write_text(text.replace("import:", f"  body: {body}\nimport:", 1))

    assert refsync("driver", file).code == 0

    (asked,) = cmdb.asked
    assert asked.method == method
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    assert asked.body.decode() == (
        r'{"a":1,"d":"2021-09-29T00:00:00Z","f":1,"n":{"2":1e+21,"Z":[1,"yes",null,true]},'
        r'"o":83,"z":"\u003cé\u0026\u003e"}'
    )


def test_d17_headers_have_the_names_of_go_and_win_over_ours(cmdb: Cmdb, refsync: Refsync) -> None:
    headers = {"x-api-KEY": " k ", "user-agent": "cmdb", "ACCEPT": "*/*", "host": "far.example"}
    file = with_api(write(cmdb, named("a")), headers={**headers, "X-Site": "Nîmes 日本"})

    assert refsync("driver", file).code == 0

    sent = dict(cmdb.asked[0].headers)
    assert (sent["x-api-key"], sent["user-agent"], sent["accept"]) == ("k", "cmdb", "*/*")
    assert sent["host"] == "far.example"
    assert dict(cmdb.asked[0].raw)[b"x-site"] == "Nîmes 日本".encode()


def test_d17_names_of_headers_are_written_as_go_writes_them(
    workshop: Workshop, refsync: Refsync
) -> None:
    with listening() as server:
        file = write_text(FILE.format(url=server.url, action="set", missing=""))
        done = refsync("driver", with_api(file, headers={"x-api-KEY": "k", "SOAPaction": "s"}))

    assert done.code == 0, done.err
    assert {"X-Api-Key", "Soapaction"} <= server.headers[0].keys()
    assert enabled(workshop) == {"far"}


@pytest.mark.parametrize(
    ("user", "password", "own", "wanted"),
    [
        ("user", "pass:word", None, "Basic dXNlcjpwYXNzOndvcmQ="),
        ("user", None, None, "Basic dXNlcjo="),
        ("zoé", "été", None, "Basic em/DqTrDqXTDqQ=="),
        (None, "pass", None, None),
        ("", "pass", None, None),
        ("user", "pass", "Bearer t0ken", "Bearer t0ken"),
    ],
)
def test_d19_basic_is_sent_when_there_is_a_user_and_only_then(
    *,
    user: str | None,
    password: str | None,
    own: str | None,
    wanted: str | None,
    cmdb: Cmdb,
    refsync: Refsync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("USERNAME", user), ("PASSWORD", password)):
        monkeypatch.delenv(f"EXTERNAL_API_{name}", raising=False)
        if value is not None:
            monkeypatch.setenv(f"EXTERNAL_API_{name}", value)
    file = write(cmdb, named("a"))

    done = refsync("driver", with_api(file, headers={"authorization": own}) if own else file)

    assert done.code == 0, done.err
    assert [asked.headers.get("authorization") for asked in cmdb.asked] == [wanted]


# --- redirects


def hops(cmdb: Cmdb, count: int) -> str:
    """A file whose call is redirected *count* times before the rows."""
    file = write(cmdb, To("/1"))
    for rank in range(1, count):
        cmdb.answers[f"/{rank}"] = To(f"/{rank + 1}")
    cmdb.answers[f"/{count}"] = named("a")
    return file


def test_d18_nine_redirects_are_followed(cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", hops(cmdb, 9))

    assert done.code == 0, done.err
    assert len(cmdb.asked) == 10


def test_d18_of_ten_redirects_the_last_is_not_followed(cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", hops(cmdb, 10))

    refused(done, "stopped after 10 redirects", "write the final address in api.url")
    assert len(cmdb.asked) == 10


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        (301, "GET", "GET", b""),
        (302, "GET", "GET", b""),
        (303, "GET", "GET", b""),
        (307, "GET", "GET", b'{"a":"b"}'),
        (308, "GET", "GET", b'{"a":"b"}'),
        (301, "POST", "GET", b""),
        (302, "PUT", "GET", b""),
        (303, "POST", "GET", b""),
        (307, "POST", "POST", b'{"a":"b"}'),
        (308, "PUT", "PUT", b'{"a":"b"}'),
    ],
)
def test_d18_a_redirect_keeps_of_the_call_what_go_keeps(
    *, status: int, method: str, then: str, body: bytes, cmdb: Cmdb, refsync: Refsync
) -> None:
    headers = {**JSON, "Host": "far.example", "X-Site": "é"}
    file = write(cmdb, To("/there", status))
    cmdb.answers["/there"] = named("a")

    done = refsync("driver", with_api(file, method=method, headers=headers, body={"a": "b"}))

    assert done.code == 0, done.err
    first, second = cmdb.asked
    assert (first.method, first.body) == (method, b'{"a":"b"}')
    assert (second.method, second.body) == (then, body)
    assert ("content-type" in second.headers) == bool(body)
    assert second.headers["host"] == "far.example"  # the redirect names no other
    assert dict(second.raw)[b"x-site"] == "é".encode()


def test_d18_a_body_that_a_redirect_dropped_does_not_come_back(
    cmdb: Cmdb, refsync: Refsync
) -> None:
    file = write(cmdb, To("/1", 302))
    cmdb.answers |= {"/1": To("/2", 307), "/2": named("a")}

    assert refsync("driver", with_api(file, method="POST", body={"a": "b"})).code == 0
    assert [(asked.method, asked.body) for asked in cmdb.asked[1:]] == [("GET", b""), ("GET", b"")]


def test_d18_credentials_stay_behind_on_another_host_and_do_not_come_back(
    cmdb: Cmdb, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_API_USERNAME", "user")
    other = cmdb.url.replace("127.0.0.1", "localhost")
    file = with_api(
        write(cmdb, To("/near")), headers={"Cookie": "c", "X-Key": "k", "Host": "far.example"}
    )
    cmdb.answers |= {
        "/near": To(f"{other}/there"),
        "/there": To(f"{cmdb.url}/back"),
        "/back": named("a"),
    }

    done = refsync("driver", file)

    assert done.code == 0, done.err
    sent = [asked.headers for asked in cmdb.asked]
    assert ["authorization" in each for each in sent] == [True, True, False, False]
    assert ["cookie" in each for each in sent] == [True, True, False, False]
    assert ["x-key" in each for each in sent] == [True] * 4
    assert [each["host"] for each in sent[1:3]] == ["far.example", other.removeprefix("http://")]


# --- proxies and TLS


def test_the_proxy_of_the_environment_is_asked_with_its_credentials(
    workshop: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:pr0xy-pass@"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")  # Canopsis is reached by requests' rules
        file = write_text(FILE.format(url="http://cmdb.example/rows?a=b", action="set", missing=""))
        done = refsync("driver", file)

    assert done.code == 0, done.err
    assert proxy.asked == ["GET http://cmdb.example/rows?a=b"]
    assert proxy.headers[0]["Proxy-Authorization"] == "Basic dXNlcjpwcjB4eS1wYXNz"
    assert "Authorization" not in proxy.headers[0]
    assert enabled(workshop) == {"far"}


def test_a_redirect_has_the_proxy_of_where_it_leads(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        done = refsync("driver", write(cmdb, To("http://cmdb.example/there")))

    assert done.code == 0, done.err
    assert proxy.asked == ["GET http://cmdb.example/there"]
    assert [asked.path for asked in cmdb.asked] == ["/rows"]
    assert enabled(workshop) == {"far"}


def test_https_goes_through_a_tunnel_of_its_own_proxy(
    workshop: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", "http://nobody.invalid:1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        file = write_text(FILE.format(url="https://cmdb.example/rows", action="set", missing=""))
        done = refsync("driver", with_api(file, insecure_skip_verify=True))

    assert done.code == 0, done.err
    assert proxy.asked == ["CONNECT cmdb.example:443", "GET /rows"]
    assert enabled(workshop) == {"far"}


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [  # as net/http of Go answers
        ({"HTTP_PROXY": "http://p:1"}, "http://cmdb.example/", "http://p:1"),
        ({"http_proxy": "p:1"}, "http://cmdb.example/", "http://p:1"),
        ({"HTTP_PROXY": "p:1", "http_proxy": "q:1"}, "http://cmdb.example/", "http://p:1"),
        ({"HTTP_PROXY": "p:1"}, "https://cmdb.example/", None),
        ({"ALL_PROXY": "p:1"}, "http://cmdb.example/", None),
        ({"HTTP_PROXY": "p:1"}, "http://localhost/", None),
        ({"HTTP_PROXY": "p:1"}, "http://127.9.9.9/", None),
        ({"HTTP_PROXY": "p:1"}, "http://[::1]/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "*"}, "http://cmdb.example/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "x, EXAMPLE "}, "http://cmdb.example/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "b.example"}, "http://cmdb.example/", "http://p:1"),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": ".cmdb.example"}, "http://cmdb.example/", "http://p:1"),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "*.example"}, "http://cmdb.example/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "cmdb.example:81"}, "http://cmdb.example:81/", None),
        (
            {"HTTP_PROXY": "p:1", "NO_PROXY": "cmdb.example:81"},
            "http://cmdb.example/",
            "http://p:1",
        ),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "[2001:db8::1]:80"}, "http://[2001:db8::1]/", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": ".3"}, "http://10.1.2.3/", "http://p:1"),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "bad/33"}, "http://10.1.2.3/", "http://p:1"),
    ],
)
def test_the_environment_names_proxies_as_go_reads_it(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(url) == proxy


def test_a_certificate_that_nobody_signed_is_refused_unless_the_file_skips_it(
    workshop: Workshop, refsync: Refsync
) -> None:
    with listening(tls=True) as server:
        file = write_text(FILE.format(url=server.url, action="set", missing=""))
        verified = refsync("driver", file)
        assert server.asked == []
        skipped = refsync("driver", with_api(file, insecure_skip_verify="yes"))

    refused(verified, "the server's certificate is not trusted", "insecure_skip_verify: true")
    assert skipped.code == 0, skipped.err
    assert "certificates are not verified" in skipped.err
    assert server.asked == ["GET /"]
    assert enabled(workshop) == {"far"}


def test_an_authority_that_the_environment_names_is_trusted(
    workshop: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with listening(tls=True) as server:
        done = refsync("driver", write_text(FILE.format(url=server.url, action="set", missing="")))

    assert done.code == 0, done.err
    assert enabled(workshop) == {"far"}


# --- what fails


@pytest.mark.parametrize(
    ("answer", "what", "mend"),
    [
        (401, "401 Unauthorized", "check EXTERNAL_API_USERNAME and EXTERNAL_API_PASSWORD"),
        (403, "403 Forbidden", "ask for the rights"),
        (404, "404 Not Found", "check api.url"),
        (500, "500 Internal Server Error", "--timeout"),
        (503, "503 Service Unavailable", "run it again once the server answers"),
        (429, "429 Too Many Requests", "run it again once the server answers"),
        (304, "redirects (304)", "write the final address in api.url"),
        (To(""), "redirects (302) to nowhere", "write the final address in api.url"),
        (To("http://[bad"), "redirects (302) to what is no address", "final address"),
        (To("http://h:99999/"), "redirects (302) to what is no address", "final address"),
        (b"", "an empty body", "check api.url"),
        (b"<html>sign in", "a page instead of JSON", "check api.url"),
        (b'[{"name": NaN}]', "not JSON", "check api.url"),
        (b'[{"name": "a', "stops in the middle", "run it again"),
        ({"rows": []}, "not an array of rows", "mend mapping.path: rows holds an array"),
        ({"a": {}}, "not an array of rows", "write is_map: true"),
        ([], "empty import", "look at what the API answers"),
        (["x", None], "no row is an object", "mend mapping.path"),
    ],
)
def test_d18_what_fails_is_asked_once_told_once_and_imports_nothing(
    *, answer: object, what: str, mend: str, workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))
    before, imports = workshop.entities(), len(workshop.imports())
    cmdb.asked.clear()

    done = refsync("driver", write(cmdb, answer))

    refused(done, what, mend)
    assert len(cmdb.asked) == 1
    assert len(workshop.imports()) == imports
    assert workshop.entities() == before
    assert workshop.last_run().outcome == "failed"
    assert not FOREIGN.search(workshop.last_run().message)


@pytest.mark.parametrize(
    ("environment", "url", "what", "mend"),
    [
        ({}, "http://127.0.0.1:1/", "the server cannot be reached", "--timeout"),
        ({}, "http://nobody.invalid/", "the server cannot be reached", "--timeout"),
        (
            {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"},
            "http://cmdb.example/",
            "the proxy cannot be used",
            "check HTTP_PROXY",
        ),
        (
            {"REQUESTS_CA_BUNDLE": "no-such.pem"},
            "https://127.0.0.1:1/",
            "a certificate file cannot be read",
            "REQUESTS_CA_BUNDLE",
        ),
        (
            {"EXTERNAL_API_USERNAME": "u", "EXTERNAL_API_PASSWORD": "s3cr3t"},
            "http://127.0.0.1:1/?token=t0ken",
            "the server cannot be reached",
            "token=***",
        ),
    ],
)
def test_d18_a_server_that_is_not_there_is_an_error_of_one_line(
    *,
    environment: dict[str, str],
    url: str,
    what: str,
    mend: str,
    workshop: Workshop,
    refsync: Refsync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    done = refsync("driver", write_text(FILE.format(url=url, action="set", missing="delete")))

    refused(done, what, mend)
    assert "s3cr3t" not in done.err
    assert "t0ken" not in done.err
    assert workshop.imports() == []


def test_d18_a_silent_server_is_left_after_the_timeout(
    workshop: Workshop, refsync: Refsync
) -> None:
    del workshop
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel accepts, nobody answers
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        file = write_text(FILE.format(url=url, action="set", missing=""))
        done = refsync("driver", file, "--timeout", "0.2")

    refused(done, "the server was silent for 0.2 s", "give it more time by --timeout")


def test_d18_the_timeout_is_60_seconds_unless_another_is_given() -> None:
    assert signature(driver).parameters["timeout"].default == 60
    assert DriverOptions().seconds == 60
