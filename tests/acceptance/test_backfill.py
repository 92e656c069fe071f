"""A backfill of twelve windows that dies in the sixth and is started again: as if it had not died.

A real process over real HTTP is killed by SIGKILL as Canopsis is given the import of its sixth
window. Started again, it does the windows that are left, each once; all that Canopsis stores and
all that the ledger owns is what it is without the kill.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import requests

from flows.settings import load_settings
from flows.workplace import open_ledger
from referential.feed import Feed
from referential.history import Run
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.canopsis_platform import Canopsis
from sandbox.serve import serve
from tests.flows.backfill_rig import CONNECTION, EACH, JOB, JOB_NAME, Past, a_past
from tests.flows.command import ended, start
from tests.flows.workshop import KEY, SETTINGS
from tests.postgres import database
from tests.torture_gate import Gate

WINDOWS = 12
DATES = ("--since", "2026-01-01T00:00:00Z", "--until", "2026-03-26T00:00:00Z", "--window", "7d")
IMPORT = "/api/v4/contextgraph-import*"


@dataclass(frozen=True)
class Site:
    """The two systems, and the gate in front of Canopsis."""

    url: str
    gate: Gate
    canopsis: Canopsis
    past: Past

    def empty(self) -> None:
        self.gate.open()
        self.canopsis.reset()
        self.past.feed(WINDOWS)

    def state(self) -> bytes:
        self.canopsis.tick()
        answer = requests.get(f"{self.url}/sandbox/state", params={"stable": "true"}, timeout=30)
        answer.raise_for_status()
        return answer.content


@dataclass(frozen=True)
class Office:
    """A folder with its settings, its job and its ledger."""

    folder: Path

    def settle(self, site: Site, ledger: str = "") -> None:
        self.folder.mkdir()
        text = SETTINGS.format(api="http://127.0.0.1:9", canopsis=site.url)
        text = text.replace("sqlite:///state/ledger.db", ledger or "sqlite:///state/ledger.db")
        (self.folder / "refsync.yaml").write_text(text + CONNECTION.format(snow=site.past.url))
        job = self.folder / "jobs" / f"{JOB_NAME}.yaml"
        job.parent.mkdir(parents=True)
        job.write_text(JOB, encoding="utf-8")

    def start(self, parallel: int) -> Any:
        config = {"REFSYNC_CONFIG": str(self.folder / "refsync.yaml"), "ACME_KEY": KEY}
        words = ("backfill", JOB_NAME, *DATES, "--parallel", str(parallel), "--json")
        return start(*words, **config)

    def backfill(self, parallel: int = 1) -> Any:
        """One to its end; its document."""
        done = ended(self.start(parallel))
        assert done.code == 0, done.err
        return orjson.loads(done.out)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        settings = load_settings({"REFSYNC_CONFIG": str(self.folder / "refsync.yaml")})
        with open_ledger(settings) as ledger:
            return ledger.runs(1_000)[::-1]

    def owned(self) -> list[tuple[Any, ...]]:
        settings = load_settings({"REFSYNC_CONFIG": str(self.folder / "refsync.yaml")})
        with open_ledger(settings) as ledger:
            known = ledger.known(Feed(JOB_NAME, "acme-canopsis"))
        return sorted(map(tuple, known.itertuples(index=False)))


@dataclass(frozen=True)
class Undisturbed:
    """What is to be there in the end; `calls` before the import of the sixth window is sent."""

    state: bytes
    owned: list[tuple[Any, ...]]
    calls: int


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    app = create_app(Knobs(tick=0, event_delay=0))
    gate = Gate(app)
    with a_past() as past, serve(gate) as url:
        yield Site(url, gate, app.state.canopsis, past)


@pytest.fixture(scope="module")
def undisturbed(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    site.empty()
    office = Office(tmp_path_factory.mktemp("undisturbed") / "office")
    office.settle(site)
    site.gate.strike("call", route=IMPORT, method="PUT")
    document = office.backfill()
    assert [each["outcome"] for each in document["windows"]] == ["done"] * WINDOWS
    imports = [run.counts["imports"] for run in office.runs()]
    probes = site.gate.seen - sum(imports)  # the check of rights asks for an import that is none
    return Undisturbed(site.state(), office.owned(), probes + sum(imports[:5]))


@pytest.fixture(params=["SQLite, one at a time", "PostgreSQL, four side by side"])
def way(request: pytest.FixtureRequest) -> tuple[str, int]:
    """The URL of a new ledger, "" for a file of the office, and how many windows are read."""
    if request.param.startswith("SQLite"):
        return "", 1
    server = request.getfixturevalue("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS backfill")
        connection.execute("CREATE DATABASE backfill")
    return database(server, "backfill"), 4


def test_a_backfill_killed_in_its_sixth_window_is_resumed_and_does_each_window_once(
    site: Site, undisturbed: Undisturbed, tmp_path: Path, way: tuple[str, int]
) -> None:
    ledger, parallel = way
    site.empty()
    office = Office(tmp_path / "office")
    office.settle(site, ledger)
    process = office.start(parallel)
    site.gate.act = lambda: os.kill(process.pid, signal.SIGKILL)
    site.gate.strike("call", route=IMPORT, method="PUT", after=undisturbed.calls, times=1)

    assert ended(process).code == -signal.SIGKILL

    killed = [run.outcome for run in office.runs()]
    assert killed[:6] == ["done"] * 5 + ["running"]
    assert set(killed[5:]) == {"running"}
    site.gate.open()

    document = office.backfill(parallel)

    outcomes = [each["outcome"] for each in document["windows"]]
    assert outcomes[:5] == ["already done"] * 5
    assert set(outcomes[5:]) <= {"done", "nothing-to-do"}
    runs = office.runs()
    by_window = Counter(
        tuple(run.counts["window"]) for run in runs if run.outcome in ("done", "nothing-to-do")
    )
    assert len(by_window) == WINDOWS
    assert set(by_window.values()) == {1}
    others = [run.outcome for run in runs if run.outcome not in ("done", "nothing-to-do")]
    assert set(others) == {"interrupted"}
    assert len(others) == len(killed) - 5
    assert site.state() == undisturbed.state
    assert office.owned() == undisturbed.owned
    assert len(undisturbed.owned) == WINDOWS * EACH + 2
    assert {each["outcome"] for each in office.backfill()["windows"]} == {"already done"}
