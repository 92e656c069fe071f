"""The services of a feed with their components and resources, as much of them as a page can show.

A pattern that names its members is followed: into the entities of the same run, else to the
ledger, which knows those of other jobs. One that describes them (`infos.site` is one of …) is told
in words.
The index of the spool is gone through twice, block by block, and never held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from flows.spool import Payloads, Spool
from referential.columns import decode_block
from referential.ledger import Ledger
from referential.whereabouts import Whereabouts, whereabouts

SERVICES = 60
MEMBERS = 25  # of one service
RESOURCES = 10  # of one component
COMPONENTS = 100  # that no shown service names
DEPTH = 4
NODES = 2_500  # of the whole tree
_COLUMNS = ("id", "kind", "group", "category", "offset", "size")
_NAMING = ("name", "_id", "component")
_WORDS = {"eq": "is", "is_one_of": "is one of", "neq": "is not", "is_not_one_of": "is none of"}
_WIDEST = 200  # characters of a pattern in words


@dataclass(frozen=True, slots=True)
class Node:
    """One entity; `note` says where it is from or whom it means, `more` children are hidden."""

    id: str
    kind: str
    category: str = ""
    note: str = ""
    children: "tuple[Node, ...]" = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """`counts` are of the whole run, by kind; `more` roots are hidden."""

    roots: tuple[Node, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    more: int = 0
    there: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    category: str


@dataclass(slots=True)
class _Service:
    """Whom a service names, and the conditions that describe others."""

    category: str
    names: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Wood:
    """What the two passes gather."""

    counts: Counter[str] = field(default_factory=Counter)
    services: dict[str, _Service] = field(default_factory=dict)
    entities: dict[str, _Found] = field(default_factory=dict)
    resources: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    of_group: Counter[str] = field(default_factory=Counter)
    elsewhere: dict[str, Whereabouts] = field(default_factory=dict)
    nodes: int = 0


def tree_of(spool: Spool, ledger: Ledger, target: str) -> Tree:
    """The tree of the run that left *spool*; what it names and does not hold, by the ledger."""
    if not spool.index.exists():
        return Tree(there=False)
    wood = _Wood()
    loose = _first_look(spool, wood)
    named = {name for each in wood.services.values() for name in each.names[:MEMBERS]}
    _second_look(spool, wood, named | set(loose))
    abroad = sorted(name for name in named if name not in wood.entities)
    with ledger.database.reading() as connection:
        wood.elsewhere = whereabouts(connection, target, abroad)
    below = {name for each in wood.services.values() for name in each.names}
    roots = [name for name in wood.services if name not in below] or list(wood.services)
    alone = [name for name in loose if name not in below]
    nodes = [_grow(wood, name, ()) for name in (*roots, *alone) if wood.nodes < NODES]
    hidden = wood.counts["service"] - len(wood.services)
    if not wood.services:
        hidden += max(0, wood.counts["component"] - len(nodes))
    return Tree(tuple(nodes), dict(wood.counts), hidden + len(roots) + len(alone) - len(nodes))


def _first_look(spool: Spool, wood: _Wood) -> list[str]:
    """Count everything, read the patterns of the first services; gives the first components."""
    places: dict[str, tuple[int, int]] = {}
    components: list[str] = []
    for block in _blocks(spool):
        wood.counts.update(block["kind"])
        if len(components) >= COMPONENTS and "service" not in block["kind"]:
            continue
        for row, kind in enumerate(block["kind"]):
            if kind == "service" and len(places) < SERVICES:
                identity = block["id"][row]
                places[identity] = block["offset"][row], block["size"][row]
                wood.services[identity] = _Service(block["category"][row])
            elif kind == "component" and len(components) < COMPONENTS:
                components.append(block["id"][row])
    with Payloads(spool) as payloads:
        for name, (offset, size) in places.items():
            try:
                (payload,) = payloads.read([offset], [size])
            except EOFError:  # a run that was killed: its index may be ahead of its entities
                wood.services[name].words.append("pattern was not written any more")
                continue
            _read_pattern(wood.services[name], orjson.loads(payload).get("entity_pattern") or [])
    # where there are services, they are what one looks for
    return components[: COMPONENTS if not places else COMPONENTS // 4]


def _second_look(spool: Spool, wood: _Wood, wanted: Collection[str]) -> None:
    """Find the wanted entities, and the first resources of each."""
    for block in _blocks(spool):
        for row, (identity, group) in enumerate(zip(block["id"], block["group"], strict=True)):
            if identity in wanted and identity not in wood.services:
                wood.entities[identity] = _Found(block["kind"][row], block["category"][row])
            if group != identity and group in wanted:
                wood.of_group[group] += 1
                if wood.of_group[group] <= RESOURCES:
                    some = wood.resources.setdefault(group, [])
                    some.append((identity, block["category"][row]))


def _blocks(spool: Spool) -> Iterator[dict[str, list[Any]]]:
    with spool.index.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):  # the last one of a run that was killed may not be whole
                yield decode_block(line, _COLUMNS)


def _read_pattern(service: _Service, pattern: Iterable[list[dict[str, Any]]]) -> None:
    """Of groups of conditions, one of which must hold: the names, and the others in words."""
    for group in pattern:
        naming = [each for each in group if _names(each)]
        for each in naming[:1]:
            value = each["cond"]["value"]
            names = map(str, value if isinstance(value, list) else [value])
            known = set(service.names)
            service.names += [name for name in names if name not in known]
        others = [each for each in group if each not in naming[:1]]
        if others:
            service.words.append(" and ".join(map(_in_words, others))[:_WIDEST])


def _names(condition: dict[str, Any]) -> bool:
    kind = (condition.get("cond") or {}).get("type")
    return condition.get("field") in _NAMING and kind in ("eq", "is_one_of")


def _in_words(condition: dict[str, Any]) -> str:
    cond = condition.get("cond") or {}
    kind, value = str(cond.get("type", "")), cond.get("value", "")
    what = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{condition.get('field', '')} {_WORDS.get(kind, kind)} {what}".strip()


def _grow(wood: _Wood, identity: str, above: tuple[str, ...]) -> Node:
    """The node of one entity with what is below it; *above* it are those it must not hold again."""
    wood.nodes += 1
    service = wood.services.get(identity)
    if service is not None:
        if identity in above or len(above) >= DEPTH:
            return Node(identity, "service", service.category, "shown above" * (identity in above))
        shown = service.names[:MEMBERS] if wood.nodes < NODES else []
        children = tuple(_grow(wood, name, (*above, identity)) for name in shown)
        note = "; ".join(f"all whose {words}" for words in service.words[:3])
        more = len(service.names) - len(shown)
        return Node(identity, "service", service.category, note, children, more)
    found = wood.entities.get(identity)
    if found is None:
        return _abroad(wood, identity)
    resources = wood.resources.get(identity, []) if wood.nodes < NODES else []
    wood.nodes += len(resources)
    children = tuple(Node(each, "resource", category) for each, category in resources)
    more = wood.of_group[identity] - len(children)
    return Node(identity, found.kind, found.category, "", children, more)


def _abroad(wood: _Wood, identity: str) -> Node:
    """An entity that this run did not make."""
    known = wood.elsewhere.get(identity)
    if known is None:
        return Node(identity, "unknown", "", "no feed of this Canopsis owns it")
    off = ", disabled" if known.state == "disabled" else ""
    return Node(identity, known.kind, known.category, f"of {known.job}{off}")
