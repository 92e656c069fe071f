"""One workshop a test; the simulators stay up for the session and are emptied in between."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOGGING_EXTRA_LOGGERS,
    temporary_settings,
)

from flows.cli import main
from flows.prefect_env import LOGGERS
from flows.prefect_server import prefect_server as serve_prefect
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.canopsis_platform import Canopsis
from sandbox.jsonapi import create_app as create_api
from sandbox.jsonapi_knobs import ApiKnobs
from sandbox.jsonapi_state import Api
from sandbox.serve import serve
from tests.flows.command import Ended, Refsync
from tests.flows.driver_rig import Cmdb, a_cmdb
from tests.flows.workshop import JOB, KEY, SETTINGS, Workshop, servers


@dataclass
class Simulators:
    canopsis_url: str
    api_url: str
    canopsis: Canopsis
    api: Api


@pytest.fixture(scope="session")
def _simulators() -> Iterator[Simulators]:
    target, source = create_app(Knobs(tick=0, event_delay=0)), create_api({}, ApiKnobs())
    with serve(target) as canopsis_url, serve(source) as api_url:
        yield Simulators(canopsis_url, api_url, target.state.canopsis, source.state.jsonapi)


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor HOME nor folder of the machine reach a test."""
    foreign = ("PREFECT_", "REFSYNC_", "PYTEST_ADDOPTS")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "force_color", "no_color")
    for name in os.environ:
        if name.startswith(foreign) or name.lower() in proxies:
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """A command takes the log of the layers for itself: give it back."""
    before = [(log, log.handlers[:], log.propagate, log.level) for log in _loggers()]
    yield
    for log, handlers, propagate, level in before:
        log.handlers[:], log.propagate = handlers, propagate
        log.setLevel(level)


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in LOGGERS]


@pytest.fixture
def workshop(_simulators: Simulators, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A CMDB of 30 servers, an empty Canopsis, the job `acme/servers` from one to the other."""
    _simulators.canopsis.reset()
    _simulators.api.reset()
    _simulators.api.turn({"total": "header"})
    made = Workshop(
        tmp_path,
        _simulators.canopsis_url,
        _simulators.api_url,
        _simulators.canopsis,
        _simulators.api,
    )
    made.write_settings(SETTINGS.format(api=made.api_url, canopsis=made.canopsis_url))
    made.write_job(JOB)
    made.serve(servers(30))
    monkeypatch.setenv("REFSYNC_CONFIG", str(tmp_path / "refsync.yaml"))
    monkeypatch.setenv("ACME_KEY", KEY)
    return made


@pytest.fixture
def refsync(capfd: pytest.CaptureFixture[str]) -> Refsync:
    """Give a command in this process."""

    def give(*words: str) -> Ended:
        with pytest.raises(SystemExit) as left:
            main(words)
        return Ended(int(left.value.code or 0), *capfd.readouterr())

    return give


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A real Prefect server for the session: its URL, and the folder of its files."""
    folder = tmp_path_factory.mktemp("prefect")
    with serve_prefect(folder, ui=False) as url:
        yield url, folder


@pytest.fixture(scope="module")
def settled_prefect(prefect_server: tuple[str, Path]) -> Iterator[tuple[str, Path]]:
    """The same server, to which the flows of this process report."""
    url, folder = prefect_server
    with temporary_settings(
        {
            PREFECT_API_URL: f"{url}/api",
            PREFECT_HOME: folder / "prefect",
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # it costs a second a flow
            PREFECT_LOGGING_EXTRA_LOGGERS: ",".join(LOGGERS),
        }
    ):
        yield url, folder
        for worker in (APILogWorker, EventsWorker):  # while there still is a server
            worker.drain_all(timeout=10)


@pytest.fixture(scope="module")
def served() -> Iterator[Cmdb]:
    with a_cmdb() as made:
        yield made


@pytest.fixture
def cmdb(served: Cmdb, workshop: Workshop) -> Cmdb:
    del workshop  # its settings are in the environment
    return served.forget()
