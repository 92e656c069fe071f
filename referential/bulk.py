"""Many entity rows in and out of the ledger, by the drivers' own paths.

Measured (`specs/prefect.md` §7, 100,000 rows): executemany on SQLite 0.6 s against 1.2 s through
SQLAlchemy's insert; binary COPY, then one merge, on PostgreSQL 0.6 s against 2.3 s; driver tuples
read in 0.1 s against 0.8 s as SQLAlchemy rows. All of it runs inside the caller's transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Protocol

import sqlalchemy as sa

# Columns of equal length: ids, groups, labels, fingerprints. A group that is its row's id is stored
# as null.
Columns = tuple[Sequence[str], Sequence[str], Sequence[int], Sequence[bytes]]

_FETCHED = 10_000
_READ = 'SELECT id, "group", label, fingerprint, state, missed FROM entities WHERE feed = '
_RECORDED = "SELECT id, label, fingerprint FROM entities WHERE "
_INTO = 'INSERT INTO entities (feed, state, run, id, "group", label, fingerprint)'
_VALUES = "VALUES (?1, ?2, ?3, ?4, nullif(?5, ?4), ?6, ?7)"
_COMING = 'SELECT %s, %s, %s, id, nullif("group", id), label, fingerprint FROM coming'
_MERGE = """ON CONFLICT (feed, id) DO UPDATE SET ("group", label, fingerprint, state, run) =
    (excluded."group", excluded.label, excluded.fingerprint, excluded.state, excluded.run)"""
_FOUND = ", missed = 0"


class Bulk(Protocol):
    """What a database offers; `state` is an index of `schema.STATES`."""

    def fetch(self, connection: sa.Connection, feed: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a feed, thousands at a time: id, group, label, fingerprint, state,
        missed.
        """
        ...

    def recorded(
        self, connection: sa.Connection, feed: int, run: str, state: int
    ) -> Iterator[list[tuple[str, int, bytes]]]:
        """The rows that are in *state* since a run recorded them: id, label, fingerprint."""
        ...

    def upsert(
        self,
        connection: sa.Connection,
        feed: int,
        run: str,
        state: int,
        columns: Columns,
        *,
        found: bool,
    ) -> None:
        """Insert rows or replace them; ids are unique, what is *found* is missing no more."""
        ...

    def set_state(
        self, connection: sa.Connection, feed: int, run: str, state: int, ids: Sequence[str]
    ) -> None:
        """Change the state of rows; ids that are not there are passed over."""
        ...

    def delete(self, connection: sa.Connection, feed: int, ids: Sequence[str]) -> None:
        """Remove rows; ids that are not there are passed over."""
        ...


class SqliteBulk:
    """executemany: SQLite has no round trip to save."""

    def fetch(self, connection: sa.Connection, feed: int) -> Iterator[list[tuple[Any, ...]]]:
        return self._rows(connection, f"{_READ} ?", feed)

    def recorded(
        self, connection: sa.Connection, feed: int, run: str, state: int
    ) -> Iterator[list[tuple[str, int, bytes]]]:
        statement = f"{_RECORDED} feed = ? AND run = ? AND state = ?"
        return self._rows(connection, statement, feed, run, state)

    def _rows(
        self, connection: sa.Connection, statement: str, *values: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        cursor = connection.connection.cursor()
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_FETCHED):
            yield list(rows)

    def upsert(
        self,
        connection: sa.Connection,
        feed: int,
        run: str,
        state: int,
        columns: Columns,
        *,
        found: bool,
    ) -> None:
        ids, groups, labels, fingerprints = columns
        same = (repeat(value, len(ids)) for value in (feed, state, run))
        # The driver looks for an adapter of each None and each bytes, at every row, and binds a
        # bytearray at once: a quarter of the time.
        values = zip(*same, ids, groups, labels, map(bytearray, fingerprints), strict=True)
        self._many(connection, f"{_INTO} {_VALUES} {_merge(found)}", values)

    def set_state(
        self, connection: sa.Connection, feed: int, run: str, state: int, ids: Sequence[str]
    ) -> None:
        values = zip(repeat(state), repeat(run), repeat(feed), ids)
        self._many(
            connection, "UPDATE entities SET state = ?, run = ? WHERE feed = ? AND id = ?", values
        )

    def delete(self, connection: sa.Connection, feed: int, ids: Sequence[str]) -> None:
        values = zip(repeat(feed), ids)
        self._many(connection, "DELETE FROM entities WHERE feed = ? AND id = ?", values)

    def _many(self, connection: sa.Connection, statement: str, values: Iterable[Any]) -> None:
        driver: Any = connection.connection.driver_connection
        driver.executemany(statement, values)


class PostgresBulk:
    """COPY into a temporary table, then one merge; arrays of ids; rows by a server-side cursor."""

    def fetch(self, connection: sa.Connection, feed: int) -> Iterator[list[tuple[Any, ...]]]:
        return self._rows(connection, f"{_READ} %s", feed)

    def recorded(
        self, connection: sa.Connection, feed: int, run: str, state: int
    ) -> Iterator[list[tuple[str, int, bytes]]]:
        statement = f"{_RECORDED} feed = %s AND run = %s AND state = %s"
        return self._rows(connection, statement, feed, run, state)

    def _rows(
        self, connection: sa.Connection, statement: str, *values: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        # a cursor of the server: a plain one would hold a million rows twice
        with self._driver(connection).cursor("rows", withhold=False) as cursor:
            cursor.execute(statement, values, binary=True)
            while rows := cursor.fetchmany(_FETCHED):
                yield rows

    def upsert(
        self,
        connection: sa.Connection,
        feed: int,
        run: str,
        state: int,
        columns: Columns,
        *,
        found: bool,
    ) -> None:
        with self._driver(connection).cursor() as cursor:
            cursor.execute(
                'CREATE TEMP TABLE IF NOT EXISTS coming (id text, "group" text, label integer,'
                " fingerprint bytea) ON COMMIT DELETE ROWS"
            )
            with cursor.copy("COPY coming FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["text", "text", "int4", "bytea"])
                for row in zip(*columns, strict=True):
                    copy.write_row(row)
            cursor.execute(
                f"{_INTO} {_COMING} {_merge(found)}",
                (feed, state, run),
            )
            cursor.execute("TRUNCATE coming")

    def set_state(
        self, connection: sa.Connection, feed: int, run: str, state: int, ids: Sequence[str]
    ) -> None:
        with self._driver(connection).cursor() as cursor:
            cursor.execute(
                "UPDATE entities SET state = %s, run = %s WHERE feed = %s AND id = ANY(%s)",
                (state, run, feed, list(ids)),
            )

    def delete(self, connection: sa.Connection, feed: int, ids: Sequence[str]) -> None:
        with self._driver(connection).cursor() as cursor:
            cursor.execute(
                "DELETE FROM entities WHERE feed = %s AND id = ANY(%s)", (feed, list(ids))
            )

    def _driver(self, connection: sa.Connection) -> Any:
        return connection.connection.driver_connection


def _merge(found: bool) -> str:  # noqa: FBT001 - it has one meaning
    return _MERGE + _FOUND if found else _MERGE


BULKS: dict[str, Bulk] = {"sqlite": SqliteBulk(), "postgresql": PostgresBulk()}
