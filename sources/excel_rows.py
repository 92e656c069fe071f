"""The rows of one sheet: records, and rejects with the cells that are to blame."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from sources.base import Record, Reject
from sources.errors import Unreadable
from sources.excel_cells import Texts
from sources.excel_header import SAMPLE as HEADER_SAMPLE
from sources.excel_header import Header, HeaderRule, Row, find_header
from sources.excel_merged import MergedCells
from sources.excel_package import readable
from sources.excel_workbook import Cells, Sheet
from sources.file_reading import Block
from sources.rows import SAMPLE

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

BLOCK: Final = 200  # rows


@dataclass(frozen=True, slots=True)
class SheetTable:
    """What the rows of a sheet are read as."""

    dataset: str
    nulls: frozenset[str]
    fill: bool
    errors: Literal["reject", "null"]
    fail: bool


@dataclass(slots=True)
class SheetRows:
    """Reads the rows of a sheet; `number` is the rank of the last one, blank rows are none.

    `line` is the number of the last row of the sheet that was gone through.
    """

    sheet: Sheet
    table: SheetTable
    number: int
    line: int = 0
    header: Header = field(init=False)
    texts: Texts = field(default_factory=Texts)
    _ready: deque[Row] = field(default_factory=deque)
    _odd: dict[int, list[str]] = field(default_factory=dict)  # by row: what is wrong with its cells
    _merged: MergedCells = field(init=False)

    def __post_init__(self) -> None:
        self._merged = MergedCells(self.sheet.scan.merged if self.table.fill else [])
