"""How many rows a page asks for: fewer after one that was too much, and slowly more again."""

from typing import Final

_FLOOR: Final = 10  # rows: specs/servicenow.md §4.6
_SERIES: Final = 5  # pages that pass before more is asked for


class Pace:
    """The size of the next page, at most *most* rows."""

    def __init__(self, most: int) -> None:
        self.size = most
        self._most = most
        self._floor = min(_FLOOR, most)
        self._passed = 0

    @property
    def can_shrink(self) -> bool:
        return self.size > self._floor

    def shrink(self) -> None:
        self.size = max(self.size // 2, self._floor)
        self._passed = 0

    def passed(self) -> None:
        """A page came: after five in a row, pages twice as large are tried again."""
        self._passed += 1
        if self._passed == _SERIES:
            self.size = min(self.size * 2, self._most)
            self._passed = 0
