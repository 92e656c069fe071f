"""Date-times of the platform: stored in UTC as `2024-03-31 01:30:00`, meant in the user's zone."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_STAMP: Final = "%Y-%m-%d %H:%M:%S"
UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
}
_GENERATED: Final = re.compile(r"""gs\.dateGenerate\(['"]([\d-]+)['"],\s*['"]([\d:]+)['"]\)""")
_DATE_PART: Final = re.compile(
    r"gs\.datePart\('(?P<part>\w+)',\s*'(?P<wanted>\w+)',\s*'(?P<sign>\w+)'\)", re.IGNORECASE
)
_SIGNS: Final[dict[str, Callable[[int, int], bool]]] = {
    "ee": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "dayofweek": datetime.weekday,
    "month": operator.attrgetter("month"),
    "year": operator.attrgetter("year"),
    "hour": operator.attrgetter("hour"),
}


def moment(text: str) -> datetime:
    """Raises ValueError when it is none."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime(_STAMP)


def local(text: str, zone: str, form: str) -> str:
    """A stored stamp as a user is shown it; a text that is none stays what it is."""
    try:
        return moment(text).astimezone(ZoneInfo(zone)).strftime(form)
    except ValueError:
        return text


def duration(text: str) -> str:
    """`1970-01-02 00:02:17` is one day, 2 minutes and 17 seconds."""
    try:
        seconds = int(moment(text).timestamp())
    except ValueError:
        return text
    told = []
    for size, unit in ((86400, "Day"), (3600, "Hour"), (60, "Minute"), (1, "Second")):
        count, seconds = divmod(seconds, size)
        if count:
            told.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(told)


def day(value: str, zone: str, now: datetime) -> tuple[str, str]:
    """First and last second of `2024-03-31@…` or `Today@…`, a day of the user's zone."""
    if value.startswith("Today"):
        start = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0)
    else:
        start = datetime.strptime(value[:10], "%Y-%m-%d").replace(tzinfo=ZoneInfo(zone))
    # by the calendar: a day has 23 or 25 hours where the clock changes
    end = (start + timedelta(days=1)).astimezone(UTC)
    return stamp(start), stamp(end - timedelta(seconds=1))


def generated(script: str, zone: str) -> str:
    """What `gs.dateGenerate('2024-01-31','10:00:00')` gives: that time in the user's zone.

    Nothing for another script.
    """
    found = _GENERATED.fullmatch(script)
    if found is None:
        return ""
    there = datetime.strptime(" ".join(found.groups()), _STAMP).replace(tzinfo=ZoneInfo(zone))
    return stamp(there)


def date_part(value: str, zone: str) -> Callable[[str], bool]:
    """The test of `Monday@javascript:gs.datePart('dayofweek','monday','EE')`, in the user's zone.

    Raises ValueError or KeyError when it is not one.
    """
    found = _DATE_PART.search(value)
    if found is None:
        raise ValueError(f"not a date part: {value}")
    part, wanted = found["part"].lower(), found["wanted"].lower()
    goal = _WEEKDAYS.index(wanted) if part == "dayofweek" else int(wanted)
    compare, read = _SIGNS[found["sign"].lower()], _PARTS[part]
    return lambda text: compare(read(moment(text).astimezone(ZoneInfo(zone))), goal)
