"""Slices of a dataset: ranges of its key, with open ends, whose bounds the database itself gives.

Rows without a key are in the first slice. The database compares keys in the order in which it gave
the bounds, so that slices are disjoint and together the whole, whatever the rows have become.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sources.base import Slice
from sources.errors import Refused

# By kind of key: how a bound is written into a slice, and read again, in another process too.
_KINDS: Final[Mapping[str, tuple[type, Callable[[str], Any]]]] = {
    "int": (int, int),
    "str": (str, str),
    "Decimal": (Decimal, Decimal),
    "float": (float, float),
    "UUID": (UUID, UUID),
    "datetime": (datetime, datetime.fromisoformat),
    "date": (date, date.fromisoformat),
}

# By kind of key that an id can name: how a text becomes one.
_NAMED: Final[Mapping[str, Callable[[str], Any]]] = {
    **{kind: read for kind, (_, read) in _KINDS.items() if kind != "float"},
    **dict.fromkeys(("smallint", "integer", "bigint"), int),
    **dict.fromkeys(("text", "character varying", "character", "name"), str),
    **dict.fromkeys(
        ("timestamp without time zone", "timestamp with time zone"), datetime.fromisoformat
    ),
    "numeric": Decimal,
    "uuid": UUID,
}


def percentiles(rows: str, key: str, parts: int) -> str:
    """A SELECT of the lowest key of each of *parts* equal parts, and of the number of all rows.

    *rows* is the SELECT that is cut, *key* the name of its column, quoted. Window functions alone:
    some databases know no least of what they can put in order (PostgreSQL: uuid).
    """
    divided = (
        f"SELECT {key} AS feed_key, ntile({parts:d}) OVER (ORDER BY {key}) AS feed_part "  # noqa: S608 - a quoted name and a number
        f"FROM (\n{rows}\n) feed WHERE {key} IS NOT NULL"
    )
    beside = (
        "SELECT feed_key, feed_part, count(*) OVER () AS feed_rows, "  # noqa: S608 - made above
        "lag(feed_part) OVER (ORDER BY feed_part, feed_key) AS feed_before "
        f"FROM (\n{divided}\n) parts"
    )
    return (
        f"SELECT feed_key, feed_rows FROM (\n{beside}\n) firsts "  # noqa: S608 - made above
        "WHERE feed_before IS NULL OR feed_before <> feed_part ORDER BY feed_part"
    )


def cut(lows: Sequence[Any]) -> tuple[Slice, ...]:
    """Slices that begin at *lows*, the first of which is open; one where bounds cannot be told."""
    bounds = list(dict.fromkeys(map(_written, lows[1:])))
    if lows and _written(lows[0]) in bounds:  # one key fills more than a part
        bounds.remove(_written(lows[0]))
    if None in bounds:
        bounds = []
    ends = ["", *(each for each in bounds if each), ""]
    of = len(ends) - 1
    return tuple(Slice(rank, of, ends[rank], ends[rank + 1]) for rank in range(of))


def conditions(part: Slice, key: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The conditions on the quoted *key* that keep the rows of a slice, and their parameters."""
    told: list[str] = []
    bounds = {}
    if part.low:
        told.append(f"{key} >= :slice_low")
        bounds["slice_low"] = _read(part.low)
    if part.high:
        below = f"{key} < :slice_high"
        told.append(below if part.low else f"{below} OR {key} IS NULL")
        bounds["slice_high"] = _read(part.high)
    return tuple(told), bounds


def keys_of(kind: str, ids: Iterable[str], key: str, where: str) -> list[Any]:
    """*ids* as values of *kind*, a type of Python or of PostgreSQL; what is none names no row.

    Raises Refused for a *key* of a kind that no text names with certainty.
    """
    read = _NAMED.get(kind)
    if read is None:
        raise Refused(
            f"rows cannot be named by {key}, which is of type {kind}",
            where=where,
            mend="cast it to a text in the SELECT",
        )
    found: list[Any] = []
    for each in sorted(ids):
        with suppress(ValueError, ArithmeticError):
            found.append(read(each))
    return found


def _written(value: Any) -> str | None:
    kind = type(value).__name__
    if kind not in _KINDS or type(value) is not _KINDS[kind][0]:
        return None
    text = value.isoformat() if isinstance(value, date) else str(value)
    return json.dumps([kind, text], ensure_ascii=False)


def _read(bound: str) -> Any:
    kind, text = json.loads(bound)
    return _KINDS[kind][1](text)
