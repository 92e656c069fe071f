"""What the rules of a mapping need of the records of one dataset, and nothing besides.

`[]` in a path stands for every item of a list, or of a map, that `each` goes through:

    ("owner", "contacts", "[]", "email")
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mappings.cast_rule import Step
from mappings.casts import text
from mappings.joins import Join
from mappings.mapper import Mapper
from mappings.paths import Path, walk
from mappings.rejects import Record, Refusal
from mappings.rules import Copy
from mappings.unit import Unit

ITEM = "[]"


@dataclass(frozen=True, slots=True)
class Ask:
    """Values at `path`, after `before`, are looked for among those at `key` of `dataset`."""

    path: Path
    before: Step | None
    dataset: str
    key: Path

    def words(self, records: Sequence[Record]) -> Iterator[str]:
        """What the records ask for, as texts."""
        for record in records:
            value = walk(record, self.path)
            try:
                if value is not None and self.before is not None:
                    value = self.before(value)
                for each in value if isinstance(value, list) else [value]:
                    word = text(each)
                    if word is not None:
                        yield word
            except Refusal:  # it asks for nothing; the run says so
                continue


@dataclass(frozen=True, slots=True)
class Footprint:
    """The paths that are read of a dataset, with all that is below them, and what it asks for."""

    paths: frozenset[Path]
    asks: tuple[Ask, ...]

    def pruned(self, records: Sequence[Record]) -> list[Record]:
        """The records with what is read, and with nothing else."""
        tree: dict[str, Any] = {}
        for path in sorted(self.paths, key=len):
            _grow(tree, path)
        return [_pruned(record, tree) for record in records if isinstance(record, dict)]


def footprint_of(mapper: Mapper, dataset: str) -> Footprint:
    """The footprint of the rules for a dataset, and of the tables that are made of it."""
    units = [unit for unit in mapper.units if unit.dataset == dataset]
    paths = {path for unit in units for path in _paths(unit)}
    for lookup in mapper.lookups:
        if isinstance(lookup, Join) and lookup.dataset == dataset:
            paths.update(lookup.paths)
    asks = dict.fromkeys(ask for unit in units for ask in _asks(unit))
    return Footprint(frozenset(paths), tuple(asks))


def _paths(unit: Unit) -> Iterator[Path]:
    yield from unit.of_record(unit.paths)
    if unit.list is not None:
        items = unit.reads_of_item or {()}  # of an item that nobody reads, that it is there
        yield from ((*unit.list, ITEM, *path) for path in items)
    elif unit.each is not None:
        yield from unit.each.origin.paths


def _asks(unit: Unit) -> Iterator[Ask]:
    for rule in unit.rules if unit.each is None else (unit.each, *unit.rules):
        lookup = None if rule.translation is None else rule.translation.lookup
        if not isinstance(lookup, Join) or not isinstance(rule.origin, Copy):
            continue
        path = rule.origin.path
        for found in [path] if rule is unit.each else unit.of_record([path]):
            yield Ask(found, rule.before, lookup.dataset, lookup.paths[0])


def _grow(tree: dict[str, Any], path: Path) -> None:
    """Adds a path to a tree of keys, in which None stands for all that is below."""
    *steps, last = path
    for step in steps:
        below = tree.setdefault(step, {})
        if below is None:
            return
        tree = below
    tree.setdefault(last, None)


def _pruned(value: Any, tree: dict[str, Any] | None) -> Any:
    if tree is None:
        return value
    if isinstance(value, dict):
        kept = {}
        for key, each in value.items():
            step = key if key in tree else ITEM
            if step in tree:
                kept[key] = _pruned(each, tree[step])
        return kept
    if isinstance(value, list):  # no path goes through a list but that of its items
        return [_pruned(each, tree[ITEM]) for each in value] if ITEM in tree else []
    return value
