"""The writes that the parse phase of an import asks for (`specs/canopsis.md` §2.5, §11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.canopsis_store import Store


class JobFailed(Exception):
    """The job ends `failed`; the message is its `info`."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create the entity, or write those values into it and take it out of the soft-deleted."""

    entity: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """Write those values into the entity, if there is one."""

    entity: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inherit:
    """Copy infos to `component_infos` of every resource of the component."""

    component: str
    infos: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that the database refuses, with its words."""

    info: str


Operation = Upsert | Patch | Inherit | Refused


def apply(store: Store, operations: Iterable[Operation], *, now: int) -> int:
    """Replay operations in order; gives the number of upserts and effective modifications.

    Raises JobFailed at the first refused write: what came before it stays.
    """
    updated = 0
    upsert, update = store.upsert, store.update
    for operation in operations:
        if type(operation) is Upsert:
            updated += upsert(operation.entity, operation.values, now=now)
        elif type(operation) is Patch:
            updated += update(operation.entity, operation.values)
        elif type(operation) is Inherit:
            values = {"component_infos": operation.infos}
            updated += sum(update(i, values) for i in store.resources_of(operation.component))
        elif type(operation) is Refused:
            raise JobFailed(operation.info)
    return updated
