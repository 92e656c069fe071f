"""How psycopg gives values: as texts without loss, where its own types would lose or refuse some.

A date of `infinity`, or before year 1, makes psycopg refuse the whole page; one month becomes 30
days; ranges and addresses become objects. Here each is the text that PostgreSQL writes.
"""

from datetime import datetime
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


_PLAIN: Final = ("bool", "int2", "int4", "int8", "oid", "text", "varchar", "bpchar", "name")
_MOMENTS: Final = ("timestamp", "timestamptz", "date")

# The types (by their number) that arrive as texts, whole numbers or truth values. PostgreSQL holds
# no text with a NUL or half a character, but in `json`, which is a text of its own kind.
PLAIN: Final = frozenset(psycopg.adapters.types[name].oid for name in (*_TEXTS, *_PLAIN, *_MOMENTS))


class _MomentLoader(Loader):
    """A date or a moment as ISO 8601 has it, else as PostgreSQL writes it."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        kind = psycopg.adapters.get_loader(oid, Format.TEXT)
        if kind is None:
            raise LookupError(f"psycopg reads no type {oid}")
        self._load = kind(oid, context).load

    def load(self, data: Buffer) -> str:
        text = str(data, "ascii")
        # Most are written so (DateStyle ISO, no fraction, UTC): a tenth of the cost.
        if text[4:5] == "-":
            if len(text) == 10:
                return text
            if len(text) == 19:
                return f"{text[:10]}T{text[11:]}"
            if len(text) == 22 and text[19:] == "+00":
                return f"{text[:10]}T{text[11:19]}Z"
        try:
            value = self._load(data)
        except psycopg.DataError:  # `infinity`, or a year that Python has not
            return text
        return moment(value) if isinstance(value, datetime) else str(value.isoformat())


def load_as_texts(connection: psycopg.Connection[Any]) -> None:
    """From now on *connection* gives these types as texts; lists hold them too."""
    for name in _TEXTS:
        connection.adapters.register_loader(name, TextLoader)
    for name in _MOMENTS:
        connection.adapters.register_loader(name, _MomentLoader)
