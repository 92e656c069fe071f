"""A database opened for reading: one connection, one transaction that writes nothing, limits."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
import stamina

from sources.errors import Unreachable
from sources.sql_connection import SqlConnection, SqlTimeouts
from sources.sql_engine import address, engine_of, shown
from sources.sql_manners import manners_of, sure
from sources.sql_values import Row
from sources.sql_verdict import judge

T = TypeVar("T")


@dataclass(slots=True)
class Clock:
    """How long a statement and the whole reading may still take; `late` says what was passed."""

    limits: SqlTimeouts
    late: str = ""
    _end: float = 0.0
    _statement_end: float = 0.0

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
        url = address(settings)
        self.where = ", ".join(part for part in (shown(url), place) if part)
        self.manners = manners_of(url.get_backend_name())
        self._settings = settings
        self._secrets = settings.secrets
        self._clock = Clock(settings.timeout)
        self._engine = engine_of(settings, self._clock.look, self.where)
        self._errors = _errors(self._engine)
        self._connection: sa.Connection | None = None
        self._watch: threading.Timer | None = None
        self._result: sa.CursorResult[Any] | None = None  # while it has rows
        self._failed = False

    @property
    def driver(self) -> str:
        return self._engine.dialect.driver

    @property
    def version(self) -> str:
        """`PostgreSQL 18.4`."""
        dialect = self._engine.dialect
        name = "MariaDB" if getattr(dialect, "is_mariadb", False) else self.manners.name
        return f"{name} {'.'.join(map(str, dialect.server_version_info or ()))}".strip()

    @property
    def _open(self) -> sa.Connection:
        if self._connection is None:
            raise RuntimeError("the reading has not begun")
        return self._connection

    def begin(self) -> None:
        """Connect, again after an outage, and begin the transaction."""
        self._clock.start()
        for attempt in stamina.retry_context(
            on=Unreachable,
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=1,
            wait_max=10,
            wait_jitter=1,
        ):
            with attempt:
                self._connection = self.ask(self._connected)
        self._watch_over()
        self.ask(lambda: self._open.execution_options(**self.manners.options))
        for statement in self.manners.opening(self._engine.dialect, self._settings.timeout):
            self.ask(partial(self._open.exec_driver_sql, statement)).close()

    def end(self) -> None:
        """Undo the transaction and leave; what is lost already has nothing to be closed."""
        if self._watch is not None:
            self._watch.cancel()
        if self._connection is not None:
            with contextlib.suppress(*self._errors):
                self._leave(self._connection)
            with contextlib.suppress(*self._errors):
                self._connection.close()
        self._engine.dispose()

    def value(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first value of the first row."""
        return self.rows(statement, parameters or {})[0][0]

    def rows(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        """All the rows of a statement that has few."""
        return self.ask(lambda: self._open.execute(sa.text(statement), dict(parameters)).all())

    def columns(self, statement: str, parameters: Mapping[str, Any]) -> list[str]:
        """The names of the columns of a statement without rows."""

        def described() -> list[str]:
            with self._open.execute(sa.text(statement), dict(parameters)) as result:
                return list(result.keys())

        return self.ask(described)

    def stream(self, statement: str, parameters: Mapping[str, Any], size: int) -> "Stream":
        """The rows of *statement*, *size* of them a page."""
        connection = self._open.execution_options(stream_results=True, max_row_buffer=size)
        result = self.ask(lambda: connection.execute(sa.text(statement), dict(parameters)))
        self._result = result
        return Stream(self, result, size)

    def at_end(self) -> None:
        """The cursor has no row left."""
        if self._result is not None:
            self.ask(self._result.close)
            self._result = None

    def quoted(self, name: str) -> str:
        """The name of a column as this database wants it, in the notation of `sqlalchemy.text`.

        SQLAlchemy doubles a percent sign for some drivers, and again when the text is run.
        """
        quoted = self._engine.dialect.identifier_preparer.quote(name.replace("%", "\0"))
        return quoted.replace("\0", "%").replace(":", r"\:")

    def ask(self, doing: Callable[[], T]) -> T:
        """What *doing* gives inside the limits; what it raises is told as an error of sources."""
        self._clock.next()
        try:
            if self._clock.look():
                raise sa.exc.TimeoutError(self._clock.late)
            return doing()
        except self._errors as error:
            self._failed = True
            self._clock.look()
            failure = judge(error, where=self.where, secrets=self._secrets)
            if self._clock.late:
                mend = "raise that limit of the connection, or ask for less: fewer rows, slices"
                failure = Unreachable(self._clock.late, where=self.where, mend=mend)
        # Raised out of the handler: the context might hold an address with its secrets.
        raise failure

    def _connected(self) -> sa.Connection:
        try:
            return self._engine.connect()
        except TypeError as error:  # how drivers written in Python refuse an option of the URL
            raise sa.exc.ArgumentError(f"the driver takes no such option: {error}") from error

    def _leave(self, connection: sa.Connection) -> None:
        """Close the cursor that has rows left, and what cannot be used any more."""
        cursor = self._result.cursor if self._result is not None else None
        if cursor is not None and not self.manners.drains:
            with contextlib.suppress(*self._errors):
                cursor.close()
        if self._failed or cursor is not None:
            connection.invalidate()

    def _watch_over(self) -> None:
        """A server that has stopped never says that a limit is passed: at the end, hang up."""
        given = self._open.connection.driver_connection
        if self.driver in {"psycopg", "psycopg2"} and given is not None:
            self._watch = threading.Timer(self._settings.timeout.total, _hang_up, [given])
            self._watch.daemon = True
            self._watch.start()


class Stream:
    """The rows of one SELECT, fetched page by page from a cursor that the server holds.

    `sure`: the columns whose values are as JSON has them, whatever they are.
    """

    def __init__(self, database: Reading, result: sa.CursorResult[Any], size: int) -> None:
        self.columns = tuple(result.keys())
        self._begun = False
        self.sure = sure(database.driver, result.cursor.description or () if result.cursor else ())
        self._database = database
        self._result = result
        self._size = size

    def page(self) -> Sequence[Row]:
        """The next rows; none after the last one. Raises what the database says.

        SQLAlchemy has read one row to know the columns. Past it the rows come from the driver: as
        objects of SQLAlchemy they would cost a sixth of the reading.
        """
        cursor = self._result.cursor
        if self._begun and cursor is not None:
            return self._database.ask(lambda: cursor.fetchmany(self._size))
        self._begun = True
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


def _errors(engine: sa.Engine) -> tuple[type[Exception], ...]:
    """What SQLAlchemy and the driver raise, the latter also for values that Python has not."""
    driver = engine.dialect.dbapi
    own: tuple[type[Exception], ...] = () if driver is None else (driver.Error,)
    return sa.exc.SQLAlchemyError, ValueError, ArithmeticError, *own


def _hang_up(connection: Any) -> None:
    with contextlib.suppress(Exception):  # it may be closed by now, in any state
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as line:
            line.shutdown(socket.SHUT_RDWR)
