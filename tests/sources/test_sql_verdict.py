"""What databases say, by code, turned into errors by recovery: also of those that are not at hand.

The exceptions are made as the drivers make them; those of SQLite and PostgreSQL are met for real in
`test_sql.py`.
"""

from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from sources.errors import Refused, Unreachable, Unreadable
from sources.sql_verdict import judge
from tests.sources.contract import assert_says_what_where_and_mend


class Error(Exception):
    """What a driver raises: PEP 249."""

    sqlstate: Any = None


class OperationalError(Error):
    pass


class ProgrammingError(Error):
    pass


def mysql(number: int, words: str) -> Exception:
    """It has a SQLSTATE too, which says less than the number."""
    error = OperationalError(number, words)
    error.sqlstate = "HY000"
    return error


def odbc(state: str, words: str) -> Exception:
    return ProgrammingError(state, f"[{state}] [Microsoft] {words} (208) (SQLExecDirectW)")


def oracle(code: str, words: str) -> Exception:
    return OperationalError(SimpleNamespace(full_code=code, __str__=lambda: words))


def postgresql(state: str, words: str) -> Exception:
    error = OperationalError(words)
    error.sqlstate = state
    return error


def libpq(words: str) -> Exception:
    """Before the session is there, libpq has no code."""
    return OperationalError(f'connection failed: connection to server at "db" failed: {words}')


@pytest.mark.parametrize(
    ("raised", "kind", "mend"),
    [
        (mysql(1045, "Access denied for user 'x'@'y'"), Refused, "check the user"),
        (mysql(1142, "SELECT command denied"), Refused, "GRANT SELECT"),
        (mysql(1146, "Table 'a.b' doesn't exist"), Refused, "correct `select`"),
        (mysql(1064, "You have an error in your SQL syntax"), Refused, "correct `select`"),
        (mysql(1049, "Unknown database 'x'"), Refused, "name of the database"),
        (mysql(1792, "Cannot execute statement in a READ ONLY"), Refused, "does not write"),
        (mysql(2003, "Can't connect to MySQL server"), Unreachable, "run again"),
        (mysql(2013, "Lost connection to MySQL server during query"), Unreachable, "run again"),
        (mysql(1040, "Too many connections"), Unreachable, "run again"),
        (mysql(1213, "Deadlock found"), Unreachable, "run again"),
        (mysql(3024, "maximum statement execution time exceeded"), Unreachable, "raise `timeout`"),
        (mysql(1969, "max_statement_time exceeded"), Unreachable, "raise `timeout`"),
        (odbc("28000", "Login failed for user"), Refused, "check the user"),
        (odbc("42S02", "Invalid object name 'x'"), Refused, "correct `select`"),
        (odbc("08001", "TCP Provider: timed out"), Unreachable, "run again"),
        (odbc("HYT00", "Query timeout expired"), Unreachable, "raise `timeout`"),
        (odbc("40001", "deadlock victim"), Unreachable, "run again"),
        (oracle("ORA-01017", "invalid username/password"), Refused, "check the user"),
        (oracle("ORA-00942", "table or view does not exist"), Refused, "correct `select`"),
        (oracle("ORA-01031", "insufficient privileges"), Refused, "GRANT SELECT"),
        (oracle("ORA-01456", "may not insert in a READ ONLY"), Refused, "does not write"),
        (oracle("ORA-12541", "no listener"), Unreachable, "run again"),
        (oracle("ORA-03113", "end-of-file on communication channel"), Unreachable, "run again"),
        (oracle("ORA-01555", "snapshot too old"), Unreachable, "run again"),
        (oracle("DPY-4024", "call timeout exceeded"), Unreachable, "raise `timeout`"),
        (oracle("DPY-6005", "cannot connect"), Unreachable, "run again"),
        (postgresql("57P01", "terminating connection"), Unreachable, "run again"),
        (postgresql("53300", "too many clients"), Unreachable, "run again"),
        (postgresql("25006", "cannot execute INSERT in a read-only"), Refused, "does not write"),
        (postgresql("25P03", "idle-in-transaction timeout"), Unreachable, "page_rows"),
        (postgresql("22012", "division by zero"), Refused, "cannot be computed"),
        (postgresql("XX001", "invalid page in block 3"), Unreadable, "check the database"),
        (libpq('FATAL: password authentication failed for "x"'), Refused, "check the user"),
        (libpq("FATAL: authentification par mot de passe échouée"), Refused, "check the user"),
        (libpq("FATAL: sorry, too many clients already"), Unreachable, "run again"),
        (libpq("FATAL: the database system is starting up"), Unreachable, "run again"),
        (libpq("FATAL: désolé, trop de clients sont déjà connectés"), Unreachable, "run again"),
        (libpq("Connection refused"), Unreachable, "run again"),
        (ProgrammingError("something new"), Refused, "correct `select`"),
        (OperationalError("something new"), Unreachable, "run again"),
        (OperationalError("Could not decode to UTF-8 column 'a'"), Unreadable, "cast the column"),
    ],
    ids=repr,
)
def test_an_error_is_known_by_its_code(raised: Exception, kind: type, mend: str) -> None:
    wrapped = sa.exc.DBAPIError("SELECT 1", {}, raised)

    for error in (wrapped, raised):  # some calls are not made through SQLAlchemy
        found = judge(error, where="mysql://db/cmdb", secrets=())
        assert type(found) is kind
        assert_says_what_where_and_mend(found)
        assert mend in found.__notes__[1]
        assert "SELECT 1" not in str(found)


def test_the_words_of_the_database_are_shown_without_secrets_and_cut() -> None:
    raised = mysql(1064, "near 's3cr3t'\n" + "x" * 500)

    words = str(judge(raised, where="here", secrets=("s3cr3t",)))

    assert words.startswith("the database refuses: near '***' xxx")
    assert len(words) < 240


@pytest.mark.parametrize("raised", [ValueError("year -43 is out of range"), OverflowError("too")])
def test_a_value_that_a_driver_cannot_make_is_unreadable(raised: Exception) -> None:
    found = judge(raised, where="here", secrets=())

    assert isinstance(found, Unreadable)
    assert "cast the column to a text" in found.__notes__[1]


def test_what_sqlalchemy_itself_cannot_do_is_refused() -> None:
    assert isinstance(judge(sa.exc.ArgumentError("no"), where="here", secrets=()), Refused)
