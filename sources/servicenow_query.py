"""The encoded queries that are sent: the rows a dataset wants, from one sys_id to another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import product
from typing import Final
from urllib.parse import quote

from sources.base import Scope, Slice
from sources.errors import Refused, Unreadable
from sources.servicenow_dataset import Condition, ServiceNowDataset
from sources.servicenow_encoded import columns, conditions, contradictions, escaped
from sources.servicenow_pysnow import pysnow

ORDER: Final = "ORDERBYsys_id"
UPDATED: Final = "sys_updated_on"
KEY: Final = "sys_id"
CLASS: Final = "sys_class_name"

# By our word for a condition: the method of pysnow's builder.
_WORDS: Final = {
    "eq": "equals",
    "neq": "not_equals",
    "contain": "contains",
    "not_contain": "not_contains",
    "begin_with": "starts_with",
    "end_with": "ends_with",
}
_LISTED: Final = 100  # values in one list
_LISTED_BYTES: Final = 4_000  # as they are written in an address


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table: those of `filter`, from sys_id `low` up to `high` (not included)."""

    filter: str = ""
    low: str = ""
    high: str = ""
    after: str = ""  # the sys_id that the rows come after

    def beyond(self, sys_id: str) -> "Rows":
        """Those of them that come after *sys_id*, in the order of the database."""
        return replace(self, after=sys_id)

    @property
    def query(self) -> str:
        """As it is sent, without its order."""
        parts = [self.filter]
        if self.after:
            parts.append(f"sys_id>{escaped(self.after)}")
        elif self.low:
            parts.append(f"sys_id>={escaped(self.low)}")
        if self.high:
            parts.append(f"sys_id<{escaped(self.high)}")
        return "^".join(part for part in parts if part)

    @property
    def ordered(self) -> str:
        return f"{self.query}^{ORDER}" if self.query else ORDER


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of its table a dataset wants.

    `parts`: encoded queries, of which a row is in one: a list that is too long for an address is
    asked for bit by bit. `columns`: those that are compared. `impossible`: by column whose text or
    order is compared, a query that no row can meet.
    """

    parts: tuple[str, ...] = ("",)
    columns: frozenset[str] = field(default_factory=frozenset)
    impossible: Mapping[str, str] = field(default_factory=dict)

    def within(self, window: str) -> "Filter":
        """The same rows, if *window* holds for them too."""
        if not window:
            return self
        parts = tuple("^".join(each for each in (part, window) if each) for part in self.parts)
        return replace(self, parts=parts)

    def rows(self, part: Slice | None) -> tuple[Rows, ...]:
        low, high = (part.low, part.high) if part else ("", "")
        return tuple(Rows(each, low, high) for each in self.parts)


def filter_of(
    dataset: ServiceNowDataset, types: Sequence[str] = (), ids: Iterable[str] | None = None
) -> Filter:
    """*types*: sys_ids of the types of relations that are wanted; *ids*: of the rows, if not all.

    Ids are compared in lists of their own, apart from those of the dataset's conditions.
    """
    terms: list[tuple[str, ...]] = []
    compared: set[str] = set()
    impossible: dict[str, str] = {}
    if isinstance(dataset.query, str):
        terms.append((conditions(dataset.query),))
        compared |= columns(dataset.query)
        impossible |= contradictions(dataset.query)
    else:
        for condition in dataset.query:
            terms.append(tuple(_written(condition)))
            compared |= {each.field for each in condition.any or (condition,)}
            for each in condition.any or (condition,):
                impossible |= contradictions(_one(each))
    for column, values in ((CLASS, dataset.classes), ("type", types)):
        if values:
            terms.append(tuple(_lists(column, values)))
            compared.add(column)
    if ids is not None:
        listed = sorted(ids)  # an empty list would be no condition at all
        terms.append(tuple(_lists(KEY, listed)) if listed else (f"{KEY}ISEMPTY",))
    parts = ["^".join(part for part in parts if part) for parts in product(*terms)]
    return Filter(tuple(parts), frozenset(compared), impossible)


def _written(condition: Condition) -> Iterator[str]:
    """The encoded text of a condition; several, of a list that is long."""
    if condition.cond == "is_one_of":
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        yield from _lists(condition.field, [_text(value) for value in values])
        return
    yield "^OR".join(map(_one, condition.any or (condition,)))


def _one(condition: Condition) -> str:
    """The text of one condition, by pysnow, its value escaped: pysnow escapes nothing."""
    value = condition.value
    asked = pysnow().QueryBuilder().field(condition.field)
    if isinstance(value, tuple):
        add = asked.equals if condition.cond == "is_one_of" else asked.not_equals
        return str(add([escaped(_text(each)) for each in value]))
    if condition.cond == "instance_of":  # pysnow has no word for it
        return f"{condition.field}INSTANCEOF{escaped(_text(value))}"
    if condition.cond == "exist":
        return str(asked.is_not_empty() if value else asked.is_empty())
    if condition.cond in {"gt", "lt"}:
        return str((asked.greater_than if condition.cond == "gt" else asked.less_than)(value))
    add = getattr(asked, _WORDS[condition.cond or "eq"])
    return str(add(escaped(_text(value))))


def _lists(column: str, values: Sequence[str]) -> Iterator[str]:
    """Conditions that the column is one of *values*, each short enough for an address."""
    chunk: list[str] = []
    size = 0
    for value in dict.fromkeys(map(escaped, values)):
        length = len(quote(value)) + 3
        if chunk and (len(chunk) == _LISTED or size + length > _LISTED_BYTES):
            yield _list(column, chunk)
            chunk, size = [], 0
        chunk.append(value)
        size += length
    yield _list(column, chunk)


def _list(column: str, values: list[str]) -> str:
    asked = pysnow().QueryBuilder().field(column)
    return str(asked.equals(values[0] if len(values) == 1 else values))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Window:
    """Stamps of the rows of a backfill, from `low` up to `high` (not included), in UTC."""

    low: datetime | None
    high: datetime

    @classmethod
    def of(cls, scope: Scope, dataset: ServiceNowDataset, date: str) -> "Window | None":
        """The window of *scope*, that ends a little before *date*, the instance's own now.

        Never ours: a clock ahead of the instance's would leave rows behind (specs §5). Earlier
        rows are let in, since an import stamps its rows when it writes and shows them when it ends.
        """
        if scope.since is None and scope.until is None:
            return None
        try:
            now = parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            raise Unreadable(
                "the instance does not say what time it is: its answer has no Date",
                where=f"dataset on table {dataset.name}",
                mend="read everything, or let the Date header through the proxy",
            ) from None
        high = now - timedelta(seconds=dataset.lag)
        if scope.until is not None:
            high = min(high, scope.until)
        low = scope.since and scope.since - timedelta(seconds=dataset.overlap)
        return cls(low and _whole(low), _whole(high + timedelta(microseconds=999_999)))

    @property
    def query(self) -> str:
        asked = pysnow().QueryBuilder().field(UPDATED)
        if self.low is not None:
            asked = asked.greater_than_or_equal(self.low).AND().field(UPDATED)
        return str(asked.less_than(self.high))

    @property
    def impossible(self) -> str:
        """What no row can meet, unless the instance ignores ranges of stamps."""
        high = f"{self.high:%Y-%m-%d %H:%M:%S}"
        return f"{UPDATED}>{high}^{UPDATED}<{high}"

    def holds(self, stamps: Sequence[str]) -> bool:
        """Whether all *stamps* are in it, as texts of the API."""
        low = f"{self.low:%Y-%m-%d %H:%M:%S}" if self.low else ""
        return not stamps or (low <= min(stamps) and max(stamps) < f"{self.high:%Y-%m-%d %H:%M:%S}")


def _whole(moment: datetime) -> datetime:
    """*moment* to the second before it: stamps have no fractions."""
    return moment.astimezone(UTC).replace(microsecond=0)


def slices_of(most: int) -> tuple[Slice, ...]:
    """At most *most* ranges of sys_ids, by their first digits.

    The first one has no beginning and the last one no end, so that ids that are no GUIDs are in one
    of them; in whatever order the database compares, a row is on one side of a bound.
    """
    of = max(1, min(most, 256))
    bounds = ["", *(f"{256 * rank // of:02x}" for rank in range(1, of)), ""]
    return tuple(Slice(rank, of, bounds[rank], bounds[rank + 1]) for rank in range(of))


def too_long(size: int, where: str) -> Refused:
    return Refused(
        f"the address of a page would have {size:,} bytes, and an instance refuses long ones",
        where=where,
        mend="compare with fewer values in `query`, or read fewer columns",
    )
