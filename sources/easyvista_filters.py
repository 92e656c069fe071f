"""Conditions compared again on every record: the server may drop them and return everything.

A dropped condition looks like one that all rows meet (`specs/easyvista.md` §5). What does not meet
its condition is left out here: nothing is lost, since too much came, and the evidence tells it. The
comparison is wider than any database's (case, accents, blanks), so that it never leaves out what
the server kept for good reason.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sources.easyvista_answer import Query, ask
from sources.easyvista_moments import NoMoment, Writing, is_day, moment
from sources.easyvista_query import has
from sources.easyvista_search import EasyVistaCondition
from sources.easyvista_session import EasyVistaSession
from sources.errors import Refused

_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": str.__eq__,
    "is_one_of": str.__eq__,
    "begin_with": str.startswith,
    "end_with": str.endswith,
    "contain": str.__contains__,
}


@dataclass(slots=True)
class Check:
    """One condition, and what it met: records it left out, records it could not compare."""

    condition: EasyVistaCondition
    writing: Writing
    left_out: int = 0
    unread: int = 0
    _wanted: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._wanted = tuple(map(_plain, self.condition.values))

    def met_by(self, row: Any) -> bool:
        """Whether *row* meets it, or cannot be compared."""
        if not isinstance(row, dict):
            return True  # a reject, whatever was asked
        value: Any = row
        for step in self.condition.path:
            if value is None:  # an empty link
                break
            if not isinstance(value, dict) or step not in value:
                self.unread += 1  # it was asked for: a record without it is an odd one
                return True
            value = value[step]
        if value is None:
            return False
        if self.condition.cond == "between":
            return self._is_between(str(value))
        test, found = _TESTS[self.condition.cond], _plain(str(value))
        return any(test(found, wanted) for wanted in self._wanted)

    def _is_between(self, value: str) -> bool:
        try:
            return self._is_late(value) and not self._is_over(value)
        except NoMoment:
            self.unread += 1
            return True

    def _is_late(self, value: str) -> bool:
        """Whether *value* may be at or after `since`, whatever its text does not tell."""
        since = self.condition.since
        if not since or is_day(since):
            return not since or self.writing.days(value)[1] >= since
        return moment(value, self.writing) + self.writing.grain > moment(since, Writing())

    def _is_over(self, value: str) -> bool:
        """Whether *value* cannot be before `until`."""
        until = self.condition.until
        if not until or is_day(until):
            return bool(until) and self.writing.days(value)[0] >= until
        return moment(value, self.writing) >= moment(until, Writing())

    def is_blind(self, rows: Iterable[Any]) -> bool:
        """Whether no record has the field at all."""
        return not any(has(row, ".".join(self.condition.path)) for row in rows)


class Filters:
    """The conditions of a dataset over the records of one extraction."""

    def __init__(self, conditions: Sequence[EasyVistaCondition], writing: Writing) -> None:
        self.checks = [Check(condition, writing) for condition in conditions]
        self._blind: list[EasyVistaCondition] = []
        self._looked = False

    def blind(self, rows: Sequence[Any]) -> list[EasyVistaCondition]:
        """Conditions on fields that the first records do not have: nothing can be compared."""
        if self._looked or not rows:
            return []
        self._looked = True
        self._blind = [check.condition for check in self.checks if check.is_blind(rows)]
        self.checks = [check for check in self.checks if check.condition not in self._blind]
        return self._blind

    def kept(self, rows: list[Any]) -> list[Any]:
        """The records that meet every condition."""
        for check in self.checks:
            met = [row for row in rows if check.met_by(row)]
            check.left_out += len(rows) - len(met)
            rows = met
        return rows

    @property
    def left_out(self) -> int:
        return sum(check.left_out for check in self.checks)

    def facts(self) -> list[str]:
        """What the evidence must tell."""
        told = [
            f"the server did not keep to {check.condition}: {check.left_out:,} records were left "
            "out here"
            for check in self.checks
            if check.left_out
        ]
        told += [
            f"{check.unread:,} records could not be compared with {check.condition}"
            for check in self.checks
            if check.unread
        ]
        told += [f"{each} was not compared again: no record has the field" for each in self._blind]
        return told


def text_of(conditions: Iterable[EasyVistaCondition]) -> str:
    return ",".join(each.search for each in conditions)


def narrowed(query: Query, search: str) -> Query:
    """*query* with another text of search, none for all rows."""
    params = {name: value for name, value in query.params.items() if name != "search"}
    return replace(query, params={**params, "search": search} if search else params)


def total(session: EasyVistaSession, query: Query) -> int | None:
    """How many rows the server says a list has."""
    return ask(session, query.call(1, 0)).total


def trusted(
    session: EasyVistaSession, query: Query, conditions: Sequence[EasyVistaCondition]
) -> list[EasyVistaCondition]:
    """The conditions that the server can be asked for.

    Builds before 2018.1.183 read one value alone of a field that is repeated, and rows would be
    lost: the totals of its values must add up to that of all. Where not, it is compared here alone.
    """
    kept = list(conditions)
    for condition in conditions:
        if len(condition.alternatives) < 2:
            continue
        others = [each for each in kept if each is not condition]
        every = total(session, narrowed(query, text_of([*others, condition])))
        each_alone = [
            total(session, narrowed(query, ",".join([*(o.search for o in others), alone])))
            for alone in condition.alternatives
        ]
        if every is None or every != sum(count or 0 for count in each_alone):
            kept = others
    return kept


def settle(
    session: EasyVistaSession,
    query: Query,
    sent: Sequence[EasyVistaCondition],
    blind: Iterable[EasyVistaCondition],
) -> None:
    """Raises Refused for a condition that cannot be compared here and changes nothing there."""
    for condition in blind:
        others = [each for each in sent if each is not condition]
        with_it = total(session, narrowed(query, text_of(sent)))
        without = total(session, narrowed(query, text_of(others)))
        again = total(session, narrowed(query, text_of(sent)))  # rows may have come between
        if condition not in sent or with_it is None or without in (with_it, again):
            count = "as many" if with_it is None else f"{with_it:,}"
            raise Refused(
                f"the server drops the condition {condition}: it gives {count} records with it and "
                f"without it, and none of them has {condition.field}",
                where=f"{query.url} search={text_of(sent)}",
                mend="correct the name of the field; one of a linked object is written with it, as "
                "in DEPARTMENT.DEPARTMENT_FR",
            )


def _plain(text: str) -> str:
    """Without case, accents, and blanks at the ends."""
    letters = unicodedata.normalize("NFKD", text.strip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
