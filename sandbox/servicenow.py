"""A ServiceNow instance that serves tables, as well or as badly as it is told.

    app = create_app({"cmdb_ci_linux_server": [{"sys_id": "…", "name": "srv-1"}]},
                     ServiceNowKnobs(release="madrid"))
    with serve(app) as url:
        requests.get(f"{url}/api/now/table/cmdb_ci_server", auth=("etl", "secret"))

or, in another process: `python -m sandbox.servicenow --port 8091 --servers 50000`.

Routes (`/api/now/v1` and `/api/now/v2` serve them too)
    GET, HEAD /api/now/table/<table>          rows; a POST with X-HTTP-Method-Override: GET as well
    GET, HEAD /api/now/table/<table>/<id>     one row, an object
    GET       /api/now/stats/<table>          counts, extremes, groups
    GET       /api/now/cmdb/meta/<class>      columns, parent and children of a class
    GET       /api/now/cmdb/instance/<class>  sys_id and name; `/<id>`: attributes and relations
    POST      /oauth_token.do                 password, refresh_token, client_credentials
    GET, PUT  /sandbox/knobs                  a JSON object of the knobs to turn; the others stay
    GET, DELETE /sandbox/traffic              as in `sandbox.traffic`, and tokens, sessions,
                                              wrong_passwords, in_flight_peak, dropped (202)
    POST      /sandbox/reset                  everything as it was at the start
    PUT, POST, DELETE /sandbox/tables/<table> all its rows; rows written by sys_id; the table gone
    DELETE    /sandbox/tables/<table>/<id>    one row (`?audit=false`: without sys_audit_delete)
    DELETE    /sandbox/tokens                 no access token is good any more (`?refresh=true`)
Writes of the Table API are 403: the accounts are read-only. There is no XML.

In the same process `app.state.servicenow` is the `Instance`: `put_table`, `write`, `delete`,
`turn`, `traffic`, `reset`.

Rows are flat, their values raw texts: `{"sys_id": …, "name": …, "location": <sys_id>}`. A row is
served by its class (`sys_class_name`, or the table it was put in) and by all the class extends.
Tables that the schema does not know take their columns from their rows; `references` and `parents`
make them lead to others and extend them. `sys_db_object`, `sys_dictionary`, `sys_choice`,
`sys_glide_object` and `sys_properties` tell the schema; `sys_user` has a row for each account.

Accounts (`users`, all with the password `secret`): `etl` (Europe/Paris, sees all), `etl_acl` (rows
named `hid-…` and a block of `hidblock` hidden, no `serial_number`), `etl_range` (no range on
sys_id), `locked`, `ro_none` (no cmdb_rel_ci). `clients`: `etl-client`/`client-secret`. See also
`api_keys`, `basic_auth`, `lockout`, `client_auth`, `token_lifetime`, `token_uses`.

Rights: `row_acls` (each n-th, a block of sys_ids, a prefix, everything), `field_acls` (missing or
empty), `table_acls` (403), `query_acls` (a range ignored, or 403; none on `madrid`).

Answers: `release`, `host` (in links), `total_error`, `stats_error`, `no_count_header`, `shuffle`,
`collation`, `strict_queries`, `empty_dotwalk`, `empty_reference_link`, `negative_prev`, `gzip`.

Limits: `latency`; `row_cost` and `quota`, with `cancelled_form` (partial, error_first, only_error,
spliced, string); `rate_limit`, `session_queue`, `max_in_flight`, `max_url_bytes`; `state`
(hibernating, maintenance); `clock_skew`; `cache_mb`.

Faults (`faults`, a list of `{"kind": …, "on": table, "at": call, "times": n}`)
    status         answer `status`, its `body` json (`message`, `detail`), html or empty
    rate_limit     429 with Retry-After (`retry_after`, 2) and the headers of a rule
    semaphore      429 without Retry-After, its `body` empty or html
    accepted       202, empty
    node_switch    403 until the caller comes with another session
    hibernating, maintenance, login_page     HTML with 200, 503, 200
    empty          200 with nothing
    redirect       302 to the sign-in page of `to`
    reset          the connection breaks without an answer
    cut            `keep` of the body; `cut`: length, chunked, gzip, between_rows
    drip, slow     `chunks` pieces, `seconds` before each; `seconds` before the first byte
    huge           `megabytes` of blanks in a valid answer
    cancelled      `form` as above, `keep` of the rows
    result         `value` in place of the rows, or no `result` at all (`missing`)
    repeat         the rows of the page before
    short          `keep` of the rows; the others are never served
    bad_record     `record` stands at `index` of the page
    surrogate, control, bad_utf8, bom        half a pair, raw control characters, a byte that is no
                   UTF-8, in the record at `index`; a byte order mark before the body
    content_type   the page, said to be `media_type`
    rows           after the page, `remove` rows by sys_id (and `remove_ids`) go, `add` come
    `on` is a table, `stats/<table>`, `meta/<class>`, `instance/<class>` or `token`; nothing is any
    table. The calls counted are those it is `on`, with a limit `over` a number, whose query has the
    text `asked`, whose window `covers` a sys_id. It strikes from the `at`-th on, each `every`-th,
    `times` times (0: for ever); of several that strike, the first does.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Final

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.serve import serve_until_stopped
from sandbox.servicenow_aggregates import stats
from sandbox.servicenow_answers import table
from sandbox.servicenow_classes import instance, meta
from sandbox.servicenow_control import ROUTES as CONTROL
from sandbox.servicenow_front import Answer, nowhere, served, token
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_knobs import ServiceNowKnobs
from sandbox.servicenow_schema import Record
from sandbox.servicenow_tables import fixture
from sandbox.servicenow_tables import tables as invented
from sandbox.transport import Breakable

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Application(Breakable):
    """Its answers say `Server: ServiceNow`, and the time of the instance's own clock."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn adds both headers itself, and its own clock is not the instance's.
        cycle = getattr(send, "__self__", None)
        if cycle is not None and hasattr(cycle, "default_headers"):
            skew = self.state.servicenow.knobs.clock_skew
            date = formatdate(time.time() + skew, usegmt=True).encode()
            cycle.default_headers = [(b"date", date), (b"server", b"ServiceNow")]
        await super().__call__(scope, receive, send)


def create_app(
    tables: Mapping[str, Sequence[Record]] | None = None, knobs: ServiceNowKnobs | None = None
) -> Breakable:
    """An instance that holds *tables* (None: the fixture of the spec's cases).

    `app.state.servicenow` is its `Instance`.
    """
    app = _Application(
        routes=[
            *_api("table/{table}", table),
            *_api("table/{table}/{sys_id}", table),
            *_api("stats/{table}", stats),
            *_api("cmdb/meta/{table}", meta),
            *_api("cmdb/instance/{table}", instance),
            *_api("cmdb/instance/{table}/{sys_id}", instance),
            Route("/oauth_token.do", token, methods=["POST"]),
            *CONTROL,
            Route("/{path:path}", served(nowhere), methods=_METHODS),
        ]
    )
    held = fixture() if tables is None else tables
    app.state.servicenow = Instance(held, knobs or ServiceNowKnobs())
    return app


def _api(path: str, answer: Answer) -> list[Route]:
    handler = served(answer)
    methods = _METHODS if answer is table else ["GET"]
    return [
        Route(f"/api/now/{path}", handler, methods=methods),
        Route(f"/api/now/{{version}}/{path}", handler, methods=methods),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the CMDB of `sandbox.servicenow_tables` until SIGINT or SIGTERM; prints its URL."""
    options = _options(arguments)
    held = invented(
        options.servers,
        business_apps=options.business_apps,
        dirty=not options.clean,
        changed=options.changed,
        gone=options.gone,
        new=options.new,
    )
    knobs = ServiceNowKnobs().changed(orjson.loads(options.knobs))
    serve_until_stopped(create_app(held, knobs), port=options.port)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.servicenow", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--servers", type=int, default=2500)
    parser.add_argument("--business-apps", type=int, default=0)
    parser.add_argument("--clean", action="store_true", help="no odd names, no broken relations")
    parser.add_argument("--changed", type=float, default=0.0, help="share that changed, 0 to 1")
    parser.add_argument("--gone", type=int, default=0, help="servers no longer there")
    parser.add_argument("--new", type=int, default=0, help="servers that were not there")
    parser.add_argument("--knobs", default="{}", help='JSON, such as {"release": "madrid"}')
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
