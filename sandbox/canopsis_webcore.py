"""The Canopsis of 3.x to 4.2: dialect D0, the Python webcore (`specs/canopsis.md` §1.1, §2.3).

| call | module |
|---|---|
| `PUT /api/contextgraph/import`, `GET /api/contextgraph/import/status/<id>` | this one |
| `POST /auth`, `GET /account/me`, `/api/internal/…` | `sandbox.canopsis_webcore_people` |
| `GET /api/v2/entities`, `POST /context` | `sandbox.canopsis_webcore_reading` |
| `POST /api/v2/event` | `sandbox.canopsis_webcore_events` |

3.x stands alone, at the root of its address; 4.0 to 4.2 behind a proxy, under `/backend`. Entities
are disabled by imports only. The lists of alarms, the weather and the watchers' own routes
are not simulated, nor is the schema that may drop infos of imported entities.
"""

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Api, Call, Endpoint, Refusal, answer
from sandbox.canopsis_auth import may
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_webcore_answers import Failure, arguments, page, wrapped
from sandbox.canopsis_webcore_events import ENDPOINTS as EVENTS
from sandbox.canopsis_webcore_import import report
from sandbox.canopsis_webcore_people import ANYONE, GO_FRONT, caller
from sandbox.canopsis_webcore_people import ENDPOINTS as PEOPLE
from sandbox.canopsis_webcore_reading import ENDPOINTS as READING

__all__ = ["ENDPOINTS", "GO_FRONT", "UNTIL", "respond"]

UNTIL = (4, 3)
"""The first version that this is not."""


def put_graph(canopsis: Canopsis, call: Call) -> Response:
    """Without a readable body the import is one of nothing."""
    given = arguments(call, "put_graph", ("json",))
    if canopsis.knobs.store_fault:
        return wrapped({"error": f"Impossible to store the import: {canopsis.knobs.store_fault}."})
    body = orjson.dumps(given.get("json", "{}"))
    job = canopsis.submit(body, source="", partial=False, dialect="D0")
    return wrapped({"import_id": job.id})


def get_status(canopsis: Canopsis, call: Call) -> Response:
    job = canopsis.jobs.get(call.params["id"])
    if job is None:
        return answer({"status": "not_found", "_id": call.params["id"]})
    return answer(report(job))


def respond(api: Api, canopsis: Canopsis, call: Call) -> Response:
    """Find out who calls, route, check the rights, carry out."""
    try:
        call.user = None if call.path in ANYONE else caller(canopsis, call)
        endpoint, call.params = api.match(call.method, call.path, canopsis.knobs.numbers())
        if call.path not in ANYONE and call.user is None:
            return page(401, "Not authorized")
        if endpoint.needs and call.user and not may(call.user, *endpoint.needs):
            return page(403, "Forbidden")
        return endpoint.handler(canopsis, call)
    except Refusal:
        return page(404, f"Not found: '{call.path}'")
    except Failure as failure:
        return failure.response


_IMPORT = "/api/contextgraph/import"
ENDPOINTS = (
    Endpoint("PUT", _IMPORT, put_graph, ("api_contextgraph", "create"), until=UNTIL),
    Endpoint(
        "GET", f"{_IMPORT}/status/{{id}}", get_status, ("api_contextgraph", "read"), until=UNTIL
    ),
    *PEOPLE,
    *READING,
    *EVENTS,
)
