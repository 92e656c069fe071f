"""JSON as PHP's json_encode writes it, and the shape of iTop's results."""

import json
from typing import Any


def encoded(value: Any) -> bytes:
    r"""JSON with `\/` and `\uXXXX`, without blanks."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("/", "\\/").encode("ascii")


def result(code: int, message: str | None, *parts: tuple[str, bytes], modern: bool) -> bytes:
    """A result: `code` and `message` come first on 3.x, last on 2.x (specs/itop.md §1)."""
    own = [b'"code":%d' % code, b'"message":' + encoded(message)]
    others = [encoded(name) + b":" + value for name, value in parts]
    return b"{" + b",".join([*own, *others] if modern else [*others, *own]) + b"}"


def objects(fragments: list[bytes]) -> bytes:
    """The `objects` of a result: a map, null when empty."""
    return b"{" + b",".join(fragments) + b"}" if fragments else b"null"


def fragment(kind: str, number: int, fields: dict[str, Any]) -> bytes:
    """One object of the map, behind its key."""
    shown = {"code": 0, "message": "", "class": kind, "key": str(number), "fields": fields}
    return encoded(f"{kind}::{number}") + b":" + encoded(shown)
