"""A workbook opened by openpyxl: read-only, streaming, values in place of formulas.

This module loads openpyxl, and is loaded when a workbook is read.
"""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS

from sources.excel_texts import SharedTexts


class _Reader(ExcelReader):  # type: ignore[misc] # openpyxl ships no types
    """Reads what is needed of a workbook; its shared texts stay in a file."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as xml:
                self.shared_strings = SharedTexts(xml)

    def close(self) -> None:
        if isinstance(self.shared_strings, SharedTexts):
            self.shared_strings.close()

    def _left_out(self) -> None:
        """Author, dates and colours: nothing of ours, and often enough not as openpyxl wants."""

    read_properties = read_custom = read_theme = _left_out


@contextmanager
def open_book(path: Path) -> Iterator[Any]:
    """The workbook *path*; lets out whatever openpyxl raises for one that it cannot read."""
    # "Data Validation extension is not supported and will be removed": we write nothing back.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    # opened here: openpyxl leaves a sheet open when its XML is broken, and with it the archive
    with path.open("rb") as file:
        reader = _Reader(file, read_only=True, data_only=True, keep_links=False)
        with closing(reader):
            reader.read()
            yield reader.wb
