"""Relations between CIs, with their types in words and without what is no relation.

`cmdb_rel_ci` is a dirty table: ends that are empty, types that are gone, relations written twice or
of a CI with itself (specs/servicenow.md §11.3). Such rows are left out and counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from sources.base import Record
from sources.errors import Refused, Unreadable
from sources.servicenow_client import Instance, View
from sources.servicenow_keyset import Walk
from sources.servicenow_query import Rows
from sources.servicenow_values import KEY, asked_twice
from sources.verdict import sample

TYPES: Final = "cmdb_rel_type"

_COLUMNS: Final = (KEY, "child_descriptor", "name", "parent_descriptor")
_TYPE: Final = "type"
_SYS_ID: Final = re.compile(r"[\w.-]+")
_ENDS: Final = ("parent", "child")

Type = Mapping[str, str]


class Relations:
    """Makes relations of rows; *fields* are the paths that are wanted of them.

    *types* are those there are by their sys_id, *wanted* the sys_ids of those that are kept (empty:
    all, and those that nothing is known of). Raises Refused for a type asked whole and inside.
    """

    def __init__(
        self, fields: Iterable[str], types: Mapping[str, Type], wanted: frozenset[str]
    ) -> None:
        paths = frozenset(fields)
        self._types = types
        self._wanted = wanted
        inside = sorted(path for path in paths if path.startswith(f"{_TYPE}."))
        if inside and _TYPE in paths:
            raise asked_twice(_TYPE, inside[0], "a dataset of relations")
        self._in_words = bool(inside)
        # An end that is asked inside comes dot-walked, its id with it.
        self._ends = tuple(
            f"{end}.{KEY}" if any(path.startswith(f"{end}.") for path in paths) else end
            for end in _ENDS
        )
        self.columns = frozenset(
            (*self._ends, _TYPE, *(p for p in paths if not p.startswith(f"{_TYPE}.")))
        )
        self._left_out: Counter[str] = Counter()
        self._unknown = 0
        self._seen: set[int] = set()

    def kept(self, rows: list[Record]) -> list[Record]:
        """Those of *rows* that are relations, with their type as an object where it is wanted."""
        parent_column, child_column = self._ends
        kept = []
        for row in rows:
            parent, child = row.get(parent_column), row.get(child_column)
            kind = row.get(_TYPE) or ""
            key = hash((parent, child, kind))
            if not parent or not child:
                self._left_out["without an end"] += 1
            elif self._wanted and kind not in self._wanted:
                self._left_out["of no type that is wanted"] += 1
            elif parent == child:
                self._left_out["of a CI with itself"] += 1
            elif key in self._seen:
                self._left_out["written twice"] += 1
            else:
                self._seen.add(key)
                kept.append(row)
                if self._in_words:
                    row[_TYPE] = self._told(kind)
        return kept

    def remarks(self) -> list[str]:
        told = [f"{count:,} {why}" for why, count in sorted(self._left_out.items())]
        remarks = [f"left out: {', '.join(told)}"] if told else []
        if self._unknown:
            remarks.append(f"{self._unknown:,} of a type that is not in {TYPES}")
        return remarks

    def _told(self, kind: str) -> Type:
        told = self._types.get(kind)
        if told is None:
            self._unknown += 1
            return dict.fromkeys(_COLUMNS, "") | {KEY: kind}
        return told


def needs_types(fields: Iterable[str], names: Iterable[str]) -> bool:
    """Whether the types must be read for *fields*, or to tell those called *names*."""
    return any(names) or any(path.startswith(f"{_TYPE}.") for path in fields)


def types_of(instance: Instance) -> tuple[dict[str, Type], int]:
    """Every type of relation by its sys_id, a dozen rows, and how many are hidden.

    Raises Refused where none is shown, Unreadable where they do not follow one another.
    """
    walk = Walk(instance, View(TYPES), Rows(), _COLUMNS, size=1000)
    found = {
        sys_id: row
        for sheet, ids in walk.sheets()
        for sys_id, row in zip(ids, sheet.rows, strict=True)
        if sys_id
    }
    if walk.doubt:
        raise Unreadable(f"{TYPES}: {walk.doubt}", where=f"table {TYPES}", mend="run again")
    for sys_id in found:
        if not _SYS_ID.fullmatch(sys_id):
            raise Unreadable(
                f"{sample(sys_id, ())!r} is no sys_id of a type of relation",
                where=f"table {TYPES}",
                mend="correct that row",
            )
    if not found:
        raise Refused(
            f"no type of relation is shown to {instance.identity}",
            where=f"table {TYPES}",
            mend="ask for the right to read its rows",
        )
    return found, max((walk.total or 0) - len(found), 0)


def ids_of(names: Iterable[str], types: Mapping[str, Type], where: str) -> frozenset[str]:
    """The sys_ids of the types that have these *names*. Raises Refused for one that none has."""
    by_name: dict[str, list[str]] = {}
    for sys_id, told in types.items():
        by_name.setdefault(told.get("name", ""), []).append(sys_id)
    for name in names:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1) or sorted(by_name)[:1]
            raise Refused(
                f"no type of relation is called {name!r}",
                where=where,
                mend=f"did you mean {near[0]!r}?",
            )
    return frozenset(sys_id for name in names for sys_id in by_name[name])
