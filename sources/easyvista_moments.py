"""Moments as EasyVista writes them, and as it reads them in an interval of a search.

Read: `2026-08-17T15:40:41.610+02:00`, `…947Z`, the days `2020-11-02`; the offset counts even where
a column ends in `_UT` (`specs/easyvista.md` §6). Written: milliseconds and offset, always. Seconds
without milliseconds are refused (590), a time without offset is read in another zone: §5.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
_MILLISECOND: Final = timedelta(milliseconds=1)
_WEST: Final = timedelta(hours=12)  # no clock is further from UTC
_EAST: Final = timedelta(hours=14)


class Writing(NamedTuple):
    """How an EasyVista writes its moments: zone of those without offset, format of odd ones."""

    zone: ZoneInfo | None = None
    format: str | None = None

    @property
    def grain(self) -> timedelta:
        """How much later than it is written a moment may be: what its text does not tell."""
        if self.format is None or "%f" in self.format:
            return _MILLISECOND
        if any(sign in self.format for sign in ("%S", "%c", "%X")):
            return timedelta(seconds=1)
        return timedelta(minutes=1) if "%M" in self.format else timedelta(days=1)

    def days(self, text: str) -> tuple[str, str]:
        """The first and the last day that the moment may be on, where the server is.

        A text with an offset shows the server's clock; UTC tells nothing of its zone. Raises
        NoMoment.
        """
        if is_day(text[:10]) and not text.endswith(("Z", "+00:00")):
            return text[:10], text[:10]
        when = moment(text, self)
        if self.zone is not None:
            return (day := f"{when.astimezone(self.zone):%Y-%m-%d}"), day
        return f"{when - _WEST:%Y-%m-%d}", f"{when + _EAST:%Y-%m-%d}"


class NoMoment(ValueError):
    """A text that is no moment, or that may be several."""


def moment(text: str, writing: Writing) -> datetime:
    """The moment in UTC; raises NoMoment, also for a day alone: it is no moment."""
    text = text.strip()
    if writing.format is not None and not _MOMENT.match(text):
        return _utc(_read(lambda: datetime.strptime(text, writing.format or "")), writing)  # noqa: DTZ007 - the zone is added
    if not _MOMENT.match(text):
        raise NoMoment(f"{text[:40]!r} is not written as 2026-08-17T15:40:41.610+02:00")
    return _utc(_read(lambda: datetime.fromisoformat(text)), writing)


def _read(reading: Callable[[], datetime]) -> datetime:
    try:
        return reading()
    except ValueError as error:
        raise NoMoment(str(error)[:100]) from None


def _utc(read: datetime, writing: Writing) -> datetime:
    if read.tzinfo is None:
        if writing.zone is None:
            raise NoMoment("it tells no offset; `timezone` of the connection may")
        read = read.replace(tzinfo=writing.zone)
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise NoMoment("it is out of the calendar") from None


def is_day(text: str) -> bool:
    """Whether *text* is a day alone, which no zone shifts."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def iso(when: datetime) -> str:
    """UTC to the millisecond, cut: `2026-08-17T13:40:41.610Z`."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def interval(since: datetime | None, until: datetime | None) -> str:
    """The interval of a search that holds [since, until): `(a;b)`, open where there is none.

    Widened to whole milliseconds: what is too much is left out here, record by record.
    """
    end = "" if until is None else iso(until)
    if until is not None and until.microsecond % 1000:
        end = iso(until + _MILLISECOND)
    return f"({'' if since is None else iso(since)};{end})"
