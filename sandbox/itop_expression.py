"""Turns the conditions of an OQL query into functions over rows, as MySQL would compute them."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final

from sandbox.itop_classes import PARENTS
from sandbox.itop_model import Model
from sandbox.itop_store import Objects, Thing, collated
from sandbox.itop_tree import (
    Binary,
    Constant,
    Expression,
    Field,
    Function,
    Interval,
    Membership,
    Name,
    Numbers,
    OqlError,
    Query,
)
from sandbox.itop_values import compared

Row = tuple[Thing, ...]
Value = str | int | float | None
Evaluate = Callable[[Row], Any]

_STAMP: Final = "%Y-%m-%d %H:%M:%S"
_NUMBER: Final = re.compile(r"\s*[+-]?\d+(?:\.\d+)?")
_MIDNIGHT: Final = " 00:00:00"
_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}


@dataclass(frozen=True, slots=True)
class Aliases:
    """The aliases of a SELECT, in order, with the class of each."""

    text: str
    kinds: Mapping[str, str]

    def place(self, field: Field, model: Model) -> int:
        """The rank in a row of the alias a field belongs to; raises OqlError."""
        name = field.name.text
        if field.alias is not None:
            alias = field.alias.text
            if alias not in self.kinds:
                raise self.error("Unknown class [alias]", field.alias, tuple(self.kinds))
            filters = model.filters(self.kinds[alias])
            if name not in filters:
                raise self.error("Unknown filter code", field.name, filters)
            return list(self.kinds).index(alias)
        places = [
            place for place, kind in enumerate(self.kinds.values()) if name in model.filters(kind)
        ]
        if not places:
            known = dict.fromkeys(
                code for kind in self.kinds.values() for code in model.filters(kind)
            )
            raise self.error("Unknown filter code", field.name, tuple(known))
        if len(places) > 1:
            raise self.error("Ambiguous filter code", field.name)
        return places[0]

    def kind(self, name: Name) -> str:
        """The name of a class; raises OqlError."""
        if name.text not in PARENTS:
            raise self.error("Unknown class", name, tuple(PARENTS), "UnknownClassOqlException")
        return name.text

    def error(
        self,
        issue: str,
        name: Name,
        expected: tuple[str, ...] = (),
        exception: str = "OqlNormalizeException",
    ) -> OqlError:
        told = f"{issue} - found '{name.text}' at {name.at} in '{self.text}'"
        if expected:
            told += (
                f", expecting {{{', '.join(expected)}}}"
                f", I would suggest to use '{_closest(name.text, expected)}'"
            )
        return OqlError(told, exception)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes functions of expressions; `nested` gives the ids a subquery finds."""

    held: Objects
    model: Model
    now: datetime
    aliases: Aliases
    nested: Callable[[Query], frozenset[int]]

    def condition(self, expression: Expression) -> Callable[[Row], bool]:
        evaluate = self.value(expression)
        return lambda row: bool(_number(evaluate(row)))

    def value(self, expression: Expression | Interval) -> Evaluate:
        """What the expression gives for a row; raises OqlError when a name in it is unknown."""
        match expression:
            case Constant(value):
                return lambda _: value
            case Interval(amount, unit):
                length = self.value(amount)
                return lambda row: (int(_number(length(row))), unit)
            case Field():
                return self._field(expression)
            case Binary(sign, first, second):
                left, right, compute = self.value(first), self.value(second), _TWO[sign]
                return lambda row: compute(left(row), right(row))
            case Membership():
                return self._membership(expression)
            case _:
                return self._function(expression)

    def _field(self, field: Field) -> Evaluate:
        place = self.aliases.place(field, self.model)
        held, model, name = self.held, self.model, field.name.text
        if name == "id":
            return lambda row: row[place].id
        return lambda row: compared(held, model, row[place], name)

    def _membership(self, membership: Membership) -> Evaluate:
        left, among, inside = self.value(membership.left), membership.among, membership.inside
        if isinstance(among, Query):
            return _inside(left, self.nested(among), inside=inside)
        if isinstance(among, Numbers):
            return _inside(left, frozenset(among.values), inside=inside)
        items = [self.value(item) for item in among]

        def is_member(row: Row) -> int | None:
            value = left(row)
            if value is None:
                return None
            found = any(_compared(operator.eq, value, item(row)) for item in items)
            return int(found == inside)

        return is_member

    def _function(self, function: Function) -> Evaluate:
        least, most, compute = _KNOWN.get(function.name, (0, -1, _compared))
        if not least <= len(function.arguments) <= most:
            raise OqlError(f"{function.name} is not known to the simulator, or not so", "Exception")
        arguments = [self.value(each) for each in function.arguments]
        return lambda row: compute(self.now, *(each(row) for each in arguments))


def _inside(left: Evaluate, numbers: frozenset[int], *, inside: bool) -> Evaluate:
    def is_inside(row: Row) -> int | None:
        value = left(row)
        return None if value is None else int((_number(value) in numbers) == inside)

    return is_inside


def _moved(start: Value, interval: tuple[int, str], sign: int) -> str | None:
    if not start:
        return None
    amount, unit = interval
    return _later(datetime.fromisoformat(str(start)), sign * amount, unit).strftime(_STAMP)


def _later(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _SECONDS:
        return moment + timedelta(seconds=amount * _SECONDS[unit])
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    last = _later(first, 31, "DAY").replace(day=1) - timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> int | None:
    """As MySQL does: nothing equals NULL, numbers win over text, dates fill up with midnight."""
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) == 29 and left[4:5] == right[4:5] == "-":
            left, right = (left + _MIDNIGHT)[:19], (right + _MIDNIGHT)[:19]
        return int(compare(collated(left), collated(right)))
    return int(compare(_number(left), _number(right)))


def _like(value: Value, pattern: Value) -> int | None:
    if value is None or pattern is None:
        return None
    return int(_pattern(str(pattern)).fullmatch(collated(str(value))) is not None)


def _unlike(value: Value, pattern: Value) -> int | None:
    truth = _like(value, pattern)
    return None if truth is None else 1 - truth


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\\.|%|_)", collated(pattern), flags=re.DOTALL)
    known = {"%": ".*", "_": "."}
    written = (known.get(each) or re.escape(re.sub(r"^\\(.)$", r"\1", each)) for each in parts)
    return re.compile("".join(written), re.DOTALL)


def _regexp(value: Value, pattern: Value) -> int | None:
    if value is None or pattern is None:
        return None
    return int(re.search(str(pattern), str(value), re.IGNORECASE) is not None)


def _number(value: Any) -> float:
    """A value as a number: text counts as far as it is one, NULL is 0."""
    if isinstance(value, (int, float)):
        return value
    found = _NUMBER.match(value) if value else None
    return float(found.group()) if found else 0


def _quotient(left: Value, right: Value) -> float | None:
    return _number(left) / _number(right) if _number(right) else None


_TWO: Final[Mapping[str, Callable[[Any, Any], Value]]] = {
    "AND": lambda left, right: int(bool(_number(left) and _number(right))),
    "OR": lambda left, right: int(bool(_number(left) or _number(right))),
    "=": partial(_compared, operator.eq),
    "!=": partial(_compared, operator.ne),
    "<": partial(_compared, operator.lt),
    "<=": partial(_compared, operator.le),
    ">": partial(_compared, operator.gt),
    ">=": partial(_compared, operator.ge),
    "LIKE": _like,
    "NOT LIKE": _unlike,
    "REGEXP": _regexp,
    "+": lambda left, right: _number(left) + _number(right),
    "-": lambda left, right: _number(left) - _number(right),
    "*": lambda left, right: _number(left) * _number(right),
    "/": _quotient,
}
# Functions by name: how many arguments at least and at most, and what they give at a time.
_KNOWN: Final[Mapping[str, tuple[int, int, Callable[..., Value]]]] = {
    "NOW": (0, 0, lambda now: now.strftime(_STAMP)),
    "CURRENT_DATE": (0, 0, lambda now: now.strftime("%Y-%m-%d")),
    "DATE_SUB": (2, 2, lambda _, start, interval: _moved(start, interval, -1)),
    "DATE_ADD": (2, 2, lambda _, start, interval: _moved(start, interval, 1)),
    "DATE": (1, 1, lambda _, value: str(value or "")[:10] or None),
    "ISNULL": (1, 1, lambda _, value: int(value is None)),
    "IF": (3, 3, lambda _, test, then, other: then if _number(test) else other),
    "COALESCE": (1, 99, lambda _, *values: next((v for v in values if v is not None), None)),
    "CONCAT": (1, 99, lambda _, *values: "".join(map(str, values))),
}


def _closest(word: str, words: tuple[str, ...]) -> str:
    """The last of the closest words that three edits or fewer lead to; else nothing."""
    best, shortest = "", 4
    for each in words:
        if abs(len(each) - len(word)) <= 3 and (edits := _edits(word, each)) <= min(shortest, 3):
            best, shortest = each, edits
        if shortest == 0:
            break
    return best


def _edits(first: str, second: str) -> int:
    """Levenshtein's distance."""
    previous = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            current.append(
                min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + (letter != other),
                )
            )
        previous = current
    return previous[-1]
