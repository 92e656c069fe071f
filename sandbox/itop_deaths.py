"""What is answered when PHP dies, when iTop is closed, or when it cannot write its JSON."""

from typing import Any, Final

from starlette.responses import Response

from sandbox.itop_get import NotUtf8
from sandbox.itop_json import encoded
from sandbox.itop_state import Itop
from sandbox.itop_store import Thing

HTML: Final = "text/html; charset=UTF-8"
_TOLD: Final = {
    "memory": "Allowed memory size of 32M exhausted, contact your administrator to increase"
    " 'memory_limit' in php.ini",
    "time": "Maximum execution time of 1 exceeded, contact your administrator to increase"
    " 'max_execution_time' in php.ini",
}
_PHP: Final = {
    "memory": "Allowed memory size of 33554432 bytes exhausted (tried to allocate 5337088 bytes)",
    "time": "Maximum execution time of 1 second exceeded",
    "database": "Uncaught MySQLException: Could not connect to the DB server",
    "error": "Uncaught TypeError: explode(): Argument #2 ($string) must be of type string",
}
_OTHERS: Final = "An error occurred, check server error log for more information."
_CLOSED: Final = "This application is currently under maintenance."


def died(itop: Itop, cause: str) -> Response:
    """A fatal error: 500, or 200 when PHP displays its errors; iTop's own line from 2.6 on."""
    body = ""
    if itop.knobs.display_errors:
        body = (
            f"<br />\n<b>Fatal error</b>:  {_PHP[cause]} in"
            " <b>/var/www/itop/webservices/rest.php</b> on line <b>253</b><br />\n"
        )
    if itop.model.modern:
        body += f"<p>iTop: {_TOLD.get(cause, _OTHERS)}</p>"
    return html(body, 200 if itop.knobs.display_errors else 500)


def closed(itop: Itop) -> Response:
    """503 while in maintenance, in the shape of 3.1 on, or of what came before (spec §9)."""
    told: dict[str, Any] = {"code": 100, "message": _CLOSED}
    if itop.model.modern:
        told = {"data": [told], "scripts": []}
    return Response(encoded(told), 503, {"Access-Control-Allow-Origin": "*"}, "application/json")


def html(body: str, status: int) -> Response:
    return Response(body.encode(), status, {"Content-Type": HTML})


def not_utf8(itop: Itop, error: NotUtf8) -> bytes:
    """Nothing at all on 2.3.4; else a message that holds the whole answer, in hexadecimal."""
    if itop.knobs.release == "2.3.4":
        return b""
    dump = _dump(itop, error).hex()
    told = (
        "json encoding failed with message: Malformed UTF-8 characters, possibly incorrectly"
        f" encoded. Full response structure for debugging purposes (print_r+bin2hex): {dump}"
    )
    return encoded({"code": 100, "message": told})


def _dump(itop: Itop, error: NotUtf8) -> bytes:
    """The answer as print_r writes it, with its byte that is no UTF-8."""
    shown = b"".join(_object(itop, thing, fields) for thing, fields in error.things)
    objects = b"    [objects] => Array\n        (\n" + shown + b"        )\n\n"
    own = f"    [code] => 0\n    [message] => Found: {error.found}\n".encode()
    parts = own + objects if itop.model.modern else objects + own
    return b"RestResultWithObjects Object\n(\n" + parts + b")\n"


def _object(itop: Itop, thing: Thing, fields: dict[str, Any]) -> bytes:
    bad = thing.key in itop.knobs.invalid_utf8
    lines = [
        f"            [{thing.key}] => ObjectResult Object".encode(),
        b"                (",
        b"                    [code] => 0",
        b"                    [message] => ",
        f"                    [class] => {thing.kind}".encode(),
        f"                    [key] => {thing.id}".encode(),
        b"                    [fields] => Array",
        b"                        (",
    ]
    for name, value in fields.items():
        shown = b"a\xffb" if bad and name == itop.knobs.invalid_field else _printed(value)
        lines.append(b" " * 28 + f"[{name}] => ".encode() + shown)
    lines += [b"                        )", b"", b"                )", b"", b""]
    return b"\n".join(lines)


def _printed(value: Any) -> bytes:
    """A value in print_r; of lists and maps, that they are some."""
    if isinstance(value, (list, dict)):
        return b"Array"
    if value is None or value is False:
        return b""
    return b"1" if value is True else str(value).encode()
