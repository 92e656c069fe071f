"""What is no workbook that can be read is named, with what mends it."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.workbook import workbook
from sources.base import Scope
from sources.errors import Refused, SourceError, Unreadable
from sources.excel import SOURCE
from tests.sources.books import SHEET, book, replaced, rewritten
from tests.sources.drops import DropFolder, notes

WHOLE = book(["a", "b"], ["1", "2"])
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, SOURCE)


def refusal(drop: DropFolder, whole: bytes, **options: Any) -> SourceError:
    drop.put("a.xlsx", whole)
    error = drop.refusal(**options)
    assert isinstance(error, Unreadable)
    assert f"where: {drop.root / 'a.xlsx'}" in notes(error)
    assert "mend: " in notes(error)
    return error


def zipped(**members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (OLE + b"\0" * 5000, "this is an old workbook (.xls)"),
        (
            OLE + b"\0" * 200_000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 99,
            "the workbook is protected by a password",
        ),
        (b"<!DOCTYPE html><html><body>Sign in", "this is HTML or XML under the name of a workb"),
        (b"\xef\xbb\xbf \r\n<table><tr><td>1</td>", "this is HTML or XML under the name of a wor"),
        ("Nom;Site\nsrv1;Nîmes\n".encode(), "this is text, not a workbook; it begins with 'Nom;"),
        (b"\x89PNG\r\n\x1a\n\0\0", "this is of no kind that is known"),
        (b"", "the file is empty: that is an outage of the export"),
        (zipped(**{"a.csv": "x"}), "this is a zip archive without a workbook"),
        (zipped(mimetype="x", **{"content.xml": ""}), "this is an OpenDocument spreadsheet (.ods)"),
        (
            zipped(**{"[Content_Types].xml": "application/vnd.ms-excel.sheet.binary.macro"}),
            "this is a binary workbook (.xlsb)",
        ),
        (
            zipped(**{"[Content_Types].xml": "wordprocessingml.document.main+xml"}),
            "this is a document of Office without sheets",
        ),
        (WHOLE[:-40], "the workbook is damaged"),
        (WHOLE[: len(WHOLE) // 2], "the workbook is damaged"),
    ],
)
def test_what_is_no_workbook_is_named(drop: DropFolder, whole: bytes, words: str) -> None:
    assert str(refusal(drop, whole)).startswith(words)


def test_text_under_the_name_of_a_workbook_is_for_another_source(drop: DropFolder) -> None:
    assert "mend: read it by a source `csv`" in notes(refusal(drop, b"a,b\n1,2\n"))


def test_a_workbook_saved_as_strict_open_xml_is_refused(drop: DropFolder) -> None:
    # openpyxl finds no cell in it, and does not say so.
    usual = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strict = replaced(WHOLE, usual, "http://purl.oclc.org/ooxml/spreadsheetml/main", SHEET)
    strict = replaced(
        strict, usual, "http://purl.oclc.org/ooxml/spreadsheetml/main", "xl/workbook.xml"
    )

    assert str(refusal(drop, strict)).startswith("this is a workbook saved as Strict Open XML")


def test_a_flipped_byte_is_noticed_before_any_row(drop: DropFolder) -> None:
    whole = bytearray(workbook(2000))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        part = archive.getinfo("xl/worksheets/sheet2.xml")
    whole[part.header_offset + part.compress_size // 2] ^= 0xFF

    assert str(refusal(drop, bytes(whole), sheet="Machines")).startswith("the workbook is damaged")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (SHEET, "</sheetData></worksheet>", ""),  # an export that was cut before it was zipped
        (SHEET, 't="s"><v>3<', 't="s"><v>999<'),
        (SHEET, 't="s"><v>3<', 't="s"><v>-1<'),
        (SHEET, 't="s"><v>3<', "><v>12 apples<"),
        (SHEET, 't="s"><v>3<', 's="99"><v>3<'),
        (SHEET, "<worksheet", "<sheet"),
        ("xl/styles.xml", '<fill><patternFill patternType="none"/></fill>', "<fill/>"),
        ("xl/workbook.xml", 'r:id="rId1"', 'r:id="rId9"'),
        ("[Content_Types].xml", "sheet.main+xml", "template.main+xml-not"),
    ],
)
def test_a_workbook_that_excel_would_repair_is_unreadable(
    drop: DropFolder, part: str, old: str, new: str
) -> None:
    error = refusal(drop, replaced(WHOLE, old, new, part), min_rows=0)

    assert str(error)


def test_entities_that_unfold_without_end_are_refused(drop: DropFolder) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(97 + rank)} "{f"&{chr(96 + rank)};" * 10}">' for rank in range(1, 10)
    )
    whole = rewritten(
        WHOLE,
        "xl/sharedStrings.xml",
        lambda text: text.replace("<sst", f"{bomb}]><sst").replace(">a<", ">&j;<"),
    )

    assert str(refusal(drop, whole)).startswith("the workbook is damaged")


def test_a_workbook_that_swells_is_refused_before_it_is_unpacked(drop: DropFolder) -> None:
    drop.put("a.xlsx", replaced(WHOLE, "<sheetData>", "<sheetData>" + " " * 2_000_000))
    connection = SOURCE.connection.model_validate({"root": drop.root, "max_size": "1MiB"})

    with pytest.raises(Unreadable, match="more than 1,048,576 bytes once decompressed"):
        next(SOURCE.extract(drop.config(), "d", connection, Scope()))


def test_a_workbook_that_may_not_be_read_is_refused(
    drop: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root reads everything: the refusal of the system stands in for its rights
    path = drop.put("a.xlsx", WHOLE)
    real = Path.open

    def denied(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", denied)

    assert isinstance(drop.refusal(), Refused)


def test_the_list_of_sources_loads_no_library_of_workbooks() -> None:
    code = (
        "import sources.registry, sys; print(*{'openpyxl', 'pandas', 'fsspec'} & set(sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.split() == []
