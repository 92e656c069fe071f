"""What each stage returns: counts and places, never records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mappings.remarks import OF_A_PART, Remark, remarks_of
from mappings.tally import DatasetTally, Tally
from referential.entity import Kind
from referential.guard import Gauge, Part

_SAID = 40  # remarks in the log; a job with more of them has its page


@dataclass(frozen=True, slots=True)
class Checked:
    """Both ends of the feed: versions, who we are there, what should be mended one day."""

    source: str
    source_identity: str
    canopsis: str
    canopsis_identity: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """One dataset: records read, entities made, rejects; `evidence`: why it is (in)complete.

    `filtered` is what `when` left out, `nameless` are rejects without an identity. `table`: no
    entity is made of it, others look into it; `gathers`: services are made of many records of it.
    `taken` is what the source may clear away once everything is loaded. `lacking` are its own
    tables that were not read whole, `cut` those of them that were not read to their end, `rowless`
    the lookups in them that have no row at all.
    """

    records: int
    entities: int
    rejects: int
    complete: bool
    evidence: str
    unread: int = 0  # rejects of the source: rows that no record could be made of
    filtered: int = 0
    nameless: int = 0
    table: bool = False
    gathers: bool = False
    taken: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    rowless: tuple[str, ...] = ()

    @property
    def read_whole(self) -> bool:
        """Every record of it is known: a row that could not be read may be any."""
        return self.complete and not self.unread


@dataclass(frozen=True, slots=True)
class Extracted:
    """What the source gave; `unmet` are expectations of the job that the data did not meet.

    `remarks` are on what nobody asked about: fields, rows, values, names.
    """

    datasets: dict[str, DatasetRead] = field(default_factory=dict)
    unmet: tuple[tuple[str, str], ...] = ()  # what, mend
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def of(cls, read: Mapping[str, DatasetRead], tally: Tally, *, window: bool) -> "Extracted":
        """What was read, with what the mapping has to say of it.

        Of a part of the data (`window`: one of dates) some of it is said by the part alone.
        """
        whole = not window and all(each.read_whole for each in read.values())
        return cls(
            datasets={
                name: _judged(each, tally.datasets[name], read) for name, each in read.items()
            },
            unmet=tuple((f"{each.dataset}: {each.what}", each.mend) for each in tally.failures),
            remarks=tuple(each for each in remarks_of(tally) if whole or each.kind in OF_A_PART),
        )

    @property
    def records(self) -> int:
        return sum(read.records for read in self.datasets.values())

    @property
    def rejects(self) -> int:
        return sum(read.rejects for read in self.datasets.values())

    @property
    def complete(self) -> bool | frozenset[str]:
        """What may be judged missing: all, or the datasets named.

        A row that could not be read may be the very entity that seems to be missing, or the row of
        a table that names it; so may a record that has lost its name.
        """
        whole = {
            name
            for name, read in self.datasets.items()
            if read.read_whole and not read.lacking and not read.nameless
        }
        return len(whole) == len(self.datasets) or frozenset(whole)

    @property
    def doubtful(self) -> frozenset[tuple[str, Kind]]:
        """The kinds of entities, by dataset, that may lack what was not read.

        Services gathered from a part of the links, and whatever looks into a part of a table.
        """
        found: set[tuple[str, Kind]] = set()
        for name, read in self.datasets.items():
            if read.cut:
                found |= {(name, "component"), (name, "resource"), (name, "service")}
            elif read.gathers and not read.complete:
                found.add((name, "service"))
        return frozenset(found)

    @property
    def filtered(self) -> int:
        return sum(read.filtered for read in self.datasets.values())

    @property
    def rowless(self) -> dict[str, tuple[str, ...]]:
        """The lookups that have no row at all, each with the datasets that look into it."""
        found: dict[str, tuple[str, ...]] = {}
        for name, read in self.datasets.items():
            for lookup in read.rowless:
                found[lookup] = (*found.get(lookup, ()), name)
        return found

    @property
    def partial(self) -> str:
        """What was not read completely, and why; empty when all was."""
        lines = [
            f"{name}: {read.evidence}" for name, read in self.datasets.items() if not read.complete
        ]
        if not lines:
            return ""
        what = "not read completely: " + "; ".join([*lines, *self._not_judged()])
        return f"{what}\n  mend: run it again; what is missing was left alone meanwhile"

    def warnings(self) -> Iterator[str]:
        """What the log says of it: tables with gaps, then the first of the remarks."""
        for name, read in self.datasets.items():
            if read.lacking:
                tables = ", ".join(read.lacking)
                what = f"nothing of it is taken for missing: {tables} could not be read whole"
                yield f"{name}: {what}, into which it looks"
            if read.nameless:
                what = f"nothing of it is taken for missing: {read.nameless} of its records"
                yield f"{name}: {what} have no name; leave them out by `when`, or mend them"
        yield from (remark.text for remark in self.remarks[:_SAID])
        if len(self.remarks) > _SAID:
            yield f"and {len(self.remarks) - _SAID} more remarks, which the report has"

    def _not_judged(self) -> Iterator[str]:
        """What is not judged for a table alone that was not read completely."""
        for name, read in self.datasets.items():
            tables = [table for table in read.lacking if not self.datasets[table].complete]
            if read.complete and tables:
                yield f"{name} looks into {', '.join(tables)}, so nothing of it is missing either"


def _judged(
    read: DatasetRead, tally: DatasetTally, everything: Mapping[str, DatasetRead]
) -> DatasetRead:
    """A dataset with what only the whole of the extraction tells of it."""
    lacking = tuple(table for table in tally.needs if not everything[table].read_whole)
    cut = tuple(table for table in tally.needs if not everything[table].complete)
    evidence = read.evidence
    if lacking:
        evidence += f"; it looks into {', '.join(lacking)}, of which not every row could be read"
    return replace(
        read,
        evidence=evidence,
        filtered=tally.filtered,
        nameless=tally.nameless,
        table=tally.table,
        gathers=tally.gathers,
        lacking=lacking,
        cut=cut,
        rowless=tally.rowless,
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan in short; `counts` by action, `tally` all its figures, `known` enabled before.

    `emptied` are the datasets that own entities and gave none.
    """

    counts: dict[str, int]
    tally: dict[str, int]
    checksum: str
    found: int
    known: int
    duplicates: int
    emptied: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()  # those with limits of their own
    gauges: tuple[Gauge, ...] = ()  # what the guard measures, before removals are held back

    @property
    def empty(self) -> bool:
        return not any(self.counts.values())


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard lets through; `held` removals wait to be accepted, and `message` says why."""

    planned: Planned
    held: int = 0
    message: str = ""
