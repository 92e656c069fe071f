"""Routes of the import API, dialect D2 (`specs/canopsis.md` §2.1, §2.4)."""

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer, not_found
from sandbox.canopsis_platform import Canopsis


def put_full(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, partial=False)


def put_partial(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, partial=True)


def get_status(canopsis: Canopsis, call: Call) -> Response:
    job = canopsis.jobs.get(call.params["id"])
    if job is None:
        raise not_found()
    return answer(job.report())


def put_older(_: Canopsis, __: Call) -> Response:
    """The D1 routes that 23.x still has; their presence is all that is simulated."""
    raise Refusal(501, {"error": "the simulator does not speak this dialect"})


def _put(canopsis: Canopsis, call: Call, *, partial: bool) -> Response:
    source = call.query.get("source")
    if not source:
        # The header is flushed before the body is chosen, hence the type (§1.3).
        refusal = answer({"errors": {"source": "Source is missing."}}, 400)
        refusal.headers["content-type"] = "text/plain; charset=utf-8"
        return refusal
    return answer({"_id": canopsis.submit(call.body, source=source, partial=partial).id})


CREATE, READ = ("api_contextgraph", "create"), ("api_contextgraph", "read")
ENDPOINTS = (
    Endpoint("PUT", "/api/v4/contextgraph-import", put_full, CREATE),
    Endpoint("PUT", "/api/v4/contextgraph-import-partial", put_partial, CREATE),
    Endpoint("GET", "/api/v4/contextgraph-import-status/{id}", get_status, READ, since=(24, 4)),
    Endpoint("GET", "/api/v4/contextgraph/import/status/{id}", get_status, READ, until=(24, 4)),
    Endpoint("PUT", "/api/v4/contextgraph/import", put_older, CREATE, until=(24, 4)),
    Endpoint("PUT", "/api/v4/contextgraph/import-partial", put_older, CREATE, until=(24, 4)),
)
