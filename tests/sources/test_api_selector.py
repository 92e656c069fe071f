"""From bytes to rows: decoding, paths, selection, totals."""

from typing import Any

import pytest

from sources.errors import Unreadable
from sources.selector import MISSING, NotJson, as_count, decode, find, is_writable, select


def rows(document: Any, path: str = "", **options: Any) -> list[Any]:
    defaults: dict[str, Any] = {"single": False, "record_key_field": None, "where": "here"}
    return select(document, path, **defaults | options)


def told(error: Unreadable) -> str:
    return "\n".join([str(error), *error.__notes__])


# Decoding


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert decode(b'\xef\xbb\xbf["\xc3\xa9"]') == (["é"], False)


@pytest.mark.parametrize(
    "body", [b'{"n": 12345678901234567890123}', b"[1, 12345678901234567890123]"]
)
def test_an_integer_of_many_digits_keeps_them_all(body: bytes) -> None:
    document, _ = decode(body)

    assert "12345678901234567890123" in str(document)


@pytest.mark.parametrize("digits", [19, 20, 21, 40])
@pytest.mark.parametrize("before", range(5))
def test_every_digit_stays_wherever_the_integer_stands(before: int, digits: int) -> None:
    number = int("9" * digits)

    assert decode(b"[" + b" " * before + b"%d]" % number) == ([number], False)


def test_many_digits_in_a_text_are_a_text() -> None:
    assert decode(b'["12345678901234567890123", 1.5]') == (["12345678901234567890123", 1.5], False)


def test_half_a_character_puts_the_texts_in_doubt() -> None:
    document, doubtful = decode(rb'[{"a": "\ud83d"}, {"a": "\ud83d\ude00"}]')

    assert doubtful
    assert [is_writable(row) for row in document] == [False, True]


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b"[-Infinity]", b"[1e999]", b"[01]"])
def test_what_json_does_not_know_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson) as error:
        decode(body)

    assert not error.value.truncated


@pytest.mark.parametrize("body", [b"[12345678901234567890123, NaN]", rb'["\ud83d", NaN]'])
def test_the_slow_way_is_as_strict(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


def test_every_beginning_of_a_document_is_seen_to_be_cut() -> None:
    whole = '{"rows": [{"a": "é", "b": -1.5, "c": [true, null]}]}'.encode()

    for size in range(1, len(whole)):
        with pytest.raises(NotJson) as error:
            decode(whole[:size])
        assert error.value.truncated, whole[:size]


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        (b'["caf\xe9"]', "ISO-8859-1", "café"),
        (b'["\x80"]', "windows-1252", "€"),
        ('["é"]'.encode(), "ISO-8859-1", "é"),
    ],
    ids=["latin-1", "cp1252", "UTF-8 declared otherwise"],
)
def test_a_declared_charset_serves_when_the_bytes_are_not_utf_8(
    body: bytes, charset: str, text: str
) -> None:
    assert decode(body, charset) == ([text], False)


def test_an_unknown_charset_is_refused() -> None:
    with pytest.raises(NotJson, match="unknown encoding"):
        decode(b'["caf\xe9"]', "klingon")


# Paths


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", {"a": {"b": [{"c": 1}, {"c": 2}], "x.y": 3, "n": None}}),
        ("$", {"a": {"b": [{"c": 1}, {"c": 2}], "x.y": 3, "n": None}}),
        ("$.a.b.0.c", 1),
        ("a.b.-1.c", 2),
        ("a.x.y", 3),
        ("a.n", None),
        ("a.z", MISSING),
        ("a.b.2", MISSING),
        ("a.b.c", MISSING),
        ("a.n.z", MISSING),
    ],
)
def test_paths_lead_through_objects_and_lists(path: str, value: Any) -> None:
    document = {"a": {"b": [{"c": 1}, {"c": 2}], "x.y": 3, "n": None}}

    assert find(document, path) == value


# Selection


def test_rows_are_the_very_objects_of_the_answer() -> None:
    document = {"hits": {"hits": [{"a": 1}]}}

    assert rows(document, "hits.hits") is document["hits"]["hits"]


def test_a_map_gives_its_values_and_may_give_them_their_key() -> None:
    document = {"objects": {"Server::1": {"code": 0}, "Server::2": {"code": 0}}}

    assert rows(document, "objects") == [{"code": 0}, {"code": 0}]
    assert rows(document, "objects", record_key_field="_key") == [
        {"code": 0, "_key": "Server::1"},
        {"code": 0, "_key": "Server::2"},
    ]


def test_a_map_may_hold_what_is_no_record() -> None:
    document = {"objects": {"a": {}, "b": None}}

    assert rows(document, "objects", record_key_field="_key") == [{"_key": "a"}, None]


def test_the_root_may_be_a_list_a_map_or_one_record() -> None:
    assert rows([{"a": 1}]) == [{"a": 1}]
    assert rows({"srv1": {"a": 1}}) == [{"a": 1}]
    assert rows({"name": "srv1"}, single=True) == [{"name": "srv1"}]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({}, ""),
        ({"objects": None}, "objects"),
        ({"objects": ""}, "objects"),
        ({"objects": {}}, "objects"),
        ({"hits": None}, "hits.hits"),
        ({"hits": {}}, "hits.hits"),
        ({"hits": []}, "hits.hits.deep"),
    ],
)
def test_nothing_under_a_key_that_exists_is_an_empty_answer(document: Any, path: str) -> None:
    assert rows(document, path) == []


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (
            {"total": 2, "items": [], "page": 1},
            "itmes",
            (
                "data_selector 'itmes' matches nothing in the answer\n"
                "where: here\n"
                "mend: correct `data_selector`: the keys there are total, items, page; "
                "did you mean 'items'?"
            ),
        ),
        (
            {"hits": {"total": 1}},
            "hits.hits",
            (
                "data_selector 'hits.hits' matches nothing in the answer\n"
                "where: here\n"
                "mend: correct `data_selector`: the keys there are total"
            ),
        ),
        (
            [{"a": 1}],
            "items",
            (
                "data_selector 'items' matches nothing in the answer\n"
                "where: here\n"
                "mend: correct `data_selector`: the answer holds a list there"
            ),
        ),
        (
            {"count": 12},
            "count",
            (
                "data_selector 'count' holds a number, not records\n"
                "where: here\n"
                "mend: set `data_selector` to the path of the list or map of records"
            ),
        ),
        (
            {"total": 3, "items": [{"a": 1}]},
            "",
            (
                "the answer holds an object without one record in it\n"
                "where: here\n"
                "mend: set `data_selector` to one of its keys: total, items; or `single: true`"
            ),
        ),
        (
            None,
            "",
            (
                "the answer holds null, not records\n"
                "where: here\n"
                "mend: set `data_selector` to the path of the list or map of records"
            ),
        ),
        (
            {},
            "items",
            (
                "data_selector 'items' matches nothing in the answer\n"
                "where: here\n"
                "mend: correct `data_selector`: the keys there are none"
            ),
        ),
    ],
    ids=["typo", "parent", "list", "number", "envelope", "null", "empty object"],
)
def test_what_leads_nowhere_is_unreadable(document: Any, path: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        rows(document, path)

    assert told(error.value) == words


# Totals


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (12, 12),
        ("61377", 61377),
        (" 3 ", 3),
        ("0-49/200", 200),
        ("Found: 4", 4),
        ("0-49/*", None),
        ({"value": 3, "relation": "eq"}, 3),
        ({"value": 10_000, "relation": "gte"}, None),
        ("", None),
        (None, None),
        (MISSING, None),
        (True, None),
        (-1, None),
        ("-1", None),
        (1.5, None),
        ("many", None),
    ],
)
def test_totals_are_read_in_every_form(value: Any, count: int | None) -> None:
    assert as_count(value) == count
