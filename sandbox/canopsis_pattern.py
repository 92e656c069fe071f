"""Entity patterns: which are valid, and which entities they match (`specs/canopsis.md` §4).

A pattern is a list of groups (OR) of conditions (AND). It is compiled once to a predicate over
the stored document. Canopsis has two evaluators, and both are here: the Mongo query (recompute of
a service, filters of lists), for which a value of another type just does not match, and the
in-memory one (per event), for which it spoils the whole pattern.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

Pattern = Sequence[Sequence[dict[str, Any]]]
Predicate = Callable[[dict[str, Any]], bool]
Test = Callable[[Any], bool]

SERVICE_FORBIDDEN = ("connector", "last_event_date", "component_infos")
"""Fields (and their sub-fields) that a service pattern may not use."""

_STRING_FIELDS = ("_id", "name", "type", "category", "component", "connector")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


class PatternFault(ValueError):
    """A pattern that Canopsis does not accept."""


class _WrongType(Exception):
    """In memory, a value of another type than the condition's ends the whole match."""


def is_valid(pattern: Pattern, *, forbidden: Sequence[str] = ()) -> bool:
    """Whether Canopsis accepts the pattern; an empty one passes (§3.4)."""
    try:
        compile_pattern(pattern, forbidden=forbidden, now=0)
    except PatternFault:
        return False
    return True


def compile_pattern(
    pattern: Any, *, now: int, forbidden: Sequence[str] = (), in_memory: bool = False
) -> Predicate:
    """A predicate over stored documents; *now* (seconds) settles relative times.

    Raises PatternFault.
    """
    if not isinstance(pattern, list):
        raise PatternFault("not an array of groups")
    groups = [_group(group, now, forbidden, in_memory=in_memory) for group in pattern]
    if len(groups) == 1:
        predicate = groups[0]
    else:

        def predicate(doc: dict[str, Any]) -> bool:
            return any(group(doc) for group in groups)

    if not in_memory:
        return predicate

    def tolerant(doc: dict[str, Any]) -> bool:
        try:
            return predicate(doc)
        except _WrongType:
            return False

    return tolerant


def _group(group: Any, now: int, forbidden: Sequence[str], *, in_memory: bool) -> Predicate:
    if not isinstance(group, list) or not group:
        raise PatternFault("a group without condition")
    conditions = [_condition(each, now, forbidden, in_memory=in_memory) for each in group]
    if len(conditions) == 1:
        return conditions[0]
    if len(conditions) == 2:
        first, second = conditions
        return lambda doc: first(doc) and second(doc)
    return lambda doc: all(condition(doc) for condition in conditions)


def _condition(raw: Any, now: int, forbidden: Sequence[str], *, in_memory: bool) -> Predicate:
    if not isinstance(raw, dict) or not isinstance(raw.get("cond"), dict):
        raise PatternFault("not a condition")
    field, kind, value = raw.get("field"), raw["cond"].get("type"), raw["cond"].get("value")
    if not isinstance(field, str) or not isinstance(kind, str):
        raise PatternFault("not a condition")
    if any(field == name or field.startswith(f"{name}.") for name in forbidden):
        raise PatternFault(f"{field} is forbidden")
    for prefix in ("infos", "component_infos"):
        if field.startswith(f"{prefix}.") and len(field) > len(prefix) + 1:
            typed = raw.get("field_type") or ""
            test = _info_test(typed, kind, value, in_memory=in_memory)
            return _on_info(prefix, field[len(prefix) + 1 :], test)
    if field in _STRING_FIELDS:
        return _on_field(field, _string_test(kind, value, required=False))
    if field == "impact_level":
        return _on_field(field, _int_test(kind, value))
    if field == "last_event_date":
        return _on_field(field, _time_test(kind, value, now))
    raise PatternFault(f"{field} is not supported")


def _on_field(field: str, test: Test) -> Predicate:
    return lambda doc: test(doc.get(field))


def _on_info(prefix: str, key: str, test: Test) -> Predicate:
    def predicate(doc: dict[str, Any]) -> bool:
        infos = doc.get(prefix)
        info = infos.get(key) if infos else None
        return test(info.get("value") if info else None)

    return predicate


def _info_test(field_type: str, kind: str, value: Any, *, in_memory: bool) -> Test:
    if field_type == "":
        if kind != "exist":
            raise PatternFault(f"{kind} on an info needs a field_type")
        wanted = _flag(value)
        return lambda found: (found is not None) is wanted
    makers: dict[str, tuple[Callable[[str, Any], Test], Test]] = {
        "string": (_string_test, lambda found: isinstance(found, str)),
        "int": (_int_test, lambda found: _whole(found) is not None),
        "bool": (_bool_test, lambda found: isinstance(found, bool)),
        "string_array": (_array_test, _is_string_array),
    }
    if field_type not in makers:
        raise PatternFault(f"{field_type} is not a field_type")
    make, fits = makers[field_type]
    test = make(kind, value)
    if not in_memory:
        if kind in ("eq", "is_one_of"):
            return test  # nothing of another type, and nothing absent, equals what is wanted
        return lambda found: found is not None and fits(found) and test(found)

    def strict(found: Any) -> bool:
        if found is None:
            return False
        if not fits(found):
            raise _WrongType
        return test(found)

    return strict


def _string_test(kind: str, value: Any, *, required: bool = True) -> Test:
    """A test of a text; an absent one meets negations only where no key is *required*."""
    absent = not required
    if kind in ("eq", "neq"):
        text = _text(value)
        if kind == "eq":
            return lambda found: found == text
        return lambda found: found != text and (absent or found is not None)
    if kind in ("is_one_of", "is_not_one_of"):
        texts = frozenset(_texts(value))
        if kind == "is_one_of":
            return lambda found: type(found) is str and found in texts
        return lambda found: found not in texts and (absent or found is not None)
    if kind == "exist":
        wanted = _flag(value)
        return lambda found: bool(found) is wanted
    test = _substring_test(kind, _text(value, empty=False))
    return lambda found: isinstance(found, str) and test(found)


def _substring_test(kind: str, text: str) -> Callable[[str], bool]:
    if kind == "regexp":
        search = _regexp(text).search
        return lambda found: search(found) is not None
    tests: dict[str, Callable[[str], bool]] = {
        "contain": lambda found: text in found,
        "not_contain": lambda found: text not in found,
        "begin_with": lambda found: found.startswith(text),
        "not_begin_with": lambda found: not found.startswith(text),
        "end_with": lambda found: found.endswith(text),
        "not_end_with": lambda found: not found.endswith(text),
    }
    if kind not in tests:
        raise PatternFault(f"{kind} is not a condition on a text")
    return tests[kind]


def _regexp(text: str) -> re.Pattern[str]:
    """RE2 or the .NET-like fallback, as near as Python's engine comes to them."""
    try:
        return re.compile(
            text.replace(r"\z", r"\Z")
            .replace("(?<", "(?P<")
            .replace("(?P<=", "(?<=")
            .replace("(?P<!", "(?<!")
        )
    except re.error as fault:
        raise PatternFault(str(fault)) from fault


def _int_test(kind: str, value: Any) -> Test:
    wanted = _whole(value)
    if wanted is None:
        raise PatternFault("not an integer")
    tests: dict[str, Callable[[int], bool]] = {
        "eq": lambda found: found == wanted,
        "neq": lambda found: found != wanted,
        "gt": lambda found: found > wanted,
        "lt": lambda found: found < wanted,
    }
    if kind not in tests:
        raise PatternFault(f"{kind} is not a condition on an integer")
    test = tests[kind]

    def on_number(found: Any) -> bool:
        number = _whole(found)
        return number is not None and test(number)

    return on_number


def _bool_test(kind: str, value: Any) -> Test:
    wanted = _flag(value)
    if kind != "eq":
        raise PatternFault(f"{kind} is not a condition on a boolean")
    return lambda found: found is wanted


def _array_test(kind: str, value: Any) -> Test:
    if kind == "is_empty":
        wanted = _flag(value)
        return lambda found: (not found) is wanted
    texts = frozenset(_texts(value))
    tests: dict[str, Test] = {
        "has_every": texts.issubset,
        "has_one_of": lambda found: not texts.isdisjoint(found),
        "has_not": texts.isdisjoint,
    }
    if kind not in tests:
        raise PatternFault(f"{kind} is not a condition on an array")
    return tests[kind]


def _time_test(kind: str, value: Any, now: int) -> Test:
    if not isinstance(value, dict):
        raise PatternFault("not a time")
    if kind == "relative_time":
        number, unit = _whole(value.get("value")), value.get("unit")
        if number is None or unit not in _UNITS:
            raise PatternFault("not a duration")
        start = now - number * _UNITS[unit]
        return lambda found: isinstance(found, int) and found > start
    since, until = _whole(value.get("from")), _whole(value.get("to"))
    if kind != "absolute_time" or since is None or until is None:
        raise PatternFault("not an interval")
    return lambda found: isinstance(found, int) and since < found < until


def _is_string_array(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _whole(value: Any) -> int | None:
    """An integer, as JSON gives it: 3.0 is one, 3.5 and true are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise PatternFault("not a boolean")
    return value


def _text(value: Any, *, empty: bool = True) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise PatternFault("not a text")
    return value


def _texts(value: Any) -> list[str]:
    if not _is_string_array(value) or not value:
        raise PatternFault("not an array of texts")
    return list(value)
