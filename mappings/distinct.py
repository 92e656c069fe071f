"""Distinct texts, each with how often it was met; of a flood of them a bounded number."""

from dataclasses import dataclass, field
from typing import Any

MOST = 1_000  # texts kept apart
Seen = tuple[str, int, int]  # a text, how often it was met, the record that had it first


@dataclass(slots=True)
class Distinct:
    """Texts in the order in which they came.

    Of more than `MOST` those that are the first in the order of texts are kept apart. So it is the
    same ones whether all came to one, or some each to several that are then put together: the
    first to come would not be.
    """

    _kept: dict[str, list[int]] = field(default_factory=dict)  # [how often, first record]
    _others: list[int] = field(default_factory=lambda: [0, 0])
    _bound: str | None = None  # no text after this one is kept apart

    def add(self, text: str, number: int = 0, count: int = 1) -> None:
        """Counts a text, met *count* times, for the first time in the record *number*."""
        found = self._kept.get(text)
        if found is not None:
            found[0] += count
        elif self._bound is not None and text > self._bound:
            self._leave(count, number)
        else:
            self._kept[text] = [count, number]
            if len(self._kept) >= 2 * MOST:
                self._trim()

    @property
    def kept(self) -> list[Seen]:
        """The texts that are kept apart."""
        self._trim()
        return [(text, count, number) for text, (count, number) in self._kept.items()]

    @property
    def others(self) -> tuple[int, int]:
        """How often any other text was met, and the record that had the first of them."""
        self._trim()
        return self._others[0], self._others[1]

    def learned(self) -> list[Any]:
        """All of it, as JSON."""
        return [[list(each) for each in self.kept], list(self.others)]

    def absorb(self, learned: list[Any], before: int = 0) -> None:
        """Takes what another one learned of later records, *before* which there were so many."""
        kept, others = learned
        for text, count, number in kept:
            self.add(text, number + before, count)
        if others[0]:
            self._leave(others[0], others[1] + before)

    def _leave(self, count: int, number: int) -> None:
        first = self._others[1] if self._others[0] else number
        self._others = [self._others[0] + count, min(first, number)]

    def _trim(self) -> None:
        if len(self._kept) <= MOST:
            return
        self._bound = sorted(self._kept)[MOST - 1]
        for text in [text for text in self._kept if text > self._bound]:
            self._leave(*self._kept.pop(text))
