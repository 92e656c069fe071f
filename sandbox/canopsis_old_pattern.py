"""What 4.3 to 4.6 select entities with: the older patterns, and Mongo's filters (§4, §5.1).

[{"name": {"regex_match": "^db"}, "infos": {"os": {"value": "linux"}}}, …]     any of them
{"$and": [{"type": "component"}, {"import_source": {"$ne": "cmdb"}}]}
"""

import operator
import re
from collections.abc import Callable
from typing import Any

from sandbox.canopsis_pattern import PatternFault, Predicate

_TEXTS = ("_id", "name", "type", "category", "component", "connector")
_INFOS = ("infos", "component_infos")
_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_ORDERS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def compile_old(patterns: Any) -> Predicate:
    """A predicate over stored documents; raises PatternFault."""
    if not isinstance(patterns, list) or not all(isinstance(each, dict) for each in patterns):
        raise PatternFault("not an array of objects")
    tests = [_all(pattern) for pattern in patterns]
    return lambda doc: any(test(doc) for test in tests)


def _all(pattern: dict[str, Any]) -> Predicate:
    tests = [_field(name, wanted) for name, wanted in pattern.items()]
    return lambda doc: all(test(doc) for test in tests)


def _field(name: str, wanted: Any) -> Predicate:
    if name in _INFOS:
        if not isinstance(wanted, dict):
            raise PatternFault(f"{name} is not an object")
        infos = [(key, _info(each)) for key, each in wanted.items()]
        return lambda doc: all(test((doc.get(name) or {}).get(key)) for key, test in infos)
    if name == "enabled" and isinstance(wanted, bool):
        return lambda doc: bool(doc.get("enabled")) is wanted
    if name == "impact_level" or name in _TEXTS:
        test = _value(wanted)
        return lambda doc: test(doc.get(name))
    raise PatternFault(f"unexpected field {name}")


def _info(wanted: Any) -> Callable[[Any], bool]:
    if wanted is None:
        return lambda info: info is None
    if not isinstance(wanted, dict):
        raise PatternFault("an info is not an object")
    tests = [(key, _value(each)) for key, each in wanted.items()]
    return lambda info: isinstance(info, dict) and all(test(info.get(k)) for k, test in tests)


def _value(wanted: Any) -> Callable[[Any], bool]:
    if not isinstance(wanted, dict):
        return lambda found: found == wanted
    tests = [_condition(kind, each) for kind, each in wanted.items()]
    return lambda found: all(test(found) for test in tests)


def _condition(kind: str, wanted: Any) -> Callable[[Any], bool]:
    if kind == "regex_match" and isinstance(wanted, str):
        try:
            search = re.compile(wanted).search
        except re.error as fault:
            raise PatternFault(str(fault)) from fault
        return lambda found: isinstance(found, str) and search(found) is not None
    if kind in _NUMBERS and isinstance(wanted, int | float):
        order = _NUMBERS[kind]
        return lambda found: isinstance(found, int | float) and order(found, wanted)
    raise PatternFault(f"unexpected condition {kind}")


def compile_filter(wanted: Any) -> Predicate:
    """A predicate of a filter in Mongo's words, its usual operators; raises PatternFault."""
    if not isinstance(wanted, dict):
        raise PatternFault("not an object")
    tests = [_clause(name, each) for name, each in wanted.items()]
    return lambda doc: all(test(doc) for test in tests)


def _clause(name: str, wanted: Any) -> Predicate:
    if name in ("$and", "$or"):
        if not isinstance(wanted, list) or not wanted:
            raise PatternFault(f"{name} needs an array")
        parts = [compile_filter(each) for each in wanted]
        some = all if name == "$and" else any
        return lambda doc: some(part(doc) for part in parts)
    if name.startswith("$"):
        raise PatternFault(f"unknown operator {name}")
    steps = name.split(".")
    if isinstance(wanted, dict):
        tests = [_operator(kind, each) for kind, each in wanted.items()]
        return lambda doc: all(test(_reached(doc, steps)) for test in tests)
    return lambda doc: _reached(doc, steps) == wanted


def _operator(kind: str, wanted: Any) -> Callable[[Any], bool]:
    if kind in _ORDERS:
        order = _NUMBERS[_ORDERS[kind]]
        return lambda found: isinstance(found, type(wanted)) and order(found, wanted)
    if kind == "$regex":
        return _condition("regex_match", wanted)
    simple: dict[str, Callable[[Any], bool]] = {
        "$eq": lambda found: found == wanted,
        "$ne": lambda found: found != wanted,
        "$in": lambda found: found in wanted,
        "$nin": lambda found: found not in wanted,
        "$exists": lambda found: (found is not None) is bool(wanted),
    }
    if kind not in simple or (kind in ("$in", "$nin") and not isinstance(wanted, list)):
        raise PatternFault(f"unknown operator {kind}")
    return simple[kind]


def _reached(doc: Any, steps: list[str]) -> Any:
    for step in steps:
        doc = doc.get(step) if isinstance(doc, dict) else None
    return doc
