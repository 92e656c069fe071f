"""The acceptance cases of specs/easyvista-cases.md on links, refusals, timeouts and the network."""

from collections.abc import Iterator
from typing import Any

import pytest

from sources.base import Complete
from sources.errors import Refused, Unreachable, Unreadable
from sources.verdict import Denied
from tests.sources.easyvista_rig import Read, Rig, fields, rows, served

ASSETS = {"resource": "assets", "crosscheck": "none", "page_size": 100}
LINKS: dict[str, Any] = {"links": {}}
TAG = fields("ASSET_TAG")
KEYS = [str(1001 + rank) for rank in range(250)]


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold()
    return one


def strike(rig: Rig, **fault: Any) -> None:
    rig.state.turn({"faults": [{"on": "assets"} | fault]})


def link_keys(read: Read) -> list[tuple[str, str, str]]:
    assert read.error is None
    names = ("PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID")
    return [(row[names[0]], row[names[1]], row[names[2]]) for row in read.records]


def all_links() -> set[tuple[str, str, str]]:
    names = ("PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID")
    return {
        (str(row[names[0]]), str(row[names[1]]), str(row[names[2]])) for row in rows()["CI_LINK"]
    }


def test_f1_links_come_with_their_ends_and_their_relation(rig: Rig) -> None:
    read = rig.read(LINKS | {"labels": ["RELATION_TYPE.REFERENCE"]}, languages=["FR"])

    assert set(link_keys(read)) == all_links()
    assert read.records[0]["RELATION_TYPE"]["REFERENCE"] == "S'exécute sur"
    assert read.complete


def test_f2_a_ci_without_links_is_no_error(rig: Rig) -> None:
    rig.state.store.put("CI_LINK", [])

    read = rig.read(LINKS)

    assert read.records == []
    assert read.complete


def test_f3_a_link_listed_at_both_of_its_ends_comes_once(rig: Rig) -> None:
    read = rig.read(LINKS)

    assert len(link_keys(read)) == len(all_links()) == 300
    assert "300 links of 180 records of configuration-items" in read.told


@pytest.mark.parametrize("direction", ["impacting", "impacted"])
def test_f4_one_direction_alone_gives_every_link_too(rig: Rig, direction: str) -> None:
    read = rig.read({"links": {"direction": direction}})

    assert set(link_keys(read)) == all_links()
    assert len(read.records) == 300


def test_f5_a_ci_that_went_meanwhile_is_counted_and_passed_over(rig: Rig) -> None:
    fault = {"kind": "rows", "on": "configuration-items", "at": 1, "remove_keys": ["1100"]}
    rig.state.turn({"faults": [fault]})

    read = rig.read(LINKS)

    assert set(link_keys(read)) == all_links()  # those of 1100 are listed at their other ends
    assert "1 of these went while they were read" in read.told
    assert rig.calls("configuration-items/1100") == 1  # confirmed


def test_f5_a_404_of_a_ci_that_is_still_there_is_an_error(rig: Rig) -> None:
    path = "configuration-items/1100/item-links"
    rig.state.turn({"faults": [{"kind": "status", "status": 404, "on": path, "times": 0}]})

    read = rig.read(LINKS)

    assert isinstance(read.error, Denied)
    assert path in read.told


def test_f7_ends_that_are_not_listed_are_told(rig: Rig) -> None:
    table = {"resource": "configuration-items", "search": [{"field": "CI_STATUS_ID", "value": 1}]}
    read = rig.read(LINKS)
    assert "not listed" not in read.told

    rig.state.turn({"users": {"api": {"perimeter": {"AM_ASSET": 'CI_STATUS_ID:"1"'}}}})
    read = rig.read(LINKS)

    assert len(rig.read(table).records) == 60
    assert "ends of links are not listed in configuration-items" in read.told


def test_f8_links_of_assets_have_a_list_of_their_own(rig: Rig) -> None:
    read = rig.read({"links": {"kind": "asset-links", "of": "assets"}})

    assert len(read.records) == len(rows()["ASSET_LINK"])
    assert read.complete


def test_f9_a_ci_with_many_links_is_read_by_pages(rig: Rig) -> None:
    many = [
        {"LINK_ID": n, "PARENT_CI_ID": 1001, "CHILD_CI_ID": 1002 + n % 179, "RELATION_TYPE_ID": n}
        for n in range(1, 261)
    ]
    rig.state.store.put("CI_LINK", many)

    read = rig.read(LINKS | {"page_size": 100})

    assert len(read.records) == 260
    assert read.complete


def test_g2_a_590_is_never_repeated_and_tells_its_code_and_number(rig: Rig) -> None:
    strike(rig, kind="rejected", text="Invalid column name 'X'", times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Refused)
    assert "the server answers 590: Invalid column name 'X' (code 2013, correlation " in read.told
    assert rig.calls() == 1


@pytest.mark.parametrize(
    "form", ["quotes", "broken", "error_code", "error_message", "code_message"]
)
def test_g3_and_g4_the_words_of_a_590_are_found_in_whatever_form(rig: Rig, form: str) -> None:
    strike(rig, kind="rejected", form=form, text='conflicts with "FK_AM_ASSET"', times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Refused)
    assert 'conflicts with "FK_AM_ASSET"' in read.told
    assert rig.calls() == 1


def test_the_words_of_an_error_are_cut(rig: Rig) -> None:
    strike(rig, kind="rejected", text="x" * 5000, times=0)

    assert len(str(rig.read(ASSETS, TAG).error)) < 320


@pytest.mark.parametrize("status", [200, 400, 403, 500, 504, 590])
def test_g8_a_timeout_of_the_server_halves_the_page(rig: Rig, status: int) -> None:
    rig.state.turn({"timeout_rows": 60, "timeout_status": status})

    read = rig.read(ASSETS | {"page_size": 200}, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete
    assert [query["max_rows"] for query in rig.queries("assets")][:4] == ["200", "100", "50", "51"]


def test_g8_a_page_of_fifty_that_times_out_again_and_again_is_an_outage(rig: Rig) -> None:
    rig.state.turn({"timeout_rows": 10})

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Unreachable)
    assert "Timeout error" in read.told
    assert "`page_size`" in read.told
    assert [query["max_rows"] for query in rig.queries("assets")] == ["100", "50", "50", "50"]


def test_g5_an_answer_that_never_comes_out_well_is_tried_smaller(rig: Rig) -> None:
    strike(rig, kind="status", status=500, over=60, times=0)

    read = rig.read(ASSETS, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


@pytest.mark.parametrize("kind", ["cut", "reset", "gzip_cut"])
def test_g10_a_page_that_breaks_is_asked_for_again_and_gives_no_part_of_it(
    rig: Rig, kind: str
) -> None:
    strike(rig, kind=kind, at=2)

    read = rig.read(ASSETS, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


def test_g11_an_empty_body_is_no_empty_list(rig: Rig) -> None:
    strike(rig, kind="empty", times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Unreadable)
    assert "empty body" in read.told


def test_g12_a_page_of_a_login_is_not_json(rig: Rig) -> None:
    strike(rig, kind="html", times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Unreadable)
    assert "a page instead of JSON" in read.told


def test_g13_an_error_inside_a_success_is_an_error(rig: Rig) -> None:
    strike(rig, kind="error", text="No such query", at=2, times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Refused)
    assert "an error inside a success: No such query" in read.told


def test_g14_an_answer_without_records_is_no_empty_list(rig: Rig) -> None:
    strike(rig, kind="no_records", times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Unreadable)
    assert "the answer has no `records`" in read.told


def test_g15_a_count_of_the_page_that_is_wrong_is_told(rig: Rig) -> None:
    strike(rig, kind="miscounted")

    read = rig.read(ASSETS, TAG)

    assert read.complete
    assert "a page of 100 records says record_count 101" in read.told


@pytest.mark.parametrize("kind", ["bom", "partial_content"])
def test_g16_and_g22_odd_answers_that_hold_every_row_are_taken(rig: Rig, kind: str) -> None:
    strike(rig, kind=kind, times=0)

    read = rig.read(ASSETS, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


@pytest.mark.parametrize("kind", ["latin1", "nan", "bad_utf8"])
def test_g17_and_g18_what_is_no_json_is_refused(rig: Rig, kind: str) -> None:
    strike(rig, kind=kind, times=0)

    read = rig.read({"resource": "assets"})

    assert isinstance(read.error, Unreadable)


def test_g26_a_fault_on_the_last_page_leaves_the_reading_without_an_outcome(rig: Rig) -> None:
    strike(rig, kind="status", status=503, at=3, times=0)

    read = rig.read(ASSETS | {"page_size": 90}, TAG)

    assert isinstance(read.error, Unreachable)
    assert not isinstance(read.outcome, Complete)
    assert len(read.records) == 180  # what came before was handed on, and proves nothing


def test_a6_a_token_that_is_revoked_on_the_way_ends_the_reading(rig: Rig) -> None:
    rig.state.turn({"tokens": {"api-token": {"uses": 2}}})

    read = rig.read(ASSETS, TAG, auth={"type": "bearer", "token": "api-token"})

    assert isinstance(read.error, Refused)
    assert len(read.records) == 200
    assert "api-token" not in read.told


def test_a12_a_redirect_is_not_followed_and_carries_no_secret(rig: Rig) -> None:
    strike(rig, kind="redirect", to="https://sso.example", times=0)

    read = rig.read(ASSETS, TAG)

    assert isinstance(read.error, Refused)
    assert "https://sso.example" in read.told
    assert rig.calls() == 1
