"""Pages of the simulated EasyVista whose rows are wrong: what `faults` do to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.easyvista_client import Client, served


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def test_a_page_is_repeated_for_ever(api: Client) -> None:
    api.fault("repeat", at=2, times=0)
    order = {"sort": "ASSET_ID asc", "max_rows": 100}

    pages = [api.column("ASSET_ID", offset=offset, **order) for offset in (0, 100, 200)]

    assert pages[0] == pages[1] == pages[2]


def test_a_page_is_short_and_the_next_begins_after_what_came(api: Client) -> None:
    api.fault("short", keep=0.3)
    order = {"sort": "ASSET_ID asc", "max_rows": 10}

    body = api.body(**order)

    assert (body["record_count"], len(body["records"])) == ("3", 3)
    assert body["@next"].endswith("offset=3")
    assert len(api.records(**order)) == 10


@pytest.mark.parametrize("odd", ["text", None, 3, ["x"]], ids=["c26", "null", "number", "list"])
def test_c26_a_record_is_no_object(api: Client, odd: Any) -> None:
    api.fault("bad_record", index=1, record=odd)

    records = api.records(max_rows=3)

    assert records[1] == odd
    assert records[0].keys() == records[2].keys()


def test_rows_come_go_and_change_once_a_page_is_served(api: Client) -> None:
    api.fault(
        "rows",
        on="assets",
        add=[{"asset_id": 9999, "asset_tag": "new"}],
        remove=2,
        remove_keys=["1003"],
        update={"1004": {"asset_tag": "changed"}},
    )
    assert len(api.records(max_rows=300)) == 250

    rows = {row["ASSET_ID"]: row["ASSET_TAG"] for row in api.records(max_rows=300)}

    assert len(rows) == 248
    assert not {"1001", "1002", "1003"} & set(rows)
    assert (rows["9999"], rows["1004"]) == ("new", "changed")
