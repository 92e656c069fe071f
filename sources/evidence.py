"""What was seen while a dataset was read, and whether it proves that every row came."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from sources.base import Complete, Outcome, Partial
from sources.ranks import Ranks
from sources.selector import MISSING, find

_SORTED: Final = orjson.OPT_SORT_KEYS
_WHOLE: Final = Ranks()


class Evidence:
    """Rows counted, keys compared, totals noted, page after page; then `outcome`.

    With a primary key, memory holds one hash per row; without, two rows of each page are told
    apart by their content. `ranks`: those of the slice that is read, whose share of the total is
    what must come.
    """

    def __init__(
        self, primary_key: Sequence[str], total_name: str = "", ranks: Ranks = _WHOLE
    ) -> None:
        self.received = 0  # rows, rejects included
        self._key = _key_function(primary_key) if primary_key else None
        self._key_paths = tuple(primary_key)
        self._key_name = ", ".join(primary_key)
        self._total_name = total_name
        self._totals: list[int] = []  # the first and the last one given
        self._seen: set[int] = set()
        self._pages: set[tuple[str, str, int]] = set()
        self._last = ""
        self._again = 0  # rows whose key came on an earlier page
        self._twice = 0  # rows whose key came before on the same page
        self._moved = ""
        self._ranks = ranks
        self._seam = ["", ""]  # the row before the first one of a slice, and the last one

    @property
    def agreed(self) -> bool:
        """Whether as many rows were received as the last total given has for these ranks."""
        return self._totals != [] and self._ranks.share(self._totals[-1]) == self.received

    @property
    def room(self) -> int | None:
        """How many rows the slice still lacks; None: it has no end of its own."""
        high = self._ranks.high
        return None if high is None else high - self._ranks.low - self.received

    @property
    def total(self) -> int | None:
        """The last total given."""
        return self._totals[-1] if self._totals else None

    def note_total(self, total: int | None) -> None:
        if total is not None:
            self._totals = [*self._totals[:1], total]

    def follows(self, rows: Sequence[Any], page: int) -> bool:
        """Whether *rows*, asked for with the last row read once more, do begin with it.

        At the beginning of a slice that row is the last one of the slice before.
        """
        if page == 1:
            if rows:
                before = self._name(rows[0])
                self._seam = [before, before]  # a slice of no row of its own ends where it begins
            return bool(rows)
        if rows and self._identity(rows[0]) == self._last:
            return True
        self._moved = (
            f"rows moved while they were read: page {page} does not begin with the last record of "
            f"page {page - 1} (`overlap: false` if the API cannot begin at any rank)"
        )
        return False

    def add(self, rows: Sequence[Any]) -> bool:
        """Count a page; False, and nothing counted, when its rows came on an earlier page."""
        if not rows:
            return True
        last = self._identity(rows[-1])
        signature = (self._identity(rows[0]), last, len(rows))
        if signature in self._pages or not self._add_keys(rows):
            return False
        self._pages.add(signature)
        self._last = last
        if not self._ranks.whole:
            self._seam[1] = self._name(rows[-1])
        self.received += len(rows)
        return True

    def _add_keys(self, rows: Sequence[Any]) -> bool:
        if self._key is None:
            return True
        keys = self._hashes(rows, self._key)
        before = len(self._seen)
        self._seen.update(keys)
        added = len(self._seen) - before
        if added == len(keys):  # as on nearly every page
            return True
        if not added:
            return False
        distinct = len(set(keys))
        self._again += distinct - added
        self._twice += len(keys) - distinct
        return True

    def _hashes(self, rows: Sequence[Any], key: Callable[[Any], int | None]) -> list[int]:
        if len(self._key_paths) == 1:
            path = self._key_paths[0]
            try:
                values = [row[path] for row in rows]
                if None not in values:
                    return list(map(hash, values))
            except (KeyError, TypeError):
                pass  # a dotted path, a row without its key or that is no object: one by one
        return [value for row in rows if (value := key(row)) is not None]

    def _identity(self, row: Any) -> str:
        if self._key is not None and (key := self._key(row)) is not None:
            return str(key)
        return _content(row)

    def outcome(self, end: Outcome) -> Outcome:
        """*end* is what the paginator met; it stands only if nothing seen speaks against it."""
        if isinstance(end, Partial):
            return end
        doubts = [
            doubt for doubt in (self._moved, self._doubt_keys(), self._doubt_total()) if doubt
        ]
        if doubts:
            return Partial("; ".join(doubts))
        facts = [f"{self.received:,} records", end.evidence]
        if self._key is not None:
            repeats = f"{self._twice:,} repeat their {self._key_name} on the same page"
            facts.append(repeats if self._twice else f"every {self._key_name} once")
        if self.total is not None:
            facts.append(f"{self._total_name} says {self.total:,}")
        seam = None if self._ranks.whole else (self._seam[0], self._seam[1])
        return Complete(", ".join(facts), seam)

    def _name(self, row: Any) -> str:
        """What a row is known by in another process too, where hashes are others."""
        values = [find(row, path) for path in self._key_paths] if isinstance(row, dict) else []
        named = any(value is not MISSING and value is not None for value in values)
        return repr(values) if named else _content(row)

    def _doubt_keys(self) -> str:
        if not self._again:
            return ""
        return (
            f"{self._again:,} records came again on a later page (same {self._key_name}): "
            "rows moved while they were read, or their order is not stable"
        )

    def _doubt_total(self) -> str:
        if not self._total_name or not (self.received or self._totals):
            return ""
        if not self._totals:
            return f"{self._total_name} gives no number"
        first, last = self._totals[0], self._totals[-1]
        if first != last:
            return f"{self._total_name} went from {first:,} to {last:,} while rows were read"
        distinct = self.received - self._again - self._twice
        due = self._ranks.share(last)
        if distinct == due:
            return ""
        twice = f" ({self._twice:,} more repeat their {self._key_name})" if self._twice else ""
        share = "" if self._ranks.whole else f", {due:,} of them in this slice"
        return f"{self._total_name} says {last:,}{share}, {distinct:,} records were received{twice}"


def _key_function(paths: Sequence[str]) -> Callable[[Any], int | None]:
    """The hash of a row's primary key; None for a row that has none."""

    def of_one(row: Any) -> int | None:
        value = row.get(path, MISSING) if isinstance(row, dict) else None
        if value is MISSING:
            value = find(row, path)
        return None if value is None or value is MISSING else _hash(value)

    def of_many(row: Any) -> int | None:
        values = [find(row, path) for path in paths] if isinstance(row, dict) else [None]
        absent = all(value is None or value is MISSING for value in values)
        return None if absent else hash(tuple(map(_hash, values)))

    path = paths[0]
    return of_one if len(paths) == 1 else of_many


def _content(row: Any) -> str:
    try:
        # Sorted: EasyVista gives the keys of a record in any order (specs/easyvista.md §6).
        return orjson.dumps(row, option=_SORTED).decode()
    except orjson.JSONEncodeError:
        return repr(row)


def _hash(value: Any) -> int:
    return hash(repr(value) if isinstance(value, dict | list) else value)
