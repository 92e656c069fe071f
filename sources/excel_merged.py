"""Cells merged into one: only the first of them holds the value that all of them show."""

from collections import defaultdict
from collections.abc import Iterable

from sources.excel_scan import Merged


class MergedCells:
    """The ranges of one sheet, whose rows are gone through in order."""

    def __init__(self, ranges: Iterable[Merged]) -> None:
        self._ahead: defaultdict[int, list[Merged]] = defaultdict(list)
        for each in ranges:
            self._ahead[each.top].append(each)
        self._met: list[tuple[Merged, str]] = []

    def fill(self, row: int, texts: list[str | None]) -> None:
        """Give the cells of *row* the texts of the ranges that they are in."""
        if not self._ahead and not self._met:
            return
        for each in self._ahead.pop(row, ()):
            if each.left <= len(texts) and (text := texts[each.left - 1]):
                self._met.append((each, text))
        for each, text in self._met:
            for place in range(each.left - 1, min(each.right, len(texts))):
                texts[place] = texts[place] or text
        self._met = [met for met in self._met if met[0].bottom > row]
