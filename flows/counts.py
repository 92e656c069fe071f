"""What each stage returns: counts and places, never records."""

from dataclasses import dataclass, field


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
    """One dataset: records read, entities made, rejects; `evidence`: why it is (in)complete."""

    records: int
    entities: int
    rejects: int
    complete: bool
    evidence: str
    unread: int = 0  # rejects of the source: rows that no record could be made of


@dataclass(frozen=True, slots=True)
class Extracted:
    """What the source gave; `unmet` are expectations of the job that the data did not meet."""

    datasets: dict[str, DatasetRead] = field(default_factory=dict)
    unmet: tuple[tuple[str, str], ...] = ()  # what, mend

    @property
    def records(self) -> int:
        return sum(read.records for read in self.datasets.values())

    @property
    def rejects(self) -> int:
        return sum(read.rejects for read in self.datasets.values())

    @property
    def complete(self) -> bool | frozenset[str]:
        """What may be judged missing: all, or the datasets named.

        A row that could not be read may be the very entity that seems to be missing.
        """
        whole = {name for name, read in self.datasets.items() if read.complete and not read.unread}
        return len(whole) == len(self.datasets) or frozenset(whole)

    @property
    def partial(self) -> str:
        """What was not read completely, and why; empty when all was."""
        lines = [
            f"{name}: {read.evidence}" for name, read in self.datasets.items() if not read.complete
        ]
        if not lines:
            return ""
        what = "not read completely: " + "; ".join(lines)
        return f"{what}\n  mend: run it again; what is missing was left alone meanwhile"


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

    @property
    def empty(self) -> bool:
        return not any(self.counts.values())
