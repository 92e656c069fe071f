"""A window of modification dates, read by keyset: each page restarts at the last stamp it met.

    LAST_UPDATE:(2026-08-17T13:40:41.610Z;…)   sort=LAST_UPDATE asc,ASSET_ID asc

Paged by rank, a row that is changed meanwhile would move behind and another one be passed over
(`specs/easyvista.md` §9.7). Rows of one stamp are known by their keys; a page that holds one stamp
alone, as after a bulk import, is followed by rank within that stamp. Whatever the server returns
outside of the window shows that it dropped the condition, and is refused.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sources.base import Complete, Outcome, Partial
from sources.easyvista_answer import Listing, Query, at
from sources.easyvista_evidence import TOTAL
from sources.easyvista_moments import NoMoment, Writing, interval, moment
from sources.easyvista_pages import Asker, Batch, Batches, is_contradiction
from sources.errors import Refused, Unreadable

_RESTARTS: Final = 5
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Window:
    """The rows of *query* whose *field* is in [since, until), oldest first."""

    def __init__(
        self,
        asker: Asker,
        query: Query,
        field: str,
        bounds: tuple[datetime | None, datetime | None],
        writing: Writing,
    ) -> None:
        self._asker = asker
        self._query = replace(query, params={**query.params, "sort": _sort(field, query.key)})
        self._field = field
        self._since, self._until = bounds
        self._writing = writing
        self._grain = writing.grain
        self._from = self._since  # where the search begins
        self._offset = 0
        self._hung = False  # the first row asked for is the last one read
        self._stamp: datetime | None = None  # of the last row
        self._tied: set[str] = set()  # keys of the rows of that stamp
        self._last = ""  # key of the last row
        self._known: list[str] = []  # keys of the last page
        self._known_at = 0  # its offset
        self._restarts = 0
        self._loose = False  # a page was not hung on the one before
        self._first: int | None = None
        self._seen: set[int] = set()

    def batches(self) -> Batches:
        """Raises what `easyvista_answer.ask` raises, Refused where the server drops the window,
        Unreadable where its stamps cannot be read or do not come in their order.
        """
        while True:
            page = self._asker.page(self._searched(), self._offset)
            if self._first is None:
                self._first = page.total
            keys, stamps = self._query.identities(page.rows), self._stamps(page)
            if self._hung and keys[:1] != [self._last]:
                if self._restarts == _RESTARTS:
                    return Partial(f"rows of {self._field} {self._stamp} move while they are read")
                self._restart()
                continue
            rows = self._fresh(page.rows, keys, stamps)
            if not rows and self._is_end(page):
                if not (page.rows and page.more):
                    return self._outcome(page)
                self._look_behind(keys)
                continue
            if not rows and keys == self._known and self._offset > self._known_at:
                return Partial("a page brings again the records of an earlier page")
            self._known, self._known_at = keys, self._offset
            self._advance(keys, stamps, fresh=bool(rows))
            doubtful = page.doubtful
            del page
            wanted = [row for row, stamp in rows if self._holds(stamp)]
            if wanted:
                yield Batch(wanted, doubtful)
            del rows, wanted

    def _searched(self) -> Query:
        params = dict(self._query.params)
        within = f"{self._field}:{interval(self._from, self._until)}"
        searched = f"{params['search']},{within}" if params.get("search") else within
        return replace(self._query, params={**params, "search": searched})

    def _stamps(self, page: Listing) -> list[datetime]:
        """The stamps of the rows; one that is no record has that of the row before."""
        stamps: list[datetime] = []
        for row in page.rows:
            if not isinstance(row, dict):
                stamps.append(stamps[-1] if stamps else self._stamp or self._since or _EPOCH)
                continue
            stamps.append(self._read(at(row, self._field), page.where))
        low, high = self._from, self._until
        if low is not None and low == self._since:
            low -= self._grain  # where a page restarts, the stamp is one that was read
        for stamp in stamps:
            early = low is not None and stamp < low - _MILLISECOND
            if early or (high is not None and stamp > high + _MILLISECOND):
                raise self._dropped(f"{stamp.isoformat()} came", page.where)
        if stamps != sorted(stamps):
            raise Unreadable(
                f"the server does not sort by {self._field}",
                where=page.where,
                mend="check `modified` of the dataset, or read without a window",
            )
        return stamps

    def _read(self, value: Any, where: str) -> datetime:
        if value is None:
            raise self._dropped(f"records without {self._field} came", where)
        try:
            stamp = moment(str(value), self._writing)
            # Searches know no finer one: what is finer would never be behind.
            return stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)
        except NoMoment as odd:
            what = f"{self._field} cannot be read: {odd}"
        raise Unreadable(
            what,
            where=where,
            mend="declare `timezone` or `date_format` of the connection, or read without a window",
        )

    def _dropped(self, what: str, where: str) -> Refused:
        return Refused(
            f"the server drops the window on {self._field}: {what}",
            where=where,
            mend="check `modified` of the dataset, or read without a window",
        )

    def _fresh(
        self, rows: Sequence[Any], keys: list[str], stamps: list[datetime]
    ) -> list[tuple[Any, datetime]]:
        """The rows that are new, or newer than when they were read."""
        tied, stamp = self._tied, self._stamp
        ranks = [n for n, key in enumerate(keys) if stamps[n] != stamp or key not in tied]
        self._seen.update(hash(keys[rank]) for rank in ranks)
        return [(rows[rank], stamps[rank]) for rank in ranks]

    def _is_end(self, page: Listing) -> bool:
        if not page.rows:
            return True
        end = self._offset + len(page.rows)
        return end == page.total if page.total is not None else not page.more

    def _look_behind(self, keys: list[str]) -> None:
        """The total says that nothing follows the page, and its `@next` that something does."""
        self._known, self._known_at = keys, self._offset
        self._offset, self._hung = self._offset + len(keys), False

    def _advance(self, keys: list[str], stamps: list[datetime], *, fresh: bool) -> None:
        if not keys:
            return
        newest = stamps[-1]
        here = {key for key, stamp in zip(keys, stamps, strict=True) if stamp == newest}
        self._tied = here | self._tied if newest == self._stamp else here
        self._stamp, self._last = newest, keys[-1]
        alone = len(keys) == 1
        if fresh and (alone or stamps[0] != newest):
            self._from, self._offset, self._hung = newest, 0, False
        else:
            # One stamp fills the page: by rank, the last row asked for once more.
            self._offset += 1 if alone else len(keys) - 1
            self._hung = not alone
            self._loose = self._loose or alone

    def _restart(self) -> None:
        """Rows went from among those of the stamp: from its first one, more of them at once."""
        self._restarts += 1
        self._from, self._offset, self._hung = self._stamp, 0, False
        self._asker.size *= 2

    def _holds(self, stamp: datetime) -> bool:
        """Whether it may be in the window: what its text does not tell speaks for it."""
        early = self._since is not None and stamp + self._grain <= self._since
        return not early and (self._until is None or stamp < self._until)

    def _outcome(self, page: Listing) -> Outcome:
        """*page* is the last one, in which nothing was new."""
        read, end = len(self._seen), self._offset + len(page.rows)
        if is_contradiction(page):
            return Partial("an empty page announces a next one, and no total tells what remains")
        if self._loose:
            return Partial(
                "pages of one record do not tell whether rows moved while they were read"
            )
        if page.total not in (None, end):
            return Partial(f"{TOTAL} says {page.total:,} where {end:,} records are left")
        if self._first is not None and read < self._first:
            return Partial(
                f"{TOTAL} says {self._first:,} in the window, {read:,} records were received"
            )
        total = f", {TOTAL} says {self._first:,}" if self._first is not None else ""
        return Complete(f"{read:,} records by {self._field}, nothing follows the last one{total}")


def _sort(field: str, key: Sequence[str]) -> str:
    return ",".join(f"{name} asc" for name in (field, *key))
