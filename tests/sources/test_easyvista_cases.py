"""The acceptance cases of specs/easyvista-cases.md on connection, lists, records and dates."""

from collections.abc import Iterator

import pytest

from sources.base import Complete, Partial
from sources.errors import Refused
from tests.sources.easyvista_rig import ROOT, Rig, fields, served

ASSETS = {"resource": "assets"}
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


def test_a3_a_wrong_password_is_refused_at_once(rig: Rig) -> None:
    wrong = {"type": "basic", "username": "api", "password": "not-this"}

    read = rig.read(ASSETS, auth=wrong)

    assert isinstance(read.error, Refused)
    assert "Invalid Login / Password" in str(read.error)
    assert "credentials" in read.told
    assert "`account`" in read.told  # a wrong account is answered alike
    assert rig.calls() == 1
    assert "not-this" not in read.told


def test_a7_a_route_that_the_profile_denies_is_told_apart_from_the_others(rig: Rig) -> None:
    rig.state.turn({"users": {"api": {"denied": ["employees"]}}})

    denied = rig.read({"resource": "employees"})

    assert isinstance(denied.error, Refused)
    assert "Unauthorized Method for your profile" in denied.told
    assert "the profile has no right to it" in denied.told
    assert rig.read({"resource": "locations"}).complete


def test_a8_a_route_that_does_not_exist_is_not_taken_for_a_denied_one(rig: Rig) -> None:
    read = rig.read({"resource": "nonexistent", "key": "ID"})

    assert isinstance(read.error, Refused)
    assert "/swagger has no such route" in read.told


def test_a9_swagger_answers_201_and_tells_version_and_routes(rig: Rig) -> None:
    probe = rig.probe({"assets": ASSETS})

    assert rig.state.traffic.statuses[201] == 1
    assert probe.version == "Version 2025.3"


def test_b1_a_page_of_the_size_that_the_server_likes_is_not_the_end(rig: Rig) -> None:
    rig.state.turn({"max_rows_cap": 100})

    read = rig.read(ASSETS, TAG)

    assert read.values("ASSET_ID") == KEYS


def test_b2_and_b3_pages_go_on_by_offset_until_nothing_follows(rig: Rig) -> None:
    read = rig.read(ASSETS | {"page_size": 100}, TAG)

    assert read.values("ASSET_ID") == KEYS
    # Each page asks for the last record once more.
    pages = [query for query in rig.queries("assets") if "search" not in query]
    asked = [(query["max_rows"], query.get("offset")) for query in pages]
    assert asked == [("100", None), ("101", "99"), ("101", "199")]
    assert read.outcome == Complete(
        "250 records, the last page has room left, every ASSET_ID once, total_record_count says "
        "250; /configuration-items has 180 CIs as well"
    )


def test_b4_an_empty_page_is_an_end_and_no_error(rig: Rig) -> None:
    rig.hold({"AM_ASSET": []})

    read = rig.read(ASSETS, TAG)

    assert read.records == []
    assert read.complete


def test_b5_a_count_costs_a_page_of_one_row(rig: Rig) -> None:
    assert rig.count(ASSETS) == 250
    assert [query["max_rows"] for query in rig.queries("assets")] == ["1"]


def test_b15_a_build_without_offset_gives_everything_at_once(rig: Rig) -> None:
    rig.state.turn({"build": "2018"})

    read = rig.read(ASSETS | {"page_size": 100}, TAG)

    assert sorted(read.values("ASSET_ID")) == KEYS
    assert read.complete
    assert "the build knows no offset" in read.told
    sizes = [query["max_rows"] for query in rig.queries("assets") if "search" not in query]
    assert sizes == ["100", "101", "251"]  # one more than there are: a total may be wrong


def test_b15_a_build_without_offset_that_lowers_max_rows_is_partial(rig: Rig) -> None:
    rig.state.turn({"build": "2018", "max_rows_cap": 100})

    read = rig.read(ASSETS, TAG)

    assert read.outcome == Partial("total_record_count says 250, 100 records were received")


def test_b16_offsets_advance_by_the_rows_received(rig: Rig) -> None:
    rig.state.turn({"max_rows_cap": 50})

    read = rig.read(ASSETS | {"page_size": 500}, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


@pytest.mark.parametrize("link", ["foreign", "uppercase", "raw", "absent", "always"])
def test_b20_the_next_url_is_built_here_whatever_the_server_writes(rig: Rig, link: str) -> None:
    rig.state.turn({"next_link": link})

    read = rig.read(ASSETS | {"page_size": 100}, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


def test_c1_without_fields_the_excerpt_comes_with_its_nested_objects(rig: Rig) -> None:
    read = rig.read(ASSETS)

    first = read.records[0]
    assert first["LOCATION"]["LOCATION_PATH"] == "France"
    assert {"DEPARTMENT", "EMPLOYEE", "CATALOG_ASSET", "ASSET_TAG"} <= first.keys()
    assert "fields" not in rig.queries("assets")[0]


def test_c2_fields_named_in_small_letters_come_in_capitals(rig: Rig) -> None:
    read = rig.read(ASSETS, fields("asset_tag"))

    assert read.records[0].keys() == {"ASSET_ID", "ASSET_TAG", "HREF"}
    assert "no record has asset_tag (names are in capitals)" in read.told


def test_c3_dotted_fields_come_as_nested_objects_with_these_alone(rig: Rig) -> None:
    read = rig.read(ASSETS, fields("LOCATION.LOCATION_CODE", "EMPLOYEE.LAST_NAME"))

    assert rig.queries("assets")[0]["fields"] == (
        "ASSET_ID,EMPLOYEE.LAST_NAME,LOCATION.LOCATION_CODE"
    )
    assert {frozenset(each) for each in read.values("LOCATION")} == {frozenset({"LOCATION_CODE"})}
    assert read.records[1]["EMPLOYEE"]["LAST_NAME"]


def test_c4_a_field_that_the_server_does_not_know_is_told(rig: Rig) -> None:
    read = rig.read(ASSETS, fields("ASSET_TAG", "LOCATION.NOPE", "NOPE"))

    assert read.complete
    assert "no record has LOCATION.NOPE, NOPE" in read.told


def test_c10_the_object_of_an_empty_link_has_no_value(rig: Rig) -> None:
    read = rig.read(ASSETS)

    nobody = next(each["EMPLOYEE"] for each in read.records if not each["EMPLOYEE"]["EMPLOYEE_ID"])
    assert set(nobody.values()) == {None}
    assert "HREF" not in nobody


@pytest.mark.parametrize(("language", "label"), [("FR", "Exploitation"), ("EN", "Operations")])
def test_c11_a_label_is_found_in_the_language_of_the_tenant(
    rig: Rig, language: str, label: str
) -> None:
    rig.state.turn({"language": language})

    read = rig.read({"resource": "departments", "labels": ["DEPARTMENT"]}, languages=["FR", "EN"])

    held = {"DEPARTMENT_ID": str, f"DEPARTMENT_{language}": str, "DEPARTMENT": str}
    assert held.keys() <= read.records[0].keys()
    assert label in read.values("DEPARTMENT")


def test_c12_a_label_in_brackets_is_missing_and_the_next_language_is_taken(rig: Rig) -> None:
    table = {"resource": "departments", "labels": ["DEPARTMENT"]}

    read = rig.read(table, fields("DEPARTMENT", "DEPARTMENT_EN"), languages=["EN", "FR"])

    untranslated = [each for each in read.records if each["DEPARTMENT_EN"].startswith("[")]
    assert untranslated
    assert all(each["DEPARTMENT"] == each["DEPARTMENT_EN"].strip("[]") for each in untranslated)
    assert "DEPARTMENT_FR" not in untranslated[0]  # asked for on behalf of the label alone
    assert rig.queries("departments")[0]["fields"] == "DEPARTMENT_ID,DEPARTMENT_EN,DEPARTMENT_FR"


def test_c14_an_unset_number_is_no_value_and_no_error(rig: Rig) -> None:
    read = rig.read(ASSETS, fields("STATUS_ID"))

    assert None in read.values("STATUS_ID")
    assert "" not in read.values("STATUS_ID")
    assert read.complete


@pytest.mark.parametrize("decimal", [",", "."])
def test_c15_an_amount_has_its_decimals_and_zero_is_a_value(rig: Rig, decimal: str) -> None:
    rig.state.turn({"decimal": decimal})
    table = ASSETS | {"decimals": ["PURCHASE_PRICE"]}

    read = rig.read(table, fields("PURCHASE_PRICE"), decimal=decimal)

    prices = read.values("PURCHASE_PRICE")
    assert prices[0] == "1234.56"
    assert prices[4] == "0.00"
    assert prices[6] is None
    assert "could not be read" not in read.told


def test_c16_an_amount_that_may_be_two_is_left_out_and_told(rig: Rig) -> None:
    rig.state.turn({"grouping": True})
    table = ASSETS | {"decimals": ["PURCHASE_PRICE"]}

    read = rig.read(table, fields("PURCHASE_PRICE"))

    assert read.values("PURCHASE_PRICE")[0] is None
    assert "values of PURCHASE_PRICE could not be read and were left out" in read.told


def test_d1_a_moment_becomes_utc_on_either_side_of_the_change_of_summer_time(rig: Rig) -> None:
    table = ASSETS | {"dates": ["LAST_UPDATE"]}

    plain = rig.read(ASSETS, fields("LAST_UPDATE")).values("LAST_UPDATE")
    utc = rig.read(table, fields("LAST_UPDATE")).values("LAST_UPDATE")

    assert (plain[30], utc[30]) == ("2025-10-26T02:30:00.000+02:00", "2025-10-26T00:30:00.000Z")
    assert (plain[31], utc[31]) == ("2025-10-26T02:30:00.000+01:00", "2025-10-26T01:30:00.000Z")


def test_d3_a_day_stays_the_day_it_is(rig: Rig) -> None:
    table = ASSETS | {"dates": ["ENTRY_DATE"]}

    assert rig.read(table, fields("ENTRY_DATE")).values("ENTRY_DATE")[0] == "2024-01-01"


def test_d4_an_unset_date_is_no_value(rig: Rig) -> None:
    table = ASSETS | {"dates": ["REMOVED_DATE"]}

    read = rig.read(table, fields("REMOVED_DATE"))

    assert read.values("REMOVED_DATE").count(None) == 235
    assert "could not be read" not in read.told


def test_d5_the_offset_counts_even_under_a_name_that_ends_in_ut(rig: Rig) -> None:
    table = {"resource": "requests", "key": "RFC_NUMBER", "dates": ["SUBMIT_DATE_UT"]}

    read = rig.read(table, fields("SUBMIT_DATE_UT"))

    assert set(read.values("SUBMIT_DATE_UT")) >= {"2026-08-01T13:40:41.610Z"}


def test_d7_a_date_in_the_manner_of_a_country_is_read_by_its_format_alone(rig: Rig) -> None:
    rig.state.turn({"stamps": "locale"})
    table = ASSETS | {"dates": ["LAST_UPDATE"]}

    unread = rig.read(table, fields("LAST_UPDATE"))
    read = rig.read(
        table,
        fields("LAST_UPDATE"),
        date_format="%d/%m/%Y %H:%M:%S",
        timezone="Europe/Paris",
    )

    assert set(unread.values("LAST_UPDATE")) == {None}
    assert "250 values of LAST_UPDATE could not be read" in unread.told
    assert read.values("LAST_UPDATE")[0] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("counts", ["int", "empty", "missing"])
def test_b8_and_b9_totals_come_as_numbers_or_not_at_all(rig: Rig, counts: str) -> None:
    rig.state.turn({"counts": counts})

    read = rig.read(ASSETS | {"page_size": 100}, TAG)

    assert read.values("ASSET_ID") == KEYS
    assert read.complete


def test_c18_the_same_key_comes_as_a_text_or_as_a_number(rig: Rig) -> None:
    rig.state.turn({"numbers": "mixed"})

    read = rig.read(ASSETS | {"page_size": 100}, TAG)

    assert [str(key) for key in read.values("ASSET_ID")] == KEYS
    assert read.complete


def test_b24_a_key_of_two_fields_tells_characteristics_apart(rig: Rig) -> None:
    read = rig.read({"resource": "asset-characteristics", "page_size": 100}, fields("DATA_1"))

    assert len(read.records) == 500
    assert "every ASSET_ID, CHARACTERISTIC_ID once" in read.told


def test_b28_a_list_of_addresses_is_a_list_of_records(rig: Rig) -> None:
    read = rig.read({"resource": "employees/5/groups", "key": "HREF"})

    assert [href.rpartition("/")[2] for href in read.values("HREF")] == ["5", "9"]
    assert read.complete


def test_b29_documents_stand_under_a_name_of_their_own(rig: Rig) -> None:
    request = rig.read({"resource": "requests", "key": "RFC_NUMBER"}).records[0]["RFC_NUMBER"]

    read = rig.read({"resource": f"requests/{request}/documents", "key": "DOCUMENT_ID"})

    assert len(read.records) == 3


def test_b30_an_external_table_is_a_list_like_others(rig: Rig) -> None:
    read = rig.read({"resource": "E_CONTRACT_TYPE", "key": "E_CONTRACT_TYPE_ID"})

    assert read.complete
    assert read.records


def test_the_account_is_in_the_path_and_nothing_else_is_called(rig: Rig) -> None:
    rig.read(ASSETS, TAG)

    assert all(path.startswith(ROOT) for path in rig.state.traffic.requests)
