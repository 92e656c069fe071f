"""The ids of the objects of a dataset, listed before anything else: what there is to be read."""

from dataclasses import dataclass
from itertools import chain
from typing import Final

from sources.base import Slice
from sources.errors import SourceError, Unreachable, Unreadable
from sources.itop_dataset import ItopDataset
from sources.itop_fields import get
from sources.itop_objects import found_in, names_of
from sources.itop_oql import Selection
from sources.itop_session import ItopSession
from sources.picked import chunks

_FIRST_CUT: Final = 2**16  # ids are counted from 1 per root class
_NO_ID: Final = 2**63


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ids after `low` up to `high`; None: to the end of what there is."""

    low: int | None = None
    high: int | None = None

    @classmethod
    def of(cls, part: Slice | None) -> "Bounds":
        if part is None:
            return cls()
        low, high = (int(bound) if bound else None for bound in (part.low, part.high))
        return cls(low, high)

    def __str__(self) -> str:
        low = "" if self.low is None else f" after {self.low}"
        return low + ("" if self.high is None else f" up to {self.high}")

    def hold(self, number: int) -> bool:
        above = self.low is None or number > self.low
        return above and (self.high is None or number <= self.high)

    def halves(self) -> tuple["Bounds", "Bounds"] | None:
        """Both halves; without an end, the first one goes twice as far as those before."""
        low = self.low or 0
        cut = max(2 * low, _FIRST_CUT) if self.high is None else (low + self.high) // 2
        if cut <= low or cut >= _NO_ID:
            return None
        return Bounds(self.low, cut), Bounds(cut, self.high)


@dataclass(frozen=True, slots=True)
class Listing:
    """The `ids`, ascending, the real `classes` of their objects, and why more may be lacking."""

    ids: list[int]
    classes: frozenset[str]
    doubts: tuple[str, ...] = ()


class Lister:
    """Lists the objects of a selection; a list that is too much for iTop is asked for in parts."""

    def __init__(
        self,
        session: ItopSession,
        table: ItopDataset,
        selection: Selection,
        only: frozenset[int] | None = None,
    ) -> None:
        self._session = session
        self._table = table
        self._selection = selection
        self._only = only  # the ids that are asked about, where these are not all

    def listing(self, bounds: Bounds) -> Listing:
        """Raises what the session raises when iTop answers nothing else either."""
        if self._only is not None and not self._selection.oql:
            parts = [self._among(some) for some in chunks(sorted(self._only))]
        else:
            parts = list(self._parts(bounds, once=False))
        ids = sorted(chain.from_iterable(part.ids for part in parts))
        if self._selection.oql:  # it takes no bounds
            only = self._only
            ids = [each for each in ids if bounds.hold(each) and (only is None or each in only)]
        classes = frozenset().union(*(part.classes for part in parts))
        doubts = tuple(doubt for part in parts for doubt in part.doubts)
        return Listing(ids, classes, doubts)

    def is_well(self) -> bool:
        """Whether iTop answers a query for no object of the class."""
        try:
            self._session.do(get(self._table, self._selection.none(), "id"))
        except (Unreachable, Unreadable):
            return False
        return True

    def _parts(self, bounds: Bounds, *, once: bool) -> list[Listing]:
        failure: SourceError
        try:
            return [self._one(bounds, once=once)]
        except (Unreachable, Unreadable) as failed:
            failure = failed
        halves = None if self._selection.oql else bounds.halves()
        if halves is None or not self.is_well():
            raise failure
        return [part for half in halves for part in self._parts(half, once=True)]

    def _one(self, bounds: Bounds, *, once: bool) -> Listing:
        query = self._selection.all(bounds.low, bounds.high)
        answer = self._session.do(get(self._table, query, "id"), once=once)
        ids, classes = names_of(answer)
        doubts = [count_doubt("the list of ids", found_in(answer), len({*ids}))]
        if not self._selection.oql and not all(map(bounds.hold, ids)):
            doubts.append(f"iTop answers the list of ids{bounds} with others")
        return Listing(ids, classes, tuple(filter(None, doubts)))

    def _among(self, asked: list[int]) -> Listing:
        answer = self._session.do(get(self._table, self._selection.among(asked), "id"))
        ids, classes = names_of(answer)
        doubts = [count_doubt("the list of ids", found_in(answer), len({*ids}))]
        if not {*asked}.issuperset(ids):
            doubts.append("iTop answers a list of ids with others")
        return Listing(ids, classes, tuple(filter(None, doubts)))


def count_doubt(of: str, found: int | None, received: int) -> str:
    """Why the number of objects of an answer is not the one it says; nothing when it is."""
    if found == received:
        return ""
    says = "says no number" if found is None else f"says Found: {found:,}"
    return f"{of} {says}, {received:,} objects came"
