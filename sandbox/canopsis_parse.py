"""The parse phase of dialect D2: items in, operations and events out (`specs/canopsis.md` §11).

Every item is compared with the referential as it was before the job, which holds because nothing
is written here; categories alone are created on the way, and stay when the job fails.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.canopsis_events import Event, EventKind
from sandbox.canopsis_gojson import NotJson, stream
from sandbox.canopsis_items import Item, WrongType, read_item
from sandbox.canopsis_knobs import Poison
from sandbox.canopsis_operations import Inherit, JobFailed, Operation, Patch, Refused, Upsert
from sandbox.canopsis_pattern import SERVICE_FORBIDDEN, is_valid
from sandbox.canopsis_store import Doc, Store

IMMUTABLE_ID = (
    "write exception: write errors: [Performing an update on the path '_id' "
    "would modify the immutable field '_id']"
)


@dataclass(slots=True)
class Parsed:
    """What a payload asks for.

    `services`, `resources` and `components` are the events of its items, in order, and `existing`
    those of the components it only names through their resources; the event of a new service has
    no entity (§3.4).
    """

    operations: list[Operation] = field(default_factory=list)
    services: list[Event] = field(default_factory=list)
    resources: list[Event] = field(default_factory=list)
    components: list[Event] = field(default_factory=list)
    existing: list[Event] = field(default_factory=list)
    items: int = 0


def parse(
    body: bytes,
    store: Store,
    *,
    source: str,
    now: int,
    version: tuple[int, ...] = (24, 10),
    poison: Sequence[Poison] = (),
) -> Parsed:
    """Read a payload against the referential; raises JobFailed with the job's `info`."""
    parser = _Parser(store, source, now, poison, version)
    for item in _items(body):
        parser.take(item)
    parser.close()
    return parser.parsed


def _items(body: bytes) -> Iterator[Item]:
    try:
        for raw in stream(body):
            yield read_item(raw)
    except NotJson as fault:
        raise JobFailed(str(fault)) from fault
    except WrongType as fault:
        raise JobFailed(f"failed to decode cis item: {fault}") from fault


def validate(item: Item) -> None:
    """The checks of one item, in the order that decides which is told (§2.7)."""
    fault = ""
    if item.type == "service":
        if not item.entity_pattern and item.action == "set":
            fault = f"service {item.name} contains empty pattern"
    elif item.type == "resource":
        if not item.component:
            fault = f"resource {item.name} contains empty component"
    elif item.type != "component":
        fault = f"type is not valid {item.type}"
    if not fault and not item.name:
        fault = "empty name is not allowed"
    if not fault and item.entity_pattern and item.type != "service":
        fault = "contains entity pattern, but ci is not a service"
    if fault:
        raise JobFailed(f"ci = , validation error: {fault}")


class _Parser:
    """The bookkeeping of one payload."""

    def __init__(
        self,
        store: Store,
        source: str,
        now: int,
        poison: Sequence[Poison],
        version: tuple[int, ...],
    ) -> None:
        self.parsed = Parsed()
        self._version = version
        self._store, self._source, self._now = store, source, now
        self._poison = [(re.compile(each.name), each) for each in poison]
        self._stamp = {"import_source": source, "imported": now}
        self._categories: dict[str, str] = {}
        self._names: dict[str, Doc] | None = None
        # Components whose resources or selves are `set`; true once nothing is left to look up.
        self._seen: dict[str, bool] = {}
        self._infos: dict[str, dict[str, Any]] = {}
        self._deleted: set[str] = set()
        self._disabled: set[str] = set()
        self._cascaded: set[str] = set()
        self._actions = {
            "set": self._set,
            "delete": self._delete,
            "enable": self._enable,
            "disable": self._disable,
        }

    def take(self, item: Item) -> None:
        """Everything one item asks for."""
        self.parsed.items += 1
        validate(item)
        if item.entity_pattern and not is_valid(item.entity_pattern, forbidden=SERVICE_FORBIDDEN):
            return  # skipped without a word but in the log of the server
        if self._poison:
            self._swallow(item)
        category = self._category(item.category) if item.category else ""
        old = self._named(item.name) if item.type == "service" else self._store.live(item.id)
        act = self._actions.get(item.action)
        if act is None:
            raise JobFailed(f"the action {item.action} is not recognized")
        if old is None and item.action != "set":
            kind = "service with name" if item.type == "service" else "with _id"
            name = item.name if item.type == "service" else item.id
            raise JobFailed(f"failed to {item.action} an entity {kind} = {name}")
        act(item, old, category)

    def close(self) -> None:
        """What the payload as a whole asks for, once every item is known."""
        for component, exists in self._seen.items():
            if component in self._deleted:
                raise JobFailed("can't create and delete component simutaneously")
            if component in self._disabled:
                raise JobFailed("can't create and disable component simutaneously")
            infos = self._infos.get(component)
            if not exists:
                infos = self._look_up(component)
            if infos:
                self.parsed.operations.append(Inherit(component, infos))

    def _swallow(self, item: Item) -> None:
        for pattern, poison in self._poison:
            if pattern.search(item.name):
                if poison.phase == "parse":
                    raise JobFailed(poison.info)
                self.parsed.operations.append(Refused(poison.info))

    def _category(self, name: str) -> str:
        """Id of the category, created if need be even if the job fails later (§3.8)."""
        if name not in self._categories:
            known = self._store.category_named(name)
            self._categories[name] = known or self._store.add_category(name, now=self._now)["_id"]
        return self._categories[name]

    def _named(self, name: str) -> Doc | None:
        """The first live entity of that name, whatever its type: how services are found (§3.1)."""
        if self._names is None:
            self._names = {}
            for doc in self._store.entities.values():
                if "soft_deleted" not in doc:
                    self._names.setdefault(doc["name"], doc)
        return self._names.get(name)

    def _set(self, item: Item, old: Doc | None, category: str) -> None:
        values: dict[str, Any] = {
            "name": item.name,
            "type": item.type,
            "infos": item.infos or {},
            "impact_level": item.impact_level or 1,
            **self._stamp,
        }
        if old is None:
            values["enable_history"] = []
        else:
            values["infos"] = {**old["infos"], **values["infos"]}
        if item.enabled:
            values["enabled"] = True
        if category:
            values["category"] = category
        if item.tags is not None and self._version >= (25, 4):
            values["tags"] = item.tags
        if item.type == "component":
            values["component"] = item.name
            self._seen[item.name] = True
            self._infos[item.name] = item.infos or {}
        elif item.type == "resource":
            values["component"] = item.component
            if old is None:
                self._seen.setdefault(item.component, False)
            else:
                self._seen[item.component] = True
        else:
            values["entity_pattern"] = item.entity_pattern
            if item.output_template:
                values["output_template"] = item.output_template
        renamed = old is not None and old["_id"] != item.id
        self.parsed.operations.append(Refused(IMMUTABLE_ID) if renamed else Upsert(item.id, values))
        was = old is not None and bool(old.get("enabled"))
        if was or item.enabled:
            kind: EventKind = "entityupdated" if was and item.enabled else "entitytoggled"
            self._event(kind, item, old)

    def _delete(self, item: Item, old: Doc | None, _: str) -> None:
        gone = {"enabled": False, "soft_deleted": self._now}
        if item.type == "component":
            self._deleted.add(item.id)
            self._cascade(item.id, gone)
        elif item.type == "resource":
            self._cascaded.add(item.id)
        self._patch(old, gone)
        if item.type == "service" and old is not None and old.get("enabled"):
            self._event("recomputeentityservice", item, old)

    def _enable(self, item: Item, old: Doc | None, _: str) -> None:
        self._patch(old, {"enabled": True, **self._stamp})
        self._event("entitytoggled", item, old)

    def _disable(self, item: Item, old: Doc | None, _: str) -> None:
        off = {"enabled": False, **self._stamp}
        if item.type == "component":
            self._disabled.add(item.id)
            self._cascade(item.id, off)
        if item.type == "service" and self._version < (24, 10):
            # It was found by its name, but what is written to is the id that an import gives it.
            self.parsed.operations.append(Patch(item.name, off))
        else:
            self._patch(old, off)
        self._event("entitytoggled", item, old)

    def _cascade(self, component: str, values: dict[str, Any]) -> None:
        """The same write to the live resources that no item or cascade has dealt with yet."""
        for resource in self._store.resources_of(component):
            if resource not in self._cascaded and self._store.live(resource) is not None:
                self._cascaded.add(resource)
                self.parsed.operations.append(Patch(resource, values))

    def _patch(self, old: Doc | None, values: dict[str, Any]) -> None:
        if old is not None:
            self.parsed.operations.append(Patch(old["_id"], values))

    def _look_up(self, component: str) -> dict[str, Any] | None:
        """The component of new resources, created when absent; gives the infos they inherit."""
        self.parsed.existing.append(Event("entityupdated", component))
        old = self._store.live(component)
        if old is None:
            values = {
                "name": component,
                "type": "component",
                "component": component,
                "infos": {},
                "impact_level": 1,
                "enabled": True,
                "enable_history": [],
                **self._stamp,
            }
            self.parsed.operations.append(Upsert(component, values))
            return None
        if not old.get("enabled"):
            raise JobFailed("can't create resource for disabled component")
        infos: dict[str, Any] = old["infos"]
        return infos

    def _event(self, kind: EventKind, item: Item, old: Doc | None) -> None:
        if item.type == "service":
            # The event is built from the entity as it was: a new service has none to name.
            known = old["_id"] if old is not None else ""
            self.parsed.services.append(Event("recomputeentityservice", known))
        elif item.type == "resource":
            self.parsed.resources.append(Event(kind, item.id))
        else:
            self.parsed.components.append(Event(kind, item.id))
