"""The parse phase of dialect D1: items and links in, operations and events out (§2.2, §3.12).

As in D2, every item is compared with the referential as it was before the job. Unlike D2, ids are
the client's, categories are raw ids, patterns are not validated, deletion is physical, and links
say who belongs to whom.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.canopsis_cis import Ci, read_ci, read_link
from sandbox.canopsis_events import Event, EventKind
from sandbox.canopsis_gojson import NotJson
from sandbox.canopsis_items import WrongType
from sandbox.canopsis_knobs import Poison
from sandbox.canopsis_link_writes import Links, no_longer_below, of_component
from sandbox.canopsis_operations import (
    Amend,
    Erase,
    JobCrashed,
    JobFailed,
    Patch,
    Refused,
    Upsert,
)
from sandbox.canopsis_parse import Parsed
from sandbox.canopsis_parts import parts
from sandbox.canopsis_store import Doc, Store

TYPES = ("service", "resource", "component", "connector")
Version = tuple[int, ...]


def parse(
    body: bytes,
    store: Store,
    *,
    source: str,
    now: int,
    version: Version,
    poison: Sequence[Poison] = (),
) -> Parsed:
    """Read a payload against the referential.

    Raises JobFailed with the job's `info`, JobCrashed when the worker dies of an item.
    """
    cis = _Cis(store, source, now, version, poison)
    links = Links(store, version, cis.kinds, cis.component_infos)
    try:
        for name, items in parts(body):
            for raw in items:
                if name == "cis":
                    cis.take(_decoded(name, read_ci, raw, version))
                else:
                    cis.parsed.operations += links.take(_decoded(name, read_link, raw))
    except NotJson as fault:
        raise JobFailed(str(fault)) from fault
    return cis.parsed


def _decoded(part: str, read: Any, *given: Any) -> Any:
    try:
        return read(*given)
    except WrongType as fault:
        raise JobFailed(f"failed to decode {part} item: {fault}") from fault


def validate(ci: Ci, version: Version) -> None:
    """The checks of one item, in the order that decides which is told (§2.7)."""
    fault = ""
    if not ci.id:
        fault = "_id is required"
    elif ci.type is None:
        fault = "type is required"
    elif ci.type not in TYPES:
        fault = "type is not valid" if version < (4, 4) else f'type is not valid "{ci.type}"'
    elif ci.type != "service" and ci.entity_pattern:
        fault = "contains entity pattern, but ci is not a service"
    elif ci.type != "service" and ci.entity_patterns is not None:
        fault = "contains entity patterns, but ci is not a service"
    if fault:
        raise JobFailed(f"ci = {ci.id}, validation error: {fault}")


class _Cis:
    """The bookkeeping of the items of one payload.

    `kinds` are the types of what it speaks of, `component_infos` what its components say.
    """

    def __init__(
        self, store: Store, source: str, now: int, version: Version, poison: Sequence[Poison]
    ) -> None:
        self.parsed = Parsed()
        self.kinds: dict[str, str] = {}
        self.component_infos: dict[str, dict[str, Any]] = {}
        self._store, self._version = store, version
        self._poison = [(re.compile(each.name), each) for each in poison]
        self._stamp: dict[str, Any] = (
            {"import_source": source, "imported": now} if version >= (4, 4) else {}
        )
        self._actions = {
            "create": self._create,
            "set": self._set,
            "update": self._update,
            "delete": self._delete,
            "enable": self._enable,
            "disable": self._disable,
        }

    def take(self, ci: Ci) -> None:
        """Everything one item asks for."""
        self.parsed.items += 1
        validate(ci, self._version)
        self._swallow(ci)
        self.kinds[ci.id] = ci.type or ""
        act = self._actions.get(ci.action)
        if act is None:
            raise JobFailed(f"the action {ci.action} is not recognized")
        act(ci)

    def _swallow(self, ci: Ci) -> None:
        for pattern, poison in self._poison:
            if pattern.search(ci.name or ci.id):
                if poison.phase == "parse":
                    raise JobFailed(poison.info)
                self.parsed.operations.append(Refused(poison.info))

    def _create(self, ci: Ci) -> None:
        values = self._values(ci) | {"infos": ci.infos or {}, "enable_history": []}
        alone = self._version < (23, 4)
        self.parsed.operations.append(Upsert(ci.id, values, revive=False, alone=alone))
        if ci.type == "component" and ci.action == "create":
            self.component_infos[ci.id] = ci.infos or {}
        if ci.enabled:
            self._event("entityupdated", ci)

    def _set(self, ci: Ci) -> None:
        old = self._store.entities.get(ci.id)
        if old is None:
            self._create(ci)
        else:
            self._change(ci, old, {**old["infos"], **(ci.infos or {})})

    def _update(self, ci: Ci) -> None:
        self._change(ci, self._known(ci), ci.infos or {})

    def _change(self, ci: Ci, old: Doc, infos: dict[str, Any]) -> None:
        values = self._values(ci) | {"infos": infos}
        self.parsed.operations.append(Upsert(ci.id, values, revive=False))
        if ci.type == "component":
            self.component_infos[ci.id] = infos
            if self._version >= (4, 4):
                below = of_component(ci.id, infos, self._version)
                self.parsed.operations.append(below)
        before = old.get("enabled")
        if not (before or ci.enabled):
            return
        if ci.type != "service" and (before is None or (before and ci.enabled is None)):
            if self._version >= (4, 5, 9):
                raise JobCrashed(ci.id)
            return
        self._event("entityupdated" if before and ci.enabled else "entitytoggled", ci)

    def _delete(self, ci: Ci) -> None:
        old = self._known(ci)
        if ci.type == "component":
            self.component_infos[ci.id] = {}
            self.parsed.operations.append(no_longer_below(ci.id, self._version))
        self.parsed.operations += [*self._unlinked(ci.id), Erase(ci.id)]
        if old.get("enabled") and ci.type == "service":
            self._event("recomputeentityservice", ci)

    def _unlinked(self, entity: str) -> Iterator[Amend]:
        """An entity that goes leaves what refers to it."""

        def pointing(field: str) -> Amend:
            def select(store: Store) -> list[str]:
                if field == "component":
                    ids = [*store.resources_of(entity), entity]
                elif store.entities.get(entity, {}).get("type") == "connector":
                    ids = list(store.entities)
                else:
                    ids = []
                known = store.entities
                return [each for each in ids if known.get(each, {}).get(field) == entity]

            return Amend(select, unset=(field,))

        if self._version < (23, 4):
            yield Amend(
                lambda store: store.arrays.impact.holders(entity), parted={"impact": (entity,)}
            )
            yield Amend(
                lambda store: store.arrays.depends.holders(entity), parted={"depends": (entity,)}
            )
        yield pointing("connector")
        yield pointing("component")

    def _enable(self, ci: Ci) -> None:
        self._switch(ci, enabled=True)

    def _disable(self, ci: Ci) -> None:
        self._switch(ci, enabled=False)

    def _switch(self, ci: Ci, *, enabled: bool) -> None:
        self._known(ci)
        self.parsed.operations.append(Patch(ci.id, {"enabled": enabled, **self._stamp}))
        if ci.type == "component":
            self.component_infos[ci.id] = ci.infos or {}
        self._event("entitytoggled", ci)

    def _known(self, ci: Ci) -> Doc:
        old = self._store.entities.get(ci.id)
        if old is None:
            raise JobFailed(f"failed to {ci.action} an entity with _id = {ci.id}")
        return old

    def _values(self, ci: Ci) -> dict[str, Any]:
        """What is written whether or not the entity is there: what was given, and two defaults."""
        values: dict[str, Any] = {
            "name": ci.id if ci.name is None else ci.name,
            "type": ci.type,
            "impact_level": 1 if ci.impact_level is None else ci.impact_level,
            **self._stamp,
        }
        for name in ("enabled", "category", "output_template", "measurements"):
            given = getattr(ci, name)
            if given is not None:
                values[name] = given
        if ci.type == "component" and self._version >= (4, 4):
            values["component"] = ci.id
        if ci.entity_pattern:
            values["entity_pattern"] = ci.entity_pattern
        if ci.entity_patterns is not None:
            values["entity_patterns"] = ci.entity_patterns
        return values

    def _event(self, kind: EventKind, ci: Ci) -> None:
        if ci.type == "service":
            self.parsed.services.append(Event("recomputeentityservice", ci.id))
        elif ci.type == "resource":
            self.parsed.resources.append(Event(kind, ci.id))
        else:
            self.parsed.components.append(Event(kind, ci.id))
