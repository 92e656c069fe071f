"""Fields of the records that no rule maps and no one ignores: named once, whatever their number.

A field is accounted for when a rule or an `ignore` names it, one of its parents, or one of its
children; the children of an object that is only partly named are looked at in turn.

Looking at every key of every record would cost as much as mapping half of it. So the first records
are looked at in full, then one in sixteen, and any record of a size not met before: a field that
comes up late makes records longer. Items of lists (`each`) are looked at in the same records, but
for that last way.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from mappings.paths import Path, path_text, walk
from mappings.rejects import Record

_ALL = 4_096
_ONE_IN = 16


class Strays:
    """The fields met so far that nothing accounts for; `inside`: of the items of that list."""

    def __init__(self, named: Iterable[Path], inside: Path | None = None) -> None:
        self._named = frozenset(named)
        self._inside = inside
        self._found: set[Path] = set()
        self._sizes: set[int] = set()
        self._seen = 0
        self._known = _keys(self._named)

    @property
    def found(self) -> tuple[str, ...]:
        """The stray fields as paths, sorted; those of items behind `list[].`."""
        prefix = "" if self._inside is None else f"{path_text(self._inside)}[]."
        return tuple(f"{prefix}{path}" for path in sorted(map(path_text, self._found)))

    def look(self, records: list[Record]) -> None:
        """Takes a page into account; what is not an object is passed over."""
        try:
            sizes = set(map(len, records)) - self._sizes if self._inside is None else set()
        except TypeError:  # something without a length, which the rules reject
            return self.look([record for record in records if isinstance(record, dict)])
        self._look(records, sizes)
        self._sizes |= sizes
        self._seen += len(records)
        return None

    def of_slice(self) -> "StraysOfSlice":
        """The same, where records may have come before."""
        return StraysOfSlice(self._named, self._inside)

    def absorb(self, learned: list[Any]) -> None:
        """Takes what `StraysOfSlice` learned of later records, as one that looked at them here."""
        seen, sizes, sampled, early, sized = learned
        new = set(sizes) - self._sizes
        found = [path for path, at in early if self._seen + at < _ALL]
        found += [path for path, size in sized if size in new]
        self._found.update(map(tuple, (*sampled, *found)))
        self._sizes |= new
        self._seen += seen

    def _look(self, records: list[Record], sizes: set[int]) -> None:
        """Looks at a page, or at some of it; no record before had one of *sizes*."""
        if self._seen < _ALL:
            self._found |= self._strays(records, self._known)
        else:
            self._found |= self._strays(records[::_ONE_IN], self._known)
            if sizes:
                longer = [record for record in records if len(record) in sizes]
                self._found |= self._strays(longer, self._known)

    def _strays(self, records: Iterable[Any], named: dict[Path, set[str]]) -> set[Path]:
        """The fields of records that *named* lacks; they are added to it."""
        if self._inside is not None:
            records = list(_items(records, self._inside))
        found: set[Path] = set()
        for path, known in named.items():
            for value in _objects(records, path):
                if not known.issuperset(value):
                    strays = value.keys() - known
                    known.update(strays)
                    found.update((*path, key) for key in strays)
        return found


class StraysOfSlice(Strays):
    """Those of a slice, which does not know how many records were before, nor of which sizes.

    So it tells how it found a field: in one record of sixteen, or else in a page that began after
    so many records of the slice, or in the first page with a record of that size.
    """

    def __init__(self, named: Iterable[Path], inside: Path | None = None) -> None:
        super().__init__(named, inside)
        self._in_all = _copied(self._known)
        self._early: dict[Path, int] = {}
        self._sized: list[tuple[Path, int]] = []

    def learned(self) -> list[Any]:
        """How many records it looked at, their sizes, and what it found how, as JSON."""
        sampled = [list(path) for path in self._found]
        early = [[list(path), at] for path, at in self._early.items()]
        sized = [[list(path), size] for path, size in self._sized]
        return [self._seen, sorted(self._sizes), sampled, early, sized]

    def _look(self, records: list[Record], sizes: set[int]) -> None:
        self._found |= self._strays(records[::_ONE_IN], self._known)
        if self._seen < _ALL:
            early = self._strays(records, self._in_all)
            self._early.update(dict.fromkeys(early, self._seen))
        for size in sorted(sizes):
            longer = [record for record in records if len(record) == size]
            found = self._strays(longer, _copied(self._known))
            self._sized += [(path, size) for path in sorted(found)]


def _keys(paths: frozenset[Path]) -> dict[Path, set[str]]:
    """The keys that are named, by object that is partly named."""
    named: dict[Path, set[str]] = {} if () in paths else {(): set()}
    for path in sorted(paths):
        if any(path[:length] in paths for length in range(len(path))):
            continue
        for length, step in enumerate(path):
            named.setdefault(path[:length], set()).add(step)
    return named


def _copied(named: dict[Path, set[str]]) -> dict[Path, set[str]]:
    return {path: set(keys) for path, keys in named.items()}


def _objects(records: Iterable[Any], path: Path) -> Iterator[dict[str, Any]]:
    values: Iterable[Any] = records
    for step in path:
        values = [value.get(step) for value in values if value.__class__ is dict]
    return (value for value in values if value.__class__ is dict)


def _items(records: Iterable[Any], path: Path) -> Iterator[Any]:
    for record in records:
        found = walk(record, path)
        yield from (
            found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        )
