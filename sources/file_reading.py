"""Reading one file from end to end: its pages, and what is doubtful of it."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from sources.base import Page, Record, Reject
from sources.drop_dataset import DropDataset
from sources.errors import Unreadable

OUTAGE: Final = "have it delivered again: no data is an outage of the export, nothing is changed"
PAGE_SIZE: Final = 8_000_000  # characters; rows of ordinary width fill a tenth of it

_SPARE: Final = 2  # rejects that are no sign of a wrong reading, however few the rows
_PATIENCE: Final = 1000  # rejects after which their share is looked at before the end

D = TypeVar("D", bound=DropDataset)


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: `size` is the number of characters they were written with."""

    records: list[Record]
    rejects: list[Reject]
    size: int


class Rows(Protocol):
    """The rows of a file, block after block; `number` is the rank of the last one in the dataset.

    A rank is 1-based and counts rejects.
    """

    @property
    def number(self) -> int: ...

    def block(self, most: int) -> Block | None:
        """The next rows, at most *most*; None after the last."""


@dataclass(slots=True)
class FileReading(Generic[D]):
    """One file; `pages` is gone through once.

    `where` is the file as it is shown. `number` is the rank of the last row read, rejects included,
    those of the files before it counted. `columns` are known once a page is. At the end `doubts`
    say why rows may be missing, `facts` what speaks for all of them being there.
    """

    path: Path
    where: str
    table: D
    dataset: str
    most: int  # bytes once decompressed
    number: int
    rows: int = 0
    rejects: int = 0
    columns: tuple[str, ...] = ()
    facts: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @abstractmethod
    def pages(self) -> Iterator[Page]:
        """The pages of the file, in its order; raises Unreadable when it is not to be read."""

    def paged(self, rows: Rows) -> Iterator[Page]:
        """*rows* to their end; raises Unreadable when too few are there or too many are bad."""
        records: list[Record] = []
        rejects: list[Reject] = []
        size, first = 0, self.number + 1
        while True:
            block = rows.block(self.table.page_rows - len(records))
            if block is not None:
                records += block.records
                rejects += block.rejects
                size += block.size
                full = len(records) >= self.table.page_rows or size >= PAGE_SIZE
                if not full and len(rejects) < self.table.page_rows:
                    continue
            self.rows += rows.number - self.number
            self.number = rows.number
            self.rejects += len(rejects)
            self._check_rejects(rejects, final=block is None)
            if records or rejects:
                yield Page(first, records, tuple(rejects))
            if block is None:
                break
            records, rejects, size, first = [], [], 0, self.number + 1
        self._check_rows()

    def _check_rejects(self, latest: list[Reject], *, final: bool) -> None:
        share = self.table.max_bad_rows
        most = max(self.rows * share, _SPARE) if share else 0
        if self.rejects <= most and (self.rejects < self.rows or not self.rejects):
            return
        if final or self.rejects > _PATIENCE:
            told = f"; one is {latest[0].reason}" if latest else ""
            raise Unreadable(
                f"{self.rejects:,} of {self.rows:,} rows are bad, and `max_bad_rows` allows "
                f"{share:.0%}{told}",
                where=self.where,
                mend=self.mend_of_rejects,
            )

    @property
    def mend_of_rejects(self) -> str:
        return "correct the export, or raise `max_bad_rows`"

    def _check_rows(self) -> None:
        if self.rows < self.table.min_rows:
            rows = counted(self.rows, "row") if self.rows else "a header and no row"
            raise Unreadable(
                f"the file holds {rows}, and `min_rows` asks for {self.table.min_rows:,}",
                where=self.where,
                mend=OUTAGE,
            )


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
