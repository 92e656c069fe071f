"""Nothing is written, and what is refused, lost or late is told: on SQLite and PostgreSQL."""
# ruff: noqa: S608 - the statements are made of words of this file

import contextlib
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import stamina

from sources import sql_manners
from sources.base import Complete, Scope
from sources.errors import Refused, Unreachable, Unreadable
from sources.sql import SOURCE
from sources.sql_connection import SqlConnection
from tests.sources.sql_rig import (
    NUMBERS,
    READER,
    SECRET,
    PostgresStore,
    SqliteStore,
    Store,
    assert_refused,
    config,
    connection,
    drained,
    extracted,
    fill,
    probe,
)


def test_a_select_that_calls_a_writing_function_writes_nothing(postgresql: PostgresStore) -> None:
    fill(postgresql, 3)
    postgresql.execute(
        "CREATE FUNCTION touch(n integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {postgresql.schema} "
        "AS $$ BEGIN INSERT INTO things VALUES (n + 100, 'touched'); RETURN n; END $$"
    )

    found = extracted(postgresql, "SELECT touch(id) AS id FROM things")

    assert_refused(found, "cannot execute INSERT in a read-only transaction")
    assert "a SELECT that does not write" in found.notes
    assert len(extracted(postgresql, NUMBERS).records) == 3


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("SELECT nextval('numbers') AS n", "cannot execute nextval()"),
        ("SELECT id FROM things FOR UPDATE", "cannot execute SELECT FOR UPDATE"),
        ("SELECT id INTO copies FROM things", "INTO is not allowed"),
        ("WITH gone AS (DELETE FROM things RETURNING id) TABLE gone", "DECLARE CURSOR"),
    ],
)
def test_postgresql_refuses_every_way_to_write(
    postgresql: PostgresStore, select: str, words: str
) -> None:
    fill(postgresql, 3)
    postgresql.execute("CREATE SEQUENCE numbers", f"GRANT ALL ON things, numbers TO {READER}")

    # as it stands, since around some of them a SELECT would be no SQL at all
    assert_refused(extracted(postgresql, select, wrap=False), words)


def test_sqlite_refuses_to_write(sqlite: SqliteStore) -> None:
    fill(sqlite, 3)

    found = extracted(sqlite, "WITH x AS (SELECT 1) DELETE FROM things RETURNING id", wrap=False)

    assert_refused(found, "attempt to write a readonly database")
    assert len(extracted(sqlite, NUMBERS).records) == 3


def test_what_a_database_without_read_only_transactions_writes_is_undone(
    postgresql: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL stands for it, treated like a database that nothing is known of."""
    monkeypatch.delitem(sql_manners._MANNERS, "postgresql")
    fill(postgresql, 3)
    postgresql.execute(
        f"GRANT ALL ON things TO {READER}",
        "CREATE FUNCTION touch(n integer) RETURNS integer LANGUAGE sql "
        "AS $$ INSERT INTO things VALUES (n + 100, 'touched') RETURNING n $$",
    )

    found = extracted(postgresql, "SELECT touch(id) AS id FROM things WHERE id < 100", key="id")

    assert isinstance(found.outcome, Complete)
    assert "rolled back, for postgresql has none that only reads" in found.outcome.evidence
    assert len(extracted(postgresql, NUMBERS).records) == 3
    assert "writes are rolled back" in probe(postgresql, NUMBERS).rights


# --- what comes in between


def test_a_connection_that_is_cut_is_an_outage(postgresql: PostgresStore) -> None:
    fill(postgresql, 100)
    pages = SOURCE.extract(config(NUMBERS, page_rows=10), "things", connection(postgresql), Scope())
    read = [next(pages), next(pages)]
    (backend,) = postgresql.backends()

    with psycopg.connect(postgresql.owner, autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 10000)", [backend])
    rest = drained(pages)

    assert [len(page.records) for page in read] == [10, 10]
    assert rest.records == []
    assert_refused(rest, "the database does not answer", Unreachable)


def test_an_extraction_that_is_given_up_leaves_no_session(postgresql: PostgresStore) -> None:
    fill(postgresql, 100)
    pages = SOURCE.extract(config(NUMBERS, page_rows=10), "things", connection(postgresql), Scope())
    next(pages)
    (backend,) = postgresql.backends()

    pages.close()

    with psycopg.connect(postgresql.owner, autocommit=True) as owner:
        gone = owner.execute("SELECT pg_terminate_backend(%s, 10000)", [backend]).fetchone()
    assert gone in {(False,), (True,)}  # it may still be leaving
    assert postgresql.backends() == []


def test_rows_are_held_by_the_server_and_not_by_us(postgresql: PostgresStore) -> None:
    fill(postgresql, 100)
    select = "SELECT id, (SELECT string_agg(name, ' ') FROM pg_cursors) AS cursors FROM things"

    with closing(
        SOURCE.extract(config(select, page_rows=10), "things", connection(postgresql), Scope())
    ) as pages:
        page = next(pages)

    assert len(page.records) == 10
    assert page.records[0]["cursors"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_statement_that_takes_too_long_is_an_outage(
    kind: str, request: pytest.FixtureRequest
) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT {} FROM n"

    found = extracted(
        request.getfixturevalue(kind),
        endless.format("max(i) AS i"),
        settings={"timeout": {"statement": 0.2}},
    )

    assert_refused(found, "a statement is not done after 0.2 s", Unreachable)
    assert "mend: raise that limit" in found.notes


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_reading_that_drips_is_left_at_its_total_deadline(
    kind: str, request: pytest.FixtureRequest
) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

    found = extracted(
        request.getfixturevalue(kind),
        endless,
        settings={"timeout": {"total": 0.5}},
        count=False,
        wrap=False,
        page_rows=1,
    )

    assert found.pages
    assert_refused(found, "the reading is not over after 0.5 s", Unreachable)


def test_a_server_that_stands_still_is_left_at_the_total_deadline(
    postgresql: PostgresStore,
) -> None:
    """It cannot keep its own limits then, and nothing of ours would wake up either."""
    fill(postgresql, 10_000)
    settings = {"timeout": {"total": 2}}
    pages = SOURCE.extract(
        config(NUMBERS, page_rows=10), "things", connection(postgresql, **settings), Scope()
    )
    next(pages)
    (backend,) = postgresql.backends()

    with frozen(backend):
        rest = drained(pages)

    assert_refused(rest, "the reading is not over after 2 s", Unreachable)


@contextmanager
def frozen(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_file_of_sqlite_that_is_not_there_is_an_outage_and_is_not_made(tmp_path: Path) -> None:
    absent = SqliteStore(tmp_path / "absent.db")

    assert_refused(extracted(absent, "SELECT 1 AS a"), "no such file", Unreachable)
    assert not absent.path.exists()


def test_a_file_that_is_no_database_is_unreadable(sqlite: SqliteStore) -> None:
    sqlite.path.write_text("<html>sign in</html>" * 500)

    assert_refused(extracted(sqlite, NUMBERS), "file is not a database", Unreadable)


def test_a_text_that_is_not_utf8_is_unreadable(sqlite: SqliteStore) -> None:
    fill(sqlite, 3)
    sqlite.execute("UPDATE things SET name = CAST(x'ff41' AS TEXT) WHERE id = 2")

    assert_refused(extracted(sqlite, NUMBERS), "Could not decode to UTF-8", Unreadable)


def test_a_file_that_another_one_holds_is_an_outage(sqlite: SqliteStore) -> None:
    fill(sqlite, 3)
    sqlite.execute("PRAGMA journal_mode = DELETE")

    with closing(sqlite3.connect(sqlite.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        found = extracted(sqlite, NUMBERS, settings={"timeout": {"connect": 0.01}})

    assert_refused(found, "database is locked", Unreachable)


# --- what is refused


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT nothing FROM things", "nothing"),
        ("SELECT FROM WHERE", 'near "'),
    ],
)
def test_what_the_database_does_not_know_is_refused_in_its_own_words(
    store: Store, select: str, words: str
) -> None:
    found = extracted(store, select)

    assert_refused(found, words)
    assert found.pages == []


@pytest.mark.parametrize(
    ("user", "words", "kind"),
    [
        ("nobody", 'role "nobody" does not exist', Refused),
        ("no_login", 'role "no_login" is not permitted to log in', Refused),
        ("crowded", "too many connections for role", Unreachable),
    ],
)
def test_who_may_not_come_in_is_told_why(
    postgresql: PostgresStore, user: str, words: str, kind: type[Exception]
) -> None:
    if user != "nobody":
        limit = "LOGIN CONNECTION LIMIT 0" if user == "crowded" else "NOLOGIN"
        postgresql.execute(f"DROP ROLE IF EXISTS {user}", f"CREATE ROLE {user} {limit}")
    to = SqlConnection.model_validate({"url": postgresql.url_of(user, SECRET), "attempts": 1})

    found = drained(SOURCE.extract(config(NUMBERS), "things", to, Scope()))

    assert_refused(found, words, kind)
    if kind is Refused:
        assert "check the user" in found.notes


def test_a_table_that_may_not_be_read_is_refused(postgresql: PostgresStore) -> None:
    fill(postgresql, 3)
    postgresql.execute(f"REVOKE ALL ON things FROM {READER}")

    found = extracted(postgresql, NUMBERS)

    assert_refused(found, "permission denied for table things")
    assert "GRANT SELECT" in found.notes


def test_a_connection_is_tried_again_after_an_outage() -> None:
    """Whoever listens there hangs up at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener, stamina.set_testing(True, attempts=3):
        counted: list[int] = []
        threading.Thread(target=hang_up, args=(listener, counted), daemon=True).start()
        url = f"postgresql://127.0.0.1:{listener.getsockname()[1]}/cmdb?sslmode=disable"
        to = SqlConnection.model_validate({"url": f"{url}&gssencmode=disable"})
        found = drained(SOURCE.extract(config(NUMBERS), "things", to, Scope()))

    assert_refused(found, "the database does not answer", Unreachable)
    assert len(counted) == 3


def hang_up(listener: socket.socket, counted: list[int]) -> None:
    with contextlib.suppress(OSError):  # at the end of the test
        while True:
            caller, (_, port) = listener.accept()
            counted.append(port)
            caller.close()


def test_an_option_that_the_driver_does_not_take_is_refused(postgresql: PostgresStore) -> None:
    to = SqlConnection.model_validate({"url": f"{postgresql.url}&sslmoode=require", "attempts": 1})

    found = drained(SOURCE.extract(config(NUMBERS), "things", to, Scope()))

    assert_refused(found, 'invalid connection option "sslmoode"')
