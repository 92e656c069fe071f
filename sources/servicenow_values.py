"""The columns that are asked for, and their values laid where the paths of a mapping find them.

    columns                  asked as                 record
    name, location           name,location            {"name": "srv1", "location": "<sys_id>"}
    location.name            location.name            {"location": {"name": "Lyon"}}
    status.display_value     status                   {"status": {"value": "1", "display_value": …}}

The last one where values come in pairs: with `display_value: all`, and of references with their
links. A column that is asked whole is its value then (specs/servicenow.md §2).
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sources.base import Record
from sources.errors import Refused

_MEMBERS: Final = frozenset({"value", "display_value", "link"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")

KEY: Final = "sys_id"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of an answer become records.

    `columns`: those asked for, empty for all. `whole`: of them, those that are made their value.
    `linked`: whose `value` is read from their link. `nested`: dotted columns, the shorter first.
    """

    columns: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    absent: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, fields: Iterable[str], display: str, *, links: bool, where: str) -> "Shape":
        """The shape of *fields*, dotted paths. Raises Refused for those that exclude each other."""
        pairs = display == "all" or links
        whole, parts = set[str](), dict[str, set[str]]()
        for path in fields:
            if not _NAME.fullmatch(path):
                raise _no_column(path, where)
            column, _, member = path.rpartition(".")
            is_member = bool(column) and member in _MEMBERS
            if is_member and display == "true" and not links:
                raise _label_alone(path, where)
            if is_member and pairs:
                parts.setdefault(column, set()).add(member)
            else:
                whole.add(path)
        columns = whole | parts.keys()
        for column in sorted(columns):
            inside = next((each for each in sorted(columns) if each.startswith(f"{column}.")), "")
            if column in whole and (inside or column in parts):
                raise asked_twice(column, inside or f"{column}.{min(parts[column])}", where)
        reads_link = {column for column, members in parts.items() if "value" in members}
        return cls(
            columns=tuple(sorted(columns)),
            whole=tuple(sorted(whole)) if pairs else (),
            linked=tuple(sorted(reads_link)) if display == "true" else (),
            nested=tuple(sorted(each for each in columns if "." in each)),
        )

    def records(self, rows: list[Record]) -> list[Record]:
        """*rows*, made records in place; columns that rows lack are counted in `absent`."""
        if self.columns and {*map(len, rows)} != {len(self.columns)}:
            self.absent.update(name for name in self.columns for row in rows if name not in row)
        for column in self.linked:
            for row in rows:
                _complete(row.get(column))
        for column in self.whole:
            for row in rows:
                if row.get(column).__class__ is dict:
                    row[column] = value_of(row[column])
        for column in self.nested:
            *steps, last = column.split(".")
            for row in rows:
                _nest(row, steps, last, row.pop(column, ""))
        return rows

    def remarks(self, received: int) -> list[str]:
        """What is to be said of columns that were asked for and did not come."""
        never = [name for name, count in sorted(self.absent.items()) if count == received]
        some = [
            f"{name} in {count:,} of {received:,}"
            for name, count in sorted(self.absent.items())
            # Through an empty reference some releases give no key (§2).
            if count < received and "." not in name
        ]
        told = []
        if never:
            told.append(
                f"no row has {', '.join(never)}: no such column of this table, or no right to read"
            )
        return [*told, f"missing: {', '.join(some)}"] if some else told


def keys_of(rows: list[Any]) -> list[str]:
    """The sys_id of each row; empty for what has none."""
    try:
        ids = [row[KEY] for row in rows]
    except (KeyError, TypeError):
        ids = [row.get(KEY) if isinstance(row, dict) else "" for row in rows]
    if {*map(type, ids)} <= {str}:
        return ids
    return [key if isinstance(key := value_of(each), str) else "" for each in ids]


def value_of(cell: Any) -> Any:
    """The value of a cell in any of its shapes: specs/servicenow.md §2."""
    if not isinstance(cell, dict):
        return cell
    if "value" in cell:
        return cell["value"]
    return _last_of(cell["link"]) if cell.get("link") else cell.get("display_value", "")


def _last_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]


def _complete(cell: Any) -> None:
    if isinstance(cell, dict) and "value" not in cell:
        cell["value"] = _last_of(cell.get("link", ""))


def _nest(row: Record, steps: list[str], last: str, value: Any) -> None:
    here = row
    for step in steps:
        inner = here.get(step)
        if inner.__class__ is not dict:
            inner = here[step] = {}
        here = inner
    if here.get(last).__class__ is dict and value.__class__ is dict:
        value = here[last] | value
    here[last] = value


def _no_column(path: str, where: str) -> Refused:
    return Refused(
        f"no column can be called {path!r}",
        where=where,
        mend="write the name of the column, not its label: lower-case letters, digits and _",
    )


def _label_alone(path: str, where: str) -> Refused:
    return Refused(
        f"{path!r} is asked for, and with `display_value: true` there is the label alone",
        where=where,
        mend="say `display_value: all`, or for references `exclude_reference_link: false`",
    )


def asked_twice(column: str, inside: str, where: str) -> Refused:
    """*column* and *inside*, a path below it, exclude each other."""
    return Refused(
        f"{column!r} is asked whole, and inside by {inside!r}",
        where=where,
        mend=f"write {column}.sys_id for its id; with pairs {column}.value and "
        f"{column}.display_value",
    )
