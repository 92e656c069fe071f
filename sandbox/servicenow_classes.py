"""The CMDB Instance and Meta APIs: one class or one configuration item at a time (spec §11.4)."""

from typing import Any, Final

from starlette.responses import Response

from sandbox.servicenow_answers import projection, visible, window
from sandbox.servicenow_call import ApiError, Call, json_response, not_found
from sandbox.servicenow_faults import delivered, instead
from sandbox.servicenow_knobs import Fault
from sandbox.servicenow_schema import Column, Record
from sandbox.servicenow_values import Projection

_LIST_LIMITS: Final = {"madrid": 1000, "today": 10_000}
_RELATIONS: Final = 1000


def meta(call: Call) -> Response:
    """`GET /cmdb/meta/{class}`: label, parent, children, columns; nulls do occur here."""
    name, schema = _class(call), call.instance.data.schema
    fault = call.strike(f"meta/{name}")
    if fault and (answer := instead(fault, (), call.request.url.path)):
        return answer
    table = schema.tables[name]
    above = schema.columns(table.parent)
    result = {
        "name": name,
        "label": table.label,
        "parent": table.parent,
        "is_extendable": True,
        "children": schema.children(name),
        "icon_url": None,
        "attributes": [
            _attribute(column, inherited=column.name in above)
            for column in schema.columns(name).values()
        ],
        "relationship_rules": [],
    }
    return _answer(fault, result)


def instance(call: Call) -> Response:
    """`GET /cmdb/instance/{class}[/{sys_id}]`: sys_id and name of all, or everything of one."""
    name = _class(call)
    fault = call.strike(f"instance/{name}")
    if fault and (answer := instead(fault, (), call.request.url.path)):
        return answer
    if call.sys_id:
        return _answer(fault, _item(call, name))
    asked = window(call, name, _LIST_LIMITS[call.instance.knobs.release])
    rows = visible(call, name, asked.rows)
    return _answer(fault, [{"sys_id": row["sys_id"], "name": row.get("name", "")} for row in rows])


def _item(call: Call, name: str) -> dict[str, Any]:
    data = call.instance.data
    row = data.find(name, call.sys_id)
    if row is None or not visible(call, name, [row]):
        raise not_found()
    limit = call.number("sysparm_relation_limit", _RELATIONS)
    first = call.number("sysparm_relation_offset", 0)
    related = data.view("cmdb_rel_ci").rows
    inbound = [each for each in related if each["child"] == call.sys_id]
    outbound = [each for each in related if each["parent"] == call.sys_id]
    shown = _pairs(call, name)
    return {
        "attributes": {key: _attributed(value) for key, value in shown.row(row).items()},
        "inbound_relations": _ends(call, inbound[first : first + limit], "parent"),
        "outbound_relations": _ends(call, outbound[first : first + limit], "child"),
    }


def _ends(call: Call, rows: list[Record], end: str) -> list[dict[str, Any]]:
    shown = _pairs(call, "cmdb_rel_ci", ("type", end))
    found = ((row["sys_id"], shown.row(row)) for row in rows)
    return [{"sys_id": sys_id, "type": told["type"], "target": told[end]} for sys_id, told in found]


def _pairs(call: Call, name: str, fields: tuple[str, ...] = ()) -> Projection:
    """Every value with its display value and link, whatever the call's parameters say."""
    params = {**call.params, "sysparm_display_value": "all", "sysparm_exclude_reference_link": ""}
    told = Call(call.instance, call.request, call.name, call.session, params)
    shown = projection(told, name)
    return Projection(shown.lookup, name, fields or shown.fields, shown.shape, shown.emptied)


def _attributed(value: Any) -> Any:
    """Plain values stand alone; references keep display value, link and value."""
    return value if not isinstance(value, dict) or "link" in value else value["value"]


def _attribute(column: Column, *, inherited: bool) -> dict[str, Any]:
    return {
        "element": column.name,
        "label": column.name.replace("_", " ").capitalize(),
        "type": column.kind,
        "reference": column.reference or None,
        "max_length": "32" if column.is_reference else "255",
        "is_mandatory": "false",
        "is_read_only": "false",
        "is_inherited": str(inherited).lower(),
        "default_value": None,
        "choices": [{"value": value, "label": label} for value, label in column.choices.items()],
    }


def _class(call: Call) -> str:
    name = call.table
    call.check_table(name)
    lineage = [each.name for each in call.instance.data.schema.lineage(name)]
    if "cmdb" not in lineage:
        raise ApiError(400, f"Invalid class {name}", "not a class of the CMDB")
    return name


def _answer(fault: Fault | None, result: Any) -> Response:
    response = json_response({"result": result})
    return delivered(fault, response, ()) if fault else response
