"""The rows of the simulated instance, by class, and the sorted view of each table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from sandbox.servicenow_catalogue import catalogue
from sandbox.servicenow_schema import Record, Schema, key

_CLASS: Final = "sys_class_name"


@dataclass(frozen=True, slots=True)
class View:
    """All rows of a table and of those that extend it, in the order of the database."""

    rows: list[Record]
    keys: list[str]  # the folded sys_id of each
    by_id: dict[str, Record]


class Data:
    """Rows held under their own class. A row is never changed in place: it is replaced."""

    def __init__(
        self,
        tables: Mapping[str, Sequence[Record]],
        schema: Schema,
        fold: Callable[[str], str],
    ) -> None:
        self.schema = schema
        self.fold = fold
        self.version = 0
        self._own: dict[str, list[Record]] = {}
        self._views: dict[str, View] = {}
        for name, rows in tables.items():
            self._add(name, rows)

    def exists(self, table: str) -> bool:
        return table in self.schema.tables

    def tables(self) -> dict[str, list[Record]]:
        """The rows of each class, as they were put."""
        return {name: list(rows) for name, rows in self._own.items()}

    def add_missing(self, table: str, field: str, rows: Sequence[Record]) -> None:
        """Add those rows whose *field* no row has yet."""
        held = {row.get(field) for row in self._own.get(table, ())}
        self._add(table, [row for row in rows if row[field] not in held])

    def view(self, table: str) -> View:
        found = self._views.get(table)
        if found is None:
            found = self._views[table] = self._sorted(table)
        return found

    def find(self, table: str, sys_id: str) -> Record | None:
        return self.view(table).by_id.get(sys_id) if self.exists(table) else None

    def put(self, table: str, rows: Sequence[Record]) -> None:
        """Make *rows* all that the table holds, the classes that extend it included."""
        for name in self._classes(table):
            self._own.pop(name, None)
        self._add(table, rows)
        self._changed()

    def drop(self, table: str) -> None:
        """The table is not there any more."""
        self._own.pop(table, None)
        self.schema.drop(table)
        self._changed()

    def write(self, table: str, rows: Sequence[Record]) -> None:
        """Insert or update rows by sys_id; another `sys_class_name` moves a row to that class."""
        written = {row["sys_id"]: row for row in rows}
        tree = self._tree(table)
        held = {row.get("sys_id"): row for name in tree for row in self._own.get(name, ())}
        merged = [{**held.get(sys_id, {}), **row} for sys_id, row in written.items()]
        for name in tree:
            if rows_of := self._own.get(name):
                self._own[name] = [row for row in rows_of if row.get("sys_id") not in written]
        self._add(table, merged)
        self._changed()

    def delete(self, table: str, sys_ids: Sequence[str], *, audit: bool = True) -> None:
        """Rows go; `sys_audit_delete` tells so, unless the table is left out of it (spec §5)."""
        gone = frozenset(sys_ids)
        records = []
        for name in self._classes(table):
            held = self._own.get(name, [])
            records += [_audit(name, row) for row in held if row.get("sys_id") in gone]
            self._own[name] = [row for row in held if row.get("sys_id") not in gone]
        if audit:
            self._add("sys_audit_delete", records)
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._views.clear()

    def _classes(self, table: str) -> frozenset[str]:
        return self.schema.descendants(table) if self.exists(table) else frozenset({table})

    def _tree(self, table: str) -> frozenset[str]:
        lineage = [each.name for each in self.schema.lineage(table)]
        return self._classes(lineage[-1] if lineage else table)

    def _add(self, table: str, rows: Sequence[Record]) -> None:
        self.schema.learn(table, set(chain.from_iterable(rows)))
        if table == "sys_choice":
            self.schema.learn_choices(rows)
        if _CLASS not in self.schema.columns(table):
            self._own.setdefault(table, []).extend(rows)
            return
        tree = self._tree(table)
        for row in rows:
            told = row.get(_CLASS)
            placed = row if told else {**row, _CLASS: table}
            self._own.setdefault(told if told in tree else table, []).append(placed)

    def _sorted(self, table: str) -> View:
        fold = self.fold
        classes = sorted(self._classes(table))
        rows = list(chain.from_iterable(self._own.get(name, ()) for name in classes))
        rows = [*catalogue(self.schema, table), *rows]
        pairs = sorted(
            ((fold(row.get("sys_id", "")), row) for row in rows), key=lambda pair: pair[0]
        )
        by_id = {row["sys_id"]: row for row in rows if "sys_id" in row}
        if table == "sys_db_object":  # `sys_dictionary.reference` leads to a table by its name
            by_id |= {row["name"]: row for row in rows}
        return View([row for _, row in pairs], [folded for folded, _ in pairs], by_id)


def _audit(table: str, row: Record) -> Record:
    sys_id = row.get("sys_id", "")
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "sys_id": key(f"sys_audit_delete:{table}:{sys_id}"),
        "tablename": table,
        "documentkey": sys_id,
        "display_value": row.get("name", ""),
        "payload": f"<{table}><sys_id>{sys_id}</sys_id></{table}>",
        "sys_created_on": now,
        "sys_created_by": "admin",
    }
