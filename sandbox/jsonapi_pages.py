"""Which records a call asks for, and the bytes of the page that holds them."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from sandbox.jsonapi_knobs import ApiKnobs

Record = dict[str, Any]
Params = Mapping[str, str]

# orjson writes neither, so these stand in the record until the page is bytes.
NAN = "\ufdd0NaN"
BAD_UTF8 = "\ufdd0UTF-8"
_RAW = {NAN: b"NaN", BAD_UTF8: b'"caf\xe9"'}


class BadRequest(Exception):
    """What the caller asks cannot be served; `status` is 400 unless said."""

    def __init__(self, what: str, status: int = 400) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True, slots=True)
class Window:
    """The rows [start, stop) of a collection of *total*, asked by pages of *size*."""

    start: int
    stop: int
    size: int
    total: int

    @property
    def rank(self) -> int:
        """1-based rank of the page."""
        return self.start // self.size + 1

    @property
    def more(self) -> bool:
        return self.stop < self.total


def window(knobs: ApiKnobs, params: Params, records: Sequence[Record]) -> Window:
    """The rows a call asks for; raises BadRequest."""
    total = len(records)
    if knobs.paging == "none":
        return Window(0, total, max(total, 1), total)
    if knobs.paging == "range":
        return _range(knobs, params, total)
    size = _number(params, knobs.size_param, knobs.page_size)
    if size < 1:
        raise BadRequest(f"{knobs.size_param} must be 1 or more")
    if knobs.max_page_size:
        size = min(size, knobs.max_page_size)
    start = _start(knobs, params, size, records)
    if start < 0:
        raise BadRequest("there is no page before the first")
    if start >= total and start > 0:
        if knobs.beyond == "404":
            raise BadRequest("Invalid page.", 404)
        if knobs.beyond == "last" and total:
            start = (total - 1) // size * size
    start = min(start, total)
    return Window(start, min(start + size, total), size, total)


def next_params(knobs: ApiKnobs, asked: Window, records: Sequence[Record]) -> dict[str, str]:
    """The parameters that ask for the page after this one; empty after the last."""
    if not asked.more:
        return {}
    match knobs.paging:
        case "page":
            return {knobs.page_param: str(asked.rank + knobs.first_page)}
        case "cursor" | "cursor_header" | "next":
            return {knobs.cursor_param: _cursor(asked.stop)}
        case "keyset":
            return {knobs.after_param: str(records[asked.stop - 1][knobs.key_field])}
        case "none" | "range":
            return {}
        case _:
            return {knobs.offset_param: str(asked.stop)}


def next_link(knobs: ApiKnobs, params: Params, following: Params, *, base: str, path: str) -> str:
    """The URL of the next page, with the other parameters of this call."""
    target = f"{path}?{urlencode({**params, **following})}"
    return target if knobs.links == "relative" else f"{knobs.links_base or base}{target}"


def told_total(knobs: ApiKnobs, asked: Window) -> int:
    return asked.total + knobs.total_error


def page_body(knobs: ApiKnobs, rows: Sequence[Any], asked: Window, *, token: str | None) -> bytes:
    """The page as JSON; *token* is the cursor or URL of the next page, None after the last."""
    root = orjson.dumps(_body(knobs, rows, asked, token))
    for mark, raw in _RAW.items():
        root = root.replace(orjson.dumps(mark), raw)
    return root


def _body(knobs: ApiKnobs, rows: Sequence[Any], asked: Window, token: str | None) -> Any:
    key = knobs.key_field
    if knobs.shape == "list":
        return rows
    if knobs.shape == "map" and not knobs.records_path:
        return _map(knobs, rows)
    body: dict[str, Any] = {}
    if knobs.paging in ("cursor", "next"):
        _place_end_or_token(knobs, body, token)
    if knobs.more_path:
        _place(body, knobs.more_path, asked.more)
    if knobs.total in ("number", "string"):
        told = told_total(knobs, asked)
        _place(body, knobs.total_path, str(told) if knobs.total == "string" else told)
    if knobs.shape == "map":
        _place(body, knobs.records_path, _map(knobs, rows))
    elif knobs.shape == "envelope":
        _place(body, knobs.records_path, rows)
    else:
        hits = [
            {"_id": str(row[key]), "_source": row} if isinstance(row, dict) else row for row in rows
        ]
        count = {"value": told_total(knobs, asked), "relation": "eq"}
        body["hits"] = {"total": count, "hits": hits}
    return body | knobs.extra


def _map(knobs: ApiKnobs, rows: Sequence[Any]) -> dict[str, Any]:
    key, drops = knobs.key_field, knobs.map_drops_key
    objects: dict[str, Any] = {}
    for rank, row in enumerate(rows):
        if not isinstance(row, dict):
            objects[f"#{rank}"] = row
        elif drops:
            objects[str(row[key])] = {name: row[name] for name in row if name != key}
        else:
            objects[str(row[key])] = row
    return objects


def _place_end_or_token(knobs: ApiKnobs, body: dict[str, Any], token: str | None) -> None:
    if token is not None:
        _place(body, knobs.next_path, token)
    elif knobs.end != "absent":
        _place(body, knobs.next_path, "" if knobs.end == "empty" else None)


def _place(body: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[last] = value


def _start(knobs: ApiKnobs, params: Params, size: int, records: Sequence[Record]) -> int:
    match knobs.paging:
        case "page":
            page = _number(params, knobs.page_param, knobs.first_page)
            return (page - knobs.first_page) * size
        case "cursor" | "cursor_header" | "next":
            cursor = params.get(knobs.cursor_param, "")
            return _position(cursor) if cursor else 0
        case "keyset":
            return _after(knobs, params.get(knobs.after_param, ""), records)
        case _:
            return _number(params, knobs.offset_param, 0)


def _after(knobs: ApiKnobs, last: str, records: Sequence[Record]) -> int:
    """The row that follows an id; the collection must be sorted by it, as text."""
    return bisect_right(records, last, key=lambda row: str(row[knobs.key_field])) if last else 0


def _range(knobs: ApiKnobs, params: Params, total: int) -> Window:
    """`range=0-49`, both ends included; out of range is an error, as GLPI has it."""
    text = params.get("range", f"0-{knobs.page_size - 1}")
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()) or int(last) < int(first):
        raise BadRequest(f"range is not <first>-<last>: {text}")
    start, stop = int(first), int(last) + 1
    size = stop - start
    if knobs.max_page_size:
        size = min(size, knobs.max_page_size)
    if start >= total and start > 0:
        raise BadRequest(f"range {text} exceeds the total count {total}")
    return Window(start, min(start + size, total), size, total)


def _number(params: Params, name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"{name} is not a number: {text}") from None


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"row:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
        return int(text.removeprefix("row:"))
    except (binascii.Error, ValueError):
        raise BadRequest(f"the cursor has expired or never was: {cursor}") from None
