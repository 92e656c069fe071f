"""One extraction of one dataset: what is asked for, walked over, and laid out as records."""

import logging
from collections.abc import Iterable
from typing import Any, Final

import orjson

from sources.base import Complete, Extraction, Outcome, Page, Partial, Record, Reject, Scope
from sources.errors import Refused
from sources.picked import met
from sources.servicenow_client import Instance, Sheet, View
from sources.servicenow_dataset import ServiceNowDataset
from sources.servicenow_keyset import Walk
from sources.servicenow_query import UPDATED, Filter, Rows, Window, filter_of
from sources.servicenow_reckoning import counts_of, reckoned, total_of
from sources.servicenow_relations import TYPES, Relations, ids_of, needs_types, types_of
from sources.servicenow_sample import check_compared, sampled, shown_share
from sources.servicenow_values import KEY, Shape, value_of
from sources.verdict import sample

log = logging.getLogger(__name__)

_VIEW_KEY: Final = "__ENC__"  # how the rows of database views are called


class Reading:
    """The extraction of the dataset *name*, which is *table*, over *instance*."""

    def __init__(
        self, instance: Instance, name: str, table: ServiceNowDataset, scope: Scope, pause: float
    ) -> None:
        self._instance = instance
        self._name = name
        self._table = table
        self._scope = scope
        self._pause = pause
        self._where = f"source.datasets.{name}"
        self._view = View.of(table)
        self._received = 0  # rows that came, those in several parts once
        self._again = 0  # rows of one part that came in another before
        self._handed = 0  # records and rejects of the pages so far
        self._mended = 0
        self._relations: Relations | None = None
        self._unnamed = ""  # why relations of the types wanted may not be told
        ids = scope.ids
        self._named = None if ids is None else {each.lower(): each for each in ids}
        self._met: set[str] = set()  # of those named, as they are written in the scope

    def pages(self) -> Extraction:
        """Raises as `sources.servicenow.extract`."""
        fields = self._fields()
        wanted = self._wanted(fields)
        window, remark = self._looked(wanted)
        # Labels of dates are in the zone and the format of the account, and tell nothing.
        checked = window if self._view.display_value != "true" else None
        if fields is not None and checked is not None:
            fields = _with(fields, UPDATED)
        self._shape = self._shaped(fields)
        parts = wanted.within(window.query if window else "").rows(self._scope.slice)
        earlier: set[int] = set()
        totals: list[int | None] = []
        for rows in parts:
            walk = self._walk(rows)
            for sheet, ids in walk.sheets():
                if checked is not None and (doubt := self._doubt(sheet, checked)):
                    return Partial(doubt)
                if doubt := self._unasked(ids):
                    return Partial(doubt)
                page = self._page(sheet, ids, earlier if len(parts) > 1 else None)
                del sheet, ids
                if page.records or page.rejects:
                    yield page
                del page
            if walk.doubt:
                return Partial(walk.doubt)
            totals.append(walk.total)
        outcome = self._outcome(parts, totals, remark)
        if self._scope.ids is not None and isinstance(outcome, Complete):
            return met(self._scope.ids, self._met).outcome(outcome)
        return outcome

    def _walk(self, rows: Rows) -> Walk:
        columns, size = self._shape.columns, self._table.size
        return Walk(self._instance, self._view, rows, columns, size=size, pause=self._pause)

    def _fields(self) -> frozenset[str] | None:
        """The paths that are asked for; None for all of them."""
        if self._scope.fields is None or "" in self._scope.fields:
            return None
        return _with(self._scope.fields | {*self._table.fields}, KEY)

    def _wanted(self, fields: frozenset[str] | None) -> Filter:
        if not self._table.relations:
            return filter_of(self._table, ids=self._scope.ids)
        asked, names = fields or frozenset({f"type.{KEY}"}), self._table.types
        types, hidden = types_of(self._instance) if needs_types(asked, names) else ({}, 0)
        ids = ids_of(names, types, self._where)
        if names and hidden:
            self._unnamed = (
                f"{hidden:,} rows of {TYPES} are hidden from the account, and relations of these "
                "types may be wanted: ask for the right to read them, or leave `types` out"
            )
        self._relations = Relations(asked, types, ids)
        return filter_of(self._table, sorted(ids), self._scope.ids)

    def _looked(self, wanted: Filter) -> tuple[Window | None, str]:
        """The window of the scope, and what is to be said of the filter."""
        scope, table = self._scope, self._table
        if not wanted.columns and scope.since is None and scope.until is None:
            return None, ""
        seen = sampled(self._instance, self._view, wanted, table.classes, self._where)
        window = Window.of(scope, table, seen.date)
        if window is not None and self._view.display_value == "true":
            check_compared(self._instance, self._view, UPDATED, window.impossible, self._where)
        return window, seen.remark

    def _shaped(self, fields: frozenset[str] | None) -> Shape:
        if self._relations is not None and fields is not None:
            fields = self._relations.columns | (fields & {UPDATED})
        if fields is None:
            return Shape()
        links = not self._view.exclude_reference_link
        return Shape.of(fields, self._view.display_value, links=links, where=self._where)

    def _doubt(self, sheet: Sheet, window: Window) -> str:
        """Why the rows of *sheet* are not those of the window."""
        rows = [row for row in sheet.rows if isinstance(row, dict)]
        stamps = [stamp for row in rows if (stamp := value_of(row.get(UPDATED, "")))]
        if window.holds(stamps):
            return ""
        return (
            f"rows from outside the window come: the instance ignores the condition on {UPDATED} "
            f"where the account lacks query_range on {self._table.name}.{UPDATED}: ask for it"
        )

    def _unasked(self, ids: list[str]) -> str:
        """Why rows of *ids* are not those that were named; those that are have been met."""
        if self._named is None:
            return ""
        found = [each.lower() for each in ids if each]
        self._met.update(self._named[each] for each in found if each in self._named)
        if self._named.keys() >= {*found}:
            return ""
        return (
            f"rows come that were not named: the instance ignores the condition on {KEY} where the "
            f"account lacks query_range on {self._table.name}.{KEY}: ask for it"
        )

    def _page(self, sheet: Sheet, ids: list[str], earlier: set[int] | None) -> Page:
        """*earlier*: hashes of the sys_ids of all parts so far, where there are several."""
        first, rows = self._handed + 1, sheet.rows
        self._mended += sheet.mended
        if earlier is not None:
            fresh = [not key or hash(key) not in earlier for key in ids]
            self._again += fresh.count(False)
            rows = [row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh]
            ids = [key for key, is_fresh in zip(ids, fresh, strict=True) if is_fresh]
            earlier.update(map(hash, ids))
        self._check_keys(ids, rows)
        self._received += len(rows)
        rejects: tuple[Reject, ...] = ()
        if not all(ids):
            rejects = tuple(self._rejects(ids, rows, first))
            rows = [row for key, row in zip(ids, rows, strict=True) if key]
        records = self._records(rows)
        self._handed += len(records) + len(rejects)
        return Page(first, records, rejects)

    def _records(self, rows: list[Record]) -> list[Record]:
        if self._relations is not None:
            rows = self._relations.kept(rows)
        return self._shape.records(rows)

    def _check_keys(self, ids: list[str], rows: list[Any]) -> None:
        keyless = not any(ids) and all(isinstance(row, dict) for row in rows)
        if rows and (keyless or ids[0].startswith(_VIEW_KEY)):
            raise Refused(
                f"the rows of {self._table.name} have no sys_id of their own, as those of database "
                "views: where a page ends cannot be told",
                where=self._where,
                mend="read the tables that the view joins, and join them in the mapping",
            )

    def _rejects(self, ids: list[str], rows: list[Any], first: int) -> Iterable[Reject]:
        secrets = self._instance.session.secrets()
        for rank, (key, row) in enumerate(zip(ids, rows, strict=True)):
            if not key:
                reason = "a row without sys_id" if isinstance(row, dict) else "not an object"
                text = sample(orjson.dumps(row), secrets)
                yield Reject(self._name, first + rank, reason, text)

    def _outcome(self, parts: tuple[Rows, ...], totals: list[int | None], remark: str) -> Outcome:
        if self._unnamed:
            return Partial(self._unnamed)
        counts = counts_of(self._instance, self._view, parts, total_of(totals))
        received = self._received + self._again
        remarks = [remark] if remark else []
        if self._relations is not None:
            remarks += self._relations.remarks()
        if lacking := self._shape.remarks(self._received):
            log.warning("%s: %s", self._name, "; ".join(lacking))
            remarks += lacking
        if self._mended:
            remarks.append(f"{self._mended:,} texts with half a character or a NUL were mended")
        return reckoned(
            counts,
            received,
            table=self._table.name,
            max_hidden=self._max_hidden(counts.total or 0, received, parts[0].filter),
            remarks=remarks,
        )

    def _max_hidden(self, total: int, received: int, asked: str) -> float:
        """The share of rows that may lack: in a slice more, if it is not so of the whole table."""
        most = self._table.max_hidden
        if self._scope.slice is None or total - received <= most * total:
            return most
        hidden = 1 - shown_share(self._instance, self._view, Rows(asked))
        return most if hidden > most else 1.0


def _with(fields: frozenset[str], column: str) -> frozenset[str]:
    """*fields* and *column*, unless something inside of it is asked for, and so the column too."""
    inside = any(path.startswith(f"{column}.") for path in fields)
    return fields if inside else fields | {column}
