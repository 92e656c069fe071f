"""Slices of a SELECT are ranges of its key: disjoint, and together the whole."""
# ruff: noqa: S608 - the statements are made of words of this file

from itertools import pairwise
from typing import Any

import pytest

from sources.base import Complete, Partial, Scope, Slice
from sources.lanes import Wanted, side_by_side
from sources.slices import joined
from sources.sql import SOURCE
from tests.sources.sql_rig import (
    AT,
    NUMBERS,
    WINDOW,
    Extracted,
    SqliteStore,
    Store,
    config,
    connection,
    drained,
    extracted,
    fill_dated,
)


def together(store: Store, select: str, most: int = 4, **dataset: Any) -> list[Extracted]:
    """What the slices give, one after the other."""
    given = {"page_rows": 2, **dataset}
    slices = SOURCE.slices(config(select, **given), "things", connection(store), Scope(), most)
    assert [(each.index, each.of) for each in slices] == [
        (rank, len(slices)) for rank in range(len(slices))
    ]
    assert [slices[0].low, slices[-1].high] == ["", ""]
    assert all(one.high == other.low for one, other in pairwise(slices))
    found = [extracted(store, select, Scope(slice=each), **given) for each in slices]
    outcomes = [each.outcome for each in found if each.outcome is not None]
    assert len(outcomes) == len(slices)
    assert isinstance(joined(outcomes), Complete)
    return found


def shares(found: list[Extracted]) -> list[int]:
    return [len(each.records) for each in found]


def rows_of(found: list[Extracted]) -> list[Any]:
    return sorted(record["n"] for each in found for record in each.records)


KEYS = {
    "whole numbers": ("{n}", "bigint"),
    "texts": ("'k{n:03}'", "text"),
    "texts of any kind": ("'é:%''{n}'", "text"),
    "decimals": ("{n}.5", "numeric(9, 2)"),
    "moments": ("'2026-01-01 00:{n:02}:00'", "timestamp"),
    "moments of a zone": ("'2026-01-01 00:{n:02}:00+01'", "timestamptz"),
    "days": ("'2026-01-{n:02}'", "date"),
    "uuids": ("'00000000-0000-0000-0000-0000000000{n:02}'", "uuid"),
    "fractions": ("{n}.25", "double precision"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_slices_are_ranges_of_a_key_of_many_kinds(store: Store, kind: str) -> None:
    value, column = KEYS[kind]
    rows = ", ".join(f"({value.format(n=n)}, {n})" for n in range(1, 22))
    store.execute(f"CREATE TABLE keyed (k {column}, n INTEGER)", f"INSERT INTO keyed VALUES {rows}")

    found = together(store, "SELECT * FROM keyed", key="k")

    assert shares(found) == [6, 5, 5, 5]
    assert rows_of(found) == list(range(1, 22))


def test_rows_without_a_key_are_in_the_first_slice(store: Store) -> None:
    rows = ", ".join(f"({n if n % 3 else 'NULL'}, {n})" for n in range(1, 22))
    store.execute("CREATE TABLE keyed (k INTEGER, n INTEGER)", f"INSERT INTO keyed VALUES {rows}")

    found = together(store, "SELECT * FROM keyed", key="k")

    assert shares(found) == [4 + 7, 4, 3, 3]
    assert rows_of(found) == list(range(1, 22))
    assert found[0].outcome == Complete(
        "11 rows to the end of one read-only snapshot, count(*) agrees, 7 have no k"
    )


@pytest.mark.parametrize(
    ("key", "expected"), [("1", [21]), ("n / 12", [11, 10]), ("CASE WHEN n < 21 THEN 1 END", [21])]
)
def test_a_key_that_many_rows_share_gives_fewer_slices(
    store: Store, key: str, expected: list[int]
) -> None:
    store.execute(
        "CREATE TABLE keyed (n INTEGER)",
        f"INSERT INTO keyed VALUES {', '.join(f'({n})' for n in range(1, 22))}",
    )

    found = together(store, f"SELECT n, {key} AS k FROM keyed", key="k")

    assert shares(found) == expected
    assert rows_of(found) == list(range(1, 22))


def test_slices_are_along_the_first_column_of_a_key_of_several(store: Store) -> None:
    rows = ", ".join(f"({n // 4}, {n % 4}, {n})" for n in range(24))
    store.execute(
        "CREATE TABLE keyed (site INTEGER, rank INTEGER, n INTEGER)",
        f"INSERT INTO keyed VALUES {rows}",
    )

    found = together(store, "SELECT * FROM keyed", most=3, key=["site", "rank"])

    assert shares(found) == [8, 8, 8]
    assert "every site, rank once" in str(found[0].outcome)


def test_slices_are_cut_out_of_the_window(store: Store) -> None:
    fill_dated(store)
    scope = Scope(since=AT[0])
    given = config("SELECT * FROM dated", window=WINDOW, key="id", page_rows=1)
    slices = SOURCE.slices(given, "things", connection(store), scope, 2)

    found = [
        extracted(
            store,
            "SELECT * FROM dated ORDER BY id",
            Scope(since=AT[0], slice=each),
            window=WINDOW,
            key="id",
        )
        for each in slices
    ]

    assert [[record["id"] for record in each.records] for each in found] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "dataset", [{}, {"key": "id", "wrap": False}, {"key": "id", "page_rows": 1000}], ids=str
)
def test_what_cannot_be_cut_or_is_too_small_for_it_is_one_slice(
    store: Store, dataset: dict[str, Any]
) -> None:
    assert shares(together(store, NUMBERS, **{"page_rows": 1, **dataset})) == [3]


def test_a_key_of_bytes_is_no_bound(store: Store) -> None:
    kind = "BLOB" if isinstance(store, SqliteStore) else "bytea"
    rows = ", ".join(f"(CAST('k{n}' AS {kind}), {n})" for n in range(1, 22))
    store.execute(f"CREATE TABLE keyed (k {kind}, n INTEGER)", f"INSERT INTO keyed VALUES {rows}")

    assert shares(together(store, "SELECT * FROM keyed", key="k")) == [21]


def test_slices_are_read_side_by_side(store: Store) -> None:
    store.execute("DELETE FROM things")
    store.execute(f"INSERT INTO things VALUES {', '.join(f'({n}, NULL)' for n in range(400))}")
    given, to = config("SELECT * FROM things", key="id", page_rows=10), connection(store)
    slices = SOURCE.slices(given, "things", to, Scope(), 4)

    def read(each: Slice, _: Wanted) -> Extracted:
        return drained(SOURCE.extract(given, "things", to, Scope(slice=each)))

    found = dict(side_by_side(slices, read, to.at_once))

    assert len(slices) == 4
    # one behind the other they are what one reading gives
    assert [record["id"] for each in slices for record in found[each].records] == list(range(400))
    assert isinstance(joined([found[each].outcome or Partial("") for each in slices]), Complete)
