"""What a dataset is asked for: its address, its fields, its order."""

from collections.abc import Sequence
from typing import Any, Final

from sources.base import Scope
from sources.easyvista_answer import Query
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_dataset import EasyVistaDataset

VIEWS: Final = "internalqueries"
ROUTES: Final = {"item-links": "configuration-items", "asset-links": "assets"}


def query_of(table: EasyVistaDataset, connection: EasyVistaConnection, scope: Scope) -> Query:
    """The list of *table*, without its conditions; raises ValueError for the links of CIs.

    A saved view has columns of its own, in an order of its own: neither can be asked for.
    """
    if table.internal_query is not None:
        url = f"{connection.root}/{VIEWS}"
        return Query(url, table.internal_query.params, table.keys, offsets=False)
    if table.resource is None:
        raise ValueError("links are no list")
    params = {"sort": ",".join(f"{name} asc" for name in table.keys)}
    fields = fields_of(table, connection, scope)
    if fields:
        params["fields"] = ",".join(fields)
    return Query(f"{connection.root}/{table.resource}", params, table.keys)


def route_of(table: EasyVistaDataset) -> str:
    """Where its rows are, below the account."""
    if table.links is not None:
        return f"{ROUTES[table.links.kind]}/{{id}}/{table.links.kind}"
    return table.resource or VIEWS


def fields_of(
    table: EasyVistaDataset, connection: EasyVistaConnection, scope: Scope
) -> tuple[str, ...]:
    """The fields asked for, the key first; none stands for the excerpt that the server chooses.

    A list has no word for all of its fields: where some are needed here, the excerpt is not asked
    for, whatever the scope is silent about.
    """
    wanted = {*(scope.fields or ()), *table.fields}
    wanted |= {".".join(each.path) for each in table.search}
    if scope.since is not None or scope.until is not None:
        wanted.add(table.modified)
    if scope.fields is None and not wanted:
        return ()
    for label in wanted.intersection(table.labels):
        wanted.remove(label)
        wanted.update(f"{label}_{language}" for language in connection.languages)
    return (*table.keys, *sorted(wanted.difference(table.keys)))


def unknown_fields(table: EasyVistaDataset, scope: Scope, rows: Sequence[Any]) -> tuple[str, ...]:
    """Fields that were asked for and that no record has: the server passes over what is unknown."""
    wanted = {*(scope.fields or ()), *table.fields, *table.keys}.difference(table.labels)
    records = [row for row in rows if isinstance(row, dict)]
    return tuple(
        path for path in sorted(wanted) if records and not any(has(row, path) for row in records)
    )


def has(row: Any, path: str) -> bool:
    """Whether *row* has the field at a dotted path, set or not."""
    for step in path.split("."):
        if not isinstance(row, dict) or step not in row:
            return False
        row = row[step]
    return True
