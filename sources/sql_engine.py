"""The way to a database: its address, its driver, and a connection that is opened with limits."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from sources.errors import Refused, Unreachable
from sources.sql_connection import SqlConnection
from sources.sql_manners import connecting, manners_of, settle

_STEPS: Final = 10_000  # instructions of SQLite between two looks at the clock
_SHOWN: Final = frozenset({"host", "port", "service_name"})  # the rest of a query may be secret
_PACKAGES: Final = {
    "psycopg": "refsync with its extra: refsync[postgres]",
    "psycopg2": "psycopg2-binary, or write postgresql://",
    "mysqldb": "mysqlclient; or pymysql, and write mysql+pymysql://",
}


def address(settings: SqlConnection) -> sa.URL:
    """The URL with the password, wherever that is stated, and PostgreSQL's driver named."""
    url = sa.make_url(settings.address)
    if settings.password is not None:
        url = url.set(password=settings.password.get_secret_value())
    if url.drivername == "postgresql":  # what it stands for depends on SQLAlchemy's version
        url = url.set(drivername="postgresql+psycopg")
    return url


def shown(url: sa.URL) -> str:
    """A URL that can be printed: no user, no password, no secret in its query."""
    query = {name: value for name, value in url.query.items() if name in _SHOWN}
    return sa.URL.create(
        url.drivername, host=url.host, port=url.port, database=url.database, query=query
    ).render_as_string()


def engine_of(settings: SqlConnection, late: Callable[[], bool], where: str) -> sa.Engine:
    """An engine that keeps no connection; *late* tells SQLite when a limit is passed.

    Raises Refused for a database or a driver that is not to be had, Unreachable for a file of
    SQLite that is not there.
    """
    url = address(settings)
    limits = settings.timeout
    try:
        if url.get_dialect().is_async:
            raise Refused(
                f"{url.drivername} is a driver for programs that wait for many at once",
                where=where,
                mend=f"write {url.get_backend_name()}:// for the usual driver",
            )
        driver = url.get_driver_name()
        if driver == "pysqlite":
            opener = _opener(url, limits.connect, late, where)
            return sa.create_engine("sqlite://", creator=opener, poolclass=sa.NullPool)
        told = connecting(driver, limits)
        stated = {name: value for name, value in told.items() if name not in url.query}
        engine = sa.create_engine(
            url, connect_args=stated, poolclass=sa.NullPool, hide_parameters=True
        )
    except ImportError as error:
        raise _no_driver(url, error, where) from None
    except sa.exc.NoSuchModuleError:
        raise Refused(
            f"SQLAlchemy knows no database {url.drivername!r}",
            where=where,
            mend="correct the beginning of `url`, or install the package of that dialect",
        ) from None
    sa.event.listen(engine, "connect", lambda given, _: settle(driver, given, limits))
    return engine


def _no_driver(url: sa.URL, error: ImportError, where: str) -> Refused:
    name = error.name or str(error)
    return Refused(
        f"the driver of {manners_of(url.get_backend_name()).name} is not installed: {name}",
        where=where,
        mend=f"install {_PACKAGES.get(url.get_driver_name(), name)}",
    )


def _opener(
    url: sa.URL, patience: float, late: Callable[[], bool], where: str
) -> Callable[[], sqlite3.Connection]:
    """Opens a file of SQLite that must be there, and cannot be written.

    *patience*: seconds that a writer is waited for.
    """
    path = url.database or ""
    if not path or path.startswith((":memory:", "file:")):
        raise Refused(
            "an address of SQLite names a file",
            where=where,
            mend="write `sqlite:////path/of.db`, with four strokes before an absolute path",
        )
    file = Path(path).absolute()
    if not file.is_file():
        raise Unreachable("there is no such file of SQLite", where=where, mend="check `url`")

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{file.as_uri()}?mode=ro",
            uri=True,
            timeout=patience,
            isolation_level=None,
            check_same_thread=False,  # a run that is given up closes it from another thread
        )
        connection.set_progress_handler(late, _STEPS)
        return connection

    return opened
