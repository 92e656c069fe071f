"""The changes of a plan, column by column, as the loader takes them: many rows at a time."""

from typing import Any, TypedDict

import numpy as np
import pandas as pd

from referential.columns import objects


class Identity(TypedDict):
    """What the ledger knows entities by."""

    ids: list[str]
    kinds: list[str]
    groups: list[str]
    datasets: list[str]
    categories: list[str]
    infos: list[str]


class Changes:
    """Rows are positions in the plan; columns are those of `plan.CHANGES`."""

    def __init__(self, changes: pd.DataFrame) -> None:
        self._columns: dict[str, list[Any]] = {
            str(name): changes[name].to_numpy().tolist() for name in changes.columns
        }

    def __len__(self) -> int:
        return len(self._columns["id"])

    def column(self, name: str) -> list[Any]:
        return self._columns[name]

    def values(self, name: str, rows: list[int]) -> list[Any]:
        return list(map(self._columns[name].__getitem__, rows))

    def in_spool_order(self, rows: list[int]) -> list[int]:
        """Rows as they lie in the spool, but a component just before its resources, services last.

        What lies together is read together, and most feeds lie as they are to be sent.
        """
        order = np.array(rows, dtype=np.intp)
        order = order[np.argsort(np.array(self.values("offset", rows)), kind="stable")]
        groups = objects(self.values("group", order.tolist()))
        kinds = objects(self.values("kind", order.tolist()))
        owners, _ = pd.factorize(groups)  # numbered as they come
        places = np.lexsort((kinds != "component", owners, groups == ""))
        return order[places].tolist()  # type: ignore[no-any-return] # numpy cannot say

    def identity(self, rows: list[int]) -> Identity:
        return {
            "ids": self.values("id", rows),
            "kinds": self.values("kind", rows),
            "groups": self.values("group", rows),
            "datasets": self.values("dataset", rows),
            "categories": self.values("category", rows),
            "infos": self.values("infos", rows),
        }
