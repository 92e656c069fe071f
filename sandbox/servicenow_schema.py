"""The tables of the simulated instance: who extends whom, which columns each has."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.servicenow_columns import CHOICES, DISPLAYS, STAMPS, TABLES, TODAY

Record = dict[str, Any]

_HEAD: Final = re.compile(r"(?P<name>\w+)(?: < (?P<parent>\w+))?: (?P<label>.+)")
_STAMP_COLUMNS: Final = frozenset({"sys_created_on", "sys_updated_on"})


@dataclass(frozen=True, slots=True)
class Column:
    """`reference`: the table that a reference, or a list of them, leads to."""

    name: str
    kind: str = "string"
    reference: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_reference(self) -> bool:
        return self.kind == "reference"


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    label: str
    parent: str
    columns: dict[str, Column]  # its own ones

    @property
    def display(self) -> str:
        """The column that stands for a row."""
        return DISPLAYS.get(self.name, "name")


def key(text: str) -> str:
    """A sys_id that is the same at every start."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Schema:
    """The tables there are; `learn` adds those of the rows that are put.

    *parents*: custom classes and what they extend; *references*: `table.column` and where it leads.
    """

    def __init__(
        self, release: str, parents: Mapping[str, str], references: Mapping[str, str]
    ) -> None:
        self.tables: dict[str, Table] = {}
        self.release = release
        self._references = references
        self._inherited: dict[str, dict[str, Column]] = {}
        for text in (TABLES,) if release == "madrid" else (TABLES, TODAY):
            self._read(text)
        for name, parent in parents.items():
            self.tables[name] = Table(name, name, parent, {})
        for (name, element), choices in CHOICES.items():
            self._choose(name, element, choices)

    def learn(self, name: str, keys: set[str]) -> None:
        """A table is at least as wide as its rows are."""
        table = self.tables.setdefault(name, Table(name, name, "", {}))
        for each in sorted(keys - self.columns(name).keys()):
            kind = "glide_date_time" if each in _STAMP_COLUMNS else "string"
            table.columns[each] = Column(each, kind)
        for place, target in self._references.items():
            of, _, element = place.partition(".")
            if of == name:
                table.columns[element] = Column(element, "reference", target)
        self._inherited.clear()

    def learn_choices(self, rows: Sequence[Record]) -> None:
        """The labels of further choices, from rows of `sys_choice`."""
        for row in rows:
            name, element = row.get("name", ""), row.get("element", "")
            if element in self.columns(name):
                self._choose(name, element, {row.get("value", ""): row.get("label", "")})

    def drop(self, name: str) -> None:
        self.tables.pop(name, None)
        self._inherited.clear()

    def lineage(self, name: str) -> Iterator[Table]:
        """The table and those it extends, itself first."""
        while name in self.tables:
            yield self.tables[name]
            name = self.tables[name].parent

    def columns(self, name: str) -> Mapping[str, Column]:
        """The columns of a table, inherited ones included; none when there is no such table."""
        found = self._inherited.get(name)
        if found is None:
            found = {}
            for table in reversed(list(self.lineage(name))):
                found |= table.columns
            self._inherited[name] = found
        return found

    def column(self, name: str, dotted: str) -> tuple[tuple[Column, ...], str, Column] | None:
        """The references on the way of a dotted name, the table at its end, and the column there.

        None when one of them is not there.
        """
        *names, last = dotted.split(".")
        steps = []
        for each in names:
            step = self.columns(name).get(each)
            if step is None or not step.is_reference:
                return None
            steps.append(step)
            name = step.reference
        found = self.columns(name).get(last)
        return (tuple(steps), name, found) if found else None

    def descendants(self, name: str) -> frozenset[str]:
        """The table and all that extend it."""
        return frozenset(
            each for each in self.tables if any(up.name == name for up in self.lineage(each))
        )

    def children(self, name: str) -> list[str]:
        return sorted(each.name for each in self.tables.values() if each.parent == name)

    def _choose(self, name: str, element: str, choices: Mapping[str, str]) -> None:
        column = self.columns(name)[element]
        more = {**column.choices, **choices}
        self.tables[name].columns[element] = Column(element, column.kind, column.reference, more)
        self._inherited.clear()

    def _read(self, text: str) -> None:
        columns: dict[str, Column] = {}
        for line in text.replace("*", STAMPS).splitlines():
            if head := _HEAD.fullmatch(line):
                name, label, parent = head["name"], head["label"], head["parent"] or ""
                columns = self.tables.setdefault(name, Table(name, label, parent, {})).columns
            for word in () if head else line.split():
                column = _column(word)
                columns[column.name] = column


def _column(word: str) -> Column:
    name, _, kind = word.partition(":")
    if kind.startswith(">"):
        return Column(name, "reference", kind[1:])
    kind, _, target = kind.partition(":")
    return Column(name, kind or "string", target)
