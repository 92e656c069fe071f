"""Do rows follow one another as they were asked for, each once? Without it a keyset is blind.

Where an account lacks `query_range` on sys_id, `sys_id>…` and the order are ignored in silence:
each page is the first one again (specs/servicenow.md §4.5).
"""

import re
from operator import lt
from typing import Final

_PLAIN: Final = re.compile(r"[0-9a-f]+")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")


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
        self._odd: dict[str, None] = {}

    def doubt(self, ids: list[str]) -> str:
        """Why the rows of the next page, that have these *ids*, are not those asked for."""
        self.count += len(ids)
        plain = ids
        if not _PLAIN.fullmatch("".join(ids)):
            plain = [each for each in ids if _PLAIN.fullmatch(each)]
            odd = [each for each in ids if not _PLAIN.fullmatch(each)]
            before = len(self._odd)
            self._odd.update(dict.fromkeys(odd))
            if len(self._odd) - before < len(odd):
                return "rows come again"
            words = [each for each in self._odd if _WORD.fullmatch(each)]
            if not (_ascends(words) or _ascends([each.casefold() for each in words])):
                return "rows come in another order than that of their sys_id"
        if not plain:
            return ""
        if plain[0] <= self._last:
            return "rows come again, or in another order than that of their sys_id"
        if not _ascends(plain):
            return "rows come in another order than that of their sys_id"
        self._last = plain[-1]
        if plain[0] < self._low or (self._high and self._last >= self._high):
            return "rows come from outside the range of sys_ids that was asked for"
        return ""


def _ascends(ids: list[str]) -> bool:
    return all(map(lt, ids, ids[1:]))
