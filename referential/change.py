"""A change: what one entity needs so that the referential says what the source says.

They are applied in the order of `ACTIONS`. A component is enabled before a resource of it is
created, which Canopsis refuses under a disabled component (`specs/canopsis.md` §3.2), and nothing
is taken away before everything else has been brought.
"""

from dataclasses import dataclass
from typing import Literal

from referential.entity import Kind

Action = Literal["enable", "create", "update", "prune", "disable", "delete"]


@dataclass(frozen=True, slots=True)
class Change:
    """One entity; `fingerprint` is the wanted one, or for a removal the last one known.

    `infos` are its info keys, one a line, likewise.
    """

    id: str
    kind: Kind
    group: str
    dataset: str
    category: str
    infos: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Sent(Change):
    """A change that sends a payload: the `size` bytes at `offset` of the spool's entities.

    `stale` are info keys of ours, one a line, that the entity no longer has; `cleared` is the
    category that we gave it and that it no longer has, "" when there is none to clear.
    """

    offset: int
    size: int
    stale: str
    cleared: str


@dataclass(frozen=True, slots=True)
class Enable(Sent):
    """An entity we disabled is found again. It is sent whole, since it may have changed meanwhile.

    `size` is 0 for a component that is not found itself but whose resource is: nothing is known
    of it to send, it is only switched on.
    """


@dataclass(frozen=True, slots=True)
class Create(Sent):
    """An entity that we do not own yet."""


@dataclass(frozen=True, slots=True)
class Update(Sent):
    """An entity that we own and that changed, or that is sent again because all are."""


@dataclass(frozen=True, slots=True)
class Prune(Sent):
    """An entity that holds infos of ours which its payload no longer has."""


@dataclass(frozen=True, slots=True)
class Disable(Change):
    """A missing entity."""


@dataclass(frozen=True, slots=True)
class Delete(Change):
    """A missing entity whose job asks for deletion."""


UNCONFIRMED = bytes(16)  # the known fingerprint of an entity that a dead run was sending
SWITCHED = bytes(15) + b"\1"  # the same once it is switched on: what it holds is not known

SENT: dict[str, type[Sent]] = {
    "enable": Enable,
    "create": Create,
    "update": Update,
    "prune": Prune,
}
REMOVED: dict[str, type[Change]] = {"disable": Disable, "delete": Delete}
ACTIONS: tuple[str, ...] = (*SENT, *REMOVED)
