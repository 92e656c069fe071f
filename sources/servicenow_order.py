"""Do rows follow one another as they were asked for, each once? Without it a keyset is blind.

Where an account lacks `query_range` on sys_id, `sys_id>…` and the order are ignored in silence:
each page is the first one again (specs/servicenow.md §4.5).
"""

import re
from operator import lt
from typing import Final

_PLAIN: Final = re.compile(r"[0-9a-f]+")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")
_DISORDER: Final = "rows come in another order than that of their sys_id"


class Sequel:
    """The sys_ids of one walk, from *low* up to *high*; `count` of them were seen.

    Nearly all are GUIDs, which any database sorts alike: each must be above the one before. Others
    (`global`, `ABCD…`, `glide.maint`) stand where the collation wants them: they are kept, and none
    may come again.
    """

    def __init__(self, low: str = "", high: str = "") -> None:
        self.count = 0
        self._low = low
        self._high = high
        self._last = ""
        self._odd: set[str] = set()
        self._last_word: list[str] = []

    def doubt(self, ids: list[str]) -> str:
        """Why the rows of the next page, that have these *ids*, are not those asked for."""
        self.count += len(ids)
        if _PLAIN.fullmatch("".join(ids)):
            return self._doubt_plain(ids)
        odd = [each for each in ids if not _PLAIN.fullmatch(each)]
        plain = [each for each in ids if _PLAIN.fullmatch(each)]
        return self._doubt_odd(odd) or self._doubt_plain(plain)

    def _doubt_plain(self, ids: list[str]) -> str:
        if not ids:
            return ""
        first, self._last, before = ids[0], ids[-1], self._last
        if first <= before:
            return "rows come again"
        if not _ascends(ids):
            return _DISORDER
        if first < self._low or (self._high and self._last >= self._high):
            return "rows come from outside the range of sys_ids that was asked for"
        return ""

    def _doubt_odd(self, ids: list[str]) -> str:
        known = len(self._odd)
        self._odd.update(ids)
        if len(self._odd) - known < len(ids):
            return "rows come again"
        # Upper and lower case are one to some databases, and signs stand where each wants them.
        words = [*self._last_word, *(each for each in ids if _WORD.fullmatch(each))]
        if not (_ascends(words) or _ascends([each.casefold() for each in words])):
            return _DISORDER
        self._last_word = words[-1:]
        return ""


def _ascends(ids: list[str]) -> bool:
    return all(map(lt, ids, ids[1:]))
