"""The functions of a template: Go's and all those of Canopsis (`specs/driver-compat.md` §3.2).

Where Canopsis logs and gives an empty string, so do these, without the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote_from_bytes

from mappings.golang import gofmt, gojson, gotime, template_values
from mappings.golang.gotext import WHITE_SPACE, is_print, lower, runes, to_bytes, upper
from mappings.golang.template_errors import Fault
from mappings.golang.template_values import StrList, fail, type_name
from mappings.goregexp import RegexpSyntaxError, RegexpTimeout, compile_regexp

_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


class _JavaScript(dict[int, str | int]):
    """A table of `str.translate`, its further entries made when they are first met."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        # A byte that is no UTF-8 stays: U+FFFD, the rune it reads as, is printable.
        kept = " " <= char < "\x80" or "\ud800" <= char <= "\udfff" or is_print(char)
        self[code] = code if kept else f"\\u{code:04X}"
        return self[code]


_JS = _JavaScript(
    {
        ord("\\"): "\\\\",
        ord("'"): "\\'",
        ord('"'): '\\"',
        ord("<"): "\\u003C",
        ord(">"): "\\u003E",
        ord("&"): "\\u0026",
        ord("="): "\\u003D",
    }
)
_INT64 = 1 << 64
_MAX_TEXT = 1 << 19  # characters one call may give, `printf` apart: repeated, they double
_MAX_REPLACED = 1 << 18  # characters of a value given to `replace`: half a second of matches


def _bounded(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else fail(f"output of more than {_MAX_TEXT} characters")


# -- text


def uppercase(value: Any) -> str:
    return upper(value) if isinstance(value, str) else ""


def lowercase(value: Any) -> str:
    return lower(value) if isinstance(value, str) else ""


def trim(value: Any) -> str:
    return value.strip(WHITE_SPACE) if isinstance(value, str) else ""


def split(separator: str, rank: int, value: Any) -> str:
    if not isinstance(value, str) or rank < 0:
        return ""
    parts = value.split(separator) if separator else value
    return parts[rank] if rank < len(parts) else ""


def replace(pattern: str, replacement: str, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    try:
        regexp = compile_regexp(pattern, fallback=False)
    except RegexpSyntaxError:
        return ""
    # Each match gives the replacement, and each `$` of it at most the match itself.
    most = (len(value) + 1) * len(replacement) + (replacement.count("$") + 1) * len(value)
    if len(value) > _MAX_REPLACED or most > _MAX_REPLACED * 32:
        raise Fault(f"replace of {len(value)} characters by {len(replacement)}: too large")
    try:
        return _bounded(regexp.replace(value, replacement))
    except RegexpTimeout as error:
        fail(str(error))


def substr_left(text: str, count: int) -> str:
    if count < 1:
        return ""
    return text if count >= len(text) else runes(text[:count])


def substr_right(text: str, count: int) -> str:
    if count < 1:
        return ""
    return text if count >= len(text) else runes(text[-count:])


def substr(text: str, start: int, count: int) -> str:
    if not 0 <= start < len(text) or count < 1:
        return ""
    if start + count >= _INT64 // 2:
        fail("runtime error: slice bounds out of range")
    return runes(text[start : start + count])


def strlen(text: str) -> int:
    return len(text)


def strpos(text: str, part: str) -> int:
    return text.find(part)


def strjoin(values: Any, separator: str) -> str:
    if not isinstance(values, list):
        fail(f"unsupported type: {type_name(values)}")
    if not all(isinstance(value, str) for value in values):
        fail("failed convert to []string")
    if sum(map(len, values)) + len(separator) * len(values) > _MAX_TEXT:
        fail(f"output of more than {_MAX_TEXT} characters")
    return separator.join(values)


# -- JSON, HTML, JavaScript, URLs


def json(value: Any) -> str:
    try:
        return _bounded(gojson.encode(value))
    except gojson.Unsupported as error:
        return str(error)


def json_unquote(value: Any) -> str:
    text = json(value)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _joined(args: tuple[Any, ...]) -> str:
    if len(args) == 1 and isinstance(args[0], str):
        return args[0]
    return gofmt.sprint(*("<no value>" if arg is None else arg for arg in args))


def html(*args: Any) -> str:
    return _bounded(_joined(args).translate(_HTML))


def js(*args: Any) -> str:
    return _bounded(_joined(args).translate(_JS))


def urlquery(*args: Any) -> str:
    quoted = quote_from_bytes(to_bytes(_joined(args)), safe=" ")
    return _bounded(quoted.replace(" ", "+"))


def sprint(*args: Any) -> str:
    return _bounded(gofmt.sprint(*args))


def sprintln(*args: Any) -> str:
    return _bounded(gofmt.sprintln(*args))


# -- numbers


def _arithmetic(compute: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    def computed(first: Any, second: Any) -> int:
        for value in (first, second):
            if isinstance(value, bool) or not isinstance(value, int):
                fail("failed convert to int64")
        result = compute(int(first), int(second))
        return (result + _INT64 // 2) % _INT64 - _INT64 // 2  # wraps as int64 does

    return computed


def _divide(first: int, second: int) -> int:
    if second == 0:
        fail("division by zero")
    quotient = abs(first) // abs(second)  # towards zero
    return quotient if (first < 0) == (second < 0) else -quotient


# -- maps, tags


def regex_map_key(entries: dict[str, Any] | None, pattern: str) -> Any:
    """The value of the first key that matches; Go's order is random, ours is that of the keys."""
    try:
        regexp = compile_regexp(pattern, fallback=False)
    except RegexpSyntaxError:
        return ""
    matching = (key for key in sorted(entries or {}) if regexp.groups(key) is not None)
    try:
        key = next(matching, None)
    except RegexpTimeout as error:
        fail(str(error))
    return entries[key] if entries and key is not None else ""


def map_has_key(entries: Any, key: Any) -> bool:
    if not isinstance(entries, dict):
        return False
    if not isinstance(key, str):
        fail(f"value of type {type_name(key)} is not assignable to type string")
    return key in entries


def tag_has_key(tags: StrList | None, key: str) -> bool:
    return any(tag.partition(":")[0] == key for tag in tags or ())


def get_tag(tags: StrList | None, key: str) -> str:
    cut = (tag.partition(": ") for tag in tags or ())
    return next((value for name, _, value in cut if name == key), "")


# -- times


def formatted_date(layout: str, value: Any) -> str:
    return gotime.formatted(value, layout) if isinstance(value, datetime) else ""


def local_time(application: tzinfo | None) -> Callable[..., str]:
    """`localtime layout [zone] time`; without a zone, the application's, else the time's own."""

    def localtime(*args: Any) -> str:
        time = args[-1] if len(args) in (2, 3) else None
        named = [arg for arg in args[:-1] if isinstance(arg, str)]
        if not isinstance(time, datetime) or len(named) != len(args) - 1:
            return ""
        zone = application
        if len(named) == 2 and named[1]:
            zone = gotime.zone(named[1])
            if zone is None:
                return ""
        moved = gotime.moved(time, zone) if zone else time
        return _bounded(gotime.formatted(moved, named[0])) if moved else ""

    return localtime


# -- the table


def call(function: Any, *_: Any) -> Any:
    """No value of a template is a function."""
    fail("call of nil" if function is None else f"non-function of type {type_name(function)}")


@dataclass(frozen=True, slots=True)
class Function:
    """A function's signature in Go's types, and what it is in Python.

    `takes` are the types of the fixed parameters, `rest` that of further ones (None: there are
    none); `value` is a parameter that takes anything, typed or not. `gives` is the type of the
    result where it is always the same.
    """

    run: Callable[..., Any]
    takes: tuple[str, ...]
    gives: str
    rest: str | None = None


_VALUE, _TWO = ("value",), ("value", "value")
FUNCTIONS: dict[str, Function] = {
    # `and`, `or` and `not` are Python's own: truth is the same.
    "and": Function(fail, _VALUE, "any", "value"),
    "or": Function(fail, _VALUE, "any", "value"),
    "not": Function(bool, _VALUE, "bool"),
    "call": Function(call, _VALUE, "any", "value"),
    "html": Function(html, (), "string", "any"),
    "index": Function(template_values.index, _VALUE, "data", "value"),
    "slice": Function(template_values.slice_, _VALUE, "any", "value"),
    "js": Function(js, (), "string", "any"),
    "len": Function(template_values.length, _VALUE, "int"),
    "print": Function(sprint, (), "string", "any"),
    "printf": Function(gofmt.sprintf, ("string",), "string", "any"),
    "println": Function(sprintln, (), "string", "any"),
    "urlquery": Function(urlquery, (), "string", "any"),
    "eq": Function(template_values.equal, _VALUE, "bool", "value"),
    "ne": Function(template_values.not_equal, _TWO, "bool"),
    "lt": Function(template_values.less, _TWO, "bool"),
    "le": Function(template_values.less_or_equal, _TWO, "bool"),
    "gt": Function(template_values.greater, _TWO, "bool"),
    "ge": Function(template_values.greater_or_equal, _TWO, "bool"),
    "uppercase": Function(uppercase, ("any",), "string"),
    "lowercase": Function(lowercase, ("any",), "string"),
    "trim": Function(trim, ("any",), "string"),
    "split": Function(split, ("string", "int", "any"), "string"),
    "replace": Function(replace, ("string", "string", "any"), "string"),
    "json": Function(json, ("any",), "string"),
    "json_unquote": Function(json_unquote, ("any",), "string"),
    "formattedDate": Function(formatted_date, ("string", "any"), "string"),
    "localtime": Function(local_time(None), (), "string", "any"),
    "regex_map_key": Function(regex_map_key, ("map", "string"), "data"),
    "map_has_key": Function(map_has_key, ("any", "any"), "bool"),
    "tag_has_key": Function(tag_has_key, ("strings", "string"), "bool"),
    "get_tag": Function(get_tag, ("strings", "string"), "string"),
    "substrLeft": Function(substr_left, ("string", "int64"), "string"),
    "substrRight": Function(substr_right, ("string", "int64"), "string"),
    "substr": Function(substr, ("string", "int64", "int64"), "string"),
    "strlen": Function(strlen, ("string",), "int64"),
    "strpos": Function(strpos, ("string", "string"), "int64"),
    "add": Function(_arithmetic(lambda first, second: first + second), ("any", "any"), "int64"),
    "sub": Function(_arithmetic(lambda first, second: first - second), ("any", "any"), "int64"),
    "mult": Function(_arithmetic(lambda first, second: first * second), ("any", "any"), "int64"),
    "div": Function(_arithmetic(_divide), ("any", "any"), "int64"),
    "strjoin": Function(strjoin, ("any", "string"), "string"),
}
