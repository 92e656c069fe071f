"""What an entity of ours has lost: the info keys it no longer has, and its category.

The import merges infos and cannot clear a category (`specs/canopsis.md` §3.3): whatever the source
drops has to be taken away by us (`referential.prune`).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from referential.columns import objects
from referential.entity import joined_keys, split_keys

Texts = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


@lru_cache(maxsize=4096)
def stale_keys(before: str, now: str) -> str:
    """The keys of *before* that *now* has not, one a line."""
    return joined_keys(tuple(set(split_keys(before)).difference(split_keys(now))))


def with_lapsed(wanted: pd.DataFrame, known: pd.DataFrame, hit: Rows, row: Rows) -> pd.DataFrame:
    """The found rows with the columns `stale` and `cleared`, "" in all but the rows *hit*.

    The ledger knows these as its rows *row*.
    """
    columns = {}
    for name, values in zip(("stale", "cleared"), _lapsed(wanted, known, hit, row), strict=True):
        whole = np.full(len(wanted), "", dtype=object)
        whole[hit] = values
        columns[name] = pd.Series(whole, dtype=object, copy=False)
    return wanted.assign(**columns)


def _lapsed(wanted: pd.DataFrame, known: pd.DataFrame, hit: Rows, row: Rows) -> tuple[Texts, Texts]:
    """`stale` and `cleared` of the rows *hit* alone."""
    before, now = known["infos"].to_numpy()[row], wanted["infos"].to_numpy()[hit]
    stale = objects([""] * len(hit))
    changed = np.flatnonzero(before != now)
    stale[changed] = objects(list(map(stale_keys, before[changed], now[changed])))
    category = wanted["category"].to_numpy()[hit]
    cleared = np.where(category == "", known["category"].to_numpy()[row], objects([""]))
    return stale, cleared
