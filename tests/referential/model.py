"""Canopsis' referential in a hundred lines, for the state machine of the sync.

Semantics of `specs/canopsis.md` §3 for dialect D2: every item is judged against the state before
its import, one bad item fails all of it, a component takes its resources along when it is disabled
or deleted, a new resource makes its component or is refused under a disabled one, infos are merged
into those that are there, and an item that does not say `enabled` leaves that as it is.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal


class ImportRefused(Exception):
    """An import ended `failed`; nothing of it was written."""


@dataclass(frozen=True, slots=True)
class Held:
    """One entity; `by` is the import source that sent it, "" when Canopsis made it by itself.

    `infos` are its keys, `foreign` those that others wrote: they must never go.
    """

    kind: str
    component: str
    content: str
    enabled: bool = True
    deleted: bool = False
    by: str = ""
    infos: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an import."""

    action: Literal["set", "delete"]
    id: str
    kind: str
    component: str
    content: str = ""
    infos: frozenset[str] = frozenset()
    enabled: bool = True  # False: not said


class Referential:
    """Entities by id. Imports queue, switches do not."""

    def __init__(self) -> None:
        self.entities: dict[str, Held] = {}
        self._queue: deque[tuple[str, list[Item]]] = deque()

    def send(self, source: str, items: list[Item]) -> None:
        """Queue an import."""
        self._queue.append((source, items))

    def work(self) -> None:
        """Carry out what is queued; raises ImportRefused for the last import, when it fails."""
        while self._queue:
            source, items = self._queue.popleft()
            try:
                self._import(source, items)
            except ImportRefused:
                if not self._queue:
                    raise

    def tear(self, source: str, items: list[Item]) -> None:
        """An import that fails while it is written: its first half stands (§2.5)."""
        self.work()
        self._import(source, items)  # raises when it would not have come to writing
        whole = self.entities
        self.entities = self._before | {
            item.id: whole[item.id] for item in items[: len(items) // 2]
        }

    def switch(self, ids: list[str], *, enabled: bool) -> dict[str, bool]:
        """Enable or disable through the bulk endpoint; False for what is not there (§5.6)."""
        outcomes = {}
        for identity in ids:
            outcomes[identity] = self.alive(identity) is not None
            if outcomes[identity]:
                cascade = [] if enabled else self._resources(identity)
                for each in [identity, *cascade]:
                    self.entities[each] = replace(self.entities[each], enabled=enabled)
        return outcomes

    def write(self, identity: str, keys: frozenset[str]) -> None:
        """Somebody else writes infos."""
        held = self.entities[identity]
        self.entities[identity] = replace(
            held, infos=held.infos | keys, foreign=held.foreign | keys
        )

    def prune(self, identity: str, keys: frozenset[str]) -> None:
        """Read, leave keys out, write back (§5.3)."""
        if (held := self.alive(identity)) is not None:
            self.entities[identity] = replace(held, infos=held.infos - keys)

    def alive(self, identity: str) -> Held | None:
        held = self.entities.get(identity)
        return None if held is None or held.deleted else held

    def _import(self, source: str, items: list[Item]) -> None:
        self._before = dict(self.entities)
        set_here = {item.id for item in items if item.action == "set"}
        made = [name for item in items if (name := self._examine(item, set_here)) is not None]
        for item in items:
            if item.action == "set":
                self._set(source, item)
                continue
            for each in [item.id, *self._resources(item.id)]:
                self.entities[each] = replace(self.entities[each], enabled=False, deleted=True)
        for component in made:
            self.entities[component] = Held("component", component, "")

    def _set(self, source: str, item: Item) -> None:
        held = self.alive(item.id) or Held(item.kind, item.component, "", enabled=False)
        self.entities[item.id] = replace(
            held,
            kind=item.kind,
            component=item.component,
            content=item.content,
            enabled=item.enabled or held.enabled,
            by=source,
            infos=held.infos | item.infos,
        )

    def _examine(self, item: Item, set_here: set[str]) -> str | None:
        """The component that the item makes, if any; raises ImportRefused."""
        if item.action == "delete":
            if self.alive(item.id) is None:
                raise ImportRefused(f"failed to delete an entity with _id = {item.id}")
            if {item.id, *self._resources(item.id)} & set_here:
                raise ImportRefused("can't create and delete component simutaneously")
            return None
        if item.kind != "resource" or self.alive(item.id) or item.component in set_here:
            return None
        component = self.alive(item.component)
        if component is not None and not component.enabled:
            raise ImportRefused("can't create resource for disabled component")
        return None if component else item.component

    def _resources(self, component: str) -> list[str]:
        return [
            identity
            for identity, held in self.entities.items()
            if held.kind == "resource" and held.component == component and not held.deleted
        ]
