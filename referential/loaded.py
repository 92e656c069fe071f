"""What a load did: imports, counts, and the entities that Canopsis refused."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from referential.history import Reject


@dataclass(frozen=True, slots=True)
class Import:
    """One import that is over; `bytes` of its body, `seconds` from request to end."""

    job: str
    state: str  # done, failed, expired
    partial: bool
    entities: int
    bytes: int
    seconds: float


@dataclass(slots=True)
class Loaded:
    """Filled as the load goes, true to what was done even when the load is cut short.

    `counts` holds the changes done by action, and `gone`: removals of what was there no more.
    `refused` are the ids of the rejects that Canopsis never took. `since` is Canopsis' clock when
    the first import was made; `max_bytes` the largest body that we know it to take. `pruned` tells
    how many infos and categories each entity lost; `manual` are the ids that were updated and,
    switched off by hand, stay off.
    """

    counts: Counter[str] = field(default_factory=Counter)
    imports: list[Import] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    since: datetime | None = None
    max_bytes: int = 0
    pruned: dict[str, int] = field(default_factory=dict)
    manual: set[str] = field(default_factory=set)

    @property
    def attempts(self) -> int:
        """Imports sent, those that failed included."""
        return len(self.imports)

    @property
    def bytes(self) -> int:
        """Bytes of all bodies, those of failed imports included."""
        return sum(each.bytes for each in self.imports)
