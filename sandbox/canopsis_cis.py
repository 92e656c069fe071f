"""The items of a D1 body as typed values: what Go's `ConfigurationItem` and `Link` would hold.

As in `sandbox.canopsis_items`, but a field that is absent differs from one at its zero value
(`specs/canopsis.md` §2.2).
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.canopsis_items import (
    Fields,
    Pattern,
    WrongType,
    decode,
    read_level,
    read_pattern,
    stored_value,
)

Version = tuple[int, ...]


@dataclass(slots=True)
class Ci:
    """A configuration item; None is what was not given."""

    id: str = ""
    name: str | None = None
    type: str | None = None
    action: str = ""
    infos: dict[str, Any] | None = None
    measurements: list[Any] | None = None
    enabled: bool | None = None
    impact_level: int | None = None
    category: str | None = None
    entity_pattern: Pattern | None = None
    entity_patterns: list[Any] | None = None
    output_template: str | None = None


@dataclass(slots=True)
class Link:
    """A link from some entities to one."""

    id: str = ""
    sources: list[str] = field(default_factory=list)
    to: str = ""
    action: str = ""
    infos: dict[str, Any] | None = None


def read_ci(raw: Any, version: Version) -> Ci:
    """Decode one item; raises WrongType. The syntax of patterns changed with 22.10."""
    ci = Ci()
    decode(raw, ci, _CI_NEW if version >= (22, 10) else _CI_OLD, "ConfigurationItem")
    return ci


def read_link(raw: Any) -> Link:
    """Decode one link; raises WrongType."""
    link = Link()
    decode(raw, link, _LINK, "Link")
    return link


def _stored(infos: dict[str, Any], _: str) -> dict[str, Any]:
    """Infos as Mongo stores them: whatever JSON they are, null values left out of objects."""
    return {key: _info(info) for key, info in infos.items()}


def _info(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return stored_value(raw)
    return {key: stored_value(value) for key, value in raw.items() if value is not None}


def _texts(raw: list[Any], struct: str) -> list[str]:
    for each in raw:
        if each is not None and not isinstance(each, str):
            kinds = {bool: "bool", int: "number", float: "number", list: "array"}
            kind = kinds.get(type(each), "object")
            raise WrongType(
                f"json: cannot unmarshal {kind} into Go struct field {struct}.from of type string"
            )
    return [each or "" for each in raw]


_CI: Fields = {
    "_id": (str, "string", None, "id"),
    "name": (str, "string", None, "name"),
    "type": (str, "string", None, "type"),
    "action": (str, "string", None, "action"),
    "infos": (dict, "map[string]interface {}", _stored, "infos"),
    "measurements": (list, "[]interface {}", None, "measurements"),
    "enabled": (bool, "bool", None, "enabled"),
    "impact_level": (int, "int64", read_level, "impact_level"),
    "category": (str, "string", None, "category"),
    "entity_pattern": (list, "pattern.Entity", read_pattern, "entity_pattern"),
    "entity_patterns": (list, "oldpattern.EntityPatternList", None, "entity_patterns"),
    "output_template": (str, "string", None, "output_template"),
}
_CI_NEW = {name: how for name, how in _CI.items() if name != "entity_patterns"}
_CI_OLD = {name: how for name, how in _CI.items() if name != "entity_pattern"}
_LINK: Fields = {
    "_id": (str, "string", None, "id"),
    "from": (list, "[]string", _texts, "sources"),
    "to": (str, "string", None, "to"),
    "action": (str, "string", None, "action"),
    "infos": (dict, "map[string]interface {}", None, "infos"),
}
