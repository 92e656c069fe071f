"""Which rows of a list a call asks for: search, sort, offset; and the envelope they come in."""

import random
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_rows import Rows, Shape, Viewpoint
from sandbox.easyvista_schema import Kind, Table
from sandbox.easyvista_search import Rejected, Search, folded
from sandbox.easyvista_store import Record, Store

_PAGE: Final = 100  # rows when max_rows is not said
_SORT: Final = re.compile(r"\s*([A-Za-z_][\w.]*)(?:\s+(asc|desc))?\s*", re.IGNORECASE)


class TimedOut(Exception):
    """The server has worked on the call for 60 seconds and gives up."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The parameters of a list, read once for all the calls that repeat them."""

    search: str
    fields: str
    sort: tuple[tuple[str, bool], ...]  # column and whether it descends
    max_rows: int
    offset: int
    format_date: str
    params: Mapping[str, str]

    @classmethod
    @lru_cache(maxsize=8192)
    def of(cls, query: str) -> "Ask":
        params = dict(parse_qsl(query, keep_blank_values=True))
        return cls(
            search=params.get("search", ""),
            fields=params.get("fields", ""),
            sort=_sort(params.get("sort", "")),
            max_rows=_number(params.get("max_rows", "")) or _PAGE,
            offset=_number(params.get("offset", "")),
            format_date=params.get("formatDate", ""),
            params=params,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of one route: those of a table, all of them or at *positions*.

    `place` names what may be kept of them until rows change (empty: nothing); `where` are further
    conditions in the grammar of `search`; the columns of `unset` must be so; `joined` links must
    lead to a row; `columns` are those of a saved list, in place of the excerpt.
    """

    table: Table
    excerpt: tuple[str, ...]
    view: Viewpoint
    place: str = ""
    positions: Sequence[int] | None = None
    where: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    links: bool = True
    offset: bool = True
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, as JSON values, and where they stand in it."""

    records: list[Any]
    total: int
    start: int
    more: bool


class Lists:
    """Lists of one store, under the knobs of its tenant."""

    def __init__(self, store: Store, knobs: EasyVistaKnobs) -> None:
        self._store = store
        self._knobs = knobs
        self._search = Search(store, knobs)
        # what the knobs do to the searches of callers, they do not to the tenant's own
        self._own = Search(store, EasyVistaKnobs(zone=knobs.zone, now=knobs.now))
        self.rows = Rows(store, knobs)
        self._random = random.Random(1)  # noqa: S311 - the same disorder at each start

    def page(self, listing: Listing, ask: Ask) -> Page:
        """Raises Rejected, TimedOut."""
        positions, start, more, total = self.window(listing, ask)
        if listing.columns is not None:
            language = listing.view.language
            records = self.rows.viewed(listing.table, positions, listing.columns, language)
        else:
            shape = self._shape(listing, ask)
            records = self.rows.shown(listing.table, positions, shape, listing.view)
        return Page(records, total, start, more)

    def window(self, listing: Listing, ask: Ask) -> tuple[Sequence[int], int, bool, int]:
        """The positions asked for, where they begin, whether more follow, of how many."""
        knobs = self._knobs
        found = self._search.found(
            listing.table.name, ask.search, self._candidates(listing, ask), links=listing.links
        )
        paged = knobs.build != "2018" and not knobs.offset_ignored and listing.offset
        start = ask.offset if paged else 0
        size = min(ask.max_rows, knobs.max_rows_cap or ask.max_rows)
        positions = found[start : start + size]
        if knobs.timeout_rows and len(positions) > knobs.timeout_rows:
            raise TimedOut
        return positions, start, start + len(positions) < len(found), len(found)

    def found(self, listing: Listing, position: int) -> bool:
        """Whether a row is among those of the listing."""
        return bool(self._within(listing, [position]))

    def _shape(self, listing: Listing, ask: Ask) -> Shape:
        if ask.fields:
            shape = self.rows.asked(listing.table, ask.fields, links=listing.links)
            if shape is not None:
                return shape
            if self._knobs.unknown_fields == "rejected":
                raise Rejected(f"Invalid column name '{ask.fields}'")
        return self.rows.excerpt(listing.table, listing.excerpt, listing.view.language)

    def _candidates(self, listing: Listing, ask: Ask) -> Sequence[int]:
        """All the rows of the listing, in order; kept until rows change."""
        if self._knobs.ties == "shuffled" or not listing.place:
            return self._ordered(listing, ask)
        place = ("candidates", listing.place, listing.where, ask.sort)
        return self._store.kept(place, lambda: self._ordered(listing, ask))

    def _ordered(self, listing: Listing, ask: Ask) -> Sequence[int]:
        positions = self._all(listing.table) if listing.positions is None else listing.positions
        positions = self._within(listing, positions)
        if self._knobs.ties == "shuffled":
            positions = self._random.sample(positions, len(positions))
        if not self._knobs.sort_ignored:
            for path, descends in reversed(ask.sort):
                positions = self._sorted(listing, positions, path, descends=descends)
        return positions

    def _within(self, listing: Listing, positions: Sequence[int]) -> Sequence[int]:
        """Those that meet the conditions of the listing itself, and whose joins lead somewhere."""
        name = listing.table.name
        for search in listing.where:
            positions = self._own.found(name, search, positions)
        for column in listing.unset:
            held = self._store.values(name, column)
            positions = [place for place in positions if held[place] is None]
        for link in listing.joined:
            leads = listing.table.links[link]
            there = self._store.index(leads.table, self._store.table(leads.table).key)
            held = self._store.values(name, leads.column)
            positions = [place for place in positions if held[place] in there]
        return positions

    def _all(self, table: Table) -> Sequence[int]:
        """Every row, in the order of the database: scattered, yet the same each time."""

        def found() -> Sequence[int]:
            order = self._store.keys(table.name)
            if self._knobs.order == "scattered":
                order = [zlib.crc32(str(key).encode()) for key in order]
            return sorted(range(len(order)), key=order.__getitem__)

        return self._store.kept(("all", table.name), found)

    def _sorted(
        self, listing: Listing, positions: Sequence[int], path: str, *, descends: bool
    ) -> Sequence[int]:
        """Unset values are the smallest, as in SQL Server; an unknown column sorts nothing."""
        values = self._sortable(listing, path)
        if values is None:
            return positions
        unset = [place for place in positions if values[place] is None]
        held = sorted(
            (place for place in positions if values[place] is not None),
            key=values.__getitem__,
            reverse=descends,
        )
        return [*held, *unset] if descends else [*unset, *held]

    def _sortable(self, listing: Listing, path: str) -> list[Any] | None:
        link, dot, name = path.rpartition(".")
        if dot and not listing.links:
            return None
        table = listing.table.name
        column = self._store.linked(table, link, name) if dot else self._store.column(table, name)
        if column is None:
            return None
        if column.kind is Kind.TEXT and self._knobs.collation == "insensitive":
            return [None if value is None else folded(value) for value in column.values]
        return column.values


def envelope(
    page: Page, knobs: EasyVistaKnobs, *, key: str, href: str, path: str, ask: Ask
) -> Record:
    """A page as the root of an answer, its rows at *key*.

    *path* is the URL without query, *href* the whole of it (empty: not told).
    """
    body: Record = {"HREF": href} if href else {}
    body |= _counts(len(page.records), page.total + knobs.total_error, knobs.counts)
    if knobs.build != "2018":
        if page.start:
            before = max(page.start - ask.max_rows, 0)
            body["@previous"] = _link(path, ask, before, knobs)
        always = knobs.next_link == "always" and bool(page.records)
        if (page.more or always) and knobs.next_link != "absent":
            body["@next"] = _link(path, ask, page.start + len(page.records), knobs)
    body[key] = page.records
    return body


def _counts(page: int, total: int, form: str) -> Record:
    if form == "missing":
        return {}
    told = [page, total] if form == "int" else ["", ""]
    if form == "string":
        told = [str(page), str(total)]
    return dict(zip(("record_count", "total_record_count"), told, strict=True))


def _link(path: str, ask: Ask, offset: int, knobs: EasyVistaKnobs) -> str:
    params = {**ask.params, "max_rows": str(ask.max_rows), "offset": str(offset)}
    scheme, _, rest = path.partition("://")
    host, _, tail = rest.partition("/")
    if knobs.next_link == "uppercase":
        scheme = scheme.upper()
    if knobs.next_link == "foreign":
        host = knobs.links_host
    query = urlencode(params)
    if knobs.next_link == "raw":
        query = "&".join(f"{name}={value}" for name, value in params.items())
    return f"{scheme}://{host}/{tail}?{query}"


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    """`FIELD asc, OTHER desc`; any other spelling is ignored."""
    read = [_SORT.fullmatch(piece) for piece in text.split(",")]
    return tuple(
        (each[1].upper(), (each[2] or "asc").lower() == "desc") for each in read if each is not None
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
