"""Answers of the simulated EasyVista that are errors, or that misbehave on purpose."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import unquote_plus
from zlib import crc32

import orjson
from starlette.responses import Response, StreamingResponse

from sandbox.easyvista_knobs import EasyVistaKnobs, Fault
from sandbox.easyvista_lists import Ask, Page
from sandbox.easyvista_store import Record
from sandbox.transport import Cut, Drip, Reset

LOGIN_PAGE: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Service Manager</title></head><body>"
    b'<form action="/index.php" method="post">Your session has expired.</form></body></html>\n'
)
_BUSY_PAGE: Final = b"<html><head><title>%d</title></head><body>Please try later</body></html>\n"
_CODE: Final = "2013"

# orjson writes neither, so these stand in the record until the answer is bytes.
NAN: Final = "\ufdd0NaN"
BAD_UTF8: Final = "\ufdd0UTF-8"
_RAW: Final = {NAN: b"NaN", BAD_UTF8: b'"caf\xe9"'}


def json_response(body: Any, status: int = 200) -> Response:
    return Response(written(body), status, media_type="application/json")


def written(body: Any) -> bytes:
    root = orjson.dumps(body)
    if b"\xef\xb7\x90" in root:
        for mark, raw in _RAW.items():
            root = root.replace(orjson.dumps(mark), raw)
    return root


def error(text: str, status: int) -> Response:
    return json_response({"error": text}, status)


def rejected(text: str, form: str = "plain") -> Response:
    """A 590: what the database said, in one of the bodies of specs/easyvista.md §7."""
    correlation = f"{crc32(text.encode()):08x}{len(text) % 4096:05x}"
    quoted = text if form in ("quotes", "broken") else text.replace('"', '\\"')
    message = f'{{"error": "{quoted}"}} ({_CODE}-{correlation})'
    bodies: dict[str, Record] = {
        "error_code": {"error_code": _CODE, "error": text},
        "error_message": {"error_message": text},
        "code_message": {"code": _CODE, "message": text},
    }
    whole = {"message": message, "correlationId": correlation, "dataError": "", "exception": []}
    if form == "broken":
        raw = f'{{"message":"{message}","correlationId":"{correlation}","exception":[]}}'
        return Response(raw.encode(), 590, media_type="application/json")
    return json_response(bodies.get(form, whole), 590)


def timed_out(status: int) -> Response:
    return error("Timeout error: the REST call was aborted after 60 seconds", status)


def strikes(fault: Fault, path: str, query: str, ask: Ask) -> bool:
    """Whether a call counts for the fault, `at` and `times` left aside."""
    return (
        (not fault.on or fnmatchcase(path, fault.on))
        and ask.max_rows > fault.over
        and (not fault.asked or fault.asked in unquote_plus(query))
    )


def instead(fault: Fault, *, target: str) -> Response | None:
    """The answer in place of the true one; None when the fault leaves that one there."""
    make = _INSTEAD.get(fault.kind)
    return make(fault, target) if make else None


def _status(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.body == "html":
        return Response(_BUSY_PAGE % fault.status, fault.status, headers, "text/html")
    body = b"" if fault.body == "empty" else orjson.dumps({"error": fault.text})
    return Response(body, fault.status, headers, "application/json")


class _Huge(StreamingResponse):
    """An answer without Content-Length; `body` is what traffic counts: nobody reads it all."""

    def __init__(self, megabytes: int) -> None:
        super().__init__(_huge(megabytes), media_type="application/json")
        self.body = b""


async def _huge(megabytes: int) -> AsyncIterator[bytes]:
    yield b'{"record_count":"1","records":["'
    for _ in range(megabytes * 4):
        yield b"x" * 2**18
        await asyncio.sleep(0)  # or nothing would notice that the caller has left
    yield b'"]}'


_INSTEAD: Final[dict[str, Callable[[Fault, str], Response]]] = {
    "status": lambda fault, _: _status(fault),
    "rejected": lambda fault, _: rejected(fault.text, fault.form),
    "timeout": lambda fault, _: timed_out(fault.status),
    "html": lambda _, __: Response(LOGIN_PAGE, 200, media_type="text/html"),
    "empty": lambda _, __: Response(b"", 200, media_type="application/json"),
    "error": lambda fault, _: error(fault.text, 200),
    "redirect": lambda fault, target: Response(b"", 302, {"Location": f"{fault.to}{target}"}),
    "reset": lambda _, __: Reset(),
    "huge": lambda fault, _: _Huge(fault.megabytes),
}


def spoiled(fault: Fault, page: Page, before: Sequence[Any]) -> Page:
    """The page once the fault has struck its rows; *before* are those of the last answer."""
    records = list(page.records)
    match fault.kind:
        case "repeat":
            records = list(before) or records
        case "short":
            records = records[: int(len(records) * fault.keep)]
        case "bad_record" if records:
            records[min(fault.index, len(records) - 1)] = fault.record
        case "nan" if records:
            records[0] = {**records[0], "RESIDUAL_VALUE": NAN}
        case "bad_utf8" if records:
            records[0] = {**records[0], "ASSET_LABEL": BAD_UTF8}
        case "total":
            return replace(page, total=page.total + fault.by)
    return replace(page, records=records)


def misshapen(fault: Fault, body: Record) -> Record:
    """The root of a list once the fault has struck it."""
    match fault.kind:
        case "no_records":
            return {key: value for key, value in body.items() if key != "records"}
        case "miscounted":
            return body | {"record_count": str(len(body["records"]) + fault.by)}
        case _:
            return body


def delivered(fault: Fault, response: Response, page: Page | None) -> Response:
    """The answer as the fault has it travel."""
    body, status = bytes(response.body), response.status_code
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    match fault.kind:
        case "cut":
            return Cut(body, status, headers, sent=int(len(body) * fault.keep))
        case "drip":
            return Drip(body, status, headers, chunks=fault.chunks, seconds=fault.seconds)
        case "gzip_cut":
            squeezed = gzip.compress(body, 1, mtime=0)
            body = squeezed[: int(len(squeezed) * fault.keep)]
            headers["content-encoding"] = "gzip"
        case "bom":
            body = b"\xef\xbb\xbf" + body
        case "latin1":
            body = body.decode().encode("latin-1", "replace")
        case "partial_content":
            status = 206
            headers["content-range"] = _range(page)
    return Response(body, status, headers)


def _range(page: Page | None) -> str:
    if page is None or not page.records:
        return "rows */0"
    return f"rows {page.start}-{page.start + len(page.records) - 1}/{page.total}"


def squeezed(response: Response, accepted: str, knobs: EasyVistaKnobs) -> Response:
    """The answer compressed, where the tenant does and the caller accepts it."""
    whole = type(response) is Response and "content-encoding" not in response.headers
    if not (knobs.gzip and "gzip" in accepted and whole):
        return response
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    body = gzip.compress(bytes(response.body), 1, mtime=0)
    return Response(body, response.status_code, headers | {"content-encoding": "gzip"})
