"""What the Python webcore answers with, and how it reads a call.

Errors of its framework (Bottle) are pages of HTML that hold a short text; errors of its routes
are JSON. Facts: `specs/canopsis.md` §1.1 and §2.3; capensis/canopsis (commit in brackets),
`sources/canopsis/canopsis/common/ws.py` (009b99c): query, form and the first line of the body
become the arguments of a function, of which none may be unknown, and each text of which is read
as JSON if it is some; `.../webcore/utils.py` (0b66f9e): other routes tell an error as
`{"name", "description"}`. How Bottle's page looks is assumed; around the JSON of a 500 it is left
out, as the specification has it.
"""

import gzip
import html
import http
import zlib
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.responses import HTMLResponse, Response

from sandbox.canopsis_api import Call, answer

FORM = "application/x-www-form-urlencoded"


class Failure(Exception):
    """An answer other than the one asked for."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def page(status: int, words: str) -> Response:
    """An error page of Bottle."""
    title = f"Error: {status} {http.HTTPStatus(status).phrase}"
    return HTMLResponse(
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>"
        f"<h1>{title}</h1><pre>{html.escape(words)}</pre></body></html>\n",
        status,
    )


def wrapped(data: Any, total: int | None = None) -> Response:
    """`{"total", "data": [...], "success"}`; one object is a list of one."""
    listed = data if isinstance(data, list) else [data]
    return answer(
        {"total": len(listed) if total is None else total, "data": listed, "success": True}
    )


def described(words: str, status: int = 400) -> Response:
    return answer({"name": "", "description": words}, status)


def crash(kind: str, words: str) -> Failure:
    """An exception in a route: 500, with what Python says of it."""
    told = f"<type 'exceptions.{kind}'>"
    trace = f"Traceback (most recent call last):\n{kind}: {words}\n"
    data = {"traceback": trace, "type": told, "msg": words}
    return Failure(answer({"total": 0, "success": False, "data": data}, 500))


def arguments(call: Call, function: str, known: Collection[str]) -> dict[str, Any]:
    """What a route is called with; raises Failure for what it does not know.

    The key of the caller is none of them, although it may come the same way.
    """
    given: dict[str, Any] = dict(call.query)
    if call.headers.get("content-type", "").startswith(FORM):
        given |= dict(parse_qsl(call.body.decode("utf-8", "replace")))
    given |= _of_body(call)
    given.pop("authkey", None)
    for name in given:
        if name not in known:
            words = f"{function}() got an unexpected keyword argument '{name}'"
            raise crash("TypeError", words)
    return {name: _value(each) for name, each in given.items() if each is not None}


def _of_body(call: Call) -> dict[str, Any]:
    """The object on the first line of the body; of one that is packed, the object it is."""
    line = call.body.split(b"\n", 1)[0]
    if "gzip" in call.headers.get("content-encoding", ""):
        try:
            line = gzip.decompress(call.body)
        except (OSError, EOFError, zlib.error) as fault:
            raise Failure(page(500, "Internal Server Error")) from fault
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(body, dict):
        return body
    if body in ([], ""):
        return {}
    raise Failure(page(500, "Internal Server Error"))


def _value(given: Any) -> Any:
    if isinstance(given, list) and given:
        given = given[0]
    if not isinstance(given, str):
        return given
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        return given
