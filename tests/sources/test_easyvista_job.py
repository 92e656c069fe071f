"""What a job and a connection may say of an EasyVista, and what becomes of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sources.easyvista import SOURCE
from sources.easyvista_moments import NoMoment, Writing, interval, iso, moment
from sources.easyvista_search import EasyVistaCondition
from sources.easyvista_session import Told, unset_as_null
from sources.easyvista_values import amount, label
from sources.selector import decode
from tests.sources.easyvista_rig import BASIC, config


def condition(**words: Any) -> EasyVistaCondition:
    return EasyVistaCondition.model_validate({"field": "ASSET_TAG"} | words)


def refusal(**words: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        condition(**words)
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "search"),
    [
        ({"value": "T-0001"}, 'ASSET_TAG:"T-0001"'),
        ({"value": 7}, 'ASSET_TAG:"7"'),
        ({"value": "a,b;c"}, 'ASSET_TAG:"a,b;c"'),
        ({"value": "50% *"}, 'ASSET_TAG:"50% *"'),
        ({"cond": "is_one_of", "value": [1, "2", 2]}, 'ASSET_TAG:"1",ASSET_TAG:"2"'),
        ({"cond": "begin_with", "value": "SRV-"}, 'ASSET_TAG~"SRV-*"'),
        ({"cond": "end_with", "value": "-PRD"}, 'ASSET_TAG~"*-PRD"'),
        ({"cond": "contain", "value": "-"}, 'ASSET_TAG~"*-*"'),
        ({"since": "2026-01-31"}, "ASSET_TAG:(2026-01-31;)"),
        ({"until": "2026-01-31"}, "ASSET_TAG:(;2026-01-31)"),
        ({"since": "2026-01-31T08:00:00+01:00"}, "ASSET_TAG:(2026-01-31T07:00:00.000Z;)"),
    ],
)
def test_a_condition_is_written_as_it_was_measured(words: dict[str, Any], search: str) -> None:
    assert condition(**words).search == search


@pytest.mark.parametrize("value", ['22" screen', 'X",ASSET_TAG:"Y', "", "   ", "a\nb"])
def test_a_value_that_has_no_spelling_is_refused(value: str) -> None:
    assert "cannot be searched" in refusal(value=value)


@pytest.mark.parametrize("value", ["T_1", "A[1]", "50%", "A*B"])
@pytest.mark.parametrize("cond", ["begin_with", "end_with", "contain"])
def test_a_sign_that_stands_for_any_character_is_refused_in_a_pattern(
    cond: str, value: str
) -> None:
    assert "stands for any character" in refusal(cond=cond, value=value)


def test_a_condition_that_says_too_much_or_too_little_is_refused() -> None:
    assert "eq takes one value" in refusal(value=["a", "b"])
    assert "compared with nothing" in refusal()
    assert "go with `between`" in refusal(value="a", cond="eq", since="2026-01-01")
    assert "go with `between`" in refusal(cond="between", value="a")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "this one has nothing"),
        ({"resource": "assets", "links": {}}, "this one has resource and links"),
        ({"resource": "E_CONTRACT"}, "what identifies a record of 'E_CONTRACT' is not known"),
        ({"resource": "assets/1"}, "string_pattern_mismatch"),
        ({"links": {}, "search": [{"field": "A", "value": 1}]}, "links cannot be searched"),
        ({"links": {"of": "locations"}}, "which is no list of assets"),
        ({"links": {"kind": "asset-links", "direction": "impacted"}}, "have no direction"),
        (
            {
                "resource": "assets",
                "search": [{"field": "A", "cond": "is_one_of", "value": list(range(300))}],
            },
            "longer than the 1,500",
        ),
    ],
)
def test_a_dataset_that_cannot_be_read_is_refused_when_the_job_is_loaded(
    table: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        config(it=table)

    assert words in str(caught.value)


def test_the_key_of_an_own_table_is_one_field_or_several() -> None:
    one = config(it={"resource": "E_X", "key": "E_ID"}).datasets["it"]
    many = config(it={"resource": "E_X", "key": ["E_ID", "E_PART"]}).datasets["it"]

    assert (one.keys, many.keys) == (("E_ID",), ("E_ID", "E_PART"))


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"account": "acme"}, "string_pattern_mismatch"),
        ({"base_url": "https://acme.easyvista.com/api/v1/50004"}, "write the host alone"),
        ({"timezone": "Paris"}, "unknown time zone"),
        ({"auth": {"type": "none"}}, "does not match any of the expected tags"),
        ({"languages": ["French"]}, "Input should be 'EN'"),
        ({"languages": []}, "at least 1 item"),
    ],
)
def test_a_connection_at_fault_is_told_so(block: dict[str, Any], words: str) -> None:
    good = {"base_url": "https://acme.easyvista.com", "account": 50004, "auth": BASIC}

    with pytest.raises(ValidationError) as caught:
        SOURCE.connection.model_validate(good | block)

    assert words in str(caught.value)
    assert "api-password" not in str(caught.value)


def test_the_account_is_a_number_that_stays_a_text() -> None:
    block = {"base_url": "https://acme.easyvista.com/", "account": "00040", "auth": BASIC}

    assert SOURCE.connection.model_validate(block).root == (
        "https://acme.easyvista.com/api/v1/00040"
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-08-17T15:40:41.610+02:00", "2026-08-17T13:40:41.610Z"),
        ("2021-04-09T11:29:36.947Z", "2021-04-09T11:29:36.947Z"),
        ("2026-08-17T15:40:41-0530", "2026-08-17T21:10:41.000Z"),
    ],
)
def test_a_moment_is_read_by_its_offset(text: str, read: str) -> None:
    assert iso(moment(text, Writing())) == read


@pytest.mark.parametrize(
    "text",
    [
        "20260817",
        "1786981241610",
        "2026-08-17",
        "17/08/2026 15:40:41",
        "2026-08-17T15:40:41.610",
        "2026-13-17T15:40:41.610Z",
        "0001-01-01T00:00:00.000+00:09",
        "",
    ],
)
def test_what_may_be_several_moments_or_none_is_not_guessed(text: str) -> None:
    with pytest.raises(NoMoment):
        moment(text, Writing())


def test_an_interval_is_never_narrower_than_what_is_wanted() -> None:
    since = datetime(2026, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)
    until = datetime(2026, 1, 2, 0, 0, 0, 1001, tzinfo=UTC)

    assert interval(since, until) == "(2026-01-01T00:00:00.001Z;2026-01-02T00:00:00.002Z)"
    assert interval(None, until.replace(microsecond=0)) == "(;2026-01-02T00:00:00.000Z)"


@pytest.mark.parametrize(
    ("text", "decimal", "read"),
    [
        ("1234,56", ",", "1234.56"),
        ("0,00", ",", "0.00"),
        ("-12", ",", "-12"),
        ("1234.56", ".", "1234.56"),
        ("1.234,56", ",", None),
        ("1.234", ",", None),
        ("1,234", ".", None),
        ("99 €", ",", None),
    ],
)
def test_an_amount_is_read_by_the_sign_of_the_tenant_alone(
    text: str, decimal: str, read: str | None
) -> None:
    assert amount(text, decimal) == read


def test_a_label_is_the_first_one_that_is_translated() -> None:
    held = {"REFERENCE_EN": "[Dépend de]", "REFERENCE_FR": "Dépend de", "REFERENCE_GE": None}

    assert label(held, "REFERENCE", ["EN", "GE", "FR"]) == "Dépend de"
    assert label(held, "REFERENCE", ["EN"]) is None
    assert label({"REFERENCE_FR": "[1] baie"}, "REFERENCE", ["FR"]) == "[1] baie"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ('{"a":"","b":["",{"c":""}],"d":"\\":\\"\\"","e":":"}', None),
        ('{"a": "", "b": ["", {"c": ""}], "d": "\\": \\"\\"", "e": ": "}', None),
        ('{"":"","a:":"","b":"x:"}', {"": None, "a:": None, "b": "x:"}),
        ("{}", {}),
        ("", None),
    ],
)
def test_empty_texts_become_null_and_no_other_text_changes(body: str, read: Any) -> None:
    plain = unset_as_null(body.encode())

    if read is None and body:
        was, _ = decode(body.encode())
        read = {**was, "a": None, "b": ["", {"c": None}]}
    assert plain == b"" if not body else decode(plain)[0] == read


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"message": '{"error": "No such column"} (2013-628f8b26158fb)', "correlationId": "62"},
            Told("No such column", "2013", "62"),
        ),
        (
            {"message": '{"error": "in "FK_A" of "T""} (2013-628f)', "correlationId": ""},
            Told('in "FK_A" of "T"', "2013", "628f"),
        ),
        ({"error": "Resource not found"}, Told("Resource not found")),
        ({"error_code": "17", "error": "x"}, Told("x", "17")),
        ({"code": 5, "message": "y"}, Told("y", "5")),
        ({"error": {"deep": 1}}, Told("{'deep': 1}")),
    ],
)
def test_the_words_of_an_error_are_found_in_its_forms(body: dict[str, Any], told: Told) -> None:
    assert Told.of(body) == told
