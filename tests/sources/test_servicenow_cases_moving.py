"""Data that moves while it is read: cases 86 to 96 of specs/servicenow-cases.md."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_schema import Record
from sources.base import Complete
from tests.sources.servicenow_rig import Rig

PAGES = {"table": "u_t", "page_size": 10}
COUNT = 60


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Rig:
    """Sixty rows of `u_t`, stamped a minute apart; keys end in 0."""
    served.instance.reset()
    served.instance.put_table("u_t", [row(rank) for rank in range(COUNT)])
    return served


def row(rank: float, stamp: str = "") -> Record:
    moment = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=rank)
    return {
        "sys_id": f"{int(rank * 16) + 16:032x}",
        "name": f"row {rank}",
        "sys_updated_on": stamp or f"{moment:%Y-%m-%d %H:%M:%S}",
    }


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def test_case_86_a_row_that_comes_behind_the_cursor_is_of_the_next_run(rig: Rig) -> None:
    rig.fault("rows", "u_t", at=3, add=[row(2.5)])

    first = rig.read(PAGES)
    second = rig.read(PAGES)

    assert first.values("name") == [f"row {rank}" for rank in range(COUNT)]
    assert "X-Total-Count says 60 and /stats 61" not in first.evidence
    assert "1 are hidden from the account or came while reading" in first.evidence
    assert "row 2.5" in second.values("name")


def test_case_86_a_row_that_comes_before_the_cursor_is_read(rig: Rig) -> None:
    rig.fault("rows", "u_t", at=3, add=[row(45.5)])

    read = rig.read(PAGES)

    assert "row 45.5" in read.values("name")
    assert "61 rows" in read.evidence


@pytest.mark.parametrize("page", [1, 2, 5])
def test_case_87_rows_that_go_take_no_others_with_them(rig: Rig, page: int) -> None:
    gone = [row(rank)["sys_id"] for rank in (0, 1, 2, 3)]
    rig.fault("rows", "u_t", at=page, remove_ids=gone)

    read = rig.read(PAGES)

    assert read.values("name") == [f"row {rank}" for rank in range(COUNT)]
    assert "4 went while they were read" in read.evidence


def test_case_87_the_last_row_of_a_page_may_go(rig: Rig) -> None:
    rig.fault("rows", "u_t", at=2, remove_ids=[row(19)["sys_id"]])

    read = rig.read(PAGES)

    assert len(read.ids) == COUNT
    assert read.evidence


def test_case_88_a_row_that_changes_is_read_once_as_it_was_then(rig: Rig) -> None:
    changed = {**row(3), "name": "another"}
    rig.fault("rows", "u_t", at=2, add=[changed])

    first = rig.read(PAGES)
    second = rig.read(PAGES)

    assert "row 3" in first.values("name")
    assert "another" in second.values("name")
    assert len(set(second.ids)) == len(second.ids) == COUNT


def test_case_89_windows_that_meet_share_no_row_and_lose_none(rig: Rig) -> None:
    # The 400 servers of one second stand at the border of two windows.
    border = datetime(2024, 3, 31, 1, 30, tzinfo=UTC)
    servers = {"overlap": 0, "lag": 0}
    fields = {"sys_updated_on"}

    before = rig.read(servers, fields, until=border)
    after = rig.read(servers, fields, since=border)

    assert sorted(before.ids + after.ids) == rig.ids("cmdb_ci_server")
    assert after.values("sys_updated_on").count("2024-03-31 01:30:00") == 400


def test_case_90_what_is_stamped_before_it_shows_is_in_the_overlap(rig: Rig) -> None:
    since = datetime(2024, 3, 1, 0, 40, tzinfo=UTC)
    late = row(7.5, stamp=stamp(since - timedelta(minutes=5)))
    rig.instance.write("u_t", [late])

    read = rig.read(PAGES, since=since)
    exact = rig.read({**PAGES, "overlap": 0}, since=since)

    assert late["sys_id"] in read.ids
    assert late["sys_id"] not in exact.ids
    assert set(exact.ids) < set(read.ids)


@pytest.mark.parametrize("skew", [-600, 600])
def test_case_91_the_clock_of_the_instance_ends_a_window(rig: Rig, skew: int) -> None:
    rig.turn(clock_skew=skew)
    now = rig.instance.now()
    rows = [
        row(100, stamp=stamp(now - timedelta(minutes=1))),
        row(101, stamp=stamp(now + timedelta(minutes=1))),
    ]
    rig.instance.write("u_t", rows)

    read = rig.read(PAGES, since=datetime(2024, 1, 1, tzinfo=UTC))

    assert "row 100" in read.values("name")
    assert "row 101" not in read.values("name")


def test_case_91_the_end_of_a_window_stays_where_it_was(rig: Rig) -> None:
    rig.read(PAGES, since=datetime(2024, 1, 1, tzinfo=UTC))

    ends = {
        part
        for query in rig.queries("u_t")
        for part in query.split("^")
        if part.startswith("sys_updated_on<")
    }
    assert len(ends) == 1


def test_a_window_may_end_early(rig: Rig) -> None:
    until = datetime(2024, 3, 1, 0, 10, tzinfo=UTC)

    read = rig.read(PAGES, until=until)

    assert read.values("name") == [f"row {rank}" for rank in range(10)]


def test_a_window_and_a_mapping_may_both_want_the_stamp_and_the_key(rig: Rig) -> None:
    since = datetime(2024, 3, 1, 0, 50, tzinfo=UTC)
    both = {**PAGES, "display_value": "all", "overlap": 0}

    read = rig.read(both, {"sys_updated_on.value", "sys_id.display_value"}, since=since)

    assert len(read.records) == 10
    assert {each["value"][:10] for each in read.values("sys_updated_on")} == {"2024-03-01"}
    assert "10 rows" in read.evidence


@pytest.mark.parametrize("display", [True, "all"])
def test_windows_of_labels_are_windows_too(rig: Rig, display: Any) -> None:
    since = datetime(2024, 3, 1, 0, 50, tzinfo=UTC)

    read = rig.read({**PAGES, "display_value": display, "overlap": 0}, since=since)

    assert read.values("name") == [f"row {rank}" for rank in range(50, COUNT)]
    assert read.evidence


def test_case_92_an_item_that_changes_class_is_one_item(rig: Rig) -> None:
    item = dict(rig.instance.data.view("cmdb_ci_linux_server").rows[0])
    rig.instance.write("cmdb_ci_server", [{**item, "sys_class_name": "cmdb_ci_win_server"}])

    read = rig.read({"table": "cmdb_ci"}, {"sys_class_name"})

    found = [each for each in read.records if each["sys_id"] == item["sys_id"]]
    assert [each["sys_class_name"] for each in found] == ["cmdb_ci_win_server"]
    assert len(read.records) == 3360


@pytest.mark.parametrize("audit", [True, False])
def test_case_93_what_is_deleted_is_known_by_its_absence(rig: Rig, *, audit: bool) -> None:
    gone = row(5)["sys_id"]
    rig.instance.delete("u_t", [gone], audit=audit)

    read = rig.read(PAGES)

    assert gone not in read.ids
    assert isinstance(read.outcome, Complete)


def test_case_94_the_name_of_what_is_referred_to_comes_from_its_table(rig: Rig) -> None:
    company = dict(rig.instance.data.view("core_company").rows[0])
    rig.instance.write("core_company", [{**company, "name": "Renamed"}])

    companies = rig.read({"table": "core_company"})
    walked = rig.read(fields={"company.name"})

    assert "Renamed" in companies.values("name")
    assert {"name": "Renamed"} in walked.values("company")


@pytest.mark.parametrize("page", [1, 3, 6])
def test_case_96_counts_that_drift_are_no_failure(rig: Rig, page: int) -> None:
    come, gone = [row(0.5), row(30.5), row(59.5)], [row(rank)["sys_id"] for rank in (10, 40)]
    rig.fault("rows", "u_t", at=page, add=come, remove_ids=gone)

    read = rig.read(PAGES)

    assert read.evidence
    stayed = {row(rank)["sys_id"] for rank in range(COUNT) if rank not in (10, 40)}
    assert stayed <= set(read.ids)


def test_case_96_a_row_that_comes_between_two_counts_is_no_contradiction(rig: Rig) -> None:
    # Once the last page is served, a row comes: /stats counts it, the first total did not.
    rig.fault("rows", "u_t", at=6, add=[row(2.5)])

    read = rig.read(PAGES)

    assert "X-Total-Count and /stats say 61" in read.evidence
