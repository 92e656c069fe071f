"""Values that a job expects to be unique, or to keep to a list, while they go by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mappings.casts import shown, text
from mappings.distinct import Distinct
from mappings.language import ExpectRule
from mappings.paths import Path, parse_path
from mappings.rejects import Refusal
from mappings.unit import Unit
from referential.entity import EntityPage

_SHOWN = 3


@dataclass(slots=True)
class Watched:
    """Values of one info, or one field, that must be unique or keep to a list.

    `key` is its name in the job; `unit` makes the info, `path` leads to the field. `allowed` None:
    any value, once.
    """

    dataset: str
    key: str
    allowed: frozenset[str] | None = None
    unit: Unit | None = None
    path: Path | None = None
    odd: Distinct = field(default_factory=Distinct)
    _seen: set[str] = field(default_factory=set)

    @property
    def unique(self) -> bool:
        return self.allowed is None

    def watch(self, page: EntityPage) -> None:
        """Takes the entities of its unit into account."""
        infos = (orjson.loads(payload)["infos"].get(self.key) for payload in page.payloads)
        self.look([found["value"] for found in infos if found is not None])

    def look(self, values: Iterable[Any]) -> None:
        """Takes values into account; what is absent is neither unique nor allowed."""
        for value in values:
            words = [_word(each) for each in (value if value.__class__ is list else (value,))]
            if self.allowed is None:
                self._look_again(", ".join(words))
                continue
            for word in words:
                if word and word not in self.allowed:
                    self.odd.add(word)

    def _look_again(self, word: str) -> None:
        if word and word in self._seen:
            self.odd.add(word)
        self._seen.add(word)

    def learned(self) -> list[Any]:
        """The odd values, and of what must be unique every value, as JSON."""
        return [self.odd.learned(), list(self._seen)]

    def absorb(self, learned: list[Any]) -> None:
        """Takes what another one learned of later records: what both have seen is seen again."""
        odd, seen = learned
        for word in self._seen.intersection(seen):
            if word:
                self.odd.add(word)
        self.odd.absorb(odd)
        self._seen.update(seen)

    @property
    def failure(self) -> str:
        """What failed, "" when nothing did."""
        odd = self.odd.kept
        if not odd:
            return ""
        most = sorted(odd, key=lambda each: (-each[1], each[0]))[:_SHOWN]
        met = ", ".join(f"{shown(word)} ({count + self.unique} times)" for word, count, _ in most)
        rest = len(odd) - _SHOWN
        met += f" and {rest} more" if rest > 0 else ""
        what = f"{'field' if self.unit is None else 'info'} {self.key!r}"
        if self.unique:
            return f"{what} is not unique: {met}"
        return f"{what} has values that are not allowed: {met}"


def watched_of(expect: Mapping[str, ExpectRule], units: Sequence[Unit]) -> Iterator[Watched]:
    """What must be unique or keep to a list: the info of that name, or else the field."""
    for dataset, rule in expect.items():
        wishes: list[tuple[str, frozenset[str] | None]] = [(key, None) for key in rule.unique]
        wishes += [(key, frozenset(values)) for key, values in rule.allowed.items()]
        mine = [unit for unit in units if unit.dataset == dataset]
        for key, allowed in wishes:
            makers = [unit for unit in mine if any(key == info.key for info in unit.infos)]
            for unit in makers:
                yield Watched(dataset, key, allowed, unit)
            if not makers:
                yield Watched(dataset, key, allowed, path=parse_path(key))


def _word(value: Any) -> str:
    """The text of a scalar; "" for null and for what has none."""
    try:
        return text(value) or ""
    except Refusal:
        return ""
