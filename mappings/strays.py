"""Fields of the records that no rule maps and no one ignores: named once, whatever their number.

A field is accounted for when a rule or an `ignore` names it, one of its parents, or one of its
children; the children of an object that is only partly named are looked at in turn.

Looking at every key of every record would cost as much as mapping half of it. So the first records
are looked at in full, then one in sixteen, and any record of a size not met before: a field that
comes up late makes records longer.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from mappings.paths import Path, path_text
from mappings.rejects import Record

_ALL = 4_096
_ONE_IN = 16


class Strays:
    """The fields met so far that nothing accounts for."""

    def __init__(self, named: Iterable[Path]) -> None:
        self._found: set[Path] = set()
        self._sizes: set[int] = set()
        self._seen = 0
        whole = set(named)
        self._known: dict[Path, set[str]] = {(): set()}  # keys by object that is partly named
        for path in sorted(whole):
            if any(path[:length] in whole for length in range(1, len(path))):
                continue
            for length, step in enumerate(path):
                self._known.setdefault(path[:length], set()).add(step)

    @property
    def found(self) -> tuple[str, ...]:
        """The stray fields as paths, sorted."""
        return tuple(sorted(map(path_text, self._found)))

    def look(self, records: list[Record]) -> None:
        """Takes a page into account; what is not an object is passed over."""
        try:
            sizes = set(map(len, records)) - self._sizes
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

    def _look(self, records: list[Record]) -> None:
        for path, known in self._known.items():
            for value in _objects(records, path):
                if not known.issuperset(value):
                    strays = value.keys() - known
                    known.update(strays)
                    self._found.update((*path, key) for key in strays)


def _objects(records: list[Record], path: Path) -> Iterator[dict[str, Any]]:
    values: Iterable[Any] = records
    for step in path:
        values = [value.get(step) for value in values if value.__class__ is dict]
    return (value for value in values if value.__class__ is dict)
