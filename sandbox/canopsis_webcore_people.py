"""Who calls the Python webcore, and what it tells of itself (`specs/canopsis.md` §1.1, §9).

Up to 3.x a call brings the cookie of a session or an `authkey` in its query, nothing else counts
(some commits of `auth/authkey.py`, 52812bc for one, know the header too; of no known release).
In 4.0 to 4.2 the Go API stands before it: it looks at Basic and API key headers, answers wrong
ones itself, and hands all else on, calls without credentials too.

Routes from capensis/canopsis, `sources/canopsis/canopsis/webcore/services/`: `auth.py` (02e25fe),
`internal.py` (065efb1), `session.py` (0b66f9e). A wrong password meets 403 if a JSON answer was
asked for, else a redirect to the login page; an unknown user is sent on to `/auth/internal`.
"""

from typing import Any
from urllib.parse import quote_plus

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from sandbox.canopsis_api import Call, Endpoint, answer
from sandbox.canopsis_auth import (
    SESSION,
    Unauthorized,
    Unspeakable,
    authenticate,
    cookie,
    with_password,
)
from sandbox.canopsis_knobs import User
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_webcore_answers import Failure, arguments, described, page, wrapped

GO_FRONT = (4, 0)
"""The first version with the Go API before the webcore."""
OLD_SESSION = "beaker.session.id"
_BITS = {"can": 1, "create": 8, "read": 4, "update": 2, "delete": 1}
_LOGIN = ("username", "password", "shadow", "crypted", "json_response")


def caller(canopsis: Canopsis, call: Call) -> User | None:
    """The user who calls, None when nobody known does; raises Failure."""
    knobs = canopsis.knobs
    if knobs.numbers() >= GO_FRONT:
        try:
            return authenticate(knobs, canopsis.tokens, call.headers, call.query)
        except Unauthorized:
            raise Failure(answer({"error": "Unauthorized"}, 401)) from None
        except Unspeakable:
            raise Failure(answer({"error": "Internal server error"}, 500)) from None
    name = canopsis.tokens.user_of(cookie(call.headers, OLD_SESSION))
    key = call.query.get("authkey")
    found = next((u for u in knobs.users if u.name == name or (key and u.authkey == key)), None)
    if found is not None and not found.enabled:
        raise Failure(page(403, "Forbidden"))
    return found


def open_session(canopsis: Canopsis, call: Call) -> Response:
    given = arguments(call, "auth_route", _LOGIN)
    as_json = bool(given.get("json_response"))
    name, password = str(given.get("username", "")), str(given.get("password", ""))
    if not name or not password:
        return _to("/?logerror=1")
    known = next((user for user in canopsis.knobs.users if user.name == name), None)
    if known is None:
        form = f"username={quote_plus(name)}&password={quote_plus(password)}"
        form += "&json_response=True" if as_json else ""
        return PlainTextResponse(form, 307, headers={"location": "/auth/internal"})
    if not known.enabled:
        return described("Account disabled", 403) if as_json else _to("/?logerror=2")
    if with_password(canopsis.knobs, name, password) is None:
        return described("Wrong login or password", 403) if as_json else _to("/?logerror=1")
    shown = {"authkey": known.authkey, "crecord_name": name, "role": name}
    response = answer(shown) if as_json else _to("/")
    go = canopsis.knobs.numbers() >= GO_FRONT
    response.set_cookie(SESSION if go else OLD_SESSION, canopsis.tokens.issue(known), httponly=True)
    return response


def refuse_session(_: Canopsis, call: Call) -> Response:
    """Where unknown users end."""
    given = arguments(call, "auth_internal", _LOGIN)
    if given.get("json_response"):
        return described("Wrong login or password", 403)
    return _to("/?logerror=1")


def login_info(canopsis: Canopsis, _: Call) -> Response:
    config = {"webserver": {"canopsis.auth.authkey": 1}}
    return answer({"login_config": config, "user_interface": None, **_version(canopsis)})


def app_info(canopsis: Canopsis, _: Call) -> Response:
    return answer({**_version(canopsis), "timezone": "Europe/Paris"})


def account(_: Canopsis, call: Call) -> Response:
    user = call.user
    if user is None:
        raise Failure(page(401, "Not authorized"))
    rights = {
        name: {"checksum": sum(_BITS[action] for action in actions)}
        for name, actions in sorted(user.rights.items())
    }
    about = {"crecord_name": user.name, "role": user.name, "enable": user.enabled}
    return wrapped({"_id": user.name, **about, "authkey": user.authkey, "rights": rights})


def _version(canopsis: Canopsis) -> dict[str, Any]:
    edition = "core" if canopsis.knobs.edition == "community" else "cat"
    return {"edition": edition, "stack": "go", "version": canopsis.knobs.version}


def _to(address: str) -> Response:
    return RedirectResponse(address, 303)


UNTIL = (4, 3)
ANYONE = ("/auth", "/auth/internal", "/api/internal/login/login_info")
"""Paths that ask nobody who they are; all others want to know."""
ENDPOINTS = (
    Endpoint("POST", "/auth", open_session, until=UNTIL),
    Endpoint("POST", "/auth/internal", refuse_session, until=UNTIL),
    Endpoint("GET", "/api/internal/login/login_info", login_info, until=UNTIL),
    Endpoint("GET", "/api/internal/app_info", app_info, until=UNTIL),
    Endpoint("GET", "/account/me", account, until=UNTIL),
)
