"""What was seen while an EasyVista list was read, and whether it proves that every row came.

Pages are ranks of a list that others change meanwhile, and each is hung on the last row of the one
before (`sources.easyvista_pages`). Where no row moved, the distinct keys must be as many as the
first and the last total say; where some did, the list must have been followed all along, end where
its last total says, and not have given fewer rows than it had.
"""

from array import array
from collections.abc import Sequence
from typing import Any

from sources.base import Complete, Outcome, Partial
from sources.easyvista_answer import Listing

TOTAL = "total_record_count"


class Sweep:
    """Rows counted, keys compared, totals noted, page after page.

    Keys that are numbers and come in their order are told apart by it: memory holds eight bytes a
    row, else a hash.
    """

    def __init__(self, key: Sequence[str], skipped: int = 0) -> None:
        """*skipped*: how many rows of the list stand before those of a slice."""
        self.received = 0
        self.moved = False  # rows came or went before the place that was read
        self.loose = False  # a page was not hung on the one before
        self.first: int | None = None
        self.last: int | None = None
        self.notes: list[str] = []
        self._key = ", ".join(key)
        self._skipped = skipped
        self._line = array("q", [-1])  # keys, as long as they are rising numbers
        self._seen: set[int] | None = None  # hashes of keys, once they are not
        self._again = 0
        self._unsorted = False  # numbers that do not rise

    @property
    def distinct(self) -> int:
        """Rows that count: without a key, equal ones are as good as each other."""
        return self.received - self._again if self._key else self.received

    def note(self, page: Listing) -> None:
        """What a page tells of the list and of itself."""
        if page.total is not None:
            self.first = page.total if self.first is None else self.first
            self.last = page.total
        if page.counted is not None and page.counted != len(page.rows):
            told = f"a page of {len(page.rows):,} records says record_count {page.counted:,}"
            self.notes = [*self.notes[:9], told]

    def unseen(self, rows: Sequence[Any], keys: Sequence[str]) -> tuple[list[Any], list[str]]:
        """Those that did not come before."""
        seen = self._seen = self._hashes()
        fresh = [rank for rank, key in enumerate(keys) if hash(key) not in seen]
        return [rows[rank] for rank in fresh], [keys[rank] for rank in fresh]

    def add(self, keys: Sequence[str]) -> bool:
        """Count a page; False, and nothing counted, when all of it came before."""
        if not keys or self._rises(keys):
            self.received += len(keys)
            return True
        seen = self._seen = self._hashes()
        before = len(seen)
        seen.update(map(hash, keys))
        added = len(seen) - before
        self.received += len(keys) if added else 0
        self._again += len(keys) - added if added else 0
        return bool(added)

    def _rises(self, keys: Sequence[str]) -> bool:
        """Whether the keys go on from where they stood, as numbers that rise."""
        try:
            numbers = list(map(int, keys))
            line = array("q", numbers)
        except (ValueError, OverflowError):
            return False
        rise = numbers == sorted(set(numbers))
        follow = rise and numbers[0] > self._line[-1]
        # Rows that came in front since then rightly stand lower.
        self._unsorted = self._unsorted or not (follow or (rise and self.moved))
        # One that begins with a zero is no number of a database.
        if not follow or self._seen is not None or min(keys)[0] == "0":
            return False
        self._line.extend(line)
        return True

    def _hashes(self) -> set[int]:
        return set(map(hash, map(str, self._line))) if self._seen is None else self._seen

    def outcome(self, end: str, ended_at: int, seam: tuple[str, str] | None = None) -> Outcome:
        """*end* is what was met after the last row, whose 1-based rank is *ended_at*."""
        doubts = (self._doubt_keys(), self._doubt_total(ended_at), self._doubt_order())
        if any(doubts):
            return Partial("; ".join([*filter(None, doubts), *self.notes]))
        facts = [f"{self.received:,} records", end]
        if self._key:
            facts.append(f"every {self._key} once")
        if self.last is not None:
            told = f"{TOTAL} says {self.last:,}"
            if self._shaken:
                told = f"{TOTAL} went from {self.first:,} to {self.last:,} while rows were read"
            facts.append(told)
        return Complete("; ".join([", ".join(facts), *self.notes]), seam)

    def outcome_of_slice(self, seam: tuple[str, str]) -> Outcome:
        """Of a slice that is read up to its last rank, which the next one begins after."""
        if doubt := self._doubt_keys() or self._doubt_order():
            return Partial("; ".join([doubt, *self.notes]))
        return Complete("; ".join([f"{self.received:,} records of a slice", *self.notes]), seam)

    @property
    def _shaken(self) -> bool:
        return self.moved or self.first != self.last

    def _doubt_keys(self) -> str:
        if not self._again or not self._key:
            return ""
        return (
            f"{self._again:,} records came again (same {self._key}): it does not identify them, or "
            "their order is not stable"
        )

    def _doubt_total(self, ended_at: int) -> str:
        if self.first is None or self.last is None:
            return ""
        received = self.distinct + self._skipped
        if not self._shaken:
            if received == self.last:
                return ""
            return f"{TOTAL} says {self.last:,}, {received:,} records were received"
        if ended_at != self.last:
            return f"{TOTAL} says {self.last:,}, the last record has rank {ended_at:,}"
        if received < min(self.first, self.last):
            return (
                f"{TOTAL} went from {self.first:,} to {self.last:,} while rows were read, and "
                f"{received:,} records were received"
            )
        return ""

    def _doubt_order(self) -> str:
        if self.loose:
            return "pages of one record do not tell whether rows moved while they were read"
        if self._shaken and self._unsorted:
            return (
                "rows moved while they were read, and their order does not tell which were missed"
            )
        return ""
