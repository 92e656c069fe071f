"""A workbook, and the sheet that is wanted of it."""

import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.errors import Refused, Unreadable
from sources.excel_package import open_package, readable
from sources.excel_scan import SheetScan, scan_sheet

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

Cells = tuple["ReadOnlyCell", ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: `rows()` gives the cells of each row from the first on, blank ones included."""

    name: str
    where: str
    rows: Callable[[], Iterator[Cells]]
    scan: SheetScan
    dimension: str  # the range of cells that the sheet says it has; nothing: ""
    hidden: bool
    postponed: bool  # whether values of formulas are left to be calculated at opening


@contextmanager
def open_sheet(path: Path, where: str, wanted: str | None, most: int) -> Iterator[Sheet]:
    """The sheet *wanted* of the workbook *path*, shown as *where*.

    Raises Unreadable for what cannot be read (`sources.excel_package`), and for a sheet that is not
    there or not the only one, with the names there are; Refused when openpyxl is not installed.
    """
    with open_package(path, where, most) as archive, _opened(path, where) as book:
        sheet = _chosen(book, wanted, where)
        where = f"{where}, sheet {sheet.title!r}"
        with ExitStack() as stack:
            with readable(where):
                found = _looked_at(book, sheet, archive, where, stack)
            yield found


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    try:
        from sources.excel_book import open_book  # noqa: PLC0415 - openpyxl, an extra
    except ImportError:
        raise Refused(
            "workbooks are read by openpyxl, which is not installed",
            where=where,
            mend="install refsync with its extra: pip install refsync[excel]",
        ) from None
    with ExitStack() as stack:
        with readable(where):
            book = stack.enter_context(open_book(path))
        yield book


def _chosen(book: Any, wanted: str | None, where: str) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    shown = [name for name, sheet in sheets.items() if sheet.sheet_state == "visible"]
    if wanted is None:
        if len(shown) == 1:
            return sheets[shown[0]]
        raise Unreadable(
            f"the workbook has {len(shown)} visible sheets: {_listed(shown or [*sheets])}",
            where=where,
            mend="name the one to read by `sheet`",
        )
    if wanted in sheets:
        return sheets[wanted]
    folded = {name.strip().casefold(): name for name in sheets}  # for Excel they are one name
    key = wanted.strip().casefold()
    if key in folded:
        return sheets[folded[key]]
    near = get_close_matches(key, folded, n=1)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise Unreadable(
        f"the workbook has no sheet {wanted!r}",
        where=where,
        mend=f"{hint}its sheets are {_listed([*sheets])}",
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more


def _looked_at(
    book: Any, sheet: Any, archive: zipfile.ZipFile, where: str, stack: ExitStack
) -> Sheet:
    part = sheet._worksheet_path  # noqa: SLF001 - openpyxl tells in no other way which part it is
    scan = scan_sheet(archive, part, where)
    dimension = ""
    if sheet.max_row and sheet.max_column:
        dimension = sheet.calculate_dimension()
    # Rows and columns beyond a wrong dimension would be left out in silence.
    sheet.reset_dimensions()

    def rows() -> Iterator[Cells]:
        if not scan.last:
            return iter(())
        found: Generator[Cells, None, None] = sheet.iter_rows(max_col=scan.width or None)
        stack.callback(found.close)  # the part it reads keeps the archive open
        return found

    postponed = bool(scan.formulas and getattr(book.calculation, "fullCalcOnLoad", False))
    hidden = sheet.sheet_state != "visible"
    return Sheet(sheet.title, where, rows, scan, dimension, hidden, postponed)
