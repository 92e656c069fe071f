"""The route of events (`specs/canopsis.md` §7)."""

from typing import Any

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer
from sandbox.canopsis_events import Event
from sandbox.canopsis_platform import Canopsis

_STATEFUL = ("check", "metaalarm", "changestate")
_DAY = 24 * 3600
_OUTPUT, _LONG_OUTPUT = 255, 1024


class _Failed(Exception):
    """An event that goes to `failed_events`."""


def post(canopsis: Canopsis, call: Call) -> Response:
    """200 for any object or array: the lists of the answer say what became of each event."""
    try:
        raw = orjson.loads(call.body)
    except orjson.JSONDecodeError as fault:
        raise Refusal(400, {"error": f"cannot parse the body: {fault}"}) from fault
    if not isinstance(raw, dict | list):
        raise Refusal(400, {"error": "the body should be an object or an array"})
    sent, failed = [], []
    for event in raw if isinstance(raw, list) else [raw]:
        try:
            sent.append(_published(canopsis, call, event))
        except _Failed:
            failed.append(event)
    return answer({"sent_events": sent, "failed_events": failed, "retry_events": []})


def _published(canopsis: Canopsis, call: Call, raw: Any) -> dict[str, Any]:
    """The event as completed and put on the bus."""
    if not isinstance(raw, dict):
        raise _Failed
    event = dict(raw)
    kind = event.get("event_type")
    if not isinstance(kind, str) or not kind:
        raise _Failed
    for name in ("connector", "connector_name"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise _Failed
    for name in ("component", "resource", "author"):
        if not isinstance(event.get(name, ""), str):
            raise _Failed
    if kind in _STATEFUL:
        event["state"] = _state(event.get("state"))
    if kind == "check" and not event.get("component"):
        raise _Failed
    _complete(canopsis, call, event)
    if kind == "check":
        canopsis.bus.publish(Event("check", event["component"], event))
    return event


def _state(value: Any) -> int:
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise _Failed
    return int(value)


def _complete(canopsis: Canopsis, call: Call, event: dict[str, Any]) -> None:
    now = int(canopsis.now())
    kinds = ("connector", "component", "resource")
    event["source_type"] = kinds[2 if event.get("resource") else 1 if event.get("component") else 0]
    if call.user is not None:
        event.setdefault("author", call.user.name)
        event.setdefault("user_id", call.user.name)
    moment = event.get("timestamp")
    if not isinstance(moment, int) or abs(moment - now) > _DAY:
        event["timestamp"] = now
    if isinstance(event.get("output"), str):
        event["output"] = event["output"][:_OUTPUT]
    if "long_output" in event:
        text = event["long_output"]
        event["long_output"] = text[:_LONG_OUTPUT] if isinstance(text, str) else ""


ENDPOINTS = (Endpoint("POST", "/api/v4/event", post, ("api_event", "can")),)
