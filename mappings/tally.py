"""What a mapping did with its datasets, as it is reported: counts, odd values, dead parts."""

from dataclasses import dataclass

from mappings.links import Orphan
from mappings.lookups import Unknown


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
    `silent` are the rules that never gave a value of their own. `filtered` counts what `when` left
    out: records, or items of `each`, by each block for itself. `nameless` are rejects without an
    identity: as long as there are any, nobody knows whose records are missing. `orphans` are names
    that no entity of the run has. `needs` are the datasets that are tables of this one, `rowless`
    the lookups in them that have no row; `table`: it is there to be looked into, and no entity is
    made of it; `gathers`: some of its services are made of many records.
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
    filtered: int = 0
    nameless: int = 0
    orphans: tuple[Orphan, ...] = ()
    needs: tuple[str, ...] = ()
    rowless: tuple[str, ...] = ()
    table: bool = False
    gathers: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """The report of a mapping over everything it was given.

    `dead` are rows (`lookup: key`) that no record asked for.
    """

    datasets: dict[str, DatasetTally]
    dead: tuple[str, ...]
    failures: tuple[Failure, ...]
