"""Rows of a database as records: every value as JSON has it, or the row is a reject."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
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

    `columns` are the names of the values of each row, `sure` those whose driver gives nothing but
    what JSON has: they are not looked at.
    """

    def __init__(
        self,
        dataset: str,
        columns: Sequence[str],
        secrets: tuple[str, ...],
        *,
        sure: Collection[str] = (),
    ) -> None:
        self._dataset = dataset
        self._columns = tuple(columns)
        self._secrets = secrets
        self._doubtful = [rank for rank, name in enumerate(columns) if name not in sure]

    def page(self, rows: Sequence[Row], first: int) -> Page:
        """The records of *rows*, the first of which is the *first*-th of its dataset."""
        changed: dict[int, Sequence[Any]] = {}
        read = list(zip(*rows, strict=True)) if self._doubtful else []
        for rank in self._doubtful:
            values = _converted(read[rank])
            if values is not read[rank]:
                changed[rank] = values
        if not changed:
            return Page(first, self._records(rows))
        records = self._records(
            zip(*(changed.get(rank, column) for rank, column in enumerate(read)), strict=True)
        )
        odd: dict[int, str] = {}
        for column, values in changed.items():
            for rank, value in enumerate(values) if Odd in {*map(type, values)} else ():
                if type(value) is Odd:
                    odd.setdefault(rank, f"column {self._columns[column]!r}: {value.reason}")
        if not odd:
            return Page(first, records)
        rejects = tuple(
            Reject(self._dataset, first + rank, odd[rank], self._sample(rows[rank]))
            for rank in sorted(odd)
        )
        return Page(first, [each for rank, each in enumerate(records) if rank not in odd], rejects)

    def _records(self, rows: Any) -> list[Record]:
        columns = self._columns
        # the widths are known to be equal
        return [dict(zip(columns, row)) for row in rows]  # noqa: B905

    def _sample(self, row: Row) -> str:
        words = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._columns, row, strict=True)
        )
        return sample(words.encode(errors="backslashreplace"), self._secrets)


def _converted(column: Sequence[Any]) -> Sequence[Any]:
    """The values of one column, those that JSON cannot hold replaced by an Odd; or itself."""
    try:
        text = "".join(column)  # one pass tells that all are texts, and whether any is odd
    except TypeError:
        kinds = {*map(type, column)}
        if not kinds <= _PLAIN:
            return [_plain(value) for value in column]
        if str not in kinds:
            return column
        text = "".join(each for each in column if type(each) is str)
    return column if _odd_text(text) is None else [_plain(value) for value in column]


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
