"""The collections of the Canopsis simulator: entities, categories, and their indexes.

An entity is a dict shaped as the document Canopsis stores: `_id`, `name`, `type`, `infos`,
`impact_level`, `enabled` (absent unless it was true once), `component`, `component_infos`,
`category` (an id), `services` (ids it is a dependency of), `import_source`, `imported`,
`created`, `soft_deleted`, `entity_pattern`, … Values are replaced, never changed in place: one
`infos` may be shared by many entities.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.canopsis_links import Arrays

Doc = dict[str, Any]

MISSING = object()
INDEXED = frozenset({"type", "component", "soft_deleted"})
UNMATCHED = frozenset(
    {"component_infos", "enable_history", "import_source", "imported", "last_event_date", "updated"}
)
"""Fields of which no service pattern may speak."""


class Store:
    """All collections, in insertion order.

    `version` grows with every write. `changes` lists the ids of entities that a service pattern
    may match otherwise than before; `epoch` grows when that list starts afresh. `removed` is told
    the id of an entity that is physically gone.
    """

    def __init__(self) -> None:
        self.entities: dict[str, Doc] = {}
        self.categories: dict[str, Doc] = {}
        self.resources: dict[str, dict[str, None]] = {}
        self.services: dict[str, None] = {}
        self.soft_deleted: dict[str, None] = {}
        self.arrays = Arrays()
        self.removed: Callable[[str], None] = lambda _: None
        self.version = 0
        self.changes: list[str] = []
        self.epoch = 0
        self._sorted: tuple[int, list[str]] = (-1, [])

    def live(self, entity: str) -> Doc | None:
        """The entity, unless it is absent or soft-deleted."""
        doc = self.entities.get(entity)
        return None if doc is None or "soft_deleted" in doc else doc

    def live_ids(self) -> list[str]:
        """Ids of what read APIs show, sorted."""
        version, ids = self._sorted
        if version != self.version:
            ids = sorted(i for i, doc in self.entities.items() if "soft_deleted" not in doc)
            self._sorted = (self.version, ids)
        return ids

    def resources_of(self, component: str) -> Iterable[str]:
        """Ids of all resources of a component, soft-deleted ones included."""
        return self.resources.get(component, ())

    def upsert(
        self, entity: str, values: Mapping[str, Any], *, now: int, revive: bool = True
    ) -> bool:
        """Write *values*, alive again if it was soft-deleted; true when anything is new."""
        if entity in self.entities:
            return self.update(entity, values, unset=("soft_deleted",) if revive else ())
        doc = {"_id": entity, **values, "created": now}
        self.entities[entity] = doc
        self._index(doc)
        self.version += 1
        self._changed(entity)
        return True

    def update(self, entity: str, values: Mapping[str, Any], unset: Iterable[str] = ()) -> bool:
        """Write *values* into an entity that exists; true when that modified it."""
        doc = self.entities.get(entity)
        if doc is None:
            return False
        changed = [name for name in unset if name in doc]
        if changed:
            self._unindex(doc)
            for name in changed:
                del doc[name]
            self._index(doc)
        changed += [name for name, value in values.items() if doc.get(name, MISSING) != value]
        moved = not INDEXED.isdisjoint(changed)
        if moved:
            self._unindex(doc)
        # All values are written, even the equal ones: Python takes true and 1 for equal.
        doc.update(values)
        if moved:
            self._index(doc)
        if not changed:
            return False
        self.version += 1
        if not UNMATCHED.issuperset(changed):
            self._changed(entity)
        return True

    def remove(self, entity: str) -> bool:
        """Physical end of an entity; false when there was none."""
        doc = self.entities.pop(entity, None)
        if doc is None:
            return False
        self._unindex(doc)
        self.arrays.clear(entity)
        self.version += 1
        self.removed(entity)
        return True

    def category_named(self, name: str) -> str | None:
        """Id of the first category of that exact name."""
        return next((i for i, c in self.categories.items() if c["name"] == name), None)

    def add_category(self, name: str, *, now: int, author: str | None = None) -> Doc:
        category: Doc = {"_id": str(uuid.uuid4()), "name": name, "created": now, "updated": now}
        if author is not None:
            category["author"] = author
        self.categories[category["_id"]] = category
        self.version += 1
        return category

    def touch(self) -> None:
        """Tell readers that something they may show has changed."""
        self.version += 1

    def _changed(self, entity: str) -> None:
        self.changes.append(entity)
        if len(self.changes) > 100_000 + 4 * len(self.entities):
            self.changes = []
            self.epoch += 1

    def _index(self, doc: Doc) -> None:
        kind = doc.get("type")
        if kind == "resource":
            self.resources.setdefault(doc.get("component", ""), {})[doc["_id"]] = None
        elif kind == "service":
            self.services[doc["_id"]] = None
        if "soft_deleted" in doc:
            self.soft_deleted[doc["_id"]] = None

    def _unindex(self, doc: Doc) -> None:
        kind = doc.get("type")
        if kind == "resource":
            self.resources.get(doc.get("component", ""), {}).pop(doc["_id"], None)
        elif kind == "service":
            self.services.pop(doc["_id"], None)
        self.soft_deleted.pop(doc["_id"], None)
