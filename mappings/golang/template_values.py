"""The values of a Go template in Python: their types, and the operations on them.

| Python | Go | | Python | Go |
|---|---|---|---|---|
| `float` | float64 | | `dict` | map[string]any |
| `int` | int64 | | `StrMap` | map[string]string |
| `Int` | int (constants, `len`) | | `list` | []any |
| `Byte` | uint8 (`index` of a string) | | `StrList` | []string |
| `complex` | complex128 | | `datetime` | time.Time |
| `bool`, `str` | bool, string | | `None` | nil |

Python's truth of each is Go's. Every failure is a `Fault` with Go's sentence.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn, Self

from mappings.golang.gotext import byte_length, from_bytes, to_bytes
from mappings.golang.template_errors import Fault


class StrMap(dict[str, str]):
    """Go's map[string]string, such as the named groups of a match; `StrMap(None)` is a nil map."""

    __slots__ = ("is_nil",)

    def __init__(self, entries: Mapping[str, str] | None = None) -> None:
        super().__init__(entries or {})
        self.is_nil = entries is None


class StrList(list[str]):
    """Go's []string."""

    __slots__ = ()


class Int(int):
    """Go's int, the type of a template's integer constants; a plain `int` is an int64."""

    __slots__ = ()


class Byte(int):
    """Go's uint8."""

    __slots__ = ()


class Named(Int):
    """An int that prints as a name: a month, a day of the week."""

    name: str
    go_type: str

    def __new__(cls, value: int, name: str, go_type: str) -> Self:
        self = super().__new__(cls, value)
        self.name, self.go_type = name, go_type
        return self


_TYPE_NAMES: dict[type, str] = {
    type(None): "<nil>",
    bool: "bool",
    int: "int64",
    Int: "int",
    Byte: "uint8",
    float: "float64",
    complex: "complex128",
    str: "string",
    list: "[]interface {}",
    StrList: "[]string",
    dict: "map[string]interface {}",
    StrMap: "map[string]string",
    datetime: "time.Time",
}
_KINDS: dict[type, str] = {
    bool: "bool",
    int: "int",
    Int: "int",
    Named: "int",
    Byte: "int",  # unsigned in Go, which compares it with signed ones by value
    float: "float",
    complex: "complex",
    str: "string",
}


def type_name(value: Any) -> str:
    if isinstance(value, Named):
        return value.go_type
    return _TYPE_NAMES.get(type(value)) or _TYPE_NAMES.get(_base(value), type(value).__name__)


def _base(value: Any) -> type:
    """The type a value of a subclass stands for (a `str` subclass from a YAML reader)."""
    return next((base for base in type(value).__mro__ if base in _TYPE_NAMES), type(value))


def kind(value: Any) -> str:
    """The basic kind by which values compare; "" for lists, maps, times and nil."""
    return _KINDS.get(type(value)) or _KINDS.get(_base(value), "")


def fail(cause: str) -> NoReturn:
    raise Fault(cause)


# -- what a function's parameter accepts


def want_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _wrong("string", value)


def want_int(value: Any) -> int:
    if type(value) is Int:
        return value
    raise _wrong("int", value)


def want_int64(value: Any) -> int:
    if type(value) is int:
        return value
    raise _wrong("int64", value)


def want_map(value: Any) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise _wrong("map[string]interface {}", value)


def want_strings(value: Any) -> StrList:
    if type(value) is StrList:
        return value
    raise _wrong("[]string", value)


def _wrong(expected: str, value: Any) -> Fault:
    if value is None:
        return Fault(f"invalid value; expected {expected}")
    return Fault(f"wrong type for value; expected {expected}; got {type_name(value)}")


# -- numbers of records decoded from JSON


def number(value: Any) -> Any:
    """A value read from a record: its integers are float64, as Go's decoder makes them."""
    return float(value) if type(value) is int else value


def numbers(value: Any) -> Any:
    """The same inside the lists and maps of a value; the value itself if it is neither."""
    if type(value) is list:
        return [numbers(number(item)) for item in value]
    if type(value) is dict:
        return {key: numbers(number(item)) for key, item in value.items()}
    return value


# -- look-ups


def field(value: Any, name: str) -> Any:
    """`.name` of a value."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise Fault(f'map has no entry for key "{name}"')
    if value is None:
        raise Fault(f"nil pointer evaluating interface {{}}.{name}")
    raise Fault(f"can't evaluate field {name} in type {type_name(value)}")


def length(value: Any) -> Int:
    if isinstance(value, str):
        return Int(byte_length(value))
    if isinstance(value, dict | list):
        return Int(len(value))
    raise Fault("len of nil pointer" if value is None else f"len of type {type_name(value)}")


def index(value: Any, *keys: Any) -> Any:
    if value is None:
        raise Fault("index of untyped nil")
    for key in keys:
        value = _index_one(value, key)
    return value


def _index_one(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(_key(key), "" if isinstance(value, StrMap) else None)
    if isinstance(value, list):
        return value[_in_range(key, len(value), last=False)]
    if isinstance(value, str):
        raw = to_bytes(value)
        return Byte(raw[_in_range(key, len(raw), last=False)])
    if value is None:
        raise Fault("index of nil pointer")
    raise Fault(f"can't index item of type {type_name(value)}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None:
        raise Fault("value is nil; should be of type string")
    raise Fault(f"value has type {type_name(key)}; should be string")


def _in_range(key: Any, size: int, *, last: bool) -> int:
    if kind(key) != "int":
        what = "nil" if key is None else f"type {type_name(key)}"
        raise Fault(f"cannot index slice/array with {what}")
    if 0 <= key < size or (last and key == size):
        return int(key)
    raise Fault(f"index out of range: {int(key)}")


def slice_(value: Any, *bounds: Any) -> Any:
    """A part of a list or, byte by byte, of a string."""
    if value is None:
        raise Fault("slice of untyped nil")
    if len(bounds) > 3:
        raise Fault(f"too many slice indexes: {len(bounds)}")
    if isinstance(value, str):
        if len(bounds) == 3:
            raise Fault("cannot 3-index slice a string")
        raw = to_bytes(value)
        first, last = _bounds(bounds, len(raw))
        return from_bytes(raw[first:last])
    if isinstance(value, list):
        first, last = _bounds(bounds, len(value))
        part = value[first:last]
        return StrList(part) if isinstance(value, StrList) else part
    raise Fault(f"can't slice item of type {type_name(value)}")


def _bounds(bounds: tuple[Any, ...], size: int) -> tuple[int, int]:
    places = [_in_range(bound, size, last=True) for bound in bounds]
    first, last = places[0] if places else 0, places[1] if len(places) > 1 else size
    for low, high in ((first, last), (last, places[2] if len(places) > 2 else size)):
        if low > high:
            raise Fault(f"invalid slice index: {low} > {high}")
    return first, last


def elements(value: Any) -> tuple[Any, ...]:
    """What `range` gives, in order: (index, element) pairs."""
    if isinstance(value, list):
        return tuple((Int(rank), item) for rank, item in enumerate(value))
    if isinstance(value, dict):
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=to_bytes)
        return tuple((key, value[key]) for key in keys)
    if value is None:
        return ()
    raise Fault(f"range can't iterate over {_shown(value)}")


def _shown(value: Any) -> str:
    return str(value)[:60]


# -- comparisons


def equal(first: Any, *others: Any) -> bool:
    if not others:
        raise Fault("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(first: Any, other: Any) -> bool:
    left, right = kind(first), kind(other)
    if left != right:
        if first is None or other is None:
            return False
        raise Fault(_incompatible(first, other))
    if left:
        return bool(first == other)
    if _is_nil(first) or _is_nil(other):
        if first is not None and other is not None and _shape(first) is not _shape(other):
            raise Fault(_incomparable(first, other))
        return _is_nil(first) and _is_nil(other)
    if isinstance(first, datetime) and isinstance(other, datetime):
        return first == other and first.utcoffset() == other.utcoffset()
    raise Fault(_incomparable(first, other))


def _is_nil(value: Any) -> bool:
    return value is None or (isinstance(value, StrMap) and value.is_nil)


def _shape(value: Any) -> type:
    return next((base for base in (dict, list, datetime) if isinstance(value, base)), type(value))


def _incompatible(first: Any, other: Any) -> str:
    return f"incompatible types for comparison: {type_name(first)} and {type_name(other)}"


def _incomparable(first: Any, other: Any) -> str:
    return f"non-comparable types {type_name(first)}, {type_name(other)}"


def not_equal(first: Any, other: Any) -> bool:
    return not _equal(first, other)


def less(first: Any, other: Any) -> bool:
    left, right = kind(first), kind(other)
    if not left or not right:
        raise Fault("invalid type for comparison")
    if left != right:
        raise Fault(_incompatible(first, other))
    if left in ("bool", "complex"):
        raise Fault("invalid type for comparison")
    if left == "string" and not (first.isascii() and other.isascii()):
        return to_bytes(first) < to_bytes(other)
    return bool(first < other)


def less_or_equal(first: Any, other: Any) -> bool:
    return less(first, other) or _equal(first, other)


def greater(first: Any, other: Any) -> bool:
    # Not `first > other`: with NaN, Go's answer is the opposite of `le`.
    return not less_or_equal(first, other)


def greater_or_equal(first: Any, other: Any) -> bool:
    return not less(first, other)
