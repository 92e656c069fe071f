"""Imports as the ledger knows them: what is about to be sent is written down first.

A run can die between an import that Canopsis has done and the record of it. The entities of such
an import are in an unknown state: created but not owned, changed but not known to be. So an import
begins here, with its rows, before its first byte leaves; it is settled in the same transaction that
records its entities; and what a dead run left unsettled becomes known as *unconfirmed*: owned,
enabled, with a fingerprint that no payload has. The next plan then sends or removes it again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from referential.columns import Columns, decode_block, encode_block
from referential.schema import imports

ROWS = ("id", "kind", "group", "dataset", "category", "infos")


@dataclass(frozen=True, slots=True)
class Import:
    """One import, or one bulk call; `job` is Canopsis' id of it, "" until it is known.

    `status`: `begun` (perhaps sent), `sent`, then `done`, `failed` or, for what a dead run left
    and a later one took up, `unconfirmed`.
    """

    number: int
    run: str
    job: str
    size: int
    status: str
    begun: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What an import concerned; `columns` are those of `ROWS`."""

    number: int
    run: str
    columns: dict[str, list[Any]]


def begin(connection: sa.Connection, feed: int, run: str, now: datetime, columns: Columns) -> int:
    size = len(columns["id"])
    result = connection.execute(
        sa.insert(imports)
        .values(
            feed=feed,
            run=run,
            job="",
            size=size,
            status="begun",
            begun=now,
            rows=encode_block(columns),
        )
        .returning(imports.c.number)
    )
    return int(result.scalar_one())


def sent(connection: sa.Connection, number: int, job: str) -> None:
    connection.execute(
        sa.update(imports).where(imports.c.number == number).values(status="sent", job=job)
    )


def settle(connection: sa.Connection, number: int, status: str, now: datetime) -> None:
    """The import is over and its entities are recorded: its rows are needed no more."""
    connection.execute(
        sa.update(imports)
        .where(imports.c.number == number)
        .values(status=status, ended=now, rows=None)
    )


def of_feed(connection: sa.Connection, feed: int, *, unsettled: bool) -> list[Import]:
    """The imports of a feed in the order they began, all or those never settled."""
    names = ("number", "run", "job", "size", "status", "begun", "ended")
    query = sa.select(*(imports.c[name] for name in names)).where(imports.c.feed == feed)
    if unsettled:
        query = query.where(imports.c.rows.is_not(None))
    return [Import(*row) for row in connection.execute(query.order_by(imports.c.number))]


def unsettled(connection: sa.Connection, feed: int, but: str) -> list[Unsettled]:
    """The imports that other runs than `but` never settled, in the order they began."""
    query = (
        sa.select(imports.c.number, imports.c.run, imports.c.rows)
        .where(imports.c.feed == feed, imports.c.run != but, imports.c.rows.is_not(None))
        .order_by(imports.c.number)
    )
    return [
        Unsettled(number, run, decode_block(rows, ROWS))
        for number, run, rows in connection.execute(query)
    ]
