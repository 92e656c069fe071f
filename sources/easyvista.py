"""EasyVista Service Manager: its lists, its saved views, the links of its configuration items.

What the REST API promises and what it does is in `specs/easyvista.md`; the modules beside this one
hold a part of it each: pages, windows, conditions, links, CIs that a list leaves out.
"""

from typing import Any, Final

from sources.base import Complete, Extraction, Outcome, Page, Partial, Scope, Slice, Source
from sources.declared import declared
from sources.easyvista_answer import ask, at
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_crosscheck import CrossCheck, is_due
from sources.easyvista_dataset import EasyVistaConfig, EasyVistaDataset, Links
from sources.easyvista_filters import narrowed, text_of, total, trusted
from sources.easyvista_links import LinkReader
from sources.easyvista_moments import interval
from sources.easyvista_named import Named
from sources.easyvista_pages import Batch, Batches
from sources.easyvista_probe import explain, probe
from sources.easyvista_query import query_of, route_of
from sources.easyvista_reading import Reading, and_told, ids_of
from sources.easyvista_session import EasyVistaSession
from sources.easyvista_values import Values
from sources.errors import Refused
from sources.json_page import page_of
from sources.picked import one_key, picking
from sources.ranks import cut
from sources.verdict import Denied

_HANDED: Final = 250  # records handed on at once
_WHOLE: Final = (Slice(0, 1),)
_NOTHING: Final = Scope(fields=frozenset())


def extract(
    config: EasyVistaConfig, dataset: str, connection: EasyVistaConnection, scope: Scope
) -> Extraction:
    """The pages of *dataset* in the order of its key, or of its dates within a window.

    Raises as `HttpSession.ask`, in the words of EasyVista; Refused for a window that the dataset
    cannot be read by, or that the server drops, and for a condition that it drops and that cannot
    be compared here.
    """
    table = declared(config.datasets, dataset)
    refuse(config, dataset, connection, scope)
    with EasyVistaSession(connection) as session:
        pages = _Pages(session, config, dataset, table, scope)
        try:
            if scope.ids is None:
                return (yield from pages.read())
            return (yield from pages.named(scope.ids, table.keys[0]))
        except Denied as denied:
            if denied.status == 403:
                explain(session, denied, route_of(table))
            raise


def refuse(
    config: EasyVistaConfig, dataset: str, connection: EasyVistaConnection, scope: Scope
) -> None:
    """Raise Refused for a window of what is no list, and for ids where several fields are one."""
    del connection
    table = declared(config.datasets, dataset)
    if (scope.since or scope.until) and table.resource is None:
        raise Refused(
            f"dataset {dataset!r} cannot be read by modification date: only a `resource` can, and "
            "links change without a date",
            where=f"source.datasets.{dataset}",
            mend="read everything; what has not changed is not sent again",
        )
    if scope.ids is not None:
        one_key(dataset, table.keys, "key")


class _Pages:
    """The rows of a dataset as pages, numbered as they come."""

    def __init__(
        self,
        session: EasyVistaSession,
        config: EasyVistaConfig,
        dataset: str,
        table: EasyVistaDataset,
        scope: Scope,
    ) -> None:
        self._session = session
        self._config = config
        self._dataset = dataset
        self._table = table
        self._scope = scope
        self._values = Values(table, session.connection, scope)
        self._first = 1

    def read(self) -> Extraction:
        links = self._table.links
        return self._paged(self._list() if links is None else self._links(links))

    def named(self, ids: frozenset[str], key: str) -> Extraction:
        """The records of *ids*: asked for by their *key* where there is a list of its own."""
        if self._table.resource is None or any(each.path == (key,) for each in self._table.search):
            return picking(self.read(), ids, lambda record: at(record, key))
        named = Named(self._session, self._table, self._scope, key, ids)
        return picking(self._paged(named.batches()), ids, lambda record: at(record, key))

    def _paged(self, rows: Batches) -> Extraction:
        while True:
            try:
                batch = next(rows)
            except StopIteration as end:
                return and_told(end.value, self._values.facts())
            # Nothing of a page may live on while the next one is decoded: what is still held then
            # is no longer in the processor's cache, and costs more to forget than to decode.
            while batch.rows:
                part = batch.rows[:_HANDED]
                del batch.rows[:_HANDED]
                page = self._page(part, doubtful=batch.doubtful)
                del part
                yield page
                del page
            del batch

    def _page(self, rows: list[Any], *, doubtful: bool) -> Page:
        secrets = self._session.secrets()
        page = page_of(self._dataset, self._first, rows, secrets, doubtful=doubtful)
        self._first += len(page.records) + len(page.rejects)
        self._values.make_plain(page.records)
        return page

    def _list(self) -> Batches:
        outcome = yield from Reading(self._session, self._table, self._scope).batches()
        if isinstance(outcome, Partial) or not is_due(self._table, self._scope):
            return outcome
        check = CrossCheck(self._session, self._table, self._scope)
        check.look()
        for records in check.fetched_records():
            yield Batch(records, doubtful=False)
        return check.outcome(outcome)

    def _links(self, links: Links) -> Batches:
        ids, listed = self._listed(links)
        size = self._table.page_size
        reader = LinkReader(self._session, links, self._table.keys, size)
        for rows, doubtful in reader.batches(ids):
            yield Batch(rows, doubtful)
        if isinstance(listed, Partial):
            return Partial(f"{links.of}: {listed.reason}")
        if reader.doubts:
            return Partial("; ".join(reader.doubts))
        return Complete("; ".join([*reader.facts(len(ids)), f"{links.of}: {listed.evidence}"]))

    def _listed(self, links: Links) -> tuple[list[str], Outcome]:
        """The records that are asked for their links, with those that their list leaves out."""
        table = self._config.listed(links)
        ids, outcome = ids_of(self._session, table)
        if isinstance(outcome, Partial) or not is_due(table, _NOTHING):
            return ids, outcome
        check = CrossCheck(self._session, table, _NOTHING)
        check.look()
        return [*ids, *check.lacking], check.named(outcome)


def count(
    config: EasyVistaConfig, dataset: str, connection: EasyVistaConnection, scope: Scope
) -> int | None:
    """What `total_record_count` says; None for links, which have no list."""
    table = declared(config.datasets, dataset)
    if table.links is not None:
        return None
    search = text_of(table.search)
    if scope.since or scope.until:
        within = f"{table.modified}:{interval(scope.since, scope.until)}"
        search = ",".join(filter(None, (search, within)))
    with EasyVistaSession(connection) as session:
        return total(session, narrowed(query_of(table, connection, _NOTHING), search))


def slices(
    config: EasyVistaConfig, dataset: str, connection: EasyVistaConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """Ranks in the order of the key, cut from the total; one slice for what has no such order.

    A saved view has none, links come by the CI, a window is read from stamp to stamp, and a build
    that knows no offset gives everything at once.
    """
    table = declared(config.datasets, dataset)
    if most < 2 or table.resource is None or scope.since or scope.until:
        return _WHOLE
    with EasyVistaSession(connection) as session:
        query = query_of(table, connection, _NOTHING)
        query = narrowed(query, text_of(trusted(session, query, table.search)))
        first = ask(session, query.call(1, 0))
        parts = cut(first.total or 0, most, table.page_size)
        if len(parts) > 1 and not first.more:  # what announces a next page knows offsets
            second = ask(session, query.call(1, 1))
            if query.identities(first.rows) == query.identities(second.rows):
                return _WHOLE
        return parts


SOURCE: Final = Source(
    config=EasyVistaConfig,
    connection=EasyVistaConnection,
    extract=extract,
    probe=probe,
    count=count,
    slices=slices,
    windows=True,
    refuse=refuse,
)
