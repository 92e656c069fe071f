"""What the Table API answers: pages of rows, and single ones (spec §1, §2)."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from sandbox.servicenow_call import ApiError, Call, json_bytes, not_found
from sandbox.servicenow_faults import delivered, instead, spoiled
from sandbox.servicenow_instance import strikes
from sandbox.servicenow_knobs import Fault
from sandbox.servicenow_limits import rows_in_time
from sandbox.servicenow_links import Asked, page_headers
from sandbox.servicenow_pages import cancelled_body, encoded, result_body
from sandbox.servicenow_query import Condition, Group
from sandbox.servicenow_schema import Record, Schema
from sandbox.servicenow_selection import Forbidden, Selection
from sandbox.servicenow_values import Projection, known

_DEFAULT_LIMIT: Final = 10_000
_MOBILE: Final = ("sys_id", "name", "sys_class_name", "operational_status", "location")
_NO_RIGHT: Final = "Fields present in the query do not have permission to be read"


@dataclass(frozen=True, slots=True)
class Window:
    """The rows a call asks for, before row ACLs, out of those its query selects."""

    rows: Sequence[Record]
    offset: int
    limit: int
    total: int
    settled: bool


def table(call: Call) -> Response:
    """`GET /table/{table}`, or a POST that says it is one."""
    request, name = call.request, call.table
    reads = request.method in {"GET", "HEAD"}
    if not reads and request.headers.get("x-http-method-override", "").upper() != "GET":
        call.check_table(name)
        raise ApiError(403, "Operation Failed", "ACL Exception due to security constraints")
    call.check_table(name)
    return _one(call) if call.sys_id else _page(call)


def window(call: Call, name: str, default_limit: int = _DEFAULT_LIMIT) -> Window:
    """The window a call asks for; raises ApiError."""
    limit = call.number("sysparm_limit", default_limit)
    offset = call.number("sysparm_offset", 0)
    selection = select(call, name)
    rows = selection.rows
    return Window(rows[offset : offset + limit], offset, limit, len(rows), selection.settled)


def select(call: Call, name: str) -> Selection:
    """The rows the call's query selects; raises ApiError."""
    text = call.params.get("sysparm_query", "")
    instance = call.instance
    more = () if text else _pairs(call, name)
    try:
        return instance.selections.select(name, text, instance.manner(call.name, name), more)
    except Forbidden:
        raise ApiError(403, "Insufficient rights to query records", _NO_RIGHT) from None


def visible(call: Call, name: str, rows: Sequence[Record]) -> list[Record]:
    """The rows that row ACLs let through, which come after the limit (spec §4.1)."""
    hidden = call.instance.hidden(name, call.name)
    return [row for row in rows if row.get("sys_id") not in hidden] if hidden else list(rows)


def projection(call: Call, name: str) -> Projection:
    """The fields the caller asks for and may read."""
    instance, schema = call.instance, call.instance.data.schema
    names = _fields(call, schema, name)
    missing: set[str] = set()
    emptied: set[str] = set()
    for acl in instance.knobs.field_acls:
        for each in names:
            found = schema.column(name, each)
            if found and found[2].name in acl.fields and strikes(acl, call.name, found[1]):
                (missing if acl.shape == "missing" else emptied).add(each)
    fields = tuple(each for each in names if each not in missing)

    def hides(table: str, sys_id: str) -> bool:
        return sys_id in instance.hidden(table, call.name)

    return Projection(instance.data, name, fields, call.shape(), frozenset(emptied), hides)


def _page(call: Call) -> Response:
    name = call.table
    asked = window(call, name)
    fault = call.strike(name, asked.limit, asked.rows)
    shown = projection(call, name)
    if fault and (answer := _instead(call, fault, shown, visible(call, name, asked.rows))):
        return answer
    if call.version == "v1" and not asked.total:
        raise not_found()
    in_time = rows_in_time(
        call.instance.knobs,
        len(asked.rows),
        shown.fields,
        displayed=shown.shape.display != "false",
    )
    if in_time < len(asked.rows):
        rows = shown.rows(visible(call, name, asked.rows[:in_time]))
        body = cancelled_body(call.instance.knobs.cancelled_form, encoded(rows))
        return json_bytes(body, headers=_headers(call, asked))
    return _delivered(call, asked, shown, fault)


def _delivered(call: Call, asked: Window, shown: Projection, fault: Fault | None) -> Response:
    """The page, once a fault has had its way with rows and body."""
    instance, name = call.instance, call.table
    rows = visible(call, name, asked.rows)
    last = f"{name}:{asked.limit}"
    headers = _headers(call, asked)
    if fault is None:
        instance.last_pages[last] = rows
        return _response(call, _kept(call, asked, shown, rows), headers)
    rows = spoiled(fault, rows, instance.last_pages.get(last, []))
    instance.last_pages[last] = rows
    served = [shown.row(each) if isinstance(each, dict) else each for each in rows]
    response = _response(call, _squeezed(call, result_body(encoded(served))), headers)
    if fault.kind == "rows":
        _move(call, fault)
    return delivered(fault, response, served)


def _kept(call: Call, asked: Window, shown: Projection, rows: Sequence[Record]) -> bytes:
    """The page in bytes, the same ones again while the same call gives the same rows."""

    def encode() -> bytes:
        return _squeezed(call, result_body(encoded(shown.rows(rows))))

    scope = call.request.scope
    place = (call.name, scope["path"], scope["query_string"], _squeezes(call))
    return call.instance.encoded(place, encode) if asked.settled else encode()


def _one(call: Call) -> Response:
    """`GET /table/{table}/{sys_id}`: an object, not a list."""
    name = call.table
    row = call.instance.data.find(name, call.sys_id)
    shown = projection(call, name)
    fault = call.strike(name, 1, [row] if row else [])
    if fault and (answer := _instead(call, fault, shown, [row] if row else [])):
        return answer
    if row is None or not visible(call, name, [row]):
        raise not_found()
    body = result_body(encoded([shown.row(row)])[1:-1])
    response = _response(call, _squeezed(call, body), {})
    return delivered(fault, response, ()) if fault else response


def _instead(
    call: Call, fault: Fault, shown: Projection, rows: Sequence[Record]
) -> Response | None:
    if fault.kind == "node_switch":
        # Without cookies the next call has a session of its own, with its roles.
        call.session.roleless = True
    sent = shown.rows(rows) if fault.kind == "cancelled" else ()
    return instead(fault, sent, call.request.url.path)


def _headers(call: Call, asked: Window) -> dict[str, str]:
    told = Asked(
        asked.offset,
        asked.limit,
        asked.total,
        counted=not call.is_on("sysparm_no_count"),
        linked=not call.is_on("sysparm_suppress_pagination_header"),
    )
    scope = call.request.scope
    query = scope["query_string"].decode("latin-1")
    return page_headers(call.instance.knobs, told, call.request.url.path, query)


def _response(call: Call, body: bytes, headers: dict[str, str]) -> Response:
    if _squeezes(call):
        headers = {**headers, "Content-Encoding": "gzip"}
    return json_bytes(body, headers=headers)


def _squeezed(call: Call, body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0) if _squeezes(call) else body


def _squeezes(call: Call) -> bool:
    accepted = call.request.headers.get("accept-encoding", "")
    return call.instance.knobs.gzip and "gzip" in accepted


def _move(call: Call, fault: Fault) -> None:
    """Rows come and go once the page is served."""
    instance, name = call.instance, call.table
    gone = [*fault.remove_ids]
    if fault.remove:
        gone += [row["sys_id"] for row in instance.data.view(name).rows[: fault.remove]]
    if gone:
        instance.delete(name, gone)
    if fault.add:
        instance.write(name, fault.add)


def _pairs(call: Call, name: str) -> Group:
    """Parameters that are not `sysparm_…` are conditions, where there is no sysparm_query."""
    columns = call.instance.data.schema.columns(name)
    return tuple(
        (Condition(field, "=", _value(columns[field].choices, value)),)
        for field, value in call.params.items()
        if field in columns
    )


def _value(choices: Any, told: str) -> str:
    """Display values are accepted too."""
    return next((value for value, label in choices.items() if label == told), told)


def _fields(call: Call, schema: Schema, name: str) -> tuple[str, ...]:
    told = call.params.get("sysparm_fields", "")
    if told:
        return tuple(dict.fromkeys(known(schema, name, told.split(","))))
    columns = schema.columns(name)
    if call.params.get("sysparm_view", "").lower() == "mobile":
        return tuple(each for each in _MOBILE if each in columns)
    return tuple(columns)
