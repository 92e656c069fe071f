"""The Aggregate API: counts and extremes, of everything or by group (spec §6)."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from starlette.responses import Response

from sandbox.servicenow_answers import select
from sandbox.servicenow_call import Call, json_response
from sandbox.servicenow_conditions import text_of
from sandbox.servicenow_faults import delivered, instead
from sandbox.servicenow_schema import Record
from sandbox.servicenow_values import displayed

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_HAVING: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
}


def stats(call: Call) -> Response:
    """`GET /stats/{table}`: of all rows the query selects, whatever row ACLs hide."""
    name = call.table
    call.check_table(name)
    fault = call.strike(f"stats/{name}")
    if fault and (answer := instead(fault, (), call.request.url.path)):
        return answer
    rows = select(call, name).rows
    groups = _names(call, "sysparm_group_by")
    result: Any = {"stats": _stats(call, rows)}
    if groups:
        result = _groups(call, rows, groups)
    response = json_response({"result": result})
    return delivered(fault, response, ()) if fault else response


def _groups(call: Call, rows: Iterable[Record], names: Sequence[str]) -> list[dict[str, Any]]:
    readers = [found for name in names if (found := text_of(name, call.instance.data, call.table))]
    grouped: dict[tuple[str, ...], list[Record]] = {}
    for row in rows:
        values = tuple(str(row.get(column.name, "")) for column, _ in readers)
        grouped.setdefault(values, []).append(row)
    order = call.params.get("sysparm_order_by", "")
    keys = sorted(grouped, reverse=order.upper().endswith("^DESC"))
    return [
        {
            "stats": _stats(call, grouped[values]),
            "groupby_fields": [
                _field(call, column.name, value)
                for (column, _), value in zip(readers, values, strict=True)
            ],
        }
        for values in keys
        if _has(call, grouped[values])
    ]


def _field(call: Call, name: str, value: str) -> dict[str, str]:
    told = {"field": name, "value": value}
    shape = call.shape()
    if shape.display == "false":
        return told
    column = call.instance.data.schema.columns(call.table)[name]
    shown = displayed(call.instance.data, column, {name: value}, shape)
    return (
        {"field": name, "value": shown}
        if shape.display == "true"
        else {**told, "display_value": shown}
    )


def _stats(call: Call, rows: Sequence[Record]) -> dict[str, Any]:
    """Only what was asked for: without an aggregate there is nothing to tell."""
    told: dict[str, Any] = {}
    if call.is_on("sysparm_count"):
        told["count"] = str(max(len(rows) + call.instance.knobs.stats_error, 0))
    for kind in ("min", "max", "avg", "sum"):
        names = _names(call, f"sysparm_{kind}_fields")
        values = {name: _aggregate(kind, rows, name) for name in names}
        if values:
            told[kind] = values
    return told


def _aggregate(kind: str, rows: Iterable[Record], name: str) -> str:
    values = [value for row in rows if (value := str(row.get(name, "")))]
    if kind in {"min", "max"}:
        return (min if kind == "min" else max)(values, default="")
    numbers = [float(value) for value in values if _NUMBER.fullmatch(value)]
    if not numbers:
        return ""
    total = sum(numbers)
    return f"{total / len(numbers) if kind == 'avg' else total:.4f}".rstrip("0").rstrip(".")


def _has(call: Call, rows: Sequence[Record]) -> bool:
    """`sysparm_having=count^priority^>^3`."""
    parts = call.params.get("sysparm_having", "").split("^")
    if len(parts) != 4 or parts[2] not in _HAVING:
        return True
    kind, name, sign, limit = parts
    value = str(len(rows)) if kind.lower() == "count" else _aggregate(kind.lower(), rows, name)
    return bool(value) and _HAVING[sign](float(value), float(limit))


def _names(call: Call, param: str) -> list[str]:
    return [name for name in call.params.get(param, "").split(",") if name]
