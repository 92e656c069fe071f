"""Lists of the simulated EasyVista and their pages: cases B of specs/easyvista-cases.md."""

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


def test_b1_a_list_has_a_hundred_rows_and_says_how_many_there_are(api: Client) -> None:
    body = api.body()

    assert list(body) == ["HREF", "record_count", "total_record_count", "@next", "records"]
    assert (body["record_count"], body["total_record_count"]) == ("100", "250")
    assert body["@next"] == f"{api.root}/assets?max_rows=100&offset=100"
    assert len(body["records"]) == 100


def test_b2_a_page_in_the_middle_links_both_ways(api: Client) -> None:
    body = api.body(max_rows=100, offset=100)

    assert body["@next"].endswith("max_rows=100&offset=200")
    assert body["@previous"].endswith("max_rows=100&offset=0")
    assert body["HREF"] == f"{api.root}/assets?max_rows=100&offset=100"


def test_b3_the_last_page_has_no_next_and_the_pages_are_the_whole(api: Client) -> None:
    url, keys = f"{api.root}/assets?sort=ASSET_ID+asc", []
    while url:
        body = api.ask(url).json()
        keys += [record["ASSET_ID"] for record in body["records"]]
        url = body.get("@next", "")

    assert body["record_count"] == "50"
    assert keys == [str(number) for number in range(1001, 1251)]


def test_b4_a_page_beyond_the_end_is_empty(api: Client) -> None:
    body = api.body(max_rows=100, offset=250)

    assert (body["record_count"], body["records"]) == ("0", [])
    assert "@next" not in body


def test_b5_one_row_is_a_cheap_count(api: Client) -> None:
    body = api.body(max_rows=1)

    assert (len(body["records"]), body["total_record_count"]) == (1, "250")


def test_b6_all_in_one_page(api: Client) -> None:
    body = api.body(max_rows=250)

    assert len({record["ASSET_ID"] for record in body["records"]}) == 250
    assert "@next" not in body


def test_b7_a_search_that_finds_nothing(api: Client) -> None:
    body = api.body(search='ASSET_TAG:"absent"')

    assert (body["record_count"], body["total_record_count"], body["records"]) == ("0", "0", [])
    assert body["HREF"].startswith(f"{api.root}/assets?search=")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ("string", ("100", "250")),
        ("int", (100, 250)),
        ("empty", ("", "")),
        ("missing", (None, None)),
    ],
)
def test_b8_b9_counts_have_several_forms(api: Client, counts: str, told: tuple[Any, Any]) -> None:
    api.turn(counts=counts)

    body = api.body()

    assert (body.get("record_count"), body.get("total_record_count")) == told


def test_the_total_may_be_wrong(api: Client) -> None:
    api.turn(total_error=-3)

    assert api.total() == 247


@pytest.mark.parametrize("sort", ["ASSET_ID asc", "asset_id ASC", "ASSET_ID", " ASSET_ID  asc "])
def test_b10_a_list_is_sorted(api: Client, sort: str) -> None:
    assert api.column("ASSET_ID", sort=sort, max_rows=3) == ["1001", "1002", "1003"]


@pytest.mark.parametrize("sort", ["ASSET_ID:DESC", "-ASSET_ID", "DESC(ASSET_ID)", "NOPE asc", ""])
def test_b11_b14_another_spelling_is_ignored(api: Client, sort: str) -> None:
    unsorted = api.column("ASSET_ID", max_rows=250)

    assert unsorted != sorted(unsorted)
    assert api.column("ASSET_ID", sort=sort, max_rows=250) == unsorted


def test_b12_the_newest_come_first(api: Client) -> None:
    stamps = api.column("LAST_UPDATE", fields="LAST_UPDATE", sort="LAST_UPDATE desc", max_rows=250)

    assert stamps[0].startswith("2026-07")
    assert stamps[-1].startswith("2025-10-26")


def test_b12_several_columns_sort_one_after_the_other(api: Client) -> None:
    rows = api.records(
        fields="STATUS_ID,ASSET_ID", sort="STATUS_ID desc, ASSET_ID asc", max_rows=250
    )

    pairs = [(-int(row["STATUS_ID"] or 0), int(row["ASSET_ID"])) for row in rows]
    assert pairs == sorted(pairs)


def test_b13_a_column_of_a_linked_object_sorts(api: Client) -> None:
    employees = api.column("EMPLOYEE", sort="employee.last_name asc", max_rows=250)

    names = [employee["LAST_NAME"] for employee in employees]
    assert names == sorted(names)
    assert names[0] == ""


@pytest.mark.parametrize("knobs", [{"build": "2018"}, {"offset_ignored": True}])
def test_b15_an_offset_may_be_ignored(api: Client, knobs: dict[str, Any]) -> None:
    api.turn(**knobs)

    assert api.column("ASSET_ID", offset=100) == api.column("ASSET_ID")
    assert ("@next" in api.body()) == ("build" not in knobs)
    assert len(api.records(max_rows=250)) == 250


def test_b16_a_cap_lowers_max_rows_in_silence(api: Client) -> None:
    api.turn(max_rows_cap=50)

    body = api.body(max_rows=500)

    assert (body["record_count"], body["total_record_count"]) == ("50", "250")
    assert body["@next"].endswith("max_rows=500&offset=50")


def test_b17_a_row_comes_between_two_pages(api: Client) -> None:
    api.turn(order="key")
    api.fault("rows", on="assets", add=[{"ASSET_ID": 1, "ASSET_TAG": "new"}])

    pages = [api.column("ASSET_ID", max_rows=125, offset=offset) for offset in (0, 125)]

    assert pages[0][-1] == pages[1][0] == "1125"
    assert api.total() == 251


def test_b18_a_row_changes_during_a_sweep(api: Client) -> None:
    stamp = "2026-08-31T10:00:00.000+02:00"
    api.fault("rows", at=1, update={"1031": {"LAST_UPDATE": stamp}})
    order = {"fields": "ASSET_ID", "sort": "LAST_UPDATE asc", "max_rows": 125}

    pages = [api.column("ASSET_ID", offset=offset, **order) for offset in (0, 125)]

    assert pages[0][0] == pages[1][-1] == "1031"
    assert len({key for page in pages for key in page}) == 249


def test_b19_a_row_goes_between_two_pages(api: Client) -> None:
    api.fault("rows", remove_keys=["1250"])

    totals = [api.body(max_rows=100, offset=offset)["total_record_count"] for offset in (0, 100)]

    assert totals == ["250", "249"]
    assert api.get("assets/1250").status_code == 404


@pytest.mark.parametrize(
    ("form", "link"),
    [
        ("foreign", "http://erp-internal.example:8443/api/v1/50004/assets?{}"),
        ("uppercase", "HTTP://{host}/api/v1/50004/assets?{}"),
        ("raw", "http://{host}/api/v1/50004/assets?{}"),
        ("absent", None),
    ],
    ids=["b20", "b21", "b22", "absent"],
)
def test_b20_to_b22_the_next_link_misleads(api: Client, form: str, link: str | None) -> None:
    api.turn(next_link=form)
    search = 'ASSET_TAG~"T-*"'

    told = api.body(search=search, max_rows=1).get("@next")

    query = "search=ASSET_TAG~%22T-%2A%22&max_rows=1&offset=1"
    if form == "raw":
        query = f"search={search}&max_rows=1&offset=1"
    host = api.url.removeprefix("http://")
    assert told == (link.format(query, host=host) if link else None)


def test_b23_the_last_page_may_have_a_next_that_is_empty(api: Client) -> None:
    api.turn(next_link="always")

    last = api.body(max_rows=100, offset=200)
    beyond = api.ask(last["@next"]).json()

    assert (beyond["records"], "@next" in beyond) == ([], False)


def test_b24_characteristics_have_misleading_addresses(api: Client) -> None:
    body = api.body("asset-characteristics", sort="ASSET_ID", max_rows=2)

    assert body["total_record_count"] == "500"
    assert [record["HREF"] for record in body["records"]] == [f"{api.root}/asset/1001"] * 2
    assert api.ask(f"{api.root}/asset/1001").status_code == 403
    record = body["records"][0]
    assert record["CHARACTERISTIC"]["CHARACTERISTIC_FR"]
    assert record["ASSET"]["ASSET_TAG"] == "T-0001"
    assert len(api.records("asset-characteristics/1001")) == 2


def test_b25_assets_without_location_or_department_vanish(api: Client) -> None:
    api.turn(inner_joins=True)

    assert api.total() == 240
    assert api.total("configuration-items") == 180
    assert api.found("LOCATION_ID:is_null", "configuration-items") == 6
    assert api.found("LOCATION_ID:is_null") == 0
    assert api.get("assets/1021").status_code == 200


def test_b25_a_location_that_is_no_more_counts_as_none(api: Client) -> None:
    api.turn(inner_joins=True)
    before = api.total()
    gone = api.found('LOCATION_ID:"7"')

    api.control("DELETE", "rows/AM_LOCATION/7")

    assert gone > 0
    assert api.total() == before - gone


def test_b27_configuration_items_have_no_objects(api: Client) -> None:
    record = api.records("configuration-items", max_rows=1, sort="ASSET_ID")[0]

    assert record == {
        "ASSET_ID": "1001",
        "ASSET_TAG": "T-0001",
        "CI_STATUS_ID": "1",
        "CI_VERSION": "0.0",
        "NETWORK_IDENTIFIER": "par-web-00000",
        "HREF": f"{api.root}/configuration-items/1001",
    }
    assert api.total("configuration-items") == 180
    assert api.get("configuration-items/1200").status_code == 404


def test_b27_dotted_fields_of_configuration_items_can_be_dropped(api: Client) -> None:
    asked = {"fields": "ASSET_ID,LOCATION.LOCATION_CODE", "max_rows": 1}
    assert api.records("configuration-items", **asked)[0]["LOCATION"].keys() == {"LOCATION_CODE"}

    api.turn(ci_links=False)

    assert api.records("configuration-items", **asked)[0].keys() == {"ASSET_ID", "HREF"}
    assert api.found('LOCATION.LOCATION_CODE:"L0007"', "configuration-items") == 180


def test_b28_groups_of_an_employee_are_a_list_of_addresses(api: Client) -> None:
    assert api.get("employees/5/groups").json() == {
        "groups": [f"{api.root}/groups/5", f"{api.root}/groups/9"]
    }


def test_b29_documents_stand_at_a_key_with_a_capital(api: Client) -> None:
    rfc = api.column("RFC_NUMBER", "requests", sort="REQUEST_ID asc", max_rows=1)[0]

    body = api.get(f"requests/{rfc}/documents").json()

    assert "records" not in body
    assert [row["DOCUMENT_ID"] for row in body["Documents"]] == ["1", "2", "3"]


def test_b30_an_external_table_is_a_list_like_another(api: Client) -> None:
    records = api.records("E_CONTRACT_TYPE", sort="E_CONTRACT_TYPE_ID", max_rows=1)

    assert records == [
        {
            "E_CONTRACT_TYPE_ID": "1",
            "E_ACTIVE": "1",
            "E_LABEL": "Maintenance",
            "HREF": f"{api.root}/E_CONTRACT_TYPE/1",
        }
    ]
    assert api.get("E_CONTRACT_TYPE/1").json() == records[0]


def test_rows_that_nothing_tells_apart_may_come_in_another_order_each_time(api: Client) -> None:
    order = {"sort": "STATUS_ID asc", "fields": "STATUS_ID,ASSET_ID", "max_rows": 250}
    assert api.records(**order) == api.records(**order)

    api.turn(ties="shuffled")
    once, again = api.records(**order), api.records(**order)

    assert once != again
    assert [row["STATUS_ID"] for row in once] == [row["STATUS_ID"] for row in again]


def test_a_sort_may_be_ignored(api: Client) -> None:
    api.turn(sort_ignored=True)

    assert api.column("ASSET_ID", sort="ASSET_ID asc") == api.column("ASSET_ID")


def test_removed_assets_may_be_hidden(api: Client) -> None:
    assert api.found("REMOVED_DATE:is_not_null") == 15

    api.turn(removed="hidden", build="2018")

    assert api.total() == 235
    assert api.total("configuration-items") == 165


def test_urgencies_have_two_spellings(api: Client) -> None:
    assert api.records("urgency")[0].keys() == api.records("urgencies")[0].keys()


def test_an_unknown_parameter_or_a_size_that_is_none_is_ignored(api: Client) -> None:
    for params in ({"page": 2}, {"max_rows": "many"}, {"max_rows": 0}, {"offset": "-3"}):
        assert len(api.records(**params)) == 100
