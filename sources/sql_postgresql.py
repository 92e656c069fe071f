"""How psycopg gives values: as texts without loss, where its own types would lose or refuse some.

A date of `infinity`, or before year 1, makes psycopg refuse the whole page; one month becomes 30
days; ranges and addresses become objects. Here each is the text that PostgreSQL writes.
"""

from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.string import TextLoader

from sources.sql_values import moment

_RANGES: Final = ("int4", "int8", "num", "date", "ts", "tstz")
_TEXTS: Final = (
    *("numeric", "uuid", "interval", "time", "timetz", "inet", "cidr"),
    *(f"{kind}range" for kind in _RANGES),
    *(f"{kind}multirange" for kind in _RANGES),
)


class _IsoLoader(Loader):
    """A date or a moment as ISO 8601 has it, else as PostgreSQL writes it."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        kind = psycopg.adapters.get_loader(oid, Format.TEXT)
        if kind is None:
            raise LookupError(f"psycopg reads no type {oid}")
        self._load = kind(oid, context).load

    def load(self, data: Buffer) -> str:
        try:
            return self._iso(self._load(data))
        except psycopg.DataError:  # `infinity`, or a year that Python has not
            return bytes(data).decode()

    def _iso(self, value: Any) -> str:
        return moment(value)


class _DateLoader(_IsoLoader):
    def _iso(self, value: Any) -> str:
        return str(value.isoformat())


def load_as_texts(connection: psycopg.Connection[Any]) -> None:
    """From now on *connection* gives these types as texts; lists hold them too."""
    for name in _TEXTS:
        connection.adapters.register_loader(name, TextLoader)
    for name in ("timestamp", "timestamptz"):
        connection.adapters.register_loader(name, _IsoLoader)
    connection.adapters.register_loader("date", _DateLoader)
