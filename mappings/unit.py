"""One entity rule of one dataset, ready to be written as Python (`mappings.codegen`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from mappings.cleaner import Cleaner
from mappings.filters import Filter
from mappings.lookups import Translation
from mappings.paths import KEY, PARENT, Path
from mappings.rules import Condition, Copy, Info, Rule
from referential.entity import Kind

# Which ids may be those of two entities of a run: none, those with two slashes, any.
Claims = Literal["none", "slashes", "all"]
EACH, WHEN = -1, -2  # the ranks of what is tried before any rule of a unit


@dataclass(frozen=True, slots=True)
class Unit:
    """What makes one kind of entity out of the records of one dataset.

    `gathered`: the lists of the pattern are collected over all records of one service. `each` gives
    the list of a record of which every item makes an entity; other paths then start at the item.
    `claims` tells which ids must be claimed, for another entity might have them.
    """

    dataset: str
    kind: Kind
    name: Rule
    component: Rule | None = None
    category: Rule | None = None
    impact_level: Rule | None = None
    output_template: Rule | None = None
    infos: tuple[Info, ...] = ()
    pattern: tuple[tuple[Condition, ...], ...] = ()
    gathered: bool = False
    each: Rule | None = None
    when: Filter | None = None
    ignored: tuple[Path, ...] = ()
    cleaner: Cleaner = field(default_factory=Cleaner)
    claims: Claims = "none"
    rules: tuple[Rule, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self._rules()))

    def _rules(self) -> Iterator[Rule]:
        """All rules in the order in which they are tried."""
        conditions = (condition.rule for group in self.pattern for condition in group)
        heads = (self.name, self.component, *conditions)
        heads += (self.category, self.impact_level, self.output_template)
        yield from (rule for rule in heads if rule is not None)
        infos = [info.rule for info in self.infos]
        yield from (rule for rule in infos if rule.hard)
        yield from (rule for rule in infos if not rule.hard)

    @property
    def translations(self) -> Iterator[Translation]:
        """The uses that its rules make of lookups."""
        rules = self.rules if self.each is None else (self.each, *self.rules)
        yield from (rule.translation for rule in rules if rule.translation is not None)

    @property
    def beginning(self) -> Iterator[Translation]:
        """Those of them that a gathered unit makes for the first record of a service alone."""
        conditions = {id(condition.rule) for group in self.pattern for condition in group}
        for rule in self.rules if self.gathered else ():
            if (
                rule.translation is not None
                and rule is not self.name
                and id(rule) not in conditions
            ):
                yield rule.translation

    @property
    def list(self) -> Path | None:
        """The path of the list of `each`, when it is taken as the record has it."""
        rule = self.each
        if rule is None or not isinstance(rule.origin, Copy):
            return None
        changed = rule.before is not None or rule.translation is not None or rule.after is not None
        return None if changed else rule.origin.path

    @property
    def reads(self) -> frozenset[Path]:
        """The paths into the record that it reads."""
        return self.of_record(self.paths).union(() if self.each is None else self.each.origin.paths)

    @property
    def reads_of_item(self) -> frozenset[Path]:
        """The paths into the items of `each` that it reads."""
        return self.of_item(self.paths)

    def of_record(self, paths: Iterable[Path]) -> frozenset[Path]:
        """Those of its paths that start at the record, as paths into it."""
        if self.each is None:
            return frozenset(paths)
        return frozenset(path[1:] for path in paths if path[:1] == (PARENT,))

    def of_item(self, paths: Iterable[Path]) -> frozenset[Path]:
        """Those of its paths that start at an item of `each`."""
        if self.each is None:
            return frozenset()
        return frozenset(path for path in paths if path[:1] not in ((PARENT,), (KEY,)))

    @property
    def paths(self) -> Iterator[Path]:
        """The paths that rules and filter read, as they are written."""
        for rule in self.rules:
            yield from rule.origin.paths
        if self.when is not None:
            yield from self.when.paths
