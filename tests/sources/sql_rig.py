"""Databases of both kinds to fill and to read, and extractions in which something happens."""
# ruff: noqa: S608 - the statements are made of words and numbers of tests

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg

from sources.base import Extraction, Outcome, Page, Probe, Record, Scope, Source
from sources.errors import Refused, SourceError
from sources.sql import SOURCE
from sources.sql_connection import SqlConnection
from sources.sql_dataset import SqlConfig
from tests.sources.contract import assert_says_what_where_and_mend

READER, SECRET = "refsync_reader", "s3cr3t/ +é"

_numbers = count(1)


class Store(Protocol):
    """A database: `url` is that of an account which may read."""

    @property
    def url(self) -> str: ...

    def execute(self, *statements: str) -> None:
        """Run statements, each of which stands at once."""


@dataclass(frozen=True)
class SqliteStore:
    """A file; readers and writers do not wait for one another."""

    path: Path

    @classmethod
    def new(cls, folder: Path) -> "SqliteStore":
        store = cls(folder / f"cmdb{next(_numbers)}.db")
        store.execute("PRAGMA journal_mode = WAL")
        return store

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)


@dataclass(frozen=True)
class PostgresStore:
    """A schema of its own in the database of the session, and an account that reads it."""

    owner: str  # URL
    schema: str

    @classmethod
    def new(cls, owner: str) -> "PostgresStore":
        store = cls(owner, f"cmdb{next(_numbers)}")
        with psycopg.connect(owner, autocommit=True) as database:
            known = database.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER])
            if known.fetchone() is None:
                database.execute(f"CREATE ROLE {READER} LOGIN")
            database.execute(f"CREATE SCHEMA {store.schema}")
            database.execute(f"GRANT USAGE ON SCHEMA {store.schema} TO {READER}")
            database.execute(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA {store.schema} "
                f"GRANT SELECT ON TABLES TO {READER}"
            )
        return store

    @property
    def url(self) -> str:
        return self.url_of(READER, SECRET)

    def url_of(self, user: str, password: str) -> str:
        """The URL of this schema for another account; the server believes any password."""
        scheme, _, rest = self.owner.partition("://")
        options = quote(f"-c search_path={self.schema}")
        place = rest.rpartition("@")[2]
        return f"{scheme}://{user}:{quote(password, safe='')}@{place}&options={options}"

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as database:
            database.execute(f"SET search_path TO {self.schema}")
            for statement in statements:
                database.execute(statement)

    def backends(self) -> list[int]:
        """The processes that serve the reader now."""
        with psycopg.connect(self.owner, autocommit=True) as database:
            found = database.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = %s", [READER]
            )
            return [pid for (pid,) in found]


NUMBERS = "SELECT id, name FROM things ORDER BY id"


def fill(store: Store, count: int) -> None:
    """The table `things`, of ids from 1 and names from n1."""
    rows = ", ".join(f"({number}, 'n{number}')" for number in range(1, count + 1))
    store.execute(
        "CREATE TABLE things (id INTEGER, name TEXT)", f"INSERT INTO things VALUES {rows}"
    )


AT = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)]
WINDOW = "modified >= :since AND modified < :until"


def fill_dated(store: Store) -> None:
    """The table `dated`: ids of the first four days of `AT`, and a fifth one without a date."""
    kind = "TEXT" if isinstance(store, SqliteStore) else "timestamptz"
    rows = ", ".join(f"({at.day}, '{at:%Y-%m-%dT%H:%M:%SZ}')" for at in AT[:4])
    store.execute(
        f"CREATE TABLE dated (id INTEGER, modified {kind})",
        f"INSERT INTO dated VALUES {rows}, (5, NULL)",
    )


def assert_refused(found: "Extracted", words: str, kind: type[Exception] = Refused) -> None:
    """It failed so, said where and how to mend it, and showed no secret."""
    assert type(found.error) is kind
    assert words in str(found.error)
    assert_says_what_where_and_mend(found.error)
    assert "source.datasets.things" in found.notes
    assert SECRET not in found.notes + repr(found.error)


def config(select: str, **dataset: Any) -> SqlConfig:
    """One dataset, `things`."""
    things = {"select": select, **dataset}
    return SqlConfig.model_validate({"connection": "cmdb", "datasets": {"things": things}})


def connection(store: Store, **settings: Any) -> SqlConnection:
    return SqlConnection.model_validate({"url": store.url, "attempts": 1, **settings})


@dataclass(frozen=True)
class Extracted:
    """One extraction, to its end or its error."""

    pages: list[Page]
    outcome: Outcome | None
    error: SourceError | None

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def notes(self) -> str:
        return "\n".join(getattr(self.error, "__notes__", []))


def extracted(
    store: Store,
    select: str,
    scope: Scope | None = None,
    *,
    settings: dict[str, Any] | None = None,
    **dataset: Any,
) -> Extracted:
    """What `things` gives."""
    return drained(
        SOURCE.extract(
            config(select, **dataset),
            "things",
            connection(store, **settings or {}),
            scope or Scope(),
        )
    )


def drained(extraction: Extraction) -> Extracted:
    """The rest of an extraction."""
    pages: list[Page] = []
    try:
        while True:
            pages.append(next(extraction))
    except StopIteration as stop:
        return Extracted(pages, stop.value, None)
    except SourceError as error:
        return Extracted(pages, None, error)


@dataclass
class Tap:
    """The source, in which something happens once so many pages were read, in all extractions."""

    happens: dict[int, Callable[[], None]] = field(default_factory=dict)
    read: int = 0

    @property
    def source(self) -> Source[SqlConfig, SqlConnection]:
        return replace(SOURCE, extract=self._extract)

    def _extract(self, of: SqlConfig, dataset: str, to: SqlConnection, scope: Scope) -> Extraction:
        with closing(SOURCE.extract(of, dataset, to, scope)) as pages:
            while True:
                try:
                    page = next(pages)
                except StopIteration as stop:
                    outcome: Outcome = stop.value
                    return outcome
                self.read += 1
                self.happens.pop(self.read, lambda: None)()
                yield page


def probe(store: Store, *selects: str, **dataset: Any) -> Probe:
    """What the probe says of datasets `d0`, `d1`, …, one a SELECT."""
    datasets = {f"d{rank}": {"select": each, **dataset} for rank, each in enumerate(selects)}
    given = SOURCE.config.model_validate({"connection": "cmdb", "datasets": datasets})
    return SOURCE.probe(given, connection(store))
