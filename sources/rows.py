"""The rows of one CSV file: records, and rejects with the line where each begins.

Rows are read in blocks. A block whose rows all have the header's width, nearly every one, is
turned into records at once; any other is gone through row by row.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, tee
from typing import TYPE_CHECKING, Final, Literal

from sources.base import Reject
from sources.dialect import Dialect
from sources.errors import Unreadable
from sources.file_reading import Block, counted
from sources.records import recorder

if TYPE_CHECKING:
    import _csv  # the only place where the type of a reader has a name

BLOCK: Final = 200  # rows
SAMPLE: Final = 200  # characters of a reject

_LINE_END: Final = re.compile(r"\r\n|\n|\r")

OnBadRows = Literal["reject", "pad", "fail"]


@dataclass(frozen=True, slots=True)
class Table:
    """What the rows of a file are read as. `nuls`: whether NUL characters may be met."""

    dataset: str
    where: str
    columns: tuple[str, ...]
    nulls: frozenset[str]
    on_bad_rows: OnBadRows
    nuls: bool


class RowReader:
    """Reads the rows that follow the header of a file.

    `line` is the number of the last line read (1-based), `number` the rank of the last row, the
    rejects included; blank lines are none. `doubt` says why rows may be missing: a row that broke
    over several lines may have swallowed others, and a file may end in the middle of one.
    """

    def __init__(
        self, table: Table, lines: Iterator[str], dialect: Dialect, *, line: int, number: int
    ) -> None:
        self.line = line
        self.number = number
        self.doubt = ""
        self._table = table
        read, self._raw = tee(lines)
        self._reader: _csv.Reader = dialect.reader(read)
        self._records = recorder(table.columns, table.nulls)

    def block(self, most: int) -> Block | None:
        """The next rows, at most *most*; None after the last.

        Raises Unreadable for a bad row when these are to fail.
        """
        rows: list[list[str]] = []
        error: csv.Error | None = None
        before = self._reader.line_num
        try:
            # On an error the list keeps the rows that came before it.
            rows.extend(islice(self._reader, min(most, BLOCK)))
        except csv.Error as caught:
            error = caught
        lines = list(islice(self._raw, self._reader.line_num - before))
        if not lines:
            return None
        size = sum(map(len, lines))
        if error or not self._clean(rows, lines):
            return self._one_by_one(rows, error, lines, size)
        self.line += len(lines)
        self.number += len(rows)
        return Block(self._records(rows), [], size)

    def _clean(self, rows: list[list[str]], lines: list[str]) -> bool:
        if self._table.nuls and any("\0" in line for line in lines):
            return False
        return {*map(len, rows)} == {len(self._table.columns)}

    def _one_by_one(
        self, rows: list[list[str]], error: csv.Error | None, lines: list[str], size: int
    ) -> Block:
        block = Block([], [], size)
        left = iter(lines)
        for row in rows:
            height = 1 + sum(len(_LINE_END.findall(cell)) for cell in row)
            written = list(islice(left, height))
            if row:
                self._take(row, written, block)
            self.line += height
        if error:
            written = list(left)
            self._refuse(_words_of(error), written, block)
            if "unexpected end" in str(error):
                self.doubt = f"the file ends inside quotes, in the row of line {self.line + 1}"
            self.line += len(written)
        return block

    def _take(self, row: list[str], written: list[str], block: Block) -> None:
        width = len(self._table.columns)
        nuls = sum(cell.count("\0") for cell in row) if self._table.nuls else 0
        if self._table.on_bad_rows == "pad" and len(row) != width:
            row = _padded(row, width)
        if nuls:
            self._refuse(counted(nuls, "NUL character"), written, block)
        elif len(row) != width:
            self._refuse(
                f"{counted(len(row), 'field')} where the header has {width}", written, block
            )
            if len(row) < width and not written[-1].endswith(("\n", "\r")):
                self.doubt = "the file ends in the middle of a row"
        else:
            self.number += 1
            block.records.extend(self._records([row]))

    def _refuse(self, what: str, written: list[str], block: Block) -> None:
        self.number += 1
        first, last = self.line + 1, self.line + len(written)
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        if first != last:
            self.doubt = f"the bad row of {lines} may have swallowed others"
        if self._table.on_bad_rows == "fail":
            raise Unreadable(
                f"a bad row: {what}",
                where=f"{self._table.where}:{first}",
                mend="correct the export, or let bad rows be rejects (`on_bad_rows: reject`)",
            )
        sample = "".join(written).rstrip("\r\n")[:SAMPLE]
        block.rejects.append(Reject(self._table.dataset, self.number, f"{lines}: {what}", sample))


def _padded(row: list[str], width: int) -> list[str]:
    """*row* with as many fields as there are columns, when only empty ones are added or lost."""
    if any(cell.strip() for cell in row[width:]):
        return row
    return row[:width] + [""] * (width - len(row))


def _words_of(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end" in words:
        return "quotes that are never closed"
    if "expected after" in words:
        return f"quotes out of place ({words})"
    return words
