"""The rows of the simulated EasyVista, seen by column: typed, linked, indexed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, TypeVar

from sandbox.easyvista_dates import milliseconds
from sandbox.easyvista_schema import TABLES, Kind, Table, external

Record = dict[str, Any]
V = TypeVar("V")

_STAMPED: Final = "LAST_UPDATE"


class Column(NamedTuple):
    """A column of a table, or of a table it links to: one value a row, None where unset."""

    kind: Kind
    values: list[Any]


class Store:
    """Tables by name. What is derived from rows is kept until a row of any table changes."""

    def __init__(self, tables: Mapping[str, Sequence[Record]]) -> None:
        self._rows: dict[str, list[Record]] = {}
        self._tables: dict[str, Table] = {}
        self._derived: dict[Any, Any] = {}
        self.version = 0
        self.tied = 0
        for name, rows in tables.items():
            self.put(name, rows)

    # -- changes

    def put(self, name: str, rows: Iterable[Record]) -> None:
        """Replace a table. Raises ValueError on an unknown name, a row without key, a key twice."""
        self._hold(name, _named(rows))

    def _hold(self, name: str, held: list[Record]) -> None:
        table = _table(name, held)
        keys = [row.get(table.key) for row in held]
        unset = [rank for rank, key in enumerate(keys, start=1) if key is None or key == ""]
        if unset:
            raise ValueError(f"{name}: row {unset[0]} has no {table.key}")
        if len(set(_read(name, table.kind(table.key), table.key, keys))) != len(keys):
            raise ValueError(f"{name}: {table.key} is not unique")
        self._tables[name] = table
        self._rows[name] = held
        self.forget()

    def restore(self, tables: Mapping[str, list[Record]]) -> None:
        """These tables and no other, as `rows` gave them."""
        self._rows = dict(tables)
        self._tables = {name: _table(name, rows) for name, rows in tables.items()}
        self.forget()

    def add(self, name: str, rows: Iterable[Record]) -> None:
        self._hold(name, [*self.rows(name), *_named(rows)])

    def remove(self, name: str, keys: Iterable[Any]) -> int:
        """Delete rows by key; how many there were."""
        gone = set(map(str, keys))
        key = self.table(name).key
        kept = [row for row in self.rows(name) if str(row[key]) not in gone]
        removed = len(self.rows(name)) - len(kept)
        self._hold(name, kept)
        return removed

    def remove_first(self, name: str, count: int) -> None:
        """Delete the first rows in the order of the key."""
        self.remove(name, sorted(self.values(name, self.table(name).key))[:count])

    def update(self, name: str, changes: Mapping[str, Record]) -> None:
        """Change columns of rows, by key."""
        key = self.table(name).key
        named = {each: _named([change])[0] for each, change in changes.items()}
        self._hold(name, [row | named.get(str(row[key]), {}) for row in self.rows(name)])

    def forget(self) -> None:
        """What was derived from rows may be wrong now."""
        self.version += 1
        self._derived.clear()

    # -- what there is

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tables)

    def rows(self, name: str) -> list[Record]:
        return self._rows.get(name, [])

    def table(self, name: str) -> Table:
        return self._tables.get(name) or TABLES.get(name) or external(name)

    def custom(self, name: str) -> tuple[str, ...]:
        """The columns that rows have and the schema does not know, in alphabetical order."""

        def found() -> tuple[str, ...]:
            kind = self.table(name).kind
            every = set().union(*self.rows(name))
            return tuple(sorted(column for column in every if kind(column) is None))

        return self.kept(("custom", name), found)

    def column(self, name: str, column: str) -> Column | None:
        """A column of the table itself; None when it has none of that name."""
        kind = self.table(name).kind(column)
        if kind is None and column in self.custom(name):
            kind = Kind.TEXT
        return None if kind is None else Column(kind, self.values(name, column))

    def linked(self, name: str, link: str, column: str) -> Column | None:
        """A column of the rows a link leads to, None where it leads nowhere."""
        leads = self.table(name).links.get(link)
        target = self.column(leads.table, column) if leads is not None else None
        if leads is None or target is None:
            return None

        def found() -> list[Any]:
            by_key = dict(zip(self.keys(leads.table), target.values, strict=True))
            return [by_key.get(value) for value in self.values(name, leads.column)]

        return Column(target.kind, self.kept(("linked", name, link, column), found))

    def keys(self, name: str) -> list[Any]:
        return self.values(name, self.table(name).key)

    def values(self, name: str, column: str) -> list[Any]:
        """Numbers as int, amounts as Decimal, stamps as milliseconds since 1970, dates as ISO."""
        return self.kept(("values", name, column), lambda: self._typed(name, column))

    def index(self, name: str, column: str) -> dict[Any, list[int]]:
        """The positions of rows by value of a column."""

        def found() -> dict[Any, list[int]]:
            places: defaultdict[Any, list[int]] = defaultdict(list)
            for position, value in enumerate(self.values(name, column)):
                places[value].append(position)
            return dict(places)

        return self.kept(("index", name, column), found)

    def kept(self, place: Any, find: Callable[[], V]) -> V:
        """What *find* gives, kept under *place* until rows change."""
        if place not in self._derived:
            self._derived[place] = find()
        found: V = self._derived[place]
        return found

    def _typed(self, name: str, column: str) -> list[Any]:
        raw = [row.get(column) for row in self.rows(name)]
        typed = _read(name, self.table(name).kind(column), column, raw)
        if self.tied and column == _STAMPED:
            return [typed[place - place % self.tied] for place in range(len(typed))]
        return typed


def _named(rows: Iterable[Record]) -> list[Record]:
    """Copies with the names of columns in capitals."""
    return [{column.upper(): value for column, value in row.items()} for row in rows]


def _texts(values: list[Any]) -> list[Any]:
    return [value if value is None or type(value) is str else str(value) for value in values]


def _numbers(values: list[Any]) -> list[Any]:
    return [
        value if type(value) is int else None if value is None or value == "" else int(value)
        for value in values
    ]


def _amounts(values: list[Any]) -> list[Any]:
    return [None if value is None or value == "" else Decimal(str(value)) for value in values]


def _dates(values: list[Any]) -> list[Any]:
    return [None if value is None or value == "" else str(value)[:10] for value in values]


_READERS: Final[dict[Kind, Callable[[list[Any]], list[Any]]]] = {
    Kind.INT: _numbers,
    Kind.TEXT: _texts,
    Kind.MEMO: _texts,
    Kind.DECIMAL: _amounts,
    Kind.DATE: _dates,
    Kind.STAMP: lambda values: list(map(milliseconds, values)),
}


def _read(name: str, kind: Kind | None, column: str, raw: list[Any]) -> list[Any]:
    """Raises ValueError on a value that is not of the column's kind."""
    try:
        return _READERS[kind or Kind.TEXT](raw)
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{name}.{column} does not hold what it should: {error}") from None


def _table(name: str, rows: Sequence[Record]) -> Table:
    """The table of that name; an external one has the first column of its rows as key."""
    if name in TABLES:
        return TABLES[name]
    if not name.startswith("E_"):
        raise ValueError(f"{name}: tables are E_…, or {', '.join(TABLES)}")
    table = external(name)
    if rows and table.key not in rows[0]:
        key = next(iter(rows[0]))
        return Table(name, key, {key: Kind.TEXT}, resource=name)
    return table
