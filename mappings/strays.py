"""Fields of the records that no rule maps and no one ignores: named once, whatever their number.

A field is accounted for when a rule or an `ignore` names it, one of its parents, or one of its
children; the children of an object that is only partly named are looked at in turn.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from mappings.paths import Path, path_text
from mappings.rejects import Record

_ALL = 4_096  # records of which every object is looked at; afterwards
_ONE_IN = 16  # only the top level of every record, and the objects of one record in so many


class Strays:
    """The fields met so far that nothing accounts for."""

    def __init__(self, named: Iterable[Path]) -> None:
        self._found: dict[Path, None] = {}
        self._seen = 0
        whole = set(named)
        self._known: dict[Path, set[str]] = {}  # keys accounted for, by object partly named
        for path in sorted(whole):
            if any(path[:length] in whole for length in range(1, len(path))):
                continue
            for length, step in enumerate(path):
                self._known.setdefault(path[:length], set()).add(step)
        self._top = self._known.pop((), set())

    @property
    def found(self) -> tuple[str, ...]:
        """The stray fields as paths, sorted."""
        return tuple(sorted(path_text(path) for path in self._found))

    def look(self, records: list[Record]) -> None:
        """Takes a page into account. What is not an object is passed over."""
        try:
            if not all(map(self._top.issuperset, records)):
                for record in records:
                    self._note((), self._top, record)
        except TypeError:  # a record that cannot be iterated: the rules reject it
            for record in records:
                self._note((), self._top, record)
        step = 1 if self._seen < _ALL else _ONE_IN
        self._seen += len(records)
        for path, known in self._known.items():
            for value in _objects(records[::step], path):
                if not known.issuperset(value):
                    self._note(path, known, value)

    def _note(self, path: Path, known: set[str], value: Any) -> None:
        """Names the stray keys of an object, and from now on knows them."""
        if isinstance(value, dict):
            strays = value.keys() - known
            self._found.update(((*path, key), None) for key in strays)
            known |= strays


def _objects(records: list[Record], path: Path) -> Iterator[dict[str, Any]]:
    values: Iterable[Any] = records
    for step in path:
        values = [value.get(step) for value in values if value.__class__ is dict]
    return (value for value in values if value.__class__ is dict)
