"""The route of events of the Python webcore.

Facts from capensis/canopsis, `sources/canopsis/canopsis/webcore/services/event.py` (00f2dc6) and
`common/amqp.py`: the answer is that of later versions (`specs/canopsis.md` §7), but an event is
only refused when its routing key cannot be made: `connector`, `connector_name`, `event_type`,
`source_type`, `component`, and `resource` for a resource. A body that does not say it is JSON is
taken for none, and answered with 200.
"""

from typing import Any

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, answer
from sandbox.canopsis_events import Event
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_webcore_answers import Failure, described, page

_KEY = ("connector", "connector_name", "event_type", "source_type", "component")
_STATES = range(4)


def post(canopsis: Canopsis, call: Call) -> Response:
    if not call.headers.get("content-type", "").startswith("application/json"):
        return described("nothing to return", 200)
    try:
        raw = orjson.loads(call.body)
    except orjson.JSONDecodeError as fault:
        return described(f"malformed JSON : {fault}")
    if raw is None:
        return described("nothing to return", 200)
    sent: list[Any] = []
    failed: list[Any] = []
    for event in raw if isinstance(raw, list) else [raw]:
        if not isinstance(event, dict):
            raise Failure(page(500, "Internal Server Error"))
        (sent if _published(canopsis, event) else failed).append(event)
    return answer({"sent_events": sent, "failed_events": failed, "retry_events": []})


def _published(canopsis: Canopsis, event: dict[str, Any]) -> bool:
    """Put an event on the bus; false when it cannot be."""
    needed = (*_KEY, "resource") if event.get("source_type") == "resource" else _KEY
    if not all(isinstance(event.get(name), str) for name in needed):
        return False
    if event["event_type"] in ("changestate", "keepstate") and event.get("state") == 0:
        return False
    if "long_output" in event and not isinstance(event["long_output"], str):
        event["long_output"] = ""
    if event["event_type"] == "check" and event.get("state") in _STATES:
        canopsis.bus.publish(Event("check", event["component"], event))
    return True


ENDPOINTS = (Endpoint("POST", "/api/v2/event", post, ("api_event", "can"), until=(4, 3)),)
