"""Windows of modification dates: which of them a backfill has done, so that it can be resumed.

A window is known by the cut it is of (where the first one begins, how long each is) and by its own
bounds: a later end adds windows to those that are done, another beginning or length is another cut.
A window is recorded as done in the transaction that ends its run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from referential.feed import Feed
from referential.owned import find_feed
from referential.schema import runs, windows


@dataclass(frozen=True, slots=True)
class Window:
    """Modification dates from `low` up to `high` (not included), both aware; of the cut that
    begins at `since` in steps of `span`, whole seconds.
    """

    since: datetime
    span: timedelta
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The run that did a window, and when it ended."""

    run: str
    ended: datetime


def find_done(connection: sa.Connection, feed: Feed, asked: Iterable[Window]) -> dict[Window, Done]:
    """Those of *asked* that are done."""
    number = find_feed(connection, feed)
    query = sa.select(windows).where(windows.c.feed == number)
    known = {
        Window(row.since, timedelta(seconds=row.span), row.low, row.high): Done(row.run, row.ended)
        for row in connection.execute(query)
    }
    return {each: known[each] for each in asked if each in known}


def forget(connection: sa.Connection, feed: Feed, asked: Iterable[Window]) -> None:
    """None of *asked* is done any more."""
    number = find_feed(connection, feed)
    for each in asked:
        connection.execute(sa.delete(windows).where(*_is(number, each)))


def record(connection: sa.Connection, run: str, window: Window, ended: datetime) -> None:
    """The run has done the window of its feed; done again, it is the later run that counts."""
    number = connection.scalar(sa.select(runs.c.feed).where(runs.c.id == run))
    connection.execute(sa.delete(windows).where(*_is(number, window)))
    connection.execute(
        sa.insert(windows).values(
            feed=number,
            since=window.since,
            span=_seconds(window),
            low=window.low,
            high=window.high,
            run=run,
            ended=ended,
        )
    )


def interrupt_left(connection: sa.Connection, feed: int, run: str, now: datetime) -> None:
    """Close the backfill runs of *feed* that nobody can be at work on; *run* holds the feed.

    Windows are read ahead of the one that holds the lock, and only while the feed is held: what
    still says that it runs died with its backfill.
    """
    connection.execute(
        sa.update(runs)
        .where(
            runs.c.feed == feed,
            runs.c.id != run,
            runs.c.mode == "backfill",
            runs.c.outcome == "running",
            runs.c.started < sa.select(runs.c.started).where(runs.c.id == run).scalar_subquery(),
        )
        .values(
            outcome="interrupted",
            ended=now,
            message=f"its process ended without a word; run {run} found it",
        )
    )


def _is(number: int | None, window: Window) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        windows.c.feed == number,
        windows.c.since == window.since,
        windows.c.span == _seconds(window),
        windows.c.low == window.low,
        windows.c.high == window.high,
    )


def _seconds(window: Window) -> int:
    return int(window.span.total_seconds())
