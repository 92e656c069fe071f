"""A few rows looked at before a walk: does the instance take the conditions of the dataset?

A condition on a column that is not there, or that the account may not compare, is dropped in
silence: the whole table is given, or of an OR what the rest of it lets through (specs/servicenow.md
§1.1, §4.5).
"""

from dataclasses import dataclass
from typing import Any, Final

from sources.errors import Refused
from sources.servicenow_client import Instance, View
from sources.servicenow_query import CLASS, Filter, Rows
from sources.servicenow_values import KEY

_ROWS: Final = 5
_LOOKS: Final = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample showed: the instance's own time, and what could not be checked."""

    date: str = ""
    remark: str = ""


def sampled(
    instance: Instance, view: View, wanted: Filter, classes: tuple[str, ...], where: str
) -> Sample:
    """Look at a few of the rows that *wanted* lets through, or at any where it lets none.

    Raises Refused for a column of *wanted* that no row has or whose comparison is ignored, and for
    rows that are not of *classes*.
    """
    columns = tuple(sorted({KEY, *wanted.columns, *map(_root, wanted.columns)}))
    sheet = instance.sheet(view.raw, Rows(wanted.parts[0]), columns, limit=_ROWS)
    rows = _objects(sheet.rows)
    others = {row.get(CLASS, "") for row in rows} - set(classes) if classes else set()
    if not rows and wanted.columns:
        rows = _objects(instance.sheet(view.raw, Rows(), columns, limit=_ROWS).rows)
    impossible = sorted(wanted.impossible.items())
    remark = ""
    if not rows and wanted.columns:  # none there are, or none that the account may see
        remark = "no row showed whether `query` is understood"
        impossible += [(name, f"{name}ISEMPTY^{name}ISNOTEMPTY") for name in sorted(wanted.columns)]
    for column in columns:
        if rows and not any(column in row for row in rows) and not _unknowable(column, rows):
            raise Refused(
                f"the instance does not know {column!r} in table {view.table}, or the account may "
                "not read it: it would ignore the condition and give every row",
                where=where,
                mend="correct the name of the column in `query`, or ask for the right to read it",
            )
    if others:
        raise Refused(
            f"the instance ignores the condition on {CLASS}: it gives rows of {min(others)!r}",
            where=where,
            mend=f"ask for query_match on {view.table}.{CLASS}",
        )
    for column, query in impossible:
        check_compared(instance, view, column, query, where)
    return Sample(sheet.date, remark)


def check_compared(instance: Instance, view: View, column: str, query: str, where: str) -> None:
    """Raises Refused where rows are counted for *query*, which compares *column* and none meets."""
    count = instance.total(view.raw, Rows(query))
    if count:
        raise Refused(
            f"the instance ignores conditions on {column}: it counts {count:,} rows for {query!r}, "
            "which none can meet",
            where=where,
            mend=f"check that {view.table} has this column, and ask for query_range on it",
        )


def shown_share(instance: Instance, view: View, rows: Rows) -> float:
    """What share of *rows* the account is shown, by a few of them, evenly spread; 1 of none."""
    total = instance.total(view, rows) or 0
    ranks = sorted({total * look // _LOOKS for look in range(_LOOKS)}) if total else []
    shown = [
        bool(instance.sheet(view.raw, rows, (KEY,), limit=1, offset=rank).rows) for rank in ranks
    ]
    return shown.count(True) / len(shown) if shown else 1.0


def _objects(rows: list[Any]) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)]


def _root(column: str) -> str:
    return column.partition(".")[0]


def _unknowable(column: str, rows: list[dict[str, Any]]) -> bool:
    """Whether a dot-walked column may lack because its reference is empty in all rows (§2)."""
    root = _root(column)
    return (
        root != column
        and any(root in row for row in rows)
        and not any(row.get(root) for row in rows)
    )
