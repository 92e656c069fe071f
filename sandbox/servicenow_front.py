"""The way in: address length, sessions, credentials, limits; then the answer, counted."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sandbox.servicenow_call import ApiError, Call, json_response, no_resource
from sandbox.servicenow_faults import Target, delivered, instead, no_roles
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_login import SESSION_COOKIE, Session, TokenRefused, Unauthorized
from sandbox.servicenow_pages import (
    BUSY,
    HIBERNATING,
    HTML,
    JSON,
    MAINTENANCE,
    TOO_LONG,
    error_body,
)

Handler = Callable[[Request], Awaitable[Response]]
Answer = Callable[[Call], Response]

_READABLE: Final = ("application/json", "*/*", "application/*")


def served(answer: Answer) -> Handler:
    """The route of *answer*, for callers that are let in; its calls recorded in the traffic."""

    async def handle(request: Request) -> Response:
        instance: Instance = request.app.state.servicenow
        sent = await request.body()
        with instance.limits.call():
            response = _closed(instance, request)
            if response is None:
                response = await _in_session(instance, request, answer)
        instance.traffic.record(request, sent, response)
        return response

    return handle


async def token(request: Request) -> Response:
    """`/oauth_token.do` (spec §10)."""
    instance: Instance = request.app.state.servicenow
    sent = await request.body()
    response = _closed(instance, request) or _token(instance, request, sent)
    instance.traffic.record(request, sent, response)
    return response


def nowhere(call: Call) -> Response:
    """Any other path."""
    raise no_resource(call.request.url.path)


def _closed(instance: Instance, request: Request) -> Response | None:
    """What answers before the instance itself does."""
    knobs = instance.knobs
    url = request.scope["raw_path"] + b"?" + request.scope["query_string"]
    if knobs.max_url_bytes and len(url) > knobs.max_url_bytes:
        return Response(TOO_LONG, 400, media_type=HTML)
    if knobs.state == "hibernating":
        return Response(HIBERNATING, 200, media_type=HTML)
    if knobs.state == "maintenance":
        return Response(MAINTENANCE, 503, media_type=HTML)
    if knobs.max_in_flight and instance.limits.in_flight > knobs.max_in_flight:
        return Response(BUSY, 429, media_type=HTML)
    return None


async def _in_session(instance: Instance, request: Request, answer: Answer) -> Response:
    """The answer, once the caller is known and its session is free (spec §8.3)."""
    knobs, login = instance.knobs, instance.login
    session = login.session(request.cookies.get(SESSION_COOKIE, ""))
    try:
        name = login.caller(knobs, request.headers, session, time.monotonic())
    except Unauthorized:
        return unauthorized()
    opened = session is None or session.user != name
    if session is None or opened:
        session = login.open_session(name)
    elif session.calls > knobs.session_queue:
        instance.limits.dropped += 1
        return Response(b"", 202, {"Content-Type": JSON})
    session.calls += 1
    try:
        async with session.turn:
            await asyncio.sleep(knobs.latency)
            response = _answered(instance, request, name, session, answer)
    finally:
        session.calls -= 1
    response.headers["X-Is-Logged-In"] = "true"
    response.headers["X-Transaction-ID"] = f"{instance.traffic.requests.total():032x}"
    if opened and knobs.cookies:
        _set_cookies(response, session)
    return response


def _answered(
    instance: Instance, request: Request, name: str, session: Session, answer: Answer
) -> Response:
    if session.roleless:
        return no_roles()
    refusal, headers = instance.limits.rate(instance.knobs, name)
    if refusal:
        return refusal
    call = Call(instance, request, name, session, request.query_params)
    try:
        _check_accept(request.headers)
        response = answer(call)
    except ApiError as error:
        response = error.response()
    response.headers.update(headers)
    return response


def _check_accept(headers: Mapping[str, str]) -> None:
    """Rows are served in JSON alone: the simulator has no XML."""
    accepted = headers.get("accept", "*/*")
    if not any(kind in accepted for kind in _READABLE):
        raise ApiError(406, "Requested media type is not supported", accepted)


def _set_cookies(response: Response, session: Session) -> None:
    for cookie in (
        f"{SESSION_COOKIE}={session.id}; Path=/; HttpOnly",
        f"glide_user_route=glide.{session.id}; Path=/; HttpOnly",
        "glide_session_store=8A; Path=/; HttpOnly",
        "BIGipServerpool_acme=1677721866.47873.0000; path=/; HttpOnly",
    ):
        response.headers.append("Set-Cookie", cookie)


def _token(instance: Instance, request: Request, sent: bytes) -> Response:
    fault = instance.faults.strike(Target("token"))
    if fault and (answer := instead(fault, (), request.url.path)):
        return answer
    response = _granted(instance, request, sent)
    return delivered(fault, response, ()) if fault else response


def _granted(instance: Instance, request: Request, sent: bytes) -> Response:
    if "urlencoded" not in request.headers.get("content-type", ""):
        return json_response({"error": "invalid_request", "error_description": "not a form"}, 400)
    form = dict(parse_qsl(sent.decode("utf-8", "replace")))
    try:
        granted = instance.login.grant(instance.knobs, request.headers, form, time.monotonic())
    except TokenRefused as refusal:
        told = {"error": refusal.error, "error_description": str(refusal)}
        return json_response(told, refusal.status)
    return json_response(granted)


def unauthorized() -> Response:
    """401, whatever the reason is."""
    body = error_body("User Not Authenticated", "Required to provide Auth information")
    return Response(body, 401, {"WWW-Authenticate": 'BASIC realm="Service-now"'}, JSON)
