"""What iTop is asked, in its query language: which objects of a class, by windows or lists of ids.

    SELECT Server WHERE (status != 'obsolete') AND id > 100 AND id <= 600
    SELECT Server WHERE id IN (101, 102, 105)

There is no ORDER BY, LIMIT nor BETWEEN in OQL, and paging by `limit` and `page` loses homonyms:
a window of ids is exact on every release (specs/itop.md §0, §5).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TEXT: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_UNION: Final = re.compile(r"\bUNION\b", re.IGNORECASE)
_SELECT: Final = re.compile(
    r"\s*SELECT\s+(?:(?P<alias>\w+)(?:\s*,\s*\w+)*\s+FROM\s+(?P<root>\w+)|(?P<class>\w+))",
    re.IGNORECASE,
)


def is_closed(condition: str) -> bool:
    """Whether quotes and brackets of *condition* end inside of it, so that AND may follow."""
    bare = _TEXT.sub(" ", condition)
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0 and not {"'", '"'} & {*bare}


def selected_class(oql: str) -> str | None:
    """The class of the objects that *oql* gives; None where its words do not tell (a UNION)."""
    bare = _TEXT.sub(" ", oql).replace("`", "")
    found = _SELECT.match(bare)
    if found is None or _UNION.search(bare):
        return None
    alias = found["alias"]
    if alias is None:
        return found["class"]
    named = re.search(rf"(\w+)\s+AS\s+{alias}\b", bare, re.IGNORECASE)
    return named[1] if named else found["root"]


def within(low: int | None, high: int | None) -> tuple[str, ...]:
    """The conditions of the ids after *low* up to *high*; None: no bound."""
    bounds = ((">", low), ("<=", high))
    return tuple(f"id {sign} {bound}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Selection:
    """The objects of a class that meet all `conditions`, or those that `oql` gives.

    `listed`: they are asked for by their ids alone, for what lies between them is not wanted.
    """

    class_name: str
    conditions: tuple[str, ...] = ()
    oql: str = ""
    listed: bool = False

    def all(self, low: int | None = None, high: int | None = None) -> str:
        """Those with ids after *low* up to *high*; `oql` is as it was written, without bounds."""
        return self.oql or self._where(*within(low, high))

    def part(self, ids: Sequence[int]) -> str:
        """Those with *ids*, sorted; a window shows objects between them that were not listed."""
        return self.among(ids) if self.by_ids else self.all(ids[0] - 1, ids[-1])

    @property
    def by_ids(self) -> bool:
        """Whether objects are read by lists of ids, and not by windows."""
        return self.listed or bool(self.oql)

    def among(self, ids: Sequence[int]) -> str:
        """Those with *ids* and no others."""
        return self._where(f"id IN ({', '.join(map(str, ids))})")

    def none(self) -> str:
        """No object, of a class that is judged all the same."""
        return f"SELECT {self.class_name} WHERE id = 0"

    def _where(self, *more: str) -> str:
        conditions = (*self.conditions, *more)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {self.class_name}{where}"
