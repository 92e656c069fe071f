"""Which row of a sheet names its columns, and where the table begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from unicodedata import normalize

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


def rows_above(rows: Sequence[Sequence[str]], required: Sequence[str], where: str) -> int:
    """How many of the first *rows*, given as the texts of their own cells, stand above the header.

    The header is the row that has every *required* name; without such, the first that fills more
    than half as many cells as the fullest: a title fills a cell or two, merged or not. Raises
    Unreadable where a fuller row follows it: a title of a narrow table would do so too.
    """
    wanted = set(required)
    for rank, texts in enumerate(rows):
        if wanted and wanted <= {normalize("NFC", text) for text in texts}:
            return rank
    filled = [sum(map(bool, texts)) for texts in rows]
    fullest = max(filled, default=0)
    rank = next((rank for rank, cells in enumerate(filled) if cells * 2 > fullest), 0)
    after = next((each for each in range(rank + 1, len(rows)) if filled[each]), None)
    if after is not None and filled[after] > filled[rank]:
        raise Unreadable(
            f"row {rank + 1} may be the header, or a title above it: row {after + 1} has more",
            where=where,
            mend=f"state `skip_rows_before_header`: {rank} if it is the header; `required_columns` "
            "tell it too",
        )
    return rank


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
