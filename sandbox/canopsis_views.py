"""Entities as answers show them (`specs/canopsis.md` §5.1)."""

from typing import Any

from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc

_OPTIONAL = (
    "component",
    "connector",
    "last_event_date",
    "coordinates",
    "entity_pattern",
    "entity_patterns",
)
_SINCE = {"import_source": (23, 4), "imported": (23, 4), "tags": (25, 4)}
"""Fields that answers have shown since a version, wherever they were stored before."""


def entity_view(canopsis: Canopsis, doc: Doc, *, flags: bool = False) -> dict[str, Any]:
    """An item of `GET /entities`; *flags* adds counts of neighbours and `deletable`."""
    state = entity_state(canopsis, doc)
    view: dict[str, Any] = {
        "_id": doc["_id"],
        "name": doc["name"],
        "type": doc["type"],
        "enabled": bool(doc.get("enabled")),
        "infos": infos_view(doc["infos"]),
        "impact_level": doc["impact_level"],
        "category": category_view(canopsis, doc.get("category")),
        "ok_events": 0,
        "ko_events": 0,
        "state": state,
        "impact_state": state * doc["impact_level"],
        "status": 1 if state else 0,
    }
    if doc.get("component_infos"):
        view["component_infos"] = infos_view(doc["component_infos"])
    for name in _OPTIONAL:
        if name in doc:
            view[name] = doc[name]
    version = canopsis.knobs.numbers()
    for name, since in _SINCE.items():
        if name in doc and version >= since:
            view[name] = doc[name]
    if flags:
        around = canopsis.graph.around(doc)
        view["depends_count"] = len(around["depends"])
        view["impacts_count"] = len(around["impact"])
        view["deletable"] = doc["_id"] not in canopsis.alarms.open and not (
            doc["type"] == "component" and around["depends"]
        )
    return view


def basics_view(canopsis: Canopsis, doc: Doc) -> dict[str, Any]:
    """The answer of `GET /entitybasics`."""
    view = entity_view(canopsis, doc)
    view["description"] = doc.get("description", "")
    view["sli_avail_state"] = doc.get("sli_avail_state", 0)
    if canopsis.knobs.numbers() < (23, 4):
        view |= canopsis.graph.arrays(doc)
    return view


def service_view(canopsis: Canopsis, doc: Doc) -> dict[str, Any]:
    """The answer of `GET /entityservices/{id}`."""
    view = entity_view(canopsis, doc)
    view["output_template"] = doc.get("output_template", "")
    view["sli_avail_state"] = doc.get("sli_avail_state", 0)
    if "author" in doc:
        view["author"] = {"_id": doc["author"], "name": doc["author"]}
    return view


def infos_view(infos: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Infos with all their keys: the name falls back to the key, the value to null."""
    return {
        key: info
        if len(info) == 3 and info["name"]
        else {
            "name": info.get("name") or key,
            "description": info.get("description", ""),
            "value": info.get("value"),
        }
        for key, info in infos.items()
    }


def category_view(canopsis: Canopsis, category: str | None) -> dict[str, str] | None:
    doc = canopsis.store.categories.get(category or "")
    return None if doc is None else {"_id": doc["_id"], "name": doc["name"]}


def entity_state(canopsis: Canopsis, doc: Doc) -> int:
    """The state of its alarm, or for a service the worst of its live dependencies."""
    own = canopsis.alarms.state(doc["_id"])
    if doc["type"] != "service" or not canopsis.alarms.open:
        return own
    members = canopsis.graph.members(doc["_id"])
    alarmed = [entity for entity in canopsis.alarms.open if entity in members]
    live = [entity for entity in alarmed if canopsis.store.live(entity) is not None]
    return max([own, *map(canopsis.alarms.state, live)])
