"""The rows that a query selects, in its order; what can be kept from call to call is."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.servicenow_conditions import RANGES, Asker, Test, Text, named, test_of, text_of
from sandbox.servicenow_data import Data
from sandbox.servicenow_query import Condition, Group, Order, Query, Term, parse
from sandbox.servicenow_schema import Record

_BOUNDS: Final = frozenset({">", ">=", "<", "<=", "="})
_KEPT: Final = 64  # filtered lists, each as long as its table at most


class Forbidden(Exception):
    """A query ACL refuses the whole call; the text is the column."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`settled`: the same call gives the same order again, while the data stays."""

    rows: Sequence[Record]
    settled: bool


@dataclass(frozen=True, slots=True)
class Manner:
    """How an instance takes the queries of one caller.

    `ranged` tells the effect (`ignored`, `refused`) where a column cannot be compared by range.
    """

    asker: Asker
    name: str
    strict: bool
    shuffle: bool
    ranged: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows by sys_id, and their folded sys_ids."""

    rows: list[Record]
    keys: list[str]


class Selections:
    """The selections of one instance."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._version = data.version
        self._kept: dict[tuple[object, ...], _Rows] = {}
        self._random = random.Random(1)  # noqa: S311 - an order is no secret

    def select(self, table: str, text: str, manner: Manner, more: Group = ()) -> Selection:
        """The rows of *table* that the query *text* gives; raises Forbidden.

        *more*: conditions besides it, from parameters that are not `sysparm_…`.
        """
        if self._version != self._data.version:
            self._kept.clear()
            self._version = self._data.version
        query = parse(text)
        groups, ignored = self._allowed(query, table, manner)
        if groups is None:
            return Selection((), settled=True)
        groups = [(*group, *more) for group in groups]
        order = tuple(
            (name, down)
            for name, down in query.order
            if name not in manner.ranged and text_of(name, self._data, table)
        )
        alone = groups[0] if len(groups) == 1 else ()
        bounds = [term[0] for term in alone if _is_bound(term)]
        rows = self._within(self._filtered(table, groups, manner), bounds)
        return self._ordered(rows, order, table, shuffle=manner.shuffle and not ignored)

    def _allowed(self, query: Query, table: str, manner: Manner) -> tuple[list[Group] | None, bool]:
        """The groups without what is invalid or may not be asked, and whether an ACL cut any.

        None when something is invalid and the instance is strict: no rows at all.
        """
        ignored = any(name in manner.ranged for name, _ in query.order)
        groups: list[Group] = []
        for group in query.groups:
            terms: list[Term] = []
            for term in group:
                valid: list[Condition] = []
                for each in term:
                    if each and each.is_range and each.field in manner.ranged:
                        if manner.ranged[each.field] == "refused":
                            raise Forbidden(each.field)
                        ignored = True
                    elif each and self._test(each, table, manner):
                        valid.append(each)
                    elif manner.strict:
                        return None, ignored
                if valid:
                    terms.append(tuple(valid))
            groups.append(tuple(terms))
        return groups, ignored

    def _test(self, condition: Condition, table: str, manner: Manner) -> Test | None:
        if condition.operator == "RLQUERY":
            return self._related(condition)
        return test_of(condition, self._data, table, manner.asker)

    def _related(self, condition: Condition) -> Test | None:
        """Rows by how many rows of another table lead to them."""
        table, _, field = condition.field.partition(".")
        if not self._data.exists(table) or field not in self._data.schema.columns(table):
            return None
        counts: dict[str, int] = {}
        for row in self._data.view(table).rows:
            counts[row.get(field, "")] = counts.get(row.get(field, ""), 0) + 1
        sign = condition.value.rstrip("0123456789")
        number = int(condition.value.removeprefix(sign))
        compare = RANGES.get(sign)
        if compare is None:
            return None
        return lambda row: compare(counts.get(row.get("sys_id", ""), 0), number)

    def _filtered(self, table: str, groups: Sequence[Group], manner: Manner) -> _Rows:
        """The rows of the groups, bounds on sys_id aside where there is one group."""
        if len(groups) == 1:
            groups = [tuple(term for term in groups[0] if not _is_bound(term))]
        view = self._data.view(table)
        if any(not group for group in groups):
            return _Rows(view.rows, view.keys)
        place = (table, manner.name, tuple(groups))
        found = self._kept.get(place)
        if found is None:
            tests = [[self._any(term, table, manner) for term in group] for group in groups]
            pairs = [
                (row, folded)
                for row, folded in zip(view.rows, view.keys, strict=True)
                if any(all(test(row) for test in group) for group in tests)
            ]
            found = _Rows([row for row, _ in pairs], [folded for _, folded in pairs])
            if not any(each and each.is_volatile for g in groups for term in g for each in term):
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                self._kept[place] = found
        return found

    def _any(self, term: Term, table: str, manner: Manner) -> Test:
        tests = [test for each in term if each and (test := self._test(each, table, manner))]
        if len(tests) == 1:
            return tests[0]
        return lambda row: any(test(row) for test in tests)

    def _within(self, chosen: _Rows, bounds: Sequence[Condition | None]) -> list[Record]:
        first, last = 0, len(chosen.rows)
        for bound in bounds:
            if bound is None:
                continue
            value = self._data.fold(bound.value)
            if bound.operator in {">", "="}:
                side = bisect_right if bound.operator == ">" else bisect_left
                first = max(first, side(chosen.keys, value))
            if bound.operator == ">=":
                first = max(first, bisect_left(chosen.keys, value))
            if bound.operator == "<":
                last = min(last, bisect_left(chosen.keys, value))
            if bound.operator in {"<=", "="}:
                last = min(last, bisect_right(chosen.keys, value))
        return chosen.rows[first:last] if (first, last) != (0, len(chosen.rows)) else chosen.rows

    def _ordered(self, rows: list[Record], order: Order, table: str, *, shuffle: bool) -> Selection:
        names = [name for name, _ in order]
        if names[:1] == ["sys_id"]:
            return Selection(rows[::-1] if order[0][1] else rows, settled=True)
        settled = "sys_id" in names or not shuffle
        if not settled and len(rows) > 1:
            rows = self._random.sample(rows, len(rows))
        for name, down in reversed(order):
            if found := text_of(name, self._data, table):
                text = named(*found, self._data)
                rows = sorted(rows, key=_folded(text, self._data.fold), reverse=down)
        return Selection(rows, settled)


def _folded(text: Text, fold: Callable[[str], str]) -> Callable[[Record], str]:
    return lambda row: fold(text(row))


def _is_bound(term: Term) -> bool:
    """Whether the term is one comparison of sys_id, which a sorted list answers by bisection."""
    if len(term) != 1 or term[0] is None:
        return False
    only = term[0]
    scripted = only.value.startswith("javascript:")
    return only.field == "sys_id" and only.operator in _BOUNDS and not scripted
