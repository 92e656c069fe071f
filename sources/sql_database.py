"""A database opened for reading: one connection, one transaction that writes nothing, limits."""

import contextlib
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
import stamina

from sources.errors import Refused, Unreachable
from sources.sql_connection import SqlConnection, SqlTimeouts
from sources.sql_manners import connecting, manners_of, settle
from sources.sql_values import Row
from sources.sql_verdict import judge

T = TypeVar("T")

_STEPS: Final = 10_000  # instructions of SQLite between two looks at the clock
_SHOWN: Final = frozenset({"host", "port", "service_name"})  # the rest of a query may be secret
_PACKAGES: Final = {
    "psycopg": "refsync with its extra: refsync[postgres]",
    "psycopg2": "psycopg2-binary, or write postgresql://",
    "mysqldb": "mysqlclient; or pymysql, and write mysql+pymysql://",
}


@dataclass(slots=True)
class Clock:
    """How long a statement and the whole reading may still take; `late` says what was passed."""

    limits: SqlTimeouts
    _end: float = 0.0
    _statement_end: float = 0.0
    late: str = ""

    def start(self) -> None:
        self._end = time.monotonic() + self.limits.total

    def next(self) -> None:
        """A statement, or a page of its rows, is asked for."""
        self._statement_end = time.monotonic() + self.limits.statement

    def look(self) -> bool:
        """Whether a limit is passed."""
        now = time.monotonic()
        if now > self._end:
            self.late = f"the reading is not over after {self.limits.total:g} s (`timeout.total`)"
        elif now > self._statement_end:
            limit = self.limits.statement
            self.late = f"a statement is not done after {limit:g} s (`timeout.statement`)"
        return bool(self.late)


class Reading:
    """One transaction. Every method raises Unreachable, Refused or Unreadable."""

    def __init__(self, settings: SqlConnection, place: str) -> None:
        url = _url(settings)
        self.where = ", ".join(part for part in (shown(url), place) if part)
        self.manners = manners_of(url.get_backend_name())
        self._settings = settings
        self._secrets = settings.secrets
        self._clock = Clock(settings.timeout)
        self._driver = ""
        self._engine = self._made(url)
        self._connection: sa.Connection | None = None
        self._watch: threading.Timer | None = None
        self._result: sa.CursorResult[Any] | None = None  # while it has rows

    @property
    def open(self) -> sa.Connection:
        if self._connection is None:
            raise RuntimeError("the reading has not begun")
        return self._connection

    @property
    def version(self) -> str:
        dialect = self.open.dialect
        name = "MariaDB" if getattr(dialect, "is_mariadb", False) else self.manners.name
        return f"{name} {'.'.join(map(str, dialect.server_version_info or ()))}".strip()

    def begin(self) -> None:
        """Connect, and begin the transaction."""
        retries = stamina.retry_context(
            on=Unreachable,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=1,
            wait_max=10,
            wait_jitter=1,
        )
        self._clock.start()
        for attempt in retries:
            with attempt:
                self._connection = self.ask(self._engine.connect)
        self._watch_over()
        self.ask(lambda: self.open.execution_options(**self.manners.options))
        for statement in self.manners.opening(self.open.dialect, self._settings.timeout):
            self.ask(partial(self._tell, statement))

    def end(self) -> None:
        """Undo the transaction and leave; a cursor that is not at its end is left with it."""
        if self._watch is not None:
            self._watch.cancel()
        if self._connection is not None:
            # what was read to its end, or lost, has nothing to be closed
            with contextlib.suppress(sa.exc.SQLAlchemyError, self._engine.dialect.dbapi.Error):
                if self._result is not None and self.manners.drains:
                    self._connection.invalidate()
                elif self._result is not None:
                    self._result.close()
                self._connection.close()
        self._engine.dispose()

    def _tell(self, statement: str) -> None:
        self.open.exec_driver_sql(statement).close()

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """All the rows of a statement that has few."""
        return self.ask(lambda: self.open.execute(sa.text(statement), dict(parameters or {})).all())

    def value(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first value of the first row."""
        return self.rows(statement, parameters)[0][0]

    def columns(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[str]:
        """The names of the columns of a statement without rows."""

        def described() -> list[str]:
            with self.open.execute(sa.text(statement), dict(parameters or {})) as result:
                return list(result.keys())

        return self.ask(described)

    def stream(self, statement: str, parameters: Mapping[str, Any], size: int) -> "Stream":
        """The rows of *statement*, *size* of them a page."""
        connection = self.open.execution_options(stream_results=True, max_row_buffer=size)
        result = self.ask(lambda: connection.execute(sa.text(statement), dict(parameters)))
        self._result = result
        return Stream(self, result, size)

    def at_end(self) -> None:
        """The cursor has no row left."""
        self._result = None

    def quoted(self, name: str) -> str:
        """The name of a column as this database wants it."""
        return self.open.dialect.identifier_preparer.quote(name)

    def ask(self, doing: Callable[[], T]) -> T:
        """What *doing* gives inside the limits; what it raises is told as an error of sources."""
        self._clock.next()
        try:
            if self._clock.look():
                raise sa.exc.TimeoutError(self._clock.late)
            return doing()
        except (sa.exc.SQLAlchemyError, UnicodeError) as error:
            self._clock.look()
            failure = judge(error, where=self.where, secrets=self._secrets)
            if self._clock.late:
                mend = "raise that limit of the connection, or ask for less: fewer rows, slices"
                failure = Unreachable(self._clock.late, where=self.where, mend=mend)
        # Raised out of the handler: the context might hold an address with its secrets.
        raise failure

    def _watch_over(self) -> None:
        """A server that has stopped never says that a limit is passed: at the end, hang up."""
        driver = self.open.connection.driver_connection
        if self._driver in {"psycopg", "psycopg2"} and driver is not None:
            self._watch = threading.Timer(self._settings.timeout.total, _hang_up, [driver])
            self._watch.daemon = True
            self._watch.start()

    def _made(self, url: sa.URL) -> sa.Engine:
        limits = self._settings.timeout
        try:
            if url.get_dialect().is_async:
                raise Refused(
                    f"{url.drivername} is a driver for programs that wait for many at once",
                    where=self.where,
                    mend=f"write {url.get_backend_name()}:// for the usual driver",
                )
            self._driver = url.get_driver_name()
            if self._driver == "pysqlite":
                return sa.create_engine(
                    "sqlite://", creator=self._opener(url), poolclass=sa.NullPool
                )
            told = connecting(self._driver, limits)
            stated = {name: value for name, value in told.items() if name not in url.query}
            engine = sa.create_engine(
                url, connect_args=stated, poolclass=sa.NullPool, hide_parameters=True
            )
        except ImportError as error:
            package = _PACKAGES.get(url.get_driver_name(), error.name or url.drivername)
            raise Refused(
                f"the driver of {self.manners.name} is not installed: {error.name or error}",
                where=self.where,
                mend=f"install {package}",
            ) from None
        except sa.exc.NoSuchModuleError:
            raise Refused(
                f"SQLAlchemy knows no database {url.drivername!r}",
                where=self.where,
                mend="correct the beginning of `url`, or install the package of that dialect",
            ) from None
        sa.event.listen(engine, "connect", lambda given, _: settle(self._driver, given, limits))
        return engine

    def _opener(self, url: sa.URL) -> Callable[[], sqlite3.Connection]:
        """Opens a file of SQLite that must be there, and cannot be written."""
        path = url.database or ""
        if not path or path.startswith((":memory:", "file:")):
            raise Refused(
                "an address of SQLite names a file",
                where=self.where,
                mend="write `sqlite:////path/of.db`, with four strokes before an absolute path",
            )
        file = Path(path).absolute()
        if not file.is_file():
            raise Unreachable(
                "there is no such file of SQLite", where=self.where, mend="check `url`, the mount"
            )

        def opened() -> sqlite3.Connection:
            connection = sqlite3.connect(
                f"{file.as_uri()}?mode=ro",
                uri=True,
                timeout=self._settings.timeout.connect,  # how long a writer is waited for
                isolation_level=None,
                check_same_thread=False,  # a slice is begun in one thread and read in another
            )
            connection.set_progress_handler(self._clock.look, _STEPS)
            return connection

        return opened


class Stream:
    """The rows of one SELECT, fetched page by page from a cursor that the server holds."""

    def __init__(self, database: "Reading", result: sa.CursorResult[Any], size: int) -> None:
        self.columns = tuple(result.keys())
        self._database = database
        self._result = result
        self._size = size

    def page(self) -> Sequence[Row]:
        """The next rows; none after the last one. Raises what the database says."""
        return self._database.ask(lambda: self._result.fetchmany(self._size))


@contextlib.contextmanager
def reading(settings: SqlConnection, place: str = "") -> Iterator[Reading]:
    """A transaction that is undone at the end; *place* of the job is told beside the address."""
    database = Reading(settings, place)
    try:
        database.begin()
        yield database
    finally:
        database.end()


def shown(url: sa.URL) -> str:
    """A URL that can be printed: no user, no password, no secret in its query."""
    query = {name: value for name, value in url.query.items() if name in _SHOWN}
    return sa.URL.create(
        url.drivername, host=url.host, port=url.port, database=url.database, query=query
    ).render_as_string()


def _url(settings: SqlConnection) -> sa.URL:
    url = sa.make_url(settings.address)
    if settings.password is not None:
        url = url.set(password=settings.password.get_secret_value())
    if url.drivername == "postgresql":  # what it stands for depends on SQLAlchemy's version
        url = url.set(drivername="postgresql+psycopg")
    return url


def _hang_up(connection: Any) -> None:
    with contextlib.suppress(Exception):  # it may be closed by now, in any state
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as line:
            line.shutdown(socket.SHUT_RDWR)
