"""The simulated EasyVista as a whole: its invented tenant, its data that change, its controls."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.easyvista import create_app
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_store import Store
from sandbox.easyvista_tables import ODD_TAGS, tenant
from tests.sandbox.easyvista_client import LOGIN, Client, served


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


# -- the invented tenant


def test_the_tenant_is_that_of_the_cases() -> None:
    tables = tenant()
    assets = tables["AM_ASSET"]

    assert [asset["ASSET_ID"] for asset in assets] == list(range(1001, 1251))
    assert sum(asset["IS_CI"] for asset in assets) == 180
    assert sum(asset["LOCATION_ID"] is None for asset in assets) == 7
    assert sum(asset["DEPARTMENT_ID"] is None for asset in assets) == 3
    assert sum(asset["REMOVED_DATE"] is not None for asset in assets) == 15
    stamps = Counter(asset["LAST_UPDATE"] for asset in assets)
    assert [count for _, count in stamps.most_common(2)] == [120, 5]
    assert set(ODD_TAGS) <= {asset["ASSET_TAG"] for asset in assets}
    sizes = {name: len(rows) for name, rows in tables.items()}
    assert sizes["AM_LOCATION"] == 40
    assert sizes["AM_DEPARTMENT"] == 25
    assert sizes["AM_EMPLOYEE"] == 90
    assert sizes["AM_CATALOG"] == 30
    assert sizes["AM_MANUFACTURER"] == 6
    assert sizes["CI_LINK"] == 300
    assert sizes["AM_ASSET_CHARACTERISTICS"] == 500
    assert sum(row["DEPARTMENT_EN"] is None for row in tables["AM_DEPARTMENT"]) == 2


@pytest.mark.parametrize("assets", [0, 1, 7, 250, 1300])
def test_the_tenant_is_as_large_as_asked_and_holds_together(assets: int) -> None:
    tables = tenant(assets=assets)
    cis = {row["ASSET_ID"] for row in tables["AM_ASSET"] if row["IS_CI"]}
    links = tables["CI_LINK"]

    assert len(tables["AM_ASSET"]) == assets
    assert {link[end] for link in links for end in ("PARENT_CI_ID", "CHILD_CI_ID")} <= cis
    ends = {(link["PARENT_CI_ID"], link["CHILD_CI_ID"], link["RELATION_TYPE_ID"]) for link in links}
    assert len(ends) == len(links)
    assert len({row["ASSET_GUID"] for row in tables["AM_ASSET"]}) == assets
    assert tenant(assets=assets) == tables
    Store(tables)  # every key is there, once


def test_first_assets_are_the_same_in_a_larger_tenant() -> None:
    small, large = (tenant(assets=assets)["AM_ASSET"] for assets in (250, 360))

    assert large[:250] == small


# -- data that change


def test_h2_an_update_is_found_from_its_stamp_on(api: Client) -> None:
    since = "LAST_UPDATE:(2026-08-31T10:00:00.000+02:00;)"
    assert api.found(since) == 0

    stamp = {"LAST_UPDATE": "2026-08-31T08:00:00.000+00:00", "asset_tag": "renamed"}
    api.control("PATCH", "rows/AM_ASSET", {"1007": stamp})

    assert api.column("ASSET_TAG", search=since) == ["renamed"]
    assert api.total() == 250


def test_h3_many_rows_share_one_stamp(api: Client) -> None:
    shared = "2026-03-01T01:15:00.000+01:00"

    assert api.found(f"LAST_UPDATE:({shared};{shared})") == 120


def test_h5_h6_rows_are_deleted_or_retired(api: Client) -> None:
    assert api.control("DELETE", "rows/AM_ASSET/1001").status_code == 204
    assert api.control("DELETE", "rows/AM_ASSET/1001").status_code == 404
    api.control("PATCH", "rows/AM_ASSET", {"1002": {"REMOVED_DATE": "2026-08-31"}})

    assert api.total() == 249
    assert api.found("REMOVED_DATE:(2026-08-31;)") == 1


def test_h9_links_change_while_stamps_do_not(api: Client) -> None:
    link = {"LINK_ID": 999, "PARENT_CI_ID": 1050, "CHILD_CI_ID": 1051, "RELATION_TYPE_ID": 2}
    before = api.get("configuration-items/1050").json()

    answer = api.control("POST", "rows/CI_LINK", [link])

    assert answer.json() == {"rows": 301}
    ends = [row["CHILD_CI_ID"] for row in api.records("configuration-items/1050/item-links")]
    assert "1051" in ends
    assert api.get("configuration-items/1050").json() == before


def test_answers_follow_the_rows_however_often_they_are_asked(api: Client) -> None:
    asked = {"fields": "ASSET_TAG,LOCATION.LOCATION_FR", "search": 'ASSET_ID:"1005"'}
    bodies = {api.get(**asked).content for _ in range(4)}
    assert len(bodies) == 1

    api.control("PATCH", "rows/AM_LOCATION", {"6": {"LOCATION_FR": "Ailleurs"}})

    row = api.records(**asked)[0]
    assert row["LOCATION"]["LOCATION_FR"] == "Ailleurs"


def test_answers_are_those_of_the_caller_and_of_the_knobs(api: Client) -> None:
    api.turn(users={"api": {}, "en": {"language": "EN"}})
    asked = {"fields": "", "search": 'ASSET_ID:"1005"'}
    for _ in range(3):
        assert "DEPARTMENT_FR" in api.records(**asked)[0]["DEPARTMENT"]
        answer = requests.get(
            f"{api.root}/assets", params=asked, auth=("en", "api-password"), timeout=10
        )
        assert "DEPARTMENT_EN" in answer.json()["records"][0]["DEPARTMENT"]

    api.turn(counts="int")

    assert api.body(**asked)["total_record_count"] == 1


# -- tables of one's own


@pytest.mark.parametrize(
    ("name", "rows", "complaint"),
    [
        ("AM_ASSETS", [], "AM_ASSETS: tables are E_…, or AM_ASSET,"),
        ("AM_ASSET", [{"ASSET_TAG": "x"}], "AM_ASSET: row 1 has no ASSET_ID"),
        ("AM_ASSET", [{"ASSET_ID": 1}, {"ASSET_ID": "1"}], "AM_ASSET: ASSET_ID is not unique"),
        ("AM_ASSET", [{"ASSET_ID": "x"}], "AM_ASSET.ASSET_ID does not hold what it should"),
    ],
)
def test_a_table_that_cannot_be_one_is_refused(
    api: Client, name: str, rows: list[Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        create_app({name: rows})

    answer = api.control("PUT", f"tables/{name}", rows)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(complaint)
    assert api.total() == 250


def test_tables_that_are_not_given_are_empty() -> None:
    rows = [{"asset_id": "0001", "asset_tag": "0001", "IS_CI": 1, "E_NEW": 7, "LOCATION_ID": 3}]

    with served({"AM_ASSET": rows, "E_ODD": [{"E_CODE": "a"}]}) as api:
        assert api.total("locations") == 0
        assert api.total("configuration-items") == 1
        row = api.records("assets", fields="ASSET_ID,ASSET_TAG,E_NEW,LOCATION.LOCATION_FR")[0]
        assert row.pop("HREF") == f"{api.root}/assets/1"
        assert row == {
            "ASSET_ID": "1",
            "ASSET_TAG": "0001",
            "E_NEW": "7",
            "LOCATION": {"LOCATION_FR": ""},
        }
        assert api.records("E_ODD") == [{"E_CODE": "a", "HREF": f"{api.root}/E_ODD/a"}]
        assert api.get("E_ODD/a").status_code == 200


def test_knobs_may_be_given_at_the_start() -> None:
    with served({}, EasyVistaKnobs(account="40000", counts="int")) as api:
        assert api.get().status_code == 401
        assert api.ask(f"{api.url}/api/v1/40000/assets").json()["total_record_count"] == 0


# -- controls


@pytest.mark.parametrize(
    "knobs", [{"bild": "2018"}, {"build": "2019"}, {"faults": [{"kind": "none"}]}, {"latency": -1}]
)
def test_a_knob_that_cannot_be_turned_says_so(api: Client, knobs: dict[str, Any]) -> None:
    answer = api.control("PUT", "knobs", knobs)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert api.control("GET", "knobs").json()["build"] == "2025.3"


def test_a_reset_brings_everything_back(api: Client) -> None:
    api.turn(counts="int", faults=[{"kind": "html", "times": 0}])
    api.put("AM_ASSET", [])
    api.put("E_ADDED", [{"E_ROW_ID": 1}])

    api.control("POST", "reset")

    assert api.body()["total_record_count"] == "250"
    assert api.get("E_ADDED").status_code == 403
    assert api.traffic()["requests"] == 2


def test_traffic_counts_calls_and_keeps_their_headers(api: Client) -> None:
    length = len(api.get(max_rows=1).content)
    api.get("nope")
    api.ask(f"{api.url}/swagger")

    traffic = api.traffic()

    assert traffic["statuses"] == {"200": 1, "403": 2}
    path = "/api/v1/50004/assets"
    assert traffic["paths"][path] == {"requests": 1, "bytes_sent": length}
    assert traffic["calls"][0]["query"] == {"max_rows": "1"}
    assert traffic["calls"][0]["headers"]["authorization"].startswith("Basic ")

    api.control("DELETE", "traffic")
    assert api.traffic()["requests"] == 0


def test_it_runs_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "sandbox.easyvista", "--assets", "30"]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    knobs = ["--knobs", '{"counts": "int"}']
    with subprocess.Popen(
        [*command, *knobs], stdout=subprocess.PIPE, text=True, cwd=root, env=environment
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        answer = requests.get(f"{url}/api/v1/50004/assets", auth=LOGIN, timeout=10)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert answer.json()["total_record_count"] == 30
