"""Two runs of one job started together, over and over: `python -m tests.torture_lock`.

Each time one process `refsync sync` works and the other says who holds the lock and since when.
The CMDB answers nobody until one of the two has ended: the run that works is then surely under way,
on however slow a machine.
"""

import argparse
import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from starlette.types import Receive, Scope, Send

from flows.outcome import OUTAGE
from referential.database import Database
from referential.ledger import Ledger
from referential.schema import locks
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.cmdb import records
from sandbox.jsonapi import create_app as create_api
from sandbox.serve import serve
from tests.acceptance.installation import Installation
from tests.postgres import database, server

JOB = "acme/servers"
SMALL = 20  # records of the feed
PAIRS = 50
COMMAND = (str(Path(sys.executable).with_name("refsync")), "sync", JOB)
_HELD = re.compile(
    r"run (\S+) \(process (\d+) on \S+\) has held this feed since"
    r" (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC, last sign of life \d+ s ago"
)


class Gate:
    """An ASGI application in front of another one: nothing comes through while it is shut."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._open = threading.Event()
        self._open.set()

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while scope["type"] == "http" and not self._open.is_set():  # noqa: ASYNC110 - a thread opens it
            await asyncio.sleep(0.01)
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Pair:
    """How two processes that were started together ended: the one that worked, and the other."""

    worked: subprocess.Popen[str]
    waited: subprocess.Popen[str]
    words: str  # of the other, on stderr


@dataclass
class Place:
    """An installation whose CMDB can be shut."""

    installation: Installation
    gate: Gate

    def together(self) -> Pair:
        """Start two runs; the CMDB answers when one of them has ended."""
        with self.gate.shut():
            both = [self.started() for _ in range(2)]
            deadline = time.monotonic() + 120
            while all(each.poll() is None for each in both):
                if time.monotonic() > deadline:
                    raise AssertionError("two runs of one job, and neither gives way")
                time.sleep(0.01)
            both.sort(key=lambda each: each.poll() is not None)
        worked, waited = both
        _, words = waited.communicate(timeout=120)
        worked.communicate(timeout=120)
        return Pair(worked, waited, words)

    def started(self) -> subprocess.Popen[str]:
        """A process `refsync sync` of the job."""
        settings = {"REFSYNC_CONFIG": str(self.installation.settings_file)}
        return subprocess.Popen(
            COMMAND,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def holders(self) -> list[str]:
        """The runs that hold a lock."""
        url = self.installation.settings().ledger_url
        with contextlib.closing(Database(url)) as held, held.reading() as connection:
            if not sa.inspect(connection).has_table(locks.name):
                return []
            return list(connection.scalars(sa.select(locks.c.run)))

    def judge(self, pair: Pair) -> None:
        """Raises AssertionError unless one worked and the other told who holds the lock."""
        assert pair.worked.returncode == 0, f"exit code {pair.worked.returncode}"
        assert pair.waited.returncode == OUTAGE, f"exit code {pair.waited.returncode}"
        told = _HELD.search(re.sub(r"\s+", " ", pair.words))
        assert told is not None, pair.words
        with Ledger.open(self.installation.settings().ledger_url) as ledger:
            second, first = sorted(ledger.runs(2), key=lambda run: run.outcome != "failed")
        assert second.outcome == "failed"
        assert first.outcome in ("done", "nothing-to-do")
        assert told[1] == first.id
        assert int(told[2]) == pair.worked.pid
        # the lock is taken after the run has begun, and within its minute
        assert told[3] >= f"{first.started:%Y-%m-%d %H:%M:%S}"


@contextlib.contextmanager
def place(folder: Path, ledger: str = "") -> Iterator[Place]:
    """A small feed between two simulators; *ledger* is a URL, or SQLite in a file."""
    api = create_api()
    gate = Gate(api)
    with serve(create_app(Knobs(tick=0, event_delay=0))) as canopsis, serve(gate) as url:
        state = api.state.jsonapi
        state.turn({"total": "header"})
        state.put_collection("servers", records(SMALL))
        installation = Installation(folder)
        installation.settle("acme", canopsis=canopsis, api=f"{url}/api")
        if ledger:
            words = orjson.loads(installation.settings_file.read_bytes()) | {"ledger": ledger}
            installation.settings_file.write_bytes(orjson.dumps(words))
        yield Place(installation, gate)


def pairs(folder: Path, count: int, ledger: str = "") -> Iterator[str]:
    """Start *count* pairs; what was wrong with each, "" for those that did as they should."""
    with place(folder, ledger) as there:
        for _ in range(count):
            try:
                there.judge(there.together())
            except AssertionError as error:
                yield str(error) or "not as it should be"
            else:
                yield ""


def main() -> int:
    """Print the count; the exit code is 1 unless all pairs did as they should."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture_lock", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    count = parser.parse_args().pairs
    good = 0
    with tempfile.TemporaryDirectory(prefix="refsync-lock-") as folder, server() as postgres:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("CREATE DATABASE lock_pairs")
        for name, ledger in (("SQLite", ""), ("PostgreSQL", database(postgres, "lock_pairs"))):
            wrong = [each for each in pairs(Path(folder) / name, count, ledger) if each]
            for words in wrong:
                print(f"  {words}")  # noqa: T201 - a command
            good += count - len(wrong)
            print(  # noqa: T201 - a command
                f"lock, two runs started together, {name}: {count - len(wrong)} of {count}"
                " as they should: one works, the other says who holds the lock and since when",
                flush=True,
            )
    return 0 if good == 2 * count else 1


if __name__ == "__main__":
    sys.exit(main())
