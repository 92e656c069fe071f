"""Routes of one connector, component or resource (`specs/canopsis.md` §5.2 to §5.4)."""

from typing import Any

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer, invalid, not_found
from sandbox.canopsis_entities import toggle
from sandbox.canopsis_events import Event
from sandbox.canopsis_forms import Form
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc
from sandbox.canopsis_views import basics_view


def read(canopsis: Canopsis, call: Call) -> Response:
    doc = canopsis.store.live(_id(call))
    if doc is None or doc["type"] == "service":
        raise not_found()
    return answer(basics_view(canopsis, doc))


def edit(canopsis: Canopsis, call: Call) -> Response:
    """Replace what the form holds. A service is edited too, and the answer is 404 all the same."""
    entity = _id(call)
    enabled, values, unset = _read_form(canopsis, Form(call.json()))
    doc = canopsis.store.live(entity)
    if doc is None:
        raise not_found()
    values["updated"] = int(canopsis.now())
    values["author"] = call.user.name if call.user else ""
    canopsis.store.update(entity, values, unset)
    if enabled != bool(doc.get("enabled")):
        toggle(canopsis, doc, enabled=enabled)
    else:
        canopsis.bus.publish(Event("entityupdated", entity))
    if doc["type"] == "service":
        raise not_found()
    return answer(basics_view(canopsis, doc))


def delete(canopsis: Canopsis, call: Call) -> Response:
    doc = canopsis.store.live(_id(call))
    if doc is None or doc["type"] == "service":
        raise not_found()
    if doc["_id"] in canopsis.alarms.open:
        raise Refusal(400, {"error": "entity is linked to alarm"})
    if doc["type"] == "component" and any(True for _ in canopsis.store.resources_of(doc["_id"])):
        raise Refusal(400, {"error": "component has resources"})
    bury(canopsis, doc)
    return Response(status_code=204)


def bury(canopsis: Canopsis, doc: Doc) -> None:
    """Soft delete one entity."""
    gone = {"enabled": False, "soft_deleted": int(canopsis.now())}
    canopsis.store.update(doc["_id"], gone)


def _read_form(canopsis: Canopsis, form: Form) -> tuple[bool, dict[str, Any], list[str]]:
    """(enabled, values to write, fields to unset); raises Refusal."""
    enabled = form.flag("enabled")
    values: dict[str, Any] = {
        "description": form.text("description"),
        "category": form.category(canopsis),
        "impact_level": form.number("impact_level", 1, 10),
        "infos": form.infos(),
        "sli_avail_state": form.number("sli_avail_state", 0, 3),
        "coordinates": form.coordinates(),
    }
    form.close()
    unset = [name for name in ("category", "coordinates") if not values[name]]
    for name in unset:
        del values[name]
    return enabled, values, unset


def _id(call: Call) -> str:
    entity = call.query.get("_id")
    if not entity:
        raise invalid(_id="ID is missing.")
    return entity


PATH = "/api/v4/entitybasics"
ENDPOINTS = (
    Endpoint("GET", PATH, read, ("api_entity", "read")),
    Endpoint("PUT", PATH, edit, ("api_entity", "update")),
    Endpoint("DELETE", PATH, delete, ("api_entity", "delete")),
)
