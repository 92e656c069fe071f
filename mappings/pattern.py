"""Entity patterns: what Canopsis accepts as one, for it skips a service with another *silently*.

    [[{"field": "infos.app", "field_type": "string", "cond": {"type": "eq", "value": "A"}}, …], …]

The outer list holds groups of which one must hold, each a list of conditions that must all hold.
Source: `specs/canopsis.md` §4, and §3.4 for the silence.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from mappings.casts import article, filled_text, shown
from mappings.goregexp import RegexpSyntaxError, compile_regexp
from mappings.rejects import Refusal
from mappings.vocabulary import suggestion

ValueKind = Literal[
    "text", "filled_text", "regexp", "words", "whole", "truth", "interval", "period"
]

FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("_id", "name", "type", "category", "component", "connector"), "string"),
    "impact_level": "int",
    "last_event_date": "time",
}
INFOS = ("infos.", "component_infos.")
FORBIDDEN = ("connector", "last_event_date", "component_infos.")  # in a service's pattern
CONDITIONS: Mapping[str, Mapping[str, ValueKind]] = {
    "string": {
        **dict.fromkeys(("eq", "neq"), "text"),
        **dict.fromkeys(("is_one_of", "is_not_one_of"), "words"),
        **dict.fromkeys(("contain", "not_contain"), "filled_text"),
        **dict.fromkeys(("begin_with", "not_begin_with", "end_with"), "filled_text"),
        "not_end_with": "filled_text",
        "regexp": "regexp",
        "exist": "truth",
    },
    "int": dict.fromkeys(("eq", "neq", "gt", "lt"), "whole"),
    "bool": {"eq": "truth"},
    "string_array": {
        **dict.fromkeys(("has_every", "has_one_of", "has_not"), "words"),
        "is_empty": "truth",
    },
    "time": {"relative_time": "interval", "absolute_time": "period"},
    "": {"exist": "truth"},  # an info whose type is not said
}
FIELD_TYPES = ("string", "int", "bool", "string_array")


class PatternFault(ValueError):
    """A condition that Canopsis does not accept; `key` is the part at fault, `mend` the way out."""

    def __init__(self, key: str, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.key = key
        self.mend = mend


def check_pattern(groups: object, *, service: bool = True) -> list[str]:
    """Why Canopsis would not accept these groups of conditions; empty when it does.

    `service`: the pattern is a service's, where some fields are forbidden.
    """
    if not isinstance(groups, list) or not groups:
        return ["a pattern is a list of groups, at least one"]
    problems = []
    for rank, group in enumerate(groups, 1):
        if not isinstance(group, list) or not group:
            problems.append(f"group {rank}: a group is a list of conditions, at least one")
            continue
        for position, condition in enumerate(group, 1):
            try:
                _check_condition(condition, service=service)
            except PatternFault as fault:
                problems.append(f"group {rank}, condition {position}: {fault}")
    return problems


def value_kind(field: str, field_type: str, cond: str, *, service: bool = True) -> ValueKind:
    """What value such a condition takes. Raises PatternFault."""
    if service and field.startswith(FORBIDDEN) and (field in FIELDS or field.startswith(INFOS)):
        raise PatternFault(
            "field",
            f"a service's pattern cannot use {field!r}: Canopsis would skip the service silently",
            "use name, component, type, category, impact_level or infos.<key>",
        )
    if field.startswith(INFOS) and not field.endswith("."):
        kind = field_type
        if field_type and field_type not in FIELD_TYPES:
            mend = suggestion(field_type, FIELD_TYPES)
            raise PatternFault("field_type", f"unknown field_type {field_type!r}", mend)
        if not field_type and cond != "exist" and any(cond in c for c in CONDITIONS.values()):
            raise PatternFault(
                "field", f"{field} needs a field_type, unless cond is exist", _type_for(cond)
            )
    elif field in FIELDS:
        kind = FIELDS[field]
    else:
        mend = suggestion(field, (*FIELDS, "infos.<key>"))
        raise PatternFault("field", f"no pattern field {field!r}", mend)
    if cond not in CONDITIONS[kind]:
        raise PatternFault(
            "cond",
            f"no condition {cond!r} on {field}, which is of type {kind or 'unknown'}",
            suggestion(cond, CONDITIONS[kind]),
        )
    return CONDITIONS[kind][cond]


def regexp_text(value: Any) -> str | None:
    """A text that Canopsis can compile; with any other it skips the service."""
    found = filled_text(value)
    if found is not None and not _compiles(found):
        raise Refusal(
            "bad regexp in pattern", f"{shown(found)} is no expression: Canopsis would skip it"
        )
    return found


def _check_condition(condition: object, *, service: bool) -> None:
    if not isinstance(condition, dict):
        raise PatternFault("field", f"a condition is an object, not {article(condition)}")
    field, field_type = condition.get("field"), condition.get("field_type") or ""
    cond = condition.get("cond")
    if not isinstance(field, str) or not isinstance(field_type, str):
        raise PatternFault("field", "field and field_type are texts")
    if not isinstance(cond, dict) or not isinstance(cond.get("type"), str):
        raise PatternFault("cond", 'cond is an object {"type": …, "value": …}')
    kind = value_kind(field, field_type, cond["type"], service=service)
    value = cond.get("value")
    if not _FITTING[kind](value):
        raise PatternFault("value", f"{field} {cond['type']} cannot take {shown(value)}")


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _are_words(value: Any) -> bool:
    words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return words and bool(value)


def _has_whole(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and all(_is_whole(value.get(key)) for key in keys)


_FITTING: Mapping[ValueKind, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "filled_text": lambda value: isinstance(value, str) and value != "",
    "regexp": lambda value: isinstance(value, str) and value != "" and _compiles(value),
    "words": _are_words,
    "whole": _is_whole,
    "truth": lambda value: isinstance(value, bool),
    "interval": lambda value: _has_whole(value, "value"),
    "period": lambda value: _has_whole(value, "from", "to"),
}


def _compiles(text: str) -> bool:
    try:
        compile_regexp(text)
    except RegexpSyntaxError:
        return False
    return True


def _type_for(cond: str) -> str:
    kinds = [kind for kind, conditions in CONDITIONS.items() if cond in conditions and kind]
    return "add field_type: " + " or ".join(kinds)
