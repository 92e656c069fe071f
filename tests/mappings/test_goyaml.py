"""YAML as yaml.v3 reads it; `vectors/goyaml.jsonl` was made by yaml.v3 itself."""

import contextlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from mappings.goyaml import GoYamlError, Mapping, Scalar, Sequence, plain, read_goyaml

LINES = (Path(__file__).parent / "vectors" / "goyaml.jsonl").read_text(encoding="utf-8").split("\n")
VECTORS = [json.loads(line) for line in LINES if line]
GO_TYPES = {
    "NoneType": "<nil>",
    "bool": "bool",
    "int": "int",
    "float": "float64",
    "datetime": "time.Time",
    "str": "string",
    "list": "[]interface {}",
    "dict": "map[string]interface {}",
}


def as_json(value: Any) -> Any:
    """*value* as the vectors write it: no infinity in JSON, times as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def outcome(text: str) -> dict[str, Any]:
    """The line of the vectors for *text* as the value of a key, by our reader."""
    try:
        document = read_goyaml(f"v: {text}")
    except GoYamlError:
        return {"any_error": True, "bool_error": True, "string_error": True}
    assert isinstance(document, Mapping)
    node = document.get("v")
    value = plain(node)
    line: dict[str, Any] = {"any": as_json(value), "any_type": GO_TYPES[type(value).__name__]}
    if not isinstance(node, Scalar):
        return line | {"bool_error": True, "string_error": True}
    line["string"] = node.string()
    try:
        line["bool"] = node.boolean()
    except GoYamlError:
        line["bool_error"] = True
    return line


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["yaml"])
def test_a_public_vector_gives_what_yaml_v3_gives(vector: dict[str, Any]) -> None:
    assert outcome(vector["yaml"]) | {"yaml": vector["yaml"]} == vector


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("08", 8.0),
        ("-0b11", -3),
        ("-_1", -1),
        ("0O7", 7),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 1.8446744073709552e19),
        ("-9223372036854775809", -9.223372036854775809e18),
        ("1e999", "1e999"),
        ("7" * 5_000, "7" * 5_000),
        ("7" * 30, 7.777777777777778e29),
        ("0x", "0x"),
        ("_1", "_1"),
        ("nULL", "nULL"),
        ("2021-02-30", "2021-02-30"),
        ("2021-9-2", datetime(2021, 9, 2, tzinfo=UTC)),
        ("2021-09-29 1:2:3.5", datetime(2021, 9, 29, 1, 2, 3, 500_000, tzinfo=UTC)),
        ("2021-09-29 10:00:00Z", "2021-09-29 10:00:00Z"),
        ("2021-09-29t10:00:00-05:30", datetime(2021, 9, 29, 15, 30, tzinfo=UTC)),
        ("!!float 1", 1.0),
        ("!!binary YQ==", "a"),
        ("!own x", "x"),
        ('! "12"', "12"),
        ("a:\tb", {"a": "b"}),
        ("a: b\tc", {"a": "b\tc"}),
        ("a: x\n  \ty", {"a": "x y"}),
        ("k:\t|\n  x\n", {"k": "x\n"}),
        ("{a:b}", {"a:b": None}),
        ("a: &x 1\n*x : 2", {"a": 1, 1: 2}),
        ("a: 1\n---\nb: [", {"a": 1}),
        ("", None),
        ("# a comment", None),
    ],
)
def test_a_text_means_what_it_means_to_yaml_v3(text: str, value: Any) -> None:
    assert plain(read_goyaml(text)) == value


@pytest.mark.parametrize(
    ("text", "what", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "mapping key `a` already defined at line 1", 3, 1),
        ("'a': 1\na: 3", "mapping key `a` already defined at line 1", 2, 1),
        ("a:\n  - {b: 1, b: 2}", "mapping key `b` already defined at line 2", 2, 12),
        ("a: !!int x", "cannot decode `x` as a !!int", 1, 4),
        ("a: !!binary é", "!!binary value contains invalid base64 data", 1, 4),
        ("a: !!bool yes", "cannot decode `yes` as a !!bool", 1, 4),
        ("a: *b", "unknown anchor 'b' referenced", 1, 4),
        ("a: &a [*a]", "anchor 'a' value contains itself", 1, 8),
        ("[a]: b", "invalid map key", 1, 1),
        ("value: {{.Field}}", "invalid map key", 1, 9),
        ("<<: 1", "map merge requires map or sequence of maps as the value", 1, 5),
        ("\ta: b", "found character '\\t' that cannot start any token", 1, 1),
        ("a:\n  \tb: c", "found character '\\t' that cannot start any token", 2, 3),
        ("a: x\n\ty", "found a tab character that violates indentation", 2, 1),
        ("a: b: c", "mapping values are not allowed here", 1, 5),
        ("a: 'b", "found unexpected end of stream", 1, 6),
        ('a: "\\q"', "found unknown escape character 'q'", 1, 6),
        ("a: [", "expected the node content, but found '<stream end>'", 1, 5),
        ("[" * 200 + "]" * 200, "more than 100 levels inside one another", 1, 101),
    ],
)
def test_a_refusal_says_what_and_where(text: str, what: str, line: int, column: int) -> None:
    with pytest.raises(GoYamlError) as caught:
        plain(read_goyaml(text))

    assert str(caught.value) == what
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.__notes__ == [f"where: line {line}, column {column}"]


def test_a_document_keeps_its_order_its_texts_and_its_places() -> None:
    node = read_goyaml("name: 0123\nlist:\n  - yes\n  - ~\n")

    assert node == Mapping(
        (
            (Scalar("name", "str", "name", 1, 1), Scalar("0123", "int", 83, 1, 7)),
            (
                Scalar("list", "str", "list", 2, 1),
                Sequence(
                    (Scalar("yes", "str", "yes", 3, 5), Scalar("~", "null", None, 4, 5)), 3, 3
                ),
            ),
        ),
        1,
        1,
    )


def test_a_key_is_looked_up_by_its_text() -> None:
    node = read_goyaml("12: a\n'b': c\n")

    assert isinstance(node, Mapping)
    assert node.get("12") == Scalar("a", "str", "a", 1, 5)
    assert node.get("b") == Scalar("c", "str", "c", 2, 6)
    assert node.get("other") is None


def test_a_merge_key_brings_in_what_is_not_there_the_first_map_first() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n"

    assert plain(read_goyaml(text))["z"] == {"a": 0, "b": 1, "c": 2}


def test_aliases_that_multiply_are_refused_instead_of_filling_the_memory() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join(['*' + a] * 10)}]" for a, b in zip("abcde", "bcdef")]  # noqa: B905 - of one length

    with pytest.raises(GoYamlError, match="excessive aliasing"):
        plain(read_goyaml("\n".join(lines)))


PIECES = st.sampled_from(
    ["a", "b", ": ", ":", "- ", "-", "?", "[", "]", "{", "}", ",", "&a ", "*a", "!", "!!int ", "|",
     ">", "%", "@", '"', "'", "#", "\\", " ", "\n", "\t", "\r", "0", "1", ".", "~", "<<: ", "---",
     "...", "%YAML 1.1\n", "\x00", "\x85", "\u2028", "\ufeff", "é", "\\u", "\\x"]
)  # fmt: skip


@seed(20260103)
@settings(max_examples=800, deadline=None, database=None)
@given(st.lists(PIECES, max_size=16).map("".join))
def test_any_text_is_read_or_refused_with_our_error(text: str) -> None:
    with contextlib.suppress(GoYamlError):
        plain(read_goyaml(text))
