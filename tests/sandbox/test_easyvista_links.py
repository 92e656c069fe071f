"""Links and saved lists of the simulated EasyVista: cases F, B31 and B32 of the spec."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.easyvista_knobs import CIS_VIEW, LINKS_VIEW
from tests.sandbox.easyvista_client import Client, served

Ends = tuple[str, str, str]


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def ends(record: dict[str, Any]) -> Ends:
    return record["PARENT_CI_ID"], record["CHILD_CI_ID"], record["RELATION_TYPE_ID"]


def links(api: Client, ci: int, side: str = "", **params: Any) -> list[Ends]:
    """The links of a CI as (parent, child, relation type)."""
    path = f"configuration-items/{ci}/item-links{side}"
    return [ends(record) for record in api.records(path, **params)]


def view(api: Client, **params: Any) -> Any:
    return api.get("internalqueries", **params)


def test_f1_a_link_names_both_ends_and_the_relation(api: Client) -> None:
    body = api.body("configuration-items/1001/item-links")

    assert body["HREF"] == f"{api.root}/configuration-items/1001/item-links"
    assert body["total_record_count"] == str(len(body["records"])) == "11"
    assert body["records"][0] == {
        "PARENT_CI_ID": "1001",
        "CHILD_CI_ID": "1002",
        "RELATION_TYPE_ID": "1",
        "RELATION_TYPE": {"REFERENCE_ID": "1", "REFERENCE_FR": "S'exécute sur"},
        "BLOCKING": "1",
        "HREF": f"{api.root}/configuration-items/1001/item-links/1002",
        "PARENT_HREF": f"{api.root}/configuration-items/1001",
    }


def test_f1_the_relation_is_in_the_language_of_the_caller(api: Client) -> None:
    api.turn(language="EN")

    record = api.records("configuration-items/1001/item-links")[0]

    assert record["RELATION_TYPE"]["REFERENCE_EN"] == "Runs on"


def test_f2_a_ci_without_links_has_an_empty_list(api: Client) -> None:
    api.put("CI_LINK", [])

    assert api.body("configuration-items/1001/item-links")["records"] == []


def test_f3_a_link_is_seen_from_both_ends_and_all_cis_give_all_links(api: Client) -> None:
    seen = Counter(link for ci in range(1001, 1181) for link in links(api, ci))

    assert len(seen) == 300
    assert [link for link, times in seen.items() if times == 1] == [("1007", "1007", "1")]
    assert set(seen.values()) == {1, 2}


def test_f3_two_links_may_differ_by_their_relation_alone(api: Client) -> None:
    both = [("1004", "1005", "1"), ("1004", "1005", "2")]

    assert [link for link in links(api, 1005) if link[0] == "1004"] == both
    one = api.get("configuration-items/1004/item-links/1005").json()
    assert ends(one) == both[0]
    assert api.get("configuration-items/1004/item-links/1001").status_code == 404


def test_f4_halves_by_direction_have_no_address(api: Client) -> None:
    impacting = api.body("configuration-items/1001/item-links/impacting")
    impacted = api.body("configuration-items/1001/item-links/impacted")

    assert "HREF" not in impacting
    assert {record["CHILD_CI_ID"] for record in impacting["records"]} == {"1001"}
    assert {record["PARENT_CI_ID"] for record in impacted["records"]} == {"1001"}
    halves = [ends(record) for body in (impacting, impacted) for record in body["records"]]
    assert sorted(halves) == sorted(links(api, 1001))


def test_f4_linked_ci_narrows_a_half(api: Client) -> None:
    assert links(api, 1001, "/impacted", linked_ci="1002") == [("1001", "1002", "1")]
    assert links(api, 1001, "/impacting", linked_ci="1002") == []


@pytest.mark.parametrize(("build", "rich"), [("2021", False), ("2025.3", True)])
def test_f4_late_builds_describe_both_ends(api: Client, build: str, *, rich: bool) -> None:
    api.turn(build=build)

    record = api.records("configuration-items/1001/item-links/impacted")[0]

    assert ("CHILD_CI" in record) is rich
    if rich:
        assert record["CHILD_CI"]["NETWORK_IDENTIFIER"] == "par-db-00001"


def test_f5_links_of_a_ci_that_is_gone_are_a_404(api: Client) -> None:
    api.fault("rows", on="configuration-items", remove_keys=["1001"])
    assert "1001" in api.column("ASSET_ID", "configuration-items", max_rows=200)

    answer = api.get("configuration-items/1001/item-links")

    assert (answer.status_code, answer.json()) == (404, {"error": "Resource not found"})
    assert ("1001", "1002", "1") in links(api, 1002)


def test_f5_what_is_no_ci_has_no_links(api: Client) -> None:
    assert api.get("configuration-items/1200/item-links").status_code == 404


def test_f6_the_most_calls_under_way_together_are_told(api: Client) -> None:
    api.turn(latency=0.1)
    api.control("DELETE", "traffic")

    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(lambda ci: api.get(f"assets/{ci}").status_code, range(1001, 1007)))

    assert statuses == [200] * 6
    assert api.traffic()["at_once"] == 3


def test_f6_too_many_calls_at_once_are_a_429(api: Client) -> None:
    api.turn(latency=0.2, max_in_flight=1)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda ci: api.get(f"assets/{ci}"), (1001, 1002)))

    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert not [answer for answer in answers if "Retry-After" in answer.headers]


def test_f7_a_link_may_lead_outside_of_the_perimeter(api: Client) -> None:
    api.turn(users={"api": {"perimeter": {"AM_ASSET": 'ASSET_TAG:"T-0001"'}}})

    assert api.total("configuration-items") == 1
    assert ("1001", "1002", "1") in links(api, 1001)
    assert api.get("configuration-items/1002/item-links").status_code == 404


def test_f8_an_asset_has_links_with_a_rent(api: Client) -> None:
    record = api.records("assets/1001/asset-links")[0]

    assert record == {
        "ASSET_ID": "1001",
        "PARENT_ASSET_ID": "1243",
        "CONTRACT_ROW": "2",
        "MONTHLY_PAYMENT": "1,50",
        "HREF": f"{api.root}/assets/1243/asset-links/1001",
        "PARENT_HREF": f"{api.root}/assets/1243",
    }
    assert api.ask(record["HREF"]).json() == record
    assert len(api.records("assets/1243/asset-links")) == 5


def test_f9_links_of_one_ci_have_pages(api: Client) -> None:
    api.put(
        "CI_LINK",
        [
            {"LINK_ID": n, "PARENT_CI_ID": 1001, "CHILD_CI_ID": 1001 + n, "RELATION_TYPE_ID": 1}
            for n in range(1, 261)
        ],
    )

    url, found = f"{api.root}/configuration-items/1001/item-links", []
    while url:
        body = api.ask(url).json()
        found += [record["CHILD_CI_ID"] for record in body["records"]]
        url = body.get("@next", "")

    assert len(set(found)) == len(found) == 260
    assert body["record_count"] == "60"


def test_f10_links_turn_in_circles_and_on_themselves(api: Client) -> None:
    circle = {("1001", "1002", "1"), ("1002", "1003", "1"), ("1003", "1001", "1")}

    assert circle <= {link for ci in (1001, 1002, 1003) for link in links(api, ci)}
    assert links(api, 1007).count(("1007", "1007", "1")) == 1
    assert links(api, 1007, "/impacting")[0] == links(api, 1007, "/impacted")[0]


def test_links_are_searched_and_sorted_like_other_lists(api: Client) -> None:
    found = links(api, 1001, search='RELATION_TYPE_ID:"1"', sort="CHILD_CI_ID desc")

    assert found == sorted(found, key=lambda link: link[1], reverse=True)
    assert {link[2] for link in found} == {"1"}


def test_b31_a_saved_list_gives_every_link(api: Client) -> None:
    body = view(api, queryguid=LINKS_VIEW, max_rows=1000).json()

    assert body["total_record_count"] == "300"
    record = next(row for row in body["records"] if ends(row) == ("1001", "1002", "1"))
    assert record == {
        "PARENT_CI_ID": "1001",
        "PARENT_TAG": "T-0001",
        "PARENT_NAME": "par-web-00000",
        "CHILD_CI_ID": "1002",
        "CHILD_TAG": "T-0002",
        "CHILD_NAME": "par-db-00001",
        "RELATION_TYPE_ID": "1",
        "RELATION": "S'exécute sur",
        "BLOCKING": "1",
    }
    assert len({ends(row) for row in body["records"]}) == 300


@pytest.mark.parametrize("spelt", [str, str.lower, lambda guid: guid.strip("{}")])
def test_b31_a_saved_list_gives_every_ci(api: Client, spelt: Any) -> None:
    body = view(api, queryguid=spelt(CIS_VIEW), max_rows=200).json()

    keys = {record["ASSET_ID"] for record in body["records"]}
    assert keys == set(api.column("ASSET_ID", "configuration-items", max_rows=200))
    first = next(record for record in body["records"] if record["ASSET_ID"] == "1002")
    assert (first["MODEL"], first["LOCATION"]) == ("ProLiant DL380 v1", "Suisse")


@pytest.mark.parametrize("params", [{"queryguid": "{0}"}, {}, {"queryguid": "{}"}])
def test_b31_a_saved_list_that_is_not_there_is_a_590(api: Client, params: dict[str, str]) -> None:
    assert view(api, **params).status_code == 590


def test_b32_a_saved_list_gives_a_part_when_not_asked_for_more(api: Client) -> None:
    body = view(api, queryguid=LINKS_VIEW).json()

    assert (body["record_count"], body["total_record_count"]) == ("100", "300")


@pytest.mark.parametrize("heeded", [True, False])
def test_b32_a_saved_list_may_not_heed_an_offset(api: Client, *, heeded: bool) -> None:
    api.turn(view_offset=heeded)

    first, second = (
        [ends(row) for row in view(api, queryguid=LINKS_VIEW, offset=offset).json()["records"]]
        for offset in (0, 100)
    )

    assert (first != second) is heeded


@pytest.mark.parametrize(
    ("custom", "count"),
    [
        ("AM_ASSET.ASSET_ID >= 1101", 80),
        ("ASSET_ID > 1101 and ASSET_ID <= 1103", 2),
        ("AM_ASSET.ASSET_TAG = 'T-0001'", 1),
        ("AM_ASSET.LAST_UPDATE >= '2026-05-01 02:00:00.125'", 25),
        ("E_SITE_CODE <> 'S001' AND STATUS_ID < 2", 32),
        ("", 180),
    ],
)
def test_a_saved_list_is_narrowed_by_a_sql_fragment(api: Client, custom: str, count: int) -> None:
    body = view(api, queryguid=CIS_VIEW, custom_filter=custom, max_rows=1).json()

    assert body["total_record_count"] == str(count)


@pytest.mark.parametrize(
    "custom",
    ["1 = 1 OR 2", "AM_EMPLOYEE.LOGIN = 'x'", "NOPE = 1", "ASSET_ID = 'x'", "LAST_UPDATE > 'x'"],
)
def test_a_sql_fragment_that_is_none_is_a_590(api: Client, custom: str) -> None:
    assert view(api, queryguid=CIS_VIEW, custom_filter=custom).status_code == 590


def test_views_of_ones_own(api: Client) -> None:
    columns = {"Nom": "LAST_NAME", "Site": "LOCATION.LOCATION_xx"}
    api.turn(views={"{A}": {"table": "AM_EMPLOYEE", "columns": columns}}, language="EN")

    record = view(api, queryguid="a", max_rows=1).json()["records"][0]

    assert record.keys() == {"Nom", "Site"}
    assert record["Site"]
