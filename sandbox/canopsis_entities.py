"""Routes that read many entities, and the bulk toggle (`specs/canopsis.md` §5.1, §5.2, §5.6)."""

from typing import Any

from starlette.responses import Response

from sandbox.canopsis_api import (
    Call,
    Endpoint,
    Refusal,
    answer,
    invalid,
    invalid_structure,
    not_found,
)
from sandbox.canopsis_events import Event
from sandbox.canopsis_listing import Paging, found_entities
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc
from sandbox.canopsis_views import entity_view

BULK_MOST = 10_000
PAGE_MOST = 16 * 1024 * 1024
"""Bytes that Mongo can build one page of: it is one document (`specs/canopsis.md` §5.1)."""


def list_entities(canopsis: Canopsis, call: Call) -> Response:
    paging = Paging.of(call)
    flags = call.query.get("with_flags") == "true"
    entities = canopsis.store.entities

    def view(entity: str) -> dict[str, Any]:
        return entity_view(canopsis, entities[entity], flags=flags)

    page = paging.answer(found_entities(canopsis, call), view)
    if len(page.body) > PAGE_MOST:
        raise Refusal(500, {"error": "Internal server error"})
    return page


def context_graph(canopsis: Canopsis, call: Call) -> Response:
    return answer(canopsis.graph.around(_wanted(canopsis, call)))


def service_dependencies(canopsis: Canopsis, call: Call) -> Response:
    return _neighbours(canopsis, call, "depends")


def service_impacts(canopsis: Canopsis, call: Call) -> Response:
    return _neighbours(canopsis, call, "impact")


def infos_keys(canopsis: Canopsis, call: Call) -> Response:
    entities = canopsis.store.entities
    keys = {key for i in canopsis.store.live_ids() for key in entities[i]["infos"]}
    return _words(call, keys)


def infos_values(canopsis: Canopsis, call: Call) -> Response:
    key = call.query.get("key")
    if not key:
        raise invalid(key="Key is missing.")
    entities = canopsis.store.entities
    values = [entities[i]["infos"].get(key, {}).get("value") for i in canopsis.store.live_ids()]
    return _words(call, {value for value in values if isinstance(value, str)})


def enable(canopsis: Canopsis, call: Call) -> Response:
    return _toggle(canopsis, call, enabled=True)


def disable(canopsis: Canopsis, call: Call) -> Response:
    return _toggle(canopsis, call, enabled=False)


def toggle(canopsis: Canopsis, doc: Doc, *, enabled: bool) -> None:
    """Switch an entity, with the resources of a disabled component, and send an event for each.

    Neither `import_source` nor `imported` changes.
    """
    entities = [doc["_id"]]
    if doc["type"] == "component" and not enabled:
        entities += canopsis.store.resources_of(doc["_id"])
    for entity in entities:
        if canopsis.store.live(entity) is None:
            continue
        canopsis.store.update(entity, {"enabled": enabled})
        canopsis.bus.publish(
            Event("recomputeentityservice" if doc["type"] == "service" else "entitytoggled", entity)
        )


def _toggle(canopsis: Canopsis, call: Call, *, enabled: bool) -> Response:
    raw = call.json()
    if not isinstance(raw, list):
        raise invalid_structure()
    if len(raw) > BULK_MOST:
        words = f"number of elements shouldn't be greater than {BULK_MOST}"
        raise Refusal(400, {"error": words})
    return answer([_toggled(canopsis, each, enabled=enabled) for each in raw], 207)


def _toggled(canopsis: Canopsis, raw: Any, *, enabled: bool) -> dict[str, Any]:
    """One element of the answer of a bulk toggle."""
    entity = raw.get("_id") if isinstance(raw, dict) else None
    if raw is None or not isinstance(raw, dict) or not isinstance(entity, str | None):
        return {"status": 400, "item": raw, "error": "request has invalid structure"}
    if not entity:
        return {"status": 400, "item": raw, "errors": {"_id": "ID is missing."}}
    doc = canopsis.store.live(entity)
    if doc is None:
        return {"status": 404, "item": raw, "error": "Not found"}
    toggle(canopsis, doc, enabled=enabled)
    return {"id": entity, "status": 200, "item": raw}


def _wanted(canopsis: Canopsis, call: Call) -> Doc:
    entity = call.query.get("_id")
    if not entity:
        raise invalid(_id="ID is missing.")
    doc = canopsis.store.live(entity)
    if doc is None:
        raise not_found()
    return doc


def _neighbours(canopsis: Canopsis, call: Call, side: str) -> Response:
    paging, doc = Paging.of(call), _wanted(canopsis, call)
    if doc["type"] != "service":
        raise not_found()
    entities = canopsis.store.entities
    ids = canopsis.graph.around(doc)[side]
    return paging.answer(ids, lambda entity: entity_view(canopsis, entities[entity]))


def _words(call: Call, words: set[str]) -> Response:
    text = call.query.get("search", "").lower()
    found = sorted(word for word in words if text in word.lower())
    return Paging.of(call).answer(found, lambda word: {"value": word})


READ, UPDATE = ("api_entity", "read"), ("api_entity", "update")
ENDPOINTS = (
    Endpoint("GET", "/api/v4/entities", list_entities, READ),
    Endpoint("GET", "/api/v4/entities/context-graph", context_graph, READ, since=(22, 10)),
    Endpoint("GET", "/api/v4/entityservice-dependencies", service_dependencies, READ),
    Endpoint("GET", "/api/v4/entityservice-impacts", service_impacts, READ),
    Endpoint("GET", "/api/v4/entity-infos-dictionary/keys", infos_keys, READ, since=(22, 10)),
    Endpoint("GET", "/api/v4/entity-infos-dictionary/values", infos_values, READ, since=(22, 10)),
    Endpoint("PUT", "/api/v4/bulk/entities/enable", enable, UPDATE, since=(4, 6)),
    Endpoint("PUT", "/api/v4/bulk/entities/disable", disable, UPDATE, since=(4, 6)),
)
