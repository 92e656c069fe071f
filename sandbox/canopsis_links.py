"""The arrays `depends` and `impact` that entities carry up to 22.10 (`specs/canopsis.md` §3.12).

They are what links write there; from 23.04 on, `component` and `connector` alone say who belongs
to whom. Kept beside the documents, because an entity that goes has to be taken out of the arrays
of all others, which must not cost a walk through the referential.
"""

from collections.abc import Iterable
from typing import Literal

ArrayName = Literal["depends", "impact"]


class Array:
    """One array of every entity, found from both ends."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, None]] = {}
        self._holders: dict[str, dict[str, None]] = {}

    def of(self, entity: str) -> list[str]:
        """Ids in the array of an entity, in the order they came."""
        return list(self._held.get(entity, ()))

    def holders(self, member: str) -> list[str]:
        """Ids of the entities whose array holds *member*."""
        return list(self._holders.get(member, ()))

    def add(self, entity: str, members: Iterable[str]) -> bool:
        """As `$addToSet`; true when any of them is new."""
        held = self._held.setdefault(entity, {})
        new = [member for member in members if member not in held]
        for member in new:
            held[member] = None
            self._holders.setdefault(member, {})[entity] = None
        return bool(new)

    def pull(self, entity: str, members: Iterable[str]) -> bool:
        """As `$pull`; true when any of them was there."""
        held = self._held.get(entity, {})
        gone = [member for member in members if member in held]
        for member in gone:
            del held[member]
            del self._holders[member][entity]
        return bool(gone)

    def clear(self, entity: str) -> bool:
        """Empty the array of an entity; true when something was in it."""
        return self.pull(entity, self.of(entity))


class Arrays:
    """Both arrays."""

    def __init__(self) -> None:
        self.depends, self.impact = Array(), Array()

    def named(self, name: ArrayName) -> Array:
        return self.depends if name == "depends" else self.impact

    def link(self, lower: str, upper: str) -> None:
        """*upper* depends on *lower*, which has an impact on it."""
        self.depends.add(upper, (lower,))
        self.impact.add(lower, (upper,))

    def clear(self, entity: str) -> bool:
        return self.depends.clear(entity) | self.impact.clear(entity)
