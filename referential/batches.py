"""How entities are cut into imports: by bytes, by count, and a component with its resources.

Pure arithmetic on columns. Bodies are `[item,item,...]`: an item costs its size and one byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from referential.columns import objects

Column = npt.NDArray[np.int64]


@dataclass(slots=True)
class Ceiling:
    """The most that one import may hold; `bytes` comes down when Canopsis says 413."""

    bytes: int
    items: int

    def learn(self, refused: int, told: int | None = None) -> None:
        """A body of *refused* bytes is too large; *told* is the limit, when the answer says it."""
        half = max(1, refused // 2)
        self.bytes = min(self.bytes, told if told is not None and 0 < told < refused else half)


class Layout:
    """Where rows may be cut.

    `sizes` are bytes; `groups` tell the component that a row belongs to, equal neighbours stay
    together when they can; "" stands alone. Rows keep their order.
    """

    def __init__(self, sizes: Sequence[int] | Column, groups: Sequence[str]) -> None:
        self._ends: Column = np.concatenate(([0], np.cumsum(np.asarray(sizes, dtype=np.int64) + 1)))
        belongs = objects(groups)
        begins = np.ones(len(belongs) + 1, dtype=bool)
        begins[1:-1] = (belongs[1:] != belongs[:-1]) | (belongs[1:] == "")
        self._starts: Column = np.flatnonzero(begins)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def body_size(self, start: int, stop: int) -> int:
        """Bytes of the body that holds rows [start, stop)."""
        return int(self._ends[stop] - self._ends[start]) + 1

    def next(self, start: int, ceiling: Ceiling) -> int:
        """The end of the batch that begins at *start*; one row at least, whatever its size."""
        room = self._ends[start] + ceiling.bytes - 1
        fits = int(np.searchsorted(self._ends, room, side="right")) - 1
        hard = min(max(fits, start + 1), start + ceiling.items, len(self))
        whole = int(self._starts[np.searchsorted(self._starts, hard, side="right") - 1])
        return whole if whole > start else hard
