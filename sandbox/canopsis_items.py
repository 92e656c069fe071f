"""One import item as a typed value: what Go's `EntityConfiguration` would hold.

A JSON value of another type than the field's ends the job, in the words of `encoding/json`
(`specs/canopsis.md` §2.7); unknown fields are ignored; `null` leaves a field at its default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Info = dict[str, Any]
Infos = dict[str, Info]
Pattern = list[list[dict[str, Any]]]
Fields = Mapping[str, tuple[type[Any], str, Callable[[Any, str], Any] | None, str]]
"""By JSON key: the type in Python, the type in Go, what reads the value, the attribute."""


class WrongType(ValueError):
    """A JSON value that does not fit its field; the message is Go's."""


@dataclass(slots=True)
class Item:
    """An item; absent fields are at Go's zero values."""

    name: str = ""
    type: str = ""
    action: str = ""
    component: str = ""
    enabled: bool = False
    infos: Infos | None = None
    impact_level: int = 0
    category: str = ""
    entity_pattern: Pattern | None = None
    output_template: str = ""
    tags: list[str] | None = None

    @property
    def id(self) -> str:
        """The `_id` of the entity (`specs/canopsis.md` §3.1)."""
        return f"{self.name}/{self.component}" if self.type == "resource" else self.name


def read_item(raw: Any) -> Item:
    """Decode one item; raises WrongType for the first value that does not fit."""
    item = Item()
    decode(raw, item, _FIELDS, "EntityConfiguration")
    return item


def decode(raw: Any, into: Any, fields: Fields, struct: str) -> None:
    """Set the attributes of *into* that the JSON object *raw* holds; raises WrongType.

    *struct* is the name that Go knows the object by.
    """
    if raw is None:
        return
    if type(raw) is not dict:
        what = f"Go value of type importcontextgraph.{struct}"
        raise WrongType(f"json: cannot unmarshal {_go_kind(raw)} into {what}")
    for key, value in raw.items():
        known = key if key in fields else key.lower()  # Go falls back to a caseless match
        wanted = fields.get(known)
        if wanted is None or value is None:
            continue
        python, go, read, attribute = wanted
        if type(value) is not python:
            raise _mismatch(value, struct, known, go)
        setattr(into, attribute, read(value, struct) if read else value)


def read_level(value: int, struct: str) -> int:
    if not -(2**63) <= value < 2**63:
        raise _mismatch(float(value), struct, "impact_level", "int64")
    return value


def _infos(raw: dict[str, Any], _: str) -> Infos:
    """Infos as stored: known keys only, without null values.

    The object of the payload is kept when it is already that, which is the rule.
    """
    infos: Infos = {}
    for key, info in raw.items():
        if (
            type(info) is dict
            and len(info) == 3
            and type(info.get("value")) is str
            and type(info.get("name")) is str
            and type(info.get("description")) is str
        ):
            infos[key] = info
        else:
            infos[key] = _info(info)
    return infos


def _info(raw: Any) -> Info:
    if raw is None:
        return {}
    if type(raw) is not dict:
        raise _mismatch(raw, "EntityConfiguration", "infos", "types.Info")
    info: Info = {}
    for key in ("name", "description"):
        text = raw.get(key)
        if text is not None and type(text) is not str:
            raise _mismatch(text, "Info", f"infos.{key}", "string")
        if text:
            info[key] = text
    value = stored_value(raw.get("value"))
    if value is not None:
        info["value"] = value
    return info


def stored_value(value: Any) -> Any:
    """A value as Mongo stores it: numbers are doubles, so large integers lose digits (§6)."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else int(float(value))
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, list):
        return [stored_value(each) for each in value]
    return {key: stored_value(each) for key, each in value.items()}


def read_pattern(raw: list[Any], struct: str) -> Pattern:
    """A pattern whose shape is Go's; whether it means something is for later."""
    path = "entity_pattern"
    groups: Pattern = []
    for group in raw:
        if group is not None and type(group) is not list:
            raise _mismatch(group, struct, path, "[]pattern.FieldCondition")
        groups.append([_condition(each, path, struct) for each in group or ()])
    return groups


def _condition(raw: Any, path: str, struct: str) -> dict[str, Any]:
    if raw is None:
        return {"field": "", "cond": {"type": "", "value": None}}
    if type(raw) is not dict:
        raise _mismatch(raw, struct, path, "pattern.FieldCondition")
    known: dict[str, Any] = {"field": _text(raw, "field", "FieldCondition", path)}
    if kind := _text(raw, "field_type", "FieldCondition", path):
        known["field_type"] = kind
    cond = raw.get("cond")
    if cond is not None and type(cond) is not dict:
        raise _mismatch(cond, "FieldCondition", f"{path}.cond", "pattern.Condition")
    cond = cond or {}
    known["cond"] = {
        "type": _text(cond, "type", "Condition", f"{path}.cond"),
        "value": cond.get("value"),
    }
    return known


def _text(raw: dict[str, Any], key: str, struct: str, path: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        raise _mismatch(value, struct, f"{path}.{key}", "string")
    return value


def _mismatch(value: Any, struct: str, field: str, go: str) -> WrongType:
    kind = _go_kind(value)
    if kind == "number" and go == "int64":
        kind = f"number {value!r}"
    return WrongType(
        f"json: cannot unmarshal {kind} into Go struct field {struct}.{field} of type {go}"
    )


def _go_kind(value: Any) -> str:
    kinds = {bool: "bool", str: "string", int: "number", float: "number", list: "array"}
    return kinds.get(type(value), "object")


def _tags(raw: list[Any], struct: str) -> list[str]:
    for each in raw:
        if type(each) is not str:
            raise _mismatch(each, struct, "tags", "string")
    return raw


_FIELDS: Fields = {
    "name": (str, "string", None, "name"),
    "type": (str, "string", None, "type"),
    "action": (str, "string", None, "action"),
    "component": (str, "string", None, "component"),
    "category": (str, "string", None, "category"),
    "output_template": (str, "string", None, "output_template"),
    "enabled": (bool, "bool", None, "enabled"),
    "impact_level": (int, "int64", read_level, "impact_level"),
    "infos": (dict, "map[string]types.Info", _infos, "infos"),
    "entity_pattern": (list, "pattern.Entity", read_pattern, "entity_pattern"),
    "tags": (list, "[]string", _tags, "tags"),
}
