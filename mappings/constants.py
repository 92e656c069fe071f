"""Constants of a job file: scalars, arrays of strings, lookup tables, ratios, lists of fields.

Each is one annotated type with one plain message, where a union would give one message per member.
Values that a YAML reader dressed up (with comments, with their layout) are undressed here, so that
what reaches Canopsis is plain JSON.
"""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from mappings.casts import article, shown, text
from mappings.rejects import Refusal

Scalar = str | bool | int | float
Rows = dict[str, Scalar | list[str] | None]

_SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CONSTANT = {"anyOf": [*_SCALARS, _STRINGS]}
ROWS_SCHEMA = {"anyOf": [*_SCALARS, _STRINGS, {"type": "null"}]}
_TABLE = {"type": "object", "additionalProperties": ROWS_SCHEMA}


def constant(value: object) -> Scalar | list[str]:
    """A string, number, boolean or array of strings, of exactly the built-in types."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    what = "null" if value is None else article(value)
    raise PydanticCustomError(
        "constant", f"expected a string, number, boolean or array of strings, not {what}"
    )


def rows(value: object) -> Rows:
    """Rows of a lookup by the text of their key; a null value means "no value, on purpose"."""
    if not isinstance(value, dict):
        raise PydanticCustomError("lookup", f"a table has rows `key: value`, not {article(value)}")
    found: Rows = {}
    for key, row in value.items():
        name = _scalar_text(key)
        if name is None:
            raise PydanticCustomError("lookup", f"the key {shown(key)} is not a text: quote it")
        if name in found:
            raise PydanticCustomError(
                "lookup", f"the key {name!r} stands twice (1 and '1' are one)"
            )
        found[name] = None if row is None else _row(name, row)
    if not found:
        raise PydanticCustomError("lookup", "an empty table: every value would be unknown")
    return found


def ratio(value: object) -> float:
    """A share from 0 to 1, or a percentage as text: 0.9 or "90%"."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        try:
            number = float(value.rstrip().removesuffix("%")) / 100
        except ValueError:
            number = -1.0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        number = -1.0
    if not 0 <= number <= 1:
        raise PydanticCustomError(
            "ratio", f"expected a share from 0 to 1 or a percentage, not {shown(value)}"
        )
    return number


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list of scalars, at least one; 1 and "1" are one."""
    written = value if isinstance(value, list) else []
    found = tuple(word for each in written if (word := _scalar_text(each)) is not None)
    if not found or len(found) < len(written):
        raise PydanticCustomError("texts", f"expected a list of values, not {_described(value)}")
    return found


def fields(value: object) -> tuple[str, ...] | bool:
    """All fields (true), none (false), or those of a list of paths."""
    if isinstance(value, bool):
        return value
    paths = value if isinstance(value, list) else []
    if not paths or not all(isinstance(path, str) for path in paths):
        raise PydanticCustomError(
            "fields", f"expected true or a list of fields, not {_described(value)}"
        )
    return tuple(map(str, paths))


def _row(key: str, value: object) -> Scalar | list[str]:
    try:
        return constant(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("lookup", f"row {key!r}: {error}") from None


def _scalar_text(value: object) -> str | None:
    """The text of a scalar; None for anything else, and for no number."""
    try:
        return text(value)
    except Refusal:
        return None


def _described(value: object) -> str:
    return f"such a list: {shown(value)}" if isinstance(value, list) else article(value)


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
