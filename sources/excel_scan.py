"""What the XML of a sheet tells before its first row is read, gone through as bytes.

openpyxl streams rows and says nothing of four things, which are looked for here: formulas that were
never calculated look like empty cells, merged cells stand after the rows, rows whose number does
not grow and cells right of a row's last one are left out in silence.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from sources.errors import Unreadable
from sources.excel_package import CHUNK

MOST_ROWS: Final = 1_048_576  # of a sheet
_MOST_ODD: Final = 200_000  # formulas never calculated, or merged ranges

_REFERENCE: Final = re.compile(rb"([A-Z]{1,3})(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of cells merged into one; rows and columns are 1-based, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class SheetScan:
    """`last`: number of the last row; `width`: of the last column, None where cells do not say.

    `uncalculated` are the (row, column) of formulas without a value.
    """

    last: int = 0
    width: int | None = 0
    formulas: int = 0
    uncalculated: set[tuple[int, int]] = field(default_factory=set)
    merged: list[Merged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Tags:
    """The patterns of the tags of a sheet whose names have one prefix, mostly none."""

    row: re.Pattern[bytes]
    cell: re.Pattern[bytes]
    reference: re.Pattern[bytes]
    formula: re.Pattern[bytes]
    uncalculated: re.Pattern[bytes]
    merged: re.Pattern[bytes]
    opening: tuple[bytes, bytes, bytes]  # of a cell with attributes, one without, a formula
    usual: re.Pattern[bytes]  # a cell whose reference comes first, as nearly all are written
    cut: bytes

    @classmethod
    def of(cls, prefix: bytes) -> "_Tags":
        p = re.escape(prefix)
        compile_ = re.compile
        return cls(
            row=compile_(rb"<%brow(?:\s(?:[^>]*?\s)?r=[\"']([^\"']+)[\"'])?[\s/>]" % p),
            cell=compile_(rb"<%bc[\s/>]" % p),
            reference=compile_(rb"<%bc\s(?:[^>]*?\s)?r=[\"']([A-Z]{1,3})\d" % p),
            formula=compile_(rb"<%bf[\s/>]" % p),
            # a text that is empty is written with its type and an empty value
            uncalculated=compile_(
                rb"<%bc\s([^>]*)>\s*<%bf(?:\s[^>]*)?(?:/>|>[^<]*</%bf>)\s*"
                rb"(<%bv\s*/>|<%bv>\s*</%bv>)?\s*</%bc>" % (p, p, p, p, p, p, p)
            ),
            merged=compile_(
                rb"<%bmergeCell\s[^>]*?ref=[\"']([A-Z]{1,3}\d{1,7})(?::([A-Z]{1,3}\d{1,7}))?" % p
            ),
            opening=(b"<%bc " % prefix, b"<%bc>" % prefix, b"<%bf" % prefix),
            usual=compile_(rb"<%bc r=\"([A-Z]{1,3})" % p),
            cut=b"<%brow" % prefix,
        )


def scan_sheet(archive: zipfile.ZipFile, part: str, where: str) -> SheetScan:
    """What the sheet *part* of the workbook shown as *where* tells.

    Raises Unreadable for rows out of order, and for more oddities than can be kept.
    """
    scan = SheetScan()
    for tags, xml in _stretches(archive, part, where):
        _scan_rows(scan, tags, xml, where)
        _scan_cells(scan, tags, xml)
        for match in tags.merged.finditer(xml):
            (left, top), (right, bottom) = _place(match[1]), _place(match[2] or match[1])
            scan.merged.append(Merged(top, left, bottom, right))
        if len(scan.uncalculated) + len(scan.merged) > _MOST_ODD:
            raise Unreadable(
                f"more than {_MOST_ODD:,} cells are merged or hold formulas never calculated",
                where=where,
                mend="open the workbook in Excel, save it, and let values stand for formulas",
            )
    return scan


def _stretches(archive: zipfile.ZipFile, part: str, where: str) -> Iterator[tuple[_Tags, bytes]]:
    """The XML in stretches that hold whole rows, with the patterns of its tags."""
    tags = None
    rest = b""
    with archive.open(part) as xml:
        while chunk := xml.read(CHUNK):
            rest += chunk
            if tags is None:
                tags = _tags(rest, where)
            cut = rest.rfind(tags.cut)
            if cut > 0:
                yield tags, rest[:cut]
                rest = rest[cut:]
    if tags is not None:
        yield tags, rest


def _tags(head: bytes, where: str) -> _Tags:
    root = re.search(rb"<((?:[\w.-]+:)?)(?:worksheet|dialogsheet|chartsheet)[\s>]", head)
    if root is None:
        raise Unreadable(
            "the sheet is not written as one, or not in UTF-8",
            where=where,
            mend="open the workbook in Excel and save it",
        )
    return _made(root[1])


@lru_cache(maxsize=8)
def _made(prefix: bytes) -> _Tags:
    return _Tags.of(prefix)


def _scan_rows(scan: SheetScan, tags: _Tags, xml: bytes, where: str) -> None:
    for match in tags.row.finditer(xml):
        number = int(float(match[1])) if match[1] else scan.last + 1
        if number <= scan.last or number > MOST_ROWS:
            raise Unreadable(
                f"row {number:,} follows row {scan.last:,} of a sheet, whose rows are in order and "
                f"not more than {MOST_ROWS:,}",
                where=where,
                mend="open the workbook in Excel and save it",
            )
        scan.last = number


def _scan_cells(scan: SheetScan, tags: _Tags, xml: bytes) -> None:
    attributed, bare, formula = tags.opening
    if scan.width is not None:
        references = tags.usual.findall(xml)
        if bare in xml or len(references) != xml.count(attributed):
            references = tags.reference.findall(xml)
            if len(references) != len(tags.cell.findall(xml)):
                scan.width = None
        if scan.width is not None:
            scan.width = max([scan.width, *map(_column, set(references))])
    formulas = len(tags.formula.findall(xml)) if formula in xml else 0
    if not formulas:
        return
    scan.formulas += formulas
    for match in tags.uncalculated.finditer(xml):
        attributes, value = match[1], match[2]
        if b"str" in attributes and value is not None:
            continue
        if found := _REFERENCE.search(attributes):
            scan.uncalculated.add((int(found[2]), _column(found[1])))


def _place(reference: bytes) -> tuple[int, int]:
    """Column and row of `B7`."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference!r} is no cell")
    return _column(found[1]), int(found[2])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
