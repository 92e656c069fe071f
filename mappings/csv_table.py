"""The rows of a lookup as a CSV file beside the job has them."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from mappings.table_rule import TableRule
from mappings.vocabulary import suggestion

_DELIMITERS = (";", ",", "\t", "|")


class TableFault(Exception):
    """A file that is no table; `key` is the word of the rule at fault, `mend` the way out."""

    def __init__(self, key: str, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.key = key
        self.mend = mend


def csv_rows(content: bytes, rule: TableRule) -> dict[str, Any]:
    """The rows of a CSV file: texts, or arrays of them with `many`; a blank cell is null.

    Raises TableFault: for bytes that are not text, a column that is not there, a key that stands
    twice with different values.
    """
    try:
        text = content.decode(rule.encoding)
    except LookupError:
        raise TableFault("encoding", f"unknown encoding {rule.encoding!r}") from None
    except UnicodeError:
        what = f"{rule.csv} is not in {rule.encoding}"
        raise TableFault("csv", what, "say its encoding:, such as cp1252") from None
    rows: dict[str, Any] = {}
    try:
        _fill(rows, _cells(text, rule), rule)
    except csv.Error as error:
        raise TableFault("csv", f"{rule.csv} is no CSV file: {error}") from None
    if not rows:
        raise TableFault("csv", f"{rule.csv} has no rows: every value would be unknown")
    return rows


def _fill(
    rows: dict[str, Any], cells: Iterable[tuple[int, str, str | None]], rule: TableRule
) -> None:
    for line, key, value in cells:
        if rule.many:
            values = rows.setdefault(key, [])
            if value is not None and value not in values:
                values.append(value)
        elif rows.setdefault(key, value) != value:
            what = f"{rule.csv}:{line}: the key {key!r} stands twice, with other values"
            raise TableFault("csv", what, "keep one of the lines, or say many: true")


def _cells(text: str, rule: TableRule) -> Iterator[tuple[int, str, str | None]]:
    """(line, key, value) of each row that has a key; a blank key is an empty row of a sheet."""
    header_line = text.partition("\n")[0]
    delimiter = rule.delimiter or max(_DELIMITERS, key=header_line.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next(lines, [])
    at = {}
    for word, column in (("key", rule.key or ""), ("value", rule.value or "")):
        if column not in header:
            mend = suggestion(column, header, "its columns")
            raise TableFault(word, f"{rule.csv} has no column {column!r}", mend)
        at[word] = header.index(column)
    for row in lines:
        key = row[at["key"]].strip() if at["key"] < len(row) else ""
        value = row[at["value"]].strip() if at["value"] < len(row) else ""
        if key:
            yield lines.line_num, key, value or None
