"""Addresses, passwords and drivers; what each kind of database is told, also those not at hand."""

import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sources.errors import Refused, SourceError, Unreachable
from sources.sql_connection import SqlConnection, SqlTimeouts
from sources.sql_database import reading
from sources.sql_engine import address, shown
from sources.sql_manners import connecting, manners_of, settle
from tests.sources.contract import assert_says_what_where_and_mend

LIMITS = SqlTimeouts(connect=2.5, statement=30, total=600)
SECRET = "p@ss/wörd"
WRITTEN = "p%40ss%2Fw%C3%B6rd"


def connection(url: str, **settings: Any) -> SqlConnection:
    return SqlConnection.model_validate({"url": url, "attempts": 1, **settings})


def failure(url: str, **settings: Any) -> SourceError:
    with pytest.raises(SourceError) as failed, reading(connection(url, **settings)):
        pass
    assert_says_what_where_and_mend(failed.value)
    told = repr(failed.value) + "".join(failed.value.__notes__)
    assert SECRET not in told
    assert WRITTEN not in told
    assert failed.value.__context__ is None or failed.value.__suppress_context__
    return failed.value


def test_a_url_with_a_password_is_a_secret_and_one_without_is_not() -> None:
    assert connection("postgresql://reader@db.example/cmdb").url == (
        "postgresql://reader@db.example/cmdb"
    )
    with_password = connection(f"postgresql://reader:{WRITTEN}@db.example/cmdb")
    assert isinstance(with_password.url, SecretStr)
    assert set(with_password.secrets) == {SECRET, WRITTEN}
    assert SECRET not in repr(with_password)
    assert WRITTEN not in repr(with_password)


def test_a_password_may_stand_beside_the_url() -> None:
    beside = connection("postgresql://reader@db.example/cmdb", password=SECRET)

    assert address(beside).password == SECRET
    assert beside.secrets == (SECRET,)
    assert SECRET not in repr(beside)


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://db/cmdb?sslpassword=hush", {"hush"}),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Dme%3BPWD%3Dhush", {"hush"}),
        ("sqlite:////data/a@b.db", set()),
    ],
)
def test_secrets_of_a_query_are_secrets_too(url: str, secrets: set[str]) -> None:
    found = connection(url)

    assert secrets <= set(found.secrets)
    assert isinstance(found.url, SecretStr) == bool(secrets)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("cmdb.db", "begins with a kind of database"),
        ("postgresql://reader:p@ss@db/cmdb", "write %40 for @"),
        ("postgresql://reader:p/s@db/cmdb", "%2F for /"),
        ("postgresql://reader:p#s@db/cmdb", "%23 for #"),
        ("postgresql://db:port/cmdb", "no address of a database"),
    ],
)
def test_an_address_that_is_none_is_refused_without_being_shown(url: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        connection(url)

    assert words in str(refused.value)
    assert url not in str(refused.value)
    assert "; mend: " in str(refused.value)


def test_two_passwords_are_one_too_many() -> None:
    with pytest.raises(ValidationError, match="keep one of them"):
        connection("postgresql://reader:a@db/cmdb", password="b")


def test_what_is_shown_of_an_address_has_neither_user_nor_options() -> None:
    url = address(connection("postgresql://me:hush@db.example:5433/cmdb?host=/run/pg&options=-cx"))

    assert shown(url) == "postgresql+psycopg://db.example:5433/cmdb?host=%2Frun%2Fpg"


def test_a_driver_that_is_not_installed_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("psycopg", "MySQLdb", "pymysql", "oracledb"):
        monkeypatch.setitem(sys.modules, module, None)

    of_postgresql = failure(f"postgresql://me:{WRITTEN}@db.example/cmdb")
    assert isinstance(of_postgresql, Refused)
    assert str(of_postgresql) == "the driver of PostgreSQL is not installed: psycopg"
    assert "mend: install refsync with its extra: refsync[postgres]" in of_postgresql.__notes__
    assert "mysql+pymysql://" in failure("mysql://db.example/cmdb").__notes__[1]
    assert "mend: install pymysql" in failure("mysql+pymysql://db.example/cmdb").__notes__
    assert "mend: install oracledb" in failure("oracle+oracledb://db.example/cmdb").__notes__


def test_a_database_that_sqlalchemy_does_not_know_is_refused() -> None:
    error = failure(f"nosuch://me:{WRITTEN}@db.example/cmdb")

    assert isinstance(error, Refused)
    assert str(error) == "SQLAlchemy knows no database 'nosuch'"


def test_a_driver_for_programs_that_wait_is_refused() -> None:
    error = failure(f"postgresql+asyncpg://me:{WRITTEN}@db.example/cmdb")

    assert isinstance(error, Refused)
    assert "mend: write postgresql:// for the usual driver" in error.__notes__


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
def test_sqlite_is_a_file(url: str) -> None:
    assert isinstance(failure(url), Refused)


def test_a_server_that_is_not_there_is_an_outage() -> None:
    error = failure(f"postgresql://me:{WRITTEN}@127.0.0.1:1/cmdb")

    assert isinstance(error, Unreachable)
    assert "Connection refused" in str(error)
    assert "where: postgresql+psycopg://127.0.0.1:1/cmdb" in error.__notes__


@pytest.mark.parametrize(
    ("driver", "told"),
    [
        ("psycopg", {"connect_timeout": 3}),
        ("psycopg2", {"connect_timeout": 3, "client_encoding": "utf8"}),
        ("pymysql", {"connect_timeout": 3, "read_timeout": 30}),
        ("mysqldb", {"connect_timeout": 3, "read_timeout": 30}),
        ("mysqlconnector", {"connection_timeout": 3}),
        ("oracledb", {"tcp_connect_timeout": 2.5}),
        ("pyodbc", {"timeout": 3}),
        ("pymssql", {"login_timeout": 3, "timeout": 30}),
        ("unheard_of", {}),
    ],
)
def test_a_driver_is_told_the_limits_in_its_own_words(driver: str, told: dict[str, Any]) -> None:
    given = connecting(driver, LIMITS)

    assert {name: given[name] for name in told} == told


def test_limits_that_are_attributes_of_a_connection_are_set_on_it() -> None:
    oracle, odbc = SimpleNamespace(), SimpleNamespace()

    settle("oracledb", oracle, LIMITS)
    settle("pyodbc", odbc, LIMITS)

    assert oracle.call_timeout == 30_000
    assert odbc.timeout == 30


MARIADB = SimpleNamespace(is_mariadb=True, server_version_info=(10, 11, 19))
MYSQL_8 = SimpleNamespace(is_mariadb=False, server_version_info=(8, 4, 0))
MYSQL_5 = SimpleNamespace(is_mariadb=False, server_version_info=(5, 6, 0))
SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


@pytest.mark.parametrize(
    ("backend", "dialect", "opening"),
    [
        (
            "postgresql",
            None,
            ("SET LOCAL statement_timeout = 30000", "SET LOCAL datestyle = ISO"),
        ),
        ("sqlite", None, ("PRAGMA query_only = ON", "BEGIN")),
        ("mariadb", MARIADB, ("SET SESSION max_statement_time = 600", SNAPSHOT)),
        ("mysql", MYSQL_8, ("SET SESSION max_execution_time = 600000", SNAPSHOT)),
        ("mysql", MYSQL_5, (SNAPSHOT,)),
        ("oracle", None, ("SET TRANSACTION READ ONLY",)),
        ("mssql", None, ()),
        ("unheard_of", None, ()),
    ],
)
def test_a_transaction_begins_with_what_its_database_understands(
    backend: str, dialect: Any, opening: tuple[str, ...]
) -> None:
    manners = manners_of(backend)

    assert manners.opening(dialect, LIMITS) == opening
    assert manners.read_only == manners.snapshot == (backend not in {"mssql", "unheard_of"})


def test_a_moment_is_bound_as_each_database_compares_it() -> None:
    moment = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)

    assert manners_of("postgresql").window(moment, None)["since"] == moment
    assert manners_of("sqlite").window(moment, None)["since"] == "2026-01-31T02:00:00Z"
    assert manners_of("mysql").window(None, moment)["until"] == moment.replace(tzinfo=None)
    open_ends = manners_of("mssql").window(None, None)
    assert (open_ends["since"].year, open_ends["until"].year) == (1753, 9999)
