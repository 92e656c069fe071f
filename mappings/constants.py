"""Constants of a job file: scalars, arrays of strings, lookup tables and ratios.

Each is one annotated type with one plain message, where a union would give one message per member.
Values that a YAML reader dressed up (with comments, with their layout) are undressed here, so that
what reaches Canopsis is plain JSON.
"""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from mappings.casts import article, shown, text

Scalar = str | bool | int | float
Table = dict[str, Scalar | list[str] | None]

_SCALARS: list[dict[str, Any]] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CONSTANT = {"anyOf": [*_SCALARS, _STRINGS]}
_TABLE = {
    "type": "object",
    "additionalProperties": {"anyOf": [*_SCALARS, _STRINGS, {"type": "null"}]},
}


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


def table(value: object) -> Table:
    """Rows of a lookup by the text of their key; a null value means "no value, on purpose"."""
    if not isinstance(value, dict):
        raise PydanticCustomError("lookup", f"a table has rows `key: value`, not {article(value)}")
    rows: Table = {}
    for key, row in value.items():
        if key is None or not isinstance(key, str | bool | int | float):
            raise PydanticCustomError("lookup", f"the key {shown(key)} is not a text: quote it")
        name = text(key) or ""
        if name in rows:
            raise PydanticCustomError(
                "lookup", f"the key {name!r} stands twice (1 and '1' are one)"
            )
        rows[name] = None if row is None else _row(name, row)
    if not rows:
        raise PydanticCustomError("lookup", "an empty table: every value would be unknown")
    return rows


def table_or_name(value: object) -> Table | str:
    """A table written in place, or the name of one of `mapping.lookups`."""
    return str(value) if isinstance(value, str) else table(value)


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


def _row(key: str, value: object) -> Scalar | list[str]:
    try:
        return constant(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("lookup", f"row {key!r}: {error}") from None


ConstantField = Annotated[Any, PlainValidator(constant), WithJsonSchema(_CONSTANT)]
TableField = Annotated[Table, PlainValidator(table), WithJsonSchema(_TABLE)]
LookupField = Annotated[
    Table | str,
    PlainValidator(table_or_name),
    WithJsonSchema({"anyOf": [{"type": "string"}, _TABLE]}),
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
