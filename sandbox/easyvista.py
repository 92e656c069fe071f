"""An EasyVista Service Manager tenant over its REST API, as well or as badly as it is told.

    app = create_app(tenant(assets=50_000), EasyVistaKnobs(language="EN", counts="int"))
    with serve(app) as url:
        requests.get(f"{url}/api/v1/50004/assets", auth=("api", "api-password"))

or, in another process: `python -m sandbox.easyvista --port 8091 --assets 50000`.
Facts and cases: specs/easyvista.md, specs/easyvista-cases.md. Everything is read only.

Routes below /api/v1/<account>, all GET
    assets, configuration-items, asset-characteristics, characteristics, catalog-assets,
    manufacturers, suppliers, locations, departments, employees, groups, domains, requests,
    problems, knownerrors, slas, status, urgency, urgencies, actions, catalog-requests, E_…
                     a list: max_rows, offset, fields, sort, search, formatDate
    <resource>/<id>            a row, every column (requests by RFC_NUMBER)
    <resource>/<id>/<memo>     the text of a memo
    configuration-items/<id>/item-links[/impacting|/impacted|/<child>]     linked_ci on both halves
    assets/<id>/asset-links[/<child>], employees/<id>/groups, requests/<id>/documents
    internalqueries  a saved list: queryguid, custom_filter, max_rows, offset
    license          200
    swagger          201, OpenAPI
    Any other path is a 403, as is a route that the profile lacks.

Control routes
    GET, PUT /sandbox/tables/<name>          how many rows; PUT takes a JSON list of them
    POST, PATCH /sandbox/rows/<name>         a list of rows to add; columns to change, by key
    DELETE   /sandbox/rows/<name>/<key>
    GET, PUT /sandbox/knobs                  a JSON object of the knobs to turn; the others stay
    GET, DELETE /sandbox/traffic             as `Traffic`, and `at_once`: most calls under way
    POST     /sandbox/reset                  everything as it was at the start

In the same process `app.state.easyvista` is the `EasyVista`: `store` (`put`, `add`, `update`,
`remove`), `turn`, `traffic`, `at_once`, `reset`.

Tables (`sandbox.easyvista_schema`) are given by their name in the database, rows as objects with
column names: numbers as int or text, stamps as ISO text with an offset, what is unset as None or
not at all, further columns as text. With tables given, those that are not are empty. Only the rows
of AM_ASSET that have IS_CI 1 are configuration items.

Knobs (`EasyVistaKnobs`, each with its description), by what they change
    who            account, users (Basic, language, perimeter, denied routes), tokens (Bearer)
    what it is     build, language, zone, now, views
    which rows     inner_joins, removed, order, ties, sort_ignored, tied
    paging         max_rows_cap, offset_ignored, view_offset, next_link, links_host
    counts         counts, total_error
    search         dropped, numeric_intervals, interval_end, like, collation, max_url
    fields         unknown_fields, ci_links
    values         decimal, grouping, numbers, unset, untranslated, stamps, random_keys
    time           latency, max_in_flight, timeout_rows, timeout_status
    transport      gzip, cache_mb

Faults (`faults`, a list of `{"kind": …, "on": path, "at": n, "times": n}`)
    status         `status`, with `retry_after` and `body`: json, html, empty
    rejected       590 with `text`, in the `form` plain, quotes (the inner JSON cannot be parsed),
                   broken (nor the outer one), error_code, error_message, code_message
    timeout        what the server says after 60 seconds, with `status`
    html, empty, error, no_records      200 with a sign-in page, nothing, `{"error": text}`, no list
    redirect       302 to the same path under `to`
    reset, cut, gzip_cut, drip, slow, huge      the connection; `keep`, `chunks`, `seconds`,
                   `megabytes`
    bom, latin1, nan, bad_utf8          bytes that are not quite JSON
    partial_content                     206 with Content-Range
    repeat         the rows of the answer before, on the same path
    short          `keep` of the rows
    bad_record     `record` stands at `index` of the page
    miscounted, total                   record_count, total_record_count is wrong by `by`
    rows           once the page is served: `add`, `remove`, `remove_keys`, `update` in `table`
    `on` may have * in it. `at` is the 1-based rank among the calls that count: those of the path,
    whose max_rows is above `over`, whose query has `asked`. `times` 0 is for ever. Every fault
    counts every call; of several that strike one, the first does.
"""

import argparse
from collections.abc import Mapping, Sequence

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.easyvista_answers import answered, refused
from sandbox.easyvista_faults import error, json_response
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_state import EasyVista
from sandbox.easyvista_store import Record, Store
from sandbox.easyvista_tables import tenant
from sandbox.serve import serve_until_stopped
from sandbox.transport import Breakable

_ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_app(
    tables: Mapping[str, Sequence[Record]] | None = None, knobs: EasyVistaKnobs | None = None
) -> Breakable:
    """An application that serves *tables*, the invented tenant when None.

    `app.state.easyvista` is its `EasyVista`. Raises ValueError on a table that cannot be one.
    """
    app = Breakable(
        routes=[
            Route("/sandbox/tables/{name}", _table, methods=["GET", "PUT"]),
            Route("/sandbox/rows/{name}", _rows, methods=["POST", "PATCH"]),
            Route("/sandbox/rows/{name}/{key}", _row, methods=["DELETE"]),
            Route("/sandbox/knobs", _knobs, methods=["GET", "PUT"]),
            Route("/sandbox/traffic", _traffic, methods=["GET", "DELETE"]),
            Route("/sandbox/reset", _reset, methods=["POST"]),
            Route("/api/v1/{account}/{path:path}", answered, methods=_ANY),
            Route("/{path:path}", refused, methods=_ANY),
        ]
    )
    store = Store(tenant() if tables is None else tables)
    app.state.easyvista = EasyVista(store, knobs or EasyVistaKnobs())
    return app


async def _table(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    name = request.path_params["name"]
    if request.method == "PUT":
        try:
            api.store.put(name, orjson.loads(await request.body()))
        except ValueError as refusal:
            return error(str(refusal), 400)
    return json_response({"rows": len(api.store.rows(name))})


async def _rows(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    name = request.path_params["name"]
    sent = orjson.loads(await request.body())
    try:
        if request.method == "POST":
            api.store.add(name, sent)
        else:
            api.store.update(name, sent)
    except ValueError as refusal:
        return error(str(refusal), 400)
    return json_response({"rows": len(api.store.rows(name))})


async def _row(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    gone = api.store.remove(request.path_params["name"], [request.path_params["key"]])
    return Response(status_code=204 if gone else 404)


async def _knobs(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    if request.method == "PUT":
        try:
            api.turn(orjson.loads(await request.body()))
        except ValidationError as refusal:
            return error(str(refusal), 400)
    return json_response(api.knobs.model_dump())


async def _traffic(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    if request.method == "DELETE":
        api.clear_traffic()
        return Response(status_code=204)
    return json_response({**api.traffic.told(), "at_once": api.at_once})


async def _reset(request: Request) -> Response:
    api: EasyVista = request.app.state.easyvista
    api.reset()
    return Response(status_code=204)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the tenant of `sandbox.easyvista_tables` until SIGINT or SIGTERM; its URL is first."""
    options = _options(arguments)
    knobs = EasyVistaKnobs().changed(orjson.loads(options.knobs))
    serve_until_stopped(create_app(tenant(assets=options.assets), knobs), port=options.port)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.easyvista", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--assets", type=int, default=250, help="rows of AM_ASSET")
    parser.add_argument("--knobs", default="{}", help='JSON, such as {"language": "EN"}')
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
