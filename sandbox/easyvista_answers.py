"""What a caller of the simulated EasyVista is answered, errors and misbehaviour included."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sandbox.easyvista_faults import (
    delivered,
    error,
    instead,
    json_response,
    misshapen,
    rejected,
    spoiled,
    squeezed,
    timed_out,
)
from sandbox.easyvista_knobs import FORBIDDEN, Fault
from sandbox.easyvista_lists import Ask, Page, TimedOut, envelope
from sandbox.easyvista_login import Caller
from sandbox.easyvista_routes import Body, Forbidden, Listed, NotFound, Router
from sandbox.easyvista_search import Rejected
from sandbox.easyvista_state import EasyVista

_TOO_LONG = b"<html><head><title>414 Request-URI Too Long</title></head><body></body></html>\n"


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `path` is below the account, `target` as it stands in the request."""

    method: str
    path: str
    query: str
    target: str
    root: str
    ask: Ask


async def answered(request: Request) -> Response:
    """The route of everything below /api/v1; its calls are recorded in the traffic."""
    api: EasyVista = request.app.state.easyvista
    sent = await request.body()
    api.in_flight += 1
    api.at_once = max(api.at_once, api.in_flight)
    try:
        response = await _answer(api, request)
    finally:
        api.in_flight -= 1
    api.traffic.record(request, sent, response)
    return response


async def refused(request: Request) -> Response:
    """Any other path of the host, such as a bare /swagger."""
    api: EasyVista = request.app.state.easyvista
    response = error(FORBIDDEN, 403)
    api.traffic.record(request, await request.body(), response)
    return response


async def _answer(api: EasyVista, request: Request) -> Response:
    knobs = api.knobs
    if knobs.max_in_flight and api.in_flight > knobs.max_in_flight:
        return error("Too many requests", 429)
    if knobs.latency:
        await asyncio.sleep(knobs.latency)
    url = request.url
    target = f"{url.path}?{url.query}" if url.query else url.path
    if knobs.max_url and len(target) > knobs.max_url:
        return Response(_TOO_LONG, 414, media_type="text/html")
    caller = api.login.caller(knobs, request.headers.get("authorization", ""))
    account = request.path_params["account"]
    if caller is None or account != knobs.account:
        return error("Invalid Login / Password", 401)
    root = f"{url.scheme}://{url.netloc}/api/v1/{account}"
    path, query = request.path_params["path"], url.query
    call = Call(request.method, path, query, target, root, Ask.of(query))
    fault = api.strike(path, query, call.ask)
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    response = (instead(fault, target=target) if fault else None) or _told(api, caller, call, fault)
    return squeezed(response, request.headers.get("accept-encoding", ""), knobs)


def _told(api: EasyVista, caller: Caller, call: Call, fault: Fault | None) -> Response:
    """The answer by the rules, or as a fault has it."""
    place = (caller.name, call.method, call.root, call.path, call.query)
    held = None if fault or api.knobs.faults else api.kept(place)
    if held is not None:
        return Response(held, 200, media_type="application/json")
    try:
        return _made(api, caller, call, fault)
    except Forbidden:
        return error(FORBIDDEN, 403)
    except NotFound:
        return error("Resource not found", 404)
    except Rejected as refusal:
        return rejected(str(refusal))
    except TimedOut:
        return timed_out(api.knobs.timeout_status)


def _made(api: EasyVista, caller: Caller, call: Call, fault: Fault | None) -> Response:
    """Raises Forbidden, NotFound, Rejected, TimedOut."""
    router = Router(api.store, api.knobs, api.lists, caller, call.root)
    target = router.to(call.method, call.path, call.ask)
    page = None
    if isinstance(target, Body):
        response = json_response(target.body, target.status)
    else:
        page = api.lists.page(target.listing, target.ask)
        response = _list_response(api, call, target, page, fault)
    if fault:
        if fault.kind == "rows":
            api.rows_moved(fault)
        return delivered(fault, response, page)
    if response.status_code == 200 and api.knobs.ties == "stable" and not api.knobs.faults:
        api.keep((caller.name, call.method, call.root, call.path, call.query), bytes(response.body))
    return response


def _list_response(
    api: EasyVista, call: Call, target: Listed, page: Page, fault: Fault | None
) -> Response:
    before = api.before.get(call.path, [])
    if fault:
        page = spoiled(fault, page, before)
    if api.knobs.faults:  # what `repeat` repeats; a page is held for nothing else
        api.before[call.path] = page.records
    body = envelope(
        page,
        api.knobs,
        key=target.key,
        href=f"{call.root.rpartition('/api/')[0]}{call.target}" if target.told else "",
        path=f"{call.root}/{call.path}",
        ask=call.ask,
    )
    if fault:
        body = misshapen(fault, body)
    if api.knobs.random_keys:
        body = api.lists.rows.shuffled(body)
    return json_response(body)
