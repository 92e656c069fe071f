"""The rows of one sheet: records, and rejects with the cells that are to blame."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from sources.base import Record, Reject
from sources.errors import Unreadable
from sources.excel_cells import Texts
from sources.excel_header import Header, HeaderRule, Row, named_by, rows_above
from sources.excel_merged import MergedCells
from sources.excel_package import readable
from sources.excel_workbook import Cells, Sheet
from sources.file_reading import Block
from sources.header import check_required
from sources.rows import SAMPLE

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

BLOCK: Final = 200  # rows
SEARCHED: Final = 50  # rows among which the header is


@dataclass(frozen=True, slots=True)
class SheetTable:
    """What the rows of a sheet are read as."""

    dataset: str
    nulls: frozenset[str]
    fill: bool
    errors: Literal["reject", "null"]
    fail: bool


class SheetRows:
    """Reads the rows of a sheet, blank ones left out.

    `line` is the number of the last row of the sheet that was gone through, `number` the rank of
    the last one that was not blank, the header not counted; `long` as `Texts`.
    """

    def __init__(self, sheet: Sheet, table: SheetTable, rule: HeaderRule, number: int) -> None:
        self.number = number
        self.line = 0
        self._sheet = sheet
        self._table = table
        self._texts = Texts()
        self._merged = MergedCells(sheet.scan.merged if table.fill else ())
        self._uncalculated: defaultdict[int, list[int]] = defaultdict(list)
        for row, column in sheet.scan.uncalculated:
            self._uncalculated[row].append(column)
        self._odd: dict[int, list[str]] = {}  # by row, what is wrong with its cells
        skip = self._rows_above(rule) if rule.skip == "auto" else rule.skip
        self._cells = sheet.rows()
        self.header = self._header(rule, skip)

    @property
    def long(self) -> int:
        return self._texts.long

    def block(self, most: int) -> Block | None:
        """The next rows, at most *most*; None after the last.

        Raises Unreadable for a bad row when these are to fail.
        """
        while (rows := self._next(min(most, BLOCK))) is not None:
            if rows:
                return self._block(rows)
        return None

    def _rows_above(self, rule: HeaderRule) -> int:
        """How many rows stand above the header; none of them is kept."""
        if not rule.named:
            return 0
        required = () if rule.names else rule.required
        with readable(self._sheet.where):
            rows = [_own_texts(cells) for cells in islice(self._sheet.rows(), SEARCHED)]
        return rows_above(rows, required, self._sheet.where)

    def _header(self, rule: HeaderRule, skip: int) -> Header:
        if not rule.named:
            while self.line < skip and self._next(1) is not None:
                pass
            check_required(rule.names, rule.required, self._sheet.where)
            return Header(rule.names)
        while (rows := self._next(1)) is not None:
            if rows and self.line > skip:
                return named_by(rows[0], rule, self._sheet.where)
        return named_by(None, rule, self._sheet.where)

    def _next(self, most: int) -> list[Row] | None:
        """The rows that are not blank among the next *most* of the sheet; None after the last."""
        with readable(self._sheet.where):
            many = list(islice(self._cells, most))
            found = [row for cells in many if (row := self._row(cells)) is not None]
        return found if many else None

    def _row(self, cells: Cells) -> Row | None:
        """The next row of the sheet; None when it is blank."""
        self.line += 1
        texts = self._texts_of(cells)
        filled = len(texts) - texts.count("")
        self._merged.fill(self.line, texts)
        return Row(self.line, filled, texts) if filled else None

    def _texts_of(self, cells: Cells) -> list[str | None]:
        of = self._texts.of
        texts = [
            ""
            if (value := cell.value) is None
            else value.strip()
            if cell.data_type == "s" and "_x00" not in value
            else of(cell)
            for cell in cells
        ]
        if None in texts:
            self._odd[self.line] = [
                f"{cell.coordinate} is {_shown(cell)}"
                for cell, text in zip(cells, texts, strict=True)
                if text is None
            ]
        for column in self._uncalculated.pop(self.line, ()):
            texts += [""] * (column - len(texts))
            texts[column - 1] = None
            told = f"{_letters(column)}{self.line} holds a formula that was never calculated"
            self._odd.setdefault(self.line, []).append(told)
        return texts

    def _block(self, rows: list[Row]) -> Block:
        """What *rows* become: those with nothing odd about them, nearly all, at once."""
        block = Block([], [], 0)
        columns, nulls, odd = self.header.columns, self._table.nulls, self._odd
        width = len(columns)
        usual = not self.header.left and not self._sheet.scan.merged
        size = 0
        for row in rows:
            texts = row.texts
            if usual and len(texts) == width and row.number not in odd:
                self.number += 1
                size += sum(map(len, texts))  # type: ignore[arg-type] # no error: no None
                if nulls:
                    texts = [None if text in nulls else text for text in texts]
                # the widths are known to be equal
                block.records.append(dict(zip(columns, texts)))  # noqa: B905
            else:
                size += self._take(row, block)
        return Block(block.records, block.rejects, size)

    def _take(self, row: Row, block: Block) -> int:
        """Add *row* to *block*; the number of its characters."""
        self.number += 1
        columns, left = self.header.columns, self.header.left
        right = left + len(columns)
        inner = row.texts[left:right]
        if len(inner) < len(columns):
            inner += [""] * (len(columns) - len(inner))
        odd = self._odd.pop(row.number, [])
        told = odd if odd and self._table.errors == "reject" else []
        if any(row.texts[:left]) or any(row.texts[right:]):
            told = [*told, f"{_first(row.texts, left, right)} lies beyond the header"]
        elif row.filled == 1 and len(columns) > 1 and len({*inner}) == 1:
            told = [*told, "its cells are merged into one, as a title is"]
        if told:
            self._refuse(row, "; ".join(told), inner, block)
            return 0
        block.records.append(self._record(columns, inner))
        return sum(map(len, filter(None, inner)))

    def _record(self, columns: tuple[str, ...], texts: list[str | None]) -> Record:
        nulls = self._table.nulls
        if nulls:
            texts = [None if text in nulls else text for text in texts]
        return dict(zip(columns, texts, strict=True))

    def _refuse(self, row: Row, what: str, texts: list[str | None], block: Block) -> None:
        if self._table.fail:
            raise Unreadable(
                f"a bad row: {what}",
                where=f"{self._sheet.where}, row {row.number}",
                mend="correct the workbook, or let bad rows be rejects (`on_bad_rows: reject`)",
            )
        sample = ";".join(text or "" for text in texts)[:SAMPLE]
        reason = f"row {row.number}: {what}"
        block.rejects.append(Reject(self._table.dataset, self.number, reason, sample))


def _own_texts(cells: Cells) -> list[str]:
    """What stands in *cells* themselves, merged ones not filled: enough to tell a header."""
    return ["" if cell.value is None else str(cell.value)[:256].strip() for cell in cells]


def _shown(cell: "ReadOnlyCell") -> str:
    return str(cell.value) if cell.data_type == "e" else "no date that a sheet can hold"


def _first(texts: list[str | None], left: int, right: int) -> str:
    """The first of *texts* outside of the columns *left* to *right*, with its column."""
    place = next(place for place, text in enumerate(texts) if text and not left <= place < right)
    return f"{_letters(place + 1)}: {str(texts[place])[:40]!r}"


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
