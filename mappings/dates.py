"""Dates as sources write them: `iso`, `unix`, or the directives of strptime; never the clock."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings import casts
from mappings.rejects import Refusal
from mappings.strict import refusal


def date_of(form: str, zone: ZoneInfo, to: str, value: Any) -> int | str:
    """The date that *value* tells, as `CastRule.to` wants it; raises Refusal."""
    moment = _moment(form, value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        if to == "unix":
            return int(moment.timestamp())
        if to == "day":
            return moment.astimezone(zone).date().isoformat()
        written = moment.astimezone(UTC).isoformat(timespec="auto")
    except OverflowError:
        raise Refusal("not a date", f"{casts.shown(value)} is out of the calendar") from None
    return written.removesuffix("+00:00") + "Z"


def _moment(form: str, value: Any) -> datetime:
    written = (casts.text(value) or "").strip()
    try:
        if form == "unix":
            return datetime.fromtimestamp(float(written), UTC)
        return datetime.fromisoformat(written) if form == "iso" else _read(written, form)
    except (ValueError, OverflowError, OSError):
        wanted = {"iso": "ISO 8601", "unix": "seconds since 1970"}.get(form, form)
        raise Refusal("not a date", f"{casts.shown(value)} is not a date as {wanted}") from None


def _read(written: str, form: str) -> datetime:
    return datetime.strptime(written, form)  # noqa: DTZ007 - the caller knows the zone


def check_format(form: str) -> None:
    """Refuses a format without a directive, or with one that strptime does not know."""
    fault = "" if "%" in form else "no directive such as %d"
    try:
        _read("", form)
    except ValueError as error:
        if "directive" in str(error) or "stray" in str(error):
            fault = str(error)
    except re.error:  # strptime makes an expression of the format, and a group of each directive
        fault = "a directive stands twice"
    if fault:
        mend = "write iso, unix, or such as %d/%m/%Y"
        raise refusal(f"{form!r} is no format of dates: {fault}", mend, "format")
