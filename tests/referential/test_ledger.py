"""One contract for the ledger, on SQLite and on PostgreSQL."""

import contextlib
import gc
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from referential.change import UNCONFIRMED
from referential.database import Database
from referential.errors import Locked, ReferentialError, Refused, Unreachable, Unreadable
from referential.feed import Feed
from referential.history import SAMPLED, Reject
from referential.ledger import Ledger
from referential.lock import SILENCE
from referential.owned import KNOWN
from referential.schema import is_current, migrate
from referential.upgrades import UPGRADES
from tests.referential.clock import START, Clock
from tests.referential.frames import digest

FEED = Feed("acme/servers", "prod")
OTHER = Feed("acme/servers", "test")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(ledger: Ledger) -> str:
    return ledger.start_run(FEED, "sync", START)


def columns(
    *names: str, dataset: str = "servers", category: str = "Server", infos: str = "env\nsite"
) -> dict[str, Any]:
    """What `import_begins` and, with fingerprints, `record` are given for these components."""
    return {
        "ids": list(names),
        "kinds": ["component"] * len(names),
        "groups": list(names),
        "datasets": [dataset] * len(names),
        "categories": [category] * len(names),
        "infos": [infos] * len(names),
    }


def record(ledger: Ledger, run: str, *names: str, content: str = "v1", **options: Any) -> None:
    feed = options.pop("feed", FEED)
    fingerprints = [digest(content)] * len(names)
    ledger.record(feed, run, **columns(*names), fingerprints=fingerprints, **options)


def told(known: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return sorted(zip(*(known[name] for name in names), strict=True))


def test_what_is_recorded_is_known(ledger: Ledger, run: str) -> None:
    ledger.record(
        FEED,
        run,
        ids=["srv1", "é/srv1", "APP"],
        kinds=["component", "resource", "service"],
        groups=["srv1", "srv1", ""],
        datasets=["servers", "disks", "links"],
        categories=["Server", "", "Application"],
        infos=["env\nsite", "size", ""],
        fingerprints=[b"\0" * 15 + b"\1", b"\xff" * 16, digest("app")],
    )

    known = ledger.known(FEED)

    assert tuple(known.columns) == KNOWN
    assert {str(dtype) for dtype in known.drop(columns="missed").dtypes} == {"object"}
    assert known["missed"].dtype == np.int64
    assert told(known, *KNOWN) == [
        ("APP", "service", "", "links", "Application", "", digest("app"), "enabled", 0),
        (
            "srv1",
            "component",
            "srv1",
            "servers",
            "Server",
            "env\nsite",
            b"\0" * 15 + b"\1",
            "enabled",
            0,
        ),
        ("é/srv1", "resource", "srv1", "disks", "", "size", b"\xff" * 16, "enabled", 0),
    ]


def test_what_a_run_recorded_is_told_until_something_changes_it(ledger: Ledger, run: str) -> None:
    def asked(*names: str, content: str = "v1", **changed: str) -> bool:
        words = columns(*names, **changed)
        singular = {"ids": "id", "kinds": "kind", "datasets": "dataset", "categories": "category"}
        wanted = {singular.get(name, name): values for name, values in words.items()}
        digests = [digest(content)] * len(names)
        return ledger.recorded(FEED, run, wanted | {"fingerprint": digests})

    assert not asked("a")  # before there is a feed
    record(ledger, run, "a", "b", "é")

    assert asked("a", "b", "é")
    assert asked("b")
    assert not asked("a", "c")
    assert not asked("a", content="v2")
    assert not asked("a", dataset="others")
    assert not asked("a", category="")
    assert not asked("a", infos="env")

    ledger.set_state(FEED, run, ["a"], "disabled")
    ledger.forget(FEED, ["b"])
    record(ledger, ledger.start_run(FEED, "sync", START), "é")

    assert not any(map(asked, ("a", "b", "é")))


def test_a_group_that_is_the_id_takes_no_room(ledger: Ledger, run: str) -> None:
    record(ledger, run, "a", "é\U0001f600")
    ledger.record(FEED, run, **columns("b") | {"groups": ["c"]}, fingerprints=[digest("v1")])

    assert told(ledger.known(FEED), "id", "group") == [("a", "a"), ("b", "c"), ("é\U0001f600",) * 2]
    with ledger.database.reading() as connection:
        stored = dict(connection.execute(sa.text('SELECT id, "group" FROM entities')).all())
    assert stored == {"a": None, "b": "c", "é\U0001f600": None}


def test_nothing_is_known_of_a_feed_that_never_ran(ledger: Ledger) -> None:
    known = ledger.known(FEED)

    assert len(known) == 0
    assert tuple(known.columns) == KNOWN
    assert ledger.imports(FEED) == []


def test_recording_again_replaces(ledger: Ledger, run: str) -> None:
    record(ledger, run, "a", "b")
    record(ledger, run, "a", content="v2", state="disabled")

    assert told(ledger.known(FEED), "id", "fingerprint", "state") == [
        ("a", digest("v2"), "disabled"),
        ("b", digest("v1"), "enabled"),
    ]


def test_feeds_own_apart(ledger: Ledger, run: str) -> None:
    record(ledger, run, "a")
    record(ledger, run, "a", "b", content="v2", feed=OTHER)

    ledger.forget(OTHER, ["a"])

    assert told(ledger.known(FEED), "id", "fingerprint") == [("a", digest("v1"))]
    assert told(ledger.known(OTHER), "id", "fingerprint") == [("b", digest("v2"))]


def test_disabled_entities_stay_known_and_deleted_ones_do_not(ledger: Ledger, run: str) -> None:
    record(ledger, run, "a", "b", "c")

    ledger.set_state(FEED, run, ["a", "never heard of"], "disabled")
    ledger.forget(FEED, ["b", "never heard of"])

    assert told(ledger.known(FEED), "id", "state") == [("a", "disabled"), ("c", "enabled")]
    ledger.set_state(FEED, run, ["a"], "enabled")
    assert told(ledger.known(FEED), "id", "state") == [("a", "enabled"), ("c", "enabled")]


def test_nothing_at_all_may_be_recorded_disabled_and_forgotten(ledger: Ledger, run: str) -> None:
    record(ledger, run)
    ledger.set_state(FEED, run, [], "disabled")
    ledger.forget(FEED, [])
    ledger.add_rejects(run, [])

    assert len(ledger.known(FEED)) == 0


def test_tens_of_thousands_of_rows_make_the_round_trip(ledger: Ledger, run: str) -> None:
    names = [f"srv{number}" for number in range(25_000)]
    record(ledger, run, *names)

    ledger.set_state(FEED, run, names[:5_000], "disabled")
    ledger.forget(FEED, names[20_000:])

    known = ledger.known(FEED)
    assert sorted(known["id"]) == sorted(names[:20_000])
    assert sorted(known["id"][known["state"] == "disabled"]) == sorted(names[:5_000])


def test_a_record_that_fails_leaves_no_row(ledger: Ledger, run: str) -> None:
    with pytest.raises(ValueError, match="shorter"):
        ledger.record(FEED, run, **columns("a", "b"), fingerprints=[digest("v1")])

    assert len(ledger.known(FEED)) == 0


def test_a_ledger_is_found_again_as_it_was_left(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as first:
        record(first, first.start_run(FEED, "sync", START), "a")

    with Ledger.open(ledger_url) as second:
        assert told(second.known(FEED), "id") == [("a",)]


# --- runs


def test_a_run_starts_running_and_ends_with_its_story(ledger: Ledger) -> None:
    identity = ledger.start_run(FEED, "full", START)
    started = ledger.runs()[0]
    ledger.finish_run(
        identity,
        "done",
        START + timedelta(seconds=90),
        counts={"create": 3, "imports": 1},
        evidence={"servers": {"complete": True, "evidence": "3 of 3 by X-Total-Count"}},
        checksum="0f",
        message="three entities",
    )

    assert (started.outcome, started.ended, started.counts) == ("running", None, {})
    ended = ledger.runs()[0]
    assert ended.id == identity
    assert (ended.feed, ended.mode, ended.outcome) == (FEED, "full", "done")
    assert (ended.started, ended.ended) == (START, START + timedelta(seconds=90))
    assert ended.counts == {"create": 3, "imports": 1}
    assert ended.evidence["servers"]["evidence"] == "3 of 3 by X-Total-Count"
    assert (ended.checksum, ended.message) == ("0f", "three entities")


def test_runs_come_newest_first_of_one_job_or_of_all(ledger: Ledger) -> None:
    feeds = [FEED, Feed("other/disks", "prod"), OTHER]
    ids = [
        ledger.start_run(feed, "sync", START + timedelta(minutes=minute))
        for minute, feed in enumerate(feeds)
    ]

    assert [run.id for run in ledger.runs()] == ids[::-1]
    assert [run.id for run in ledger.runs(job="acme/servers")] == [ids[2], ids[0]]
    assert [run.id for run in ledger.runs(limit=1)] == [ids[2]]


def test_ids_of_runs_are_short_sort_by_time_and_never_collide(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    endings = iter(["3f9a", "3f9a", "3f9a", "07c1"])
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: next(endings))
    tokyo = START.astimezone(timezone(timedelta(hours=9)))

    ids = [ledger.start_run(FEED, "sync", tokyo) for _ in range(2)]

    assert ids == ["20261124T031500Z-3f9a", "20261124T031500Z-07c1"]


def test_an_unknown_run_is_refused_with_the_nearest_one(ledger: Ledger, run: str) -> None:
    wrong = run[:-1] + ("0" if run[-1] != "0" else "1")

    with pytest.raises(Refused, match=f"^no run '{wrong}' in the ledger") as caught:
        ledger.rejects(wrong)
    with pytest.raises(Refused):
        ledger.finish_run("never", "done", START)

    assert caught.value.__notes__ == [f"mend: did you mean {run}?"]


def test_an_unknown_outcome_is_a_fault_of_the_program(ledger: Ledger, run: str) -> None:
    with pytest.raises(ValueError, match="no outcome of a run: fine"):
        ledger.finish_run(run, "fine", START)  # type: ignore[arg-type]


# --- rejects


def reject(number: int, reason: str = "empty name", record: Any = None) -> Reject:
    return Reject("servers", number, "component.name", reason, record or {"id": number})


def test_rejects_are_kept_in_their_order_with_their_record(ledger: Ledger, run: str) -> None:
    first = reject(7, record={"name": None, "tags": ["é"], "size": 2**70})
    ledger.add_rejects(run, [first, Reject("disks", 1, "resource.name", "no component", "text")])
    ledger.add_rejects(run, [reject(9)])

    kept = ledger.rejects(run)

    assert [each.number for each in kept] == [7, 1, 9]
    assert kept[0] == first
    assert kept[1] == Reject("disks", 1, "resource.name", "no component", "text")
    assert ledger.reject_totals(run) == {
        ("disks", "resource.name"): 1,
        ("servers", "component.name"): 2,
    }


def test_all_rejects_are_counted_and_the_first_thousand_kept(ledger: Ledger, run: str) -> None:
    for start in (0, 900):
        ledger.add_rejects(run, (reject(number) for number in range(start, start + 900)))

    assert [each.number for each in ledger.rejects(run)] == list(range(SAMPLED))[:SAMPLED]
    assert ledger.reject_totals(run) == {("servers", "component.name"): 1_800}


def test_a_record_of_any_shape_and_size_can_be_kept(ledger: Ledger, run: str) -> None:
    odd = {"when": START, "raw": b"\xff", "nul": "a\0b", "lone": "\ud800", 3: "number as a key"}
    ledger.add_rejects(run, [reject(1, "a\0b", odd), reject(2, record={"text": "x" * 50_000})])

    first, second = ledger.rejects(run)

    assert first.reason == "a\\0b"
    assert first.record["nul"] == "a\0b"
    assert first.record["3"] == "number as a key"
    assert list(second.record) == ["cut short"]
    assert len(second.record["cut short"]) == 10_000


# --- imports, and what a dead run leaves


def test_an_import_is_followed_from_its_beginning_to_its_end(
    ledger: Ledger, run: str, clock: Clock
) -> None:
    done = ledger.import_begins(FEED, run, **columns("a", "b"))
    ledger.import_sent(done, "job-1")
    unsettled = ledger.imports(FEED, unsettled=True)
    clock.now += timedelta(seconds=5)
    record(ledger, run, "a", "b", settles=done)
    failed = ledger.import_begins(FEED, run, **columns("c"))
    ledger.import_ended(failed, "failed")

    assert [(each.number, each.status, each.job) for each in unsettled] == [(done, "sent", "job-1")]
    assert ledger.imports(FEED, unsettled=True) == []
    first, second = ledger.imports(FEED)
    assert (first.run, first.job, first.size, first.status) == (run, "job-1", 2, "done")
    assert (first.begun, first.ended) == (START, START + timedelta(seconds=5))
    assert (second.number, second.status, second.job) == (failed, "failed", "")


def test_every_way_to_record_settles_its_import(ledger: Ledger, run: str) -> None:
    record(ledger, run, "a", "b", settles=ledger.import_begins(FEED, run, **columns("a", "b")))
    number = ledger.import_begins(FEED, run, **columns("a"))
    ledger.set_state(FEED, run, ["a"], "disabled", settles=number)
    ledger.forget(FEED, ["b"], settles=ledger.import_begins(FEED, run, **columns("b")))

    assert [each.status for each in ledger.imports(FEED)] == ["done"] * 3


def die_while_sending(ledger: Ledger, run: str, *names: str, job: str = "job-1") -> None:
    """What is left in the ledger of a run killed between an import and its record."""
    with contextlib.suppress(KeyboardInterrupt), ledger.lock(FEED, run):
        number = ledger.import_begins(FEED, run, **columns(*names))
        if job:
            ledger.import_sent(number, job)
        raise KeyboardInterrupt


@pytest.mark.parametrize("job", ["", "job-1"])
def test_what_a_dead_run_was_sending_is_owned_and_unconfirmed(
    ledger: Ledger, run: str, job: str
) -> None:
    record(ledger, run, "known", "disabled", "untouched")
    ledger.set_state(FEED, run, ["disabled"], "disabled")
    dead = ledger.start_run(FEED, "sync", START)
    die_while_sending(ledger, dead, "known", "disabled", "new", job=job)
    next_run = ledger.start_run(FEED, "sync", START)

    before = told(ledger.known(FEED), "id")
    with ledger.lock(FEED, next_run):
        known = ledger.known(FEED)

    assert before == [("disabled",), ("known",), ("untouched",)]
    assert told(known, "id", "fingerprint", "state") == [
        ("disabled", UNCONFIRMED, "enabled"),
        ("known", UNCONFIRMED, "enabled"),
        ("new", UNCONFIRMED, "enabled"),
        ("untouched", digest("v1"), "enabled"),
    ]
    assert told(known, "kind", "group", "dataset", "category")[2] == (
        "component",
        "new",
        "servers",
        "Server",
    )
    assert ledger.imports(FEED, unsettled=True) == []
    assert ledger.imports(FEED)[-1].status == "unconfirmed"


def test_what_a_dead_run_recorded_after_all_is_confirmed(ledger: Ledger, run: str) -> None:
    die_while_sending(ledger, run, "a", "b")
    record(ledger, run, "a")  # its load was tried again, and got as far as this

    with ledger.lock(FEED, ledger.start_run(FEED, "sync", START)):
        known = ledger.known(FEED)

    assert told(known, "id", "fingerprint") == [("a", digest("v1")), ("b", UNCONFIRMED)]


def test_two_imports_of_one_entity_by_dead_runs_are_taken_up_together(
    ledger: Ledger, run: str
) -> None:
    die_while_sending(ledger, run, "a", "b")
    second = ledger.start_run(FEED, "sync", START)
    number = ledger.import_begins(FEED, second, **columns("b", "c"))
    ledger.import_sent(number, "job-2")

    with ledger.lock(FEED, ledger.start_run(FEED, "sync", START)):
        assert told(ledger.known(FEED), "id") == [("a",), ("b",), ("c",)]


# --- one run at a time


def test_one_run_holds_a_feed_and_the_others_learn_who_and_since_when(
    ledger: Ledger, ledger_url: str, run: str, clock: Clock
) -> None:
    second = ledger.start_run(FEED, "sync", START)
    with ledger.lock(FEED, run), Ledger.open(ledger_url, clock=clock) as elsewhere:
        clock.now += timedelta(seconds=30)
        with pytest.raises(Locked) as caught, elsewhere.lock(FEED, second):
            pass
        with elsewhere.lock(OTHER, second):
            pass

    with ledger.lock(FEED, second):
        pass
    assert str(caught.value).startswith(f"run {run} (process ")
    assert str(caught.value).endswith(
        "has held this feed since 2026-11-24 03:15:00 UTC, last sign of life 30 s ago"
    )
    assert caught.value.__notes__ == [
        "where: acme/servers -> prod",
        "mend: wait until it ends, or stop it; a dead holder loses the lock after 90 s at most",
    ]


def test_a_lock_is_let_go_whatever_happens_under_it(ledger: Ledger, run: str) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lock(FEED, run):
        raise ZeroDivisionError

    with ledger.lock(FEED, ledger.start_run(FEED, "sync", START)):
        pass


def test_a_holder_on_another_machine_keeps_the_lock_as_long_as_its_heart_beats(
    ledger: Ledger, ledger_url: str, run: str, clock: Clock
) -> None:
    second = ledger.start_run(FEED, "sync", START)
    with contextlib.ExitStack() as stack:
        stack.enter_context(ledger.lock(FEED, run))
        execute(ledger_url, "UPDATE locks SET machine = 'elsewhere 0 pid:[1]'")
        clock.now += SILENCE - timedelta(seconds=1)
        with pytest.raises(Locked, match=r"on elsewhere\) has held"), ledger.lock(FEED, second):
            pass
        clock.now += timedelta(seconds=1)

        with ledger.lock(FEED, second):
            with pytest.raises(Locked, match=f"run {run} was taken for dead and run {second} took"):
                record(ledger, run, "a")
            with pytest.raises(Locked):
                ledger.set_state(FEED, run, ["a"], "disabled")
            with pytest.raises(Locked):
                ledger.import_begins(FEED, run, **columns("a"))
            record(ledger, second, "b")

    assert told(ledger.known(FEED), "id") == [("b",)]
    dead = next(each for each in ledger.runs() if each.id == run)
    assert dead.outcome == "interrupted"
    assert dead.message.endswith(f"on elsewhere ended without a word; run {second} took its place")


def test_a_holder_whose_heart_is_silent_loses_the_lock_even_where_its_process_lives(
    ledger: Ledger, run: str, clock: Clock
) -> None:
    second = ledger.start_run(FEED, "sync", START)
    with ledger.lock(FEED, run):
        clock.now += SILENCE
        with ledger.lock(FEED, second):
            record(ledger, second, "a")

    assert told(ledger.known(FEED), "id") == [("a",)]


def test_the_heart_beats_while_the_lock_is_held(
    ledger: Ledger, ledger_url: str, run: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("referential.lock.BEAT", timedelta(milliseconds=20))
    with ledger.lock(FEED, run):
        clock.now += timedelta(hours=1)
        deadline = time.monotonic() + 20
        while heartbeat(ledger_url) != clock.now:
            assert time.monotonic() < deadline
            time.sleep(0.02)


HOLDER = """
import sys, time
from datetime import UTC, datetime
from referential.feed import Feed
from referential.ledger import Ledger

ledger = Ledger.open(sys.argv[1])
feed = Feed("acme/servers", "prod")
run = ledger.start_run(feed, "sync", datetime.now(UTC))
with ledger.lock(feed, run):
    number = ledger.import_begins(
        feed, run, ids=["a"], kinds=["component"], groups=["a"], datasets=["d"], categories=[""],
        infos=[""],
    )
    print(run, flush=True)
    time.sleep(300)
"""


def test_a_killed_process_loses_the_lock_at_once_on_its_own_machine(ledger_url: str) -> None:
    with (
        Ledger.open(ledger_url) as ledger,
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, ledger_url], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as holder,
    ):
        assert holder.stdout is not None
        held_by = holder.stdout.readline().strip()
        run = ledger.start_run(FEED, "sync", datetime.now(UTC))
        with pytest.raises(Locked, match=f"run {held_by} \\(process {holder.pid} on "):
            ledger.lock(FEED, run).__enter__()

        holder.kill()
        holder.wait()

        with ledger.lock(FEED, run):
            assert told(ledger.known(FEED), "id", "fingerprint") == [("a", UNCONFIRMED)]
        outcomes = {each.id: each.outcome for each in ledger.runs()}
        assert outcomes == {held_by: "interrupted", run: "running"}


OPENER = r"""
import sys
from datetime import UTC, datetime
from referential.feed import Feed
from referential.ledger import Ledger

with Ledger.open(sys.argv[1]) as ledger:
    feed = Feed("acme/servers", "prod")
    run = ledger.start_run(feed, "sync", datetime.now(UTC))
    for batch in range(10):
        ids = [f"{sys.argv[2]}-{batch}-{n}" for n in range(50)]
        ledger.record(
            feed, run, ids=ids, kinds=["component"] * 50, groups=ids,
            datasets=[f"d{n}" for n in range(50)], categories=[sys.argv[2]] * 50,
            infos=[f"env\nkey{n}" for n in range(50)], fingerprints=[bytes(16)] * 50,
        )
"""


def test_processes_make_one_ledger_together_and_write_it_side_by_side(ledger_url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPENER, ledger_url, name], cwd=ROOT)
        for name in ("one", "two", "three")
    ]

    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    with Ledger.open(ledger_url) as ledger:
        assert len(ledger.known(FEED)) == 1_500
        assert len(ledger.runs()) == 3


# --- versions, addresses, outages


def test_an_older_ledger_is_brought_forward_step_by_step(ledger: Ledger, ledger_url: str) -> None:
    def add_first(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE first (number INTEGER)"))

    def add_second(connection: sa.Connection) -> None:
        connection.execute(sa.text("INSERT INTO first VALUES (42)"))

    record(ledger, ledger.start_run(FEED, "sync", START), "a")
    with contextlib.closing(Database(ledger_url)) as database:
        for steps in ((add_first,), (add_first, add_second), (add_first, add_second)):
            upgrades = (*UPGRADES, *steps)
            with database.writing() as connection:
                migrate(connection, upgrades)
                assert is_current(connection, upgrades)
        with database.reading() as connection:
            assert connection.scalars(sa.text("SELECT number FROM first")).all() == [42]
    assert told(ledger.known(FEED), "id") == [("a",)]


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(ledger: Ledger, ledger_url: str) -> None:
    def half(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE half (number INTEGER)"))
        raise ZeroDivisionError

    with contextlib.closing(Database(ledger_url)) as database:
        with pytest.raises(ZeroDivisionError), database.writing() as connection:
            migrate(connection, (*UPGRADES, half))
        with database.reading() as connection:
            assert is_current(connection)
            assert not sa.inspect(connection).has_table("half")
    assert ledger.runs() == []


def test_a_ledger_of_a_later_refsync_is_refused(ledger: Ledger, ledger_url: str) -> None:
    assert ledger.runs() == []
    execute(ledger_url, "UPDATE ledger_version SET version = 99")

    with pytest.raises(Refused, match=r"has version 99 and this refsync knows versions up to \d"):
        Ledger.open(ledger_url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://root:s3cret@db/ledger", "ledger: mysql"),
        ("s3cret", "ledger: unknown"),
        ("sqlite://", "ledger: sqlite"),
        ("sqlite:///:memory:", "ledger: sqlite"),
    ],
)
def test_another_kind_of_address_is_refused_without_showing_it(url: str, shown: str) -> None:
    with pytest.raises(Refused) as caught:
        Ledger.open(url)

    assert caught.value.__notes__ == [
        f"where: {shown}",
        "mend: set `ledger` in refsync.yaml to sqlite:///PATH or postgresql://HOST/DATABASE",
    ]


def test_a_database_that_does_not_answer_is_an_outage_and_no_secret_is_told() -> None:
    url = "postgresql://refsync:s3cret@127.0.0.1:1/ledger?passfile=s3cret&connect_timeout=2"

    with pytest.raises(Unreachable) as caught:
        Ledger.open(url)

    story = whole_story(caught.value)
    assert story.startswith("the ledger does not answer: ")
    assert "where: postgresql://127.0.0.1:1/ledger" in story
    assert "s3cret" not in story


def test_a_ledger_prints_without_its_secrets() -> None:
    url = "postgresql://refsync:s3cret@db:5433/ledger?password=s3cret&host=/run/pg"

    assert repr(Ledger(Database(url), Clock())) == (
        "Ledger(postgresql://db:5433/ledger?host=%2Frun%2Fpg)"
    )


def test_a_file_that_is_no_ledger_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("id;name\n" * 1_000, encoding="utf-8")

    with pytest.raises(Unreadable, match="this file is not a ledger") as caught:
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")

    assert caught.value.__notes__[0] == f"where: sqlite:///{tmp_path / 'ledger.db'}"


# --- costs, on SQLite, beside the driver alone


def cpu(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def test_100_000_rows_cost_at_most_thrice_what_the_driver_alone_costs(tmp_path: Path) -> None:
    names = [f"srv{number:06d}.example.net" for number in range(100_000)]
    fingerprints = [digest(name) for name in names]
    plain = sqlite3.connect(tmp_path / "plain.db")
    plain.execute("CREATE TABLE plain (id TEXT PRIMARY KEY, fingerprint BLOB, offset INTEGER)")
    rows = list(zip(names, fingerprints, range(100_000), strict=True))
    gc.collect()

    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        run = ledger.start_run(FEED, "sync", START)
        whole = columns(*names) | {"fingerprints": fingerprints}
        insert = "INSERT INTO plain VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        bare_writing = cpu(lambda: plain.executemany(insert, rows))
        writing = cpu(lambda: ledger.record(FEED, run, **whole))
        bare_reading = cpu(lambda: plain.execute("SELECT * FROM plain").fetchall())
        reading = cpu(lambda: ledger.known(FEED))
    plain.close()

    assert writing <= 3 * bare_writing
    assert reading <= 3 * bare_reading


def whole_story(error: ReferentialError) -> str:
    return "\n".join([str(error), *error.__notes__])


def execute(url: str, statement: str) -> None:
    with contextlib.closing(Database(url)) as database, database.writing() as connection:
        connection.execute(sa.text(statement))


def heartbeat(url: str) -> datetime | None:
    with contextlib.closing(Database(url)) as database, database.reading() as connection:
        found = connection.scalar(sa.text("SELECT heartbeat FROM locks"))
    moment = datetime.fromisoformat(found) if isinstance(found, str) else found
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
