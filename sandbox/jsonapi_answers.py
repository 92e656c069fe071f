"""What a client of the simulated JSON API is answered: pages, files, tokens."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.jsonapi_auth import admits, admits_client
from sandbox.jsonapi_faults import delivered, instead, spoiled_rows
from sandbox.jsonapi_knobs import ApiKnobs, Fault
from sandbox.jsonapi_pages import (
    BadRequest,
    Window,
    next_link,
    next_params,
    page_body,
    told_total,
    window,
)
from sandbox.jsonapi_state import Api

Handler = Callable[[Request], Awaitable[Response]]
Answer = Callable[[Api, Request, bytes], Response]

_UNKNOWN = "no such thing here"


def counted(answer: Answer) -> Handler:
    """The route of *answer*, its calls recorded in the traffic."""

    async def handle(request: Request) -> Response:
        api: Api = request.app.state.jsonapi
        body = await request.body()
        if api.knobs.latency:
            await asyncio.sleep(api.knobs.latency)
        try:
            response = answer(api, request, body)
        except BadRequest as refusal:
            response = json_response({"error": str(refusal)}, refusal.status)
        api.traffic.record(request, body, response)
        return response

    return handle


def page(api: Api, request: Request, sent: bytes) -> Response:
    name = request.path_params["name"]
    params = {**request.query_params, **_body_params(request, sent)}
    if refusal := _refusal(api, request, params):
        return refusal
    if name not in api.collections:
        return json_response({"error": _UNKNOWN}, 404)
    asked = window(api.knobs, params, api.collections[name])
    fault = api.strike(name, asked.rank)
    if fault and (answer := instead(fault, path=_target(request))):
        return answer
    response = _page_response(api, request, params, asked, fault)
    if fault and fault.kind == "rows":
        api.rows_moved(name, fault)
    return delivered(fault, response) if fault else response


def _page_response(
    api: Api, request: Request, params: Mapping[str, str], asked: Window, fault: Fault | None
) -> Response:
    knobs, name = api.knobs, request.path_params["name"]
    collection = api.collections[name]
    following = next_params(knobs, asked, collection)
    headers = _page_headers(api, request, params, asked)
    onward = None
    if following and knobs.paging == "next":
        onward = _link(knobs, request, params, following)
    elif following and knobs.paging == "cursor":
        onward = following[knobs.cursor_param]
    squeeze = knobs.gzip and "gzip" in request.headers.get("accept-encoding", "")
    if squeeze:
        headers["Content-Encoding"] = "gzip"
    if fault:
        rows = spoiled_rows(fault, collection[asked.start : asked.stop], asked, collection)
        body = page_body(knobs, rows, asked, token=onward)
        body = gzip.compress(body, 1, mtime=0) if squeeze else body
    else:
        body = api.page(name, asked, onward, squeeze=squeeze)
    status = 206 if knobs.paging == "range" else 200
    return Response(body, status, headers, knobs.content_type)


def _page_headers(
    api: Api, request: Request, params: Mapping[str, str], asked: Window
) -> dict[str, str]:
    knobs = api.knobs
    headers = {}
    following = next_params(knobs, asked, api.collections[request.path_params["name"]])
    if knobs.paging == "cursor_header" and following:
        headers["X-Next-Cursor"] = following[knobs.cursor_param]
    if knobs.paging == "range":
        last = max(asked.stop - 1, 0)
        headers["Content-Range"] = f"{asked.start}-{last}/{told_total(knobs, asked)}"
    if knobs.paging == "link":
        steps = {"first": {knobs.offset_param: "0"}, "next": following}
        if asked.start:
            steps["prev"] = {knobs.offset_param: str(max(asked.start - asked.size, 0))}
        headers["Link"] = ", ".join(
            f'<{_link(knobs, request, params, step)}>; rel="{rel}"'
            for rel, step in steps.items()
            if step
        )
    if knobs.total == "header":
        headers["X-Total-Count"] = str(told_total(knobs, asked))
    return headers


def file(api: Api, request: Request, _: bytes) -> Response:
    name = request.path_params["name"]
    if refusal := _refusal(api, request, request.query_params):
        return refusal
    if name not in api.files:
        return json_response({"error": _UNKNOWN}, 404)
    fault = api.strike(name, 1)
    if fault and (answer := instead(fault, path=_target(request))):
        return answer
    held = api.files[name]
    response = Response(held.body, 200, {"Content-Type": held.content_type})
    return delivered(fault, response) if fault else response


def token(api: Api, request: Request, sent: bytes) -> Response:
    fault = api.strike("token", 1)
    if fault and (answer := instead(fault, path=_target(request))):
        return answer
    form = dict(parse_qsl(sent.decode("utf-8", "replace")))
    if form.get("grant_type") != "client_credentials":
        return json_response({"error": "unsupported_grant_type"}, 400)
    if not admits_client(api.knobs, headers=request.headers, form=form):
        return json_response({"error": "invalid_client"}, 401)
    issued = api.tokens.issue(api.knobs, time.monotonic())
    lifetime = api.knobs.token_lifetime
    return json_response({"access_token": issued, "token_type": "Bearer", "expires_in": lifetime})


def _refusal(api: Api, request: Request, params: Mapping[str, str]) -> Response | None:
    now = time.monotonic()
    if admits(api.knobs, api.tokens, headers=request.headers, params=params, now=now):
        return None
    scheme = "Basic" if api.knobs.auth == "basic" else "Bearer"
    headers = {"WWW-Authenticate": f'{scheme} realm="cmdb"'}
    return json_response({"error": "Unauthorized"}, 401, headers)


def _body_params(request: Request, sent: bytes) -> dict[str, str]:
    """The parameters of a POST: a form, or a JSON object."""
    if not sent:
        return {}
    if "urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl(sent.decode("utf-8", "replace")))
    try:
        body = orjson.loads(sent)
    except orjson.JSONDecodeError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is not an object")
    return {key: str(value) for key, value in body.items()}


def _link(
    knobs: ApiKnobs, request: Request, params: Mapping[str, str], following: Mapping[str, str]
) -> str:
    base = f"{request.url.scheme}://{request.url.netloc}"
    return next_link(knobs, params, following, base=base, path=request.url.path)


def _target(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")
