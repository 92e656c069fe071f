"""What a value of a record becomes where Canopsis wants a text, a level, a list.

Each cast takes foreign JSON and gives None for None (an absent value), or raises Refusal. They are
the slow half of the generated code, which calls them only when a value is not what it mostly is.
"""

import math
import reprlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mappings.rejects import Refusal

_SHOWN = reprlib.Repr()
_SHOWN.maxdict = _SHOWN.maxlist = 4
_SHOWN.maxlevel = 3
_SHOWN.maxstring = _SHOWN.maxother = 80
_TEXT = frozenset((str,))
_SCALARS = frozenset((str, int, bool))
_KINDS: tuple[tuple[type, str], ...] = (
    (dict, "an object"),
    (list, "an array"),
    (str, "a text"),
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
)


def text(value: Any) -> str | None:
    """A scalar as plain text: 7 and 7.0 give "7", never an exponent; true gives "true".

    Source: `specs/driver-compat.md` decision D7. Refuses arrays and objects.
    """
    if value is None or value.__class__ is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _digits(value)
    raise Refusal("not a text", f"{article(value)} cannot be a text: {shown(value)}")


def impact_level(value: Any) -> int | None:
    """A whole number from 1 to 10; integral text is accepted (`specs/canopsis.md` §6)."""
    if value is None:
        return None
    level = whole(value)
    if not 1 <= level <= 10:
        raise Refusal("impact level out of range", f"impact_level {level} is not from 1 to 10")
    return level


def whole(value: Any) -> int:
    """A whole number: 3, 3.0 or "3"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        digits = value.strip().removeprefix("-")
        if digits.isascii() and digits.isdecimal():
            return int(value)
    raise Refusal("not a whole number", f"{shown(value)} is not a whole number")


def truth(value: Any) -> bool:
    """True or false, as JSON or as text."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Refusal("not true or false", f"{shown(value)} is neither true nor false")


def info(value: Any) -> Any:
    """A value that Canopsis can show and match: string, number, boolean or array of strings.

    The import stores any JSON, but objects cannot be edited and mixed arrays never match a pattern
    (`specs/canopsis.md` §6), so both are refused.
    """
    kind = value.__class__
    if kind is list and _TEXT.issuperset(map(type, value)):
        return value
    if value is None or kind in _SCALARS:
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise Refusal("not an info's value", f"{value} is no number that JSON can hold")
    what = "an array that is not all texts" if kind is list else article(value)
    raise Refusal("not an info's value", f"{what} cannot be the value of an info: {shown(value)}")


def filled_text(value: Any) -> str | None:
    """A text that is not empty, as conditions on parts of a text want it."""
    found = text(value)
    if found == "":
        raise Refusal(
            "empty text in pattern", "the pattern's text is empty: Canopsis would skip it"
        )
    return found


def items_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """What `each` goes over: (rank, item) of an array, (key, value) of an object, nothing of null.

    Nulls among them are passed over.
    """
    if value is None:
        return ()
    if isinstance(value, list):
        pairs: Iterable[tuple[Any, Any]] = enumerate(value)
    elif isinstance(value, dict):
        pairs = value.items()
    else:
        raise Refusal(
            "not a list",
            f"each goes over an array or an object, not {article(value)}: {shown(value)}",
        )
    return ((key, item) for key, item in pairs if item is not None)


def words(value: Any) -> list[str]:
    """The strings of an array, or a scalar alone in one (`specs/driver-compat.md` decision D31).

    Nulls in an array are passed over; nothing left is a refusal, for Canopsis silently skips a
    service whose condition has an empty list (`specs/canopsis.md` §4).
    """
    items = value if isinstance(value, list) else [value]
    found = [word for item in items if (word := text(item)) is not None]
    if not found:
        raise Refusal(
            "empty list in pattern", "the pattern's list is empty: Canopsis would skip it"
        )
    return found


def article(value: Any) -> str:
    """What kind of JSON this is, in words: "an object"."""
    if value is None:
        return "null"
    for kind, words in _KINDS:
        if isinstance(value, kind):
            return words
    return f"a {type(value).__name__}"


def shown(value: Any) -> str:
    """The value as a message shows it, cut; a large one is not written out to be cut."""
    return _SHOWN.repr(value)


def _digits(value: float) -> str:
    """Shortest digits that read back, without exponent; not a number and infinities are refused."""
    if not math.isfinite(value):
        raise Refusal("not a text", f"{value} is no number that a text can show")
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
