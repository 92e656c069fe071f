"""One simulated system of each kind a module, as new before each test."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from sandbox.canopsis import Knobs, create_app
from sandbox.jsonapi import create_app as create_json_api
from sandbox.jsonapi_knobs import ApiKnobs
from sandbox.serve import serve
from sandbox.servicenow import create_app as create_servicenow
from tests.sandbox import servicenow_client
from tests.sandbox.canopsis_cases import Caller, c, infos, names, r, svc
from tests.sandbox.jsonapi_client import ROWS, Client


@pytest.fixture(scope="module")
def canopsis_url() -> Iterator[str]:
    with serve(create_app(Knobs(manual=True))) as url:
        yield url


@pytest.fixture(scope="module")
def url_of_version() -> Iterator[Callable[[str], str]]:
    """One server a version, for all tests of a module."""
    with contextlib.ExitStack() as stack:
        known: dict[str, str] = {}

        def url(version: str) -> str:
            if version not in known:
                app = create_app(Knobs(manual=True, version=version))
                known[version] = stack.enter_context(serve(app))
            return known[version]

        yield url


@pytest.fixture
def canopsis(canopsis_url: str) -> Iterator[Caller]:
    with contextlib.closing(Caller(canopsis_url)) as caller:
        caller.control("reset")
        yield caller


@pytest.fixture
def lively() -> Iterator[Caller]:
    """A Canopsis whose worker runs by itself, fast."""
    with (
        serve(create_app(Knobs(tick=0.02, job_latency=0.1))) as url,
        contextlib.closing(Caller(url)) as caller,
    ):
        yield caller


@pytest.fixture
def canopsis_of() -> Iterator[Callable[[str], Caller]]:
    """Start a Canopsis of another version: `canopsis_of("23.10.2")`; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(version: str) -> Caller:
            url = stack.enter_context(serve(create_app(Knobs(manual=True, version=version))))
            old = version < "24.04"
            path = "contextgraph/import/status" if old else "contextgraph-import-status"
            return stack.enter_context(contextlib.closing(Caller(url, status_path=path)))

        yield start


@pytest.fixture
def park(canopsis: Caller) -> Caller:
    """Two components and a resource from s1, then one component and a service from s2."""
    canopsis.given(
        c("Foo-1", infos=infos(os="linux"), category="Cat"),
        c("bar", infos=infos(os="bsd")),
        r("foo", "bar"),
    )
    canopsis.advance(100)
    canopsis.given(
        c("other", infos=infos(os="linux", cores=4)),
        svc("S", entity_pattern=names("eq", "other")),
        source="s2",
    )
    return canopsis


@pytest.fixture(scope="module")
def json_api_url() -> Iterator[str]:
    with serve(create_json_api({"servers": ROWS}, ApiKnobs(page_size=3))) as url:
        yield url


@pytest.fixture
def api(json_api_url: str) -> Iterator[Client]:
    with contextlib.closing(Client(json_api_url)) as client:
        client.session.post(f"{json_api_url}/sandbox/reset", timeout=10)
        yield client


@pytest.fixture(scope="module")
def servicenow_url() -> Iterator[str]:
    with serve(create_servicenow()) as url:
        yield url


@pytest.fixture
def now(servicenow_url: str) -> Iterator[servicenow_client.Client]:
    """A ServiceNow that holds the fixture of the spec's cases."""
    with contextlib.closing(servicenow_client.Client(servicenow_url)) as client:
        client.reset()
        yield client
