"""The changes of a plan, column by column, as the loader takes them: many rows at a time."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from referential.change import SENT

Rows = Sequence[int]
Places = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_PLACES = ("offset", "size")


class Identity(TypedDict):
    """What the ledger knows entities by."""

    ids: list[str]
    kinds: list[str]
    groups: list[str]
    datasets: list[str]
    categories: list[str]
    infos: list[str]


class Changes:
    """Columns are those of `plan.CHANGES`; rows are in the order in which they are sent.

    The first rows are those that have a payload, `payloads` of them, as they lie in the spool, but
    a component just before its resources, services last; what lies together is read together, and
    most feeds lie as they are to be sent. All others follow as they stand in the plan. So a batch
    is a range, which columns are cut by.
    """

    def __init__(self, changes: pd.DataFrame) -> None:
        sent = (changes["action"].isin(SENT) & (changes["size"] > 0)).to_numpy()
        first = np.flatnonzero(sent)
        keys = (changes[name].to_numpy()[first] for name in ("offset", "group", "kind"))
        order = np.concatenate([first[_in_spool_order(*keys)], np.flatnonzero(~sent)])
        self.payloads = len(first)
        columns = {str(name): changes[name].to_numpy()[order] for name in changes.columns}
        self._places = {name: columns.pop(name) for name in _PLACES}
        self._columns: dict[str, list[Any]] = {name: v.tolist() for name, v in columns.items()}

    def __len__(self) -> int:
        return len(self._columns["id"])

    def column(self, name: str) -> list[Any]:
        return self._columns[name]

    def values(self, name: str, rows: Rows) -> list[Any]:
        column = self._columns[name]
        if isinstance(rows, range):
            return column[rows.start : rows.stop : rows.step]
        return list(map(column.__getitem__, rows))

    def places(self, rows: Rows) -> tuple[Places, Places]:
        """Where the payloads of *rows* lie in the spool: offsets, sizes."""
        cut = slice(rows.start, rows.stop, rows.step) if isinstance(rows, range) else list(rows)
        return self._places["offset"][cut], self._places["size"][cut]

    def identity(self, rows: Rows) -> Identity:
        return {
            "ids": self.values("id", rows),
            "kinds": self.values("kind", rows),
            "groups": self.values("group", rows),
            "datasets": self.values("dataset", rows),
            "categories": self.values("category", rows),
            "infos": self.values("infos", rows),
        }


def _in_spool_order(offsets: Places, groups: Texts, kinds: Texts) -> npt.NDArray[np.intp]:
    lies = np.argsort(offsets, kind="stable")
    groups, kinds = groups[lies], kinds[lies]
    owners, _ = pd.factorize(groups)  # numbered as they come
    return lies[np.lexsort((kinds != "component", owners, groups == ""))]
