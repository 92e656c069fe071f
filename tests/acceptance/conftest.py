"""The simulators stay up for the session and are emptied before each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.jsonapi import create_app as create_api
from sandbox.serve import serve
from tests.acceptance.installation import Installation
from tests.acceptance.world import World


@pytest.fixture(scope="session")
def _world() -> Iterator[World]:
    target, source = create_app(Knobs(tick=0, event_delay=0)), create_api()
    with serve(target) as canopsis_url, serve(source) as api_url:
        yield World(canopsis_url, api_url, target.state.canopsis, source.state.jsonapi)


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor HOME nor folder of the machine reach a test, or a process it starts."""
    foreign = ("PREFECT_", "REFSYNC_", "PYTEST_ADDOPTS")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for name in os.environ:
        if name.startswith(foreign) or name.lower() in proxies:
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def world(_world: World) -> World:
    _world.canopsis.reset()
    _world.api.reset()
    return _world


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation of the jobs that come with the product; `settle` connects it."""
    return Installation(tmp_path / "installation")
