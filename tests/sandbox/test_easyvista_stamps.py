"""Dates and times of the simulated EasyVista: cases D and C28 of specs/easyvista-cases.md."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.easyvista_dates import milliseconds
from tests.sandbox.easyvista_client import Client, served


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def one(api: Client, key: int, fields: str = "", **params: Any) -> dict[str, Any]:
    """The row of the asset *key*, as the list shows it."""
    asked = {"fields": fields} if fields else {}
    row: dict[str, Any] = api.records(search=f'ASSET_ID:"{key}"', **asked, **params)[0]
    return row


def alone(api: Client, **columns: Any) -> dict[str, Any]:
    """The only asset there is, with these columns."""
    api.put("AM_ASSET", [{"ASSET_ID": 1, **columns}])
    row: dict[str, Any] = api.records(fields=",".join(columns))[0]
    return row


def test_c28_format_date_adds_a_key_in_small_letters(api: Client) -> None:
    row = one(api, 1031, "LAST_UPDATE,PURCHASE_DATE,ASSET_TAG", formatDate=r"l j/m/Y \a H:i")

    assert row["LAST_UPDATE"] == "2025-10-26T02:30:00.000+02:00"
    assert row["last_update_format"] == "Sunday 26/10/2025 a 02:30"
    assert row["purchase_date_format"] == "Monday 3/07/2023 a 00:00"
    assert "asset_tag_format" not in row


@pytest.mark.parametrize(
    ("knobs", "stored", "told"),
    [
        ({}, "2026-08-17T13:40:41.610Z", "2026-08-17T15:40:41.610+02:00"),
        ({"stamps": "utc"}, "2021-04-09T11:29:36.947+00:00", "2021-04-09T11:29:36.947Z"),
        ({"stamps": "locale"}, "2026-08-17T13:40:41.610Z", "17/08/2026 15:40:41"),
        ({}, "2025-12-31T23:30:00+00:00", "2026-01-01T00:30:00.000+01:00"),
        ({}, 0, "1970-01-01T01:00:00.000+01:00"),
        ({}, "1900-01-01T00:00:00.000+00:09", "1900-01-01T00:00:21.000+00:09"),
        ({}, "9999-12-31T23:59:59.000+00:00", "9999-12-31T23:59:59.000+00:00"),
        ({}, None, ""),
    ],
    ids=["d1", "d2", "d7", "winter", "epoch", "d9 first", "d9 last", "d4"],
)
def test_d_stamps_are_written_in_the_manner_of_the_tenant(
    api: Client, knobs: dict[str, Any], stored: Any, told: str
) -> None:
    api.turn(**knobs)

    assert alone(api, LAST_UPDATE=stored)["LAST_UPDATE"] == told


def test_d3_a_date_has_no_time(api: Client) -> None:
    assert alone(api, PURCHASE_DATE="2020-11-02")["PURCHASE_DATE"] == "2020-11-02"


def test_d5_ut_promises_nothing(api: Client) -> None:
    stamp = api.column("SUBMIT_DATE_UT", "requests", max_rows=1)[0]

    assert stamp.endswith("T15:40:41.610+02:00")


def test_d6_two_stamps_share_a_wall_clock_around_the_end_of_summer(api: Client) -> None:
    stamps = [one(api, key, "LAST_UPDATE")["LAST_UPDATE"] for key in (1031, 1032, 1033, 1034)]

    assert stamps == [
        "2025-10-26T02:30:00.000+02:00",
        "2025-10-26T02:30:00.000+01:00",
        "2026-03-29T01:59:59.999+01:00",
        "2026-03-29T03:00:00.000+02:00",
    ]
    assert [milliseconds(stamp) for stamp in stamps] == sorted(map(milliseconds, stamps))


def test_last_update_may_be_tied_for_many_rows(api: Client) -> None:
    api.turn(tied=100)

    stamps = api.column("LAST_UPDATE", fields="LAST_UPDATE", max_rows=250)

    assert sorted(stamps.count(stamp) for stamp in set(stamps)) == [50, 100, 100]
