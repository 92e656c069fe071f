"""The first changes of a run as its page lists them, read no further than they are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.spool import Spool
from referential.change import ACTIONS
from referential.columns import decode_block
from referential.entity import split_keys

_COLUMNS = ("action", "id", "kind", "dataset", "category", "stale", "cleared")
_HEADER = b'{"header":'


@dataclass(frozen=True, slots=True)
class Row:
    """One change; `waits`: a removal that somebody has to accept. `loses`: what it takes away."""

    action: str
    entity: str
    kind: str
    dataset: str
    category: str
    loses: str = ""
    waits: bool = False

    @property
    def word(self) -> str:
        """The action as it is shown, and chosen by."""
        return f"{self.action} (waits)" if self.waits else self.action


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows shown, of `total`; `there` tells whether the run's files still are."""

    rows: tuple[Row, ...] = ()
    total: int = 0
    there: bool = True

    @property
    def more(self) -> int:
        return max(0, self.total - len(self.rows))

    def choices(self, column: str) -> list[str]:
        """The values of one column, for its filter."""
        return sorted({str(getattr(row, column)) for row in self.rows} - {""})


def changes_of(spool: Spool, counts: dict[str, Any], *, rows: int, letters: int) -> Changes:
    """The changes of a run, those that wait first; as many as *rows* and *letters* allow.

    A million changes cost what the first block of them does: the plan is neither read whole nor
    proven against its checksum, for nothing is done with it here.
    """
    tally = counts.get("plan", {})
    total = sum(tally.get(action, 0) for action in ACTIONS) + int(counts.get("removals_held", 0))
    shown: list[Row] = []
    for row in (*first_rows(spool.held, rows, waits=True), *first_rows(spool.plan, rows)):
        letters -= sum(map(len, (row.entity, row.dataset, row.category, row.loses)))
        if letters < 0 or len(shown) == rows:
            break
        shown.append(row)
    return Changes(tuple(shown), total, there=not total or spool.plan.exists())


def first_rows(path: Path, limit: int | None, *, waits: bool = False) -> Iterator[Row]:
    """The first changes of a plan that was kept at *path*; all of them without a *limit*."""
    if not path.exists():
        return
    given = 0
    with path.open("rb") as lines:
        for line in lines:
            if line.startswith(_HEADER):
                continue
            block = decode_block(line, _COLUMNS)
            for values in zip(*(block[name] for name in _COLUMNS), strict=True):
                if given == limit:
                    return
                given += 1
                yield _row(values, waits=waits)


def _row(values: tuple[str, ...], *, waits: bool) -> Row:
    action, identity, kind, dataset, category, stale, cleared = values
    lost = [*split_keys(stale), *([f"category {cleared}"] if cleared else [])]
    return Row(action, identity, kind, dataset, category, ", ".join(lost), waits)
