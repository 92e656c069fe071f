"""Reading one CSV file from end to end: its opening, header, pages, and what is doubtful of it."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO

from sources.base import Page
from sources.csv_dataset import AUTO, CsvDataset
from sources.dialect import CANDIDATES, Dialect, read_opening
from sources.errors import Unreadable
from sources.file_reading import OUTAGE, FileReading
from sources.header import check_required, name_columns
from sources.rows import RowReader, Table
from sources.text import Scan, open_text, scan


@dataclass(slots=True)
class CsvReading(FileReading[CsvDataset]):
    """One CSV file."""

    def pages(self) -> Iterator[Page]:
        stated = None if self.table.encoding == AUTO else self.table.encoding
        found = scan(
            self.path, where=self.where, encoding=stated, member=self.table.member, most=self.most
        )
        skipped, dialect = self._opening(found)
        with self._text(found) as text:
            for _ in islice(text, skipped):
                pass
            lines: Iterator[str] = text if self.table.trailer is None else _AllButLast(text)
            self.columns, height = self._header(lines, dialect, skipped)
            told = self._told(found)
            reader = RowReader(told, lines, dialect, line=skipped + height, number=self.number)
            yield from self.paged(reader)
        self._conclude(reader, found)
        if isinstance(lines, _AllButLast):
            self._check_trailer(lines.last)

    def _text(self, found: Scan) -> AbstractContextManager[IO[str]]:
        return open_text(
            self.path, where=self.where, encoding=found.encoding, member=self.table.member
        )

    def _opening(self, found: Scan) -> tuple[int, Dialect]:
        """The number of lines above the header, and the signs of the rows."""
        stated = self.table.delimiter != AUTO
        with self._text(found) as text:
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

    def _header(
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
            raise Unreadable(f"there is no header{words}", where=where, mend=OUTAGE)
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

    def _told(self, found: Scan) -> Table:
        return Table(
            dataset=self.dataset,
            where=self.where,
            columns=self.columns,
            nulls=self.table.null_values,
            on_bad_rows=self.table.on_bad_rows,
            nuls=found.nuls,
        )

    @property
    def mend_of_rejects(self) -> str:
        return "check `delimiter` and quotes, correct the export, or raise `max_bad_rows`"

    def _conclude(self, reader: RowReader, found: Scan) -> None:
        self.facts.append("ended outside quotes")
        if reader.doubt:
            self.doubts.append(reader.doubt)
        if not found.ends_line:
            cut = self.table.final_line_end
            (self.doubts if cut else self.facts).append("no line end after the last row")

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
