"""Routes of services, one by one and in bulk (`specs/canopsis.md` §5.5)."""

import uuid
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer, invalid_structure, not_found
from sandbox.canopsis_basics import bury
from sandbox.canopsis_entities import BULK_MOST
from sandbox.canopsis_events import Event
from sandbox.canopsis_forms import Form
from sandbox.canopsis_old_pattern import compile_old
from sandbox.canopsis_pattern import SERVICE_FORBIDDEN, PatternFault, is_valid
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc
from sandbox.canopsis_views import service_view


def create(canopsis: Canopsis, call: Call) -> Response:
    return answer(service_view(canopsis, _create(canopsis, call, call.json())), 201)


def read(canopsis: Canopsis, call: Call) -> Response:
    return answer(service_view(canopsis, _live(canopsis, call.params["id"])))


def edit(canopsis: Canopsis, call: Call) -> Response:
    return answer(service_view(canopsis, _edit(canopsis, call, call.params["id"], call.json())))


def delete(canopsis: Canopsis, call: Call) -> Response:
    _delete(canopsis, call.params["id"])
    return Response(status_code=204)


def bulk_create(canopsis: Canopsis, call: Call) -> Response:
    return _bulk(call, 201, lambda raw: str(_create(canopsis, call, raw)["_id"]))


def bulk_edit(canopsis: Canopsis, call: Call) -> Response:
    return _bulk(call, 200, lambda raw: str(_edit(canopsis, call, _bulk_id(raw), raw)["_id"]))


def bulk_delete(canopsis: Canopsis, call: Call) -> Response:
    return _bulk(call, 200, lambda raw: _delete(canopsis, _bulk_id(raw)))


def _create(canopsis: Canopsis, call: Call, raw: Any) -> Doc:
    form = Form(raw)
    entity = form.text("_id")
    if any(char in entity for char in "/?.$"):
        form.errors["_id"] = "ID cannot contain /?.$ characters."
    elif entity in canopsis.store.entities:
        form.errors["_id"] = "ID already exists."
    values = _read_form(canopsis, form, None)
    entity = entity or str(uuid.uuid4())
    _write(canopsis, call, entity, values)
    return canopsis.store.entities[entity]


def _edit(canopsis: Canopsis, call: Call, entity: str, raw: Any) -> Doc:
    values = _read_form(canopsis, Form(raw), entity)
    doc = _live(canopsis, entity)
    _write(canopsis, call, entity, values)
    return doc


def _delete(canopsis: Canopsis, entity: str) -> str:
    bury(canopsis, _live(canopsis, entity))
    canopsis.bus.publish(Event("recomputeentityservice", entity))
    return entity


def _write(canopsis: Canopsis, call: Call, entity: str, values: dict[str, Any]) -> None:
    now = int(canopsis.now())
    values |= {"author": call.user.name if call.user else "", "updated": now}
    if entity in canopsis.store.entities:
        gone = [name for name in ("category", "coordinates") if name not in values]
        canopsis.store.update(entity, values, gone)
    else:
        canopsis.store.upsert(entity, {**values, "enable_history": []}, now=now)
    canopsis.bus.publish(Event("recomputeentityservice", entity))


def _read_form(canopsis: Canopsis, form: Form, entity: str | None) -> dict[str, Any]:
    """Values to write; *entity* is the service that may already bear the name."""
    name = form.text("name", required=True)
    taken = [
        doc
        for service in canopsis.store.services
        if (doc := canopsis.store.live(service)) is not None and doc["name"] == name
    ]
    if any(doc["_id"] != entity for doc in taken):
        form.errors["name"] = "Name already exists."
    values: dict[str, Any] = {
        "name": name,
        "type": "service",
        "enabled": form.flag("enabled"),
        "output_template": form.text("output_template", required=True, most=500),
        "impact_level": form.number("impact_level", 1, 10),
        "sli_avail_state": form.number("sli_avail_state", 0, 3),
        "infos": form.infos(),
        "category": form.category(canopsis),
        "coordinates": form.coordinates(),
    }
    if canopsis.knobs.numbers() >= (22, 10):
        values["entity_pattern"] = _pattern(form)
    else:
        values["entity_patterns"] = _old_patterns(form)
    form.close()
    return {key: value for key, value in values.items() if value not in ("", None)}


def _pattern(form: Form) -> Any:
    pattern = form.raw.get("entity_pattern")
    if form.text("corporate_entity_pattern"):
        # No corporate pattern is ever stored here.
        form.errors["corporate_entity_pattern"] = "CorporateEntityPattern doesn't exist."
    elif not pattern:
        form.errors["entity_pattern"] = "EntityPattern is missing."
    elif not is_valid(pattern, forbidden=SERVICE_FORBIDDEN):
        form.errors["entity_pattern"] = "EntityPattern is invalid entity pattern."
    return pattern


def _old_patterns(form: Form) -> Any:
    """The syntax up to 4.6."""
    patterns = form.raw.get("entity_patterns")
    if not patterns:
        form.errors["entity_patterns"] = "EntityPatterns is missing."
        return patterns
    try:
        compile_old(patterns)
    except PatternFault:
        form.errors["entity_patterns"] = "Invalid entity patterns."
    return patterns


def _live(canopsis: Canopsis, entity: str) -> Doc:
    doc = canopsis.store.live(entity)
    if doc is None or doc["type"] != "service":
        raise not_found()
    return doc


def _bulk_id(raw: Any) -> str:
    form = Form(raw)
    entity = form.text("_id", required=True)
    form.close()
    return entity


def _bulk(call: Call, status: int, act: Callable[[Any], str]) -> Response:
    """Elements one by one, each with its own outcome."""
    raw = call.json()
    if not isinstance(raw, list):
        raise invalid_structure()
    if len(raw) > BULK_MOST:
        words = f"number of elements shouldn't be greater than {BULK_MOST}"
        raise Refusal(400, {"error": words})
    outcomes: list[dict[str, Any]] = []
    for each in raw:
        try:
            outcomes.append({"id": act(each), "status": status, "item": each})
        except Refusal as refusal:
            outcomes.append({"status": refusal.status, "item": each, **refusal.body})
    return answer(outcomes, 207)


RIGHT = "api_entityservice"
ONE, BULK = "/api/v4/entityservices/{id}", "/api/v4/bulk/entityservices"
ENDPOINTS = (
    Endpoint("POST", "/api/v4/entityservices", create, (RIGHT, "create")),
    Endpoint("GET", ONE, read, (RIGHT, "read")),
    Endpoint("PUT", ONE, edit, (RIGHT, "update")),
    Endpoint("DELETE", ONE, delete, (RIGHT, "delete")),
    Endpoint("POST", BULK, bulk_create, (RIGHT, "create")),
    Endpoint("PUT", BULK, bulk_edit, (RIGHT, "update")),
    Endpoint("DELETE", BULK, bulk_delete, (RIGHT, "delete")),
)
