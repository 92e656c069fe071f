"""The rows of the simulated EasyVista as its answers show them (specs/easyvista.md §6)."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.easyvista_dates import local, php_date, writer
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_schema import ANY_LANGUAGE, LANGUAGES, Kind, Table
from sandbox.easyvista_store import Record, Store

_BRACKETED: Final = LANGUAGES[:6]  # L1 to L6 are empty until somebody writes them
_DATED: Final = (Kind.DATE, Kind.STAMP)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is shown of a row: columns, memos among them, and nested objects with their columns.

    `whole`: the names of links whose object has its HREF too, as in an excerpt.
    """

    columns: tuple[str, ...]
    nested: dict[str, tuple[str, ...]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """From where rows are seen: `root` is `http://host/api/v1/50004`."""

    root: str
    language: str
    resource: str  # under which the HREF of a row stands
    format_date: str = ""


class Rows:
    """Rows as JSON values, written in the manner of the knobs."""

    def __init__(self, store: Store, knobs: EasyVistaKnobs) -> None:
        self._store = store
        self._knobs = knobs
        self._zone = ZoneInfo(knobs.zone)
        self._unset = None if knobs.unset == "null" else ""
        self._random = random.Random(0)  # noqa: S311 - the same disorder at each start

    def excerpt(self, table: Table, names: Iterable[str], language: str) -> Shape:
        """The shape that lists have when no field is named."""
        columns = []
        nested = {}
        for name in names:
            if name in table.links:
                held = self._store.table(table.links[name].table)
                nested[name] = tuple(_named(each, language) for each in held.nested)
            else:
                columns.append(_named(name, language))
        return Shape(tuple(columns), nested, frozenset(nested))

    def asked(self, table: Table, fields: str, *, links: bool = True) -> Shape | None:
        """The shape that `fields` asks for; what is unknown is left out. None: all of it is."""
        columns: list[str] = []
        nested: dict[str, list[str]] = {}
        for path in filter(None, (each.strip().upper() for each in fields.split(","))):
            link, dot, column = path.rpartition(".")
            if not dot and column not in table.denied and self._store.column(table.name, column):
                columns.append(column)
            elif dot and links and self._reaches(table, link, column):
                nested.setdefault(link, []).append(column)
        if not (columns or nested):
            return None
        tidy = {name: tuple(dict.fromkeys(some)) for name, some in nested.items()}
        return Shape(tuple(dict.fromkeys(columns)), tidy)

    def _reaches(self, table: Table, link: str, column: str) -> bool:
        if link not in table.links:
            return False
        held = self._store.table(table.links[link].table)
        found = self._store.column(held.name, column)
        return found is not None and found.kind is not Kind.MEMO and column not in held.denied

    def everything(self, table: Table) -> Shape:
        """Every column in every language, and no object: what a single GET shows."""
        columns: list[str] = []
        for name in table.columns:
            if name.endswith(ANY_LANGUAGE):
                columns += [_named(name, language) for language in LANGUAGES]
            elif name not in table.denied:
                columns.append(name)
        return Shape((*columns, *self._store.custom(table.name)))

    def shown(
        self, table: Table, positions: Sequence[int], shape: Shape, view: Viewpoint
    ) -> list[Record]:
        """The rows at *positions*; each has its HREF when the table has a resource."""
        names: list[str] = []
        values: list[Sequence[Any]] = []
        for column in shape.columns:
            names.append(column)
            values.append(self._shown_column(table, column, positions, view))
            if view.format_date and table.kind(column) in _DATED:
                names.append(f"{column.lower()}_format")
                values.append(self._formatted(table, column, positions, view.format_date))
        for link, columns in shape.nested.items():
            names.append(link)
            values.append(
                self._objects(table, link, columns, positions, view, href=link in shape.whole)
            )
        if view.resource:
            hrefs = self._hrefs(table, positions, view)
            names += hrefs
            values += hrefs.values()
        rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        return [self.shuffled(row) for row in rows] if self._knobs.random_keys else rows

    def shuffled(self, record: Record) -> Record:
        """The same keys in another order."""
        names = list(record)
        self._random.shuffle(names)
        return {name: record[name] for name in names}

    def written(self, table: Table, column: str) -> list[Any]:
        """A column as JSON values, one a row; memos as their text."""
        place = ("written", table.name, column)
        return self._store.kept(place, lambda: self._write(table, column))

    def _write(self, table: Table, column: str) -> list[Any]:
        values = self._store.values(table.name, column)
        kind = table.kind(column) or Kind.TEXT
        unset = self._unset
        if kind is Kind.INT:
            form = self._knobs.numbers
            if form == "int":
                return [unset if value is None else value for value in values]
            texts = [unset if value is None else str(value) for value in values]
            if form == "mixed":
                texts[::2] = [unset if value is None else value for value in values[::2]]
            return texts
        if column.rpartition("_")[2] in _BRACKETED and column not in table.columns:
            values = self._translated(table, column, values)
        write = self._writer(kind)
        return [unset if value is None else write(value) for value in values]

    def _writer(self, kind: Kind) -> Callable[[Any], Any]:
        if kind is Kind.STAMP:
            return writer(self._knobs.stamps, self._zone)
        return self._amount if kind is Kind.DECIMAL else lambda text: text

    def _amount(self, amount: Decimal) -> str:
        whole, _, cents = f"{amount:.2f}".partition(".")
        decimal = self._knobs.decimal
        if self._knobs.grouping:
            whole = f"{int(whole):,}".replace(",", "." if decimal == "," else ",")
        return f"{whole}{decimal}{cents}"

    def _translated(self, table: Table, column: str, values: list[Any]) -> list[Any]:
        """A label without translation echoes the one there is, in square brackets."""
        prefix = column.rpartition("_")[0]
        if f"{prefix}{ANY_LANGUAGE}" not in table.columns or self._knobs.untranslated == "empty":
            return values
        others = [self._store.values(table.name, f"{prefix}_{each}") for each in _BRACKETED]
        return [
            value if value is not None else _bracketed(alternatives)
            for value, *alternatives in zip(values, *others, strict=True)
        ]

    def _shown_column(
        self, table: Table, column: str, positions: Sequence[int], view: Viewpoint
    ) -> list[Any]:
        if table.kind(column) is Kind.MEMO:
            keys = self.written(table, table.address)
            memo = column.lower()
            return [
                {"HREF": f"{view.root}/{view.resource}/{keys[place]}/{memo}"} for place in positions
            ]
        values = self.written(table, column)
        return [values[place] for place in positions]

    def viewed(
        self, table: Table, positions: Sequence[int], columns: Mapping[str, str], language: str
    ) -> list[Record]:
        """Rows of a saved list: *columns* are its headings and the (dotted) columns they show."""
        values = []
        for path in columns.values():
            link, _, column = _named(path, language).rpartition(".")
            held = self._led(table, link, column) if link else self.written(table, column)
            values.append([held[place] for place in positions])
        return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]

    def _led(self, table: Table, link: str, column: str) -> list[Any]:
        """A column of the rows that a link leads to, as JSON values."""

        def found() -> list[Any]:
            leads = table.links[link]
            held = self._store.table(leads.table)
            keys = self._store.keys(held.name)
            by_key = dict(zip(keys, self.written(held, column), strict=True))
            values = self._store.values(table.name, leads.column)
            return [by_key.get(value, self._unset) for value in values]

        return self._store.kept(("led", table.name, link, column), found)

    def _hrefs(
        self, table: Table, positions: Sequence[int], view: Viewpoint
    ) -> dict[str, list[str]]:
        def of(column: str) -> list[Any]:
            values = self._store.values(table.name, column)
            return [values[place] for place in positions]

        base = f"{view.root}/{view.resource}"
        match table.name:
            case "AM_ASSET_CHARACTERISTICS":  # misleading: specs/easyvista.md §6
                return {"HREF": [f"{view.root}/asset/{key}" for key in of("ASSET_ID")]}
            case "CI_LINK":
                parents = [f"{base}/{key}" for key in of("PARENT_CI_ID")]
                ends = zip(parents, of("CHILD_CI_ID"), strict=True)
                hrefs = [f"{parent}/item-links/{child}" for parent, child in ends]
                return {"HREF": hrefs, "PARENT_HREF": parents}
            case "ASSET_LINK":
                parents = [f"{base}/{key}" for key in of("PARENT_ASSET_ID")]
                ends = zip(parents, of("ASSET_ID"), strict=True)
                hrefs = [f"{parent}/asset-links/{child}" for parent, child in ends]
                return {"HREF": hrefs, "PARENT_HREF": parents}
            case _:
                return {"HREF": [f"{base}/{key}" for key in of(table.address)]}

    def _objects(
        self,
        table: Table,
        link: str,
        columns: tuple[str, ...],
        positions: Sequence[int],
        view: Viewpoint,
        *,
        href: bool,
    ) -> list[Record]:
        """The nested object of each row: one for all the rows that share it."""
        place = ("objects", table.name, link, columns, href, view.root)
        made: dict[Any, Record] = self._store.kept(place, dict)
        keys = self._store.values(table.name, table.links[link].column)
        objects = []
        for position in positions:
            key = keys[position]
            if key not in made:
                made[key] = self._object(table.links[link].table, columns, key, view, href=href)
            objects.append(made[key])
        return objects

    def _object(
        self, name: str, columns: tuple[str, ...], key: Any, view: Viewpoint, *, href: bool
    ) -> Record:
        """An empty link has an object all the same, without HREF."""
        held = self._store.table(name)
        found = self._store.index(name, held.key).get(key, []) if key is not None else []
        if not found:
            return dict.fromkeys(columns, self._unset)
        record = {column: self.written(held, column)[found[0]] for column in columns}
        if href and held.resource:
            address = self._store.values(name, held.address)[found[0]]
            record["HREF"] = f"{view.root}/{held.resource}/{address}"
        return record

    def _formatted(
        self, table: Table, column: str, positions: Sequence[int], pattern: str
    ) -> list[str]:
        values = self._store.values(table.name, column)
        day = table.kind(column) is Kind.DATE
        clock = self._midnight if day else lambda instant: local(instant, self._zone)
        return [
            "" if values[place] is None else php_date(pattern, clock(values[place]))
            for place in positions
        ]

    def _midnight(self, day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=self._zone)


def _named(name: str, language: str) -> str:
    return f"{name.removesuffix(ANY_LANGUAGE)}_{language}" if name.endswith(ANY_LANGUAGE) else name


def _bracketed(alternatives: Iterable[str | None]) -> str | None:
    known = next((each for each in alternatives if each), None)
    return f"[{known}]" if known else None
