"""The text of a file: decompressed, decoded strictly, and not something else than text.

A file is gone through once before its first row is read: its encoding can be told only from all
of its bytes, and a truncated archive only from its end (`specs/csv-and-api.md` §1.1, §1.4).
"""

import codecs
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Final, NoReturn, cast

from sources.drop import worded
from sources.errors import Unreadable

CHUNK: Final = 1 << 20  # bytes

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0"
_BOMS: Final = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSES: Final = ("utf-8", "cp1252")
_NOT_CSV: Final = (
    (re.compile(r"\s*<(!doctype|html|head|body|\?xml|[a-z]+[\s>/])", re.IGNORECASE), "HTML or XML"),
    (re.compile(r'\s*[\[{]\s*["{\[\]}]'), "JSON"),
)
_ASCII: Final = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Scan:
    """What is known of a file that was gone through.

    `size` is in bytes once decompressed. `nuls` tells that NUL characters may be among the text.
    """

    encoding: str
    size: int
    nuls: bool
    ends_line: bool


@contextmanager
def open_text(path: Path, *, where: str, encoding: str, member: str | None) -> Iterator[IO[str]]:
    """The text of *path*, shown as *where*, its line ends as they are.

    Lets out Unreadable for what turns out to be damaged, Unreachable and Refused as
    `sources.drop.worded`.
    """
    with ExitStack() as stack, _readable(where):
        binary = stack.enter_context(_open_bytes(path, where, member))
        yield stack.enter_context(TextIOWrapper(binary, encoding, errors="strict", newline=""))


def scan(path: Path, *, where: str, encoding: str | None, member: str | None, most: int) -> Scan:
    """Go through *path*, shown as *where*: its encoding (None: to be told), and that it is text.

    A byte order mark wins; without one UTF-8 if all of it is, else cp1252. Raises Unreadable for
    what is damaged, empty, no text, or larger than *most* bytes once decompressed.
    """
    with _readable(where), _open_bytes(path, where, member) as binary:
        head = binary.read(4096)
    bom, marked = next((mark for mark in _BOMS if head.startswith(mark[0])), (b"", encoding))
    if len(head) == len(bom):
        _empty(where)
    names = (marked,) if marked else _GUESSES
    offset = 0
    for name in names:
        _check_kind(where, head.decode(name, errors="replace"))
        with _readable(where), _open_bytes(path, where, member) as binary:
            found = _go_through(binary, name, most)
        if isinstance(found, Scan):
            if found.size > most:
                _too_large(where, most)
            return found
        offset = found
    raise Unreadable(
        f"the text is {'neither ' if len(names) > 1 else 'not '}{' nor '.join(names)}: "
        f"byte {offset:,} cannot be",
        where=where,
        mend="state the right `encoding`",
    )


def _go_through(binary: IO[bytes], name: str, most: int) -> Scan | int:
    """What is known of *binary* at its end, or the offset of the first byte not of encoding *name*.

    Stops past *most* bytes.
    """
    decoder = codecs.getincrementaldecoder(name)("strict")
    # Where ASCII bytes are themselves, a chunk of these alone needs no decoding.
    plain = _ASCII.decode(name, errors="replace") == _ASCII.decode("ascii")
    size, nuls, tail = 0, False, b""
    chunk = b"first"
    while chunk and size <= most:
        chunk = binary.read(CHUNK)
        pending = len(decoder.getstate()[0])
        if not (plain and not pending and chunk.isascii()) or not chunk:
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return size - pending + error.start
        size += len(chunk)
        nuls = nuls or b"\0" in chunk
        tail = (tail + chunk)[-8:]
    ends_line = tail.decode(name, errors="replace").endswith(("\n", "\r"))
    return Scan(name, size, nuls, ends_line)


@contextmanager
def _open_bytes(path: Path, where: str, member: str | None) -> Iterator[IO[bytes]]:
    """The bytes of *path*, decompressed; compression is told by the first bytes, not the name."""
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_GZIP):
            yield cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw)))
        elif magic in _ZIP:
            archive = stack.enter_context(zipfile.ZipFile(raw))
            yield stack.enter_context(archive.open(_member(where, archive, member)))
        elif magic == _OLE:
            raise _workbook(where, "an old Excel workbook (.xls)")
        else:
            yield raw


def _member(where: str, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in names:
        raise _workbook(where, "an Excel workbook (.xlsx)")
    if "content.xml" in names and "mimetype" in names:
        raise _workbook(where, "an OpenDocument spreadsheet (.ods)")
    fitting = [name for name in names if member is None or fnmatch(name, member)]
    if len(fitting) != 1:
        shown = ", ".join(names[:10]) or "nothing"
        raise Unreadable(
            f"the archive has {len(fitting)} files to read, and one is wanted; it holds {shown}",
            where=where,
            mend="name it by `member`",
        )
    return fitting[0]


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """Errors of files and archives, in our words."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise Unreadable(
            f"the archive is truncated or damaged: {error}",
            where=where,
            mend="have the file delivered again",
        ) from None
    except UnicodeError as error:
        raise Unreadable(
            f"the text changed while it was read: {error}",
            where=where,
            mend="have the file delivered whole: under another name, then renamed",
        ) from None
    except OSError as error:
        raise worded(error, where) from None
    except RuntimeError as error:  # zipfile's way to ask for a password
        raise Unreadable(str(error), where=where, mend="deliver it without password") from None


def _check_kind(where: str, head: str) -> None:
    for pattern, kind in _NOT_CSV:
        if pattern.match(head):
            raise Unreadable(
                f"this is {kind}, not CSV; it begins with {head[:80]!r}",
                where=where,
                mend="open the file: an error page may have been saved in place of the export",
            )


def _workbook(where: str, kind: str) -> Unreadable:
    return Unreadable(
        f"this is {kind}, not CSV",
        where=where,
        mend="export it as CSV, or read it by a source `excel`",
    )


def _too_large(where: str, most: int) -> NoReturn:
    raise Unreadable(
        f"the file holds more than {most:,} bytes once decompressed",
        where=where,
        mend="raise `max_size` of the connection if that is right",
    )


def _empty(where: str) -> NoReturn:
    raise Unreadable(
        "the file is empty: that is an outage of the export, not a client without data",
        where=where,
        mend="have it delivered again; nothing was changed",
    )
