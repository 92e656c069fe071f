"""Runs that load into one Canopsis take turns, first come first served.

Canopsis does one import at a time for all its clients, and its own queue is neither fair (who sends
hundreds of imports goes before who sends one) nor tells anyone what it waits for. So a run takes a
ticket in the ledger before its first import, and loads when no ticket is before it. A ticket has a
heartbeat as a lock has one (`referential.lock`): that of a process that died lapses at once on its
own machine, elsewhere after `lock.SILENCE`.

Nobody can wait for each other crosswise: a ticket is taken under the lock of the feed, and who
holds a ticket asks for no lock. Who loses a ticket while it loads goes on: two who load at once are
slow, not wrong, for Canopsis queues what they send.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import sqlalchemy as sa

from referential.errors import Unreachable
from referential.feed import Feed
from referential.ledger import Ledger
from referential.lock import Heart, Process, is_alive, this_process
from referential.schema import queue

_FIRST, _LONGEST = 0.05, 1.0  # seconds between two looks at the queue
_QUEUEING = 0x7265667179  # with the target, names our lock among PostgreSQL's advisory locks


@dataclass(frozen=True, slots=True)
class Ticket:
    """A run's place in the queue of *target*; `begun` is None as long as it waits."""

    number: int
    target: str
    job: str
    run: str
    process: Process
    since: datetime
    begun: datetime | None
    heartbeat: datetime

    def __str__(self) -> str:
        doing = (
            f"has waited since {self.since:%Y-%m-%d %H:%M:%S} UTC"
            if self.begun is None
            else f"has loaded since {self.begun:%Y-%m-%d %H:%M:%S} UTC"
        )
        return f"run {self.run} of {self.job} ({self.process}) {doing}"


Waits = Callable[[list[Ticket]], None]  # told who is before us, whenever that changes


@contextlib.contextmanager
def in_turn(ledger: Ledger, feed: Feed, run: str, waits: Waits) -> Iterator[None]:
    """Wait for our turn with the target of *feed*, and keep it as long as the block lasts.

    Raises Unreachable when the ledger does not answer.
    """
    number = _join(ledger, feed, run)
    heart = Heart(lambda: _beat(ledger, number, run), "place in the queue")
    heart.start()
    try:
        _wait(ledger, feed, run, number, waits)
        yield
    finally:
        heart.stop()
        # what ended the load says more than this: the ticket lapses by itself
        with contextlib.suppress(Unreachable), ledger.database.writing() as connection:
            connection.execute(sa.delete(queue).where(*_mine(number, run)))


def tickets(connection: sa.Connection, target: str | None = None) -> list[Ticket]:
    """The queue in its order, who loads first; of one target or of all."""
    query = sa.select(queue).order_by(queue.c.target, queue.c.begun.is_(None), queue.c.number)
    if target is not None:
        query = query.where(queue.c.target == target)
    return [
        Ticket(
            number=row.number,
            target=row.target,
            job=row.job,
            run=row.run,
            process=Process(row.machine, row.pid, row.born),
            since=row.since,
            begun=row.begun,
            heartbeat=row.heartbeat,
        )
        for row in connection.execute(query)
    ]


def _join(ledger: Ledger, feed: Feed, run: str) -> int:
    me, now = this_process(), ledger.now()
    with ledger.database.writing() as connection:
        _alone(connection, feed.target)
        joined = connection.execute(
            sa.insert(queue)
            .values(
                target=feed.target,
                job=feed.job,
                run=run,
                machine=me.machine,
                pid=me.pid,
                born=me.born,
                since=now,
                heartbeat=now,
            )
            .returning(queue.c.number)
        )
        return int(joined.scalar_one())


def _wait(ledger: Ledger, feed: Feed, run: str, number: int, waits: Waits) -> None:
    before, pause = [-1], _FIRST
    while True:
        ahead = _ahead(ledger, feed.target, number)
        if not ahead and _begins(ledger, feed.target, run, number):
            return
        now = [each.number for each in ahead]
        if ahead and now != before:
            waits(ahead)
            before, pause = now, _FIRST
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)


def _ahead(ledger: Ledger, target: str, number: int) -> list[Ticket]:
    """The living tickets before ours; only reading, for many may wait."""
    with ledger.database.reading() as connection:
        there = tickets(connection, target)
    me, now = this_process(), ledger.now()
    return [
        each
        for each in there
        if (each.begun is not None or each.number < number)
        and each.number != number
        and is_alive(each.process, each.heartbeat, me, now)
    ]


def _begins(ledger: Ledger, target: str, run: str, number: int) -> bool:
    """Take our turn, unless another one was quicker; dead tickets before ours are removed."""
    me, now = this_process(), ledger.now()
    with ledger.database.writing() as connection:
        _alone(connection, target)
        for each in tickets(connection, target):
            if each.number == number or (each.begun is None and each.number > number):
                continue
            if is_alive(each.process, each.heartbeat, me, now):
                return False
            connection.execute(sa.delete(queue).where(queue.c.number == each.number))
        ours = sa.update(queue).where(*_mine(number, run)).values(begun=now, heartbeat=now)
        # a ticket that lapsed while the machine slept: nobody is before us, that is turn enough
        connection.execute(ours)
        return True


def _beat(ledger: Ledger, number: int, run: str) -> bool:
    with ledger.database.writing() as connection:
        ours = sa.update(queue).where(*_mine(number, run)).values(heartbeat=ledger.now())
        return connection.execute(ours).rowcount == 1


def _mine(number: int, run: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return queue.c.number == number, queue.c.run == run


def _alone(connection: sa.Connection, target: str) -> None:
    """Numbers become visible in their order, and one alone begins. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(_QUEUEING ^ (crc32(target.encode()) << 24))
        connection.execute(sa.select(lock))
