"""Read back what was loaded and compare it by id (`specs/canopsis.md` §3.11).

An import that is `done` may have left out services: a pattern that Canopsis refuses makes it skip
the service without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from referential.change import SENT
from referential.client import Canopsis
from referential.entity import Kind
from referential.loaded import Loaded
from referential.plan import Plan

Why = Literal["skipped", "absent", "taken", "unknown"]

WORDS: dict[Why, str] = {
    "skipped": "Canopsis skipped the service without a word: its pattern is probably not valid",
    "absent": "Canopsis does not hold it although its import is done",
    "taken": "another import source loaded it since",
    "unknown": "it does not bear our import source and the time of this run",
}

_SKEW = timedelta(seconds=60)  # between the clocks of two replicas of Canopsis
_LOOKED_UP = 50  # lacking entities that are looked up one by one to tell why


@dataclass(frozen=True, slots=True)
class Lacking:
    """An entity that was loaded and was not read back; `WORDS[why]` says it in full."""

    id: str
    kind: Kind
    dataset: str
    why: Why


@dataclass(frozen=True, slots=True)
class Verified:
    """`surplus` were loaded under our import source in the meantime, but not by this run."""

    expected: int
    found: int
    lacking: tuple[Lacking, ...]
    surplus: int

    @property
    def ids(self) -> tuple[str, ...]:
        """What the ledger must forget as loaded: Canopsis does not hold it as we sent it."""
        return tuple(each.id for each in self.lacking)

    @property
    def agrees(self) -> bool:
        return not self.lacking


def verify(plan: Plan, loaded: Loaded, canopsis: Canopsis, *, source: str) -> Verified:
    """Compare the ids that *plan* sent, less the rejects, with those Canopsis holds of *source*.

    Only entities imported since the load began are asked for, by Canopsis' own clock.
    """
    sent = plan.changes[plan.changes["action"].isin(SENT) & (plan.changes["size"] > 0)]
    ids = sent["id"].to_numpy().tolist()
    expected = set(ids).difference(loaded.refused)
    if not expected:
        return Verified(expected=0, found=0, lacking=(), surplus=0)
    since = None if loaded.since is None else int((loaded.since - _SKEW).timestamp())
    there = set(canopsis.ids_of_source(source, since))
    missing = expected - there
    rows = [row for row, identity in enumerate(ids) if identity in missing] if missing else []
    columns = [sent[name].to_numpy()[rows].tolist() for name in ("id", "kind", "dataset")]
    return Verified(
        expected=len(expected),
        found=len(expected) - len(missing),
        lacking=_explained(list(zip(*columns, strict=True)), canopsis, source),
        surplus=len(there - expected) if canopsis.dialect.reads_by_source else 0,
    )


def _explained(
    rows: Sequence[tuple[str, Kind, str]], canopsis: Canopsis, source: str
) -> tuple[Lacking, ...]:
    lacking = []
    for rank, (identity, kind, dataset) in enumerate(rows):
        why = _why(identity, kind, canopsis, source) if rank < _LOOKED_UP else "unknown"
        lacking.append(Lacking(identity, kind, dataset, why))
    return tuple(lacking)


def _why(identity: str, kind: Kind, canopsis: Canopsis, source: str) -> Why:
    entity = canopsis.entity(identity)
    if entity is not None and entity.get("import_source", source) != source:
        return "taken"
    if kind == "service":  # absent, or standing as it was before
        return "skipped"
    return "absent" if entity is None else "unknown"
