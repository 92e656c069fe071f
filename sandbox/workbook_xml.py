"""Workbooks written as Excel writes them, the same bytes at every call.

    book_bytes([SheetOf("Sites", [["Code", "Opened"], [Shown(75, "00000"), date(2019, 3, 1)]])])

A cell is a text, a number, a truth value, a date, a moment, None, or one of `Shown`, `Formula`,
`Failed`. Libraries that write workbooks put the time of day into them.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from xml.sax.saxutils import escape, quoteattr

Value = str | int | float | bool | date | datetime | time | None

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAYS_ZERO = {
    1900: datetime(1899, 12, 30),  # noqa: DTZ001 - Excel knows no time zone
    1904: datetime(1904, 1, 1),  # noqa: DTZ001 - see above
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value with the number format that it is shown by."""

    value: Value
    code: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula and the value it had when it was last calculated; None: it never was."""

    text: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A cell whose formula ended in an error, such as `#N/A`."""

    error: str


Cell = Value | Shown | Formula | Failed


@dataclass(frozen=True, slots=True)
class SheetOf:
    """A sheet: its rows from the first on; `merged` are ranges such as `A1:D1`."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: Sequence[str] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the sheets of a workbook share: formats and texts by number, and the day 0."""

    day_zero: datetime
    styles: dict[str, int] = field(default_factory=lambda: {"General": 0})
    texts: dict[str, int] = field(default_factory=dict)

    def style(self, code: str) -> int:
        return self.styles.setdefault(code, len(self.styles))

    def text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def number(self, value: float | date | time) -> str:
        """A number as Excel keeps it: seventeen digits; moments are days since its day zero."""
        if isinstance(value, time):
            value = datetime.combine(self.day_zero, value)
        if isinstance(value, date):
            moment = value if isinstance(value, datetime) else datetime.combine(value, time())
            passed = moment - self.day_zero
            return f"{passed.days + passed.seconds / 86400:.17g}"
        return str(value) if isinstance(value, int) else f"{value:.17g}"


def book_bytes(sheets: Sequence[SheetOf], *, day_zero: int = 1900) -> bytes:
    """The .xlsx file of *sheets*; *day_zero* is 1900, or 1904 as on old Macintoshes."""
    tables = _Tables(_DAYS_ZERO[day_zero])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, sheet in enumerate(sheets, 1):
            _add(archive, f"xl/worksheets/sheet{number}.xml", _sheet(sheet, tables))
        for name, parts in _others(sheets, tables):
            _add(archive, name, iter(parts))
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, parts: Iterator[str]) -> None:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as part:
        part.write(_HEAD.encode())
        for each in parts:
            part.write(each.encode())


def _sheet(sheet: SheetOf, tables: _Tables) -> Iterator[str]:
    width = max((len(row) for row in sheet.rows), default=0)
    letters = [column_letters(number) for number in range(1, width + 1)]
    yield f'<worksheet xmlns="{_MAIN}">'
    if sheet.rows and width:
        yield f'<dimension ref="A1:{letters[-1]}{len(sheet.rows)}"/>'
    yield "<sheetData>"
    for number, row in enumerate(sheet.rows, 1):
        cells = (
            _cell(cell, f"{letter}{number}", tables)
            for letter, cell in zip(letters, row, strict=False)
            if cell is not None
        )
        if row:
            yield f'<row r="{number}">{"".join(cells)}</row>'
    yield "</sheetData>"
    if sheet.merged:
        ranges = "".join(f'<mergeCell ref="{each}"/>' for each in sheet.merged)
        yield f'<mergeCells count="{len(sheet.merged)}">{ranges}</mergeCells>'
    yield "</worksheet>"


def _cell(cell: Cell, place: str, tables: _Tables) -> str:
    formula, code = "", ""
    if isinstance(cell, Shown):
        code, cell = cell.code, cell.value
    elif isinstance(cell, Formula):
        formula, cell = f"<f>{escape(cell.text)}</f>", cell.value
    code = code or _usual_code(cell)
    style = f' s="{tables.style(code)}"' if code else ""
    if isinstance(cell, Failed):
        return f'<c r="{place}"{style} t="e"><v>{cell.error}</v></c>'
    if isinstance(cell, bool):
        return f'<c r="{place}"{style} t="b">{formula}<v>{cell:d}</v></c>'
    if isinstance(cell, str) and formula:
        return f'<c r="{place}"{style} t="str">{formula}<v>{escape(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{place}"{style} t="s"><v>{tables.text(cell)}</v></c>'
    value = "" if cell is None else f"<v>{tables.number(cell)}</v>"
    return f'<c r="{place}"{style}>{formula}{value}</c>'


def _usual_code(cell: Value | Failed) -> str:
    if isinstance(cell, datetime):
        return "yyyy\\-mm\\-dd hh:mm:ss"
    if isinstance(cell, date):
        return "dd/mm/yyyy"
    return "hh:mm:ss" if isinstance(cell, time) else ""


def _others(sheets: Sequence[SheetOf], tables: _Tables) -> Iterator[tuple[str, list[str]]]:
    numbers = range(1, len(sheets) + 1)
    yield (
        "xl/sharedStrings.xml",
        [
            f'<sst xmlns="{_MAIN}" uniqueCount="{len(tables.texts)}">',
            *(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in tables.texts),
            "</sst>",
        ],
    )
    yield "xl/styles.xml", [_styles(list(tables.styles))]
    epoch = '<workbookPr date1904="1"/>' if tables.day_zero.year == 1904 else "<workbookPr/>"
    named = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" r:id="rId{number}"'
        f"{' state=' + quoteattr('hidden') if sheet.hidden else ''}/>"
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    book = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{epoch}<sheets>{named}</sheets></workbook>'
    )
    yield "xl/workbook.xml", [book]
    kinds = {f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml") for number in numbers}
    kinds |= {"rIdT": ("sharedStrings", "sharedStrings.xml"), "rIdS": ("styles", "styles.xml")}
    yield "xl/_rels/workbook.xml.rels", [_relationships(kinds)]
    yield "_rels/.rels", [_relationships({"rId1": ("officeDocument", "xl/workbook.xml")})]
    parts = {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"}
    parts |= {"/xl/sharedStrings.xml": "sharedStrings"}
    parts |= {f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in numbers}
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>'
        for name, kind in parts.items()
    )
    default = '<Default Extension="{}" ContentType="application/{}xml"/>'
    yield (
        "[Content_Types].xml",
        [
            f'<Types xmlns="{_PACKAGE}/content-types">',
            default.format("rels", "vnd.openxmlformats-package.relationships+"),
            default.format("xml", ""),
            f"{overrides}</Types>",
        ],
    )


def _relationships(kinds: dict[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, (kind, target) in kinds.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _styles(codes: Sequence[str]) -> str:
    formats = "".join(
        f'<numFmt numFmtId="{164 + rank}" formatCode={quoteattr(code)}/>'
        for rank, code in enumerate(codes)
        if code != "General"
    )
    cells = "".join(
        f'<xf numFmtId="{164 + rank if code != "General" else 0}" fontId="0" fillId="0"'
        ' borderId="0" xfId="0" applyNumberFormat="1"/>'
        for rank, code in enumerate(codes)
    )
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(codes) - 1}">{formats}</numFmts>'
        '<fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        f'<borders count="1"><border/></borders><cellStyleXfs count="1">{plain}</cellStyleXfs>'
        f'<cellXfs count="{len(codes)}">{cells}</cellXfs><cellStyles count="1">'
        '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def column_letters(number: int) -> str:
    """The letters of a column: 1 is `A`, 27 is `AA`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
