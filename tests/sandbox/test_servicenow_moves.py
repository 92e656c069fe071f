"""Data that moves while it is read, and between two runs: cases 86 to 96 of the spec."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from sandbox.servicenow_schema import key
from tests.sandbox.servicenow_client import BY_ID, Client, ids, numbered


@pytest.fixture
def rows(now: Client) -> Client:
    """A table of twelve rows, from 100 on."""
    now.put("u_rows", numbered(112)[100:])
    return now


def by_keyset(now: Client) -> list[str]:
    found: list[str] = []
    query = BY_ID
    while page := ids(now.rows("u_rows", query, limit=4)):
        found += page
        query = f"sys_id>{page[-1]}^{BY_ID}"
    return found


def by_offset(now: Client) -> list[str]:
    pages = (now.rows("u_rows", BY_ID, limit=4, offset=offset) for offset in range(0, 16, 4))
    return [sys_id for page in pages for sys_id in ids(page)]


TWELVE = [f"{number:03}" for number in range(100, 112)]


def test_case_86_a_row_behind_the_cursor_is_not_seen_in_this_run(rows: Client) -> None:
    rows.fault("rows", add=[{"sys_id": "000", "name": "late"}])

    assert by_keyset(rows) == TWELVE
    assert by_keyset(rows) == ["000", *TWELVE]


def test_case_87_offsets_skip_rows_and_read_others_twice(rows: Client) -> None:
    rows.fault("rows", remove=1)
    skipped = by_offset(rows)
    rows.put("u_rows", numbered(112)[100:])
    rows.fault("rows", add=[{"sys_id": "000"}])
    doubled = by_offset(rows)

    assert "104" not in skipped
    assert doubled.count("103") == 2
    rows.put("u_rows", numbered(112)[100:])
    rows.fault("rows", remove_ids=["100"])
    assert by_keyset(rows) == TWELVE


def test_case_88_an_update_keeps_the_other_values_of_its_row(rows: Client) -> None:
    rows.write("u_rows", {"sys_id": "103", "sys_mod_count": "2"})

    (row,) = rows.rows("u_rows", "sys_id=103")

    assert row == {"sys_id": "103", "name": "row-103", "sys_mod_count": "2"}


def test_case_90_a_row_appears_with_an_old_stamp(rows: Client) -> None:
    window = "sys_updated_on>=2024-01-01 00:00:00^sys_updated_on<2024-01-01 00:05:00"

    before = rows.count("u_rows", window)
    rows.write("u_rows", {"sys_id": "999", "sys_updated_on": "2024-01-01 00:00:30"})

    assert (before, rows.count("u_rows", window)) == (12, 1)


def test_case_91_the_clock_of_the_instance_is_in_the_header_date(rows: Client) -> None:
    rows.turn(clock_skew=-600)

    told = parsedate_to_datetime(rows.page("u_rows").headers["Date"])

    assert -660 < (told - datetime.now(UTC)).total_seconds() < -540


def test_case_92_a_reclassified_item_keeps_its_id_and_moves(now: Client) -> None:
    sys_id = key("cmdb_ci_linux_server:1")

    now.write("cmdb_ci_win_server", {"sys_id": sys_id, "sys_class_name": "cmdb_ci_win_server"})

    assert now.get(f"/api/now/table/cmdb_ci_linux_server/{sys_id}").status_code == 404
    assert now.names("cmdb_ci_win_server", f"sys_id={sys_id}") == ["srv-000001"]
    assert now.count("cmdb_ci_server") == 2500
    assert now.count("sys_audit_delete") == 30


def test_case_93_a_deleted_item_leaves_an_audit_row_or_none(now: Client) -> None:
    audited, silent = key("cmdb_ci_linux_server:1"), key("cmdb_ci_linux_server:2")

    now.delete("cmdb_ci", audited)
    now.delete("cmdb_ci", silent, audit="false")

    asked = "tablename,documentkey,display_value"
    rows = now.rows("sys_audit_delete", f"documentkeyIN{audited},{silent}", fields=asked)
    assert rows == [
        {
            "tablename": "cmdb_ci_linux_server",
            "documentkey": audited,
            "display_value": "srv-000001",
        }
    ]
    assert now.count("cmdb_ci_server") == 2498
    now.write("cmdb_ci_linux_server", {"sys_id": audited, "name": "srv-000001"})
    assert now.count("cmdb_ci_server") == 2499


def test_case_94_a_renamed_company_does_not_touch_its_items(now: Client) -> None:
    now.put("core_company", [{"sys_id": "c", "name": "Old"}])
    now.put("cmdb_ci", [{"sys_id": "1", "company": "c", "sys_mod_count": "4"}])

    now.write("core_company", {"sys_id": "c", "name": "New"})

    (row,) = now.rows("cmdb_ci", fields="company.name,sys_mod_count")
    assert row == {"company.name": "New", "sys_mod_count": "4"}


def test_case_95_rights_are_lost_between_two_runs(rows: Client) -> None:
    before = rows.rows("u_rows", BY_ID)
    rows.turn(row_acls=[{"table": "u_rows", "low": "102"}])
    after = rows.page("u_rows", BY_ID)

    assert len(before) == 12
    assert ids(after.json()["result"]) == ["100", "101"]
    assert after.headers["X-Total-Count"] == "12"


def test_case_96_a_count_taken_before_differs_from_what_is_read(rows: Client) -> None:
    before = rows.count("u_rows")
    rows.fault("rows", add=[{"sys_id": "900"}])

    assert (before, len(by_keyset(rows))) == (12, 13)


def test_a_view_of_the_database_has_no_sys_id_to_page_by(now: Client) -> None:
    now.put("u_view", [{"name": f"{number}"} for number in range(6)])

    answer = now.page("u_view", f"sys_id>3^{BY_ID}", limit=4)

    assert len(answer.json()["result"]) == 4
    assert answer.headers["X-Total-Count"] == "6"


def test_a_table_disappears_whole_and_is_back_after_a_reset(now: Client) -> None:
    url = f"{now.url}/sandbox/tables/cmdb_ci_appl"
    assert now.session.delete(url, timeout=10).status_code == 204

    gone = now.page("cmdb_ci_appl")
    now.reset()

    assert (gone.status_code, now.count("cmdb_ci_appl")) == (400, 800)


def test_a_reset_brings_rows_knobs_and_counters_back(now: Client) -> None:
    now.turn(release="madrid", users={"other": {}})
    now.put("cmdb_ci", [])
    now.write("u_new", {"sys_id": "1"})

    now.reset()

    assert now.count("cmdb_ci") == 3360
    assert now.page("u_new").status_code == 400
    assert now.traffic()["requests"] == 2
