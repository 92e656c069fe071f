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
        self._inside = inside
        self._found: set[Path] = set()
        self._sizes: set[int] = set()
        self._seen = 0
        whole = set(named)
        self._known: dict[Path, set[str]] = {} if () in whole else {(): set()}
        for path in sorted(whole):  # keys by object that is partly named
            if any(path[:length] in whole for length in range(len(path))):
                continue
            for length, step in enumerate(path):
                self._known.setdefault(path[:length], set()).add(step)

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
        if self._seen < _ALL:
            self._look(records)
        else:
            self._look(records[::_ONE_IN])
            if sizes:
                self._look([record for record in records if len(record) in sizes])
        self._sizes |= sizes
        self._seen += len(records)
        return None

    def _look(self, records: Iterable[Any]) -> None:
        if self._inside is not None:
            records = list(_items(records, self._inside))
        for path, known in self._known.items():
            for value in _objects(records, path):
                if not known.issuperset(value):
                    strays = value.keys() - known
                    known.update(strays)
                    self._found.update((*path, key) for key in strays)


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
