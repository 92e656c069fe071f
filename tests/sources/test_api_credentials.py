"""Every way to prove who calls, against the simulated API, and the secrets that stay secret."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.jsonapi import create_app
from sandbox.jsonapi_state import Api
from sandbox.serve import serve
from sources.connection import ApiConnection
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.masking import masked, shown_url
from sources.session import Call, HttpSession
from tests.sources.conftest import Server

Connect = Callable[..., ApiConnection]

BASIC = {"type": "basic", "username": "api", "password": "api-password"}
BEARER = {"type": "bearer", "token": "api-token"}
KEY = {"type": "api_key", "name": "X-Api-Key", "key": "api-key"}
KEY_IN_QUERY = KEY | {"name": "apikey", "location": "query"}


@dataclass(frozen=True)
class Simulated:
    url: str
    api: Api

    def client(self, **settings: Any) -> dict[str, Any]:
        credentials = {"client_id": "api-client", "client_secret": "api-secret"}
        token_url = f"{self.url}/token"
        kind = {"type": "oauth2_client_credentials", "token_url": token_url}
        return kind | credentials | settings

    def tokens(self) -> int:
        return self.api.tokens.issued


@pytest.fixture(scope="module")
def running() -> Iterator[Simulated]:
    app = create_app({"servers": [{"id": "1"}]})
    with serve(app) as url:
        yield Simulated(url, app.state.jsonapi)


@pytest.fixture
def simulated(running: Simulated) -> Simulated:
    running.api.reset()
    return running


def ask(connection: ApiConnection, times: int = 1) -> Any:
    with HttpSession(connection) as session:
        for _ in range(times):
            answer = session.ask(Call(f"{connection.base_url}/api/servers"))
    return answer.document["data"]


def told(error: SourceError) -> str:
    return "\n".join([str(error), *error.__notes__, repr(error.__context__)])


@pytest.mark.parametrize(
    ("knobs", "auth"),
    [
        ({"auth": "none"}, {"type": "none"}),
        ({"auth": "basic"}, BASIC),
        ({"auth": "basic", "password": "é€:ü"}, BASIC | {"password": "é€:ü"}),
        ({"auth": "bearer"}, BEARER),
        ({"auth": "api_key"}, KEY),
        ({"auth": "api_key", "api_key_in": "query", "api_key_name": "apikey"}, KEY_IN_QUERY),
    ],
    ids=["none", "basic", "basic in UTF-8", "bearer", "key in a header", "key in the query"],
)
def test_good_credentials_are_let_in(
    simulated: Simulated, connect: Connect, knobs: dict[str, Any], auth: dict[str, Any]
) -> None:
    simulated.api.turn(knobs)

    assert ask(connect(simulated.url, auth=auth)) == [{"id": "1"}]


@pytest.mark.parametrize(
    "auth",
    [
        BASIC | {"password": "h1dden"},
        BEARER | {"token": "h1dden"},
        KEY | {"key": "h1dden"},
        KEY_IN_QUERY | {"key": "h1dden"},
    ],
    ids=["basic", "bearer", "key in a header", "key in the query"],
)
def test_wrong_credentials_are_refused_once_and_not_told(
    simulated: Simulated, connect: Connect, auth: dict[str, Any]
) -> None:
    simulated.api.turn({"auth": "oauth2"})
    connection = connect(simulated.url, auth=auth)

    with pytest.raises(Refused, match="401 Unauthorized") as error:
        ask(connection)

    assert "mend: check the credentials" in told(error.value)
    assert "h1dden" not in told(error.value) + repr(connection)
    assert simulated.api.traffic.requests.total() == 1


@pytest.mark.parametrize("auth", [{"type": "none"}, BEARER], ids=["none", "bearer"])
def test_a_netrc_file_never_speaks_for_the_connection(
    server: Server,
    connect: Connect,
    auth: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login intruder password intruder\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[str | None] = []

    async def note(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return JSONResponse({"data": []})

    ask(connect(server.add(note), auth=auth))

    assert seen == [f"Bearer {auth['token']}" if "token" in auth else None]


def test_a_key_echoed_in_a_next_url_is_not_sent_twice(server: Server, connect: Connect) -> None:
    asked: list[list[tuple[str, str]]] = []

    async def note(request: Request) -> Response:
        asked.append(request.query_params.multi_items())
        return JSONResponse({})

    connection = connect(server.add(note), auth=KEY_IN_QUERY)
    with HttpSession(connection) as session:
        session.ask(Call(f"{connection.base_url}/?page=2&apikey=api-key&q=a+b"))

    assert asked == [[("page", "2"), ("q", "a b"), ("apikey", "api-key")]]


# OAuth 2


@pytest.mark.parametrize(("client_in", "where"), [("header", "basic"), ("body", "body")])
def test_one_token_serves_many_calls(
    simulated: Simulated, connect: Connect, client_in: str, where: str
) -> None:
    simulated.api.turn({"auth": "oauth2", "client_auth": where})

    ask(connect(simulated.url, auth=simulated.client(client_in=client_in)), times=5)

    assert simulated.tokens() == 1


def test_a_token_is_renewed_before_it_expires(simulated: Simulated, connect: Connect) -> None:
    simulated.api.turn({"auth": "oauth2", "token_lifetime": 0.2})
    connection = connect(simulated.url, auth=simulated.client(skew=60))

    with HttpSession(connection) as session:
        for _ in range(2):
            session.ask(Call(f"{simulated.url}/api/servers"))
            threading.Event().wait(0.11)

    assert simulated.tokens() == 2
    assert 401 not in simulated.api.traffic.statuses


def test_a_token_refused_is_issued_again_once(simulated: Simulated, connect: Connect) -> None:
    simulated.api.turn({"auth": "oauth2", "token_uses": 2})

    ask(connect(simulated.url, auth=simulated.client()), times=5)

    assert simulated.tokens() == 3


def test_a_token_refused_twice_is_a_refusal(simulated: Simulated, connect: Connect) -> None:
    simulated.api.turn({"auth": "basic"})

    with pytest.raises(Refused, match="401"):
        ask(connect(simulated.url, auth=simulated.client()))

    assert simulated.api.traffic.statuses[401] == 2
    assert simulated.tokens() == 2


def test_threads_share_one_token(server: Server, connect: Connect) -> None:
    issued: list[str] = []

    async def slow(request: Request) -> Response:
        if request.url.path.endswith("token"):
            issued.append(f"t{len(issued)}")
            await asyncio.sleep(0.2)  # long enough for every thread to want one
        return JSONResponse({"access_token": issued[-1]})

    url = server.add(slow)
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": f"{url}/token",
        "client_id": "me",
        "client_secret": "h1dden",
    }

    with HttpSession(connect(url, auth=auth)) as session, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(session.ask, [Call(url)] * 8))

    assert len(answers) == 8
    assert issued == ["t0"]


def test_a_client_that_is_refused_is_told_without_its_secret(
    simulated: Simulated, connect: Connect
) -> None:
    simulated.api.turn({"auth": "oauth2"})
    connection = connect(simulated.url, auth=simulated.client(client_secret="h1dden"))

    with pytest.raises(Refused, match="invalid_client") as error:
        ask(connection)

    assert f"where: POST {simulated.url}/token" in told(error.value)
    assert "h1dden" not in told(error.value) + repr(connection)


def test_an_outage_of_the_token_endpoint_is_repeated(
    simulated: Simulated, connect: Connect
) -> None:
    faults = [{"kind": "status", "status": 503, "on": "token", "times": 2}]
    simulated.api.turn({"auth": "oauth2", "faults": faults})

    assert ask(connect(simulated.url, auth=simulated.client())) == [{"id": "1"}]


def test_a_token_endpoint_that_stays_down_is_an_outage(
    simulated: Simulated, connect: Connect
) -> None:
    faults = [{"kind": "status", "status": 503, "on": "token", "times": 0}]
    simulated.api.turn({"auth": "oauth2", "faults": faults})
    connection = connect(simulated.url, auth=simulated.client(), retry={"attempts": 1})

    with pytest.raises(Unreachable):
        ask(connection)


def test_an_answer_without_a_token_is_unreadable(server: Server, connect: Connect) -> None:
    async def nothing(_: Request) -> Response:
        return JSONResponse({"token": "misplaced"})

    url = server.add(nothing)
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": url,
        "client_id": "me",
        "client_secret": "h1dden",
    }

    with pytest.raises(Unreadable, match="no `access_token`"):
        ask(connect(url, auth=auth))


def test_the_token_itself_is_never_told(server: Server, connect: Connect) -> None:
    async def echo(request: Request) -> Response:
        if request.url.path.endswith("token"):
            return JSONResponse({"access_token": "h1dden-token", "expires_in": "3600"})
        return Response(f"not for {request.headers['Authorization']}", 403)

    url = server.add(echo)
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": f"{url}/token",
        "client_id": "me",
        "client_secret": "h1dden",
    }

    with pytest.raises(Refused) as error:
        ask(connect(url, auth=auth))

    assert "not for Bearer ***" in str(error.value)
    assert "h1dden" not in told(error.value)


# Messages


def test_a_validation_error_does_not_print_the_block_it_refuses() -> None:
    auth = BASIC | {"password": "h1dden", "realm": "unknown word"}

    with pytest.raises(ValidationError) as error:
        ApiConnection.model_validate({"base_url": "https://cmdb", "auth": auth})

    assert "realm" in str(error.value)
    assert "h1dden" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["pä/ss +1", "p%C3%A4/ss%20%2B1", "p%C3%A4%2Fss+%2B1", "p%C3%A4%2Fss%20%2B1", 'pä/ss +1"'],
)
def test_a_secret_is_masked_in_the_forms_it_travels_in(text: str) -> None:
    assert masked(f"<{text}>", ["pä/ss +1"]).startswith("<***")


def test_a_url_is_shown_without_userinfo_and_secret_parameters() -> None:
    url = "https://me:pw@cmdb.example:8443/api?q=a%26b&access_token=t0p&X-Key=k3y&fields=a,b"

    shown = shown_url(url, ["k3y"])

    assert shown == ("https://cmdb.example:8443/api?q=a%26b&access_token=***&X-Key=***&fields=a,b")
