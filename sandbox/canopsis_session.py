"""Routes about the caller and the platform itself (`specs/canopsis.md` §1.1, §8, §9)."""

from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer
from sandbox.canopsis_auth import bearer, with_password
from sandbox.canopsis_forms import Form
from sandbox.canopsis_platform import Canopsis

_BITS = {"can": 1, "create": 8, "read": 4, "update": 2, "delete": 1}


def login(canopsis: Canopsis, call: Call) -> Response:
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
    return answer({"access_token": canopsis.tokens.issue(user)})


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
        "stack": "go",
        "version_updated": 1700000000,
        "file_upload_max_size": 314572800,
        "timezone": "Europe/Paris",
    }
    if knobs.numbers() >= (23, 10):
        about["maintenance"] = knobs.maintenance
    if knobs.numbers() >= (24, 10):
        about["serial_name"] = ""
    return answer(about)


def live(_: Canopsis, __: Call) -> Response:
    return answer({"ok": True})


def health(_: Canopsis, __: Call) -> Response:
    services = [{"name": name, "is_running": True} for name in ("MongoDB", "RabbitMQ", "Redis")]
    engines = {"graph": {"nodes": ["engine-fifo", "engine-che", "engine-axe"]}}
    return answer({"services": services, "engines": engines, "has_invalid_engines_order": False})


HEALTH = ("api_healthcheck", "can")
ENDPOINTS = (
    Endpoint("POST", "/api/v4/login", login),
    Endpoint("POST", "/api/v4/logout", logout),
    Endpoint("GET", "/api/v4/account/me", account),
    Endpoint("GET", "/api/v4/app-info", app_info),
    Endpoint("GET", "/api/v4/healthcheck/live", live, since=(23, 10)),
    Endpoint("GET", "/api/v4/healthcheck", health, HEALTH, since=(23, 10)),
    Endpoint("GET", "/api/v4/healthcheck/status", live, HEALTH, since=(23, 10)),
)
