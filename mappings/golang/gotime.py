"""Times as Go writes them: layouts, zones, methods (`specs/driver-compat.md` §3.2)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from mappings.golang.template_values import Int, Named, fail
from mappings.zones import zone_named

TEXT_LAYOUT = "2006-01-02 15:04:05.999999999 -0700 MST"
JSON_LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Go's nextStdChunk, its alternatives in its order.
_CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|_(?=2006)|2|_2|__2|3|4|5"
    r"|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)",
    re.ASCII,
)


def formatted(time: datetime, layout: str) -> str:
    """A time under a Go layout; a naive time is in UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return _CHUNK.sub(lambda chunk: _written(aware, chunk[0]), layout)


def text(time: datetime) -> str:
    """`time.Time.String()`."""
    return formatted(time, TEXT_LAYOUT)


def _written(time: datetime, chunk: str) -> str:
    writer = _WRITERS.get(chunk)
    if writer:
        return writer(time)
    return _fraction(time, chunk) if chunk[0] in ".," else _offset(time, chunk)


def _year_day(time: datetime) -> int:
    return time.timetuple().tm_yday


def _fraction(time: datetime, chunk: str) -> str:
    digits = f"{time.microsecond:06}000"[: len(chunk) - 1].ljust(min(len(chunk) - 1, 9), "0")
    if chunk[1] == "0":
        return chunk[0] + digits
    digits = digits.rstrip("0")
    return chunk[0] + digits if digits else ""


def _seconds_from_utc(time: datetime) -> int:
    return int((time.utcoffset() or timedelta()).total_seconds())


def _offset(time: datetime, chunk: str) -> str:
    seconds = _seconds_from_utc(time)
    if chunk[0] == "Z" and seconds == 0:
        return "Z"
    # Go divides towards zero: an offset of less than a minute west of UTC is +00.
    minutes = int(seconds / 60)
    written = ("-" if minutes < 0 else "+") + f"{abs(minutes) // 60:02}"
    colon = ":" if ":" in chunk else ""
    if len(chunk) > 3:
        written += f"{colon}{abs(minutes) % 60:02}"
    if chunk.endswith(("0000", "00:00")):
        written += f"{colon}{abs(seconds) % 60 if minutes < 0 else seconds % 60:02}"
    return written


def _zone_name(time: datetime) -> str:
    name = time.tzname() or ""
    if not name or (name.startswith("UTC") and len(name) > 3):  # a fixed offset has no name in Go
        return _offset(time, "-0700")
    return name


_WRITERS: dict[str, Callable[[datetime], str]] = {
    "January": lambda time: _MONTHS[time.month - 1],
    "Jan": lambda time: _MONTHS[time.month - 1][:3],
    "Monday": lambda time: _DAYS[time.weekday()],
    "Mon": lambda time: _DAYS[time.weekday()][:3],
    "MST": _zone_name,
    "01": lambda time: f"{time.month:02}",
    "1": lambda time: str(time.month),
    "02": lambda time: f"{time.day:02}",
    "2": lambda time: str(time.day),
    "_2": lambda time: f"{time.day:2}",
    "002": lambda time: f"{_year_day(time):03}",
    "__2": lambda time: f"{_year_day(time):3}",
    "03": lambda time: f"{time.hour % 12 or 12:02}",
    "3": lambda time: str(time.hour % 12 or 12),
    "15": lambda time: f"{time.hour:02}",
    "04": lambda time: f"{time.minute:02}",
    "4": lambda time: str(time.minute),
    "05": lambda time: f"{time.second:02}",
    "5": lambda time: str(time.second),
    "06": lambda time: f"{time.year % 100:02}",
    "2006": lambda time: f"{time.year:04}",
    "PM": lambda time: "PM" if time.hour >= 12 else "AM",
    "pm": lambda time: "pm" if time.hour >= 12 else "am",
    "_": lambda _: "_",
}


def zone(name: str) -> tzinfo | None:
    """The zone of a name of the tz database, None when there is none."""
    if name in ("UTC", "Local"):  # "Local" is UTC where Canopsis runs
        return UTC
    return zone_named(name)


def moved(time: datetime, to: tzinfo) -> datetime | None:
    """The time in another zone, None where that leaves the years 1 to 9999."""
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(to)
    except OverflowError:
        return None


class _Int64(int):
    """An int64 that is no number of a record: those are made float64."""


def _microseconds(time: datetime) -> int:
    since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


_METHODS: dict[str, Callable[[datetime], Any]] = {
    "Year": lambda time: Int(time.year),
    "Month": lambda time: Named(time.month, _MONTHS[time.month - 1], "time.Month"),
    "Day": lambda time: Int(time.day),
    "Hour": lambda time: Int(time.hour),
    "Minute": lambda time: Int(time.minute),
    "Second": lambda time: Int(time.second),
    "Nanosecond": lambda time: Int(time.microsecond * 1000),
    "YearDay": lambda time: Int(_year_day(time)),
    "Weekday": lambda time: Named((time.weekday() + 1) % 7, _DAYS[time.weekday()], "time.Weekday"),
    "Unix": lambda time: _Int64(_microseconds(time) // 1_000_000),
    "UnixMilli": lambda time: _Int64(_microseconds(time) // 1000),
    "UnixMicro": lambda time: _Int64(_microseconds(time)),
    "UnixNano": lambda time: _Int64(_microseconds(time) * 1000),
    "String": text,
    "UTC": lambda time: moved(time, UTC),
    "Local": lambda time: moved(time, UTC),
    "IsZero": lambda time: moved(time, UTC) == datetime(1, 1, 1, tzinfo=UTC),
}


def method(time: datetime, name: str, *args: Any) -> Any:
    """`.name` of a time.Time with its arguments: what a template may want of it."""
    if name == "Format":
        if len(args) != 1:
            fail(f"wrong number of args for Format: want 1 got {len(args)}")
        if not isinstance(args[0], str):
            fail("wrong type for value; expected string")
        return formatted(time, args[0])
    if name not in _METHODS:
        fail(f"can't evaluate field {name} in type time.Time")
    if args:
        fail(f"wrong number of args for {name}: want 0 got {len(args)}")
    return _METHODS[name](time)
