"""Rows of the simulated EasyVista: cases C of specs/easyvista-cases.md."""

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


def one(api: Client, key: int, fields: str = "", **params: Any) -> dict[str, Any]:
    """The row of the asset *key*, as the list shows it."""
    asked = {"fields": fields} if fields else {}
    row: dict[str, Any] = api.records(search=f'ASSET_ID:"{key}"', **asked, **params)[0]
    return row


def alone(api: Client, **columns: Any) -> dict[str, Any]:
    """The only asset there is, with these columns."""
    api.put("AM_ASSET", [{"ASSET_ID": 1, **columns}])
    row: dict[str, Any] = api.records(fields=",".join(columns))[0]
    return row


def test_c1_a_list_shows_an_excerpt_with_objects(api: Client) -> None:
    row = one(api, 1002)

    assert list(row) == [
        "ASSET_ID",
        "ASSET_TAG",
        "SERIAL_NUMBER",
        "ASSET_LABEL",
        "ENTRY_DATE",
        "END_OF_WARANTY",
        "INSTALLATION_DATE",
        "PURCHASE_DATE",
        "LOCATION",
        "DEPARTMENT",
        "EMPLOYEE",
        "CATALOG_ASSET",
        "HREF",
    ]
    assert row["LOCATION"] == {
        "LOCATION_ID": "3",
        "LOCATION_CODE": "L0003",
        "LOCATION_FR": "Suisse",
        "LOCATION_PATH": "Suisse",
        "CITY": "",
        "HREF": f"{api.root}/locations/3",
    }
    assert row["EMPLOYEE"]["LAST_NAME"] == "Lefèvre, Anne-Sophie"
    assert row["CATALOG_ASSET"]["HREF"] == f"{api.root}/catalog-assets/2"


def test_c2_fields_replace_the_excerpt_and_their_case_does_not_matter(api: Client) -> None:
    row = one(api, 1001, "asset_tag, Asset_Id")

    assert row == {"ASSET_TAG": "T-0001", "ASSET_ID": "1001", "HREF": f"{api.root}/assets/1001"}


def test_c3_dotted_fields_bring_back_objects_with_these_keys(api: Client) -> None:
    row = one(api, 1002, "ASSET_ID,LOCATION.LOCATION_CODE,EMPLOYEE.LAST_NAME,location.city")

    assert row == {
        "ASSET_ID": "1002",
        "LOCATION": {"LOCATION_CODE": "L0003", "CITY": ""},
        "EMPLOYEE": {"LAST_NAME": "Lefèvre, Anne-Sophie"},
        "HREF": f"{api.root}/assets/1002",
    }


@pytest.mark.parametrize(
    "field",
    [
        "NOPE",
        "NOPE.LAST_NAME",
        "LOCATION.NOPE",
        "LOCATION",
        "COMMENT_ASSET.HREF",
        "EMPLOYEE.PASSWD",
        "EMPLOYEE.COMMENT_EMPLOYEE",
        "EMPLOYEE.DEPARTMENT.DEPARTMENT_FR",
        "LOCATION_XX",
        "",
    ],
)
def test_c4_c5_what_is_unknown_is_left_out(api: Client, field: str) -> None:
    assert one(api, 1001, f"ASSET_ID,{field}").keys() == {"ASSET_ID", "HREF"}


def test_c6_unknown_fields_alone_give_the_excerpt_or_a_590(api: Client) -> None:
    assert "CATALOG_ASSET" in one(api, 1001, "NOPE,NOR_THIS")

    api.turn(unknown_fields="rejected")

    assert api.get(fields="NOPE,NOR_THIS").status_code == 590


def test_c7_a_row_alone_has_every_column_and_no_object(api: Client) -> None:
    row = api.get("assets/1001").json()

    assert {"LAST_UPDATE", "E_CRITICALITY", "AVAILABLE_FIELD_6", "IS_CI", "CATALOG_ID"} <= set(row)
    assert not {"LOCATION", "EMPLOYEE", "records"} & set(row)
    assert row["COMMENT_ASSET"] == {"HREF": f"{api.root}/assets/1001/comment_asset"}
    assert row["HREF"] == f"{api.root}/assets/1001"


def test_c8_c9_a_memo_is_read_by_a_call_of_its_own(api: Client) -> None:
    memo = api.get("assets/1001/comment_asset").json()
    empty = api.get("assets/1002/COMMENT_ASSET").json()

    assert memo["COMMENT_ASSET"] == "<p>Vérifié 👍 n° 0</p>"
    assert memo["HREF"] == f"{api.root}/assets/1001/comment_asset"
    assert empty["COMMENT_ASSET"] == ""
    assert one(api, 1001, "COMMENT_ASSET")["COMMENT_ASSET"] == {"HREF": memo["HREF"]}


def test_c8_memos_have_no_route_on_old_builds(api: Client) -> None:
    api.turn(build="2018")

    assert api.get("assets/1001/comment_asset").status_code == 403


@pytest.mark.parametrize("path", ["assets/9999", "assets/x", "assets/9999/comment_asset"])
def test_a_row_that_is_not_there_is_a_404(api: Client, path: str) -> None:
    answer = api.get(path)

    assert (answer.status_code, answer.json()) == (404, {"error": "Resource not found"})


def test_a_request_is_found_by_its_number(api: Client) -> None:
    row = api.records("requests", max_rows=1, sort="REQUEST_ID asc")[0]

    assert row["HREF"] == f"{api.root}/requests/{row['RFC_NUMBER']}"
    assert row["COMMENT"] == {"HREF": f"{row['HREF']}/comment"}
    assert api.ask(row["COMMENT"]["HREF"]).json()["COMMENT"] == "<p>Le disque n° 0 est plein</p>"
    assert api.ask(row["HREF"]).json()["REQUEST_ID"] == row["REQUEST_ID"]


def test_c10_an_empty_link_has_an_object_without_address(api: Client) -> None:
    assert one(api, 1001)["EMPLOYEE"] == {
        "EMPLOYEE_ID": "",
        "LAST_NAME": "",
        "E_MAIL": "",
        "PHONE_NUMBER": "",
        "CELLULAR_NUMBER": "",
    }


@pytest.mark.parametrize(
    ("knobs", "label"),
    [
        ({"language": "FR"}, ("DEPARTMENT_FR", "Finance")),
        ({"language": "EN"}, ("DEPARTMENT_EN", "[Finance]")),
        ({"users": {"api": {"language": "EN"}}}, ("DEPARTMENT_EN", "[Finance]")),
        ({"language": "EN", "untranslated": "empty"}, ("DEPARTMENT_EN", "")),
        ({"language": "L3"}, ("DEPARTMENT_L3", "")),
    ],
    ids=["c11 FR", "c11 c12 EN", "of the user", "empty", "L3"],
)
def test_c11_c12_lists_have_one_language(
    api: Client, knobs: dict[str, Any], label: tuple[str, str]
) -> None:
    api.turn(**knobs)

    department = one(api, 1002)["DEPARTMENT"]

    assert department[label[0]] == label[1]
    assert len([key for key in department if key.startswith("DEPARTMENT_")]) == 5


def test_another_language_can_be_named(api: Client) -> None:
    row = one(api, 1005, "DEPARTMENT.DEPARTMENT_EN,LOCATION.LOCATION_GE")

    assert row["DEPARTMENT"] == {"DEPARTMENT_EN": "Networks"}
    assert row["LOCATION"]["LOCATION_GE"].startswith("[")


def test_c13_the_root_of_locations(api: Client) -> None:
    row = api.records("locations", search='LOCATION_ID:"1"')[0]

    assert (row["LOCATION_FR"], row["LOCATION_PATH"]) == ("-", "")


def test_c14_an_unset_number_is_an_empty_text(api: Client) -> None:
    assert one(api, 1011, "STATUS_ID")["STATUS_ID"] == ""


@pytest.mark.parametrize(
    ("knobs", "price", "told"),
    [
        ({}, "1234.56", "1234,56"),
        ({}, 0, "0,00"),
        ({}, None, ""),
        ({"decimal": "."}, "1234.56", "1234.56"),
        ({"grouping": True}, "1234567.5", "1.234.567,50"),
        ({"grouping": True, "decimal": "."}, "-1234.56", "-1,234.56"),
    ],
    ids=["c15 comma", "c15 zero", "c15 unset", "point", "c16", "c16 point"],
)
def test_c15_c16_amounts_are_texts_in_the_manner_of_the_tenant(
    api: Client, knobs: dict[str, Any], price: Any, told: str
) -> None:
    api.turn(**knobs)

    assert alone(api, PURCHASE_PRICE=price)["PURCHASE_PRICE"] == told


@pytest.mark.parametrize(
    ("numbers", "told"),
    [("string", ["1", "1", ""]), ("int", [1, 1, ""]), ("mixed", [1, "1", ""])],
    ids=["c17", "c18 int", "c18 mixed"],
)
def test_c17_c18_numbers_are_texts_or_not(api: Client, numbers: str, told: list[Any]) -> None:
    api.turn(numbers=numbers, order="key")
    api.put("AM_ASSET", [{"ASSET_ID": n, "IS_CI": v} for n, v in ((1, 1), (2, "1"), (3, None))])

    assert api.column("IS_CI", fields="IS_CI") == told


def test_c19_guids_have_two_spellings(api: Client) -> None:
    row = one(api, 1002, "ASSET_GUID,D_HARDWARE_GUID")

    assert row["ASSET_GUID"].strip("{}").lower() == row["D_HARDWARE_GUID"]
    assert row["ASSET_GUID"].startswith("{")


def test_c20_a_phone_may_be_a_placeholder(api: Client) -> None:
    assert " -" in api.column("PHONE_NUMBER", "employees")


def test_secrets_of_employees_are_never_shown(api: Client) -> None:
    assert "never shown" not in api.get("employees/5").text
    assert api.records("employees", fields="LOGIN,PASSWD,SALT")[0].keys() == {"LOGIN", "HREF"}
    assert api.found('PASSWD:"x"', "employees") == 90


def test_c21_official_and_custom_columns_both_begin_with_e(api: Client) -> None:
    assert api.get("employees/5").json()["E_MAIL"] == "user5@acme.example"
    assert one(api, 1006, "E_SITE_CODE")["E_SITE_CODE"] == "S005"


def test_c22_a_record_may_have_a_key_in_two_cases(api: Client) -> None:
    api.fault("bad_record", record={"Asset_Tag": "a", "ASSET_TAG": "b"})

    assert api.records(max_rows=1) == [{"Asset_Tag": "a", "ASSET_TAG": "b"}]


def test_c23_unset_may_be_null(api: Client) -> None:
    api.turn(unset="null")

    row = one(api, 1001)
    assert row["ASSET_LABEL"] is None
    assert set(row["EMPLOYEE"].values()) == {None}


def test_c24_c27_texts_are_left_as_they_are(api: Client) -> None:
    text = "\u00a0two\r\nlines\t '007' "

    assert alone(api, ASSET_LABEL=text, E_CUSTOM="NA", SERIAL_NUMBER="007") == {
        "ASSET_LABEL": text,
        "E_CUSTOM": "NA",
        "SERIAL_NUMBER": "007",
        "HREF": f"{api.root}/assets/1",
    }


def test_c25_a_row_alone_has_every_language(api: Client) -> None:
    row = api.get("departments/2").json()

    labels = {key: value for key, value in row.items() if key.startswith("DEPARTMENT_")}
    assert labels["DEPARTMENT_FR"] == "Finance"
    assert labels["DEPARTMENT_GE"] == "[Finance]"
    assert labels["DEPARTMENT_L6"] == ""
    assert len(labels) == 12 + 4


def test_keys_may_come_in_any_order(api: Client) -> None:
    orderly = api.body(max_rows=50)
    api.turn(random_keys=True)

    shuffled = api.body(max_rows=50)

    assert shuffled == orderly
    assert len({tuple(record) for record in shuffled["records"]}) > 10
