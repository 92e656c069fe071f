"""Runs that are forgotten: beyond a number of each feed, or older than a number of days.

Never forgotten: a run that is under way or whose imports nobody has settled, and of each feed the
last run that was carried out to its end, however old it is. The windows of a backfill, which may
be hundreds, are counted apart: they push no run of the night out.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from referential.feed import Feed
from referential.history import SOUND
from referential.schema import feeds, imports, locks, queue, reject_totals, rejects, runs

MOST = 500  # runs forgotten at one time: the end of a run is no moment for long work


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A run that the ledger knows no more."""

    run: str
    feed: Feed


def forget_runs(
    connection: sa.Connection, *, keep: int, before: datetime, most: int = MOST
) -> list[Forgotten]:
    """Forget all but the last *keep* runs of each feed, and those that started *before*.

    The oldest go first, *most* of them; returns them.
    """
    gone = _forgettable(connection, keep, before, most)
    ids = [each.run for each in gone]
    for table, column in (
        (rejects, rejects.c.run),
        (reject_totals, reject_totals.c.run),
        (imports, imports.c.run),
        (runs, runs.c.id),
    ):
        if ids:
            connection.execute(sa.delete(table).where(column.in_(ids)))
    return gone


def _forgettable(
    connection: sa.Connection, keep: int, before: datetime, most: int
) -> list[Forgotten]:
    newest = (runs.c.started.desc(), runs.c.id.desc())
    window = sa.case((runs.c.mode == "backfill", 1), else_=0)
    carried_out = runs.c.outcome.in_(SOUND) & runs.c.mode.not_in(("plan", "backfill"))
    succeeded = sa.case((carried_out, 0), else_=1)
    ranked = sa.select(
        runs.c.id,
        runs.c.feed,
        runs.c.started,
        runs.c.outcome,
        succeeded.label("failed"),
        sa.func.row_number()
        .over(partition_by=(runs.c.feed, window), order_by=newest)
        .label("rank"),
        sa.func.row_number()
        .over(partition_by=(runs.c.feed, succeeded), order_by=newest)
        .label("of_its_kind"),
    ).subquery()
    last_success = (ranked.c.failed == 0) & (ranked.c.of_its_kind == 1)
    query = (
        sa.select(ranked.c.id, feeds.c.job, feeds.c.target)
        .join(feeds, feeds.c.id == ranked.c.feed)
        .where(
            (ranked.c.rank > keep) | (ranked.c.started < before),
            ranked.c.outcome != "running",
            ~last_success,
            ranked.c.id.not_in(sa.select(imports.c.run).where(imports.c.rows.is_not(None))),
            ranked.c.id.not_in(sa.select(locks.c.run)),
            ranked.c.id.not_in(sa.select(queue.c.run)),
        )
        .order_by(ranked.c.started, ranked.c.id)
        .limit(most)
    )
    return [Forgotten(run, Feed(job, target)) for run, job, target in connection.execute(query)]
