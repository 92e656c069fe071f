"""Two runs of one job started together, as two processes: one works, the other says why not.

`make torture` starts fifty pairs on each database, here are a few of them.
"""

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import database
from tests.torture_lock import Place, place

PAIRS = {"sqlite": 2, "postgresql": 1}


@pytest.fixture(params=list(PAIRS))
def backend(request: pytest.FixtureRequest) -> tuple[str, int]:
    """The URL of a ledger that is not there yet, "" for a file; and how many pairs to start."""
    if request.param == "sqlite":
        return "", PAIRS["sqlite"]
    url: str = request.getfixturevalue("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages TO warning")
        connection.execute("DROP DATABASE IF EXISTS pairs WITH (FORCE)")
        connection.execute("CREATE DATABASE pairs")
    return database(url, "pairs"), PAIRS["postgresql"]


def test_of_two_runs_started_together_one_works_and_the_other_says_who_does(
    backend: tuple[str, int], tmp_path: Path
) -> None:
    ledger, count = backend
    with place(tmp_path / "installation", ledger) as there:
        for _ in range(count):
            there.judge(there.together())


def test_a_killed_holder_does_not_keep_the_lock_from_the_next_process(
    backend: tuple[str, int], tmp_path: Path
) -> None:
    with place(tmp_path / "installation", backend[0]) as there:
        with there.gate.shut(), there.started() as holder:
            _wait_until_it_holds(there)
            holder.send_signal(signal.SIGKILL)
            holder.wait(60)

        with there.started() as after:
            _, words = after.communicate(timeout=120)

        assert after.returncode == os.EX_OK, words
        last, dead = there.installation.runs()
        assert (last.outcome, dead.outcome) == ("done", "interrupted")
        assert f"process {holder.pid} on " in dead.message
        assert dead.message.endswith(f"ended without a word; run {last.id} took its place")


def _wait_until_it_holds(there: Place) -> None:
    deadline = time.monotonic() + 60
    while not there.holders():
        assert time.monotonic() < deadline
        time.sleep(0.02)
