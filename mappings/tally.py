"""What a mapping did with a dataset: counts, fill rates, odd values, dead parts of the job.

Counters are filled beside the generated code, which only ever reports what is *not* as it should
be: an entity with every info costs nothing here.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mappings.casts import shown
from mappings.lookups import Unknown
from mappings.rejects import Refusal, Reject
from mappings.rules import Constant, Unit


@dataclass(slots=True)
class Refused:
    """Values that a rule could not take and left out: how many, and the first of them."""

    rule: str
    why: str
    count: int
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that the data did not meet."""

    dataset: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class DatasetTally:
    """One dataset: records read, entities made, distinct records rejected.

    `reasons` counts rejects by `rule: why`; `filled` is the share of entities that have an info,
    by key; `unmapped` are the fields that no rule names.
    """

    records: int
    entities: int
    rejects: int
    reasons: dict[str, int]
    filled: dict[str, float]
    unmapped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The report of a mapping over everything it was given.

    `dead` are rows (`lookup: key`) that no record asked for; `silent` are rules that never gave a
    value of their own, by `dataset: rule`.
    """

    datasets: dict[str, DatasetTally]
    unknown: tuple[Unknown, ...]
    refused: tuple[Refused, ...]
    dead: tuple[str, ...]
    silent: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(slots=True)
class UnitTally:
    """The counters of one unit; `missed` counts, by rank of rule, entities that it gave nothing."""

    unit: Unit
    entities: int = 0
    missed: list[int] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    refused: dict[tuple[int, str], Refused] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.missed = [0] * len(self.unit.rules)

    def reject(self, rank: int, number: int, record: Any, error: Exception) -> Reject:
        """The reject of a record that the rule at *rank* cannot do without."""
        rule = self.unit.rules[rank].name
        why, reason = _said(error)
        if not isinstance(record, dict):
            why, reason = "not an object", f"a record is an object, not {shown(record)}"
        self.reasons[f"{rule}: {why}"] += 1
        return Reject(self.unit.dataset, number, rule, reason, record)

    def refuse(self, rank: int, number: int, error: Exception) -> None:
        """Counts a value that the rule at *rank* leaves out; gives the absent value."""
        why, reason = _said(error)
        refused = self.refused.setdefault(
            (rank, why), Refused(self.unit.rules[rank].name, why, 0, number, reason)
        )
        refused.count += 1

    @property
    def silent(self) -> list[str]:
        """Rules that gave none of the entities a value."""
        if not self.entities:
            return []
        return [
            f"{self.unit.dataset}: {rule.name}"
            for rule, missed in zip(self.unit.rules, self.missed, strict=True)
            if missed >= self.entities and not isinstance(rule.origin, Constant)
        ]

    def present(self) -> dict[str, int]:
        """Entities that have an info, by its key: a default counts as having it."""
        ranks = {id(rule): rank for rank, rule in enumerate(self.unit.rules)}
        return {
            info.key: self.entities
            if info.rule.default is not None
            else self.entities - self.missed[ranks[id(info.rule)]]
            for info in self.unit.infos
        }


def _said(error: Exception) -> tuple[str, str]:
    if isinstance(error, Refusal):
        return error.why, error.reason
    return type(error).__name__, str(error)
