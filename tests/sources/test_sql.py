"""The sql source on SQLite and on a real PostgreSQL: what is asked, and what it proves."""
# ruff: noqa: S608 - the statements are made of words of this file

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.job import SHIPPED, load_job
from sandbox import sqlcmdb
from sandbox.cmdb import records
from sources import sql_manners
from sources.base import Complete, Partial, Scope
from sources.errors import Refused, Unreachable
from sources.registry import SOURCES
from sources.sql import SOURCE
from sources.sql_connection import SqlConnection
from sources.sql_manners import manners_of
from sources.sql_reading import Tally
from tests.sources.sql_rig import (
    AT,
    NUMBERS,
    READER,
    WINDOW,
    PostgresStore,
    SqliteStore,
    Store,
    assert_refused,
    config,
    connection,
    drained,
    extracted,
    fill,
    fill_dated,
    probe,
)


def test_the_source_is_registered() -> None:
    assert SOURCES["sql"] is SOURCE


# --- what is asked


def test_the_evidence_tells_how_it_is_known_that_every_row_came(store: Store) -> None:
    counted = extracted(store, NUMBERS, key="id")
    not_counted = extracted(store, NUMBERS, count=False)

    assert counted.outcome == Complete(
        "3 rows to the end of one read-only snapshot, count(*) agrees, every id once"
    )
    assert not_counted.outcome == Complete("3 rows to the end of one read-only snapshot")


def test_the_select_is_run_as_it_is_written_where_nothing_is_to_be_cut(store: Store) -> None:
    found = extracted(store, NUMBERS.replace("id,", "id, 'a:b%c' AS \"p%q:r\","), wrap=False)

    assert found.records[0] == {"id": 1, "p%q:r": "a:b%c", "name": "n1"}
    assert isinstance(found.outcome, Complete)
    assert "count" not in found.outcome.evidence


ODD_NAMES = ("Name", "select", "a.b", 'a"b', "é", "a%b", "a:b", "x :since", "a b", "%%", "%s")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_column_of_any_name_is_read_alone(store: Store, name: str) -> None:
    quoted = name.replace('"', '""')
    select = f'SELECT id, name AS "{quoted}" FROM things ORDER BY id'

    whole = extracted(store, select)
    alone = extracted(store, select, Scope(fields=frozenset({name})))
    sliced = extracted(store, f'SELECT name AS "{quoted}" FROM things ORDER BY 1', key=name)

    assert whole.records[0] == {"id": 1, name: "n1"}
    assert alone.records == [{name: "n1"}, {name: "n2"}, {name: "n3"}]
    assert sliced.records == alone.records


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({"name"}, ["name"]),
        ({"place.room.rack"}, ["place"]),
        ({"place"}, ["place"]),
        ({"named"}, ["id", "name", "place", "unused"]),
        (set(), ["id", "name", "place", "unused"]),
        ({"id", "unused", "name", "place", "more"}, ["id", "name", "place", "unused"]),
    ],
    ids=str,
)
def test_only_columns_that_the_mapping_uses_are_read(
    store: Store, fields: set[str], columns: list[str]
) -> None:
    select = "SELECT id, name, 'Lyon' AS place, 7 AS unused FROM things"

    found = extracted(store, select, Scope(fields=frozenset(fields)))

    assert list(found.records[0]) == columns


def test_the_key_is_read_with_the_columns_in_use(store: Store) -> None:
    found = extracted(store, NUMBERS, Scope(fields=frozenset({"name"})), key="id")

    assert found.records[0] == {"id": 1, "name": "n1"}


def test_a_column_that_is_not_used_is_not_even_computed(postgresql: PostgresStore) -> None:
    fill(postgresql, 3)
    select = "SELECT id, 1 / (id - id) AS ratio FROM things"

    assert extracted(postgresql, select, Scope(fields=frozenset({"id"}))).records == [
        {"id": 1},
        {"id": 2},
        {"id": 3},
    ]
    assert_refused(extracted(postgresql, select, count=False), "division by zero")


@pytest.mark.parametrize("select", ["SELECT id, name AS id FROM things", "SELECT * FROM t, things"])
@pytest.mark.parametrize("wrap", [True, False])
def test_two_columns_of_one_name_are_refused(store: Store, select: str, *, wrap: bool) -> None:
    store.execute("CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")

    found = extracted(store, select, wrap=wrap)

    assert_refused(found, "two columns are named 'id'")
    assert found.pages == []


def test_a_key_that_is_no_column_is_refused(store: Store) -> None:
    found = extracted(store, NUMBERS, key="nam")

    assert_refused(found, "has no column 'nam'")
    assert "did you mean 'name'?" in found.notes


def test_an_unknown_dataset_is_refused_with_the_nearest(store: Store) -> None:
    with pytest.raises(Refused, match="no dataset 'thing'") as refused:
        SOURCE.count(config(NUMBERS), "thing", connection(store), Scope())

    assert "mend: did you mean 'things'?" in refused.value.__notes__


# --- windows


@pytest.fixture
def dated(store: Store) -> Store:
    fill_dated(store)
    return store


@pytest.mark.parametrize(
    ("since", "until", "ids"),
    [
        (None, None, [1, 2, 3, 4, 5]),
        (AT[1], None, [2, 3, 4]),
        (None, AT[1], [1]),
        (AT[1], AT[3], [2, 3]),
        (AT[4], None, []),
    ],
    ids=str,
)
def test_a_window_is_half_open_and_a_whole_reading_leaves_nothing_out(
    dated: Store, since: datetime | None, until: datetime | None, ids: list[int]
) -> None:
    scope = Scope(since=since, until=until)

    found = extracted(dated, "SELECT * FROM dated ORDER BY id", scope, window=WINDOW)

    assert [record["id"] for record in found.records] == ids
    assert isinstance(found.outcome, Complete)
    given = config("SELECT * FROM dated", window=WINDOW)
    assert SOURCE.count(given, "things", connection(dated), scope) == len(ids)


def test_a_window_and_the_columns_in_use_go_together(dated: Store) -> None:
    scope = Scope(since=AT[2], fields=frozenset({"id"}))

    found = extracted(dated, "SELECT * FROM dated ORDER BY id", scope, window=WINDOW)

    assert found.records == [{"id": 3}, {"id": 4}]


def test_moments_may_be_cast_by_the_window(dated: Store) -> None:
    cast = "date(:since)" if isinstance(dated, SqliteStore) else ":since::timestamptz::date"
    scope = Scope(since=AT[3])

    found = extracted(dated, "SELECT * FROM dated", scope, window=f"modified >= {cast}")

    assert [record["id"] for record in found.records] == [4]


@pytest.mark.parametrize(
    ("window", "words"),
    [(None, "it has no `window`"), ("modified >= :since", "its `window` names no `:until`")],
)
def test_a_window_that_cannot_be_honoured_is_refused_before_anything_is_read(
    dated: Store, window: str | None, words: str
) -> None:
    scope = Scope(until=AT[1])
    found = extracted(dated, "SELECT * FROM dated", scope, window=window)

    assert_refused(found, words)
    assert found.pages == []
    given = config("SELECT * FROM dated", window=window, key="id")
    for ask in (
        lambda: SOURCE.count(given, "things", connection(dated), scope),
        lambda: SOURCE.slices(given, "things", connection(dated), scope, 4),
    ):
        with pytest.raises(Refused, match="cannot be read by modification date"):
            ask()


# --- what is proven


def test_a_key_that_is_not_one_is_told_of_and_does_no_harm(store: Store) -> None:
    found = extracted(store, "SELECT name, id / 4 AS k FROM things", key="k")

    assert isinstance(found.outcome, Complete)
    assert "2 repeat their k" in found.outcome.evidence


SQL_SERVER, POSTGRESQL = manners_of("mssql"), manners_of("postgresql")


@pytest.mark.parametrize(
    ("tally", "counted", "manners", "words"),
    [
        (Tally((), rows=9), 10, POSTGRESQL, "10 rows, 9 came: the SELECT gives others each time"),
        (Tally((), rows=9), 10, SQL_SERVER, "10 rows, 9 came: they moved meanwhile"),
        (Tally(("id",), rows=9, repeats=1), 9, SQL_SERVER, "1 rows came again (same id)"),
        (Tally((), rows=9), None, SQL_SERVER, "without a snapshot, and without `count`"),
    ],
)
def test_a_reading_in_doubt_is_partial(
    tally: Tally, counted: int | None, manners: Any, words: str
) -> None:
    outcome = tally.outcome(counted, manners)

    assert isinstance(outcome, Partial)
    assert words in outcome.reason


def test_keys_that_cannot_be_hashed_are_compared_all_the_same() -> None:
    tally = Tally(("id",))

    tally.add([{"id": [1]}, {"id": [2]}, {"id": [1]}, {"id": None}])
    tally.add([{"id": [2]}, {"id": "x"}])

    assert (tally.repeats, tally.keyless) == (2, 1)


# --- probe


def test_the_probe_names_version_user_and_what_is_lacking(postgresql: PostgresStore) -> None:
    fill(postgresql, 3)
    postgresql.execute("CREATE TABLE secret (id INTEGER)", f"REVOKE ALL ON secret FROM {READER}")

    found = probe(
        postgresql, NUMBERS, "SELECT * FROM secret", "SELECT * FROM nowhere", "SELECT 1 AS a, 2 a"
    )

    assert found.version.startswith("PostgreSQL ")
    assert found.identity == READER
    assert found.rights == ("nothing can be written", "read d0")
    assert found.lacking == (
        "d1: the database refuses: permission denied for table secret",
        'd2: the database refuses: relation "nowhere" does not exist',
        "d3: two columns are named 'a'",
    )


def test_the_probe_of_sqlite_names_the_file(sqlite: SqliteStore) -> None:
    fill(sqlite, 3)

    found = probe(sqlite, NUMBERS)

    assert found.version == f"SQLite {sqlite3.sqlite_version}"
    assert found.identity == f"sqlite:///{sqlite.path}"
    assert found.rights == ("nothing can be written", "read d0")


def test_the_probe_tries_the_key_and_the_window_too(dated: Store) -> None:
    select = "SELECT * FROM dated"

    assert probe(dated, select, window=WINDOW, key="id").lacking == ()
    assert "no column 'ident'" in probe(dated, select, key="ident").lacking[0]
    (lacking,) = probe(dated, select, window="changed > :since").lacking
    assert "changed" in lacking


def test_the_probe_computes_no_row(postgresql: PostgresStore) -> None:
    fill(postgresql, 3)

    assert probe(postgresql, "SELECT 1 / (id - id) AS ratio FROM things").lacking == ()


def test_a_transaction_that_could_write_is_lacking(
    postgresql: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgresql, 3)
    careless = {**POSTGRESQL.options, "postgresql_readonly": False}
    monkeypatch.setitem(
        sql_manners._MANNERS,
        "postgresql",
        sql_manners.Manners("PostgreSQL", read_only=True, options=careless, proof=POSTGRESQL.proof),
    )

    assert probe(postgresql, NUMBERS).lacking == ("a transaction that may not write",)


def test_a_database_that_is_not_there_is_no_matter_of_rights(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no such file"):
        probe(SqliteStore(tmp_path / "absent.db"), NUMBERS)


# --- the whole road


def test_the_invented_database_goes_through_its_job_without_a_reject(tmp_path: Path) -> None:
    sqlcmdb.write(tmp_path / "cmdb.db", records(1000))
    job = load_job("corvelle/servers", SHIPPED)
    to = SqlConnection.model_validate({"url": f"sqlite:///{tmp_path / 'cmdb.db'}"})
    assert job.source.probe(job.config, to).lacking == ()
    mapper = job.mapper()
    entities, rejects = 0, 0
    for dataset in job.datasets:
        scope = Scope(fields=mapper.fields(dataset))
        found = drained(job.source.extract(job.config, dataset, to, scope))
        assert isinstance(found.outcome, Complete)
        for page in found.pages:
            mapped = mapper.map_page(dataset, page.records, page.first)
            entities += len(mapped.entities)
            rejects += len(mapped.rejects)
        entities += len(mapper.finish(dataset).entities)

    assert (entities, rejects) == (750 + 40, 0)
    assert mapper.report().failures == ()
