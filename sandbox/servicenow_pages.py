"""The bodies an instance answers with: JSON of rows and errors, and its pages in HTML."""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

JSON: Final = "application/json;charset=UTF-8"
HTML: Final = "text/html;charset=UTF-8"

CANCELLED: Final = "Transaction cancelled: maximum execution time exceeded"
CANCELLED_DETAIL: Final = (
    f"{CANCELLED} Check logs for error trace or enable glide.rest.debug property to verify REST "
    "request processing"
)

# orjson writes neither, so these stand in a row until it is bytes.
CONTROL: Final = "\ufdd0control"
BAD_UTF8: Final = "\ufdd0utf-8"
_RAW: Final = {CONTROL: b'"a\x01b\x02c"', BAD_UTF8: b'"caf\xe9"'}


def page(title: str, text: str) -> bytes:
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1>"
        f"<p>{text}</p></body></html>\n"
    ).encode()


HIBERNATING: Final = page(
    "Instance Hibernating page",
    "Your instance is hibernating. To wake it, sign in to the developer site.",
)
MAINTENANCE: Final = page("Service Unavailable", "This instance is being upgraded.")
SIGN_IN: Final = page("Log in | ServiceNow", "User name, password.")
TOO_LONG: Final = page("HTTP Status 400 - Bad Request", "Request header is too large")
BUSY: Final = page("429 Too Many Requests", "The semaphores of this node are exhausted.")


def encoded(rows: Sequence[Any]) -> bytes:
    """A JSON list; half a surrogate pair is written as the escape ServiceNow would send."""
    try:
        body = orjson.dumps(rows)
    except TypeError:  # orjson has no word for half a surrogate pair
        body = json.dumps(rows, separators=(",", ":")).encode()
    for mark, raw in _RAW.items():
        if orjson.dumps(mark) in body:
            body = body.replace(orjson.dumps(mark), raw)
    return body


def error_body(message: str, detail: str | None = None) -> bytes:
    return b"{" + _error(message, detail) + b"}"


def result_body(rows: bytes) -> bytes:
    return b'{"result":' + rows + b"}"


def cancelled_body(form: str, rows: bytes) -> bytes:
    """What is left of a transaction the quota cancelled (spec §7); *rows*: those it had sent."""
    error = _error(CANCELLED, CANCELLED_DETAIL)
    match form:
        case "partial":
            return b'{"result":' + rows + b"," + error + b"}"
        case "error_first":
            return b"{" + error + b',"result":[]}'
        case "only_error":
            return b"{" + error + b"}"
        case "spliced":
            return b'{"result":' + rows[:-1] + b"," + error + b"}"
        case _:
            return b'{"result":"' + CANCELLED.encode() + b'"}'


def _error(message: str, detail: str | None) -> bytes:
    told = orjson.dumps({"error": {"message": message, "detail": detail}, "status": "failure"})
    return told[1:-1]
