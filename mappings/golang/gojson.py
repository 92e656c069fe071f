"""JSON as Go's `encoding/json` writes it: keys sorted, HTML escaped, numbers in Go's form."""

import math
import re
from datetime import datetime
from typing import Any

from mappings.golang import gofloat, gotime
from mappings.golang.gotext import from_bytes, to_bytes
from mappings.golang.template_values import StrMap, type_name

_ESCAPED = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_SHORT = {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
}  # fmt: skip


class Unsupported(ValueError):
    """A value that JSON has no form for; the text is Go's."""


def encode(value: Any) -> str:
    """The compact JSON of a value; raises Unsupported."""
    if value is None or (isinstance(value, StrMap) and value.is_nil):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unsupported(f"json: unsupported value: {gofloat.special(value)}")
        return gofloat.json(value)
    return _composite(value)


def _composite(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(encode, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_string(key)}:{encode(value[key])}" for key in sorted(value, key=to_bytes))
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, datetime):
        return _string(gotime.formatted(value, gotime.JSON_LAYOUT))
    raise Unsupported(f"json: unsupported type: {type_name(value)}")


def _string(text: str) -> str:
    if not text.isascii():
        text = from_bytes(to_bytes(text))
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":  # a byte that is no UTF-8
        return "\\ufffd"
    return _SHORT.get(char) or f"\\u{ord(char):04x}"
