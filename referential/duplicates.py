"""Entities of one run that claim the same id.

The last record wins. Two kinds cannot share an id (`specs/canopsis.md` §3.1: a component may be
named as a service, or as the `name/component` of a resource, and Canopsis would turn one into the
other), so there the first kind stands. What was said twice in the same words is no duplicate.
"""

from typing import Any

import numpy as np
import pandas as pd

from referential.columns import to_frame

DUPLICATES = ("id", "kind", "dataset", "offset", "size", "reason")
LATER = "a later record gives the same id with other values, and the last one wins"


def without_duplicates(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index, pd.DataFrame]:
    """The rows with unique ids, an index of these, and the rows set aside: `DUPLICATES`.

    The index is the one that was asked whether ids are unique: its hash table is there already.
    """
    index = pd.Index(found["id"])
    if index.is_unique:
        return found, index, to_frame({name: [] for name in DUPLICATES})
    columns = {name: found[name].to_numpy() for name in ("id", "kind", "dataset", "fingerprint")}
    rows = np.flatnonzero(found["id"].duplicated(keep=False).to_numpy()).tolist()
    ids, kinds = columns["id"], columns["kind"]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for row in rows:
        if kinds[row] == kinds[first.setdefault(ids[row], row)]:
            last[ids[row]] = row
    set_aside = {row: _reason(columns, row, first[ids[row]], last[ids[row]]) for row in rows}
    kept = np.ones(len(found), dtype=np.bool_)
    kept[[row for row in rows if row != last[ids[row]]]] = False
    told = [row for row in rows if set_aside[row]]
    duplicates = {name: found[name].to_numpy()[told] for name in DUPLICATES[:-1]}
    duplicates["reason"] = np.array([set_aside[row] for row in told], dtype=object)
    wanted = found[kept].reset_index(drop=True)
    return wanted, pd.Index(wanted["id"]), to_frame(duplicates)


def _reason(columns: dict[str, Any], row: int, first: int, last: int) -> str:
    """Why a row is set aside; "" for the one that stands and for those that repeat it."""
    kind, standing = columns["kind"][row], columns["kind"][first]
    if kind != standing:
        dataset = columns["dataset"][first]
        return (
            f"a {kind} cannot have the id of a {standing}: the {standing} of dataset"
            f" {dataset} came first and stands"
        )
    if columns["fingerprint"][row] == columns["fingerprint"][last]:
        return ""
    return LATER
