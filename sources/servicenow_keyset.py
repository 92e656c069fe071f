"""The walk over the rows of a query, page after page, to an end that the instance itself states.

Limits count rows before access rules take some out: a page may be short or empty, and others follow
it (specs/servicenow.md §4.1). So the end is where the instance counts no more rows than the page
had room for; rows that are counted there and never come are walked across.
"""

import time
from collections.abc import Generator
from typing import Final

from sources.servicenow_answer import Heavy
from sources.servicenow_client import Instance, Sheet, View
from sources.servicenow_encoded import is_script
from sources.servicenow_order import Sequel
from sources.servicenow_pace import Pace
from sources.servicenow_query import Rows
from sources.servicenow_values import keys_of

_BEYOND: Final = 10  # pages walked past what was counted when the crossing began


class Walk:
    """One walk over *rows* as *view* shows them.

    `doubt` says, once the pages have ended, why rows may be missing. `total` is what the instance
    counted at the first page, rows that are hidden included.
    """

    def __init__(
        self,
        instance: Instance,
        view: View,
        rows: Rows,
        columns: tuple[str, ...],
        *,
        size: int,
        pause: float = 0,
    ) -> None:
        self.doubt = ""
        self.total: int | None = None
        self._instance = instance
        self._view = view
        self._rows = rows
        self._columns = columns
        self._pace = Pace(size)
        self._pause = pause
        self._sequel = Sequel(rows.low, rows.high)
        self._offset = 0  # rows after the last one that are passed over
        self._hides = False  # whether rows were counted that did not come
        self._crossing = 0  # rows that were left when the crossing began

    def sheets(self) -> Generator[tuple[Sheet, list[str]], None, None]:
        """The answers that have rows, in the order of the database, and the sys_id of each row.

        It is empty for what has none.
        """
        number = 0
        while not self.doubt:
            number += 1
            limit, sheet = self._next()
            count = len(sheet.rows)
            if count > limit:
                self.doubt = f"page {number} has {count:,} rows where {limit:,} were asked for"
                return
            ids = keys_of(sheet.rows)
            known = ids if all(ids) else [each for each in ids if each]
            if doubt := self._sequel.doubt(known):
                self.doubt = (
                    f"page {number} does not follow the one before: {doubt}; the instance ignores "
                    f"the range or the order where the account lacks query_range on "
                    f"{self._view.table}.sys_id: ask for it"
                )
                return
            if self._is_last(limit, sheet, known):
                if count:
                    yield sheet, ids
                return
            self._move(limit, ids, known)
            if count:
                yield sheet, ids
            del sheet, ids, known
            if self._pause:
                time.sleep(self._pause)

    def _next(self) -> tuple[int, Sheet]:
        """The next page and how many rows it was asked for; fewer after each that is too much."""
        while True:
            limit, smaller = self._pace.size, self._pace.can_shrink
            try:
                sheet = self._instance.sheet(
                    self._view,
                    self._rows,
                    self._columns,
                    limit=limit,
                    offset=self._offset,
                    counted=self._is_counted(limit),
                    smaller=smaller,
                )
            except Heavy:
                if not smaller:
                    raise
                self._pace.shrink()
            else:
                self._pace.passed()
                return limit, sheet

    def _is_counted(self, limit: int) -> bool:
        """Whether the next page is to tell what is left: a count costs the instance a query.

        It tells on the first page, on what is likely to be the last one, and where rows are hidden.
        """
        if self._hides or self.total is None:
            return True
        return self.total - self._sequel.count <= limit

    def _is_last(self, limit: int, sheet: Sheet, known: list[str]) -> bool:
        """Whether nothing is left after this page: told by the instance, not by the page."""
        total = sheet.total
        if total is None:
            if known and len(sheet.rows) == limit:
                return False
            total = self._instance.total(self._view, self._rows)
        if self.total is None:
            self.total = total
        if total is None:
            self.doubt = "no total tells where the rows end: neither X-Total-Count nor /stats"
            return True
        if total <= self._offset + limit:
            return True
        self._hides = self._hides or len(sheet.rows) < limit
        if not known and not self._crossing:
            self._crossing = total
        if self._crossing and self._offset > self._crossing + _BEYOND * limit:
            self.doubt = f"the instance always counts more rows ({total:,} left) and gives none"
        return bool(self.doubt)

    def _move(self, limit: int, ids: list[str], known: list[str]) -> None:
        if known and is_script(known[-1]):
            self.doubt = f"a sys_id that the instance would run, were it sent back: {known[-1]!r}"
        elif known:
            # By the order of the database: the greatest one may be another for us (§4.3).
            self._rows = self._rows.beyond(known[-1])
            self._offset = next(rank for rank, each in enumerate(reversed(ids)) if each)
            self._crossing = 0
        else:
            self._offset += limit
