"""Whatever comes, goes or changes between two pages: a complete reading has every row that stayed.

The list is held in memory, so that thousands of histories can be tried; the server's part is what
`sandbox.easyvista_lists` does for a search of dates, a sort, an offset.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.base import Complete, Outcome
from sources.easyvista_answer import Listing, Query
from sources.easyvista_keyset import Window
from sources.easyvista_moments import Writing, iso
from sources.easyvista_pages import Walk
from sources.ranks import Ranks, cut
from sources.slices import joined

START = datetime(2026, 1, 1, tzinfo=UTC)
SEARCH = re.compile(r"LAST_UPDATE:\(([^;]*);([^)]*)\)")


@dataclass
class Table:
    """Rows by key with the second of their last change; after each page, one of `moves` is made."""

    rows: dict[int, int]
    moves: list[Mapping[str, Any]]
    size: int
    cap: int
    always: set[int] = field(init=False)  # rows that are there all the time
    untouched: set[int] = field(init=False)  # and do not change

    def __post_init__(self) -> None:
        self.always = set(self.rows)
        self.untouched = set(self.rows)

    def page(self, query: Query, offset: int, most: int | None = None) -> Listing:
        """As `Asker.page`."""
        order = query.params.get("sort", "ASSET_ID asc")
        found = sorted(self.rows, key=lambda key: (self.rows[key], key))
        if order == "ASSET_ID asc":
            found = sorted(self.rows)
        if within := SEARCH.fullmatch(query.params.get("search", "")):
            found = [key for key in found if within[1] <= stamp(self.rows[key])]
        size = self.size + (offset > 0)
        asked = size if most is None else min(size, most)
        keys = found[offset : offset + min(asked, self.cap)]
        rows = [{"ASSET_ID": str(key), "LAST_UPDATE": stamp(self.rows[key])} for key in keys]
        more = offset + len(rows) < len(found)
        total = len(found)
        self._move()
        room = len(rows) < asked
        return Listing(rows, total, len(rows), more, room, doubtful=False, where="")

    def whole(self, query: Query, total: int) -> Listing:
        """As `Asker.whole`."""
        size, self.size = self.size, total
        try:
            return self.page(query, 0)
        finally:
            self.size = size

    def _move(self) -> None:
        if not self.moves:
            return
        move = self.moves.pop(0)
        for key in move["gone"]:
            self.rows.pop(key, None)
        for key in move["changed"]:
            if key in self.rows:
                self.rows[key] = max(self.rows.values()) + 1
        for key in move["new"]:
            self.rows.setdefault(key, max(self.rows.values(), default=0) + 1)
        self.always -= set(move["gone"])
        self.untouched -= {*move["gone"], *move["changed"]}


def stamp(second: int) -> str:
    return iso(START + timedelta(seconds=second))


KEYS = st.integers(min_value=1, max_value=60)
MOVE = st.fixed_dictionaries(
    {
        "gone": st.lists(KEYS, max_size=12),
        "new": st.lists(KEYS, max_size=12),
        "changed": st.lists(KEYS, max_size=12),
    }
)
TABLES = st.builds(
    Table,
    rows=st.dictionaries(KEYS, st.integers(min_value=0, max_value=6), max_size=40),
    moves=st.lists(MOVE, max_size=12),
    size=st.integers(min_value=2, max_value=9),
    cap=st.integers(min_value=1, max_value=9),
)


def read(batches: Any) -> tuple[list[int], Outcome]:
    keys: list[int] = []
    while True:
        try:
            rows = next(batches).rows
            keys += [int(row["ASSET_ID"]) for row in rows]
            rows.clear()
        except StopIteration as end:
            return keys, end.value


@given(table=TABLES)
@settings(max_examples=150, deadline=None)
def test_a_complete_walk_has_every_row_that_was_there_all_the_time(table: Table) -> None:
    still = not table.moves and table.cap > 1

    keys, outcome = read(Walk(table, Query("", key=("ASSET_ID",))).batches())

    assert len(set(keys)) == len(keys)
    if isinstance(outcome, Complete):
        assert set(keys) >= table.always
    if still:
        assert isinstance(outcome, Complete)
        assert keys == sorted(table.rows)


@given(table=TABLES)
@settings(max_examples=150, deadline=None)
def test_a_complete_window_has_every_row_that_was_there_all_the_time(table: Table) -> None:
    still = not table.moves and table.cap > 1
    query = Query("", key=("ASSET_ID",))

    window = Window(table, query, "LAST_UPDATE", (START, None), Writing())
    keys, outcome = read(window.batches())

    if isinstance(outcome, Complete):
        assert set(keys) >= table.untouched
    if still:
        assert isinstance(outcome, Complete)
        assert sorted(keys) == sorted(table.rows)


@given(table=TABLES, most=st.integers(min_value=2, max_value=4))
@settings(max_examples=150, deadline=None)
def test_slices_that_meet_have_every_row_that_was_there_all_the_time(
    table: Table, most: int
) -> None:
    still = not table.moves and table.cap > 1
    query = Query("", key=("ASSET_ID",))
    reads = [
        read(Walk(table, query, Ranks.of(part)).batches())
        for part in cut(len(table.rows), most, table.size)
    ]

    keys = [key for each, _ in reads for key in each]
    if isinstance(joined([outcome for _, outcome in reads]), Complete):
        assert set(keys) >= table.always
    else:
        assert not still
    if still:
        assert keys == sorted(table.rows)
