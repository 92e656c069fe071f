"""Time zones by their name: only names of the tz database reach the file system."""

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of the tz database that is called so; None when none is."""
    return ZoneInfo(name) if name == "UTC" or name in zone_names() else None
