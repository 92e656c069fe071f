"""Grace for what is missing: an entity goes once it was missing in so many finished runs in a row.

The ledger counts (`entities.missed`), in the transaction that ends a run, so that a run that dies
counts nothing and no run counts twice.
"""

import re
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BeforeValidator, Field

_RUNS = re.compile(r"\s*(\d+)\s*(?:runs?)?\s*")

Mask = npt.NDArray[np.bool_]


def runs_of(written: Any) -> Any:
    """`3 runs` → 3; what is no number of runs is left to be refused."""
    if isinstance(written, str) and (found := _RUNS.fullmatch(written)):
        return int(found[1])
    return written


Runs = Annotated[
    int, BeforeValidator(runs_of, json_schema_input_type=int | str), Field(ge=1, le=1000)
]


def due(known: pd.DataFrame, judged: Mask, after: int) -> Mask:
    """Those of the missing rows whose grace is over, this run included."""
    return judged & np.asarray(known["missed"].to_numpy() + 1 >= after, dtype=np.bool_)


def seen_again(known: pd.DataFrame, gone: Mask) -> list[str]:
    """The ids that were missing in earlier runs and are found."""
    back = ~gone & np.asarray(known["missed"].to_numpy() > 0, dtype=np.bool_)
    ids: list[str] = known["id"].to_numpy()[back].tolist()
    return ids
