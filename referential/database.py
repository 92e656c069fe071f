"""The database under the ledger: SQLite in a file, or PostgreSQL.

Reading and writing are told apart, because SQLite must know beforehand: a transaction that reads
first and writes later fails at once when another one wrote in between, whatever the busy timeout.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from referential.errors import Refused, Unreachable, Unreadable

BUSY = 30.0  # seconds that one writer waits for another
_WRITING = "refsync_writing"
_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_SHOWN = frozenset({"host", "port"})  # what else stands in the query of a URL may be a secret


class Database:
    """One database. Raises Refused for a URL it cannot serve, Unreachable when nothing answers."""

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.where = shown(parsed)
        self._engine = _engine(parsed)
        if self.dialect == "sqlite":
            Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that writes nothing."""
        with self._outages(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A transaction that writes nothing and sees one moment, however long it lasts."""
        level = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with self._outages(), self._engine.connect() as connection:
            yield connection.execution_options(**level)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all that is done within stands, or nothing."""
        with self._outages(), self._engine.connect() as connection:
            writer = connection.execution_options(**{_WRITING: True})
            with writer.begin():
                yield writer

    @contextlib.contextmanager
    def _outages(self) -> Iterator[None]:
        dbapi = self._engine.dialect.loaded_dbapi
        outages = (sa.exc.OperationalError, sa.exc.InterfaceError, dbapi.OperationalError)
        try:
            yield
        except outages as error:
            _forget_login(error)
            words = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise Unreachable(
                f"the ledger does not answer: {words[0] if words else type(error).__name__}",
                where=self.where,
                mend="see that the database runs, that its folder or account may be written,"
                " and that its disk is not full",
            ) from error
        except (sa.exc.DatabaseError, dbapi.DatabaseError) as error:
            if "not a database" not in str(error):
                raise
            raise Unreadable(
                "this file is not a ledger",
                where=self.where,
                mend="set `ledger` in refsync.yaml to another file, or restore it",
            ) from error


def _forget_login(error: BaseException | None) -> None:
    """Psycopg's error keeps what it connected with, the password too, and `repr` shows it."""
    while error is not None:
        for each in (error, getattr(error, "orig", None)):
            if getattr(each, "_pgconn", None) is not None:
                vars(each)["_pgconn"] = None
        error = error.__cause__ or error.__context__


def shown(url: sa.URL) -> str:
    """A URL that can be printed: no user, no password, no secret in its query."""
    query = {name: value for name, value in url.query.items() if name in _SHOWN}
    return sa.URL.create(
        url.get_backend_name(), host=url.host, port=url.port, database=url.database, query=query
    ).render_as_string()


def as_json(value: Any) -> str:
    """JSON of foreign values; what JSON does not know is told in words rather than refused."""
    try:
        return orjson.dumps(value, default=str, option=_JSON).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, default=str)


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = sa.URL.create("unknown")
    if parsed.drivername == "postgresql":  # what it stands for depends on SQLAlchemy's version
        parsed = parsed.set(drivername="postgresql+psycopg")
    in_file = parsed.database not in (None, "", ":memory:")
    if parsed.drivername == "postgresql+psycopg" or (parsed.drivername == "sqlite" and in_file):
        return parsed
    raise Refused(
        "the ledger is kept in a file of SQLite or in PostgreSQL",
        where=f"ledger: {parsed.drivername}",
        mend="set `ledger` in refsync.yaml to sqlite:///PATH or postgresql://HOST/DATABASE",
    )


def _engine(url: sa.URL) -> sa.Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        return sa.create_engine(
            url,
            json_serializer=as_json,
            hide_parameters=True,
            pool_pre_ping=not sqlite,
            connect_args={"timeout": BUSY} if sqlite else {},
        )
    except ModuleNotFoundError as error:
        raise Refused(
            "the driver of PostgreSQL is not installed",
            where=shown(url),
            mend="install refsync with its extra: refsync[postgres]",
        ) from error


def _set_up_sqlite(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    del entry
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see below
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # KiB. Ids come in any order: the whole table of 100,000 of them stays within reach of a load.
    connection.execute("PRAGMA cache_size = -8000")


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
