"""What an iTop holds: objects, found by id, by class, and by the keys that point at them.

    held = Objects()
    org = held.add("Organization", name="Ville de Nîmes")
    held.add("Server", name="srv-01", org_id=org, nb_u=2)      # gives 1, the first id of its root
    held.change("Server::1", status="obsolete")
    held.remove("Server::1")

Ids are unique inside a root class, and given in order, as MySQL does (specs/itop.md §4.1).
Values are kept bare: text as `str`, numbers and keys as `int`, dates as `YYYY-MM-DD` or
`YYYY-MM-DD HH:MM:SS`; what is not given is unset.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

from sandbox.itop_classes import family, root
from sandbox.itop_model import Model

_NOTHING: Final[tuple[int, ...]] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """One object; a changed one is another `Thing`."""

    kind: str
    id: int
    values: dict[str, Any]

    @property
    def key(self) -> str:
        """As answers name it: `Server::105`."""
        return f"{self.kind}::{self.id}"


@dataclass(slots=True)
class _Index:
    """What is worked out from the objects, until they change."""

    ids: dict[str, list[int]] = field(default_factory=dict)
    archived: dict[str, frozenset[int]] = field(default_factory=dict)
    pointing: dict[tuple[str, str], dict[int, list[int]]] = field(default_factory=dict)
    orders: dict[tuple[str, bool], tuple[dict[int, str], bool]] = field(default_factory=dict)
    names: dict[tuple[str, bool], dict[int, str]] = field(default_factory=dict)


class Objects:
    """The objects; `version` tells that something changed."""

    def __init__(
        self,
        things: dict[str, dict[int, Thing]] | None = None,
        last: dict[str, int] | None = None,
    ) -> None:
        self.version = 0
        self._things = things or {}  # by root class, then id
        self._last = last or {}  # the last id given, by root class
        self._index = _Index()

    def __len__(self) -> int:
        return sum(map(len, self._things.values()))

    def add(self, kind: str, /, id: int = 0, **values: Any) -> int:  # noqa: A002 - iTop's own name
        """Add an object, under the next free id when none is given; gives the id.

        Raises KeyError when the class is unknown, ValueError when the id is taken.
        """
        top = root(kind)
        held = self._things.setdefault(top, {})
        number = id or self._last.get(top, 0) + 1
        if number in held:
            raise ValueError(f"{held[number].key} is there already")
        held[number] = Thing(kind, number, values)
        self._last[top] = max(number, self._last.get(top, 0))
        self._changed()
        return number

    def change(self, key: str, /, **values: Any) -> None:
        """Change values of `Server::105`; raises KeyError when there is none."""
        thing = self.thing(key)
        changed = Thing(thing.kind, thing.id, {**thing.values, **values})
        self._things[root(thing.kind)][thing.id] = changed
        self._changed()

    def remove(self, *keys: str) -> None:
        """Remove objects; raises KeyError when one is not there."""
        for key in keys:
            thing = self.thing(key)
            del self._things[root(thing.kind)][thing.id]
        self._changed()

    def thing(self, key: str) -> Thing:
        """The object `Server::105`; raises KeyError when there is none."""
        kind, _, number = key.partition("::")
        thing = self._things.get(root(kind), {}).get(int(number))
        if thing is None or thing.kind != kind:
            raise KeyError(key)
        return thing

    def find(self, kind: str, number: int) -> Thing | None:
        """The object of that class or a subclass of it."""
        thing = self._things.get(root(kind), {}).get(number)
        return thing if thing is not None and thing.kind in family(kind) else None

    def held(self, kind: str) -> dict[int, Thing]:
        """All the objects that share the root class of *kind*."""
        return self._things.get(root(kind), {})

    def ids(self, kind: str) -> list[int]:
        """Ids of the objects of the class and its subclasses, ascending."""
        ids = self._index.ids.get(kind)
        if ids is None:
            kinds = frozenset(family(kind))
            ids = sorted(thing.id for thing in self.held(kind).values() if thing.kind in kinds)
            self._index.ids[kind] = ids
        return ids

    def archived(self, kind: str) -> frozenset[int]:
        """Ids of the archived objects among those that share the root of *kind*."""
        top = root(kind)
        ids = self._index.archived.get(top)
        if ids is None:
            things = self.held(kind).values()
            ids = frozenset(thing.id for thing in things if thing.values.get("archive_flag"))
            self._index.archived[top] = ids
        return ids

    def between(self, kind: str, above: int, upto: int) -> list[int]:
        """Ids in `above < id <= upto`."""
        ids = self.ids(kind)
        return ids[bisect_right(ids, above) : bisect_right(ids, upto)]

    def among(self, kind: str, numbers: Iterable[int]) -> list[int]:
        """Those of *numbers* that are ids of the class."""
        held, kinds = self.held(kind), frozenset(family(kind))
        return [each for each in numbers if each in held and held[each].kind in kinds]

    def pointing(self, kind: str, key: str, target: int) -> Iterable[int]:
        """Ids of the objects of the class whose *key* is *target*, ascending."""
        by_target = self._index.pointing.get((kind, key))
        if by_target is None:
            by_target = {}
            held = self.held(kind)
            for number in self.ids(kind):
                by_target.setdefault(held[number].values.get(key, 0), []).append(number)
            self._index.pointing[kind, key] = by_target
        return by_target.get(target, _NOTHING)

    def name(self, model: Model, thing: Thing) -> str:
        """The friendlyname."""
        names = self._index.names.setdefault((root(thing.kind), model.modern), {})
        held = names.get(thing.id)
        if held is None:
            parts, between = model.name_parts(thing.kind)
            words = [self._word(model, thing, part) for part in parts]
            held = names[thing.id] = (
                between.join(word for word in words if word)
                if model.modern and between == " "
                else between.join(words)
            )
        return held

    def order(self, model: Model, kind: str) -> tuple[dict[int, str], bool]:
        """What each id of the class sorts by, and whether two have the same."""
        held = self._index.orders.get((kind, model.modern))
        if held is None:
            things = self.held(kind)
            by_id = {each: collated(self.name(model, things[each])) for each in self.ids(kind)}
            held = (by_id, len(set(by_id.values())) < len(by_id))
            self._index.orders[kind, model.modern] = held
        return held

    def copy(self) -> Self:
        """The same objects, to be changed apart."""
        return type(self)({top: dict(held) for top, held in self._things.items()}, dict(self._last))

    def __iter__(self) -> Iterator[Thing]:
        for held in self._things.values():
            yield from held.values()

    def _word(self, model: Model, thing: Thing, part: str) -> str:
        attribute = model.attributes(thing.kind).get(part)
        if attribute is not None and attribute.kind == "through":
            target = model.attributes(thing.kind)[attribute.key].target
            far = self.find(target, thing.values.get(attribute.key, 0))
            return "" if far is None else str(far.values.get(attribute.far, ""))
        return str(thing.values.get(part, 0 if part.endswith("_id") else ""))

    def _changed(self) -> None:
        self.version += 1
        known = self._index
        if known.ids or known.names or known.archived:  # the others are made of these
            self._index = _Index()


def collated(text: str) -> str:
    """What MySQL's utf8_unicode_ci compares: neither case nor accents, nor spaces at the end."""
    if text.isascii():
        return text.casefold().rstrip(" ")
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if not unicodedata.combining(each)).rstrip(" ")
