"""Statements: what is run, what is refused when the job is read, and texts that stay as written."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.dialects import sqlite

from sources.sql_dataset import SqlConfig, SqlDataset
from sources.sql_statement import OddStatement, Statement

TEXTS = st.text(st.sampled_from("abé:;'\"()-/*\\%?$ \n{}"), max_size=12)


def run(statement: str) -> list[tuple[object, ...]]:
    """What SQLite gives for a statement in the notation of SQLAlchemy."""
    compiled = str(sa.text(statement).compile(dialect=sqlite.dialect()))
    with closing(sqlite3.connect(":memory:")) as database:
        return database.execute(compiled).fetchall()


def refusal(select: str) -> str:
    with pytest.raises(ValidationError) as refused:
        SqlDataset.model_validate({"select": select})
    return refused.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "select",
    [
        "SELECT 1",
        "select 1;",
        "SELECT 1 ; -- done\n",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "-- the servers\nSELECT 1",
        "/* all; of them */ SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT ';', \";\", `;`, $$;$$, $a$;$a$, 'it''s', '\\'",
        r"SELECT E'it\'s; so' -- and /* so",
        "SELECT a[1:2], '10:30', 'x :since', b::date",
        r"SELECT a[1\:n]",
        "SELECT cost$ FROM v$session, x$y",
    ],
)
def test_one_statement_that_reads_is_taken(select: str) -> None:
    assert SqlDataset.model_validate({"select": select}).select == select


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("DELETE FROM servers", "begins with 'DELETE' is not run"),
        ("-- SELECT\nUPDATE servers SET name = ''", "begins with 'UPDATE' is not run"),
        ("EXPLAIN ANALYZE SELECT 1", "begins with 'EXPLAIN' is not run"),
        ("", "begins with 'nothing' is not run"),
        ("-- nothing", "begins with 'nothing' is not run"),
        ("SELECT 1; DELETE FROM servers", "something follows the first statement: 'DELETE'"),
        ("SELECT 1; ;SELECT 2", "something follows the first statement: 'SELECT'"),
        ("SELECT 1) feed; --", "a parenthesis is closed that was never opened"),
        ("SELECT (1", "a parenthesis is never closed"),
        ("SELECT 'a", "a text that begins with ' is never closed"),
        ("SELECT 'a''", "a text that begins with ' is never closed"),
        ('SELECT "a', 'a name that begins with " is never closed'),
        ("SELECT 1 /* so", "a comment that begins with /* is never closed"),
        ("SELECT 1 /* a /* b */ ; DELETE */", "a comment within a comment"),
        ("SELECT 1 /*! INTO OUTFILE '/x' */", "code to MySQL"),
        ("SELECT * FROM servers WHERE modified >= :since", "`:since` is a parameter"),
        ("SELECT * FROM servers WHERE id = :id", "`:id` is a parameter"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(select: str, words: str) -> None:
    told = refusal(select)

    assert words in told
    assert "; mend: " in told


def test_a_parameter_in_the_select_is_told_where_it_belongs() -> None:
    assert "as `window`" in refusal("SELECT * FROM servers WHERE modified >= :since")


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("modified > now()", "no parameter"),
        ("modified >= :from", "`:from` is no parameter of a window"),
        ("modified >= :since); DELETE FROM x; --", "a parenthesis is closed"),
        ("modified >= ':since'", "no parameter"),
    ],
)
def test_a_window_names_its_moments_and_nothing_else(window: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SqlDataset.model_validate({"select": "SELECT 1", "window": window})

    assert words in refused.value.errors()[0]["msg"]


def test_a_window_needs_the_select_as_a_subquery() -> None:
    with pytest.raises(ValidationError, match="leave out `wrap: false`"):
        SqlDataset.model_validate({"select": "SELECT 1", "window": "a >= :since", "wrap": False})


def test_a_fault_of_a_statement_is_told_where_it_stands() -> None:
    datasets = {"servers": {"select": "SELECT 1"}, "links": {"select": "DROP TABLE links"}}
    with pytest.raises(ValidationError) as refused:
        SqlConfig.model_validate({"connection": "cmdb", "datasets": datasets})

    assert [each["loc"] for each in refused.value.errors()] == [("datasets", "links", "select")]


def test_parameters_are_found_outside_of_texts_and_may_be_cast() -> None:
    window = Statement.window("a >= :since::date AND b < CAST(:until AS date) AND c <> ':x'")

    assert window.parameters == ("since", "until")
    compiled = sa.text(window.text).compile(dialect=sqlite.dialect())
    assert str(compiled) == "a >= (?)::date AND b < CAST((?) AS date) AND c <> ':x'"


@given(TEXTS)
def test_a_text_reaches_the_database_as_it_is_written(text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"

    assert run(Statement.select(f"SELECT {literal} AS a").wrapped()) == [(text,)]


@given(TEXTS.filter(bool))
def test_a_name_reaches_the_database_as_it_is_written(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    wrapped = Statement.select(f"SELECT 7 AS {quoted}").wrapped((quoted.replace(":", r"\:"),))

    assert run(wrapped) == [(7,)]


@given(st.text(st.sampled_from("SELECT1 ':;()\"-/*\n\\$:x"), max_size=30))
def test_whatever_is_taken_is_one_statement_to_the_database_too(written: str) -> None:
    """`execute` of sqlite3 refuses a second statement in words of its own."""
    try:
        statement = Statement.select(f"SELECT {written}")
    except OddStatement:
        return
    told = ""
    try:
        run(statement.wrapped())
    except (sqlite3.Error, sqlite3.Warning) as error:
        told = str(error)
    assert "one statement" not in told


def test_a_final_comment_hides_nothing_of_what_is_around() -> None:
    statement = Statement.select("SELECT 1 AS a -- the first")

    assert run(statement.wrapped(("count(*)",), ("a = 1 -- so",))) == [(1,)]
