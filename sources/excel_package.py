"""The zip archive that a workbook is: whole, of the right kind, of bearable size."""

import errno
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NoReturn

from sources.drop import worded
from sources.errors import Unreadable

CHUNK: Final = 1 << 17  # bytes

_ZIP: Final = b"PK"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")  # the stream that holds the real workbook
_TYPES: Final = "[Content_Types].xml"
_SPREADSHEET: Final = re.compile(rb"(?:sheet|template)(?:\.macroEnabled)?\.main\+xml")
_STRICT: Final = b"http://purl.oclc.org/ooxml/spreadsheetml/main"

# What openpyxl and what it stands on raise for a workbook that is not as it should be.
_BROKEN: Final = (
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    SyntaxError,  # the XML parser's is one
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Errors of files, archives and openpyxl, in our words."""
    try:
        yield
    except (OSError, *_BROKEN) as error:
        # what is no number of a place in the file is refused as an invalid argument
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise worded(error, where) from None
        words = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Unreadable(
            f"the workbook is damaged, or written as Excel would not: {words}",
            where=where,
            mend="have it delivered again; if it opens in Excel, save it there as .xlsx",
        ) from None


@contextmanager
def open_package(path: Path, where: str, most: int) -> Iterator[zipfile.ZipFile]:
    """The archive of the workbook *path*, shown as *where*, every part of it seen to be whole.

    Raises Unreadable for what is no workbook that can be read, is damaged, protected by a password,
    or larger than *most* bytes once decompressed.
    """
    with readable(where):
        _check_kind(path, where)
        archive = zipfile.ZipFile(path)
    with archive:
        parts = archive.infolist()
        # an archive gives no more of a part than it declares
        if sum(part.file_size for part in parts) > most:
            raise Unreadable(
                f"the workbook holds more than {most:,} bytes once decompressed",
                where=where,
                mend="raise `max_size` of the connection if that is right",
            )
        if any(part.flag_bits & 1 for part in parts):
            _locked(where)
        with readable(where):
            for part in parts:
                with archive.open(part) as whole:  # its checksum is compared at its end
                    while whole.read(CHUNK):
                        pass
            _check_parts(archive, where)
        yield archive


def _check_kind(path: Path, where: str) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(_OLE):
            if _holds(file, head, _LOCKED):
                _locked(where)
            _another(where, "an old workbook (.xls)")
    if not head.strip():
        raise Unreadable(
            "the file is empty: that is an outage of the export, not a client without data",
            where=where,
            mend="have it delivered again; nothing was changed",
        )
    if head.startswith(_ZIP):
        return
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")
    if text.startswith("<"):
        kind = "HTML or XML under the name of a workbook"
    elif "\0" in text or "\ufffd" in text[:80]:
        kind = "of no kind that is known"
    else:
        raise Unreadable(
            f"this is text, not a workbook; it begins with {text[:80]!r}",
            where=where,
            mend="read it by a source `csv`",
        )
    _another(where, kind)


def _holds(file: IO[bytes], head: bytes, wanted: bytes) -> bool:
    tail = head
    while tail:
        if wanted in tail:
            return True
        chunk = file.read(CHUNK)
        tail = tail[-len(wanted) :] + chunk if chunk else b""
    return False


def _check_parts(archive: zipfile.ZipFile, where: str) -> None:
    names = set(archive.namelist())
    if "content.xml" in names and "mimetype" in names:
        _another(where, "an OpenDocument spreadsheet (.ods)")
    if _TYPES not in names:
        _another(where, "a zip archive without a workbook")
    types = archive.read(_TYPES)
    if b"sheet.binary" in types:
        _another(where, "a binary workbook (.xlsb)")
    if not _SPREADSHEET.search(types):
        _another(where, "a document of Office without sheets")
    books = [name for name in names if re.fullmatch(r"xl/workbook\d*\.xml", name)]
    if any(_STRICT in archive.read(name) for name in books):
        # openpyxl finds no row in it, and does not say so
        _another(where, "a workbook saved as Strict Open XML")


def _another(where: str, kind: str) -> NoReturn:
    raise Unreadable(
        f"this is {kind}, which is not read",
        where=where,
        mend="open it in Excel and save it as an Excel workbook (.xlsx); a page saved in place of "
        "the export is an outage of it",
    )


def _locked(where: str) -> NoReturn:
    raise Unreadable(
        "the workbook is protected by a password",
        where=where,
        mend="have it delivered without: File, Info, Protect Workbook, Encrypt with Password",
    )
