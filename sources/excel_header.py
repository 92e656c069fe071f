"""Which row of a sheet names its columns, and where the table begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sources.errors import Unreadable
from sources.file_reading import OUTAGE
from sources.header import check_required, name_columns

SAMPLE: Final = 50  # rows looked at for the header

Row = tuple[int, list[str | None]]  # its number, and the texts of its cells


@dataclass(frozen=True, slots=True)
class Header:
    """The columns: `left` of them are blank before the first. `height` rows were used up."""

    columns: tuple[str, ...]
    left: int
    height: int
    row: int  # number of the row that names them; 0: none does


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """What a job says of the header."""

    named: bool
    skip: int | Literal["auto"]
    names: tuple[str, ...]
    odd: Literal["error", "suffix"]
    required: tuple[str, ...]


def find_header(rows: Sequence[Row], rule: HeaderRule, where: str) -> Header:
    """The header among the first *rows* of a sheet; raises Unreadable when it is not to be told."""
    skip = 0 if rule.skip == "auto" else rule.skip
    if not rule.named:
        height = sum(number <= skip for number, _ in rows)
        check_required(rule.names, rule.required, where)
        return Header(rule.names, 0, height, 0)
    rank = _rank(rows, rule.skip)
    if rank is None:
        raise Unreadable("there is no header", where=where, mend=OUTAGE)
    number, texts = rows[rank]
    where = f"{where}, row {number}"
    filled = [place for place, text in enumerate(texts) if text]
    row = [text or "" for text in texts[filled[0] : filled[-1] + 1]]
    if rule.names and len(rule.names) != len(row):
        raise Unreadable(
            f"the header has {len(row)} columns and `column_names` names {len(rule.names)}",
            where=where,
            mend="name every column of the sheet, in its order",
        )
    columns = name_columns([*rule.names] or row, odd=rule.odd, where=where)
    check_required(columns, rule.required, where)
    return Header(columns, filled[0], rank + 1, number)


def _rank(rows: Sequence[Row], skip: int | Literal["auto"]) -> int | None:
    if skip != "auto":
        left = (rank for rank, (number, texts) in enumerate(rows) if number > skip and any(texts))
        return next(left, None)
    # A title above the table fills a cell or two; a row of data never stands before the header.
    filled = [sum(map(bool, texts)) for _, texts in rows]
    fullest = max(filled, default=0)
    wide = (rank for rank, cells in enumerate(filled) if cells and cells * 2 > fullest)
    return next(wide, None)
