"""A real PostgreSQL for the session: the ledger is kept in it, and the sql source reads it."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres import database, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this session, listening on a socket only."""
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_cmdb(postgres: str) -> str:
    """The URL of a database of that server which sources read; the ledger is not in it."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cmdb")
    return database(postgres, "cmdb")
