"""What the ledger forgets of past runs, and what it never does, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from referential.feed import Feed
from referential.history import Outcome, Reject
from referential.ledger import Ledger
from referential.retention import forget_runs

FEED, OTHER = Feed("acme/servers", "prod"), Feed("acme/disks", "prod")
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
LONG_AGO = START - timedelta(days=9_000)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as opened:
        yield opened


def ran(ledger: Ledger, day: int, outcome: Outcome = "done", feed: Feed = FEED, **more: str) -> str:
    """A run of that day, with a reject."""
    moment = START + timedelta(days=day)
    run = ledger.start_run(feed, more.get("mode", "sync"), moment)
    ledger.add_rejects(run, [Reject("servers", 1, "name", "empty", {"id": 1})])
    if outcome != "running":
        ledger.finish_run(run, outcome, moment)
    return run


def forgotten(ledger: Ledger, keep: int, before: datetime = LONG_AGO, most: int = 500) -> list[str]:
    with ledger.database.writing() as connection:
        gone = forget_runs(connection, keep=keep, before=before, most=most)
    return [each.run for each in gone]


def test_the_last_runs_of_each_job_are_kept(ledger: Ledger) -> None:
    mine = [ran(ledger, day) for day in range(4)]
    theirs = [ran(ledger, day, feed=OTHER) for day in range(2)]

    assert forgotten(ledger, 2) == mine[:2]
    assert {run.id for run in ledger.runs()} == {*mine[2:], *theirs}
    assert len(ledger.rejects(mine[3])) == 1
    assert ledger.reject_totals(mine[0]) == {}


def test_the_windows_of_a_backfill_push_no_other_run_out(ledger: Ledger) -> None:
    night = [ran(ledger, day) for day in range(2)]
    windows = [ran(ledger, 2 + day, mode="backfill") for day in range(4)]

    assert forgotten(ledger, 2) == windows[:2]
    assert {run.id for run in ledger.runs()} == {*night, *windows[2:]}


def test_old_runs_are_forgotten_the_oldest_first_so_many_at_a_time(ledger: Ledger) -> None:
    runs = [ran(ledger, day) for day in range(5)]
    before = START + timedelta(days=3)

    assert forgotten(ledger, 100, before, most=2) == runs[:2]
    assert forgotten(ledger, 100, before) == runs[2:3]
    assert forgotten(ledger, 100, before) == []


def test_the_last_run_that_was_carried_out_is_never_forgotten(ledger: Ledger) -> None:
    ran(ledger, 0)
    good = ran(ledger, 1, "nothing-to-do")
    ran(ledger, 2, mode="plan")
    later = [ran(ledger, day, "failed") for day in (3, 4)]

    forgotten(ledger, 1, START + timedelta(days=100))

    assert [run.id for run in ledger.runs()] == [good]
    assert later[0] not in {run.id for run in ledger.runs()}


def test_runs_under_way_and_imports_that_nobody_settled_are_never_forgotten(
    ledger: Ledger,
) -> None:
    dead = ran(ledger, 0, "failed")
    names = ["a"]
    number = ledger.import_begins(
        FEED,
        dead,
        ids=names,
        kinds=["component"],
        groups=names,
        datasets=["d"],
        categories=[""],
        infos=[""],
    )
    under_way = ran(ledger, 1, "running")
    ran(ledger, 2)

    assert forgotten(ledger, 1) == []
    ledger.import_ended(number, "failed")
    assert forgotten(ledger, 1) == [dead]
    assert under_way in {run.id for run in ledger.runs()}
    assert ledger.imports(FEED) == []
