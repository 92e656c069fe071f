"""The texts that the cells of a workbook share, kept in a file instead of in memory."""

import mmap
import tempfile
from array import array
from collections.abc import Iterator
from typing import IO, Final
from xml.etree.ElementTree import Element, iterparse

_SHORT: Final = 100  # bytes; what cells repeat (states, sites, models) is rarely longer
_KEPT: Final = 8192  # short texts


class SharedTexts:
    """The shared texts of one workbook by their number: eight bytes of memory for each.

    openpyxl's own list holds them all: half a gigabyte for a million rows of serial numbers. The
    texts are as written: `_x000D_` is not yet what it stands for.
    """

    def __init__(self, xml: IO[bytes]) -> None:
        self._ends = array("Q", [0])
        self._kept: dict[int, str] = {}
        # Without a name: it is gone with the last reference, whatever happens to the process.
        self._file = tempfile.TemporaryFile(prefix="refsync-")  # noqa: SIM115 - lives as long as we
        self._bytes: mmap.mmap | bytes = b""
        try:
            for text in _texts(xml):
                self._ends.append(self._ends[-1] + self._file.write(text.encode(errors="replace")))
            self._file.flush()
            if self._ends[-1]:  # a map of nothing is refused
                self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        if (kept := self._kept.get(number)) is not None:
            return kept
        if number < 0:
            raise IndexError(f"there is no shared text {number}")
        begin, end = self._ends[number], self._ends[number + 1]
        text = self._bytes[begin:end].decode()
        if end - begin <= _SHORT and len(self._kept) < _KEPT:
            self._kept[number] = text
        return text

    def close(self) -> None:
        if isinstance(self._bytes, mmap.mmap):
            self._bytes.close()
        self._file.close()


def _texts(xml: IO[bytes]) -> Iterator[str]:
    """The text of each item: of its runs together, without the guide to their pronunciation."""
    table: Element | None = None
    item = ""
    for event, element in iterparse(xml, events=("start", "end")):  # noqa: S314 - expat bounds what entities unfold to
        if table is None:
            table = element
            item = element.tag.removesuffix("sst") + "si"
        elif event == "end" and element.tag == item:
            yield _text(element)
            table.clear()


def _text(item: Element) -> str:
    namespace = item.tag.removesuffix("si")
    found = []
    for child in item:
        if child.tag == f"{namespace}t":
            found.append(child.text or "")
        elif child.tag == f"{namespace}r":
            found += [part.text or "" for part in child if part.tag == f"{namespace}t"]
    return "".join(found)
