"""The cleaner of a dataset: its values as rules see them, nothing where they stand for nothing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.paths import Path, covered, walk
from mappings.rejects import Refusal

# A column without a translation shows its own in brackets (specs/easyvista.md).
BRACKETED = re.compile(r"\[[^\[\]]*\]").fullmatch


@dataclass(frozen=True, slots=True)
class Wash:
    """What stands for no value in one field: certain texts, blanks, brackets, a zero."""

    nulls: frozenset[str] = frozenset()
    blank: bool = False
    bracketed: bool = False
    zero: bool = False

    def empties(self, value: Any) -> bool:
        if isinstance(value, str):
            blank = self.blank and value.isspace()
            bracketed = self.bracketed and BRACKETED(value) is not None
            return value in self.nulls or blank or bracketed
        return self.zero and value.__class__ in (int, float) and not value


@dataclass(slots=True)
class Cleaner:
    """The rule of one dataset, its fields as paths; none of them for all fields.

    A rule for a field is one for all that is below it.
    """

    blank: tuple[Path, ...] | None = ()
    untranslated: tuple[Path, ...] | None = ()
    zero: tuple[Path, ...] | None = ()
    tokens: tuple[tuple[Path | None, frozenset[str]], ...] = ()
    _washes: dict[Path, Wash] = field(default_factory=dict)

    @property
    def paths(self) -> Iterator[Path]:
        """The fields that it names."""
        for paths in (self.blank, self.untranslated, self.zero):
            yield from paths or ()
        yield from (path for path, _ in self.tokens if path is not None)

    @property
    def idle(self) -> bool:
        return not self.tokens and (self.blank, self.untranslated, self.zero) == ((), (), ())

    def wash(self, path: Path) -> Wash:
        """What stands for no value at *path*."""
        if path not in self._washes:
            blank, zero = _holds(self.blank, path), _holds(self.zero, path)
            nulls = {
                word
                for at, words in self.tokens
                if _holds(None if at is None else (at,), path)
                for word in words
            }
            nulls |= {""} if blank else set()
            nulls |= {"0"} if zero else set()
            bracketed = _holds(self.untranslated, path)
            self._washes[path] = Wash(frozenset(nulls), blank, bracketed, zero)
        return self._washes[path]

    def touches(self, path: Path) -> bool:
        """Whether a value at *path* may change, itself or something below it."""
        below = any(named[: len(path)] == path for named in self.paths)
        return below or self.wash(path) != Wash()

    def clean(self, value: Any, path: Path) -> Any:
        """The value at *path* as rules see it; arrays lose their empty items. Raises Refusal."""
        try:
            return self._clean(value, path)
        except RecursionError:
            what = "a value has too many levels to be cleaned: flatten it in the source"
            raise Refusal("nested too deeply", what) from None

    def _clean(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self._clean(each, (*path, key)) for key, each in value.items()}
        if isinstance(value, list):
            cleaned = ((each, self._clean(each, path)) for each in value)
            return [new for old, new in cleaned if new is not None or old is None]
        return None if self.wash(path).empties(value) else value

    def values(self, records: Iterable[Any], path: Path) -> list[Any]:
        """The value at *path* of each record, cleaned."""
        if len(path) == 1:
            key = path[0]
            found = [each.get(key) if each.__class__ is dict else None for each in records]
        else:
            found = [walk(record, path) for record in records]
        return [self._seen(value, path) for value in found] if self.touches(path) else found

    def _seen(self, value: Any, path: Path) -> Any:
        """The value as rules see it, nothing where they refuse it."""
        try:
            return self.clean(value, path)
        except Refusal:
            return None


def _holds(paths: tuple[Path, ...] | None, path: Path) -> bool:
    return paths is None or covered(path, paths)
