"""iTop by its REST services: the ids of a class are listed, then its objects are read by them.

Built-in paging loses homonyms, and is ignored by old releases: it is never used. A listed object
that does not come is asked for again by its id, so that what is lost is known (specs/itop.md §5).
"""

from dataclasses import replace
from typing import Final

from sources.base import Complete, Extraction, Scope, Slice, Source
from sources.declared import declared
from sources.errors import Refused
from sources.itop_connection import ItopConnection
from sources.itop_dataset import ItopConfig, ItopDataset
from sources.itop_evidence import ItopEvidence
from sources.itop_fields import Columns
from sources.itop_ids import Bounds, Lister
from sources.itop_moments import changed_within
from sources.itop_oql import Selection
from sources.itop_probe import probe
from sources.itop_related import impacts
from sources.itop_session import ItopSession
from sources.itop_values import Values
from sources.itop_windows import Windows
from sources.picked import met


def extract(
    config: ItopConfig, dataset: str, connection: ItopConnection, scope: Scope
) -> Extraction:
    """The objects of *dataset* in the order of their ids; edges, for an impact graph.

    Raises Unreachable, Refused and Unreadable as `ItopSession.do`; Refused for an attribute that
    the class lacks, and for a window of a dataset without `cursor_field`.
    """
    table = declared(config.datasets, dataset)
    selection = _selection(table, dataset, connection, scope)
    only = None if scope.ids is None else _numbers(scope.ids)
    with ItopSession(connection) as session:
        lister = Lister(session, table, selection, only)
        if table.related is not None:
            return (yield from impacts(session, dataset, table, lister, scope))
        columns = Columns(session, table, scope.fields, f"source.datasets.{dataset}")
        columns.settle()
        bounds = Bounds.of(scope.slice)
        listing = lister.listing(bounds)
        evidence = ItopEvidence(table.class_name, bounds)
        evidence.note_list(listing)
        windows = Windows(
            session,
            dataset,
            table,
            selection=selection,
            columns=columns,
            values=Values(table, connection),
            evidence=evidence,
        )
        yield from windows.pages(listing, lister)
        whole = scope.slice is None and only is None
        if whole and listing.ids and not (table.oql or evidence.broken):
            evidence.newer = len(lister.listing(Bounds(listing.ids[-1])).ids)
        outcome = evidence.outcome(session.authenticator.identity)
        if scope.ids is not None and isinstance(outcome, Complete):
            return met(scope.ids, map(str, listing.ids)).outcome(outcome)
        return outcome


def count(config: ItopConfig, dataset: str, connection: ItopConnection, scope: Scope) -> int | None:
    """The number of ids that the list has; None for an impact graph, whose edges nobody counts."""
    table = declared(config.datasets, dataset)
    if table.related is not None:
        return None
    selection = _selection(table, dataset, connection, scope)
    with ItopSession(connection) as session:
        return len(Lister(session, table, selection).listing(Bounds.of(scope.slice)).ids)


def slices(
    config: ItopConfig, dataset: str, connection: ItopConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """Blocks of ids with as many objects each; an impact graph, whose edges overlap, is one."""
    table = declared(config.datasets, dataset)
    if table.related is not None or most < 2:
        return (Slice(0, 1),)
    selection = _selection(table, dataset, connection, scope)
    with ItopSession(connection) as session:
        ids = Lister(session, table, selection).listing(Bounds()).ids
    of = max(1, min(most, len(ids) // table.size))
    cuts = (str(ids[len(ids) * rank // of - 1]) for rank in range(1, of))
    bounds = ["", *cuts, ""]
    return tuple(Slice(rank, of, bounds[rank], bounds[rank + 1]) for rank in range(of))


def _selection(
    table: ItopDataset, dataset: str, connection: ItopConnection, scope: Scope
) -> Selection:
    if scope.ids is not None and table.related is not None:
        raise Refused(
            f"records of dataset {dataset!r} cannot be named by their ids: they are edges of an "
            "impact graph",
            where=f"source.datasets.{dataset}",
            mend="read everything, or name the objects of another dataset",
        )
    if scope.since is None and scope.until is None:
        return replace(table.selection(), listed=scope.ids is not None)
    zone = connection.zone
    if table.cursor_field is None or zone is None:
        lacking, mend = (
            ("`cursor_field`", "tickets have `last_update`; CIs keep no such time: read them all")
            if table.cursor_field is None
            else ("time zone", "declare the `timezone` of iTop in the connection")
        )
        raise Refused(
            f"dataset {dataset!r} cannot be read by modification date: it has no {lacking}",
            where=f"source.datasets.{dataset}",
            mend=mend,
        )
    window = changed_within(table.cursor_field, scope.since, scope.until, zone)
    return table.selection(*window)


def _numbers(ids: frozenset[str]) -> frozenset[int]:
    """Those of *ids* that an object may have."""
    return frozenset(int(each) for each in ids if each.isascii() and each.isdecimal())


def refuse(config: ItopConfig, dataset: str, connection: ItopConnection, scope: Scope) -> None:
    """Raise Refused for a window without `cursor_field` or zone, and for ids of edges."""
    _selection(declared(config.datasets, dataset), dataset, connection, scope)


SOURCE: Final = Source(
    config=ItopConfig,
    connection=ItopConnection,
    extract=extract,
    probe=probe,
    count=count,
    slices=slices,
    windows=True,
    refuse=refuse,
)
