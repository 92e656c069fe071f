"""Reading one CSV file from end to end: its opening, header, pages, and what is doubtful of it."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from sources.base import Page, Record, Reject
from sources.csv_dataset import AUTO, CsvDataset
from sources.dialect import CANDIDATES, Dialect, read_opening
from sources.drop import DropFile
from sources.errors import Unreadable
from sources.header import check_required, name_columns
from sources.rows import RowReader, Table, counted
from sources.text import Scan, open_text, scan

_PAGE_SIZE: Final = 8_000_000  # characters; rows of ordinary width fill a tenth of it
_OUTAGE: Final = "have it delivered again: no data is an outage of the export, nothing is changed"
_SPARE: Final = 2  # rejects that are no sign of a wrong reading, however few the rows
_PATIENCE: Final = 1000  # rejects after which their share is looked at before the end


@dataclass(slots=True)
class FileReading:
    """One file; `pages` is gone through once.

    `number` is the rank of the last row read, rejects included, those of the files before it
    counted. At the end `doubts` say why rows may be missing, `facts` what else speaks for all of
    them being there.
    """

    file: DropFile
    table: CsvDataset
    dataset: str
    most: int  # bytes once decompressed
    number: int
    rows: int = 0
    rejects: int = 0
    facts: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        return str(self.file.path)

    def pages(self) -> Iterator[Page]:
        """The pages of the file, in its order; raises Unreadable when it is not to be read."""
        stated = None if self.table.encoding == AUTO else self.table.encoding
        found = scan(self.file.path, encoding=stated, member=self.table.member, most=self.most)
        skipped, dialect = self._opening(found)
        with open_text(self.file.path, found.encoding, self.table.member) as text:
            for _ in islice(text, skipped):
                pass
            lines: Iterator[str] = text if self.table.trailer is None else _AllButLast(text)
            columns, height = self._columns(lines, dialect, skipped)
            told = self._told(columns, found)
            reader = RowReader(told, lines, dialect, line=skipped + height, number=self.number)
            yield from self._paged(reader)
        self._conclude(reader, found)
        if isinstance(lines, _AllButLast):
            self._check_trailer(lines.last)

    def _opening(self, found: Scan) -> tuple[int, Dialect]:
        """The number of lines above the header, and the signs of the rows."""
        stated = self.table.delimiter != AUTO
        with open_text(self.file.path, found.encoding, self.table.member) as text:
            opening = read_opening(
                text, self.table.skip_rows_before_header, self.table.dialect, stated=stated
            )
        if opening.delimiter is None:
            raise Unreadable(
                "no delimiter gives rows of one same width, more than one column wide",
                where=self.where,
                mend="state `delimiter`; rows of one column need it too",
            )
        return opening.skipped, replace(self.table.dialect, delimiter=opening.delimiter)

    def _columns(
        self, lines: Iterator[str], dialect: Dialect, skipped: int
    ) -> tuple[tuple[str, ...], int]:
        """The names of the columns, and the number of lines that the header takes."""
        given = self.table.column_names
        if not self.table.header:
            return given, 0
        reader = dialect.reader(lines)
        row: list[str] = []
        words = ""
        try:
            row = next((row for row in reader if row), row)
        except csv.Error as error:
            words = f": {error}"
        where = f"{self.where}:{skipped + max(reader.line_num, 1)}"
        if not row:
            raise Unreadable(f"there is no header{words}", where=where, mend=_OUTAGE)
        if len(row) == 1:
            _check_single(row[0], dialect, where)
        if given and len(given) != len(row):
            raise Unreadable(
                f"the header has {len(row)} columns and `column_names` names {len(given)}",
                where=where,
                mend="name every column of the file, in its order",
            )
        columns = name_columns([*given] or row, odd=self.table.odd_columns, where=where)
        check_required(columns, self.table.required_columns, where)
        return columns, reader.line_num

    def _told(self, columns: tuple[str, ...], found: Scan) -> Table:
        return Table(
            dataset=self.dataset,
            where=self.where,
            columns=columns,
            nulls=self.table.null_values,
            on_bad_rows=self.table.on_bad_rows,
            nuls=found.nuls,
        )

    def _paged(self, reader: RowReader) -> Iterator[Page]:
        records: list[Record] = []
        rejects: list[Reject] = []
        size, first = 0, self.number + 1
        while True:
            block = reader.block(self.table.page_rows - len(records))
            if block is not None:
                records += block.records
                rejects += block.rejects
                size += block.size
                full = len(records) >= self.table.page_rows or size >= _PAGE_SIZE
                if not full and len(rejects) < self.table.page_rows:
                    continue
            self.rows += reader.number - self.number
            self.number = reader.number
            self.rejects += len(rejects)
            self._check_rejects(rejects, final=block is None)
            if records or rejects:
                yield Page(first, records, tuple(rejects))
            if block is None:
                return
            records, rejects, size, first = [], [], 0, self.number + 1

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
                mend="check `delimiter` and quotes, correct the export, or raise `max_bad_rows`",
            )

    def _conclude(self, reader: RowReader, found: Scan) -> None:
        if self.rows < self.table.min_rows:
            rows = counted(self.rows, "row") if self.rows else "a header and no row"
            raise Unreadable(
                f"the file holds {rows}, and `min_rows` asks for {self.table.min_rows:,}",
                where=self.where,
                mend=_OUTAGE,
            )
        if reader.doubt:
            self.doubts.append(reader.doubt)
        if not found.ends_line:
            cut = self.table.final_line_end
            (self.doubts if cut else self.facts).append("no line end after the last row")
        if changed := self.file.changed():
            self.doubts.append(f"it changed while it was read: {changed}")

    def _check_trailer(self, last: str) -> None:
        trailer = re.search(self.table.trailer or "", last)
        if trailer is None:
            self.doubts.append(f"the last line is not the trailer: {last[:80]!r}")
            return
        count = trailer.groupdict().get("count")
        if count is not None and (not count.isdecimal() or int(count) != self.rows):
            self.doubts.append(f"the trailer says {count} rows, {self.rows} were read")
        else:
            self.facts.append("the trailer agrees" if count else "the trailer is there")


class _AllButLast(Iterator[str]):
    """The lines of a text but the last that is not blank, which is kept in `last`."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._ready: deque[str] = deque()
        self._held: list[str] = []  # the candidate, then the blank lines that follow it

    def __next__(self) -> str:
        while not self._ready:
            line = next(self._text)
            if line.strip():
                self._ready.extend(self._held)
                self._held = []
            self._held.append(line)
        return self._ready.popleft()

    @property
    def last(self) -> str:
        return self._held[0].strip() if self._held else ""


def _check_single(cell: str, dialect: Dialect, where: str) -> None:
    """Raise Unreadable when a header of one column looks like one of several."""
    others = [sign for sign in CANDIDATES if sign != dialect.delimiter and sign in cell]
    if others:
        raise Unreadable(
            f"with the delimiter {dialect.delimiter!r} there is one column, {cell[:80]!r}",
            where=where,
            mend=f"is the delimiter {others[0]!r}?",
        )
