"""Which rows a condition of an encoded query lets through (spec §3)."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.servicenow_moments import UNITS, date_part, day, generated, moment, stamp
from sandbox.servicenow_query import Condition
from sandbox.servicenow_schema import Column, Record
from sandbox.servicenow_values import Lookup, Shape, displayed

Test = Callable[[Record], bool]
Text = Callable[[Record], str]

RANGES: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
_FIELDS: Final = {"SAMEAS": "=", "NSAMEAS": "!=", "GT_FIELD": ">", "LT_FIELD": "<"}
_RELATIVES: Final = {
    "RELATIVEGT": ">",
    "RELATIVEGE": ">=",
    "RELATIVELT": "<",
    "RELATIVELE": "<=",
}
_NUMBERS: Final = frozenset({"integer", "decimal", "currency"})
_DISPLAYED: Final = Shape(display="true")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in which zone, and when; `fold` is how the database compares text."""

    user_id: str
    zone: str
    now: datetime
    fold: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Part:
    """One condition at its table: the column, how to read it, and the value it is held against."""

    lookup: Lookup
    table: str
    asker: Asker
    column: Column
    raw: Text
    operator: str
    value: str


def test_of(condition: Condition, lookup: Lookup, table: str, asker: Asker) -> Test | None:
    """The test of a condition; None when it is invalid: an unknown field, a value out of place."""
    value = condition.value
    if condition.operator == "TEXTQUERY":
        word = value.lower()
        return lambda row: any(word in str(each).lower() for each in row.values())
    found = text_of(condition.field, lookup, table)
    make = _TESTS.get(condition.operator)
    if found is None or make is None:
        return None
    if value.startswith("javascript:"):
        value = _evaluated(value.removeprefix("javascript:"), asker)
    part = _Part(lookup, table, asker, *found, condition.operator, value)
    try:
        return make(part)
    except (ValueError, KeyError, IndexError):
        return None


def text_of(name: str, lookup: Lookup, table: str) -> tuple[Column, Text] | None:
    """The column at the end of a dotted name, and how to read it; None when it is not there."""
    found = lookup.schema.column(table, name)
    if found is None:
        return None
    steps, _, column = found
    last = column.name

    def raw(row: Record) -> str:
        for step in steps:
            target = lookup.find(step.reference, row.get(step.name, ""))
            if target is None:
                return ""
            row = target
        value = row.get(last, "")
        return value if isinstance(value, str) else str(value)

    return column, raw


def named(column: Column, raw: Text, lookup: Lookup) -> Text:
    """How a column is searched and sorted: a reference by the name of what it leads to."""
    if not column.is_reference:
        return raw
    return lambda row: displayed(lookup, column, {column.name: raw(row)}, _DISPLAYED)


def _equal(part: _Part) -> Test:
    raw, value = part.raw, part.value
    return lambda row: raw(row) == value


def _unequal(part: _Part) -> Test:
    raw, value = part.raw, part.value
    return lambda row: raw(row) != value


def _in(part: _Part) -> Test:
    raw, wanted = part.raw, frozenset(part.value.split(","))
    return lambda row: raw(row) in wanted


def _not_in(part: _Part) -> Test:
    raw, unwanted = part.raw, frozenset(part.value.split(","))
    return lambda row: raw(row) not in unwanted


def _empty(part: _Part) -> Test:
    raw = part.raw
    return lambda row: not raw(row)


def _not_empty(part: _Part) -> Test:
    raw = part.raw
    return lambda row: bool(raw(row))


def _anything(_: _Part) -> Test:
    return lambda _: True


def _instance_of(part: _Part) -> Test:
    raw, classes = part.raw, part.lookup.schema.descendants(part.value)
    return lambda row: raw(row) in classes


def _dynamic(part: _Part) -> Test:
    """The one dynamic filter of the simulator: me."""
    raw, me = part.raw, part.asker.user_id
    return lambda row: raw(row) == me


def _text(part: _Part) -> Test:
    """In any case of letters, whatever the collation."""
    word = part.value.lower()
    text = named(part.column, part.raw, part.lookup)
    tests: dict[str, Test] = {
        "STARTSWITH": lambda row: text(row).lower().startswith(word),
        "ENDSWITH": lambda row: text(row).lower().endswith(word),
        "LIKE": lambda row: word in text(row).lower(),
        "NOT LIKE": lambda row: word not in text(row).lower(),
    }
    return tests[part.operator]


def _range(part: _Part) -> Test:
    """No range holds an empty value: it is null."""
    raw, compare = part.raw, RANGES[part.operator]
    cast, limit = _cast(part, part.value)
    return lambda row: bool(raw(row)) and compare(cast(raw(row)), limit)


def _between(part: _Part) -> Test:
    raw = part.raw
    first, last = part.value.split("@", 1)
    cast, low = _cast(part, first)
    _, high = _cast(part, last)
    return lambda row: bool(raw(row)) and low <= cast(raw(row)) <= high


def _cast(part: _Part, value: str) -> tuple[Callable[[str], Any], Any]:
    """How values compare, and *value* so; raises ValueError when it is no number but should be."""
    if part.column.kind in _NUMBERS:
        return _number, float(value)
    return part.asker.fold, part.asker.fold(value)


def _number(text: str) -> float:
    """A number that no range holds when it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _relative(part: _Part) -> Test:
    """`@hour@ago@3`"""
    raw, compare = part.raw, RANGES[_RELATIVES[part.operator]]
    unit, way, count = part.value.removeprefix("@").split("@")[:3]
    span = UNITS[unit] * int(count)
    limit = stamp(part.asker.now - span if way == "ago" else part.asker.now + span)
    return lambda row: bool(raw(row)) and compare(raw(row), limit)


def _on(part: _Part) -> Test:
    raw, wanted = part.raw, part.operator == "ON"
    first, last = day(part.value, part.asker.zone, part.asker.now)
    return lambda row: (first <= raw(row) <= last) == wanted


def _date_part(part: _Part) -> Test:
    raw, test = part.raw, date_part(part.value, part.asker.zone)
    return lambda row: bool(raw(row)) and test(raw(row))


def _field(part: _Part) -> Test | None:
    """Two columns against each other."""
    found = text_of(part.value, part.lookup, part.table)
    if found is None:
        return None
    raw, other, compare = part.raw, found[1], RANGES[_FIELDS[part.operator]]
    if part.operator in {"SAMEAS", "NSAMEAS"}:
        return lambda row: compare(raw(row), other(row))
    cast = _number if part.column.kind in _NUMBERS else part.asker.fold
    return lambda row: bool(raw(row) and other(row)) and compare(cast(raw(row)), cast(other(row)))


def _distance(part: _Part) -> Test | None:
    """`first_discoveredMORETHANlast_discovered@day@before@3`: more than 3 days before it."""
    name, unit, way, count = part.value.split("@")
    found = text_of(name, part.lookup, part.table)
    if found is None:
        return None
    raw, other, more = part.raw, found[1], part.operator == "MORETHAN"
    span, sign = UNITS[unit] * int(count), -1 if way == "before" else 1

    def test(row: Record) -> bool:
        mine, theirs = raw(row), other(row)
        if not mine or not theirs:
            return False
        distance = sign * (moment(mine) - moment(theirs))
        return distance > span if more else timedelta() <= distance < span

    return test


def _evaluated(script: str, asker: Asker) -> str:
    """What a script in a value gives; the simulator knows the two that clients send."""
    if script.startswith("gs.getUserID()"):
        return asker.user_id
    return generated(script, asker.zone)


_TESTS: Final[dict[str, Callable[[_Part], Test | None]]] = {
    "=": _equal,
    "!=": _unequal,
    "IN": _in,
    "NOT IN": _not_in,
    "ISEMPTY": _empty,
    "EMPTYSTRING": _empty,
    "ISNOTEMPTY": _not_empty,
    "ANYTHING": _anything,
    "INSTANCEOF": _instance_of,
    "DYNAMIC": _dynamic,
    "STARTSWITH": _text,
    "ENDSWITH": _text,
    "LIKE": _text,
    "NOT LIKE": _text,
    ">": _range,
    ">=": _range,
    "<": _range,
    "<=": _range,
    "BETWEEN": _between,
    **dict.fromkeys(_RELATIVES, _relative),
    "ON": _on,
    "NOTON": _on,
    "DATEPART": _date_part,
    **dict.fromkeys(_FIELDS, _field),
    "MORETHAN": _distance,
    "LESSTHAN": _distance,
}
