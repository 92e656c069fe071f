"""What each kind of database is told before it is read: to write nothing, one snapshot, limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from sources.sql_connection import SqlTimeouts
from sources.sql_values import moment

# SQL Server's `datetime` knows no day before; nothing that is read was modified then.
_ALWAYS: Final = datetime(1753, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Manners:
    """One kind of database; one that is not known is given none of it, and said to lack it.

    `read_only`: its transactions refuse to write; others are rolled back. `snapshot`: all that a
    transaction reads is of one moment. `options` are execution options of SQLAlchemy, `opening`
    the statements a transaction begins with, of the server's (version, MariaDB or not) and the
    limits; `user` asks who we are, `proof` whether the transaction is read-only (1 or on).
    `drains`: a cursor that is closed reads all its rows first. `bound`: a moment as a parameter.
    `type_of` asks for the type of a column, where what is read does not tell it.
    """

    name: str
    read_only: bool = False
    snapshot: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    opening: Callable[[Any, SqlTimeouts], tuple[str, ...]] = lambda *_: ()
    user: str = ""
    proof: str = ""
    drains: bool = False
    type_of: str = ""
    bound: Callable[[datetime], Any] = lambda each: each.astimezone(UTC).replace(tzinfo=None)

    def window(self, since: datetime | None, until: datetime | None) -> dict[str, Any]:
        """The parameters of a window; an end that is not stated leaves nothing out."""
        return {"since": self.bound(since or _ALWAYS), "until": self.bound(until or _NEVER)}


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _postgresql(_: Any, limits: SqlTimeouts) -> tuple[str, ...]:
    limit = _ms(min(limits.statement, limits.total))
    # The order of days and months in dates that the SELECT writes stays that of the server.
    return f"SET LOCAL statement_timeout = {limit}", "SET LOCAL datestyle = ISO"


def _mysql(dialect: Any, limits: SqlTimeouts) -> tuple[str, ...]:
    """The SELECT runs as long as its rows are fetched: its limit is that of the whole reading."""
    begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    if dialect.is_mariadb:
        return (f"SET SESSION max_statement_time = {limits.total:g}", begin)
    if dialect.server_version_info >= (5, 7, 8):
        return (f"SET SESSION max_execution_time = {_ms(limits.total)}", begin)
    return (begin,)


def _sqlite(*_: Any) -> tuple[str, ...]:
    return "PRAGMA query_only = ON", "BEGIN"


def _oracle(*_: Any) -> tuple[str, ...]:
    return ("SET TRANSACTION READ ONLY",)


_REPEATABLE: Final = {"isolation_level": "REPEATABLE READ"}
_MYSQL: Final[dict[str, Any]] = {
    "read_only": True,
    "snapshot": True,
    "options": _REPEATABLE,
    "opening": _mysql,
    "drains": True,
    "user": "SELECT CURRENT_USER()",
}

_MANNERS: Final = {
    "postgresql": Manners(
        "PostgreSQL",
        read_only=True,
        snapshot=True,
        options={**_REPEATABLE, "postgresql_readonly": True},
        opening=_postgresql,
        user="SELECT current_user",
        proof="SELECT current_setting('transaction_read_only')",
        type_of="CAST(pg_typeof({}) AS text)",
        bound=lambda each: each.astimezone(UTC),
    ),
    "sqlite": Manners(
        "SQLite",
        read_only=True,
        snapshot=True,
        # SQLAlchemy would make `name` of a column called `site.name`
        options={"sqlite_raw_colnames": True},
        opening=_sqlite,
        proof="PRAGMA query_only",
        bound=moment,
    ),
    "mysql": Manners("MySQL", **_MYSQL),
    "mariadb": Manners("MariaDB", **_MYSQL),
    "oracle": Manners(
        "Oracle", read_only=True, snapshot=True, opening=_oracle, user="SELECT USER FROM DUAL"
    ),
    "mssql": Manners("SQL Server", user="SELECT SUSER_SNAME()"),
}


def manners_of(backend: str) -> Manners:
    return _MANNERS.get(backend) or Manners(backend)


def _libpq(limits: SqlTimeouts) -> dict[str, Any]:
    """Beside the limits, a server that is gone without a word is noticed within a minute."""
    return {
        "connect_timeout": max(2, ceil(limits.connect)),
        "application_name": "refsync",
        "client_encoding": "utf8",
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


def _mysql_client(limits: SqlTimeouts) -> dict[str, Any]:
    return {"connect_timeout": ceil(limits.connect), "read_timeout": ceil(limits.statement)}


_CONNECTING: Final[dict[str, Callable[[SqlTimeouts], dict[str, Any]]]] = {
    "psycopg": _libpq,
    "psycopg2": _libpq,
    "pymysql": _mysql_client,
    "mysqldb": _mysql_client,
    "mariadbconnector": _mysql_client,
    "mysqlconnector": lambda limits: {"connection_timeout": ceil(limits.connect)},
    "oracledb": lambda limits: {"tcp_connect_timeout": limits.connect},
    "pyodbc": lambda limits: {"timeout": ceil(limits.connect)},
    "pymssql": lambda limits: {
        "login_timeout": ceil(limits.connect),
        "timeout": ceil(limits.statement),
    },
}


def connecting(driver: str, limits: SqlTimeouts) -> dict[str, Any]:
    """What a driver is told when it connects, in the words of its own `connect`."""
    told = _CONNECTING.get(driver)
    return told(limits) if told else {}


def settle(driver: str, connection: Any, limits: SqlTimeouts) -> None:
    """Set what is an attribute of a connection once it is there."""
    if driver in {"oracledb", "cx_oracle"}:
        connection.call_timeout = _ms(limits.statement)  # of one round trip
    elif driver == "pyodbc":
        connection.timeout = ceil(limits.statement)
    elif driver == "psycopg":
        from sources import sql_postgresql  # noqa: PLC0415 - psycopg may not be installed

        sql_postgresql.load_as_texts(connection)


def sure(driver: str, description: Sequence[Sequence[Any]]) -> frozenset[str]:
    """The columns of a cursor whose values are as JSON has them, whatever they are."""
    if driver != "psycopg":
        return frozenset()
    from sources import sql_postgresql  # noqa: PLC0415 - psycopg may not be installed

    return frozenset(name for name, kind, *_ in description if kind in sql_postgresql.PLAIN)
