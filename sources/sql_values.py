"""Rows of a database as records: every value as JSON has it, or the row is a reject."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from math import isfinite
from operator import is_
from typing import Any, Final
from uuid import UUID

from sources.base import Page, Record, Reject
from sources.verdict import sample

_PLAIN: Final = frozenset({str, int, bool, type(None)})

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Odd:
    """Stands for a value that JSON cannot hold; `reason` is told after the name of its column."""

    reason: str


class Recorder:
    """Makes the pages of one dataset.

    `columns` are the names of the values of each row. `pure`: the database holds no text with a
    NUL or half a character in it (PostgreSQL), so that texts are not looked at.
    """

    def __init__(
        self, dataset: str, columns: Sequence[str], secrets: tuple[str, ...], *, pure: bool
    ) -> None:
        self._dataset = dataset
        self._columns = tuple(columns)
        self._secrets = secrets
        self._pure = pure

    def page(self, rows: Sequence[Row], first: int) -> Page:
        """The records of *rows*, the first of which is the *first*-th of its dataset."""
        if self._pure and {*map(type, chain.from_iterable(rows))} <= _PLAIN:
            return Page(first, self._records(rows))
        read = list(zip(*rows, strict=True))
        values = [_converted(column, pure=self._pure) for column in read]
        if all(map(is_, read, values)):
            return Page(first, self._records(rows))
        records = self._records(zip(*values, strict=True))
        odd: dict[int, str] = {}
        for name, column in zip(self._columns, values, strict=True):
            for rank, value in enumerate(column) if Odd in {*map(type, column)} else ():
                if type(value) is Odd:
                    odd.setdefault(rank, f"column {name!r}: {value.reason}")
        if not odd:
            return Page(first, records)
        rejects = tuple(
            Reject(self._dataset, first + rank, reason, self._sample(rows[rank]))
            for rank, reason in odd.items()
        )
        kept = [record for rank, record in enumerate(records) if rank not in odd]
        return Page(first, kept, tuple(sorted(rejects, key=lambda reject: reject.number)))

    def _records(self, rows: Any) -> list[Record]:
        columns = self._columns
        # the widths are known to be equal
        return [dict(zip(columns, row)) for row in rows]  # noqa: B905

    def _sample(self, row: Row) -> str:
        words = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._columns, row, strict=True)
        )
        return sample(words.encode(errors="backslashreplace"), self._secrets)


def _converted(column: Sequence[Any], *, pure: bool) -> Sequence[Any]:
    """The values of one column, those that JSON cannot hold replaced by an Odd."""
    kinds = {*map(type, column)}
    if not kinds <= _PLAIN:
        return [_plain(value) for value in column]
    if pure or str not in kinds:
        return column
    texts = column if len(kinds) == 1 else [each for each in column if type(each) is str]
    return column if _odd_text("".join(texts)) is None else [_plain(value) for value in column]


def _plain(value: Any) -> Any:
    """*value* as JSON has it, or the Odd that says why it has none."""
    kind = type(value)
    convert = _CONVERSIONS.get(kind)
    if convert is not None:
        return convert(value)
    if kind in _PLAIN:
        return value
    for base, conversion in _CONVERSIONS.items():
        if isinstance(value, base):
            return conversion(value)
    return Odd(f"{kind.__name__} has no form in JSON; mend: cast it to a text in the SELECT")


def _odd_text(text: str) -> Odd | None:
    if "\0" in text:
        return Odd("a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        return Odd("half a character in a text")
    return None


def _text(value: str) -> str | Odd:
    return _odd_text(value) or value


def _fraction(value: float) -> float | str:
    """JSON has no infinity: it is told in words, as PostgreSQL does."""
    if isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - only NaN differs from itself


def moment(value: datetime) -> str:
    """ISO 8601; in UTC where it has a zone, whatever the zone of the session."""
    if value.tzinfo is None:
        return value.isoformat()
    try:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:  # at the ends of the calendar
        return value.isoformat()


def _duration(value: timedelta) -> str:
    """`-26:00:05.500000`: what MySQL calls a TIME, which may exceed a day and be negative."""
    size = abs(value)
    seconds = size.days * 86_400 + size.seconds
    fraction = f".{size.microseconds:06}" if size.microseconds else ""
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"
    return f"-{clock}" if value < timedelta() else clock


def _list(values: Sequence[Any]) -> list[Any] | Odd:
    made = [_plain(value) for value in values]
    return next((each for each in made if type(each) is Odd), made)


def _object(values: dict[Any, Any]) -> dict[str, Any] | Odd:
    made = {str(key): _plain(value) for key, value in values.items()}
    found = (each for each in made.values() if type(each) is Odd)
    return _odd_text("".join(made)) or next(found, made)


# The exact kind first, then these in their order: a datetime is a date too.
_CONVERSIONS: Final[dict[type, Callable[[Any], Any]]] = {
    str: _text,
    float: _fraction,
    Decimal: lambda value: format(value, "f"),
    datetime: moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _duration,
    UUID: str,
    bytes: bytes.hex,
    bytearray: bytearray.hex,
    memoryview: memoryview.hex,
    dict: _object,
    list: _list,
    tuple: _list,
}
