"""Real records made anonymous by the rules of a job (`flows.anonymize`), field by field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from flows.anonymize import Rule, Rules, is_shape, maps_of
from flows.pseudonyms import Pseudonyms, Shape
from flows.written import folded
from mappings.casts import text
from mappings.footprint import Footprint
from mappings.paths import KEY, Path, path_text
from mappings.rejects import Record

_GONE = object()
_TELLING = 5  # characters; a shorter text stands in others by chance

Leaf = Callable[[str, Path, Any], Any]  # (dataset, path, scalar) -> what takes its place


@dataclass(slots=True)
class Treated:
    """What became of the values of one field; `kept` are those that stayed as they were."""

    dataset: str
    field: str
    treatment: str
    declared: bool
    changed: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Leak:
    """Real values of `field` that stand in the texts of another one, `where`, which is kept.

    Both are (dataset, field).
    """

    field: tuple[str, str]
    where: tuple[str, str]


@dataclass(slots=True)
class Anonymizer:
    """One recording at work; `words` are the texts that the job itself writes, folded.

    All records must be shown to `learn` before the first of them is treated.
    """

    rules: Rules
    words: frozenset[str]
    pseudonyms: Pseudonyms
    footprints: Mapping[str, Footprint]
    fields: dict[tuple[str, str], Treated] = field(default_factory=dict)
    _real: dict[str, tuple[str, str]] = field(default_factory=dict)
    _kept: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def learn(self, dataset: str, records: Sequence[Record]) -> None:
        """Takes notice of the values that must not be in the recording, and of those that may."""
        self._mapped(dataset, records, self._learn)

    def treated(self, dataset: str, records: Sequence[Record]) -> list[Record]:
        """The records as they may be kept; those of which nothing is left stay, empty."""
        made = self._mapped(dataset, records, self._treat)
        return [{} if record is _GONE else record for record in made]

    def leaks(self) -> Iterator[Leak]:
        """Where a kept field tells what another one was not to tell."""
        kept = {where: "\n".join(sorted(texts)) for where, texts in self._kept.items()}
        seen = set()
        for real, place in self._real.items():
            for where, texts in kept.items():
                if (place, where) not in seen and real in texts:
                    seen.add((place, where))
                    yield Leak(place, where)

    def _mapped(self, dataset: str, records: Sequence[Record], leaf: Leaf) -> list[Any]:
        maps = maps_of(self.footprints[dataset])
        return [_walked(dataset, (), record, leaf, maps) for record in records]

    def _rule(self, dataset: str, path: Path, value: Any) -> Rule:
        rule = self.rules.rule(dataset, path)
        if value is None or isinstance(value, bool):
            stays = rule.treatment != "drop"
        else:
            stays = not rule.declared and folded(text(value) or "") in self.words
        return Rule("keep", declared=rule.declared) if stays else rule

    def _learn(self, dataset: str, path: Path, value: Any) -> Any:
        word = folded(text(value) or "")
        place = (dataset, path_text(path))
        if self._rule(dataset, path, value).treatment != "keep":
            self.pseudonyms.learn(value)
            if len(word) >= _TELLING and word not in self.words:
                self._real.setdefault(word, place)
        elif self.rules.rule(dataset, path).treatment == "keep":
            self._kept.setdefault(place, set()).add(word)
        return value

    def _treat(self, dataset: str, path: Path, value: Any) -> Any:
        rule = self._rule(dataset, path, value)
        made = value
        if is_shape(rule.treatment):
            made = self.pseudonyms.of(cast("Shape", rule.treatment), value)
        elif rule.treatment == "drop":
            made = self.pseudonyms.of("text", value) if path[-1:] == (KEY,) else _GONE
        if value is not None:
            self._count(dataset, path, changed=made is _GONE or made != value)
        return made

    def _count(self, dataset: str, path: Path, *, changed: bool) -> None:
        name, rule = path_text(path), self.rules.rule(dataset, path)
        fresh = Treated(dataset, name, rule.treatment, rule.declared)
        treated = self.fields.setdefault((dataset, name), fresh)
        treated.changed += changed
        treated.kept += not changed


def _walked(
    dataset: str, path: Path, value: Any, leaf: Leaf, maps: set[Path], *, item: bool = False
) -> Any:
    """*value* with its scalars treated; an object or a list that loses all it had goes too.

    `item`: it is one of what stands at *path*, and no map of items.
    """
    made: Any
    if isinstance(value, dict):
        made, is_map = {}, path in maps and not item
        for key, each in value.items():
            name = str(leaf(dataset, (*path, KEY), key)) if is_map else key
            at = path if is_map else (*path, key)
            below = _walked(dataset, at, each, leaf, maps, item=is_map)
            if below is not _GONE:
                made[name] = below
    elif isinstance(value, list):
        items = (_walked(dataset, path, each, leaf, maps, item=True) for each in value)
        made = [each for each in items if each is not _GONE]
    else:
        return leaf(dataset, path, value)
    return _GONE if value and not made else made
