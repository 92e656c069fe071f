"""Routes that read alarms: enough to measure coverage (`specs/canopsis.md` §8)."""

from typing import Any

from starlette.responses import Response

from sandbox.canopsis_alarms import Alarm
from sandbox.canopsis_api import Call, Endpoint, answer
from sandbox.canopsis_listing import Paging, ordering, pattern_filter, search_filter, sort_key
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_views import entity_view

_TEXT_FIELDS = ("d", "v.connector", "v.connector_name", "v.component", "v.resource", "v.output")
_NAMES = {
    "infos": "entity.infos",
    "entity_id": "d",
    "connector": "v.connector",
    "connector_name": "v.connector_name",
    "component": "v.component",
    "resource": "v.resource",
    "state": "v.state.val",
    "status": "v.status.val",
    "output": "v.output",
    "creation_date": "v.creation_date",
}
"""What the names of a search expression stand for in an alarm joined with its entity."""


def browse(canopsis: Canopsis, call: Call) -> Response:
    paging = Paging.of(call)
    alarms = _selected(canopsis, call)
    descending, field = ordering(call, "t")
    steps = _NAMES.get(field, field)
    alarms.sort(key=lambda alarm: (sort_key(alarm, steps), alarm["_id"]), reverse=descending)
    return paging.answer(alarms, lambda alarm: _view(canopsis, alarm))


def count(canopsis: Canopsis, call: Call) -> Response:
    total = len(_selected(canopsis, call))
    quiet = dict.fromkeys(("snooze", "ack", "ticket", "pbehavior_active"), 0)
    return answer({"total": total, "total_active": total, "unack": total, **quiet})


def _selected(canopsis: Canopsis, call: Call) -> list[Alarm]:
    """The alarms asked for, each with its entity as it is now under `entity`."""
    opened = call.query.get("opened")
    alarms = [] if opened == "false" else list(canopsis.alarms.open.values())
    if opened != "true":
        alarms += canopsis.alarms.resolved
    entities = canopsis.store.entities
    joined = [{**alarm, "entity": entities.get(alarm["d"], {})} for alarm in alarms]
    if category := call.query.get("category"):
        joined = [alarm for alarm in joined if alarm["entity"].get("category") == category]
    version = canopsis.knobs.numbers()
    if version >= (22, 10, 7) and (pattern := call.query.get("entity_pattern")):
        matches = pattern_filter(pattern, now=int(canopsis.now()))
        joined = [alarm for alarm in joined if matches(alarm["entity"])]
    if text := call.query.get("search"):
        found = search_filter(text, _TEXT_FIELDS, _NAMES)
        joined = [alarm for alarm in joined if found(alarm)]
    return joined


def _view(canopsis: Canopsis, alarm: Alarm) -> dict[str, Any]:
    entity = entity_view(canopsis, alarm["entity"]) if alarm["entity"] else None
    return {**alarm, "entity": entity, "tags": [], "infos": {}}


READ = ("api_alarm_read", "can")
ENDPOINTS = (
    Endpoint("GET", "/api/v4/alarms", browse, READ),
    Endpoint("GET", "/api/v4/alarm-counters", count, READ),
)
