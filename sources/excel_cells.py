"""The text of a cell: what it holds, with no digit lost and nothing guessed."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sources.excel_formats import has_time, padded

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

_EXACT: Final = 10**15  # Excel keeps fifteen digits of a number
_ESCAPED: Final = re.compile(r"_x00([0-9A-Fa-f]{2})_")


class Texts:
    """Makes texts of the cells of one sheet.

    `long` counts numbers of more than fifteen digits, which Excel does not keep as they were typed.
    """

    def __init__(self) -> None:
        self.long = 0

    def of(self, cell: "ReadOnlyCell") -> str | None:
        """The text of a cell that is not empty, without outer blanks; None for an error."""
        value = cell.value
        kind = type(value)
        if kind is int or kind is float:
            return self._number(value, cell)
        if kind is str:
            return None if cell.data_type == "e" else plain(value)
        if kind is bool:
            return "TRUE" if value else "FALSE"
        return moment(value, cell.number_format)

    def _number(self, value: float, cell: "ReadOnlyCell") -> str:
        if isinstance(value, float):
            if not value.is_integer():
                return _decimal(value)
            value = int(_decimal(value))
        if not -_EXACT < value < _EXACT:
            self.long += 1
        shown = padded(cell.number_format) if value >= 0 else None
        return shown(value) if shown else str(value)


def plain(text: str) -> str:
    """*text* without outer blanks; `_x000D_` is a line end, `_x005F_` the underscore itself."""
    if "_x00" in text:
        text = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text)
    return text.strip()


@lru_cache(maxsize=4096)  # many rows have the same dates
def moment(value: object, code: str) -> str | None:
    """A date, time or duration as ISO 8601 (durations `H:MM:SS`); None: it is none that Excel has.

    A date has its time of day when the format *code* shows one, or when it is not midnight.
    """
    if isinstance(value, datetime):
        if value.year < 1900:
            return None
        midnight = value.time() == time()
        return value.date().isoformat() if midnight and not has_time(code) else value.isoformat()
    if isinstance(value, time):
        # Excel's day zero, `00/01/1900` in a sheet: no date that ISO could write
        return value.isoformat() if value != time() or has_time(code) else "1900-01-00"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def _decimal(value: float) -> str:
    """The shortest digits that mean *value*, without exponent."""
    text = repr(value)
    if "e" in text or text.endswith(".0"):
        return format(Decimal(text).normalize(), "f")
    return text
