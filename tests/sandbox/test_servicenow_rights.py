"""Rows, fields, tables and ranges that an account may not see: cases 42 to 48 of the spec."""

import pytest

from tests.sandbox.servicenow_client import BY_ID, Client, ids, numbered

ACL = "etl_acl"


def test_case_42_a_short_page_is_followed_by_others_and_counts_what_is_hidden(now: Client) -> None:
    rows = numbered(200)
    for number in range(30):
        rows[number * 3]["name"] = f"hid-{number}"
    now.put("u_trimmed", rows)

    answer = now.page("u_trimmed", BY_ID, user=ACL, limit=100)

    assert len(answer.json()["result"]) == 70
    assert answer.headers["X-Total-Count"] == "200"
    assert "sysparm_offset=100" in answer.links["next"]["url"]
    assert len(now.rows("u_trimmed", BY_ID, limit=100)) == 100


def test_case_43_a_page_in_the_middle_is_empty_and_later_ones_are_full(now: Client) -> None:
    pages = [
        now.page("hidblock", BY_ID, user=ACL, limit=100, offset=offset)
        for offset in range(0, 3000, 100)
    ]

    counts = [len(page.json()["result"]) for page in pages]
    empty = counts.index(0)
    assert "next" in pages[empty].links
    assert counts[-1] == counts[0] == 100
    assert sum(counts) == sum(not sys_id.startswith("4") for sys_id in ids(_every(now)))


def test_case_44_a_keyset_into_the_block_is_empty_until_the_offset_is_past_it(now: Client) -> None:
    every = ids(_every(now))
    hidden = [sys_id for sys_id in every if sys_id.startswith("4")]
    after = [sys_id for sys_id in every if sys_id >= "5"]
    query = f"sys_id>3{'f' * 31}^{BY_ID}"

    inside = now.page("hidblock", query, user=ACL, limit=100)
    beyond = now.page("hidblock", query, user=ACL, limit=100, offset=len(hidden))

    assert len(hidden) > 100
    assert inside.json() == {"result": []}
    assert int(inside.headers["X-Total-Count"]) == len(hidden) + len(after)
    assert ids(beyond.json()["result"]) == after[:100]


def test_case_45_all_rows_may_be_hidden(now: Client) -> None:
    now.turn(row_acls=[{"user": ACL, "table": "cmdb_ci_appl", "everything": True}])

    answer = now.page("cmdb_ci_appl", BY_ID, user=ACL)

    assert answer.json() == {"result": []}
    assert answer.headers["X-Total-Count"] == "800"
    assert now.count("cmdb_ci_appl") == len(now.rows("cmdb_ci_appl", BY_ID, fields="sys_id"))


def test_each_nth_row_may_be_hidden(now: Client) -> None:
    now.put("u_small", numbered(8))
    now.turn(row_acls=[{"table": "u_small", "every": 4}])

    assert ids(now.rows("u_small", BY_ID)) == ["000", "001", "002", "004", "005", "006"]


def test_a_hidden_row_is_not_found_and_no_dot_walk_shows_it(now: Client) -> None:
    now.put("cmn_location", [{"sys_id": "x", "name": "hid-place"}])
    now.put("cmdb_ci_server", [{"sys_id": "1", "location": "x"}])

    hidden = now.get("/api/now/table/cmn_location/x", user=ACL)
    seen = now.get("/api/now/table/cmn_location/x")
    (row,) = now.rows("cmdb_ci_server", user=ACL, fields="location.name")

    assert (hidden.status_code, seen.status_code) == (404, 200)
    assert row == {"location.name": ""}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("missing", {"sys_id": "1"}), ("empty", {"sys_id": "1", "serial_number": ""})],
)
def test_case_46_a_hidden_column_is_missing_or_empty(
    now: Client, shape: str, expected: dict[str, str]
) -> None:
    now.turn(field_acls=[{"user": ACL, "fields": ["serial_number"], "shape": shape}])
    now.put("cmdb_ci", [{"sys_id": "1", "serial_number": "S"}])

    assert now.rows("cmdb_ci", user=ACL, fields="sys_id,serial_number") == [expected]
    assert now.rows("cmdb_ci", fields="serial_number") == [{"serial_number": "S"}]


def test_a_hidden_column_is_hidden_behind_a_dot_as_well(now: Client) -> None:
    now.turn(field_acls=[{"user": ACL, "table": "cmn_location", "fields": ["name"]}])
    now.put("cmdb_ci", [{"sys_id": "1", "name": "ci", "location": ""}])

    assert now.rows("cmdb_ci", user=ACL, fields="name,location.name") == [{"name": "ci"}]


def test_case_47_a_table_is_refused(now: Client) -> None:
    answer = now.page("cmdb_rel_ci", user="ro_none")

    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "message": "Operation Failed",
            "detail": "ACL Exception Query Failed due to security constraints",
        },
        "status": "failure",
    }
    assert now.page("cmdb_ci", user="ro_none", limit=1).status_code == 200


def test_case_48_a_range_is_ignored_and_every_page_is_the_first(now: Client) -> None:
    first = now.rows("hidblock", BY_ID, user="etl_range", limit=100)

    for row in (first[-1], first[50]):
        query = f"sys_id>{row['sys_id']}^{BY_ID}"
        assert now.rows("hidblock", query, user="etl_range", limit=100) == first


def test_case_48_or_the_call_is_refused(now: Client) -> None:
    now.turn(query_acls=[{"user": "etl_range", "effect": "refused"}])

    refused = now.page("hidblock", f"sys_id>4^{BY_ID}", user="etl_range")
    exact = now.page("hidblock", "sys_idIN1,2", user="etl_range")

    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == "Insufficient rights to query records"
    assert exact.status_code == 200


def test_madrid_has_no_query_acls(now: Client) -> None:
    now.turn(release="madrid")

    rows = now.rows("hidblock", f"sys_id>8^{BY_ID}", user="etl_range", limit=1)

    assert rows[0]["sys_id"] > "8"


def _every(now: Client) -> list[dict[str, str]]:
    return now.rows("hidblock", BY_ID, fields="sys_id")
