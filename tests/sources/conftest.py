"""What the tests of sources share: endpoints served, and nothing of the machine's settings."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serve import serve
from sources.connection import ApiConnection
from tests.sources.sql_rig import PostgresStore, SqliteStore, Store, fill

Endpoint = Callable[[Request], Awaitable[Response]]

QUICK = {"attempts": 3, "initial": 0.01, "max_delay": 0.05, "jitter": 0}

# A certificate for 127.0.0.1 that vouches for itself, of use to nobody.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQge/lnvrqre5XCj1NT
nLkLCPrLxt9kbF+hXXOz4ox8m7ehRANCAAQAWRMjvB7WfMxBx/1+4MbtBNka2DIW
HAQ5tHahXHQYuX2pXar50XJLr+N3tKp9inoyE5r3o6vOfhd2coiSoJ9h
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBRDCB66ADAgECAgEBMAoGCCqGSM49BAMCMBgxFjAUBgNVBAMMDXJlZnN5bmMg
dGVzdHMwIBcNMDAwMTAxMDAwMDAwWhgPMjE1MDAxMDEwMDAwMDBaMBgxFjAUBgNV
BAMMDXJlZnN5bmMgdGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQAWRMj
vB7WfMxBx/1+4MbtBNka2DIWHAQ5tHahXHQYuX2pXar50XJLr+N3tKp9inoyE5r3
o6vOfhd2coiSoJ9hoyQwIjAPBgNVHREECDAGhwR/AAABMA8GA1UdEwEB/wQFMAMB
Af8wCgYIKoZIzj0EAwIDSAAwRQIgE6UMxUW2ItmQr62/m7wP0qN7svKD4aKERbFQ
GIW2/5UCIQDYBX2QjtVYSexrPdavAjET3XB/NSAXLTOAnDL4YXYFjg==
-----END CERTIFICATE-----
"""


@dataclass(frozen=True)
class Server:
    """One server for many endpoints: stopping one takes longer than most tests."""

    url: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def add(self, endpoint: Endpoint) -> str:
        """Serve *endpoint* for every path below the URL that is given back."""
        self.endpoints.append(endpoint)
        return f"{self.url}/{len(self.endpoints) - 1}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serve(_switch(endpoints := [])) as url:
        yield Server(url, endpoints)


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Server]:
    """Another server, hence another origin."""
    with serve(_switch(endpoints := [])) as url:
        yield Server(url, endpoints)


def _switch(endpoints: list[Endpoint]) -> Starlette:
    async def dispatch(request: Request) -> Response:
        return await endpoints[request.path_params["number"]](request)

    methods = ["GET", "POST", "HEAD"]
    paths = ["/{number:int}", "/{number:int}/{path:path}"]
    return Starlette(routes=[Route(path, dispatch, methods=methods) for path in paths])


@pytest.fixture
def connect() -> Callable[..., ApiConnection]:
    """A connection that loses no time between attempts."""

    def build(url: str, **settings: object) -> ApiConnection:
        return ApiConnection.model_validate({"base_url": url, "retry": QUICK} | settings)

    return build


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A PEM file: a key and the certificate that it signed for 127.0.0.1."""
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    return path


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
    names += ["requests_ca_bundle", "curl_ca_bundle", "netrc"]
    for name in [*names, *map(str.upper, names)]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sqlite(tmp_path: Path) -> SqliteStore:
    return SqliteStore.new(tmp_path)


@pytest.fixture
def postgresql(postgres_cmdb: str) -> PostgresStore:
    return PostgresStore.new(postgres_cmdb)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """A database of each kind, with the table `things`: ids 1, 2 and 3, names n1, n2 and n3."""
    found: Store = request.getfixturevalue(request.param)
    fill(found, 3)
    return found
