"""Routes about the caller and the platform itself (`specs/canopsis.md` §1.1, §8, §9)."""

from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer
from sandbox.canopsis_auth import SESSION, bearer, with_password
from sandbox.canopsis_forms import Form
from sandbox.canopsis_platform import Canopsis

_BITS = {"can": 1, "create": 8, "read": 4, "update": 2, "delete": 1}


def login(canopsis: Canopsis, call: Call) -> Response:
    return answer({"access_token": _begun(canopsis, call)})


def open_session(canopsis: Canopsis, call: Call) -> Response:
    """The login of 4.3: what it gives is a cookie."""
    response = answer({})
    response.set_cookie(SESSION, _begun(canopsis, call), httponly=True)
    return response


def _begun(canopsis: Canopsis, call: Call) -> str:
    """A token for the user of that name and password; raises Refusal."""
    raw: Any
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raw = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
    else:
        raw = call.json()
    form = Form(raw)
    name, password = form.text("username", required=True), form.text("password", required=True)
    form.close()
    user = with_password(canopsis.knobs, name, password)
    if user is None:
        raise Refusal(401, {"error": "Unauthorized"})
    return canopsis.tokens.issue(user)


def logout(canopsis: Canopsis, call: Call) -> Response:
    if not canopsis.tokens.revoke(bearer(call.headers)):
        raise Refusal(401, {"error": "Unauthorized"})
    return Response(status_code=204)


def account(_: Canopsis, call: Call) -> Response:
    if call.user is None:
        raise Refusal(401, {"error": "Unauthorized"})
    user = call.user
    permissions = [
        {
            "_id": name,
            "name": name,
            "type": "" if "can" in actions else "CRUD",
            "bitmask": sum(_BITS[action] for action in actions),
            "actions": [] if "can" in actions else list(actions),
        }
        for name, actions in sorted(user.rights.items())
    ]
    roles = [{"_id": user.name, "name": user.name}]
    return answer(
        {
            "_id": user.name,
            "name": user.name,
            "enable": user.enabled,
            "authkey": user.authkey,
            "roles": roles,
            "permissions": permissions,
        }
    )


def app_info(canopsis: Canopsis, _: Call) -> Response:
    knobs = canopsis.knobs
    about: dict[str, Any] = {
        "version": knobs.version,
        "edition": knobs.edition,
        "version_updated": 1700000000,
        "file_upload_max_size": 314572800,
        "timezone": "Europe/Paris",
    }
    version = knobs.numbers()
    if version < (25, 4):
        about["stack"] = "go"
    if version >= (23, 10):
        about["maintenance"] = knobs.maintenance
    if version >= (24, 10):
        about["serial_name"] = ""
    if version >= (25, 4):
        about["file_import_max_size"] = knobs.import_max_size
    return answer(about)


def login_info(canopsis: Canopsis, _: Call) -> Response:
    """What told the version before there was an app-info."""
    off = {"enable": False}
    config = {"casconfig": off, "ldapconfig": off, "saml2config": off}
    knobs = canopsis.knobs
    about = {"version": knobs.version, "edition": knobs.edition, "stack": "go"}
    return answer({"login_config": config, "user_interface": {}, **about})


def live(_: Canopsis, __: Call) -> Response:
    return answer({"ok": True})


def health(_: Canopsis, __: Call) -> Response:
    services = [{"name": name, "is_running": True} for name in ("MongoDB", "RabbitMQ", "Redis")]
    engines = {"graph": {"nodes": ["engine-fifo", "engine-che", "engine-axe"]}}
    return answer({"services": services, "engines": engines, "has_invalid_engines_order": False})


HEALTH = ("api_healthcheck", "can")
ENDPOINTS = (
    Endpoint("POST", "/auth", open_session),
    Endpoint("POST", "/api/v4/login", login, since=(4, 4)),
    Endpoint("POST", "/api/v4/logout", logout, since=(4, 4)),
    Endpoint("GET", "/api/v4/account/me", account),
    Endpoint("GET", "/api/v4/app-info", app_info, since=(4, 5)),
    Endpoint("GET", "/api/v4/internal/login_info", login_info, until=(4, 5)),
    Endpoint("GET", "/api/v4/healthcheck/live", live, since=(23, 10)),
    Endpoint("GET", "/api/v4/healthcheck", health, HEALTH, since=(23, 10)),
    Endpoint("GET", "/api/v4/healthcheck/status", live, HEALTH, since=(23, 10)),
)
