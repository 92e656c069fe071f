"""Counts, relations, deletions, classes and schema: cases 49 to 56 of the spec."""

import re
from collections import Counter
from typing import Any

import pytest

from sandbox.servicenow_schema import key
from tests.sandbox.servicenow_client import BY_ID, Client, ids

STATS = "/api/now/stats/cmdb_ci_server"


def stats(now: Client, path: str = STATS, *, user: str = "etl", **params: str) -> Any:
    asked = {f"sysparm_{name}": value for name, value in params.items()}
    return now.get(path, asked, user=user).json()["result"]


def test_case_49_a_count_is_a_text_and_row_acls_do_not_lower_it(now: Client) -> None:
    for user in ("etl", "etl_acl"):
        assert stats(now, user=user, count="true") == {"stats": {"count": "2500"}}


def test_case_50_a_count_by_group(now: Client) -> None:
    groups = stats(now, count="true", group_by="sys_class_name")

    assert groups == [
        {
            "stats": {"count": count},
            "groupby_fields": [{"field": "sys_class_name", "value": name}],
        }
        for name, count in (
            ("cmdb_ci_linux_server", "1500"),
            ("cmdb_ci_server", "100"),
            ("cmdb_ci_win_server", "900"),
        )
    ]


def test_groups_may_be_displayed_ordered_and_filtered(now: Client) -> None:
    groups = stats(
        now,
        count="true",
        group_by="sys_class_name",
        display_value="all",
        order_by="sys_class_name^DESC",
        having="count^sys_class_name^>^100",
    )

    assert [group["groupby_fields"][0]["display_value"] for group in groups] == [
        "Windows Server",
        "Linux Server",
    ]


def test_case_51_extremes_and_sums(now: Client) -> None:
    now.put("cmdb_ci_server", [{"sys_id": str(n), "ram": f"{n}"} for n in (8, 16, 33)])

    told = stats(now, min_fields="ram", max_fields="sys_id", avg_fields="ram", sum_fields="ram")

    assert told["stats"]["max"] == {"sys_id": "8"}
    assert told["stats"]["avg"] == {"ram": "19"}
    assert told["stats"]["sum"] == {"ram": "57"}


def test_a_count_is_of_the_query_and_nothing_without_an_aggregate(now: Client) -> None:
    query = "sys_class_name=cmdb_ci_win_server"

    assert stats(now, count="true", query=query) == {"stats": {"count": "900"}}
    assert stats(now, query=query) == {"stats": {}}
    assert now.get("/api/now/stats/cmdb_rel_ci", user="ro_none").status_code == 403


def test_a_count_may_be_wrong(now: Client) -> None:
    now.turn(stats_error=7)

    assert stats(now, count="true") == {"stats": {"count": "2507"}}


def test_case_52_relations_are_three_ids_some_of_them_empty_or_leading_nowhere(
    now: Client,
) -> None:
    asked = {"fields": "sys_id,parent,child,type", "exclude_reference_link": "true"}
    rows = now.rows("cmdb_rel_ci", BY_ID, **asked)
    items = set(ids(now.rows("cmdb_ci", BY_ID, fields="sys_id")))
    types = set(ids(now.rows("cmdb_rel_type", fields="sys_id")))

    links = Counter((row["parent"], row["child"], row["type"]) for row in rows)
    assert len(rows) == 6000
    assert sum(not row["parent"] for row in rows) == 5
    assert sum(not row["type"] for row in rows) == 5
    assert sum(row["child"] not in items for row in rows) == 10
    assert sum(row["type"] not in types for row in rows if row["type"]) == 5
    assert sum(row["parent"] == row["child"] for row in rows) == 5
    assert sum(count - 1 for count in links.values()) == 20


def test_case_53_a_relation_type_has_two_readings(now: Client) -> None:
    (row,) = now.rows("cmdb_rel_type", "nameSTARTSWITHDepends")

    assert row["name"] == "Depends on::Used by"
    assert row["parent_descriptor"] == "Depends on"
    assert row["child_descriptor"] == "Used by"
    assert row["sys_id"] == "1a9cb166f1571100a92eb60da2bce5c5"
    assert now.count("cmdb_rel_type") == 12


def test_case_54_deletions_have_the_class_and_the_key(now: Client) -> None:
    query = "tablenameINcmdb_ci_linux_server,cmdb_ci_win_server^sys_created_on>=2024-02-15 00:00:00"
    gone = set(ids(now.rows("cmdb_ci", fields="sys_id")))

    rows = now.rows("sys_audit_delete", query)

    assert 0 < len(rows) < now.count("sys_audit_delete") == 30
    assert not gone & {row["documentkey"] for row in rows}


@pytest.mark.parametrize(("release", "count"), [("madrid", 1000), ("today", 2500)])
def test_case_55_the_instance_api_lists_ids_and_names(
    now: Client, release: str, count: int
) -> None:
    now.turn(release=release)

    rows = now.get("/api/now/cmdb/instance/cmdb_ci_server").json()["result"]

    assert len(rows) == count
    assert set(rows[0]) == {"sys_id", "name"}


def test_case_55_one_item_comes_with_its_relations(now: Client) -> None:
    now.put("cmdb_ci", [{"sys_id": "a", "name": "A", "location": ""}, {"sys_id": "b", "name": "B"}])
    now.put("core_company", [{"sys_id": "c", "name": "ACME"}])
    now.write("cmdb_ci", {"sys_id": "b", "company": "c"})
    depends = now.rows("cmdb_rel_type", "nameSTARTSWITHDepends")[0]["sys_id"]
    now.put("cmdb_rel_ci", [{"sys_id": "r", "parent": "a", "child": "b", "type": depends}])

    item = now.get("/api/now/cmdb/instance/cmdb_ci/b").json()["result"]
    gone = now.get("/api/now/cmdb/instance/cmdb_ci/zzz")

    base = "https://acme.service-now.com/api/now/table"
    assert item["attributes"]["name"] == "B"
    assert item["attributes"]["company"] == {
        "display_value": "ACME",
        "link": f"{base}/core_company/c",
        "value": "c",
    }
    assert item["attributes"]["location"] == ""
    assert item["outbound_relations"] == []
    assert item["inbound_relations"] == [
        {
            "sys_id": "r",
            "type": {
                "display_value": "Depends on::Used by",
                "link": f"{base}/cmdb_rel_type/{depends}",
                "value": depends,
            },
            "target": {"display_value": "A", "link": f"{base}/cmdb_ci/a", "value": "a"},
        }
    ]
    assert gone.status_code == 404


def test_relations_of_one_item_are_paged(now: Client) -> None:
    now.put("cmdb_ci", [{"sys_id": "a"}])
    now.put(
        "cmdb_rel_ci",
        [{"sys_id": str(n), "parent": "a", "child": "x", "type": ""} for n in range(5)],
    )
    asked = {"sysparm_relation_limit": 2, "sysparm_relation_offset": 1}

    item = now.get("/api/now/cmdb/instance/cmdb_ci/a", asked).json()["result"]

    assert [each["sys_id"] for each in item["outbound_relations"]] == ["1", "2"]


def test_case_56_the_schema_is_told_by_its_own_tables(now: Client) -> None:
    chain, name = [], "cmdb_ci_linux_server"
    while name:
        query = f"name={name}"
        (row,) = now.rows("sys_db_object", query, fields="name,super_class.name")
        chain.append(row["name"])
        name = row["super_class.name"]
    own = {row["element"] for row in now.rows("sys_dictionary", "name=cmdb_ci_server")}
    (location,) = now.rows(
        "sys_dictionary", "name=cmdb_ci^element=location", exclude_reference_link="true"
    )

    assert chain == [
        "cmdb_ci_linux_server",
        "cmdb_ci_server",
        "cmdb_ci_computer",
        "cmdb_ci_hardware",
        "cmdb_ci",
        "cmdb",
    ]
    assert {"classification", "used_for", "u_watchers"} <= own
    assert not {"name", "os", "sys_id"} & own
    assert (location["internal_type"], location["reference"]) == ("reference", "cmn_location")


def test_choices_are_told_with_their_class(now: Client) -> None:
    rows = now.rows("sys_choice", "element=operational_status^value=2")

    assert {row["name"]: row["label"] for row in rows} == {
        "cmdb_ci": "Non-Operational",
        "cmdb_ci_service": "Unavailable",
    }


def test_a_class_tells_its_columns_inherited_ones_included(now: Client) -> None:
    told = now.get("/api/now/cmdb/meta/cmdb_ci_linux_server").json()["result"]
    attributes = {each["element"]: each for each in told["attributes"]}

    assert (told["label"], told["parent"]) == ("Linux Server", "cmdb_ci_server")
    assert attributes["kernel_release"]["is_inherited"] == "false"
    assert attributes["location"]["is_inherited"] == "true"
    assert attributes["location"]["reference"] == "cmn_location"
    assert attributes["name"]["default_value"] is None
    children = now.get("/api/now/cmdb/meta/cmdb_ci_server").json()["result"]["children"]
    assert "cmdb_ci_win_server" in children
    assert now.get("/api/now/cmdb/meta/sys_user").status_code == 400


def test_the_release_and_the_classes_it_has_are_told(now: Client) -> None:
    later = "cmdb_ci_service_business"
    today = now.rows("sys_properties", "name=glide.buildname")
    assert now.page(later).status_code == 200

    now.turn(release="madrid")
    madrid = now.rows("sys_properties", "name=glide.buildname")

    assert (today[0]["value"], madrid[0]["value"]) == ("Australia", "Madrid")
    assert now.page(later).status_code == 400
    elements = {row["element"] for row in now.rows("sys_dictionary", "name=cmdb_ci")}
    assert not [element for element in elements if re.match("life_cycle", element)]


def test_each_account_is_a_user_with_its_roles(now: Client) -> None:
    (user,) = now.rows("sys_user", "user_name=etl")
    roles = now.rows("sys_user_has_role", "user.user_name=etl", fields="role.name")

    assert user["sys_id"] == key("sys_user:etl")
    assert {row["role.name"] for row in roles} == {"itil", "snc_read_only"}
