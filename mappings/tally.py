"""What a mapping did with a dataset: counts, fill rates, odd values, dead parts of the job.

Counters are filled beside the generated code, which only ever reports what is *not* as it should
be: an entity with every info costs nothing here.
"""

from collections import Counter
from collections.abc import Sequence
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

    `reasons` counts rejects by `rule: why`; `filled` is the share of entities that have an info, by
    key; `unmapped` are the fields that no rule names; `unknown` and `refused` are values met;
    `silent` are the rules that never gave a value of their own.
    """

    records: int
    entities: int
    rejects: int
    reasons: dict[str, int]
    filled: dict[str, float]
    unmapped: tuple[str, ...]
    unknown: tuple[Unknown, ...]
    refused: tuple[Refused, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The report of a mapping over everything it was given.

    `dead` are rows (`lookup: key`) that no record asked for.
    """

    datasets: dict[str, DatasetTally]
    dead: tuple[str, ...]
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class Counts:
    """What one dataset gave so far."""

    records: int = 0
    entities: int = 0
    rejects: int = 0


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

    def reject(
        self, rank: int, number: int, record: Any, error: Exception, entity: str = ""
    ) -> Reject:
        """The reject of a record that the rule at *rank* cannot do without.

        `entity` is the identity that its entity would have had, "" when there is none.
        """
        rule, (why, reason) = self.unit.rules[rank].name, _said(error)
        if not isinstance(record, dict):
            rule, why = self.unit.kind, "not an object"
            reason, entity = f"a record is an object, not {shown(record)}", ""
        self.reasons[f"{rule}: {why}"] += 1
        return Reject(self.unit.dataset, number, rule, reason, record, entity)

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
            rule.name
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

    @property
    def unknown(self) -> list[Unknown]:
        """Values that its lookups do not know, rule by rule."""
        uses = [rule.translation for rule in self.unit.rules if rule.translation is not None]
        return [unknown for use in uses for unknown in use.unknown.values()]


def dataset_tally(
    counts: Counts, tallies: Sequence[UnitTally], unmapped: tuple[str, ...]
) -> DatasetTally:
    """The tally of a dataset from those of its units."""
    entities, present, reasons = Counter[str](), Counter[str](), Counter[str]()
    for tally in tallies:
        here = tally.present()
        present.update(here)
        entities.update(dict.fromkeys(here, tally.entities))
        reasons.update(tally.reasons)
    return DatasetTally(
        records=counts.records,
        entities=counts.entities,
        rejects=counts.rejects,
        reasons=dict(reasons),
        filled={key: present[key] / count if count else 0.0 for key, count in entities.items()},
        unmapped=unmapped,
        unknown=tuple(each for tally in tallies for each in tally.unknown),
        refused=tuple(each for tally in tallies for each in tally.refused.values()),
        silent=tuple(each for tally in tallies for each in tally.silent),
    )


def _said(error: Exception) -> tuple[str, str]:
    if isinstance(error, Refusal):
        return error.why, error.reason
    return type(error).__name__, str(error)
