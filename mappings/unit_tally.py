"""The counters of a unit at work, and the tally of a dataset that is made of them.

They are filled beside the generated code, which only ever reports what is *not* as it should be: an
entity with every info costs nothing here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mappings.casts import shown
from mappings.links import Orphan
from mappings.lookups import Unknown
from mappings.paths import path_text
from mappings.rejects import Refusal, Reject, unwritable
from mappings.rules import Constant
from mappings.tally import DatasetTally, Refused
from mappings.unit import EACH, WHEN, Unit


@dataclass(slots=True)
class Counts:
    """What one dataset gave so far."""

    records: int = 0
    entities: int = 0
    rejects: int = 0
    nameless: int = 0

    def learned(self) -> list[int]:
        """All of them, as JSON."""
        return [self.records, self.entities, self.rejects, self.nameless]

    def absorb(self, learned: list[int]) -> None:
        """Adds what later records gave."""
        records, entities, rejects, nameless = learned
        self.records += records
        self.entities += entities
        self.rejects += rejects
        self.nameless += nameless


@dataclass(slots=True)
class UnitTally:
    """The counters of one unit; `missed` counts, by rank of rule, entities that it gave nothing.

    `filtered` holds one number, for the generated code to add to.
    """

    unit: Unit
    entities: int = 0
    filtered: list[int] = field(default_factory=lambda: [0])
    missed: list[int] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    refused: dict[tuple[int, str], Refused] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.missed = [0] * len(self.unit.rules)

    def reject(
        self,
        rank: int,
        number: int,
        record: Any,
        error: Exception,
        entity: str = "",
        *,
        key: object = None,
    ) -> Reject:
        """The reject of a record that the rule at *rank* cannot do without.

        `entity` is the identity that its entity would have had, "" when there is none; `key` tells
        which item of `each` it was about.
        """
        rule, (why, reason) = self._tried(rank), _said(error)
        if not isinstance(record, dict):
            rule, why = self.unit.kind, "not an object"
            reason, entity = f"a record is an object, not {shown(record)}", ""
        elif key is not None and self.unit.each is not None:
            lists = ", ".join(map(path_text, self.unit.each.origin.paths))
            reason = f"{reason} (item {shown(key)} of {lists})"
        self.reasons[f"{rule}: {why}"] += 1
        return Reject(self.unit.dataset, number, rule, reason, record, entity)

    def _tried(self, rank: int) -> str:
        """What reports call the rule at *rank*; past the last one, the identity as a whole."""
        if rank in (EACH, WHEN):
            return f"{self.unit.kind}.{'each' if rank == EACH else 'when'}"
        return self.unit.rules[rank if rank < len(self.unit.rules) else 0].name

    def refuse(self, rank: int, number: int, error: Exception) -> None:
        """Counts a value that the rule at *rank* leaves out; gives the absent value."""
        why, reason = _said(error)
        refused = self.refused.setdefault(
            (rank, why), Refused(self.unit.rules[rank].name, why, 0, number, reason)
        )
        refused.count += 1

    def learned(self) -> list[Any]:
        """All that was counted, as JSON."""
        refused = [
            [rank, each.why, each.count, each.number, each.reason]
            for (rank, _), each in self.refused.items()
        ]
        return [self.entities, self.filtered[0], self.missed, dict(self.reasons), refused]

    def absorb(self, learned: list[Any], before: int) -> None:
        """Adds what later records gave, *before* which there were so many."""
        entities, filtered, missed, reasons, refused = learned
        self.entities += entities
        self.filtered[0] += filtered
        for rank, count in enumerate(missed):
            self.missed[rank] += count
        self.reasons.update(reasons)
        for rank, why, count, number, reason in refused:
            first = Refused(self.unit.rules[rank].name, why, 0, number + before, reason)
            self.refused.setdefault((rank, why), first).count += count

    def clear(self) -> None:
        """Forgets all that was counted; what the generated code adds to stays the same object."""
        self.entities = self.filtered[0] = 0
        self.missed[:] = [0] * len(self.missed)
        self.reasons.clear()
        self.refused.clear()

    @property
    def silent(self) -> list[str]:
        """Rules that gave no entity a value, an `each` without items, a `when` that keeps none."""
        if not self.entities:
            cause = "when" if self.filtered[0] else "each" if self.unit.each is not None else ""
            return [f"{self.unit.kind}.{cause}"] if cause and not self.reasons else []
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
        return [unknown for use in self.unit.translations for unknown in use.unknown]


def dataset_tally(
    counts: Counts,
    tallies: Sequence[UnitTally],
    unmapped: tuple[str, ...],
    orphans: tuple[Orphan, ...] = (),
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
        # the most frequent first: in the order in which they came, slices would give another
        reasons=dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        filled={key: present[key] / count if count else 0.0 for key, count in entities.items()},
        unmapped=unmapped,
        unknown=tuple(each for tally in tallies for each in tally.unknown),
        refused=tuple(each for tally in tallies for each in tally.refused.values()),
        silent=tuple(each for tally in tallies for each in tally.silent) if counts.records else (),
        filtered=_filtered(tallies),
        nameless=counts.nameless,
        orphans=orphans,
    )


def _filtered(tallies: Sequence[UnitTally]) -> int:
    """What blocks left out: the units of a block leave out the same."""
    blocks = {(id(each.unit.each), id(each.unit.when)): each.filtered[0] for each in tallies}
    return sum(blocks.values())


def _said(error: Exception) -> tuple[str, str]:
    if isinstance(error, Refusal):
        return error.why, error.reason
    if isinstance(error, orjson.JSONEncodeError):
        return unwritable(error)
    if isinstance(error, RecursionError):
        return "nested too deeply", "a value has too many levels: flatten it in the source"
    return type(error).__name__, str(error)
