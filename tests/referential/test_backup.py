"""A ledger written to a file and taken in by another one, from either database to either."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from referential.backup import export, restore
from referential.errors import Locked, Refused, Unreadable
from referential.feed import Feed
from referential.history import Reject
from referential.ledger import Ledger
from tests.postgres import database
from tests.referential.frames import digest

FEED, OTHER = Feed("acme/servers", "prod"), Feed("acme/disks", "prod")
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)


def silent(_done: int, _total: int | None) -> None:
    """Nobody watches."""


def clock() -> datetime:
    return START


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url, clock=clock) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A second ledger, empty, on each kind of database."""
    url = f"sqlite:///{tmp_path / 'other.db'}"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("SET client_min_messages TO warning")
            connection.execute("DROP DATABASE IF EXISTS taken_in WITH (FORCE)")
            connection.execute("CREATE DATABASE taken_in")
        url = database(server, "taken_in")
    with Ledger.open(url, clock=clock) as opened:
        yield opened


def fill(ledger: Ledger, feed: Feed = FEED, names: tuple[str, ...] = ("srv1", "é\n/srv1")) -> str:
    run = ledger.start_run(feed, "sync", START)
    count = len(names)
    columns: dict[str, Any] = {
        "ids": list(names),
        "kinds": ["component", "resource"][:count],
        "groups": ["srv1"] * count,
        "datasets": ["servers"] * count,
        "categories": ["Server", ""][:count],
        "infos": ["env\nsite", ""][:count],
    }
    ledger.record(feed, run, **columns, fingerprints=[bytes(15) + b"\1", digest("x")][:count])
    ledger.set_state(feed, run, names[1:], "disabled")
    ledger.add_rejects(run, [Reject("servers", 2**40, "name", "empty", {"nul": "a\0", "é": [1.5]})])
    number = ledger.import_begins(feed, run, **columns)
    ledger.import_sent(number, "job-1")
    ledger.finish_run(run, "done", START, counts={"create": 2}, absent=names[1:], checksum="0f")
    return run


def written(ledger: Ledger, path: Path, job: str | None = None) -> Counter[str]:
    with path.open("wb") as file:
        return export(ledger, file, silent, job)


def told(ledger: Ledger, feed: Feed = FEED) -> list[Any]:
    """Everything that can be asked of a feed."""
    known = ledger.known(feed).sort_values("id", ignore_index=True).to_dict("list")
    runs = [run for run in ledger.runs() if run.feed == feed]
    imports = [(i.run, i.job, i.size, i.status, i.begun, i.ended) for i in ledger.imports(feed)]
    rejects = [(ledger.rejects(run.id), ledger.reject_totals(run.id)) for run in runs]
    return [known, runs, imports, rejects]


def test_a_ledger_moves_to_another_database_whole(
    ledger: Ledger, other: Ledger, tmp_path: Path
) -> None:
    fill(ledger)
    fill(ledger, OTHER, ("srv1",))

    out = written(ledger, tmp_path / "ledger.jsonl")
    taken = restore(other, tmp_path / "ledger.jsonl", silent, replace=False)

    assert out == taken
    assert out == {"feeds": 2, "runs": 2, "rejects": 2, "totals": 2, "imports": 2, "entities": 3}
    for feed in (FEED, OTHER):
        assert told(other, feed) == told(ledger, feed)
    assert told(other)[0]["missed"] == [0, 1]
    run = other.start_run(FEED, "sync", START)
    with other.lock(FEED, run):  # what was unsettled there is taken up here
        assert set(other.known(FEED)["fingerprint"]) == {bytes(15) + b"\1", digest("x")}


def test_one_job_can_be_taken_out_and_others_stay_as_they_are(
    ledger: Ledger, other: Ledger, tmp_path: Path
) -> None:
    fill(ledger)
    fill(ledger, OTHER)
    fill(other, OTHER, ("kept",))
    before = told(other, OTHER)

    written(ledger, tmp_path / "one.jsonl", FEED.job)
    restore(other, tmp_path / "one.jsonl", silent, replace=False)

    assert told(other) == told(ledger)
    assert told(other, OTHER) == before
    with pytest.raises(Refused, match="the ledger has nothing of never/ran"):
        export(ledger, io.BytesIO(), silent, "never/ran")


def test_what_is_known_is_replaced_on_demand_alone(
    ledger: Ledger, other: Ledger, tmp_path: Path
) -> None:
    fill(ledger)
    fill(other, FEED, ("old",))
    before = told(other)
    written(ledger, tmp_path / "ledger.jsonl")

    with pytest.raises(Refused, match="knows 1 entities, 1 runs of this feed already"):
        restore(other, tmp_path / "ledger.jsonl", silent, replace=False)
    assert told(other) == before

    restore(other, tmp_path / "ledger.jsonl", silent, replace=True)
    assert told(other) == told(ledger)


def test_a_feed_that_a_run_works_on_is_not_replaced(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger)
    written(ledger, tmp_path / "ledger.jsonl")
    run = ledger.start_run(FEED, "sync", START)
    with (
        ledger.lock(FEED, run),
        pytest.raises(Locked, match=f"run {run} .* works on it"),
    ):
        restore(ledger, tmp_path / "ledger.jsonl", silent, replace=True)

    assert len(ledger.known(FEED)) == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: lines[:-1], "the file is cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:-9]], "cut short or was changed"),
        (lambda lines: lines[1:], "not a ledger that"),
        (lambda lines: [*lines[:3], *lines[4:]], "does not hold what its end tells"),
        (lambda lines: [*lines[:2], b'{"run":{"id":1}}\n', *lines[2:]], "not what it should be"),
        (lambda lines: [*lines[:2], b"[]\n", *lines[2:]], "not what it should be"),
        (lambda _lines: [], "cut short or was changed"),
    ],
)
def test_a_file_that_is_not_whole_changes_nothing(
    ledger: Ledger, tmp_path: Path, spoil: Any, words: str
) -> None:
    fill(ledger)
    path = tmp_path / "ledger.jsonl"
    written(ledger, path)
    path.write_bytes(b"".join(spoil(path.read_bytes().splitlines(keepends=True))))
    before = told(ledger)

    with pytest.raises(Unreadable, match=words) as caught:
        restore(ledger, path, silent, replace=True)

    assert caught.value.__notes__[0].startswith(f"where: {path}:")
    assert told(ledger) == before


def test_progress_is_told_in_entities(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger)
    out: list[tuple[int, int | None]] = []
    with (tmp_path / "ledger.jsonl").open("wb") as file:
        export(ledger, file, lambda *done: out.append(done))
    assert out == [(2, 2)]

    restore(ledger, tmp_path / "ledger.jsonl", lambda *done: out.append(done), replace=True)
    assert out[-1] == (2, None)
