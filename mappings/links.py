"""Names that services and resources speak of, and that no dataset made an entity of: orphans.

Canopsis takes them silently: a service never depends on what is not there, and a resource of an
unknown component gets one without infos (`specs/canopsis.md` §3.2, §4). They are looked for where
the job itself makes what they name: a job of services alone names entities of other feeds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from mappings.rules import Constant
from mappings.unit import Unit
from referential.entity import EntityPage, Kind

Watch = Callable[[EntityPage], None]

_FIELDS = ("name", "_id", "component")
_CONDITIONS = ("eq", "is_one_of")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Orphan:
    """Names that a rule gave and that no entity of the run has: how many, and the first of them."""

    rule: str
    count: int
    names: tuple[str, ...]


@dataclass(slots=True)
class Link:
    """A rule that names entities by one of their `_FIELDS`, and all the names that it gave.

    `spot` leads to the name, or to the list of names, in the body of a service; that of a resource
    is its component.
    """

    unit: Unit
    rule: str
    field: str
    spot: tuple[str | int, ...]
    names: set[str]


class Links:
    """The links of a job and the entities that it made."""

    def __init__(self, units: Sequence[Unit]) -> None:
        kinds = {unit.kind for unit in units}
        found = (link for unit in units for link in _links(unit))
        self._links = [
            link
            for link in found
            if "component" in kinds or ("resource" in kinds and link.field != "component")
        ]
        self._made: dict[str, set[str]] = {link.field: set() for link in self._links}

    def watches(self, unit: Unit) -> Iterator[Watch]:
        """What is to see the entities of a unit as they are made: nothing without a link."""
        for link in self._links:
            if link.unit is unit:
                yield _asking(link)
        for field, made in self._made.items():
            if field != "component" or unit.kind == "component":
                yield partial(_note, field, made)

    def learned(self) -> list[Any]:
        """The names that were given and made, as JSON."""
        given = [list(link.names) for link in self._links]
        return [given, {field: list(made) for field, made in self._made.items()}]

    def absorb(self, learned: list[Any]) -> None:
        """Takes the names that came up elsewhere."""
        given, made = learned
        for link, names in zip(self._links, given, strict=True):
            link.names.update(names)
        for field, names in made.items():
            self._made[field].update(names)

    def orphans(self, dataset: str) -> tuple[Orphan, ...]:
        """Those of the rules of a dataset, once all datasets were read."""
        found = []
        for link in self._links:
            lost = sorted(link.names - self._made[link.field])
            if link.unit.dataset == dataset and lost:
                found.append(Orphan(link.rule, len(lost), tuple(lost[:_SHOWN])))
        return tuple(found)


def _links(unit: Unit) -> Iterator[Link]:
    if unit.component is not None and not isinstance(unit.component.origin, Constant):
        yield Link(unit, unit.component.name, "component", (), set())
    for rank, group in enumerate(unit.pattern):
        for position, condition in enumerate(group):
            names = condition.field in _FIELDS and condition.cond in _CONDITIONS
            if names and not isinstance(condition.rule.origin, Constant):
                spot = ("entity_pattern", rank, position, "cond", "value")
                yield Link(unit, condition.rule.name, condition.field, spot, set())


def _note(field: str, made: set[str], page: EntityPage) -> None:
    """Takes down what entities are called."""
    made.update(page.ids if field != "name" else map(_name, page.ids, page.kinds, page.groups))


def _name(identity: str, kind: Kind, component: str) -> str:
    return identity[: -len(component) - 1] if kind == "resource" else identity


def _asking(link: Link) -> Watch:
    def watch(page: EntityPage) -> None:
        if not link.spot:
            link.names.update(page.groups)
            return
        for payload in page.payloads:
            value = orjson.loads(payload)
            for step in link.spot:
                value = value[step]
            link.names.update((value,) if isinstance(value, str) else value)

    return watch
