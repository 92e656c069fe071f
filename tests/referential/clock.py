"""The time of the ledger in tests, put forward by hand."""

from datetime import UTC, datetime

START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)


class Clock:
    """A clock that stands at `now`."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now
