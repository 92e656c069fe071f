"""Entity patterns in the syntax of Canopsis 4.6 and before (`specs/canopsis.md` §4).

    [[{"field":"name","cond":{"type":"regexp","value":"^x"}}]]  →  [{"name":{"regex_match":"^x"}}]

and as the Mongo filter of a watcher of 3.25 to 4.2 (`mfilter`):

    {"$or":[{"$and":[{"name":{"$regex":"^x"}}]}]}

A group of conditions becomes one object of the old syntax, so a field can be tested once in it.
Conditions that deny something, and those on other than texts, have no certain counterpart and are
not translated.
"""

import re
from typing import Any

_FIELDS = frozenset(("_id", "name", "type", "category"))
_INFOS = "infos."

Group = list[dict[str, Any]]


class Untranslatable(ValueError):
    """The pattern says what the old syntax cannot."""


def legacy_patterns(pattern: list[Group]) -> list[dict[str, Any]]:
    """The old `entity_patterns`; raises Untranslatable."""
    return [_group(group) for group in pattern]


def mongo_filter(pattern: list[Group]) -> dict[str, Any]:
    """The filter that selects what *pattern* does; raises Untranslatable."""
    return {"$or": [{"$and": [_clause(each) for each in group]} for group in pattern]}


def _clause(condition: dict[str, Any]) -> dict[str, Any]:
    field, test = condition["field"], _test(condition)
    if isinstance(test, dict):
        test = {"$regex": test["regex_match"]}
    elif field == "type" and test == "service":
        test = "watcher"
    if field.startswith(_INFOS):
        return {f"{field}.value": test}
    if field not in _FIELDS or field == "category":
        raise Untranslatable(f"no condition on {field}")
    return {field: test}


def _group(group: Group) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for condition in group:
        field, test = condition["field"], _test(condition)
        if field.startswith(_INFOS):
            into, key = made.setdefault("infos", {}), field.removeprefix(_INFOS)
            test = {"value": test}
        elif field in _FIELDS:
            into, key = made, field
        else:
            raise Untranslatable(f"no condition on {field}")
        if key in into:
            raise Untranslatable(f"no two conditions on {field} at once")
        into[key] = test
    return made


def _test(condition: dict[str, Any]) -> Any:
    kind, value = condition["cond"]["type"], condition["cond"]["value"]
    match kind, value:
        case "eq", str():
            return value
        case "regexp", str():
            return {"regex_match": value}
        case "is_one_of", list() if all(isinstance(each, str) for each in value):
            return {"regex_match": f"^({'|'.join(map(re.escape, value))})$"}
        case "contain", str():
            return {"regex_match": re.escape(value)}
        case "begin_with", str():
            return {"regex_match": f"^{re.escape(value)}"}
        case "end_with", str():
            return {"regex_match": f"{re.escape(value)}$"}
    raise Untranslatable(f"no condition {kind} on {condition['field']}")
