"""Routes of the import API, dialects D1 and D2 (`specs/canopsis.md` §2.1, §2.2, §2.4)."""

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer, not_found
from sandbox.canopsis_platform import Canopsis


def put_full(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, "D2", partial=False)


def put_partial(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, "D2", partial=True)


def put_linked(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, "D1", partial=False)


def put_linked_partial(canopsis: Canopsis, call: Call) -> Response:
    return _put(canopsis, call, "D1", partial=True)


def get_status(canopsis: Canopsis, call: Call) -> Response:
    job = canopsis.jobs.get(call.params["id"])
    if job is None:
        raise not_found()
    return answer(job.report(canopsis.knobs.numbers()))


def _put(canopsis: Canopsis, call: Call, dialect: str, *, partial: bool) -> Response:
    version, size = canopsis.knobs.numbers(), len(call.body)
    # 4.3 knows no source: what the call says of it is not read.
    source = call.query.get("source") if version >= (4, 4) else ""
    if not source and version >= (4, 4):
        # The header is flushed before the body is chosen, hence the type (§1.3).
        refusal = answer({"errors": {"source": "Source is missing."}}, 400)
        refusal.headers["content-type"] = "text/plain; charset=utf-8"
        return refusal
    most = canopsis.knobs.import_max_size
    if version >= (25, 4) and size > most:
        raise Refusal(400, {"error": f"request size {size} exceeds limit {most}"})
    job = canopsis.submit(call.body, source=source or "", partial=partial, dialect=dialect)
    return answer({"_id": job.id})


CREATE, READ = ("api_contextgraph", "create"), ("api_contextgraph", "read")
FLAT, LINKED = "/api/v4/contextgraph-import", "/api/v4/contextgraph/import"
FIRST_FLAT, LAST_LINKED = (23, 4), (24, 4)
ENDPOINTS = (
    Endpoint("PUT", FLAT, put_full, CREATE, since=FIRST_FLAT),
    Endpoint("PUT", f"{FLAT}-partial", put_partial, CREATE, since=FIRST_FLAT),
    Endpoint("GET", f"{FLAT}-status/{{id}}", get_status, READ, since=LAST_LINKED),
    Endpoint("PUT", LINKED, put_linked, CREATE, until=LAST_LINKED),
    Endpoint(
        "PUT",
        f"{LINKED}-partial",
        put_linked_partial,
        CREATE,
        since=(4, 5, 9),
        until=LAST_LINKED,
    ),
    Endpoint("GET", f"{LINKED}/status/{{id}}", get_status, READ, until=LAST_LINKED),
)
