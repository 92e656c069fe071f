"""The objects of an answer, as iTop gives them and as it should not."""

from typing import Any

import pytest

from sources.errors import Unreadable
from sources.itop_objects import found_in, names_of, objects_of
from sources.session import Answer

WHERE = "POST https://itop.acme.example/webservices/rest.php"


def answer(objects: Any, message: Any = "Found: 1", *, doubtful: bool = False) -> Answer:
    document = {"code": 0, "message": message, "objects": objects}
    return Answer(document, doubtful, 200, {}, WHERE)


def server(number: Any, **changes: Any) -> dict[str, Any]:
    fields = {"id": str(number), "name": f"srv-{number}"}
    told = {"code": 0, "message": "", "class": "Server", "key": str(number), "fields": fields}
    return told | changes


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_nothing_has_three_forms(nothing: object) -> None:
    objects = objects_of(answer(nothing, "Found: 0"))

    assert (objects.rows, objects.odd, objects.found) == ({}, {}, 0)
    assert names_of(answer(nothing)) == ([], frozenset())


def test_objects_are_known_by_the_number_of_their_id() -> None:
    big = 2**40 + 1
    held = {"Server::9": server(9), f"Server::{big}": server(big, key=big)}

    objects = objects_of(answer(held))

    assert objects.rows == {9: held["Server::9"]["fields"], big: held[f"Server::{big}"]["fields"]}
    assert objects.rows[big]["id"] == str(big)
    assert objects.classes == {"Server"}
    assert names_of(answer(held)) == ([9, big], frozenset({"Server"}))


def test_the_real_class_and_the_id_go_into_a_record_when_they_are_asked_for() -> None:
    held = {"Server::9": server(9, fields={"name": "srv"})}

    objects = objects_of(answer(held), with_class=True, with_id=True)

    assert objects.rows == {9: {"name": "srv", "finalclass": "Server", "id": "9"}}


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("a text", "not an object"),
        (None, "not an object"),
        (server(9, fields=[]), "not an object"),
        ({"code": 0, "class": "Server", "key": "9"}, "not an object"),
        (server(9, code=100, message="no"), "iTop answers for it (code 100): no"),
    ],
)
def test_what_is_no_record_says_why_and_the_others_stay(odd: Any, reason: str) -> None:
    held = {"Server::8": server(8), "Server::9": odd, "Server::10": server(10)}

    objects = objects_of(answer(held), with_class=True, with_id=True)

    assert objects.odd == {9: reason}
    assert [*objects.rows] == [8, 9, 10]
    assert objects.rows[10]["finalclass"] == "Server"


def test_half_a_character_makes_its_record_odd() -> None:
    held = {"Server::8": server(8), "Server::9": server(9, fields={"name": "\ud83d"})}

    objects = objects_of(answer(held, doubtful=True))

    assert objects.odd == {9: "half a character in a text"}


@pytest.mark.parametrize("objects", [[server(9)], "text", {"Server": 1, "Person::x": 2}, 7])
def test_what_is_no_map_of_objects_is_unreadable(objects: object) -> None:
    with pytest.raises(Unreadable, match="`objects` holds"):
        objects_of(answer(objects))
    with pytest.raises(Unreadable, match="`objects` holds"):
        names_of(answer(objects))


@pytest.mark.parametrize(
    ("message", "found"),
    [("Found: 2004", 2004), ("Found: 0", 0), ("", None), (None, None), ("Found: many", None)],
)
def test_the_message_says_how_many_there_are(message: str | None, found: int | None) -> None:
    assert found_in(answer({}, message)) == found
