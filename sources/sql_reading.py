"""Reading one dataset of a database: what is asked, its pages, and whether every row came."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from operator import itemgetter
from typing import Any

from sources.base import Complete, Extraction, Outcome, Partial, Record, Scope, Slice
from sources.errors import Refused
from sources.picked import chunks, one_key, picking
from sources.sql_connection import SqlConnection
from sources.sql_database import Reading, reading
from sources.sql_dataset import SqlDataset
from sources.sql_manners import Manners
from sources.sql_ranges import conditions, cut, keys_of, percentiles
from sources.sql_statement import Statement
from sources.sql_values import Recorder

_NO_ROW = "1 = 0"


@dataclass(frozen=True, slots=True)
class Query:
    """One dataset as it is asked of one database: `conditions` around its SELECT and parameters."""

    table: SqlDataset
    place: str
    statement: Statement
    conditions: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: SqlDataset, dataset: str, scope: Scope, database: Reading) -> "Query":
        told: list[str] = []
        parameters: dict[str, Any] = {}
        if scope.since is not None or scope.until is not None:
            window = Statement.window(table.window or "")
            moments = database.manners.window(scope.since, scope.until)
            told.append(window.text)
            parameters |= {name: moments[name] for name in window.parameters}
        if scope.slice is not None and table.key:
            kept, bounds = conditions(scope.slice, database.quoted(table.key[0]))
            told += kept
            parameters |= bounds
        statement = Statement.select(table.select)
        return cls(table, _place(dataset), statement, tuple(told), parameters)

    def among(self, keys: Sequence[Any], database: Reading) -> "Query":
        """The rows with one of *keys*."""
        named = {f"key_{rank}": key for rank, key in enumerate(keys)}
        listed = ", ".join(f":{name}" for name in named)
        told = f"{database.quoted(self.table.key[0])} IN ({listed})"
        return replace(
            self, conditions=(*self.conditions, told), parameters=self.parameters | named
        )

    def columns(self, database: Reading) -> list[str]:
        """The names of the columns, before any row is read; raises Refused for odd ones."""
        described = self.statement.wrapped(conditions=(_NO_ROW, *self.conditions))
        names = database.columns(described, self.parameters)
        self.check(names, database.where)
        return names

    def check(self, names: Sequence[str], where: str) -> None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not all(names):
            what = f"two columns are named {twice[0]!r}" if twice else "a column has no name"
            raise Refused(what, where=where, mend="name each of them with AS in the SELECT")
        for name in self.table.key:
            if name not in names:
                near = get_close_matches(name, names, n=1) or list(names[:1])
                raise Refused(
                    f"the SELECT has no column {name!r}, which is its `key`",
                    where=where,
                    mend=f"did you mean {near[0]!r}?",
                )

    def count(self, database: Reading) -> int:
        counted = self.statement.wrapped(("count(*)",), self.conditions)
        return int(database.value(counted, self.parameters))

    def rows(self, database: Reading, fields: Collection[str] | None) -> str:
        """The SELECT that is read: of the columns in use where these are not all of them."""
        if not self.table.wrap:
            return self.statement.text
        names = self.columns(database)
        used = _used(names, fields, self.table.key)
        if used == names and not self.conditions:
            return self.statement.text
        shown = () if used == names else tuple(map(database.quoted, used))
        return self.statement.wrapped(shown, self.conditions)


@dataclass(slots=True)
class Tally:
    """Rows as they come: `repeats` have the key of one before, `keyless` have none."""

    key: tuple[str, ...]
    rows: int = 0
    repeats: int = 0
    keyless: int = 0
    _seen: set[int] = field(default_factory=set)

    def add(self, records: Sequence[Record]) -> None:
        if not self.key or not records:
            return
        keys = list(map(itemgetter(*self.key), records))
        none = None if len(self.key) == 1 else (None,) * len(self.key)
        if none in keys:
            self.keyless += keys.count(none)
            keys = [key for key in keys if key != none]
        try:
            hashes = list(map(hash, keys))
        except TypeError:  # an array, an object
            hashes = list(map(hash, map(repr, keys)))
        before = len(self._seen)
        self._seen.update(hashes)
        self.repeats += before + len(keys) - len(self._seen)

    def outcome(self, counted: int | None, manners: Manners) -> Outcome:
        """What the rows prove, with the number that the database *counted* beside them."""
        name = ", ".join(self.key)
        if counted is not None and counted != self.rows:
            why = (
                "the SELECT gives others each time" if manners.snapshot else "they moved meanwhile"
            )
            return Partial(f"count(*) says {counted:,} rows, {self.rows:,} came: {why}")
        if not manners.snapshot and self.repeats:
            return Partial(f"{self.repeats:,} rows came again (same {name}): they moved meanwhile")
        if not manners.snapshot and counted is None:
            return Partial(
                f"{manners.name} was read without a snapshot, and without `count` nothing shows "
                "whether rows moved meanwhile"
            )
        facts = [f"{self.rows:,} rows to the end of {_transaction(manners)}"]
        facts += ["count(*) agrees"] if counted is not None else []
        facts += [f"{self.repeats:,} repeat their {name}"] if self.repeats else []
        facts += [f"{self.keyless:,} have no {name}"] if self.keyless else []
        if self.key and not (self.repeats or self.keyless):
            facts.append(f"every {name} once")
        return Complete(", ".join(facts))


def extract(table: SqlDataset, dataset: str, settings: SqlConnection, scope: Scope) -> Extraction:
    """The pages of one dataset, from one cursor in one transaction; of named ids, one a list."""
    check_scope(table, dataset, scope)
    ids = scope.ids
    if ids is None:
        return (yield from _extracted(table, dataset, settings, scope))
    named = named_keys(table, dataset, settings, ids) if table.wrap else None
    pages = _extracted(table, dataset, settings, scope, named)
    return (yield from picking(pages, ids, itemgetter(table.key[0])))


def _extracted(
    table: SqlDataset,
    dataset: str,
    settings: SqlConnection,
    scope: Scope,
    named: Sequence[Sequence[Any]] | None = None,
) -> Extraction:
    """*named*: lists of the keys of the rows that are wanted, as the database has them."""
    with reading(settings, _place(dataset)) as database:
        whole = Query.of(table, dataset, scope, database)
        queries = [whole] if named is None else [whole.among(keys, database) for keys in named]
        tally, counts = Tally(table.key), []
        for query in queries:
            rows = query.rows(database, scope.fields)
            counts.append(query.count(database) if table.count and table.wrap else None)
            stream = database.stream(rows, query.parameters, table.page_rows)
            query.check(stream.columns, database.where)
            recorder = Recorder(dataset, stream.columns, settings.secrets, sure=stream.sure)
            while read := stream.page():
                page = recorder.page(read, tally.rows + 1)
                tally.rows += len(read)
                tally.add(page.records)
                # Nothing of this page may live on while the next one is read.
                del read
                yield page
                del page
            database.at_end()
        known = [each for each in counts if each is not None]
        return tally.outcome(sum(known) if len(known) == len(counts) else None, database.manners)


def named_keys(
    table: SqlDataset, dataset: str, settings: SqlConnection, ids: Collection[str]
) -> list[list[Any]]:
    """*ids* as the key has them, in lists of one statement each; what it cannot be is left out.

    What a key is, its first value tells, or the database itself: many compare a number with no
    text. In a transaction of its own, for not every cursor can be closed while it has rows.
    """
    with reading(settings, _place(dataset)) as database:
        query = Query.of(table, dataset, Scope(), database)
        query.columns(database)
        key = database.quoted(table.key[0])
        asked = database.manners.type_of.format(key) or key
        first = query.statement.wrapped((asked,), (f"{key} IS NOT NULL",))
        rows = database.stream(first, {}, 1).page()
    if not rows:
        return []
    kind = rows[0][0] if database.manners.type_of else type(rows[0][0]).__name__
    return list(chunks(keys_of(kind, ids, f"`{table.key[0]}`", _place(dataset))))


def count(table: SqlDataset, dataset: str, settings: SqlConnection, scope: Scope) -> int | None:
    """The number of rows now; None where they are not to be counted."""
    if not (table.count and table.wrap):
        return None
    check_scope(table, dataset, scope)
    with reading(settings, _place(dataset)) as database:
        return Query.of(table, dataset, scope, database).count(database)


def slices(
    table: SqlDataset, dataset: str, settings: SqlConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """At most *most* ranges of the first column of the key, of about as many rows each."""
    if most < 2 or not table.key or not table.wrap:
        return cut(())
    check_scope(table, dataset, scope)
    with reading(settings, _place(dataset)) as database:
        query = Query.of(table, dataset, scope, database)
        query.columns(database)
        key = database.quoted(table.key[0])
        whole = query.statement.wrapped((key,), query.conditions)
        parts = database.rows(percentiles(whole, key, most), query.parameters)
    enough = bool(parts) and parts[0][1] >= 2 * table.page_rows
    return cut([low for low, _ in parts] if enough else ())


def look(table: SqlDataset, dataset: str, settings: SqlConnection) -> None:
    """Raise what speaks against reading a dataset; no row is read, or one where it must be."""
    with reading(settings, _place(dataset)) as database:
        scope = Scope()
        query = Query.of(table, dataset, scope, database)
        if not table.wrap:
            stream = database.stream(query.statement.text, {}, 1)
            query.check(stream.columns, database.where)
            return
        query.columns(database)
        if table.window is not None:
            window = Statement.window(table.window)
            moments = database.manners.window(None, None)
            asked = {name: moments[name] for name in window.parameters}
            database.columns(query.statement.wrapped((), (_NO_ROW, window.text)), asked)


def _place(dataset: str) -> str:
    return f"source.datasets.{dataset}"


def check_scope(table: SqlDataset, dataset: str, scope: Scope) -> None:
    """Raise Refused for a window that the dataset cannot honour, and for ids without a key."""
    if scope.ids is not None:
        one_key(dataset, table.key, "key")
    named = Statement.window(table.window).parameters if table.window is not None else ()
    for name, moment in (("since", scope.since), ("until", scope.until)):
        if moment is not None and name not in named:
            lacking = "it has no `window`" if not named else f"its `window` names no `:{name}`"
            raise Refused(
                f"dataset {dataset!r} cannot be read by modification date: {lacking}",
                where=_place(dataset),
                mend="write `window: modified >= :since AND modified < :until`, or read everything",
            )


def _used(names: list[str], fields: Collection[str] | None, key: Collection[str]) -> list[str]:
    """The columns that some dotted path begins with, and the key; all, where none is used."""
    if fields is None:
        return names
    used = [
        name
        for name in names
        if name in key or any(each == name or each.startswith(f"{name}.") for each in fields)
    ]
    return used or names


def _transaction(manners: Manners) -> str:
    if not manners.read_only:
        return f"a transaction that was rolled back, for {manners.name} has none that only reads"
    return "one read-only snapshot" if manners.snapshot else "one read-only transaction"
