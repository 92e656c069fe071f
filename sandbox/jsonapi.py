"""A JSON API that serves collections of records, as well or as badly as it is told.

    app = create_app({"servers": records(1000)}, ApiKnobs(paging="cursor", page_size=50))
    with serve(app) as url:
        requests.get(f"{url}/api/servers")

or, in another process: `python -m sandbox.jsonapi --port 8090 --records 100000`.

Routes
    GET, POST /api/<collection>           a page; parameters in the query, or in a JSON or form body
    GET, POST /files/<name>               a file, byte for byte
    POST      /token                      OAuth2 client credentials, when `auth` is `oauth2`
    PUT, DELETE /sandbox/collections/<name>   a JSON list of records
    PUT, DELETE /sandbox/files/<name>     a raw body, served with the Content-Type it came with
    GET, PUT  /sandbox/knobs              a JSON object of the knobs to turn; the others stay
    GET, DELETE /sandbox/traffic          requests, bytes_sent, statuses, paths, tokens, calls
    POST      /sandbox/reset              everything as it was at the start

In the same process `app.state.jsonapi` is the `Api`: `put_collection`, `turn`, `traffic`, `reset`.

Paging (`paging`, with `page_size`, `max_page_size`, `size_param`, `beyond`)
    none           the whole collection at once
    page           `?page=2&limit=100`; `page_param`, `first_page` (0 or 1)
    offset         `?offset=100&limit=100`; `offset_param`
    cursor         `?cursor=…`, next one in the body at `next_path`; `cursor_param`, `end`
    cursor_header  the same, next one in the header X-Next-Cursor
    link           header Link, rel="next" among others (RFC 8288); `links`, `links_base`
    next           URL of the next page in the body at `next_path`; `links`, `links_base`, `end`
    keyset         `?after=<last id>`; `after_param`, `key_field`; records sorted by it as text
    range          `?range=0-49`, answered 206 with Content-Range

Shape (`shape`)
    envelope       `{"data": […]}`; `records_path` (dotted), `extra` (further keys)
    list           `[…]`
    hits           `{"hits": {"total": {"value", "relation"}, "hits": [{"_id", "_source"}]}}`
    map            `{"data": {"<id>": {…}}}`, or at the root with `records_path=""`;
                   `map_drops_key` leaves the id out of the record
    Count of records: `total` none, number, string (at `total_path`) or header (X-Total-Count);
    `total_error` makes it wrong. `more_path` tells whether a page follows.

Credentials (`auth`)
    none; basic `api`/`api-password`; bearer `api-token`; api_key `api-key` in the header X-Api-Key
    (`api_key_name`, `api_key_in`); oauth2: client `api-client`/`api-secret` (`client_auth`),
    tokens good for `token_lifetime` seconds and `token_uses` calls.

Faults (`faults`, a list of `{"kind": …, "on": collection or file, "at": page, "times": n}`)
    status         answer `status`, with `retry_after`: {"kind": "status", "status": 429,
                   "retry_after": "1"}; 500 three times: {"kind": "status", "times": 3}
    html, empty    200 with a sign-in page, 200 with nothing
    redirect       302 to the same path under `to`
    reset          the connection breaks without an answer
    cut            `keep` of the bytes that Content-Length promises, then the connection closes
    drip           `chunks` pieces, `seconds` before each
    repeat         the rows of the page before
    short          `keep` of the rows; the others are never served
    bad_record     `record` stands at `index` of the page
    nan, bad_utf8  a NaN, a byte that is not UTF-8, in the first record of the page
    bom            a byte order mark before the body
    rows           after the page, `add` in front of the collection and `remove` from its front
    `at` 0 is every page, `times` 0 is for ever; of several that match, the first strikes.
    `on: "token"` strikes the token endpoint, with the kinds up to `reset`.

`gzip` compresses for callers that accept it; `content_type` is that of the pages.
"""

import argparse
from collections.abc import Mapping, Sequence

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cmdb import records
from sandbox.jsonapi_answers import counted, file, json_response, page, token
from sandbox.jsonapi_knobs import ApiKnobs
from sandbox.jsonapi_pages import Record
from sandbox.jsonapi_state import Api, File
from sandbox.serve import serve_until_stopped
from sandbox.transport import Breakable


def create_app(
    collections: Mapping[str, Sequence[Record]] | None = None, knobs: ApiKnobs | None = None
) -> Starlette:
    """An application that serves *collections*; `app.state.jsonapi` is its `Api`."""
    app = Breakable(
        routes=[
            Route("/api/{name}", counted(page), methods=["GET", "POST"]),
            Route("/files/{name:path}", counted(file), methods=["GET", "POST"]),
            Route("/token", counted(token), methods=["POST"]),
            Route("/sandbox/collections/{name}", _put_collection, methods=["PUT", "DELETE"]),
            Route("/sandbox/files/{name:path}", _put_file, methods=["PUT", "DELETE"]),
            Route("/sandbox/knobs", _knobs, methods=["GET", "PUT"]),
            Route("/sandbox/traffic", _traffic, methods=["GET", "DELETE"]),
            Route("/sandbox/reset", _reset, methods=["POST"]),
        ]
    )
    held = {name: list(collection) for name, collection in (collections or {}).items()}
    app.state.jsonapi = Api(held, knobs or ApiKnobs())
    return app


async def _put_collection(request: Request) -> Response:
    api: Api = request.app.state.jsonapi
    name = request.path_params["name"]
    if request.method == "DELETE":
        api.drop_collection(name)
        return Response(status_code=204)
    collection = orjson.loads(await request.body())
    api.put_collection(name, collection)
    return json_response({"records": len(collection)})


async def _put_file(request: Request) -> Response:
    api: Api = request.app.state.jsonapi
    name = request.path_params["name"]
    if request.method == "DELETE":
        api.files.pop(name, None)
        return Response(status_code=204)
    body = await request.body()
    api.files[name] = File(body, request.headers.get("content-type", "application/json"))
    return json_response({"bytes": len(body)})


async def _knobs(request: Request) -> Response:
    api: Api = request.app.state.jsonapi
    if request.method == "PUT":
        try:
            api.turn(orjson.loads(await request.body()))
        except ValidationError as refusal:
            return json_response({"error": str(refusal)}, 400)
    return json_response(api.knobs.model_dump())


async def _traffic(request: Request) -> Response:
    api: Api = request.app.state.jsonapi
    if request.method == "DELETE":
        api.traffic.clear()
        return Response(status_code=204)
    return json_response({**api.traffic.told(), "tokens": api.tokens.issued})


async def _reset(request: Request) -> Response:
    api: Api = request.app.state.jsonapi
    api.reset()
    return Response(status_code=204)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the servers of `sandbox.cmdb` until SIGINT or SIGTERM; its URL is the first line."""
    options = _options(arguments)
    collection = records(
        options.records, changed=options.changed, gone=options.gone, new=options.new
    )
    knobs = ApiKnobs().changed(orjson.loads(options.knobs))
    serve_until_stopped(create_app({options.collection: collection}, knobs), port=options.port)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.jsonapi", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--changed", type=float, default=0.0, help="share that changed, 0 to 1")
    parser.add_argument("--gone", type=int, default=0, help="records no longer there")
    parser.add_argument("--new", type=int, default=0, help="records that were not there")
    parser.add_argument("--collection", default="servers", help="served at /api/<collection>")
    parser.add_argument("--knobs", default="{}", help='JSON, such as {"page_size": 1000}')
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
