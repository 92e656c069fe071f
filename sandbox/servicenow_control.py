"""The control routes of the simulated ServiceNow, which no real instance has."""

from typing import Any, Final

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.servicenow_call import json_response
from sandbox.servicenow_instance import Instance


async def _knobs(request: Request) -> Response:
    instance = _instance(request)
    if request.method == "PUT":
        try:
            instance.turn(orjson.loads(await request.body()))
        except ValidationError as refusal:
            return json_response({"error": str(refusal)}, 400)
    return json_response(instance.knobs.model_dump())


async def _traffic(request: Request) -> Response:
    instance = _instance(request)
    if request.method == "DELETE":
        instance.traffic.clear()
        return Response(status_code=204)
    told: dict[str, Any] = instance.traffic.told()
    told |= {
        "tokens": instance.login.issued,
        "wrong_passwords": instance.login.wrong.total(),
        "sessions": instance.login.opened,
        "in_flight_peak": instance.limits.peak,
        "dropped": instance.limits.dropped,
    }
    return json_response(told)


async def _reset(request: Request) -> Response:
    _instance(request).reset()
    return Response(status_code=204)


async def _table(request: Request) -> Response:
    """PUT makes the JSON list all there is, POST writes its rows by sys_id, DELETE drops it."""
    instance, name = _instance(request), request.path_params["table"]
    if request.method == "DELETE":
        instance.data.drop(name)
        return Response(status_code=204)
    rows = orjson.loads(await request.body())
    if request.method == "PUT":
        instance.put_table(name, rows)
    else:
        instance.write(name, rows)
    return json_response({"rows": len(instance.data.view(name).rows)})


async def _row(request: Request) -> Response:
    audit = request.query_params.get("audit", "true") == "true"
    table, sys_id = request.path_params["table"], request.path_params["sys_id"]
    _instance(request).delete(table, [sys_id], audit=audit)
    return Response(status_code=204)


async def _tokens(request: Request) -> Response:
    """No access token is good any more; `?refresh=true`: no refresh token either."""
    refresh = request.query_params.get("refresh", "false") == "true"
    _instance(request).login.revoke(refresh=refresh)
    return Response(status_code=204)


def _instance(request: Request) -> Instance:
    instance: Instance = request.app.state.servicenow
    return instance


ROUTES: Final = [
    Route("/sandbox/tables/{table}", _table, methods=["PUT", "POST", "DELETE"]),
    Route("/sandbox/tables/{table}/{sys_id}", _row, methods=["DELETE"]),
    Route("/sandbox/tokens", _tokens, methods=["DELETE"]),
    Route("/sandbox/knobs", _knobs, methods=["GET", "PUT"]),
    Route("/sandbox/traffic", _traffic, methods=["GET", "DELETE"]),
    Route("/sandbox/reset", _reset, methods=["POST"]),
]
