"""The event bus and the engines behind it: everything Canopsis does after having answered.

Events take effect in order, `event_delay` after publication (`specs/canopsis.md` §3.10, §4, §7).
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.canopsis_alarms import Alarms
from sandbox.canopsis_graph import Graph
from sandbox.canopsis_knobs import Knobs
from sandbox.canopsis_store import Doc, Store

EventKind = Literal[
    "entityupdated", "entitytoggled", "recomputeentityservice", "resolve_deleted", "check"
]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to which entity; `body` is the event posted, for a check."""

    kind: EventKind
    entity: str
    body: dict[str, Any] = field(default_factory=dict)


class Bus:
    """Events on their way; `wake` is called when there is one again."""

    def __init__(self, engines: "Engines", knobs: Knobs) -> None:
        self._engines, self._knobs = engines, knobs
        self._queue: deque[tuple[float, Event]] = deque()
        self._recomputes: set[str] = set()
        self.wake: Callable[[], None] = lambda: None

    def publish(self, event: Event) -> None:
        """Queue an event. A recompute that still waits will see what the second one would."""
        if event.kind == "recomputeentityservice":
            if event.entity in self._recomputes:
                return
            self._recomputes.add(event.entity)
        self._queue.append((time.monotonic() + self._knobs.event_delay, event))
        if len(self._queue) == 1:
            self.wake()

    def recompute_all(self, store: Store) -> None:
        """One recompute event per service in the database, soft-deleted ones included."""
        for service in list(store.services):
            self.publish(Event("recomputeentityservice", service))

    def due_in(self) -> float | None:
        """Seconds until the first event takes effect; None when none waits."""
        return self._queue[0][0] - time.monotonic() if self._queue else None

    def step(self, *, at_once: bool = False) -> bool:
        """Let the first event take effect if it is due, or *at_once*; false when none did.

        Recomputes that follow each other are one walk through the entities.
        """
        if not self._queue or not (at_once or self._queue[0][0] <= time.monotonic()):
            return False
        _, event = self._queue.popleft()
        if event.kind != "recomputeentityservice":
            self._engines.process(event)
            return True
        services = [event.entity]
        while self._queue and self._queue[0][1].kind == "recomputeentityservice":
            services.append(self._queue.popleft()[1].entity)
        self._recomputes.difference_update(services)
        self._engines.recompute(services)
        return True


class Engines:
    """What engine-che, engine-axe and the service engine make of an event."""

    def __init__(
        self, store: Store, graph: Graph, alarms: Alarms, knobs: Knobs, now: Callable[[], int]
    ) -> None:
        self._store, self._graph, self._alarms = store, graph, alarms
        self._knobs, self._now = knobs, now
        self._swept: dict[str, None] = {}

    def process(self, event: Event) -> None:
        if event.kind == "check":
            self._check(event.body)
        elif event.kind == "resolve_deleted":
            self._alarms.resolve(event.entity, now=self._now())
        else:
            self._entity(event)

    def sweep(self, publish: Callable[[Event], None]) -> None:
        """The soft-delete worker: first alarms are resolved, later documents removed (§3.6)."""
        oldest = self._now() - self._knobs.soft_delete_wait
        for entity in list(self._store.soft_deleted):
            if entity not in self._swept:
                self._swept[entity] = None
                publish(Event("resolve_deleted", entity))
            elif self._store.entities[entity]["soft_deleted"] <= oldest:
                self._store.remove(entity)
        for entity in [each for each in self._swept if each not in self._store.soft_deleted]:
            del self._swept[entity]

    def recompute(self, services: list[str]) -> None:
        """What follows from recompute events of services, which go together."""
        self._graph.recompute(services)
        for service in services:
            self._graph.assign(service)
            doc = self._store.entities.get(service)
            if doc is not None and not doc.get("enabled"):
                self._alarms.resolve(service, now=self._now())

    def _entity(self, event: Event) -> None:
        doc = self._store.live(event.entity)
        if doc is None:
            return
        if doc["type"] == "component" and self._knobs.numbers() >= (24, 4):
            values = {"component_infos": doc["infos"]}
            for resource in self._store.resources_of(doc["_id"]):
                self._store.update(resource, values)
        self._graph.assign(doc["_id"])
        if event.kind == "entitytoggled" and not doc.get("enabled"):
            self._alarms.resolve(doc["_id"], now=self._now())

    def _check(self, body: dict[str, Any]) -> None:
        """A check creates connector, component and resource if absent, then speaks of an alarm."""
        connector = f"{body['connector']}/{body['connector_name']}"
        component, resource = body["component"], body.get("resource", "")
        entity = f"{resource}/{component}" if resource else component
        known = self._store.entities.get(entity)
        if known is not None and ("soft_deleted" in known or not known.get("enabled")):
            return  # nothing revives a deleted entity, nothing is heard of a disabled one
        now = self._now()
        new_connector = connector not in self._store.entities
        self._heard(connector, "connector", body["connector_name"], {}, now)
        link = {"connector": connector, "component": component}
        infos: dict[str, Any] = {}
        if resource:
            above = self._heard(component, "component", component, link, now)
            infos = {"component_infos": above["infos"]} if above["infos"] else {}
            doc = self._heard(entity, "resource", resource, {**link, **infos}, now)
        else:
            doc = self._heard(entity, "component", component, link, now)
        if new_connector and doc.get("connector") != connector:
            self._store.update(entity, {"connector": connector})
        self._alarms.check(doc, state=body["state"], output=body.get("output", ""), now=now)

    def _heard(self, entity: str, kind: str, name: str, link: dict[str, Any], now: int) -> Doc:
        """The entity an event speaks of, created when absent."""
        if entity in self._store.entities:
            self._store.update(entity, {"last_event_date": now})
        else:
            values = {
                "name": name,
                "type": kind,
                "infos": {},
                "impact_level": 1,
                "enabled": True,
                "enable_history": [now],
                "last_event_date": now,
                **link,
            }
            self._store.upsert(entity, values, now=now)
            if self._knobs.numbers() < (23, 4):
                self._linked(entity, kind, link)
            self._graph.assign(entity)
        return self._store.entities[entity]

    def _linked(self, entity: str, kind: str, link: dict[str, Any]) -> None:
        """The arrays of a new entity and of its neighbours."""
        arrays = self._store.arrays
        if kind == "component":
            arrays.link(entity, link["connector"])
        elif kind == "resource":
            arrays.link(entity, link["component"])
            arrays.link(link["connector"], entity)
