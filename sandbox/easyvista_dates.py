"""Dates of the simulated EasyVista: stamps read, written, and what a search takes for one."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}([+-]\d\d:\d\d|Z)?")
_DAY: Final = timedelta(days=1)


def milliseconds(value: Any) -> int | None:
    """A stored stamp (ISO text, datetime, or milliseconds since 1970) as milliseconds since 1970.

    Without offset it is UTC. Raises ValueError on a text that is no stamp.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return value
    stamp = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return (stamp - _EPOCH) // _MILLISECOND


def local(instant: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since 1970 on the clock of *zone*; at the end of the calendar, of UTC."""
    stamp = _EPOCH + instant * _MILLISECOND
    try:
        return stamp.astimezone(zone)
    except OverflowError:
        return stamp


def writer(style: str, zone: ZoneInfo) -> Callable[[int], str]:
    """How a stamp is written: `offset`, `utc` or `locale` (knob `stamps`)."""
    if style == "utc":
        return lambda instant: (
            local(instant, ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.")
            + (f"{instant % 1000:03d}Z")
        )
    if style == "locale":
        return lambda instant: local(instant, zone).strftime("%d/%m/%Y %H:%M:%S")
    # 29 characters: before 1911 the offset of Paris has seconds, which ISO 8601 has not
    return lambda instant: local(instant, zone).isoformat(timespec="milliseconds")[:29]


@lru_cache(maxsize=4096)
def bound(text: str, zone: ZoneInfo) -> int | None:
    """What a search takes for an instant; None where the server rejects it (specs §5).

    A time without offset is read in another zone than the tenant's: UTC, where others see Paris.
    """
    try:
        if _DATE.fullmatch(text):
            midnight = datetime.combine(date.fromisoformat(text), datetime.min.time(), zone)
            return milliseconds(midnight)
        if _STAMP.fullmatch(text):
            return milliseconds(text)
    except (ValueError, OverflowError):
        return None
    return None


def day(text: str, zone: ZoneInfo) -> str | None:
    """What a search takes for a day, as YYYY-MM-DD; None where the server rejects it."""
    instant = bound(text, zone)
    return None if instant is None else local(instant, zone).date().isoformat()


def period(token: str, now: datetime) -> tuple[date, date] | None:
    """The days [first, last) of `today`, `last_week`…; weeks begin on Monday."""
    today = now.date()
    monday = today - today.weekday() * _DAY
    first = today.replace(day=1)
    after = (first + 31 * _DAY).replace(day=1)
    before = (first - _DAY).replace(day=1)
    year = today.replace(month=1, day=1)
    periods = {
        "today": (today, today + _DAY),
        "yesterday": (today - _DAY, today),
        "this_week": (monday, monday + 7 * _DAY),
        "last_week": (monday - 7 * _DAY, monday),
        "this_month": (first, after),
        "last_month": (before, first),
        "this_year": (year, year.replace(year=year.year + 1)),
        "last_year": (year.replace(year=year.year - 1), year),
    }
    return periods.get(token.lower())


# The letters of PHP's date() that `formatDate` is likely to be given.
_PHP: Final[dict[str, Callable[[datetime], str]]] = {
    "d": lambda at: f"{at:%d}",
    "j": lambda at: str(at.day),
    "D": lambda at: f"{at:%a}",
    "l": lambda at: f"{at:%A}",
    "N": lambda at: str(at.isoweekday()),
    "w": lambda at: str(at.isoweekday() % 7),
    "z": lambda at: str(at.timetuple().tm_yday - 1),
    "W": lambda at: f"{at.isocalendar().week:02d}",
    "m": lambda at: f"{at:%m}",
    "n": lambda at: str(at.month),
    "M": lambda at: f"{at:%b}",
    "F": lambda at: f"{at:%B}",
    "Y": lambda at: f"{at.year:04d}",
    "y": lambda at: f"{at:%y}",
    "H": lambda at: f"{at:%H}",
    "G": lambda at: str(at.hour),
    "h": lambda at: f"{at:%I}",
    "g": lambda at: str(at.hour % 12 or 12),
    "i": lambda at: f"{at:%M}",
    "s": lambda at: f"{at:%S}",
    "v": lambda at: f"{at.microsecond // 1000:03d}",
    "a": lambda at: f"{at:%p}".lower(),
    "A": lambda at: f"{at:%p}",
    "O": lambda at: f"{at:%z}",
    "P": lambda at: at.isoformat()[-6:],
    "U": lambda at: str(int(at.timestamp())),
}


def php_date(pattern: str, at: datetime) -> str:
    """*at* by a pattern of PHP's date(); a backslash makes a letter literal."""
    pieces = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    return "".join(
        literal or (_PHP[letter](at) if letter in _PHP else letter) for literal, letter in pieces
    )
