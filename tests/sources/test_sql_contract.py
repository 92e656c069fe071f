"""The sql source keeps every source's promises, on SQLite and on a real PostgreSQL."""
# ruff: noqa: S608 - the statements are made of numbers of this file

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sources.base import Record, Source
from tests.sources.contract import (
    AnchoredContract,
    Bench,
    Fault,
    PagedContract,
    Served,
    SlicedContract,
    SourceContract,
    key_of,
)
from tests.sources.sql_rig import SECRET, PostgresStore, SqliteStore, Store, Tap, config, connection

PAGE_SIZE = 5
SELECT = "SELECT id, name, note FROM things ORDER BY name, id"


@dataclass
class SqlBench(ABC):
    """A table of numbered rows, all of one name; `select` reads it."""

    page_size: int = PAGE_SIZE
    identity: str = "id"
    tap: Tap = field(default_factory=Tap)

    @property
    def source(self) -> Source[Any, Any]:
        return self.tap.source

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        fault = fault or Fault("")
        store = self.store()
        self.fill(store, count, size)
        struck = (fault.page - 1) * PAGE_SIZE + 2
        select, dataset = SELECT, {"page_rows": PAGE_SIZE if count < 10_000 else 1000, "key": "id"}
        if fault.kind == "odd_row":
            self.spoil(store, key_of(struck))
        elif fault.kind == "cut":
            # Counted beforehand, the damage would be met before any page.
            select, dataset["count"] = self.cut(store, key_of(struck)), False
        elif fault.kind.startswith("total"):
            select = self.miscounted(store, too_high=fault.kind == "total_too_high")
        elif fault.kind.startswith("row"):
            self.tap.happens[fault.page] = lambda: store.execute(*_moves(fault.kind))
        yield Served(config(select, **dataset), connection(store), "things", self.secrets())

    def key(self, record: Record) -> str:
        return str(record["id"])

    def secrets(self) -> tuple[str, ...]:
        return ()

    def miscounted(self, store: Store, *, too_high: bool) -> str:
        """A statement that counts otherwise than it reads; SQLite has none, and no test asks it."""
        raise NotImplementedError("a wrong total is a fault of PostgreSQL's bench alone")

    @abstractmethod
    def store(self) -> Store: ...

    @abstractmethod
    def fill(self, store: Store, count: int, size: int) -> None: ...

    @abstractmethod
    def spoil(self, store: Store, key: str) -> None:
        """Give the row a value that JSON cannot hold."""

    @abstractmethod
    def cut(self, store: Store, key: str) -> str:
        """The SELECT in which the reading ends at the row of *key*."""


def _moves(kind: str) -> tuple[str, ...]:
    """The first row goes, another comes before it, or after all of them."""
    gone = "DELETE FROM things WHERE id = '000001'"
    first, last = (f"INSERT INTO things (id, name) VALUES ('{key}', '')" for key in "09")
    return {"row_removed": (gone,), "row_added": (first,), "row_replaced": (gone, last)}[kind]


@dataclass
class SqliteBench(SqlBench):
    folder: Path = Path()

    def store(self) -> Store:
        return SqliteStore.new(self.folder)

    def fill(self, store: Store, count: int, size: int) -> None:
        store.execute(
            "CREATE TABLE things (id TEXT, name TEXT, note TEXT)",
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "
            f"WHERE n < {count}) INSERT INTO things "
            f"SELECT printf('%06d', n), '', replace(hex(zeroblob({size})), '00', 'é') FROM numbers "
            f"WHERE {count} > 0",
        )

    def spoil(self, store: Store, key: str) -> None:
        store.execute(f"UPDATE things SET note = 'a' || char(0) || 'b' WHERE id = '{key}'")

    def cut(self, store: Store, key: str) -> str:
        """The page of the file that holds the row is overwritten."""
        assert isinstance(store, SqliteStore)
        store.execute(
            "UPDATE things SET note = hex(zeroblob(1500))",  # about a row a page
            "PRAGMA journal_mode = DELETE",
            "VACUUM",
        )
        whole = bytearray(store.path.read_bytes())
        page = whole.index(key.encode()) // 4096 * 4096
        whole[page : page + 4096] = bytes(4096)
        store.path.write_bytes(whole)
        return SELECT.partition(" ORDER")[0]  # sorted, nothing would come before the damage


@dataclass
class PostgresBench(SqlBench):
    database: str = ""

    def store(self) -> Store:
        return PostgresStore.new(self.database)

    def fill(self, store: Store, count: int, size: int) -> None:
        store.execute(
            "CREATE TABLE things (id text, name text, note json)",
            "INSERT INTO things SELECT lpad(n::text, 6, '0'), '', "
            f"to_json(repeat('é', {size})) FROM generate_series(1, {count}) n",
        )

    def spoil(self, store: Store, key: str) -> None:
        store.execute(rf"""UPDATE things SET note = '"\ud83d"' WHERE id = '{key}'""")

    def cut(self, store: Store, key: str) -> str:
        """The server process ends itself when it comes to the row."""
        del store
        ends = f"CASE WHEN id = '{key}' THEN pg_terminate_backend(pg_backend_pid()) END"
        return SELECT.replace("note FROM", f"{ends} AS note FROM").partition(" ORDER")[0]

    def miscounted(self, store: Store, *, too_high: bool) -> str:
        """One row is there for who counts alone, or for who reads alone."""
        del store
        shown = "" if too_high else "NOT "
        counting = "current_query() LIKE '%count(*)%'"
        return f"SELECT id, name FROM things WHERE id <> '000001' OR {shown}{counting} ORDER BY id"

    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)


class MovesContract:
    """Rows that move from page to page cannot hurt a snapshot."""

    test_rows_that_move_while_reading_are_not_lost_in_silence = (
        PagedContract.test_rows_that_move_while_reading_are_not_lost_in_silence
    )


class TestSqlite(SourceContract, SlicedContract, AnchoredContract, MovesContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return SqliteBench(folder=tmp_path)


class TestPostgres(SourceContract, SlicedContract, AnchoredContract, MovesContract):
    @pytest.fixture
    def bench(self, postgres_cmdb: str) -> Bench:
        return PostgresBench(database=postgres_cmdb)

    test_a_wrong_total_is_partial = PagedContract.test_a_wrong_total_is_partial
