"""What a client of the simulated rest.php is answered."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from sandbox.itop_deaths import HTML, closed, died, html, not_utf8
from sandbox.itop_faults import delivered, instead
from sandbox.itop_get import Fatal, NotUtf8, get
from sandbox.itop_json import encoded, result
from sandbox.itop_keys import INTERNAL_ERROR, class_of, mandatory
from sandbox.itop_knobs import Fault, User
from sandbox.itop_login import (
    UNAUTHORIZED,
    NoTokenGiven,
    Refusal,
    Rejected,
    admitted,
    logged_in,
)
from sandbox.itop_related import get_related
from sandbox.itop_request import COOKIE, Asked, asked
from sandbox.itop_state import Itop

MISSING_VERSION: Final = 2
MISSING_JSON: Final = 3
INVALID_JSON: Final = 4
UNSUPPORTED_VERSION: Final = 10
UNKNOWN_OPERATION: Final = 11
_VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3")
_OPERATIONS: Final = {
    "core/create": "Create an object",
    "core/update": "Update an object",
    "core/apply_stimulus": "Apply a stimulus to change the state of an object",
    "core/get": "Search for objects",
    "core/delete": "Delete objects",
    "core/get_related": "Get related objects through the specified relation",
    "core/check_credentials": "Check user credentials",
}
_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Expires": "Thu, 19 Nov 1981 08:52:00 GMT",
    "Cache-Control": "no-store, no-cache, must-revalidate",
    "Pragma": "no-cache",
}
# a sentence as plain text; that the spec does not quote it leaves its words to us
_TOKENLESS: Final = "Missing token: login mode token needs one"
# nobody may write here: the simulator is for extraction
_WRITING: Final = {
    "core/create": "creating",
    "core/update": "modifying",
    "core/apply_stimulus": "modifying",
    "core/delete": "deleting",
}


def answer(itop: Itop, request: Request, sent: bytes) -> Response:
    """The answer to a call of rest.php, its faults included."""
    call = asked(request, sent, most=itop.knobs.post_max_bytes, uploads=itop.model.modern)
    operation, kind = call.param("operation"), call.param("class")
    fault = itop.strike(operation, kind, call.param("output_fields", "*"))
    if itop.knobs.maintenance:
        return closed(itop)
    if fault and (response := instead(itop, fault, request)):
        return response
    response = _answered(itop, call, fault)
    if fault and fault.kind == "rows":
        itop.rows_move(fault)
    return delivered(fault, response) if fault else response


def _answered(itop: Itop, call: Asked, fault: Fault | None) -> Response:
    session = call.credentials.session or f"{itop.chance.getrandbits(104):026x}"
    headers = {**_HEADERS, "Set-Cookie": f"{COOKIE}={session}; path=/"}
    try:
        user = _let_in(itop, call)
        itop.sessions[session] = user.login
        body = _executed(itop, call, user, fault)
    except Refusal as refusal:
        body = result(refusal.code, f"Error: {refusal}", modern=itop.model.modern)
    except NotUtf8 as error:
        body = not_utf8(itop, error)
    except Fatal as fatal:
        return died(itop, fatal.cause)
    except Rejected:
        realm = f'Basic realm="iTop version {itop.knobs.release}'  # iTop leaves the quote open
        return Response(b"", 401, {"WWW-Authenticate": realm, "Content-Type": HTML})
    except NoTokenGiven:
        return html(_TOKENLESS, 200)
    if callback := call.fields.get("callback"):
        body = callback.encode() + b"(" + body + b")"
    kind = "application/javascript" if callback else "application/json"
    return Response(body, 200, headers, kind)


def _let_in(itop: Itop, call: Asked) -> User:
    """The user of the call; raises Refusal, Rejected or NoTokenGiven."""
    if itop.knobs.secure and not call.secure:
        raise Refusal(INTERNAL_ERROR, "Secure connection required!")
    try:
        return logged_in(itop, call.credentials)
    except Refusal:
        if call.ajax:
            raise Rejected from None
        raise


def _executed(itop: Itop, call: Asked, user: User, fault: Fault | None) -> bytes:
    """The body of the answer to a caller who was let in; raises Refusal, Fatal or NotUtf8."""
    version, modern = _version(itop, call), itop.model.modern
    operation = str(mandatory(call.params, "operation"))
    if operation == "list_operations":
        return _operations(version, modern=modern)
    if operation not in _OPERATIONS:
        message = f"Unknown verb '{operation}' in version '{version}'"
        raise Refusal(UNKNOWN_OPERATION, message)
    archive = "1" in (call.fields.get("with_archive"), call.fields.get("with-archive"))
    world = itop.world(user, archive=archive)
    if operation == "core/get":
        itop.last = get(itop, user, world, call.params, fault)
        return itop.last
    if operation == "core/get_related":
        return get_related(itop, user, world, call.params)
    if operation == "core/check_credentials":
        return _checked(itop, call.params)
    message = (
        "The current user does not have enough permissions for"
        f" {_WRITING[operation]} data of class {class_of(call.params)}"
    )
    return result(UNAUTHORIZED, message, ("objects", b"null"), modern=modern)


def _version(itop: Itop, call: Asked) -> str:
    """The API version asked for, once the call has all it needs; raises Refusal."""
    version, decoded, modern = call.fields.get("version", ""), call.decoded, itop.model.modern
    if not version:
        raise Refusal(MISSING_VERSION, "Missing parameter 'version' (e.g. '1.0')")
    if not call.fields.get("json_data"):
        # 2.x forgets the last quote
        raise Refusal(MISSING_JSON, "Missing parameter 'json_data" + "'" * modern)
    if not decoded and not isinstance(decoded, dict):
        raise Refusal(INVALID_JSON, "Parameter json_data is not a valid JSON structure")
    if not _is_served(version, modern=modern):
        message = f"There is no service available for version '{version}'"
        raise Refusal(UNSUPPORTED_VERSION, message)
    return version


def _checked(itop: Itop, params: Mapping[str, Any]) -> bytes:
    """core/check_credentials: `code` is 0 whatever `authorized` says."""
    login, password = mandatory(params, "user"), mandatory(params, "password")
    authorized = admitted(itop, str(login), str(password)) is not None
    return encoded({"code": 0, "message": None, "authorized": authorized})


def _operations(version: str, *, modern: bool) -> bytes:
    listed = [
        {"verb": verb, "description": description, "extension": "CoreServices"}
        for verb, description in _OPERATIONS.items()
    ]
    parts = (("version", encoded(version)), ("operations", encoded(listed)))
    return result(0, f"Operations: {len(listed)}", *parts, modern=modern)


def _is_served(version: str, *, modern: bool) -> bool:
    """3.x knows a list of texts; 2.x compares as numbers, so that `1.30` is 1.3."""
    if modern:
        return version in (*_VERSIONS, "1.4")
    try:
        return float(version) in map(float, _VERSIONS)
    except ValueError:
        return False
