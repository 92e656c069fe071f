"""What a YAML scalar means to Go's yaml.v3 (`resolve.go`, 3.0.1) where no type is declared."""

import base64
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

Kind = Literal["null", "bool", "int", "float", "time", "str", "merge"]

_PREFIX = "tag:yaml.org,2002:"
_CONSTANTS: dict[str, tuple[Kind, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ("float", math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
}
_TAGS: dict[str, Kind] = {
    "!!null": "null",
    "!!bool": "bool",
    "!!int": "int",
    "!!float": "float",
    "!!timestamp": "time",
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)")
_BASES = {"x": 16, "b": 2, "o": 8}
# Go takes one digit for two in a time of day, and a comma for the point.
_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,](\d+))?(?:Z|([-+])(\d\d):(\d\d))"
    r"| (\d\d?):(\d\d?):(\d\d?)(?:[.,](\d+))?)?",
    re.ASCII,
)
_MOST_DIGITS = 20  # of 64 bits


class UnfitScalar(ValueError):
    """A text that is not of the type its tag claims."""


def short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def resolve(text: str, tag: str, *, quoted: bool) -> tuple[Kind, Any]:
    """The kind and the value of *text*; UnfitScalar when its *tag* (`!!int`) says otherwise."""
    if tag in ("", "!"):
        if quoted:
            return "str", text
        return ("merge", text) if text == "<<" else _guess(text, dated=True)
    if tag == "!!binary":
        return "str", _binary(text)
    if tag in _TAGS:
        return _declared(text, tag)
    return ("merge" if tag == "!!merge" else "str"), text


def _declared(text: str, tag: str) -> tuple[Kind, Any]:
    wanted = _TAGS[tag]
    kind, value = _guess(text, dated=wanted == "time")
    if kind == "int" and wanted == "float":
        return "float", float(value)
    if kind != wanted:
        raise UnfitScalar(f"cannot decode `{text}` as a {tag}")
    return kind, value


def _guess(text: str, *, dated: bool) -> tuple[Kind, Any]:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] == ".":
        number = _float(text)
        return ("str", text) if number is None else ("float", number)
    if text[0] not in "+-0123456789":
        return "str", text
    if dated and (time := _time(text)) is not None:
        return "time", time
    digits = text.replace("_", "")
    if (integer := _integer(digits)) is not None:
        return "int", integer
    number = _float(digits)
    return ("str", text) if number is None else ("float", number)


def _integer(digits: str) -> int | None:
    """A 64-bit integer, signed or not; `012` and `0o12` are octal."""
    match = _INTEGER.fullmatch(digits)
    if match is None:
        return None
    sign, number = match.groups()
    base = _BASES.get(number[1:2].lower(), 8 if number[0] == "0" else 10)
    if base == 10 and len(number) > _MOST_DIGITS:  # Python reads 4,300 of them at most
        return None
    magnitude = int(number[2:], base) if number[1:2].isalpha() else int(number, base)
    value = -magnitude if sign == "-" else magnitude
    most = 2**63 if sign else 2**64  # Go parses no sign before an unsigned number
    return value if -(2**63) <= value < most else None


def _float(digits: str) -> float | None:
    if not _FLOAT.fullmatch(digits):
        return None
    number = float(digits)
    return None if math.isinf(number) else number


def _time(text: str) -> datetime | None:
    """A date or a time as Go's `time.Parse` reads yaml.v3's four layouts."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups()[:3])
    clock = match.group(4, 5, 6, 7) if match[4] else match.group(11, 12, 13, 14)
    hour, minute, second = (int(part or 0) for part in clock[:3])
    fraction = (clock[3] or "")[:6].ljust(6, "0")
    zone = UTC
    if match[8]:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 24 or minutes > 60:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-offset if match[8] == "-" else offset) if offset else UTC
    try:
        return datetime(year, month, day, hour, minute, second, int(fraction), tzinfo=zone)
    except ValueError:
        return None


def _binary(text: str) -> str:
    try:
        return base64.b64decode(text.replace("\n", ""), validate=True).decode(errors="replace")
    except ValueError:
        raise UnfitScalar("!!binary value contains invalid base64 data") from None
