"""Which row of a sheet names its columns, and where the table begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from sources.errors import Unreadable
from sources.file_reading import OUTAGE
from sources.header import check_required, name_columns

SAMPLE: Final = 50  # rows looked at for the header


class Row(NamedTuple):
    """The texts of the cells of row `number`, None for an error.

    `filled` of them have a value of their own: the others are empty, or merged with one that has.
    """

    number: int
    filled: int
    texts: list[str | None]


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
    """The header among the first *rows* of a sheet that are not blank, those skipped left out.

    Raises Unreadable when there is none, or when its names are not what is wanted.
    """
    if not rule.named:
        check_required(rule.names, rule.required, where)
        return Header(rule.names, 0, 0, 0)
    rank = _rank(rows) if rule.skip == "auto" else 0
    if not rows:
        raise Unreadable("there is no header", where=where, mend=OUTAGE)
    where = f"{where}, row {rows[rank].number}"
    texts = rows[rank].texts
    filled = [place for place, text in enumerate(texts) if text]
    row = [text or "" for text in texts[filled[0] : filled[-1] + 1]] if filled else []
    if rule.names and len(rule.names) != len(row):
        raise Unreadable(
            f"the header has {len(row)} columns and `column_names` names {len(rule.names)}",
            where=where,
            mend="name every column of the sheet, in its order",
        )
    columns = name_columns([*rule.names] or row, odd=rule.odd, where=where)
    check_required(columns, rule.required, where)
    return Header(columns, filled[0] if filled else 0, rank + 1, rows[rank].number)


def _rank(rows: Sequence[Row]) -> int:
    """Which of *rows* is the header.

    A title above the table fills a cell or two, merged or not; a row of data never stands before
    the header, however many of its cells are empty.
    """
    fullest = max((row.filled for row in rows), default=0)
    return next((rank for rank, row in enumerate(rows) if row.filled * 2 > fullest), 0)
