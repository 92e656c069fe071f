"""The context graph: what a service depends on, who is whose neighbour (`specs/canopsis.md` §4).

Dependencies are kept on the entities (`services`: ids), as in Canopsis, with an index beside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.canopsis_old_pattern import compile_old
from sandbox.canopsis_pattern import PatternFault, Predicate, compile_pattern
from sandbox.canopsis_store import Doc, Store


@dataclass(slots=True)
class _Compiled:
    """A service's pattern as two predicates, and how far in the store's changes it was computed."""

    service: str
    pattern: Any
    by_query: Predicate
    in_memory: Predicate
    epoch: int = -1
    position: int = 0


class Graph:
    """Dependencies of services, computed on demand."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._members: dict[str, set[str]] = {}
        self._compiled: dict[str, _Compiled] = {}

    def members(self, service: str) -> set[str]:
        """Ids of what the service depends on, soft-deleted ones included."""
        return self._members.get(service, set())

    def recompute(self, services: Iterable[str]) -> None:
        """Match all entities against the patterns of services; a disabled one depends on nothing.

        Only what has changed since the last time is matched: a service pattern may not speak of
        time, so nothing else can have another outcome. Services are matched together, entity by
        entity, because walking through a large referential costs more than the matching.
        """
        groups: dict[tuple[int, int], list[_Compiled]] = {}
        for service in services:
            doc = self._store.live(service)
            if doc is None or doc["type"] != "service" or not doc.get("enabled"):
                for member in list(self.members(service)):
                    self._detach(member, service)
                self._compiled.pop(service, None)
            else:
                compiled = self._pattern(doc)
                groups.setdefault((compiled.epoch, compiled.position), []).append(compiled)
        for group in groups.values():
            self._match(group)

    def _match(self, group: list[_Compiled]) -> None:
        """Match what has changed since all patterns of the group were last computed."""
        tests = [(each.service, each.by_query, self.members(each.service)) for each in group]
        flipped = [
            (entity, service, hit)
            for entity, doc in self._changed(group[0]).items()
            for service, matches, members in tests
            if (hit := matches(doc)) is not (entity in members)
        ]
        for compiled in group:
            compiled.epoch, compiled.position = self._store.epoch, len(self._store.changes)
        for entity, service, hit in flipped:
            if hit:
                self._attach(entity, service)
            else:
                self._detach(entity, service)

    def assign(self, entity: str) -> None:
        """Match one entity against all enabled services, as each event about it does.

        A disabled entity is taken out of the services it matches.
        """
        doc = self._store.live(entity)
        if doc is None:
            return
        for service in self._store.services:
            serving = self._store.entities[service]
            if not serving.get("enabled") or "soft_deleted" in serving:
                continue
            inside = entity in self.members(service)
            if self._pattern(serving).in_memory(doc) and doc.get("enabled"):
                if not inside:
                    self._attach(entity, service)
            elif inside:
                self._detach(entity, service)
                # The two evaluators may disagree: the next recompute has to look again.
                self._store.changes.append(entity)

    def forget(self, entity: str) -> None:
        """Take an entity that is physically gone out of every list."""
        for members in self._members.values():
            members.discard(entity)
        for member in self._members.pop(entity, ()):
            self._detach(member, entity)
        self._compiled.pop(entity, None)

    def around(self, doc: Doc) -> dict[str, list[str]]:
        """`{"impact": [ids], "depends": [ids]}` of an entity, soft-deleted neighbours left out."""
        kind, entity = doc["type"], doc["_id"]
        services = sorted(doc.get("services", ()))
        impact: list[str] = []
        depends: list[str] = []
        if kind == "resource":
            impact = [doc["component"]] if doc.get("component") else []
            depends = [doc["connector"]] if doc.get("connector") else []
        elif kind == "component":
            impact = [doc["connector"]] if doc.get("connector") else []
            depends = list(self._store.resources_of(entity))
        elif kind == "connector":
            for other in self._store.entities.values():
                if other.get("connector") == entity:
                    (impact if other["type"] == "resource" else depends).append(other["_id"])
        else:
            depends = sorted(self.members(entity))
        return {"impact": self._live([*impact, *services]), "depends": self._live(depends)}

    def arrays(self, doc: Doc) -> dict[str, list[str]]:
        """The same as it is stored up to 22.10: what links wrote, and services."""
        entity, arrays = doc["_id"], self._store.arrays
        impact = [*arrays.impact.of(entity), *sorted(doc.get("services", ()))]
        depends = [*arrays.depends.of(entity), *sorted(self.members(entity))]
        return {"impact": self._live(impact), "depends": self._live(depends)}

    def _live(self, entities: list[str]) -> list[str]:
        return [entity for entity in entities if self._store.live(entity) is not None]

    def _pattern(self, service: Doc) -> _Compiled:
        pattern = service.get("entity_pattern") or service.get("entity_patterns") or []
        compiled = self._compiled.get(service["_id"])
        if compiled is None or compiled.pattern != pattern:
            try:
                by_query, in_memory = _both(pattern)
            except PatternFault:  # dialect D1 stores what it is given
                by_query = in_memory = _nothing
            compiled = _Compiled(service["_id"], pattern, by_query, in_memory)
            self._compiled[service["_id"]] = compiled
        return compiled

    def _changed(self, compiled: _Compiled) -> dict[str, Doc]:
        """What was written since the pattern was last computed; everything, the first time."""
        store = self._store
        changed = store.entities
        if compiled.epoch == store.epoch:
            ids = dict.fromkeys(store.changes[compiled.position :])
            changed = {entity: changed[entity] for entity in ids if entity in changed}
        return changed

    def _attach(self, entity: str, service: str) -> None:
        doc = self._store.entities[entity]
        doc["services"] = [*doc.get("services", ()), service]
        self._members.setdefault(service, set()).add(entity)
        self._store.touch()

    def _detach(self, entity: str, service: str) -> None:
        self.members(service).discard(entity)
        doc = self._store.entities.get(entity)
        if doc is not None:
            doc["services"] = [each for each in doc.get("services", ()) if each != service]
            self._store.touch()


def _both(pattern: Any) -> tuple[Predicate, Predicate]:
    """The pattern as a query and as it is tested in memory; raises PatternFault."""
    if not pattern:
        return _nothing, _nothing
    if isinstance(pattern, list) and isinstance(pattern[0], dict):  # the syntax up to 4.6
        older = compile_old(pattern)
        return older, older
    in_memory = compile_pattern(pattern, now=0, in_memory=True)
    return compile_pattern(pattern, now=0), in_memory


def _nothing(_: Doc) -> bool:
    return False
