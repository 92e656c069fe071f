"""Go's literals as a template's text holds them: quoted strings, characters, numbers."""

import re

from mappings.golang.gotext import from_bytes, rune, to_bytes

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_HEX_LENGTHS = {"x": 2, "u": 4, "U": 8}
_DIGITS = r"\d(?:_?\d)*"
_HEX = r"[\da-fA-F](?:_?[\da-fA-F])*"
_DECIMAL_FLOAT = re.compile(
    rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?", re.ASCII
)
_HEX_FLOAT = re.compile(
    rf"[+-]?0[xX]_?(?:{_HEX}\.?(?:{_HEX})?|\.{_HEX})[pP][+-]?{_DIGITS}", re.ASCII
)
_INTEGER = re.compile(
    rf"([+-]?)(?:0[xX]_?(?P<x>{_HEX})|0[bB]_?(?P<b>[01](?:_?[01])*)"
    rf"|0[oO]?_?(?P<o>[0-7](?:_?[0-7])*)|(?P<d>0|[1-9](?:_?\d)*))",
    re.ASCII,
)
_BASES = {"x": 16, "b": 2, "o": 8, "d": 10}
_COMPLEX = re.compile(r"([+-]?.*?[^eEpP+-])([+-].*)i")


class BadLiteral(ValueError):
    """A literal Go refuses; the text is Go's."""


def unquote(quoted: str) -> str:
    """The text of a `"…"` or `` `…` `` literal (`strconv.Unquote`); raises BadLiteral."""
    inner = quoted[1:-1]
    if quoted[0] == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return inner
    pieces: list[str] = []
    at = 0
    while at < len(inner):
        code, is_byte, at = _unquote_char(inner, at, '"')
        # A byte above ASCII stands as a surrogate until its neighbours are known.
        pieces.append(chr(0xDC00 + code) if is_byte and code >= 0x80 else chr(code))
    return from_bytes(to_bytes("".join(pieces)))


def character(quoted: str) -> int:
    """The code of a `'…'` literal; raises BadLiteral."""
    inner = quoted[1:-1]
    if not inner:
        raise BadLiteral("invalid syntax")
    code, _, end = _unquote_char(inner, 0, "'")
    if end != len(inner):
        raise BadLiteral(f"malformed character constant: {quoted}")
    return code


def _unquote_char(text: str, at: int, quote: str) -> tuple[int, bool, int]:
    """The code at a place, whether it is one byte rather than a rune, and where it ends."""
    if text[at] != "\\":
        return ord(text[at]), False, at + 1
    kind = text[at + 1 : at + 2]
    at += 2
    if kind in _SIMPLE:
        return _SIMPLE[kind], False, at
    if kind in _HEX_LENGTHS:
        digits = text[at : at + _HEX_LENGTHS[kind]]
        if not re.fullmatch(r"[\da-fA-F]+", digits, re.ASCII) or len(digits) < _HEX_LENGTHS[kind]:
            raise BadLiteral("invalid syntax")
        code = int(digits, 16)
        if kind != "x" and rune(code) != chr(min(code, 0x10FFFF)):
            raise BadLiteral("invalid syntax")
        return code, kind == "x", at + len(digits)
    if octal := re.compile("[0-7]{3}").match(text, at - 1):
        code = int(octal[0], 8)
        if code <= 255:
            return code, True, octal.end()
    elif kind == quote:
        return ord(kind), False, at
    raise BadLiteral("invalid syntax")


def number(text: str) -> tuple[int | float | complex | None, int | None]:
    """A number's untyped value and its value as an integer; raises BadLiteral.

    The untyped value is None for an integer above int64 that fits uint64; the integer is None
    where there is none within int64.
    """
    if text.endswith("i"):
        value = complex(0, _float(text[:-1]))
        return value, _integral(0.0) if value.imag == 0 else None
    whole = _whole(text)
    looks_float = any(char in text for char in ".eEpP")
    if whole is not None and -(2**63) <= whole < 2**64:
        integer = whole if whole < 2**63 else None
        if integer is None and text[0] in "+-":  # ParseUint takes no sign
            raise BadLiteral(f'integer overflow: "{text}"')
        hexadecimal = text[:2] in ("0x", "0X")
        # The oddity is Go's: "-0x1E", signed, has the E of a float.
        return (float(whole) if looks_float and not hexadecimal else integer), integer
    value_float = _float(text)
    if not looks_float:
        raise BadLiteral(f'integer overflow: "{text}"')
    # Hexadecimal digits make no float without an exponent: `_float` has refused them.
    return value_float, _integral(value_float)


def pair(text: str) -> tuple[complex, int | None]:
    """The value of a complex literal `1+2i`, and its value as an integer; raises BadLiteral."""
    match = _COMPLEX.fullmatch(text)
    if not match:
        raise BadLiteral("syntax error scanning complex number")
    value = complex(_float(match[1]), _float(match[2]))
    return value, _integral(value.real) if value.imag == 0 else None


def _whole(text: str) -> int | None:
    match = _INTEGER.fullmatch(text)
    if not match or not match.lastgroup:
        return None
    digits = match[match.lastgroup].replace("_", "")
    if len(digits) > 70:  # far beyond 64 bits in every base
        return 2**64
    value = int(digits, _BASES[match.lastgroup])
    return -value if match[1] == "-" else value


def _float(text: str) -> float:
    try:
        if _DECIMAL_FLOAT.fullmatch(text):
            value = float(text)
        elif _HEX_FLOAT.fullmatch(text):
            value = float.fromhex(text.replace("_", ""))
        else:
            raise BadLiteral(f'illegal number syntax: "{text}"')
    except (OverflowError, MemoryError):
        raise BadLiteral(f'illegal number syntax: "{text}"') from None
    if value in (float("inf"), float("-inf")):
        raise BadLiteral(f'illegal number syntax: "{text}"')
    return value


def _integral(value: float) -> int | None:
    return int(value) if value.is_integer() and -(2.0**63) <= value < 2.0**63 else None
