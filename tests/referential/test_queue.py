"""Runs that load into one Canopsis take turns: the same contract on SQLite and PostgreSQL."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from referential.feed import Feed
from referential.ledger import Ledger
from referential.lock import SILENCE
from referential.queue import Ticket, in_turn, tickets
from referential.schema import queue
from tests.referential.clock import START, Clock

ROOT = Path(__file__).parents[2]
PROD = "acme-canopsis"


def job(name: str, target: str = PROD) -> Feed:
    return Feed(f"acme/{name}", target)


def nobody(ahead: list[Ticket]) -> None:
    raise AssertionError(f"waits for {ahead}")


def waiting(ledger: Ledger, target: str = PROD) -> list[str]:
    """The jobs in the queue, who loads first."""
    with ledger.database.reading() as connection:
        return [each.job.removeprefix("acme/") for each in tickets(connection, target)]


def until(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_is_alone_loads_at_once_and_leaves_nothing(ledger: Ledger) -> None:
    with in_turn(ledger, job("servers"), "run-1", nobody):
        assert waiting(ledger) == ["servers"]

    assert waiting(ledger) == []


def test_another_canopsis_is_another_queue(ledger: Ledger) -> None:
    with (
        in_turn(ledger, job("servers"), "run-1", nobody),
        in_turn(ledger, job("servers", "other"), "run-2", nobody),
    ):
        assert waiting(ledger, "other") == ["servers"]


def test_the_place_is_left_whatever_ends_the_load(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), in_turn(ledger, job("servers"), "run-1", nobody):
        raise ZeroDivisionError

    assert waiting(ledger) == []


def test_runs_load_one_by_one_in_the_order_they_came_and_say_what_they_wait_for(
    ledger_url: str,
) -> None:
    order: list[str] = []
    loading: list[str] = []
    told: dict[str, list[str]] = {}

    def load(name: str) -> None:
        with (
            Ledger.open(ledger_url) as mine,
            in_turn(
                mine,
                job(name),
                f"run-{name}",
                lambda ahead: told.setdefault(name, []).append(
                    f"{len(ahead)}: {ahead[0].run} of {ahead[0].job}"
                ),
            ),
        ):
            loading.append(name)
            order.append(name)
            assert loading == [name]
            time.sleep(0.02)
            loading.remove(name)

    names = ["a", "b", "c", "d"]
    threads = [threading.Thread(target=load, args=(name,)) for name in names]
    with Ledger.open(ledger_url) as ledger, in_turn(ledger, job("first"), "run-first", nobody):
        for position, thread in enumerate(threads, 2):
            thread.start()
            until(lambda n=position: len(waiting(ledger)) == n)
        until(lambda: len(told) == len(names))
    for thread in threads:
        thread.join(60)

    assert order == names
    assert [told[name][0] for name in names] == [
        f"{ahead}: run-first of acme/first" for ahead in (1, 2, 3, 4)
    ]


PROCESS = """
import sys, time
from referential.feed import Feed
from referential.ledger import Ledger
from referential.queue import in_turn

with Ledger.open(sys.argv[1]) as ledger:
    with in_turn(ledger, Feed(sys.argv[2], "acme-canopsis"), sys.argv[2], lambda ahead: None):
        print("loads", flush=True)
        time.sleep(float(sys.argv[3]))
"""


@contextlib.contextmanager
def process(url: str, name: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROCESS, url, f"acme/{name}", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        try:
            yield running
        finally:
            running.kill()


def test_killed_processes_loading_or_waiting_hold_nobody_up(ledger_url: str) -> None:
    with (
        Ledger.open(ledger_url) as ledger,
        process(ledger_url, "holder", 300) as holder,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "loads\n"
        with process(ledger_url, "waiter", 300) as waiter:
            until(lambda: waiting(ledger) == ["holder", "waiter"])
            waiter.kill()
            waiter.wait()
            holder.kill()
            holder.wait()

            with in_turn(ledger, job("next"), "run-next", nobody):
                assert waiting(ledger) == ["next"]


def test_a_ticket_of_another_machine_counts_until_its_heart_was_silent_for_too_long(
    ledger: Ledger, clock: Clock
) -> None:
    told: list[list[Ticket]] = []

    def silent(ahead: list[Ticket]) -> None:
        told.append(ahead)
        clock.now += SILENCE

    with contextlib.ExitStack() as stack:
        stack.enter_context(in_turn(ledger, job("far"), "run-far", nobody))
        with ledger.database.writing() as connection:
            connection.execute(sa.update(queue).values(machine="elsewhere 0 pid:[1]"))
        clock.now += SILENCE - timedelta(seconds=1)
        with in_turn(ledger, job("near"), "run-near", silent):
            assert waiting(ledger) == ["near"]

    assert [str(ahead[0]).split(" (")[0] for ahead in told] == ["run run-far of acme/far"]
    assert str(told[0][0]).endswith("on elsewhere) has loaded since 2026-11-24 03:15:00 UTC")


def test_waiting_for_a_turn_keeps_the_lock_of_the_feed_and_both_are_let_go(ledger: Ledger) -> None:
    first, second = job("servers"), job("disks")
    runs = [ledger.start_run(feed, "sync", START) for feed in (first, second)]
    loads = threading.Event()

    def other() -> None:
        with (
            ledger.lock(second, runs[1]),
            in_turn(ledger, second, runs[1], lambda _ahead: loads.set()),
        ):
            pass

    thread = threading.Thread(target=other)
    with ledger.lock(first, runs[0]), in_turn(ledger, first, runs[0], nobody):
        thread.start()
        assert loads.wait(30)
    thread.join(30)

    assert not thread.is_alive()
    assert waiting(ledger) == []
