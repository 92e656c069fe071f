"""What the links of a D1 body write (`specs/canopsis.md` §2.2, §3.12).

Up to 22.10 a link is in the arrays of both its ends, whatever they are. What it says of
`component`, `component_infos` and `connector` is written from 4.4 on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.canopsis_cis import Link
from sandbox.canopsis_operations import Amend, JobFailed, Select
from sandbox.canopsis_store import Store

Version = tuple[int, ...]
Kinds = dict[str, str]
_UNTYPED: Version = (4, 4)
_ARRAYS_UNTIL: Version = (23, 4)
_NOT_IMPLEMENTED = ("update", "enable", "disable")


class Links:
    """The links of one payload; *kinds* and *infos* are what its items have said by then."""

    def __init__(
        self, store: Store, version: Version, kinds: Kinds, infos: Mapping[str, dict[str, Any]]
    ) -> None:
        self._store, self._version = store, version
        self._kinds, self._infos = kinds, infos

    def take(self, link: Link) -> list[Amend]:
        """The writes of one link; raises JobFailed."""
        end = self._store.entities.get(link.to)
        if end is not None:
            self._kinds.setdefault(link.to, end["type"])
        if self._version < _ARRAYS_UNTIL:
            # 23.x looks the other ends up too, but loses what it finds.
            for source in link.sources:
                if (doc := self._store.entities.get(source)) is not None:
                    self._kinds.setdefault(source, doc["type"])
        if link.action in _NOT_IMPLEMENTED:
            raise JobFailed("import action not implemented")
        if link.action not in ("create", "delete"):
            raise JobFailed(f"the action {link.action} is not recognized")
        written = [*self._arrays(link), *self._typed(link)]
        component = link.to in self._infos or (end is not None and end["type"] == "component")
        if self._version >= _UNTYPED and component:
            written.append(self._inherited(link, end))
        return written

    def _arrays(self, link: Link) -> list[Amend]:
        if self._version >= _ARRAYS_UNTIL:
            return []
        upper, lower = _these([link.to]), _these(link.sources)
        if link.action == "create":
            return [
                Amend(upper, joined={"depends": link.sources}),
                Amend(lower, joined={"impact": (link.to,)}),
            ]
        return [
            Amend(upper, parted={"depends": link.sources}),
            Amend(lower, parted={"impact": (link.to,)}),
        ]

    def _typed(self, link: Link) -> list[Amend]:
        """`component` or `connector` of one of the ends."""
        if self._version < _UNTYPED or not link.to or not link.sources:
            return []
        kind = self._kinds.get(link.to)
        if kind == "connector":
            below = ("component", "resource")
            return [self._pointer(link, link.sources, below, "connector", link.to)]
        if kind == "component":
            return [self._pointer(link, link.sources, ("resource",), "component", link.to)]
        if kind == "resource":
            connector = self._connector(link)
            if connector:
                return [self._pointer(link, [link.to], ("resource",), "connector", connector)]
        return []

    def _connector(self, link: Link) -> str:
        """The one connector that a resource is linked from, "" when there is none."""
        connectors = [each for each in link.sources if self._kinds.get(each) == "connector"]
        creating = link.action == "create"
        strict = self._version >= _ARRAYS_UNTIL
        if creating and len(link.sources if strict else connectors) > 1:
            raise JobFailed("an entity cannot be connected to more then 1 connector")
        if creating and strict and not connectors:
            raise JobFailed("a resource can be connected only to connector")
        return connectors[0] if connectors else ""

    def _pointer(
        self, link: Link, entities: Sequence[str], kinds: Sequence[str], field: str, to: str
    ) -> Amend:
        if link.action == "create":
            return Amend(_these(entities, kinds), values={field: to})
        held = {field: to} if self._version >= _ARRAYS_UNTIL else {}
        return Amend(_these(entities, kinds, held), unset=(field,))

    def _inherited(self, link: Link, end: Mapping[str, Any] | None) -> Amend:
        resources = _these(link.sources, ("resource",))
        if link.action == "delete":
            return Amend(resources, unset=("component_infos", "component"))
        infos = self._infos.get(link.to)
        if infos is None:
            infos = end["infos"] if end is not None else {}
        return Amend(resources, values=_below(link.to, infos, self._version))


def of_component(component: str, infos: dict[str, Any], version: Version) -> Amend:
    """A component that was changed tells its resources."""
    return Amend(_resources(component, version), values=_below(component, infos, version))


def no_longer_below(component: str, version: Version) -> Amend:
    """The resources of a component that goes are kept, without it."""
    return Amend(_resources(component, version), unset=("component_infos", "component"))


def _below(component: str, infos: dict[str, Any], version: Version) -> dict[str, Any]:
    if infos or version < (22, 10):
        return {"component": component, "component_infos": infos}
    return {"component": component}


def _resources(component: str, version: Version) -> Select:
    """The resources of a component as that version finds them."""

    def select(store: Store) -> Iterable[str]:
        if version >= _ARRAYS_UNTIL:
            return list(store.resources_of(component))
        holders = store.arrays.impact.holders(component)
        return [each for each in holders if store.entities[each]["type"] == "resource"]

    return select


def _these(
    entities: Sequence[str], kinds: Sequence[str] = (), held: Mapping[str, Any] | None = None
) -> Callable[[Store], list[str]]:
    """Those entities, when they are of one of the kinds and hold those values."""
    wanted = (held or {}).items()

    def select(store: Store) -> list[str]:
        docs = [doc for each in entities if (doc := store.entities.get(each)) is not None]
        return [
            doc["_id"]
            for doc in docs
            if (not kinds or doc["type"] in kinds) and all(doc.get(k) == v for k, v in wanted)
        ]

    return select
