"""Slices cut by rank: from the so-manieth record to another, in an order that the source keeps.

A slice asks for the record before its first one too: where neighbours do not meet at it, rows moved
between their readings (`sources.slices.joined`).
"""

from dataclasses import dataclass

from sources.base import Slice


@dataclass(frozen=True, slots=True)
class Ranks:
    """The records from 0-based rank `low` up to `high`, not included; None: to the end."""

    low: int = 0
    high: int | None = None

    @classmethod
    def of(cls, part: Slice) -> "Ranks":
        """The ranks that `cut` wrote into a slice."""
        return cls(int(part.low or 0), int(part.high) if part.high else None)

    @property
    def whole(self) -> bool:
        return self == Ranks()

    def share(self, total: int) -> int:
        """How many of *total* records have these ranks."""
        high = total if self.high is None else min(self.high, total)
        return max(high - self.low, 0)


def cut(total: int, most: int, page: int) -> tuple[Slice, ...]:
    """At most *most* slices of *total* records, of a *page* at least; the last one has no end."""
    of = max(1, min(most, total // page))
    bounds = ["", *(str(total * rank // of) for rank in range(1, of)), ""]
    return tuple(Slice(rank, of, bounds[rank], bounds[rank + 1]) for rank in range(of))
