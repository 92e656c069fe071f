"""Values of PostgreSQL and SQLite, of types that a driver would lose or refuse."""

import pytest

from tests.sources.sql_rig import (
    READER,
    PostgresStore,
    SqliteStore,
    extracted,
)


def test_values_of_postgresql_are_texts_where_a_type_would_lose_some(
    postgresql: PostgresStore,
) -> None:
    values = {
        "1.10::numeric": "1.10",
        "'NaN'::numeric": "NaN",
        "12345678901234567890": "12345678901234567890",
        "9007199254740993::bigint": 9007199254740993,
        "'infinity'::float8": "Infinity",
        "1.5::float8": 1.5,
        "true": True,
        "NULL::text": None,
        "'00000000-0000-0000-0000-000000000005'::uuid": "00000000-0000-0000-0000-000000000005",
        "timestamptz '2026-01-31 02:00:00+02'": "2026-01-31T00:00:00Z",
        "timestamptz '2026-01-31 02:00:00.5+02'": "2026-01-31T00:00:00.500000Z",
        "timestamp '2026-01-31 02:00:00'": "2026-01-31T02:00:00",
        "timestamp '2026-01-31 02:00:00.000001'": "2026-01-31T02:00:00.000001",
        "timestamp 'infinity'": "infinity",
        "date '2026-01-31'": "2026-01-31",
        "date '0044-03-15 BC'": "0044-03-15 BC",
        "date '20260-01-31'": "20260-01-31",
        "time '02:30'": "02:30:00",
        "interval '1 month 2 days'": "1 mon 2 days",
        "'10.0.0.1'::inet": "10.0.0.1",
        "'10.0.0.0/8'::cidr": "10.0.0.0/8",
        "'[1,5)'::int4range": "[1,5)",
        r"'\x00ff'::bytea": "00ff",
        "array['a', NULL]": ["a", None],
        "array[1.10, 2]": ["1.10", "2"],
        "array[timestamp '2026-01-31 02:00:00']": ["2026-01-31T02:00:00"],
        """'{"a": [1, {"b": null}]}'::jsonb""": {"a": [1, {"b": None}]},
        "'  x  '::char(6)": "  x   ",
    }
    columns = ", ".join(f"{value} AS c{rank}" for rank, value in enumerate(values))

    (record,) = extracted(postgresql, f"SELECT {columns}").records

    assert dict(zip(values, record.values(), strict=True)) == values


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns"])
@pytest.mark.parametrize("style", ["ISO", "SQL, DMY", "German", "Postgres, MDY"])
def test_moments_do_not_depend_on_the_session(
    postgresql: PostgresStore, zone: str, style: str
) -> None:
    postgresql.execute(f"ALTER ROLE {READER} SET timezone = '{zone}'")
    postgresql.execute(f"ALTER ROLE {READER} SET datestyle = '{style}'")
    try:
        (record,) = extracted(
            postgresql,
            "SELECT timestamptz '2026-01-31T00:00:00Z' AS at, timestamp '2026-01-02 03:04:05' AS t,"
            " date '2026-02-01' AS day",
        ).records
    finally:
        postgresql.execute(f"ALTER ROLE {READER} RESET ALL")

    assert record == {
        "at": "2026-01-31T00:00:00Z",
        "t": "2026-01-02T03:04:05",
        "day": "2026-02-01",
    }


def test_values_of_sqlite_are_given_as_they_are_stored(sqlite: SqliteStore) -> None:
    (record,) = extracted(
        sqlite,
        "SELECT '007' AS text, 7 AS whole, 1.5 AS fraction, x'00ff' AS bytes, NULL AS none,"
        " 9e999 AS endless, 9007199254740993 AS large",
    ).records

    assert record == {
        "text": "007",
        "whole": 7,
        "fraction": 1.5,
        "bytes": "00ff",
        "none": None,
        "endless": "Infinity",
        "large": 9007199254740993,
    }
