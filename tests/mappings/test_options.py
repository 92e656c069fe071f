"""Options of a value: what is made of what a rule found, in one order however it is written."""

import itertools
from typing import Any

import orjson
import pytest

from mappings.errors import MappingErrors
from mappings.loading import load_mapping
from mappings.mapper import Mapper


def mapper_of(value: dict[str, Any], **rules: Any) -> Mapper:
    component = {"name": "name", "infos": {"x": {"value": value}}, **rules}
    return load_mapping({"entities": [{"dataset": "servers", "component": component}]})


def given(value: dict[str, Any], record: dict[str, Any]) -> Any:
    """The info that the rule makes of the record; None when it is left out."""
    mapped = mapper_of(value).map_page("servers", [{"name": "n", **record}], 1)
    info = orjson.loads(mapped.entities.payloads[0])["infos"].get("x")
    return info and info["value"]


def refused(value: dict[str, Any], found: object) -> str:
    mapper = mapper_of(value)
    mapper.map_page("servers", [{"name": "n", "a": found}], 1)
    (refusal,) = mapper.report().datasets["servers"].refused
    return refusal.reason


def fault(value: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(MappingErrors) as caught:
        mapper_of(value)
    (problem,) = caught.value.problems
    return problem.what, problem.mend


@pytest.mark.parametrize(
    ("options", "found", "value"),
    [
        ({"trim": True}, "  a b\u00a0", "a b"),
        ({"trim": True}, "   ", None),
        ({"trim": True}, [" a ", " ", "b"], ["a", "b"]),
        ({"trim": True}, 7, 7),
        ({"case": "upper"}, "éa", "ÉA"),
        ({"case": "lower"}, "ÉA", "éa"),
        ({"case": "title"}, "salle serveur", "Salle Serveur"),
        ({"case": "upper"}, ["a", "b"], ["A", "B"]),
        ({"strip_accents": True}, "Évry-Cœur Straße", "Evry-Coeur Strasse"),
        ({"strip_accents": True}, "ascii", "ascii"),
        ({"split": ","}, "a, b,,c", ["a", " b", "c"]),
        ({"split": ",", "trim": True}, "a, b, ,c", ["a", "b", "c"]),
        ({"split": ","}, " , ", None),
        ({"join": ", "}, ["a", "b"], "a, b"),
        ({"join": ", "}, [1, None, True], "1, true"),
        ({"join": ", "}, "a", "a"),
        ({"split": ";", "join": "/", "case": "upper"}, "a;b", "A/B"),
        ({"hash": "xxh3"}, "a", "a96faf705af16834e6c632b61e964e1f"),
        (
            {"hash": "sha256"},
            *("a", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ),
        ({"case": "upper", "trim": True}, None, None),
        ({"trim": True, "default": "none"}, " ", "none"),
    ],
    ids=str,
)
def test_what_an_option_makes_of_a_value(
    options: dict[str, Any], found: object, value: object
) -> None:
    assert given({"copy": "a", **options}, {"a": found}) == value


@pytest.mark.parametrize(
    ("cast", "found", "value"),
    [
        *(("int", "7", 7), ("int", 7.0, 7), ("int", True, 1), ("int", " -7 ", -7)),
        *(("float", "7,5", 7.5), ("float", 7, 7.0), ("float", "1e3", 1000.0)),
        *(("bool", "Oui", True), ("bool", 0, False), ("bool", "off", False), ("bool", True, True)),
        *(("string", 7, "7"), ("string", 7.0, "7"), ("string", True, "true")),
        *(("string_array", "a", ["a"]), ("string_array", [1, "b", None], ["1", "b"])),
        ("date", "2024-03-01T00:00:00Z", 1709251200),
        ("date", "2024-03-01T01:00:00+01:00", 1709251200),
        ({"type": "date", "format": "%d/%m/%Y"}, "01/03/2024", 1709251200),
        ({"type": "date", "format": "%d/%m/%Y", "zone": "Europe/Paris"}, "01/03/2024", 1709247600),
        (
            {"type": "date", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Paris", "to": "iso"},
            *("01/07/2024 12:30", "2024-07-01T10:30:00Z"),
        ),
        (
            {"type": "date", "format": "unix", "zone": "Europe/Paris", "to": "day"},
            *(1709247600, "2024-03-01"),
        ),
    ],
    ids=str,
)
def test_a_cast_gives_a_value_its_type(cast: object, found: object, value: object) -> None:
    made = given({"copy": "a", "cast": cast}, {"a": found})

    assert (made, type(made)) == (value, type(value))


@pytest.mark.parametrize(
    ("cast", "found", "why"),
    [
        ("int", "7.5", "'7.5' is not a whole number"),
        ("int", 2**53 + 1, "9007199254740993 would lose digits in Canopsis"),
        ("float", "nan", "'nan' is not a number"),
        ("float", True, "True is not a number"),
        ("bool", "maybe", "'maybe' is neither true nor false"),
        ("string", {"b": 1}, "an object cannot be a text"),
        ("date", "01/03/2024", "'01/03/2024' is not a date as ISO 8601"),
        ({"type": "date", "format": "%d/%m/%Y"}, "31/02/2024", "'31/02/2024' is not a date as %d"),
        ({"type": "date", "format": "unix"}, "1e99", "'1e99' is not a date as seconds since 1970"),
    ],
    ids=str,
)
def test_what_cannot_be_cast_is_left_out_and_counted(cast: object, found: object, why: str) -> None:
    assert refused({"copy": "a", "cast": cast}, found).startswith(why)


def test_what_cannot_be_cast_where_a_value_is_required_rejects_the_record() -> None:
    mapper = mapper_of({"copy": "a", "cast": "int", "required": True})

    (reject,) = mapper.map_page("servers", [{"name": "n", "a": "x"}], 1).rejects

    assert (reject.rule, reject.id) == ("component.infos.x", "n")


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ({"a": "1", "b": {"c": "2"}, "d": "3"}, "1"),
        ({"a": None, "b": {"c": "2"}, "d": "3"}, "2"),
        ({"a": " ", "b": {"c": ""}, "d": "3"}, "D-3"),
        ({"a": 0}, 0),
        ({"b": "no object"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_first_of_takes_the_first_value_that_is_there_and_not_blank(
    record: dict[str, Any], value: object
) -> None:
    assert given({"first_of": ["a", "b.c", "D-{{ .d }}"]}, record) == value


def test_first_of_shares_its_fields_with_other_rules_and_makes_names() -> None:
    infos = {"c": "b.c", "d": {"first_of": ["b.d"], "default": "none"}}
    component = {"name": {"first_of": ["a", "b.c"], "case": "upper"}, "infos": infos}
    mapper = load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    mapped = mapper.map_page("servers", [{"a": "x", "b": {"c": "y"}}, {"b": {"c": "z"}}, {}], 1)

    assert mapper.fields("servers") == {"a", "b.c", "b.d"}
    assert mapped.entities.ids == ["X", "Z"]
    bodies = [orjson.loads(payload)["infos"] for payload in mapped.entities.payloads]
    assert [(body["c"]["value"], body["d"]["value"]) for body in bodies] == [
        *(("y", "none"), ("z", "none")),
    ]
    assert "a or b.c is missing" in mapped.rejects[0].reason


def test_the_order_of_options_is_one_however_they_are_written() -> None:
    options = {
        "split": ",",
        "trim": True,
        "strip_accents": True,
        "case": "lower",
        "lookup": {"ete": "summer", "hiver": "winter"},
        "join": "+",
    }

    for written in itertools.islice(itertools.permutations(options.items()), 0, 720, 60):
        assert given({"copy": "a", **dict(written)}, {"a": " Été ,HIVER"}) == "summer+winter"


def test_a_lookup_translates_each_piece_of_a_split_text() -> None:
    rule = {"copy": "a", "split": ",", "lookup": {"a": "A"}, "unknown": "warn"}
    mapper = mapper_of(rule)

    mapper.map_page("servers", [{"name": "n", "a": "a,b"}], 1)

    assert given(rule, {"a": "a,b,a"}) == ["A", "A"]
    assert given(rule, {"a": "b"}) is None
    (unknown,) = mapper.report().datasets["servers"].unknown
    assert (unknown.value, unknown.count) == ("b", 1)


def test_a_cast_comes_after_the_lookup_and_before_the_default() -> None:
    rule = {"copy": "a", "lookup": {"low": "1"}, "cast": "int", "default": "none"}

    assert given(rule, {"a": "low"}) == 1
    assert given(rule, {"a": "other"}) == "none"


@pytest.mark.parametrize(
    ("value", "what", "mend"),
    [
        ({"copy": "a", "cast": "itn"}, "unknown word 'itn'", "did you mean 'int'?"),
        ({"copy": "a", "cast": 3}, "expected a word, not a number", "known words: "),
        ({"copy": "a", "cast": {"type": "int", "zone": "UTC"}}, "format, zone and to are", ""),
        (
            {"copy": "a", "cast": {"type": "date", "zone": "Europe/Pari"}},
            *("unknown time zone 'Europe/Pari'", "did you mean 'Europe/Paris'?"),
        ),
        (
            {"copy": "a", "cast": {"type": "date", "zone": "../../etc/passwd"}},
            *("unknown time zone '../../etc/passwd'", "write a name such as Europe/Paris"),
        ),
        (
            {"copy": "a", "cast": {"type": "date", "format": "dd/mm"}},
            *("'dd/mm' is no format of dates: no directive", "write iso, unix, or such as"),
        ),
        (
            {"copy": "a", "cast": {"type": "date", "format": "%Q"}},
            *("'%Q' is no format of dates: 'Q' is a bad directive", "write iso"),
        ),
        (
            {"copy": "a", "cast": {"type": "date", "format": "%d %d"}},
            *("'%d %d' is no format of dates: a directive stands twice", "write iso"),
        ),
        ({"copy": "a", "case": "uper"}, "unknown word 'uper'", "did you mean 'upper'?"),
        ({"copy": "a", "trimm": True}, "unknown key 'trimm'", "did you mean 'trim'?"),
        ({"copy": "a", "trim": "yes"}, "expected true or false, not a text", ""),
        ({"copy": "a", "split": ""}, "", ""),
        ({"first_of": []}, "", ""),
        ({"first_of": "a"}, "expected a list, not a text", ""),
        ({"first_of": ["a", 3]}, "expected a text, not a number", ""),
        ({"first_of": ["a", "b..c"]}, "path 'b..c' has an empty step", "write the keys"),
        ({"first_of": ["a", "x{{ `y` }}"]}, "a constant has no place", "write it as default:"),
        ({"first_of": ["a"], "copy": "b"}, "first_of and copy exclude each other", ""),
        ({"set": "a", "case": "upper"}, "a constant needs no options", ""),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_a_wrong_option_is_told_with_its_mend(value: dict[str, Any], what: str, mend: str) -> None:
    found = fault(value)

    assert found[0].startswith(what)
    assert found[1].startswith(mend)
