"""Which row of a sheet names its columns, and where the table begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sources.errors import Unreadable
from sources.file_reading import OUTAGE
from sources.header import check_required, name_columns


class Row(NamedTuple):
    """The texts of the cells of row `number`, None for an error.

    `filled` of them have a value of their own: the others are empty, or merged with one that has.
    """

    number: int
    filled: int
    texts: list[str | None]


@dataclass(frozen=True, slots=True)
class Header:
    """The columns: `left` of the sheet's are blank before the first. `row`: the number of the row
    that names them; 0: none does.
    """

    columns: tuple[str, ...]
    left: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """What a job says of the header."""

    named: bool
    skip: int | Literal["auto"]
    names: tuple[str, ...]
    odd: Literal["error", "suffix"]
    required: tuple[str, ...]


def rows_above(filled: Sequence[int]) -> int:
    """How many rows stand above the header, from the number of *filled* cells of the first rows.

    A title above the table fills a cell or two, merged or not; a row of data never stands before
    the header, however many of its cells are empty.
    """
    fullest = max(filled, default=0)
    return next((rank for rank, cells in enumerate(filled) if cells * 2 > fullest), 0)


def named_by(row: Row | None, rule: HeaderRule, where: str) -> Header:
    """The header that is *row*; raises Unreadable when there is none, or not with the names due."""
    if row is None:
        raise Unreadable("there is no header", where=where, mend=OUTAGE)
    where = f"{where}, row {row.number}"
    places = [place for place, text in enumerate(row.texts) if text]
    left = places[0] if places else 0
    names = [text or "" for text in row.texts[left : places[-1] + 1]] if places else []
    if rule.names and len(rule.names) != len(names):
        raise Unreadable(
            f"the header has {len(names)} columns and `column_names` names {len(rule.names)}",
            where=where,
            mend="name every column of the sheet, in its order",
        )
    columns = name_columns([*rule.names] or names, odd=rule.odd, where=where)
    check_required(columns, rule.required, where)
    return Header(columns, left, row.number)
