"""A list read page by page: by offset, each page hung on the last row of the one before.

The server is asked for the order of the key, and each page for the last row read once more. Where
that row is not the first one, rows came or went meanwhile: the page is read from the last row that
is known, or the walk goes back to it, so that nothing behind it is passed over. Offsets advance by
the rows received, URLs are built here and `@next` is never followed (`specs/easyvista.md` §9).
"""

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from sources.base import Outcome, Partial
from sources.easyvista_answer import Listing, Query, ask
from sources.easyvista_dataset import SMALLEST
from sources.easyvista_evidence import Sweep
from sources.easyvista_session import EasyVistaSession, Overrun
from sources.ranks import Ranks
from sources.verdict import Later

log = logging.getLogger(__name__)

_FRUITLESS: Final = 50  # answers in a row without a new record


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that no batch held before."""

    rows: list[Any]
    doubtful: bool


Batches = Generator[Batch, None, Outcome]


def is_contradiction(page: Listing) -> bool:
    """Whether *page* has no rows and says that more follow."""
    return not page.rows and page.more and page.total is None


class Asker:
    """Asks for the pages of lists, smaller ones where they take the server too long."""

    def __init__(self, session: EasyVistaSession, size: int) -> None:
        self.session = session
        self.size = size

    def page(self, query: Query, offset: int, most: int | None = None) -> Listing:
        """The page at *offset*, of at most *most* rows.

        Halved down to 50 rows when it is a matter of time, or a 5xx that repeating does not mend.
        """
        overruns = 0
        while True:
            # One more than the page for the row that is asked for again.
            size = self.size + (offset > 0)
            size = size if most is None else min(size, most)
            try:
                return ask(self.session, query.call(size, offset))
            except Overrun as slow:
                overruns += self.size <= SMALLEST
                if overruns >= self.session.connection.retry.attempts:
                    raise
                self._halve(slow)
            except Later as broken:
                if broken.retry_after is not None or self.size <= SMALLEST:
                    raise
                self._halve(broken)

    def whole(self, query: Query, total: int) -> Listing:
        """All rows at once, for a build that knows no offset."""
        log.warning("the build knows no offset: all %d records are asked for at once", total)
        return ask(self.session, query.call(total + 1, 0))  # one more would show a wrong total

    def _halve(self, why: Exception) -> None:
        if self.size > SMALLEST:
            self.size = max(self.size // 2, SMALLEST)
            log.warning("pages of %d records from now on: %s", self.size, why)


class Walk:
    """The rows of *query* from rank `low` to rank `high`."""

    def __init__(self, asker: Asker, query: Query, ranks: Ranks | None = None) -> None:
        self._asker = asker
        self.query = query
        self._ranks = ranks or Ranks()
        self.sweep = Sweep(query.key, self._ranks.low)
        self._offset = max(self._ranks.low - 1, 0)
        self._hung = False  # the first row asked for is the last one read
        self._first: list[str] = []  # keys of the first page
        self._known: list[str] = []  # keys of the last page
        self._known_at = 0  # its offset
        self._seam = ["", ""]
        self._fruitless = 0

    def batches(self) -> Batches:
        """Raises what `easyvista_answer.ask` raises."""
        outcome = None
        while outcome is None:
            page = self._asker.page(self.query, self._offset, self._most())
            rows, outcome = self._turn(page)
            doubtful = page.doubtful
            del page  # nothing of it may live on while the next one is decoded
            self._fruitless = 0 if rows else self._fruitless + 1
            if rows:
                yield Batch(rows, doubtful)  # which whoever takes it may empty
            del rows
            if self._fruitless > _FRUITLESS:
                outcome = Partial("rows moved too much while they were read")
        return outcome

    def _room(self) -> int | None:
        """How many rows the slice still wants."""
        ranks = self._ranks
        return None if ranks.high is None else ranks.high - ranks.low - self.sweep.received

    def _most(self) -> int | None:
        room = self._room()
        return None if room is None else room + 1

    def _turn(self, page: Listing) -> tuple[list[Any], Outcome | None]:
        """The new rows of *page*, and the outcome when nothing is to be asked for any more."""
        keys = self.query.identities(page.rows)
        self.sweep.note(page)
        if self._is_repeated(keys):
            return self._repeated(page)
        if self._is_lost(keys):
            self.sweep.moved = True
            self._offset = max(self._offset - self._asker.size, 0)
            return [], None
        begins = not self._known
        rows, fresh = self._fresh(page.rows, keys)
        if begins:
            self._first = keys
            self._seam = [keys[0], keys[0]] if self._ranks.low and keys else ["", ""]
        room = self._room()
        rows, fresh = rows[:room], fresh[:room]
        if fresh:
            if not self.sweep.add(fresh):
                return [], Partial("a page brings again the records of earlier ones")
            self._seam[1] = fresh[-1]
        outcome = self._end(page, keys, fresh=bool(fresh))
        self._advance(keys, fresh=bool(fresh))
        return rows, outcome

    def _is_repeated(self, keys: list[str]) -> bool:
        if not self._offset or not keys or (self._hung and keys[:1] == self._known[-1:]):
            return False
        further = self._offset > self._known_at
        return _begin_alike(keys, self._first) or (further and _begin_alike(keys, self._known))

    def _repeated(self, page: Listing) -> tuple[list[Any], Outcome | None]:
        """An old build, which does not know offsets, gives the first page again and no `@next`."""
        total = page.total
        if (page.more and self.query.offsets) or total is None or not self._ranks.whole:
            return [], Partial("a page brings again the records of an earlier page")
        whole = self._asker.whole(self.query, total)
        self.sweep.note(whole)
        rows, fresh = self.sweep.unseen(whole.rows, self.query.identities(whole.rows))
        self.sweep.add(fresh)
        end = "the build knows no offset and gave all at once"
        return rows, self.sweep.outcome(end, len(whole.rows))

    def _is_lost(self, keys: list[str]) -> bool:
        """Whether so many rows went that none of the page before stands where it stood."""
        if not self._hung or not self._offset or keys[:1] == self._known[-1:]:
            return False
        return set(self._known).isdisjoint(keys)

    def _fresh(self, rows: list[Any], keys: list[str]) -> tuple[list[Any], list[str]]:
        """The rows after the last one read."""
        if not self._known:
            before = 1 if self._ranks.low else 0
            return rows[before:], keys[before:]
        if not self._hung:
            self.sweep.loose = self.sweep.loose or bool(keys)
            return rows, keys
        if keys[:1] == self._known[-1:] and not self.sweep.moved:
            return rows[1:], keys[1:]
        self.sweep.moved = True  # and once they have, rows that were read may come anywhere
        return self.sweep.unseen(rows, keys)

    def _end(self, page: Listing, keys: list[str], *, fresh: bool) -> Outcome | None:
        ranks, end = self._ranks, self._offset + len(keys)
        seam = (self._seam[0], self._seam[1])
        if self._room() == 0:
            return self.sweep.outcome_of_slice(seam)
        if fresh and not (end == page.total and not page.more and page.room):
            return None  # only a page with room left, whose total agrees, needs no other after it
        if keys and page.more if page.total is None else keys and end != page.total:
            return None
        if is_contradiction(page):
            return Partial("an empty page announces a next one, and no total tells what remains")
        if ranks.high is not None or (ranks.low and not (keys or self._known)):
            return Partial("rows went while they were read: a slice ends before its last rank")
        told = "the last page has room left" if fresh else "nothing follows the last one"
        return self.sweep.outcome(told, end, seam if ranks.low else None)

    def _advance(self, keys: list[str], *, fresh: bool) -> None:
        end = self._offset + len(keys)
        # The last row alone once more, and more to come: asked again before it is done without.
        again = self._hung and len(keys) == 1 and not self._fruitless
        if keys:
            self._known, self._known_at = keys, self._offset
        self._hung = fresh or again or (self.sweep.moved and len(keys) > 1)
        self._offset = end - 1 if self._hung else end


def _begin_alike(keys: list[str], others: list[str]) -> bool:
    """Whether two pages begin with the same row, and one goes on as the other until it ends."""
    both = min(len(keys), len(others))
    return both > 0 and keys[:both] == others[:both]
