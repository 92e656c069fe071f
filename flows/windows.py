"""The span of modification dates that a backfill is asked for, and its windows.

A window is an exact span of time: seven days are 168 hours, whatever clocks do meanwhile. They
follow one another from the first moment on, half open, and the last one may be shorter.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.durations import span_of
from flows.misdeclared import Fault, Misdeclared
from referential.windows import Window

MOST = 1_000  # windows of one backfill: each is a run of its own
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cut:
    """Windows from `since` up to `until` (not included), both in UTC, in steps of `span`.

    `notes` tell what of the request was changed.
    """

    since: datetime
    until: datetime
    span: timedelta
    notes: tuple[str, ...] = ()

    def windows(self) -> Iterator[Window]:
        """From the first to the last, in their order."""
        low = self.since
        while low < self.until:
            high = min(low + self.span, self.until)
            yield Window(self.since, self.span, low, high)
            low = high


def cut_of(since: str, until: str, window: str, *, zone: ZoneInfo, now: datetime) -> Cut:
    """The windows that are asked for; raises Misdeclared with every fault of the request.

    *since* and *until* are dates, midnight in *zone*, or moments with their offset; *until* is
    *now* when it is empty, and at most *now*. *window* is a span as `7d` or `12h`.
    """
    faults: list[Fault] = []
    now = now.astimezone(UTC).replace(microsecond=0)
    first = _moment("--since", since, zone, faults)
    last = now if not until else _moment("--until", until, zone, faults)
    span = span_of(window)
    if span is None:
        faults.append(Fault("--window", f"{window!r} is no span of time", "write 7d, 12h or 90m"))
    if faults or first is None or last is None or span is None:
        raise Misdeclared(faults)
    notes: tuple[str, ...] = ()
    if last > now:
        notes = (f"nothing is modified after now: --until {until} is cut to {shown(now, zone)}",)
        last = now
    if first >= last:
        raise Misdeclared([_no_span(first, last, now, zone)])
    number = math.ceil((last - first) / span)
    if number > MOST:
        what = f"{number:,} windows of {window} lie between --since and --until, {MOST:,} may"
        raise Misdeclared([Fault("--window", what, "write a longer one, or a shorter span")])
    return Cut(first, last, span, notes)


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """As people in *zone* write it, with its offset where that is not the one of UTC."""
    local = moment.astimezone(zone)
    second = ":%S" if local.second else ""
    offset = local.isoformat(timespec="seconds")[19:] if local.utcoffset() else "Z"
    return local.strftime(f"%Y-%m-%d %H:%M{second}") + offset


def _moment(option: str, text: str, zone: ZoneInfo, faults: list[Fault]) -> datetime | None:
    """The moment that *text* tells, in UTC; None and a fault when it tells none."""
    mend = "write a date, 2026-01-31, or a moment with its offset, 2026-01-31T08:00:00+01:00"
    if not text:
        faults.append(Fault(option, "no moment is given, and the windows begin at one", mend))
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            faults.append(Fault(option, f"{text!r} has no offset from UTC", mend))
            return None
        return found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError) as error:
        faults.append(Fault(option, f"{text!r} is no moment ({error})", mend))
        return None


def _no_span(first: datetime, last: datetime, now: datetime, zone: ZoneInfo) -> Fault:
    began = shown(first, zone)
    if first >= now:
        return Fault("--since", f"{began} is in the future", "write a moment that is past")
    what = f"no time lies between --since, {began}, and --until, {shown(last, zone)}"
    return Fault("--until", what, "write a later moment; it is not part of the span itself")
