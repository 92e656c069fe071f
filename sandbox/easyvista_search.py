"""The search grammar of EasyVista (specs/easyvista.md §5), and its three fates.

A condition is honoured, dropped in silence (the whole table comes back when none survives), or
the call is rejected with a 590: `Rejected`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.easyvista_dates import bound, day, milliseconds, period
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_schema import Kind
from sandbox.easyvista_store import Column, Store

_CONDITION: Final = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(!~|!:|!|~|:)\s*(.*?)\s*", re.DOTALL)
_INTEGER: Final = re.compile(r"\s*[+-]?\d+\s*")
_LARGEST: Final = 2**31 - 1  # of a column of numbers


class Rejected(Exception):
    """The server answers 590; the text is its message."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`FIELD op value`; *interval* when the value is `(a;b)`."""

    field: str
    operator: str  # `:`, `~`, `!` or `!~`
    value: str
    interval: bool = False


@lru_cache(maxsize=4096)
def conditions(search: str) -> tuple[Condition, ...]:
    """Those that can be read; the others are dropped. Raises Rejected for `(a,b)`."""
    return tuple(
        condition
        for piece in _pieces(search)
        if (condition := _condition(piece.strip())) is not None
    )


def _pieces(search: str) -> Iterator[str]:
    """Between commas outside of quotes and brackets; there is no escape."""
    quoted, depth, begun = False, 0, 0
    for place, letter in enumerate(search):
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and not quoted and depth <= 0:
            yield search[begun:place]
            begun = place + 1
    yield search[begun:]


def _condition(piece: str) -> Condition | None:
    read = _CONDITION.fullmatch(piece)
    if read is None:
        return None
    name, operator, value = read.groups()
    name, operator = name.upper(), operator.removesuffix(":") or ":"
    if value.startswith("(") and value.endswith(")"):
        if "," in value:
            raise Rejected(f"Incorrect syntax near '{value}'")
        return Condition(name, operator, value[1:-1], interval=True) if ";" in value else None
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return Condition(name, operator, value)


class Search:
    """Searches in one store, under the knobs and the clock of its tenant."""

    def __init__(self, store: Store, knobs: EasyVistaKnobs) -> None:
        self._store = store
        self._knobs = knobs
        self._zone = ZoneInfo(knobs.zone)
        self._now = datetime.fromisoformat(knobs.now)
        self._dropped = {name.upper() for name in knobs.dropped}

    def found(
        self, table: str, search: str, positions: Sequence[int], *, links: bool = True
    ) -> Sequence[int]:
        """Those of *positions* that meet every condition honoured; raises Rejected.

        Conditions on one field are alternatives (before build 2018.1.183 the last one counts).
        """
        fields: dict[str, list[Condition]] = {}
        for condition in conditions(search):
            fields.setdefault(condition.field, []).append(condition)
        for name, alternatives in fields.items():
            column = self.column(table, name, links=links)
            if column is None or column.kind is Kind.MEMO or name in self._dropped:
                continue
            if self._knobs.build == "2018":
                alternatives = alternatives[-1:]  # noqa: PLW2901 - what is left of them
            keeps = [
                keep for each in alternatives if (keep := self._keep(each, column.kind)) is not None
            ]
            if keeps:
                positions = _kept(positions, column.values, keeps)
        return positions

    def column(self, table: str, path: str, *, links: bool = True) -> Column | None:
        """A column that can be searched; None for paths, unknown names, bare names of links."""
        head, dot, tail = path.rpartition(".")
        if tail.endswith("_PATH") or (dot and not links):
            return None
        holder = self._store.table(table)
        if not dot:
            return None if tail in holder.denied else self._store.column(table, tail)
        link = holder.links.get(head)
        if link is None or tail in self._store.table(link.table).denied:
            return None
        return self._store.linked(table, head, tail)

    def _keep(self, condition: Condition, kind: Kind) -> Callable[[Any], bool] | None:
        """Whether a value meets the condition; None when it is dropped. Raises Rejected."""
        value, negated = condition.value, condition.operator.startswith("!")
        if condition.interval:
            return None if condition.operator != ":" else self._interval(condition, kind)
        if '"' in value:  # there is no way to say one: such a value equals nothing
            return lambda _: False
        if value.lower() in ("is_null", "is_not_null") and self._knobs.build != "2018":
            unset = (value.lower() == "is_null") != negated
            return lambda held: (held is None) == unset
        keep = self._like(value) if condition.operator.endswith("~") else self._equal(value, kind)
        # as in SQL, an unset value is neither equal nor different
        return (lambda held: held is not None and not keep(held)) if negated else keep

    def _equal(self, value: str, kind: Kind) -> Callable[[Any], bool]:
        if kind in (Kind.DATE, Kind.STAMP) and (days := period(value, self._now)):
            first, last = (each.isoformat() for each in days)
            if kind is Kind.DATE:
                return lambda held: held is not None and first <= held < last
            begin, end = self._instant(first), self._instant(last)
            return lambda held: held is not None and begin <= held < end
        wanted = self._value(value, kind)
        if kind is Kind.TEXT and self._knobs.collation == "insensitive":
            wanted = folded(wanted)
            return lambda held: held is not None and folded(held) == wanted
        return lambda held: held == wanted

    def _like(self, value: str) -> Callable[[Any], bool]:
        """SQL's LIKE with * for %; there is no escape."""
        if self._knobs.like == "contains" and not set(value) & set("*%"):
            value = f"%{value}%"
        pattern = _like_pattern(value, insensitive=self._knobs.collation == "insensitive")
        return lambda held: held is not None and pattern.fullmatch(str(held)) is not None

    def _interval(self, condition: Condition, kind: Kind) -> Callable[[Any], bool] | None:
        low, _, high = condition.value.partition(";")
        if kind in (Kind.INT, Kind.DECIMAL):
            if self._knobs.numeric_intervals == "rejected":
                raise Rejected(f"Conversion failed when converting '{condition.value}'")
            if self._knobs.numeric_intervals == "dropped":
                return None
        if kind is Kind.TEXT or not (low or high):
            return None
        below = self._value(low.strip(), kind) if low.strip() else None
        above = self._value(high.strip(), kind) if high.strip() else None
        return _within(below, above, open_end=self._knobs.interval_end == "excluded")

    def _value(self, text: str, kind: Kind) -> Any:
        """What a condition compares with; raises Rejected when it is not of the column's kind."""
        read: Any
        match kind:
            case Kind.INT:
                read = int(text) if _INTEGER.fullmatch(text) else None
                read = None if read is not None and abs(read) > _LARGEST else read
            case Kind.DECIMAL:
                read = _amount(text)
            case Kind.DATE:
                read = day(text, self._zone)
            case Kind.STAMP:
                read = bound(text, self._zone)
            case _:
                return text
        if read is None:
            raise Rejected(f"Conversion failed when converting the value '{text}' to {kind.value}")
        return read

    def _instant(self, iso: str) -> int:
        at = milliseconds(datetime.fromisoformat(iso).replace(tzinfo=self._zone))
        return at or 0


def _kept(
    positions: Iterable[int], values: list[Any], keeps: Sequence[Callable[[Any], bool]]
) -> list[int]:
    if len(keeps) == 1:
        keep = keeps[0]
        return [place for place in positions if keep(values[place])]
    return [place for place in positions if any(keep(values[place]) for keep in keeps)]


def _within(low: Any, high: Any, *, open_end: bool) -> Callable[[Any], bool]:
    if high is None:
        return lambda held: held is not None and held >= low
    if open_end:
        return lambda held: held is not None and (low is None or held >= low) and held < high
    return lambda held: held is not None and (low is None or held >= low) and held <= high


def _amount(text: str) -> Decimal | None:
    try:
        read = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


def folded(text: str) -> str:
    return text.rstrip(" ").casefold()


@lru_cache(maxsize=1024)
def _like_pattern(value: str, *, insensitive: bool) -> re.Pattern[str]:
    pieces = re.findall(r"(\[[^\]]+\])|(.)", value, re.DOTALL)
    written = "".join(_like_piece(group, letter) for group, letter in pieces)
    return re.compile(written, re.DOTALL | (re.IGNORECASE if insensitive else 0))


def _like_piece(group: str, letter: str) -> str:
    if group:
        inside = group[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{inside}]"
    if letter in "*%":
        return ".*"
    return "." if letter == "_" else re.escape(letter)
