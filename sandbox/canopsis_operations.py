"""The writes that the parse phase of an import asks for (`specs/canopsis.md` §2.5, §11)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.canopsis_links import ArrayName
from sandbox.canopsis_store import Store

Select = Callable[[Store], Iterable[str]]


class JobFailed(Exception):
    """The job ends `failed`; the message is its `info`."""


class JobCrashed(Exception):
    """The worker dies of the job, which stays `ongoing` (§3.12)."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create the entity, or write those values into it.

    With `revive` it is taken out of the soft-deleted, with `alone` its arrays are emptied.
    """

    entity: str
    values: dict[str, Any]
    revive: bool = True
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """Write those values into the entity, if there is one."""

    entity: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Amend:
    """Write into the entities that `select` finds when the operation's turn comes.

    `joined` and `parted` are the ids that come into an array or leave it.
    """

    select: Select
    values: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    joined: Mapping[ArrayName, Sequence[str]] = field(default_factory=dict)
    parted: Mapping[ArrayName, Sequence[str]] = field(default_factory=dict)

    def apply(self, store: Store) -> int:
        """The number of entities that this modified."""
        modified = 0
        for entity in list(self.select(store)):
            if entity not in store.entities:
                continue
            changed = store.update(entity, self.values, self.unset)
            for name, members in self.joined.items():
                changed |= store.arrays.named(name).add(entity, members)
            for name, members in self.parted.items():
                changed |= store.arrays.named(name).pull(entity, members)
            modified += changed
        return modified


@dataclass(frozen=True, slots=True)
class Erase:
    """The physical end of an entity, if there is one."""

    entity: str


@dataclass(frozen=True, slots=True)
class Inherit:
    """Copy infos to `component_infos` of every resource of the component."""

    component: str
    infos: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that the database refuses, with its words."""

    info: str


Operation = Upsert | Patch | Amend | Erase | Inherit | Refused


@dataclass(frozen=True, slots=True)
class Written:
    """What a job did: upserts and effective modifications, physical deletions."""

    updated: int
    deleted: int


def apply(store: Store, operations: Iterable[Operation], *, now: int) -> Written:
    """Replay operations in order.

    Raises JobFailed at the first refused write: what came before it stays.
    """
    updated = deleted = 0
    upsert, update = store.upsert, store.update
    for operation in operations:
        if type(operation) is Upsert:
            changed = upsert(operation.entity, operation.values, now=now, revive=operation.revive)
            if operation.alone:
                changed |= store.arrays.clear(operation.entity)
            updated += changed
        elif type(operation) is Patch:
            updated += update(operation.entity, operation.values)
        elif type(operation) is Inherit:
            values = {"component_infos": operation.infos}
            updated += sum(update(i, values) for i in store.resources_of(operation.component))
        elif type(operation) is Amend:
            updated += operation.apply(store)
        elif type(operation) is Erase:
            deleted += store.remove(operation.entity)
        elif type(operation) is Refused:
            raise JobFailed(operation.info)
    return Written(updated, deleted)
