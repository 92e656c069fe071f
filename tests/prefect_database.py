"""Where the Prefect server of a test keeps its data: PostgreSQL where one with pg_trgm is at hand.

The wheels of PostgreSQL that the other tests use have no pg_trgm, which Prefect asks for
(specs/prefect.md §6); Debian's has, with postgresql-contrib.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_ACCOUNT = "postgres"  # PostgreSQL refuses to run as root


@dataclass(frozen=True)
class Database:
    """`url` is SQLAlchemy's, "" the server's own SQLite file; `told` says which it is."""

    url: str
    told: str


@contextlib.contextmanager
def prefect_database() -> Iterator[Database]:
    """A database that is gone afterwards."""
    programs = _programs()
    if programs is None:
        yield Database("", "SQLite: no PostgreSQL with pg_trgm is at hand")
        return
    with tempfile.TemporaryDirectory(prefix="refsync-prefect-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, _ACCOUNT)
        port, data = _free_port(), str(folder / "data")
        _run(programs / "initdb", "-D", data, "-A", "trust", "-U", "prefect", "--no-sync")
        # it never outlives its user, and nobody but this machine may ask
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        control = (programs / "pg_ctl", "-D", data, "-w")
        _run(*control, "-o", options, "-l", str(folder / "log"), "start")
        try:
            url = f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
            yield Database(url, f"PostgreSQL {programs.parent.name} with pg_trgm, of {programs}")
        finally:
            _run(*control, "-m", "immediate", "stop")


def _programs() -> Path | None:
    """The folder of the newest PostgreSQL of this machine that has pg_trgm and may be started."""
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return None
    for initdb in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        version = initdb.parents[1].name
        extension = Path(f"/usr/share/postgresql/{version}/extension/pg_trgm.control")
        if extension.is_file():
            return initdb.parent
    return None


def _run(*command: str | Path) -> None:
    """Raises CalledProcessError with what the program said."""
    prefix: Sequence[str] = ("runuser", "-u", _ACCOUNT, "--") if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*prefix, *command], check=False, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
