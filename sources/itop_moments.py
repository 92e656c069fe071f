"""Windows of modification dates, in the only words iTop knows: its local time, without a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# No clock is set back by more than that, and no further away does it matter here.
_REACH = timedelta(hours=3)
_SECOND = timedelta(seconds=1)


def changed_within(
    attribute: str, since: datetime | None, until: datetime | None, zone: ZoneInfo
) -> tuple[str, ...]:
    """The conditions of [since, until), both aware; stamps have whole seconds of local time.

    Where a clock is set back, one local time is two moments: the window is then wider by that
    hour, never narrower. Literals are ISO whatever the account's language (specs/itop.md §4.3).
    """
    conditions = []
    if since is not None:
        offsets = (_offset(since, zone), _offset(since + _REACH, zone))
        low = since.astimezone(UTC).replace(microsecond=0) + min(offsets)
        conditions.append(f"{attribute} >= '{low:%Y-%m-%d %H:%M:%S}'")
    if until is not None:
        offsets = (_offset(until, zone), _offset(until - _REACH, zone))
        high = until.astimezone(UTC).replace(microsecond=0) + max(offsets)
        if until.microsecond:
            high += _SECOND
        conditions.append(f"{attribute} < '{high:%Y-%m-%d %H:%M:%S}'")
    return tuple(conditions)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
