"""Workbooks for tests: one sheet of given rows, and parts rewritten to be as they should not be."""

import io
import zipfile
from collections.abc import Callable, Sequence

from sandbox.workbook_xml import Cell, SheetOf, book_bytes

SHEET = "xl/worksheets/sheet1.xml"


def book(*rows: Sequence[Cell], merged: Sequence[str] = (), day_zero: int = 1900) -> bytes:
    """A workbook whose one sheet has *rows*."""
    return book_bytes([SheetOf("Data", rows, merged)], day_zero=day_zero)


def rewritten(whole: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The workbook *whole*, its *part* changed."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name, change(text) if name == part else text)
    return content.getvalue()


def replaced(whole: bytes, old: str, new: str, part: str = SHEET) -> bytes:
    """The workbook *whole*, *old* of its *part* replaced by *new*; it must be there."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return rewritten(whole, part, change)
