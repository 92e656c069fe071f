"""A Canopsis, a CMDB and an installation that are set back to a moment of their life at will."""

import contextlib
import copy
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
import psycopg
import sqlalchemy as sa

from flows.settings import SettingsFile
from referential.ledger import Ledger
from referential.schema import locks
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.canopsis_platform import Canopsis
from sandbox.jsonapi import create_app as create_api
from sandbox.serve import serve
from tests.acceptance.installation import Installation
from tests.acceptance.world import World
from tests.postgres import database
from tests.torture_feed import JOB, UNNAMED, Day, write_job

Backend = Literal["SQLite", "PostgreSQL"]
IMPORTS = {
    "max_items": 20,
    "pace": {"first": 0.005, "factor": 1.5, "longest": 0.02, "deadline": 20},
}
COLUMNS = ("id", "kind", "group", "dataset", "category", "infos", "state", "fingerprint")
_SHARED = ("knobs", "lock", "_given", "_wake", "_loop")  # of a simulator: not part of its memory


@dataclass(slots=True)
class Moment:
    """What both systems and the ledger held."""

    canopsis: dict[str, Any]
    folder: Path
    ledger: str


@dataclass
class Bench:
    """One backend's installation in `folder`; `postgres` is the server's URL or nothing."""

    world: World
    folder: Path
    postgres: str = ""
    _moments: int = field(default=0)

    @property
    def installation(self) -> Installation:
        return Installation(self.folder / "installation", self.folder / "jobs")

    @property
    def ledger_url(self) -> str:
        if self.postgres:
            return database(self.postgres, "trial")
        return f"sqlite:///{self.installation.folder / 'ledger.db'}"

    def settle(self, *, missing: str = "disable", imports: Mapping[str, Any] = IMPORTS) -> None:
        """Empty systems, a new installation, an empty ledger."""
        self.world.canopsis.reset()
        self.world.api.reset()
        self.world.api.turn({"total": "header"})
        shutil.rmtree(self.installation.folder, ignore_errors=True)
        write_job(self.folder / "jobs", missing=missing)
        settle(self.installation, self.world, self.ledger_url, imports)
        if self.postgres:
            self._new_database("trial")

    def feed(self, day: Day) -> None:
        for name, records in day.items():
            self.world.api.put_collection(name, records)

    def remember(self) -> Moment:
        """The present, to go back to."""
        self._moments += 1
        folder, ledger = self.folder / f"moment-{self._moments}", f"moment{self._moments}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.installation.folder, folder)
        if self.postgres:
            self._new_database(ledger, template="trial")
        return Moment(_memory(self.world.canopsis), folder, ledger)

    def go_back(self, moment: Moment) -> None:
        canopsis = self.world.canopsis
        with canopsis.lock:
            vars(canopsis).update(_copied(canopsis, moment.canopsis))
        canopsis.wake()
        self.world.api.traffic.clear()
        shutil.rmtree(self.installation.folder)
        shutil.copytree(moment.folder, self.installation.folder)
        if self.postgres:
            self._new_database("trial", template=moment.ledger)

    def owned(self) -> list[tuple[Any, ...]]:
        """What the ledger says that the feed owns, in one order."""
        with Ledger.open(self.ledger_url) as ledger:
            known = ledger.known(self.installation.job(JOB).feed)
        # what is off, or was only switched on, is sent whole when it is found again
        sure = (known["state"] == "enabled") & (known["id"] != UNNAMED)
        known["fingerprint"] = known["fingerprint"].where(sure, b"")
        names = [name for name in COLUMNS if name in known.columns]
        columns = [known[name].to_numpy().tolist() for name in names]
        return sorted(zip(*columns, strict=True), key=repr)

    def held(self) -> str:
        """The run that holds the feed, dead or alive."""
        with Ledger.open(self.ledger_url) as ledger, ledger._database.reading() as connection:
            return connection.scalar(sa.select(locks.c.run)) or ""

    def settled(self) -> bytes:
        """The state of Canopsis once all its queues are at rest."""
        self.world.canopsis.tick()
        return self.world.state()

    def _new_database(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


@contextlib.contextmanager
def two_systems() -> Iterator[World]:
    """A Canopsis and a CMDB that answer at once."""
    target, source = create_app(Knobs(tick=0, event_delay=0)), create_api()
    with serve(target) as canopsis_url, serve(source) as api_url:
        yield World(canopsis_url, api_url, target.state.canopsis, source.state.jsonapi)


def settle(
    installation: Installation, world: World, ledger: str, imports: Mapping[str, Any], **more: Any
) -> None:
    """Connect the installation; `more` goes into the connection to Canopsis."""
    api = f"{world.api_url}/api"
    installation.settle("acme", canopsis=world.canopsis_url, api=api, imports=imports)
    words = orjson.loads(installation.settings_file.read_bytes())
    words["ledger"] = ledger
    words["connections"]["acme-canopsis"] |= more
    if "events" in SettingsFile.model_fields:
        words["events"] = False  # an event of the run itself would stand in the state
    installation.settings_file.write_bytes(orjson.dumps(words, option=orjson.OPT_INDENT_2))


def _memory(canopsis: Canopsis) -> dict[str, Any]:
    with canopsis.lock:
        return _copied(canopsis, vars(canopsis))


def _copied(canopsis: Canopsis, memory: dict[str, Any]) -> dict[str, Any]:
    """Everything a simulator holds, detached from it but for what is shared."""
    own = {name: value for name, value in memory.items() if name not in _SHARED}
    shared = [canopsis, *(vars(canopsis)[name] for name in _SHARED)]
    return copy.deepcopy(own, {id(each): each for each in shared})
