"""Holding a feed: the lock of one run, which may hand it to the next run of the same process."""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from referential import history, journal, lock, owned, windows
from referential.change import UNCONFIRMED
from referential.database import Database
from referential.errors import Unreachable
from referential.feed import Feed
from referential.schema import entities


class Holding:
    """A feed that this process holds, for one run after the other, until it is let go.

    Nobody else's run comes in between: what was read before stays the latest that was read.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime], feed: Feed) -> None:
        self._database = database
        self._clock = clock
        self._feed = feed
        self._number = 0
        self._run = ""  # of ours, that holds the feed
        self._turning = threading.Lock()  # no beat for a run that is just handing over
        self._heart: lock.Heart | None = None

    def take(self, run: str) -> None:
        """Hold the feed for *run* from now on; raises Locked with who holds it and since when.

        Taking it also takes up what a dead run left: its run becomes `interrupted`, the entities of
        its unsettled imports become unconfirmed. So read `known` once it is held.
        """
        with self._turning, self._database.writing() as connection:
            now = self._clock()
            self._number = owned.feed_number(connection, self._feed)
            if self._run:
                lock.release(connection, self._number, self._run)
            lock.acquire(connection, self._number, run, now, where=str(self._feed))
            if not self._run:
                history.interrupt_silent(connection, self._number, run, now, lock.SILENCE)
                windows.interrupt_left(connection, self._number, run, now)
            self._take_up(connection, run)
            self._run = run
        if self._heart is None or not self._heart.is_alive():
            self._heart = lock.Heart(self._beat)
            self._heart.start()

    def let_go(self) -> None:
        if self._heart is not None:
            self._heart.stop()
        if not self._run:
            return
        # what ended the run says more than this: the lock lapses by itself
        with contextlib.suppress(Unreachable), self._database.writing() as connection:
            lock.release(connection, self._number, self._run)

    def _beat(self) -> bool:
        with self._turning, self._database.writing() as connection:
            return lock.beat(connection, self._number, self._run, self._clock())

    def _take_up(self, connection: sa.Connection, run: str) -> None:
        """Own what earlier runs may have sent, as unconfirmed.

        What such a run recorded after all (its load was tried again) is known well enough.
        """
        for left in journal.unsettled(connection, self._number, but=run):
            columns = left.columns
            recorded = set(
                connection.scalars(
                    sa.select(entities.c.id).where(
                        entities.c.feed == self._number, entities.c.run == left.run
                    )
                )
            )
            open_rows = [row for row, name in enumerate(columns["id"]) if name not in recorded]
            rows = {name: [values[row] for row in open_rows] for name, values in columns.items()}
            rows["fingerprint"] = [UNCONFIRMED] * len(open_rows)
            owned.upsert(connection, self._number, run, "enabled", rows, found=False)
            journal.settle(connection, left.number, "unconfirmed", self._clock())
