"""Constants of a job file: scalars, arrays of strings, lookup tables, ratios, lists of fields.

Each is one annotated type with one plain message, where a union would give one message per member.
Values that a YAML reader dressed up (with comments, with their layout) are undressed here, so that
what reaches Canopsis is plain JSON.
"""

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from mappings.casts import shown, text
from mappings.complaints import kind_of
from mappings.rejects import Refusal
from mappings.strict import refusal

Scalar = str | bool | int | float
Rows = dict[str, Scalar | list[str] | None]

_SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CONSTANT = {"anyOf": [*_SCALARS, _STRINGS]}
ROWS_SCHEMA = {"anyOf": [*_SCALARS, _STRINGS, {"type": "null"}]}
_TABLE = {"type": "object", "additionalProperties": ROWS_SCHEMA}


def constant(value: object) -> Scalar | list[str]:
    """A text, number, truth value or list of texts, of exactly the built-in types."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    odd = _odd(value, str)
    if isinstance(value, list) and odd is None:
        return [str(item) for item in value]
    if isinstance(value, list) and odd is not None:
        what = f"a list has texts alone, not {kind_of(value[odd])}"
        raise refusal(what, "put it in quotes", odd)
    what = f"expected a text, a number, true or false, or a list of texts, not {kind_of(value)}"
    raise refusal(what, "write one value, or `[a, b]`")


def rows(value: object) -> Rows:
    """Rows of a lookup by the text of their key; a null value means "no value, on purpose"."""
    if not isinstance(value, dict):
        what = f"a table has rows `key: value`, not {kind_of(value)}"
        raise refusal(what, "write a row a line, or between braces")
    found: Rows = {}
    for key, row in value.items():
        name = _scalar_text(key)
        if name is None:
            raise refusal(f"the key {shown(key)} is not a text", "put it in quotes")
        if name in found:
            raise refusal(f"the key {name!r} stands twice (1 and '1' are one)", "keep one of them")
        with _inside(key):
            found[name] = None if row is None else constant(row)
    if not found:
        raise refusal("an empty table: every value would be unknown", "write rows `key: value`")
    return found


def ratio(value: object) -> float:
    """A share from 0 to 1, or a percentage as text: 0.9 or "90%"."""
    number = -1.0
    if isinstance(value, str) and value.rstrip().endswith("%"):
        with contextlib.suppress(ValueError):
            number = float(value.rstrip().removesuffix("%")) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(min(max(value, -1), 2))  # a larger one may be no float
    if not 0 <= number <= 1:
        given = kind_of(value) if isinstance(value, dict | list | None) else shown(value)
        what = f"expected a share from 0 to 1 or a percentage, not {given}"
        raise refusal(what, "write such as 0.9 or 90%")
    return number


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list of scalars, at least one; 1 and "1" are one."""
    if not isinstance(value, list) or not value:
        given = "an empty list" if value == [] else kind_of(value)
        raise refusal(f"expected a list of values, not {given}", "write `[a, b]`")
    found = []
    for rank, each in enumerate(value):
        word = _scalar_text(each)
        if word is None:
            what = f"expected a text, a number, true or false, not {kind_of(each)}"
            raise refusal(what, "write one value", rank)
        found.append(word)
    return tuple(found)


def texts_by_field(value: object) -> dict[str, tuple[str, ...]]:
    """Texts that stand for no value, by field; those of all fields under ""."""
    if not isinstance(value, dict):
        return {"": texts(value)}
    found = {}
    for path, words in value.items():
        with _inside(path):
            found[str(path)] = texts(words)
    return found


def fields(value: object) -> tuple[str, ...] | bool:
    """All fields (true), none (false), or those of a list of paths."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not value:
        given = "an empty list" if value == [] else kind_of(value)
        raise refusal(f"expected true or a list of fields, not {given}", "write true, or `[a, b]`")
    odd = _odd(value, str)
    if odd is not None:
        what = f"expected the path of a field, not {kind_of(value[odd])}"
        raise refusal(what, "put it in quotes", odd)
    return tuple(map(str, value))


def _odd(value: object, kind: type) -> int | None:
    """The rank of the first item of a list that is not of a kind."""
    items = value if isinstance(value, list) else []
    return next((rank for rank, each in enumerate(items) if not isinstance(each, kind)), None)


@contextlib.contextmanager
def _inside(key: str | int) -> Iterator[None]:
    """What is refused inside stands under *key*."""
    try:
        yield
    except PydanticCustomError as error:
        context = dict(error.context or {})
        raise refusal(context["what"], context["mend"], key, *context["spot"]) from None


def _scalar_text(value: object) -> str | None:
    """The text of a scalar; None for anything else, and for no number."""
    try:
        return text(value)
    except Refusal:
        return None


ConstantField = Annotated[Any, PlainValidator(constant), WithJsonSchema(_CONSTANT)]
RowsField = Annotated[Rows, PlainValidator(rows), WithJsonSchema(_TABLE)]
TextsField = Annotated[
    tuple[str, ...],
    PlainValidator(texts),
    WithJsonSchema({"type": "array", "items": {"anyOf": _SCALARS}}),
]
FieldsField = Annotated[
    tuple[str, ...] | bool,
    PlainValidator(fields),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, _STRINGS]}),
]
RatioField = Annotated[
    float,
    PlainValidator(ratio),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\d+(\.\d+)?%$"},
            ]
        }
    ),
]
