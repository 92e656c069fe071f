"""One list as a job wants it: fields, conditions, window or ranks; and what proves it whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sources.base import Complete, Outcome, Partial, Scope
from sources.easyvista_answer import Query, at
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_dataset import EasyVistaDataset
from sources.easyvista_filters import Filters, narrowed, settle, text_of, trusted
from sources.easyvista_keyset import Window
from sources.easyvista_moments import Writing
from sources.easyvista_pages import Asker, Batch, Batches, Walk
from sources.easyvista_query import query_of, unknown_fields
from sources.easyvista_search import EasyVistaCondition
from sources.easyvista_session import EasyVistaSession
from sources.ranks import Ranks

_IDS: Final = 2000  # rows of a key alone; no maximum is known, clients ask for 1000 to 4000


@dataclass(slots=True)
class Reading:
    """The rows of a resource or of a saved view, within a scope."""

    session: EasyVistaSession
    table: EasyVistaDataset
    scope: Scope
    _unknown: tuple[str, ...] | None = None

    def batches(self) -> Batches:
        """Rows that meet the conditions; the outcome tells which the server dropped."""
        query = query_of(self.table, self.session.connection, self.scope)
        sent = trusted(self.session, query, self._conditions())
        filters = Filters(self.table.search, writing_of(self.session.connection))
        rows = self._rows(narrowed(query, text_of(sent)))
        while True:
            try:
                batch = next(rows)
            except StopIteration as end:
                return and_told(end.value, [*filters.facts(), *self._facts()])
            settle(self.session, query, sent, filters.blind(batch.rows))
            if self._unknown is None:
                self._unknown = unknown_fields(self.table, self.scope, batch.rows)
            kept, doubtful = filters.kept(batch.rows), batch.doubtful
            del batch  # nothing of it may live on while the next one is decoded
            if kept:
                yield Batch(kept, doubtful)
            del kept

    @property
    def _windowed(self) -> bool:
        return self.scope.since is not None or self.scope.until is not None

    def _conditions(self) -> list[EasyVistaCondition]:
        """Those to ask the server for: of one field, a window and a condition are alternatives."""
        window = (self.table.modified,) if self._windowed else ()
        return [each for each in self.table.search if each.path != window]

    def _rows(self, query: Query) -> Batches:
        asker, part = Asker(self.session, self.table.page_size), self.scope.slice
        if not self._windowed:
            return Walk(asker, query, Ranks.of(part) if part else None).batches()
        bounds = (self.scope.since, self.scope.until)
        writing = writing_of(self.session.connection)
        return Window(asker, query, self.table.modified, bounds, writing).batches()

    def _facts(self) -> list[str]:
        if not self._unknown:
            return []
        small = any(name != name.upper() for name in self._unknown)
        told = f"no record has {', '.join(self._unknown)}"
        return [told + " (names are in capitals)" * small]


def writing_of(connection: EasyVistaConnection) -> Writing:
    return Writing(connection.zone, connection.date_format)


def and_told(outcome: Outcome, facts: Sequence[str]) -> Outcome:
    """*outcome* with more to tell."""
    if not facts:
        return outcome
    if isinstance(outcome, Partial):
        return Partial("; ".join([outcome.reason, *facts]))
    return replace(outcome, evidence="; ".join([outcome.evidence, *facts]))


def ids_of(session: EasyVistaSession, table: EasyVistaDataset) -> tuple[list[str], Outcome]:
    """The keys of all records of *table* that meet its conditions, in their order.

    It is partial too where some have none.
    """
    wanted = table.model_copy(update={"page_size": max(_IDS, table.page_size), "fields": ()})
    rows = Reading(session, wanted, Scope(fields=frozenset())).batches()
    key = Query("", key=table.keys)
    ids: list[str] = []
    odd = 0
    while True:
        try:
            batch = next(rows)
        except StopIteration as end:
            outcome: Outcome = end.value
            break
        keyed = [row for row in batch.rows if all(at(row, name) is not None for name in table.keys)]
        odd += len(batch.rows) - len(keyed)
        ids += key.identities(keyed)
    if odd and isinstance(outcome, Complete):
        return ids, Partial(f"{odd:,} records have no {' '.join(table.keys)}: {outcome.evidence}")
    return ids, outcome
