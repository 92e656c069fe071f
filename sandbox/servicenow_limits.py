"""What an instance gives a caller: time, calls an hour, calls at once (spec §7, §8)."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

from sandbox.servicenow_faults import RULE, rate_limited
from sandbox.servicenow_knobs import ServiceNowKnobs

_HOUR: Final = 3600


@dataclass(slots=True)
class Limits:
    """Calls under way, the most there were at once, and calls of each account by the hour."""

    in_flight: int = 0
    peak: int = 0
    dropped: int = 0  # calls answered 202
    _hours: Counter[tuple[str, int]] = field(default_factory=Counter)

    @contextmanager
    def call(self) -> Iterator[None]:
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def rate(
        self, knobs: ServiceNowKnobs, name: str, now: float | None = None
    ) -> tuple[Response | None, dict[str, str]]:
        """The refusal of one call too many in its hour, or None; and the headers of the rule."""
        if not knobs.rate_limit:
            return None, {}
        now = time.time() if now is None else now
        hour = int(now) // _HOUR
        reset = (hour + 1) * _HOUR
        self._hours[name, hour] += 1
        if self._hours[name, hour] > knobs.rate_limit:
            return rate_limited(knobs.rate_limit, str(reset - int(now)), reset), {}
        headers = {
            "X-RateLimit-Limit": str(knobs.rate_limit),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Rule": RULE,
        }
        return None, headers


def rows_in_time(
    knobs: ServiceNowKnobs, count: int, fields: Sequence[str], *, displayed: bool
) -> int:
    """How many of *count* rows are read before the quota cancels the call.

    A row costs `row_cost` seconds; displaying its values as much again, and every dotted field
    too, for each is a join.
    """
    joins = sum("." in name for name in fields)
    cost = knobs.row_cost * (1 + displayed + joins)
    return count if cost * count <= knobs.quota else int(knobs.quota / cost)
