"""From the bytes of an answer to its rows: strict decoding, dotted paths, and where rows lie."""

import json
import re
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, Never

import orjson

from sources.errors import Unreadable


class Missing(Enum):
    """What `find` gives when a path leads nowhere; null is an answer, this is none."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

_BOM: Final = b"\xef\xbb\xbf"
_DIGITS_TO_ZERO: Final = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_LONG_RUN: Final = b"0" * 20
_SAMPLED: Final = b"0" * 5  # what is left of it in every fourth byte, wherever it begins
_LONG_INTEGER: Final = re.compile(rb"(?:^|[\[:,])\s*-?\d{20,}\s*(?:$|[,}\]])")
_LAST_NUMBER: Final = re.compile(r"(?:^|[\s/:])([0-9]+)\s*$")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class NotJson(ValueError):
    """A body that is no JSON; `truncated` when it is the beginning of some."""

    def __init__(self, what: str, *, truncated: bool = False) -> None:
        super().__init__(what)
        self.truncated = truncated


def decode(body: bytes, charset: str = "", *, exact: bool = True) -> tuple[Any, bool]:
    r"""The document in *body*, and whether its texts are in doubt (`is_writable` tells row by row).

    UTF-8 with or without a BOM, else the *charset* that the answer declares. NaN, Infinity and
    bytes that are not of the encoding raise NotJson. Integers of 20 digits and more stay integers:
    orjson makes floats of them, and an identifier would lose its end; unless *exact* is false, for
    a vendor that writes them as texts. A lone surrogate (`"\ud83d"`) is what puts texts in doubt.
    """
    if body.startswith(_BOM):
        body = body[3:]
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        failure = error
    else:
        if exact and _has_long_run(body) and _LONG_INTEGER.search(body):
            document = _slowly(body)
        return document, False
    try:
        body.decode()
    except UnicodeDecodeError as bad:
        if charset.lower() in {"", "utf-8", "utf8"}:
            cut = bad.reason == "unexpected end of data"
            raise NotJson(f"byte {bad.start:,} is not UTF-8", truncated=cut) from None
        return _slowly(body, charset), False
    if "surrogate" in failure.msg and _SURROGATE.search(body):
        return _slowly(body), True
    reason = failure.msg.partition(": line")[0]
    raise NotJson(
        f"{reason} at character {failure.pos:,}", truncated="end of data" in reason
    ) from None


def _has_long_run(body: bytes) -> bool:
    """Whether there are 20 digits in a row, which the expression alone would be long to look for.

    Few pages get past the first look, at every fourth byte.
    """
    sampled = body[::4].translate(_DIGITS_TO_ZERO)
    return _SAMPLED in sampled and _LONG_RUN in body.translate(_DIGITS_TO_ZERO)


def _slowly(body: bytes, charset: str = "utf-8") -> Any:
    try:
        return json.loads(body.decode(charset), parse_constant=_no_constant)
    except (ValueError, LookupError) as error:
        raise NotJson(str(error)) from None


def _no_constant(name: str) -> Never:
    raise NotJson(f"{name} is not JSON")


def is_writable(row: Any) -> bool:
    """Whether *row* can be written as UTF-8 again: no lone surrogate in any of its texts."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def find(document: Any, path: str) -> Any:
    """The value at dotted *path*, or MISSING; `""` and `"$"` are the document itself.

    A key that holds dots is met whole (`@odata.nextLink`); a whole number is a rank in a list,
    negative from its end (`hits.hits.-1.sort`).
    """
    rest = _trimmed(path)
    here = document
    while rest:
        if isinstance(here, dict) and rest in here:
            return here[rest]
        step, _, rest = rest.partition(".")
        here = _step(here, step)
    return here


def _trimmed(path: str) -> str:
    return "" if path == "$" else path.removeprefix("$.")


def _step(here: Any, step: str) -> Any:
    if isinstance(here, dict):
        return here.get(step, MISSING)
    if isinstance(here, list) and step.removeprefix("-").isdigit():
        rank = int(step)
        return here[rank] if -len(here) <= rank < len(here) else MISSING
    return MISSING


def select(
    document: Any, path: str, *, single: bool, record_key_field: str | None, where: str
) -> list[Any]:
    """The rows at *path*: a list as it is, or the values of a map of id → object.

    Rows are the very objects of *document*, never copies; *record_key_field* receives each row's
    key in the map. *single* takes an object as one row. Null or nothing under a key that exists
    is an empty answer. Raises Unreadable when *path* leads nowhere or to what cannot hold rows.
    """
    found = find(document, path)
    if isinstance(found, list):
        return found
    if found is MISSING:
        if _stands_below_nothing(document, path):
            return []
        raise Unreadable(
            f"{_named(path)} matches nothing in the answer",
            where=where,
            mend=_keys_hint(document, path),
        )
    if _trimmed(path) and found in (None, ""):
        return []
    if not isinstance(found, dict):
        raise Unreadable(
            f"{_named(path)} holds {_kind(found)}, not records",
            where=where,
            mend="set `data_selector` to the path of the list or map of records",
        )
    return [found] if single else _map_rows(found, path, record_key_field, where)


def _map_rows(
    found: dict[str, Any], path: str, record_key_field: str | None, where: str
) -> list[Any]:
    rows = list(found.values())
    if rows and not any(isinstance(row, dict) for row in rows):
        raise Unreadable(
            f"{_named(path)} holds an object without one record in it",
            where=where,
            mend=f"set `data_selector` to one of its keys: {_listed(found)}; or `single: true`",
        )
    if record_key_field:
        for key, row in found.items():
            if isinstance(row, dict):
                row[record_key_field] = key
    return rows


def _parents(path: str) -> list[str]:
    """The paths that lead to *path*, longest first: `a.b`, `a` for `a.b.c`."""
    steps = _trimmed(path).split(".")
    return [".".join(steps[:size]) for size in range(len(steps) - 1, 0, -1)]


def _stands_below_nothing(document: Any, path: str) -> bool:
    return any(find(document, parent) in (None, "", [], {}) for parent in _parents(path))


def _keys_hint(document: Any, path: str) -> str:
    holders = (find(document, parent) for parent in [*_parents(path), ""])
    holder = next(value for value in holders if value is not MISSING)
    if not isinstance(holder, dict):
        return f"correct `data_selector`: the answer holds {_kind(holder)} there"
    near = get_close_matches(path.rpartition(".")[2], list(map(str, holder)), n=1)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    return f"correct `data_selector`: the keys there are {_listed(holder)}{guess}"


def _listed(holder: dict[str, Any]) -> str:
    keys = list(holder)
    return ", ".join(keys[:10]) + (", …" if len(keys) > 10 else "") or "none"


def _named(path: str) -> str:
    return f"data_selector {path!r}" if _trimmed(path) else "the answer"


def _kind(value: Any) -> str:
    names = {str: "a text", bool: "a truth value", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), "a number")


def as_count(value: Any) -> int | None:
    """The number of records that a total gives, or None when it gives none.

    Totals come as numbers, as texts (EasyVista, `""` when unset: `specs/easyvista.md` §6), at the
    end of a text (`0-49/200` of a Content-Range, `Found: 4` of iTop), or as
    `{"value": 3, "relation": "eq"}` (Elasticsearch).
    """
    if isinstance(value, dict):
        value = value.get("value") if value.get("relation", "eq") == "eq" else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    found = _LAST_NUMBER.search(str(value))
    return int(found[1]) if found else None
