"""An iTop that answers webservices/rest.php like 2.3.4, 2.4.3 or 3.2, as well or badly as told.

    app = create_app(objects(servers=1000), ItopKnobs(release="2.4.3"))
    with serve(app) as url:
        form = {"auth_user": "etl", "auth_pwd": "etl-password", "json_data": "{…}"}
        requests.post(f"{url}/webservices/rest.php?version=1.3", data=form)

Routes
    GET, POST /webservices/rest.php       also below any folder: /itop/webservices/rest.php
    POST   /sandbox/objects/<class>       a JSON list of objects to add; their ids are answered
    PATCH, DELETE /sandbox/objects/<class>/<id>   a JSON object of values; the others stay
    GET, PUT    /sandbox/knobs            a JSON object of the knobs to turn; the others stay
    GET, DELETE /sandbox/traffic          requests, bytes_sent, statuses, paths, calls
    POST   /sandbox/reset                 everything as it was at the start

In the same process `app.state.itop` is the `Itop`: `held` (`add`, `change`, `remove`; or other
`Objects` in its place), `turn`, `traffic`, `reset`.

Accounts (`users`; the password is `<login>-password`, but `pass:word` for colon)
    etl       reads every class of the CMDB; in English, so are the others
    admin     reads the history (CMDBChangeOp) and users as well
    fr        the same rights as etl, in French: `dates={"FR FR": {"date": "%d/%m/%Y"}}`
    colon     cannot log in by Basic
    norest    without the profile REST Services User; restonly: with that alone
    portal    a portal user; gone: a disabled account
    `organizations` of a user are the allowed ones; `unreadable`, `unexportable` take classes away.
    `login_types`, `token`, `token_login`, `rest_profile`, `trusting_sessions`, `secure`.

Release (`release`: 2.3.4, 2.4.3 or 3.2)
    decides on the order of keys, attributes, API versions, paging (3.2 alone), login errors, words.
    `custom` adds attributes to classes, `missing` takes some away. `dates` and `labels` are by
    language. `now` is the time of NOW(). Objects with `archive_flag=1` need `with_archive=1`.

Trouble
    latency                        seconds before each answer
    memory_objects, memory_bytes   larger answers kill PHP: 500 and HTML; `display_errors`: 200
    post_max_bytes                 larger bodies lose their fields: a login error
    maintenance                    503, in the shape of the release
    invalid_utf8, invalid_field    objects with a byte that is no UTF-8: an empty 200 on 2.3.4, else
                                   a message with the whole answer in hexadecimal
    double_encoded_html            2.x writes every `&` of HTML twice encoded
    found_error                    a wrong `Found: N`
    shuffle                        objects of one name in another order at each call

Faults (`faults`, a list of `{"kind": …, "on": operation or class, "fields": name, "at": n,
"times": n}`: struck from the `at`-th matching call on; `fields` must be among `output_fields`)
    status, html, empty, redirect, reset, cut, drip   as in `sandbox.jsonapi`
    endless      `megabytes` without a Content-Length
    code         200 with `code` and `message`, such as MySQL's errno and text
    fatal        PHP dies of its `cause`: memory, time, database
    repeat       the last good answer once more
    short        `keep` of the objects, the same `Found: N`
    bad_record   `record` in place of the object at `index`
    rows         after the answer, `add` (`class` and values), `change` (values by key) and
                 `remove` (keys) of objects
"""

import argparse
import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.itop_answers import answer
from sandbox.itop_classes import PARENTS
from sandbox.itop_knobs import ItopKnobs
from sandbox.itop_objects import objects as invented
from sandbox.itop_request import session_of
from sandbox.itop_state import Itop
from sandbox.itop_store import Objects
from sandbox.serve import serve_until_stopped
from sandbox.transport import Breakable


def create_app(objects: Objects | None = None, knobs: ItopKnobs | None = None) -> Breakable:
    """An application that serves *objects*, a small CMDB unless given; see `app.state.itop`."""
    app = Breakable(
        routes=[
            Route("/webservices/rest.php", _rest, methods=["GET", "POST"]),
            Route("/{folder:path}/webservices/rest.php", _rest, methods=["GET", "POST"]),
            Route("/sandbox/objects/{kind}", _add, methods=["POST"]),
            Route("/sandbox/objects/{kind}/{number:int}", _change, methods=["PATCH", "DELETE"]),
            Route("/sandbox/knobs", _knobs, methods=["GET", "PUT"]),
            Route("/sandbox/traffic", _traffic, methods=["GET", "DELETE"]),
            Route("/sandbox/reset", _reset, methods=["POST"]),
        ]
    )
    app.state.itop = Itop(invented() if objects is None else objects, knobs or ItopKnobs())
    return app


async def _rest(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    sent = await request.body()
    session = session_of(request.headers.get("cookie", ""))
    # PHP locks the file of a session while it works: calls that share one queue up on 2.x
    alone = session and not itop.model.modern
    async with itop.doors[session] if alone else contextlib.nullcontext():
        if itop.knobs.latency:
            await asyncio.sleep(itop.knobs.latency)
        response = answer(itop, request, sent)
    itop.traffic.record(request, sent, response)
    return response


async def _add(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    kind = request.path_params["kind"]
    if kind not in PARENTS:
        return _json({"error": f"there is no class {kind}"}, 404)
    given = orjson.loads(await request.body())
    return _json({"ids": [itop.held.add(kind, **values) for values in given]})


async def _change(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    key = f"{request.path_params['kind']}::{request.path_params['number']}"
    try:
        if request.method == "DELETE":
            itop.held.remove(key)
        else:
            itop.held.change(key, **orjson.loads(await request.body()))
    except KeyError:
        return _json({"error": f"there is no {key}"}, 404)
    return Response(status_code=204)


async def _knobs(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    if request.method == "PUT":
        try:
            itop.turn(orjson.loads(await request.body()))
        except ValidationError as refusal:
            return _json({"error": str(refusal)}, 400)
    return _json(itop.knobs.model_dump(mode="json"))


async def _traffic(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    if request.method == "DELETE":
        itop.traffic.clear()
        return Response(status_code=204)
    return _json(itop.traffic.told())


async def _reset(request: Request) -> Response:
    itop: Itop = request.app.state.itop
    itop.reset()
    return Response(status_code=204)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the CMDB of `sandbox.itop_objects` until SIGINT or SIGTERM; its URL is first."""
    options = _options(arguments)
    knobs = ItopKnobs.model_validate_json(options.knobs)
    serve_until_stopped(create_app(invented(servers=options.servers), knobs), port=options.port)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.itop", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--servers", type=int, default=200, help="objects of class Server")
    parser.add_argument("--knobs", default="{}", help='JSON, such as {"release": "2.4.3"}')
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
