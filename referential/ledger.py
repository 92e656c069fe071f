"""The ledger: what each feed owns in Canopsis, with its fingerprint, and every run.

A change is recorded only when Canopsis has confirmed it. See `referential.journal` for what happens
when a run dies in between, `referential.lock` for who may run, `referential.schema` for the tables.
Every method is one transaction and raises Unreachable when the database does not answer.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

import pandas as pd
import sqlalchemy as sa

from referential import history, journal, lock, owned, windows
from referential.database import Database
from referential.feed import Feed
from referential.held import Held, held
from referential.history import Outcome, Reject, Run
from referential.holding import Holding
from referential.journal import Import
from referential.owned import Ours, State
from referential.schema import is_current, migrate
from referential.windows import Done, Window

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """One ledger. Use it as a context manager, or close it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, url: str, *, clock: Clock = utc_now) -> Self:
        """The ledger at `sqlite:///PATH` or `postgresql://…`, made or brought forward if need be.

        Raises Refused for another kind of URL and for a ledger of a later refsync.
        """
        database = Database(url)
        try:
            with database.reading() as connection:
                current = is_current(connection)
            if not current:
                with database.writing() as connection:
                    migrate(connection)
        except BaseException:
            database.close()
            raise
        return cls(database, clock)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({self._database.where})"

    @property
    def database(self) -> Database:
        """What the queue, retention and copies of the ledger work on."""
        return self._database

    def now(self) -> datetime:
        return self._clock()

    # --- what a feed owns

    def known(self, feed: Feed) -> pd.DataFrame:
        """What the feed owns: the columns of `owned.KNOWN`, ids unique, in no order."""
        with self._database.reading() as connection:
            return owned.read_known(connection, feed)

    def held(self, feed: Feed, identity: str) -> Held | None:
        """What the feed owns under one id, with the run that recorded it last."""
        with self._database.reading() as connection:
            return held(connection, feed, identity)

    def owned_elsewhere(self, feed: Feed, ids: Sequence[str]) -> dict[str, Ours]:
        """What the other feeds of the same Canopsis gave the entities *ids*."""
        with self._database.reading() as connection:
            return owned.owned_elsewhere(connection, feed, ids)

    def fed_elsewhere(self, feed: Feed, ids: Sequence[str]) -> set[str]:
        """Those of *ids* that another feed of the same Canopsis keeps alive."""
        with self._database.reading() as connection:
            return owned.fed_elsewhere(connection, feed, ids)

    def confirmed(self, feed: Feed, ids: Sequence[str]) -> set[str]:
        """Those of *ids* that the feed owns as enabled and confirmed."""
        with self._database.reading() as connection:
            return owned.confirmed(connection, feed, ids)

    def record(
        self,
        feed: Feed,
        run: str,
        *,
        ids: Sequence[str],
        kinds: Sequence[str],
        groups: Sequence[str],
        datasets: Sequence[str],
        categories: Sequence[str],
        infos: Sequence[str],
        fingerprints: Sequence[bytes],
        state: State = "enabled",
        settles: int | None = None,
    ) -> None:
        """What Canopsis has confirmed is owned from now on; `settles` is the import that did it.

        Columns of equal length; ids are unique among them. Raises Locked when another run has
        taken the feed over, and so do `set_state` and `import_begins`.
        """
        with self._changing(feed, run, settles) as (connection, number):
            owned.upsert(
                connection,
                number,
                run,
                state,
                {
                    "id": ids,
                    "kind": kinds,
                    "group": groups,
                    "dataset": datasets,
                    "category": categories,
                    "infos": infos,
                    "fingerprint": fingerprints,
                },
            )

    def recorded(self, feed: Feed, run: str, columns: Mapping[str, Sequence[Any]]) -> bool:
        """Whether the run recorded all of these as enabled, and none has changed since."""
        with self._database.reading() as connection:
            return owned.recorded(connection, feed, run, columns)

    def set_state(
        self,
        feed: Feed,
        run: str,
        ids: Sequence[str],
        state: State,
        *,
        settles: int | None = None,
    ) -> None:
        """Known entities were enabled or disabled; ids that are not known are passed over."""
        with self._changing(feed, run, settles) as (connection, number):
            owned.set_state(connection, number, run, state, ids)

    def forget(self, feed: Feed, ids: Sequence[str], *, settles: int | None = None) -> None:
        """Entities were deleted: they are owned no more."""
        with self._database.writing() as connection:
            owned.forget(connection, owned.feed_number(connection, feed), ids)
            self._settle(connection, settles)

    # --- imports

    def import_begins(
        self,
        feed: Feed,
        run: str,
        *,
        ids: Sequence[str],
        kinds: Sequence[str],
        groups: Sequence[str],
        datasets: Sequence[str],
        categories: Sequence[str],
        infos: Sequence[str],
    ) -> int:
        """Write down what is about to be sent, enabled, disabled or deleted; returns its number.

        Whatever is neither recorded nor settled by its number when the run dies is unconfirmed for
        the next run. It names all that Canopsis may touch: with a component that is disabled or
        deleted, the resources that go with it, even if they are the matter of a later call.
        """
        columns = {
            "id": ids,
            "kind": kinds,
            "group": groups,
            "dataset": datasets,
            "category": categories,
            "infos": infos,
        }
        with self._changing(feed, run, None) as (connection, number):
            return journal.begin(connection, number, run, self._clock(), columns)

    def import_sent(self, number: int, job: str) -> None:
        """Canopsis took the import and calls it `job`."""
        with self._database.writing() as connection:
            journal.sent(connection, number, job)

    def import_ended(self, number: int, status: Literal["done", "failed"]) -> None:
        """The import is over and there is nothing (more) to record of it."""
        with self._database.writing() as connection:
            journal.settle(connection, number, status, self._clock())

    def imports(self, feed: Feed, *, unsettled: bool = False) -> list[Import]:
        """The feed's imports, oldest first; `unsettled`: those whose outcome nobody knows."""
        with self._database.reading() as connection:
            number = owned.find_feed(connection, feed)
            if number is None:
                return []
            return journal.of_feed(connection, number, unsettled=unsettled)

    # --- runs and their rejects

    def start_run(self, feed: Feed, mode: str, started: datetime) -> str:
        """A new run, `running`; its id sorts by time (`20261124T031500Z-3f9a`)."""
        with self._database.writing() as connection:
            return history.start(connection, owned.feed_number(connection, feed), mode, started)

    def finish_run(
        self,
        run: str,
        outcome: Outcome,
        ended: datetime,
        *,
        counts: Mapping[str, Any] | None = None,
        evidence: Mapping[str, Any] | None = None,
        checksum: str = "",
        message: str = "",
        absent: Sequence[str] = (),
        back: Sequence[str] = (),
        window: Window | None = None,
    ) -> None:
        """The run is over; *absent* entities were missing in it, *back* are those found again.

        Counted once, however often it is said: a run that another one took over counts nothing.
        *window* is one of dates that the run has done.
        """
        with self._database.writing() as connection:
            if (absent or back) and history.is_running(connection, run):
                owned.count_missed(connection, run, absent, back)
            history.finish(
                connection,
                run,
                outcome,
                ended,
                counts=counts or {},
                evidence=evidence or {},
                checksum=checksum,
                message=message,
            )
            if window is not None:
                windows.record(connection, run, window, ended)

    def runs(self, limit: int = 20, job: str | None = None) -> list[Run]:
        """The last runs, newest first."""
        with self._database.reading() as connection:
            return history.latest(connection, limit, job)

    def recent_runs(self, feed: Feed, limit: int, *outcomes: Outcome) -> list[Run]:
        """The last ended runs of a feed that could write, newest first; of *outcomes*, if any."""
        with self._database.reading() as connection:
            return history.recent(connection, feed, limit, outcomes)

    def feeds(self) -> list[Feed]:
        """Every feed that ever ran, by job and target."""
        with self._database.reading() as connection:
            return owned.all_feeds(connection)

    def owned(self, feed: Feed) -> dict[State, int]:
        """How many entities the feed has enabled and disabled."""
        with self._database.reading() as connection:
            return owned.count(connection, feed)

    def add_rejects(self, run: str, rejects: Iterable[Reject]) -> None:
        """Count all rejects; the first `history.SAMPLED` of the run are kept whole."""
        with self._database.writing() as connection:
            history.add_rejects(connection, run, rejects)

    def rejects(self, run: str) -> list[Reject]:
        """The kept rejects of a run in their order; raises Refused when there is no such run."""
        with self._database.reading() as connection:
            return history.sampled(connection, run)

    def reject_totals(self, run: str) -> dict[tuple[str, str], int]:
        """How many rejects a run had, by dataset and rule."""
        with self._database.reading() as connection:
            return history.totals_of(connection, run)

    # --- one run at a time

    @contextlib.contextmanager
    def lock(self, feed: Feed, run: str) -> Iterator[None]:
        """Hold the feed for one run; raises Locked with who holds it and since when."""
        with self.holding(feed) as holding:
            holding.take(run)
            yield

    @contextlib.contextmanager
    def holding(self, feed: Feed) -> Iterator[Holding]:
        """Hold the feed for one run after the other, from the first `take` to the end."""
        holding = Holding(self._database, self._clock, feed)
        try:
            yield holding
        finally:
            holding.let_go()

    # --- windows of dates

    def windows_done(self, feed: Feed, asked: Sequence[Window]) -> dict[Window, Done]:
        """Those of *asked* that a backfill has done."""
        with self._database.reading() as connection:
            return windows.find_done(connection, feed, asked)

    def forget_windows(self, feed: Feed, asked: Sequence[Window]) -> None:
        """Windows are to be done anew."""
        with self._database.writing() as connection:
            windows.forget(connection, feed, asked)

    @contextlib.contextmanager
    def _changing(
        self, feed: Feed, run: str, settles: int | None
    ) -> Iterator[tuple[sa.Connection, int]]:
        with self._database.writing() as connection:
            number = owned.feed_number(connection, feed)
            lock.still_held(connection, number, run, where=str(feed))
            yield connection, number
            self._settle(connection, settles)

    def _settle(self, connection: sa.Connection, settles: int | None) -> None:
        if settles is not None:
            journal.settle(connection, settles, "done", self._clock())
