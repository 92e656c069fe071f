"""Answers that misbehave on purpose."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from sandbox.jsonapi_knobs import Fault
from sandbox.jsonapi_pages import BAD_UTF8, NAN, Window
from sandbox.transport import Cut, Drip, Reset

LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>"
    b'<body><form action="/login" method="post">Your session has expired.</form></body></html>\n'
)


def instead(fault: Fault, *, path: str) -> Response | None:
    """The answer in place of a page or file; None when the fault leaves the page or file there."""
    match fault.kind:
        case "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            body = orjson.dumps({"error": f"answered {fault.status} as asked"})
            return Response(body, fault.status, headers, "application/json")
        case "html":
            return Response(LOGIN_PAGE, 200, media_type="text/html")
        case "empty":
            return Response(b"", 200, media_type="application/json")
        case "redirect":
            return Response(b"", 302, {"Location": f"{fault.to}{path}"})
        case "reset":
            return Reset()
        case _:
            return None


def spoiled_rows(
    fault: Fault, rows: Sequence[Any], asked: Window, collection: Sequence[Any]
) -> list[Any]:
    """The rows of a page once the fault has struck them."""
    spoiled = list(rows)
    match fault.kind:
        case "repeat":
            start = max(asked.start - asked.size, 0)
            spoiled = list(collection[start : start + asked.size])
        case "short":
            spoiled = spoiled[: int(len(spoiled) * fault.keep)]
        case "bad_record" if spoiled:
            spoiled[min(fault.index, len(spoiled) - 1)] = fault.record
        case "nan" if spoiled:
            spoiled[0] = {**spoiled[0], "load": NAN}
        case "bad_utf8" if spoiled:
            spoiled[0] = {**spoiled[0], "comment": BAD_UTF8}
    return spoiled


def delivered(fault: Fault, response: Response) -> Response:
    """The response as the fault has it travel."""
    body, status = bytes(response.body), response.status_code
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    match fault.kind:
        case "cut":
            return Cut(body, status, headers, sent=int(len(body) * fault.keep))
        case "drip":
            return Drip(body, status, headers, chunks=fault.chunks, seconds=fault.seconds)
        case "bom":
            return Response(b"\xef\xbb\xbf" + body, status, headers)
        case _:
            return response
