"""Pages and values as the Table API gives them: cases 1 to 27 of specs/servicenow-cases.md."""

import gzip
import itertools
import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import pytest
import requests

from sandbox.servicenow_schema import key
from tests.sandbox.servicenow_client import BY_ID, Client, ids, numbered

SERVERS = "cmdb_ci_server"
NOT_FOUND = {
    "error": {
        "message": "No Record found",
        "detail": "Record doesn't exist or ACL restricts the record retrieval",
    },
    "status": "failure",
}


def links(answer: requests.Response) -> dict[str, int]:
    """Offset of each link, all of them to the instance's own host."""
    found = {}
    for rel, link in answer.links.items():
        assert link["url"].startswith("https://acme.service-now.com/api/now/table/")
        offset = re.search(r"sysparm_offset=(-?\d+)", link["url"])
        assert offset
        found[rel] = int(offset[1])
    return found


# -- pages


def test_case_01_two_rows_with_their_total_and_links(now: Client) -> None:
    answer = now.page(SERVERS, BY_ID, limit=2, fields="sys_id,name")

    rows = answer.json()["result"]
    every = ids(now.rows(SERVERS, BY_ID, fields="sys_id"))
    assert ids(rows) == sorted(every)[:2]
    assert [list(row) for row in rows] == [["sys_id", "name"]] * 2
    assert answer.headers["X-Total-Count"] == "2500"
    assert links(answer) == {"first": 0, "next": 2, "last": 2498}


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        pytest.param(1000, 1000, {"first": 0, "prev": 0, "next": 2000, "last": 2000}, id="case_02"),
        pytest.param(2000, 500, {"first": 0, "prev": 1000, "last": 2000}, id="case_03"),
        pytest.param(2500, 0, {"first": 0, "prev": 1500, "last": 2000}, id="case_04"),
    ],
)
def test_a_later_page_has_its_rows_and_links(
    now: Client, offset: int, count: int, expected: dict[str, int]
) -> None:
    answer = now.page(SERVERS, BY_ID, limit=1000, offset=offset, fields="sys_id")

    assert len(answer.json()["result"]) == count
    assert answer.headers["X-Total-Count"] == "2500"
    assert links(answer) == expected


def test_case_05_one_page_only_has_no_link(now: Client) -> None:
    answer = now.page(SERVERS, BY_ID, limit=10000, fields="sys_id")

    assert len(answer.json()["result"]) == 2500
    assert "Link" not in answer.headers


def test_case_06_ten_thousand_rows_when_no_limit_is_asked(now: Client) -> None:
    answer = now.page("big", BY_ID, fields="sys_id")

    assert len(answer.json()["result"]) == 10_000
    assert links(answer)["next"] == 10_000


def test_case_07_links_are_suppressed_and_the_total_stays(now: Client) -> None:
    answer = now.page(SERVERS, BY_ID, limit=2, suppress_pagination_header="true")

    assert "Link" not in answer.headers
    assert answer.headers["X-Total-Count"] == "2500"


def test_case_08_without_count_there_is_no_total_or_there_is(now: Client) -> None:
    silent = now.page(SERVERS, BY_ID, limit=2, no_count="true")
    now.turn(no_count_header=True)
    telling = now.page(SERVERS, BY_ID, limit=2, no_count="true")

    assert "X-Total-Count" not in silent.headers
    assert links(silent) == {"first": 0, "next": 2}
    assert telling.headers["X-Total-Count"] == "2500"


def test_case_09_an_empty_result(now: Client) -> None:
    answer = now.page(SERVERS, "name=doesnotexist")

    assert answer.json() == {"result": []}
    assert answer.headers["X-Total-Count"] == "0"


def test_case_10_nothing_found_is_404_on_the_path_of_v1_alone(now: Client) -> None:
    asked = {"sysparm_query": "name=doesnotexist"}

    first = now.get(f"/api/now/v1/table/{SERVERS}", asked)
    second = now.get(f"/api/now/v2/table/{SERVERS}", asked)

    assert (first.status_code, first.json()) == (404, NOT_FOUND)
    assert (second.status_code, second.json()) == (200, {"result": []})


def test_case_11_a_single_record_is_an_object(now: Client) -> None:
    sys_id = key("cmdb_ci_linux_server:1")

    row = now.get(f"/api/now/table/{SERVERS}/{sys_id}", {"sysparm_fields": "name"}).json()

    assert row == {"result": {"name": "srv-000001"}}


def test_case_12_a_single_record_that_is_not_there(now: Client) -> None:
    answer = now.get(f"/api/now/table/{SERVERS}/nope")

    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_answers_look_like_those_of_an_instance(now: Client) -> None:
    answer = now.page(SERVERS, BY_ID, limit=1)

    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Server"] == "ServiceNow"
    assert parsedate_to_datetime(answer.headers["Date"])
    assert answer.headers["X-Is-Logged-In"] == "true"


def test_the_total_drifts_and_prev_may_be_negative(now: Client) -> None:
    now.turn(total_error=-3, negative_prev=True)

    answer = now.page(SERVERS, BY_ID, limit=1000)

    assert answer.headers["X-Total-Count"] == "2497"
    assert links(answer)["prev"] == -1


def test_head_gives_headers_alone(now: Client) -> None:
    answer = now.get(f"/api/now/table/{SERVERS}", {"sysparm_limit": 1}, method="HEAD")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Total-Count"] == "2500"


def test_a_post_may_stand_in_for_a_get_and_is_a_write_otherwise(now: Client) -> None:
    override = {"X-HTTP-Method-Override": "GET"}
    path, asked = f"/api/now/table/{SERVERS}", {"sysparm_limit": 1}

    read = now.get(path, asked, method="POST", headers=override)
    written = [now.get(path, method=each).status_code for each in ("POST", "PUT", "DELETE")]

    assert len(read.json()["result"]) == 1
    assert written == [403] * 3


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/now/table/nope", "Invalid table nope"),
        ("/api/now/v9/table/cmdb_ci", "Requested URI does not represent any resource:"),
        ("/api/now/tabel/cmdb_ci", "Requested URI does not represent any resource: /now/tabel"),
        ("/api/now/table/cmdb_ci?sysparm_offset=-1", "Invalid sysparm_offset"),
    ],
)
def test_what_is_asked_wrongly_is_400(now: Client, path: str, message: str) -> None:
    answer = now.get(path)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)
    assert answer.json()["status"] == "failure"


def test_only_json_is_served(now: Client) -> None:
    answer = now.get("/api/now/table/cmdb_ci", headers={"Accept": "text/html"})

    assert answer.status_code == 406


def test_bodies_are_compressed_for_those_that_accept_it(now: Client) -> None:
    plain = now.page(SERVERS, BY_ID, limit=50).content
    now.turn(gzip=True)

    for _ in range(3):  # encoded, then kept, then given again
        answer = now.get(
            f"/api/now/table/{SERVERS}",
            {"sysparm_query": BY_ID, "sysparm_limit": 50},
            stream=True,
        )
        packed = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed) == plain


def test_pages_asked_again_are_the_same_until_the_data_changes(now: Client) -> None:
    now.put("u_small", numbered(4))
    first, second, third = (now.page("u_small", BY_ID, limit=2).content for _ in range(3))

    now.write("u_small", {"sys_id": "000", "name": "renamed"})

    assert first == second == third
    assert now.names("u_small", "", limit=2) == ["renamed", "row-001"]


# -- values


LINK = "https://acme.service-now.com/api/now/table"


@pytest.fixture
def paris(now: Client) -> Client:
    """One server in Paris, one nowhere."""
    place = {"sys_id": "p1", "name": "HQ Paris", "parent": "f1"}
    now.put("cmn_location", [place, {"sys_id": "f1", "name": "France"}])
    now.put(
        SERVERS,
        [
            {
                "sys_id": "1",
                "sys_class_name": "cmdb_ci_linux_server",
                "location": "p1",
                "operational_status": "1",
                "sys_updated_on": "2024-03-31 01:30:00",
                "sys_domain": "global",
                "cost": "45557.5",
                "u_outage": "1970-01-02 00:02:17",
                "virtual": "true",
                "work_notes": "never shown in lists",
            },
            {"sys_id": "2"},
        ],
    )
    now.put("sys_user_group", [])
    return now


@pytest.mark.parametrize(
    ("display", "exclude", "reference", "scalar"),
    [
        pytest.param(
            "false", "false", {"link": f"{LINK}/cmn_location/p1", "value": "p1"}, "1", id="case_13"
        ),
        pytest.param("false", "true", "p1", "1", id="case_14"),
        pytest.param(
            "true",
            "false",
            {"display_value": "HQ Paris", "link": f"{LINK}/cmn_location/p1"},
            "Operational",
            id="case_15",
        ),
        pytest.param("true", "true", "HQ Paris", "Operational", id="case_16"),
        pytest.param(
            "all",
            "false",
            {"display_value": "HQ Paris", "link": f"{LINK}/cmn_location/p1", "value": "p1"},
            {"display_value": "Operational", "value": "1"},
            id="case_17",
        ),
        pytest.param(
            "all",
            "true",
            {"display_value": "HQ Paris", "value": "p1"},
            {"display_value": "Operational", "value": "1"},
            id="case_18",
        ),
        pytest.param("True", "True", "HQ Paris", "Operational", id="case_19"),
    ],
)
def test_a_value_has_six_shapes(
    paris: Client, display: str, exclude: str, reference: Any, scalar: Any
) -> None:
    shape = {"display_value": display, "exclude_reference_link": exclude}

    full, empty = paris.rows(SERVERS, BY_ID, fields="location,operational_status", **shape)

    assert full == {"location": reference, "operational_status": scalar}
    nothing = {"display_value": "", "value": ""} if display == "all" else ""
    assert empty == {"location": nothing, "operational_status": nothing}


def test_an_empty_reference_may_have_an_empty_link(paris: Client) -> None:
    paris.turn(empty_reference_link=True)

    rows = paris.rows(SERVERS, "sys_id=2", fields="location", display_value="all")

    assert rows == [{"location": {"display_value": "", "link": "", "value": ""}}]


def test_case_20_a_date_time_is_utc_and_displayed_in_the_zone_of_the_account(
    paris: Client,
) -> None:
    asked = {"fields": "sys_updated_on", "display_value": "all"}

    (mine,) = paris.rows(SERVERS, "sys_id=1", **asked)
    (theirs,) = paris.rows(SERVERS, "sys_id=1", user="etl_range", **asked)

    raw = "2024-03-31 01:30:00"
    assert mine == {"sys_updated_on": {"display_value": "2024-03-31 03:30:00", "value": raw}}
    assert theirs == {"sys_updated_on": {"display_value": raw, "value": raw}}


def test_dates_are_displayed_in_the_format_of_the_account(paris: Client) -> None:
    paris.turn(users={"etl": {"zone": "Europe/Paris", "date_format": "%d/%m/%Y %H:%M"}})

    rows = paris.rows(SERVERS, "sys_id=1", fields="sys_updated_on", display_value="true")

    assert rows == [{"sys_updated_on": "31/03/2024 03:30"}]


def test_case_21_a_dot_walk_is_flat_and_empty_or_missing_behind_nothing(paris: Client) -> None:
    asked = "sys_id,location.name,location.parent.name,location.parent"

    full, empty = paris.rows(SERVERS, BY_ID, fields=asked)
    paris.turn(empty_dotwalk="missing")
    _, missing = paris.rows(SERVERS, BY_ID, fields=asked)
    (every,) = paris.rows(SERVERS, "sys_id=1", fields="location.name", display_value="all")

    assert full == {
        "sys_id": "1",
        "location.name": "HQ Paris",
        "location.parent.name": "France",
        "location.parent": {"link": f"{LINK}/cmn_location/f1", "value": "f1"},
    }
    assert empty == {**dict.fromkeys(full, ""), "sys_id": "2"}
    assert missing == {"sys_id": "2"}
    assert every == {"location.name": {"display_value": "HQ Paris", "value": "HQ Paris"}}


def test_case_22_unknown_fields_are_ignored_in_silence(now: Client) -> None:
    (row,) = now.rows(SERVERS, BY_ID, limit=1, fields="sys_id,nope,u_missing,name.x,location.nope")

    assert list(row) == ["sys_id"]


def test_case_23_a_parent_table_has_no_columns_of_its_children(now: Client) -> None:
    (parent,) = now.rows("cmdb_ci", "name=srv-000001", fields="sys_id,os")
    (child,) = now.rows(SERVERS, "name=srv-000001", fields="sys_id,os")

    assert list(parent) == ["sys_id"]
    assert child["os"] == "Linux Debian"
    assert now.count("cmdb_ci") == 2500 + 800 + 60


def test_case_24_the_class_is_a_table_name_or_its_label(now: Client) -> None:
    (row,) = now.rows("cmdb_ci", "name=srv-000001", fields="sys_class_name", display_value="all")

    told = {"display_value": "Linux Server", "value": "cmdb_ci_linux_server"}
    assert row == {"sys_class_name": told}


def test_case_25_all_values_are_texts_and_nothing_is_an_empty_one(now: Client) -> None:
    rows = now.rows(SERVERS, BY_ID, limit=200, exclude_reference_link="true")

    values = list(itertools.chain.from_iterable(row.values() for row in rows))
    assert {type(value) for value in values} == {str}
    assert {row["virtual"] for row in rows} == {"true", "false"}
    assert {row["asset_tag"][:1] for row in rows} == {"P"}
    assert {row["duplicate_of"] for row in rows} == {""}


def test_case_26_a_reference_may_lead_to_an_id_that_is_no_guid(paris: Client) -> None:
    (row,) = paris.rows(SERVERS, "sys_id=1", fields="sys_domain")

    assert row["sys_domain"] == {"link": f"{LINK}/sys_user_group/global", "value": "global"}


def test_case_27_a_view_has_fewer_fields_and_fields_win_over_it(now: Client) -> None:
    (mobile,) = now.rows(SERVERS, BY_ID, limit=1, view="mobile")
    (fields,) = now.rows(SERVERS, BY_ID, limit=1, view="mobile", fields="asset_tag")

    assert set(mobile) == {"sys_id", "name", "sys_class_name", "operational_status", "location"}
    assert list(fields) == ["asset_tag"]


def test_prices_durations_and_lists_have_their_display(now: Client) -> None:
    fields = "cost,cost_cc,u_outage,u_watchers,work_notes,virtual"
    query = f"costISNOTEMPTY^{BY_ID}"

    (raw,) = now.rows(SERVERS, query, limit=1, fields=fields)
    (shown,) = now.rows(SERVERS, query, limit=1, fields=fields, display_value="true")

    first, second = key("sys_user:1"), key("sys_user:2")
    assert raw == {
        "cost": "45557.5",
        "cost_cc": "USD",
        "u_outage": "1970-01-02 00:02:17",
        "u_watchers": f"{first},{second}",
        "work_notes": "",
        "virtual": raw["virtual"],
    }
    assert shown == {
        **raw,
        "cost": "$45,557.50",
        "u_outage": "1 Day 2 Minutes 17 Seconds",
        "u_watchers": "Anne-Sophie Noël, Jérôme Müller",
    }


def test_a_reference_that_leads_nowhere_has_no_name(now: Client) -> None:
    now.put("cmdb_rel_ci", [{"sys_id": "r", "parent": "gone", "child": ""}])

    (row,) = now.rows("cmdb_rel_ci", fields="parent,child", display_value="all")

    assert row["parent"] == {"display_value": "", "link": f"{LINK}/cmdb_ci/gone", "value": "gone"}


def test_links_have_the_version_of_the_call(now: Client) -> None:
    asked = {"sysparm_fields": "parent", "sysparm_query": "parentISNOTEMPTY", "sysparm_limit": 1}

    (row,) = now.get("/api/now/v2/table/cmdb_rel_ci", asked).json()["result"]

    assert row["parent"]["link"].startswith("https://acme.service-now.com/api/now/v2/table/cmdb_ci")


def test_custom_classes_and_references_are_declared(now: Client) -> None:
    now.turn(parents={"u_robot": "cmdb_ci"}, references={"u_robot.u_master": "sys_user"})
    now.put("sys_user", [{"sys_id": "m", "name": "Ada"}])
    now.put("u_robot", [{"sys_id": "1", "name": "R2", "u_master": "m", "u_arms": "3"}])

    (robot,) = now.rows("u_robot", fields="name,u_arms,u_master.name,sys_class_name")
    parents = now.names("cmdb_ci", "sys_class_name=u_robot")

    expected = {"name": "R2", "u_arms": "3", "u_master.name": "Ada", "sys_class_name": "u_robot"}
    assert robot == expected
    assert parents == ["R2"]


def test_choices_have_the_labels_of_sys_choice(paris: Client) -> None:
    choice = {"name": SERVERS, "element": "operational_status", "value": "77", "label": "Asleep"}
    paris.put("sys_choice", [{"sys_id": "c", **choice}])
    paris.write(SERVERS, {"sys_id": "1", "operational_status": "77"})

    rows = paris.rows(SERVERS, "sys_id=1", fields="operational_status", display_value="true")

    assert rows == [{"operational_status": "Asleep"}]


def test_half_a_surrogate_pair_is_an_escape_that_orjson_refuses(now: Client) -> None:
    body = now.page("weird", BY_ID).content

    assert b"\\ud83d" in body
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    texts = [row["text"] for row in json.loads(body)["result"]]
    assert len(texts) == 50
    assert any("\x00" in text for text in texts)
    assert any(text.startswith("\ufeff") for text in texts)
