"""What a value looks like: raw or displayed, with or without link, plain or dot-walked (spec §2).

projection = Projection(lookup, table, ("name", "location.name"), shape)
projection.rows(rows)      # one dict a row, as the JSON of the answer has it
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, Final, Literal, Protocol

from sandbox.servicenow_moments import duration, local
from sandbox.servicenow_schema import Column, Record, Schema

Value = Callable[[Record], Any]
MISSING = object()


class Lookup(Protocol):
    """The rows that references lead to."""

    schema: Schema

    def find(self, table: str, sys_id: str) -> Record | None:
        """The row of a table, or of one that extends it; None when there is none."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one call wants its values; `base` is the beginning of links (`https://…/api/now`)."""

    display: Literal["false", "true", "all"] = "false"
    links: bool = True
    base: str = ""
    zone: str = "UTC"
    date_format: str = "%Y-%m-%d %H:%M:%S"
    empty_dotwalk: Literal["empty", "missing"] = "empty"
    empty_reference_link: bool = False


@dataclass(frozen=True)
class Projection:
    """The fields of one table in one shape; `hides` tells the rows a dot-walk may not see."""

    lookup: Lookup
    table: str
    fields: tuple[str, ...]
    shape: Shape
    emptied: frozenset[str] = frozenset()
    hides: Callable[[str, str], bool] = lambda _table, _sys_id: False

    def rows(self, rows: Sequence[Record]) -> list[Record]:
        if not self._values:
            return [{} for _ in rows]
        if self._plain_getter:
            try:
                names, values = self.fields, self._plain_getter
                return [dict(zip(names, values(row), strict=True)) for row in rows]
            except KeyError:  # a row is narrower than the others
                pass
        return [self.row(row) for row in rows]

    def row(self, row: Record) -> Record:
        found = {name: value(row) for name, value in self._values}
        return {name: value for name, value in found.items() if value is not MISSING}

    @cached_property
    def _plain_getter(self) -> Callable[[Record], tuple[Any, ...]] | None:
        """Where every value is served as it is held, one call of C takes them all."""
        names, columns = self.fields, self.lookup.schema.columns(self.table)
        raw = self.shape.display == "false" and not self.emptied and len(names) > 1
        if raw and all(
            name in columns and not (self.shape.links and columns[name].is_reference)
            for name in names
        ):
            return itemgetter(*names)
        return None

    @cached_property
    def _values(self) -> list[tuple[str, Value]]:
        return [(name, self._value(name)) for name in self.fields]

    def _value(self, name: str) -> Value:
        if name in self.emptied:
            return lambda _: ""
        found = self.lookup.schema.column(self.table, name)
        if found is None:
            return lambda _: MISSING
        steps, _, column = found
        shown = self._shown(column)
        return self._walk(steps, shown) if steps else shown

    def _walk(self, steps: Sequence[Column], shown: Value) -> Value:
        empty = MISSING if self.shape.empty_dotwalk == "missing" else ""
        if empty == "" and self.shape.display == "all":
            empty = {"display_value": "", "value": ""}

        def value(row: Record) -> Any:
            for step in steps:
                target = row.get(step.name, "")
                found = self.lookup.find(step.reference, target) if target else None
                if found is None or self.hides(step.reference, target):
                    return empty
                row = found
            return shown(row)

        return value

    def _shown(self, column: Column) -> Value:
        name, shape = column.name, self.shape
        if column.is_reference:
            return self._reference(column)
        if column.kind == "journal_input":
            return lambda _: {"display_value": "", "value": ""} if shape.display == "all" else ""
        if shape.display == "false":
            return lambda row: row.get(name, "")
        if shape.display == "true":
            return lambda row: displayed(self.lookup, column, row, shape)
        return lambda row: {
            "display_value": displayed(self.lookup, column, row, shape),
            "value": row.get(name, ""),
        }

    def _reference(self, column: Column) -> Value:
        name, shape = column.name, self.shape
        base = f"{shape.base}/table/{column.reference}/"
        nothing: Any = ""
        if shape.display == "all":
            nothing = {"display_value": "", "value": ""}
            if shape.empty_reference_link and shape.links:
                nothing = {"display_value": "", "link": "", "value": ""}

        def value(row: Record) -> Any:
            target = row.get(name, "")
            if not target:
                return nothing
            if shape.display == "false":
                return {"link": base + target, "value": target} if shape.links else target
            told = displayed(self.lookup, column, row, shape)
            if shape.display == "true":
                return {"display_value": told, "link": base + target} if shape.links else told
            link = {"link": base + target} if shape.links else {}
            return {"display_value": told, **link, "value": target}

        return value


def known(schema: Schema, table: str, names: Iterable[str]) -> Iterator[str]:
    """Those of the dotted *names* that are there; the others are ignored in silence."""
    return (name for name in names if schema.column(table, name))


def displayed(lookup: Lookup, column: Column, row: Record, shape: Shape) -> str:
    """The display value of a column."""
    value = row.get(column.name, "")
    if not value:
        return ""
    show = _SHOWN.get(column.kind, _label)
    return show(lookup, column, value, shape)


def _label(_: Lookup, column: Column, value: str, __: Shape) -> str:
    return str(column.choices.get(value, value))


def _target(lookup: Lookup, column: Column, value: str, _: Shape) -> str:
    return _name_of(lookup, column.reference, value)


def _targets(lookup: Lookup, column: Column, value: str, _: Shape) -> str:
    return ", ".join(_name_of(lookup, column.reference, each) for each in value.split(","))


def _class(lookup: Lookup, _: Column, value: str, __: Shape) -> str:
    table = lookup.schema.tables.get(value)
    return table.label if table else value


def _price(_: Lookup, __: Column, value: str, ___: Shape) -> str:
    return f"${float(value):,.2f}"


def _name_of(lookup: Lookup, table: str, sys_id: str) -> str:
    """The name of the row a reference leads to; nothing when it leads nowhere."""
    found = lookup.find(table, sys_id)
    told = lookup.schema.tables.get(table)
    return str(found.get(told.display, "")) if found and told else ""


def _local(_: Lookup, __: Column, value: str, shape: Shape) -> str:
    return local(value, shape.zone, shape.date_format)


def _duration(_: Lookup, __: Column, value: str, ___: Shape) -> str:
    return duration(value)


_SHOWN: Final[dict[str, Callable[[Lookup, Column, str, Shape], str]]] = {
    "reference": _target,
    "glide_list": _targets,
    "sys_class_name": _class,
    "glide_date_time": _local,
    "glide_duration": _duration,
    "currency": _price,
}
