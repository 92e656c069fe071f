"""core/get_related: the impact graph, walked from the objects that a key means."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.itop_classes import is_a
from sandbox.itop_get import ordered, whole
from sandbox.itop_json import encoded, fragment, objects, result
from sandbox.itop_keys import INTERNAL_ERROR, class_of, found, mandatory
from sandbox.itop_knobs import User
from sandbox.itop_login import UNAUTHORIZED, may_export, may_read
from sandbox.itop_model import Model
from sandbox.itop_search import World
from sandbox.itop_state import Itop
from sandbox.itop_store import Thing

_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class _Arrow:
    """Objects of `source` impact those of `target`: by a key of the target, or through a link."""

    source: str
    target: str
    key: str  # of the target, or of the link: who impacts
    link: str = ""
    far: str = ""  # key of the link: who is impacted


_ARROWS: Final = (
    _Arrow("Server", "Hypervisor", "server_id"),
    _Arrow("Farm", "Hypervisor", "farm_id"),
    _Arrow("VirtualHost", "VirtualMachine", "virtualhost_id"),
    _Arrow("FunctionalCI", "SoftwareInstance", "system_id"),
    _Arrow("DBServer", "DatabaseSchema", "dbserver_id"),
    _Arrow("WebServer", "WebApplication", "webserver_id"),
    _Arrow("Rack", "DatacenterDevice", "rack_id"),
    _Arrow(
        "FunctionalCI",
        "ApplicationSolution",
        "functionalci_id",
        "lnkApplicationSolutionToFunctionalCI",
        "applicationsolution_id",
    ),
    _Arrow(
        "ApplicationSolution",
        "BusinessProcess",
        "applicationsolution_id",
        "lnkApplicationSolutionToBusinessProcess",
        "businessprocess_id",
    ),
)
_TO_CONTACTS: Final = _Arrow(
    "FunctionalCI", "Contact", "functionalci_id", "lnkContactToFunctionalCI", "contact_id"
)


@dataclass(slots=True)
class _Walk:
    """What a walk along the arrows meets: objects and arrows, in the order it meets them."""

    itop: Itop
    world: World
    down: bool
    turned: bool  # whether the arrows are told the other way round
    things: dict[str, Thing] = field(default_factory=dict)
    edges: dict[str, list[str]] = field(default_factory=dict)

    def visit(self, thing: Thing, depth: int) -> None:
        """Meet the object, and up to *depth* arrows from it those it leads to."""
        if thing.key in self.things:
            return
        self.things[thing.key] = thing
        if depth <= 0:
            return
        for other in self._neighbours(thing):
            source, sink = (thing, other) if self.down != self.turned else (other, thing)
            sinks = self.edges.setdefault(source.key, [])
            if sink.key not in sinks:
                sinks.append(sink.key)
            self.visit(other, depth - 1)

    def met(self) -> dict[str, int]:
        """How many objects of each class were met."""
        return Counter(thing.kind for thing in self.things.values())

    def _neighbours(self, thing: Thing) -> Iterator[Thing]:
        arrows = (*_ARROWS, _TO_CONTACTS) if self.itop.model.modern else _ARROWS
        for arrow in arrows:
            here = arrow.source if self.down else arrow.target
            if is_a(thing.kind, here):
                yield from self._along(arrow, thing)

    def _along(self, arrow: _Arrow, thing: Thing) -> Iterator[Thing]:
        held = self.itop.held
        kind = arrow.target if self.down else arrow.source
        if arrow.link:
            near, far = (arrow.key, arrow.far) if self.down else (arrow.far, arrow.key)
            links = held.held(arrow.link)
            ids = [
                links[each].values.get(far, 0) for each in held.pointing(arrow.link, near, thing.id)
            ]
        elif self.down:
            ids = list(held.pointing(kind, arrow.key, thing.id))
        else:
            ids = [thing.values.get(arrow.key, 0)]
        there = held.among(kind, dict.fromkeys(ids))
        things = held.held(kind)
        for each in ordered(self.itop, kind, there):
            if self.world.visible(things[each]):
                yield things[each]


def get_related(itop: Itop, user: User, world: World, params: Mapping[str, Any]) -> bytes:
    """The body of the answer; raises Refusal."""
    model = itop.model
    kind = class_of(params)
    key = mandatory(params, "key")
    relation = str(mandatory(params, "relation"))
    direction = params.get("direction")
    # the legacy name walks upwards and turns its arrows round
    legacy = direction is None and relation == "depends on"
    direction = "up" if legacy else direction or "down"
    if direction not in ("up", "down"):
        message = (
            f"Invalid value: '{direction}' for the parameter 'direction'."
            " Valid values are 'up' and 'down'"
        )
        return _answer(model, INTERNAL_ERROR, message, [], {})
    match = found(kind, key, world)
    ids = ordered(itop, match.kind, match.ids) if may_read(user, match.kind) else []
    # a relation that is unknown leads nowhere, and that is no error
    depth = whole(params.get("depth"), _DEPTH) if legacy or relation == "impacts" else 0
    walk = _Walk(itop, world, direction == "down", legacy)
    for each in ids:
        walk.visit(itop.held.held(match.kind)[each], depth)
    return _told(itop, user, walk, len(ids))


def _told(itop: Itop, user: User, walk: _Walk, scope: int) -> bytes:
    """The answer of a walk from *scope* objects."""
    met = walk.met()
    refused = [each for each in met if not may_export(user, each)]
    if refused:
        message = (
            "The current user does not have enough permissions for exporting data of class(es): "
            + ", ".join(refused)
        )
        return result(UNAUTHORIZED, message, modern=itop.model.modern)
    if not met:
        return _answer(itop.model, 0, "Nothing found", [], {})
    told = ", ".join(f"{each}= {count}" for each, count in met.items())
    pieces = [_piece(itop, thing) for thing in walk.things.values()]
    message = f"Scope: {scope}; Related objects: {told}"
    return _answer(itop.model, 0, message, pieces, walk.edges)


def _piece(itop: Itop, thing: Thing) -> bytes:
    shown = {"id": str(thing.id), "friendlyname": itop.held.name(itop.model, thing)}
    return fragment(thing.kind, thing.id, shown)


def _answer(
    model: Model, code: int, message: str, pieces: list[bytes], edges: Mapping[str, list[str]]
) -> bytes:
    """`relations` is a list when empty, else a map (specs/itop.md §8)."""
    told = {source: [{"key": sink} for sink in sinks] for source, sinks in edges.items()}
    parts = (("objects", objects(pieces)), ("relations", encoded(told or [])))
    return result(code, message, *(parts if model.modern else parts[::-1]), modern=model.modern)
