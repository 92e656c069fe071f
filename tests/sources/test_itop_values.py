"""Values of the attributes that a dataset declares, and of no others."""

from typing import Any

import pytest
from pydantic import ValidationError

from sources.itop_connection import ItopConnection
from sources.itop_dataset import ItopDataset
from sources.itop_values import Values

FRENCH = {"date_format": "%d/%m/%Y", "datetime_format": "%d/%m/%Y %H:%M:%S"}


def connection(**words: Any) -> ItopConnection:
    return ItopConnection.model_validate({"base_url": "https://itop.acme.example", **words})


def changed(
    row: dict[str, Any], words: dict[str, Any], **settings: Any
) -> tuple[dict[str, Any], dict[int, str]]:
    table = ItopDataset.model_validate({"class": "Server", **words})
    row = dict(row)
    odd = Values(table, connection(**settings)).change({105: row})
    return row, odd


def test_nothing_is_changed_that_is_not_declared() -> None:
    row = {"move2production": "19/03/2024", "location_id": "0", "text": "&amp;amp;"}

    assert changed(row, {}, **FRENCH) == (row, {})


def test_dates_of_a_language_become_iso_dates() -> None:
    words = {"dates": ["bought"], "datetimes": ["last_update"]}
    row = {"bought": "19/03/2024", "last_update": "01/12/2024 14:05:00", "note": "01/02/2003"}

    assert changed(row, words, **FRENCH, timezone="Europe/Paris") == (
        {"bought": "2024-03-19", "last_update": "2024-12-01T14:05:00+01:00", "note": "01/02/2003"},
        {},
    )


def test_a_time_without_a_declared_zone_has_none() -> None:
    row = {"last_update": "2024-12-01 14:05:00"}

    assert changed(row, {"datetimes": ["last_update"]})[0] == {"last_update": "2024-12-01T14:05:00"}


@pytest.mark.parametrize("value", ["", None, 12, []])
def test_what_is_empty_or_no_text_stays_as_it_is(value: object) -> None:
    words = {"dates": ["d"], "encoded_html": ["d"], "unset_keys": ["d"]}

    assert changed({"d": value}, words) == ({"d": value}, {})


@pytest.mark.parametrize("value", ["2024-03-19", "31/31/2024", "19/03/2024 10:00:00"])
def test_a_date_in_another_format_makes_its_row_a_reject(value: str) -> None:
    row, odd = changed({"bought": value}, {"dates": ["bought"]}, **FRENCH)

    assert odd == {105: f"bought {value!r} is not written as '%d/%m/%Y'"}
    assert row == {"bought": value}


def test_html_that_was_encoded_twice_is_decoded_once() -> None:
    row = {"description": "<p>R&amp;amp;D &amp;lt;b&amp;gt;</p>"}

    assert changed(row, {"encoded_html": ["description"]})[0] == {
        "description": "<p>R&amp;D &lt;b&gt;</p>"
    }


@pytest.mark.parametrize("keys", [True, ["location_id"]])
def test_an_unset_external_key_becomes_null(keys: object) -> None:
    row = {"location_id": "0", "cpu": "0", "id": "105"}

    assert changed(row, {"unset_keys": keys})[0] == row | {"location_id": None}


def test_the_zero_of_another_attribute_stays() -> None:
    row = {"location_id": "0", "rack_id": "0", "org_id": "3"}

    assert changed(row, {"unset_keys": ["rack_id"]})[0] == row | {"rack_id": None}


def test_an_attribute_that_a_row_lacks_is_not_made() -> None:
    assert changed({"id": "1"}, {"dates": ["bought"], "unset_keys": ["rack_id"]}) == (
        {"id": "1"},
        {},
    )


@pytest.mark.parametrize("auth", [("etl", "pass:word"), ("e:tl", "password")])
def test_a_colon_is_refused_for_basic_credentials(auth: tuple[str, str]) -> None:
    words = {"type": "basic", "username": auth[0], "password": auth[1]}

    with pytest.raises(ValidationError, match=r"mend: `auth: \{type: form\}`") as refused:
        connection(auth=words)

    assert "pass:word" not in str(refused.value)
    assert connection(auth=words | {"type": "form"}).auth.type == "form"


@pytest.mark.parametrize("name", ["Europe/Pariss", "../etc/passwd", "Europe"])
def test_a_time_zone_is_one_that_exists(name: str) -> None:
    with pytest.raises(ValidationError, match="an IANA name"):
        connection(timezone=name)


@pytest.mark.parametrize(
    "url",
    ["https://acme.example/itop", "https://acme.example/itop/webservices/rest.php"],
)
def test_the_address_may_be_the_root_or_the_script(url: str) -> None:
    assert connection(base_url=url).script == "https://acme.example/itop/webservices/rest.php"
