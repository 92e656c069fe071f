"""Where parts of an extraction lie between those who read them and the run that puts them together.

A folder, of this machine or mounted on all, or whatever else fsspec knows by a URL. Nothing is seen
there before it is whole.
"""

import contextlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from flows.files import Unwritable, write_whole, writing
from flows.misdeclared import Misdeclared
from flows.parts import SUMMARY
from flows.settings import Settings
from mappings.errors import Problem

_FOLDERS = ("file", "local")
# fsspec's own takes any key; drops have another: docs/decisions/009-remote-drops.md
_TRUSTING = ("sftp", "ssh")
# They have no folders: one that is asked for would be a bucket, which others are to make.
_BUCKETS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}


class Place(Protocol):
    """A shared place, or a folder of it; names are paths in it. Its methods raise Unwritable."""

    def within(self, name: str) -> "Place":
        """The folder *name* of it."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which is seen when it is whole."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""

    def has(self, name: str) -> bool:
        """Whether a file is there."""

    def making(self, name: str) -> AbstractContextManager[Path]:
        """A new folder of this machine, which is put there when the context ends well."""

    def using(self, name: str) -> AbstractContextManager[Path]:
        """A folder of it on this machine, as long as the context lasts; it is gone thereafter."""

    def clear(self) -> None:
        """Remove all of it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that all can reach by a path."""

    root: Path

    def within(self, name: str) -> "Folder":
        return Folder(self.root / name)

    def write(self, name: str, content: bytes) -> None:
        write_whole(self.root / name, content)

    def read(self, name: str) -> bytes | None:
        with writing(self.root / name):
            try:
                return (self.root / name).read_bytes()
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        folder = self.root / name
        beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
        with writing(folder):
            beside.mkdir(parents=True)
        try:
            yield beside
            with writing(folder):
                beside.rename(folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            self._leave()
            raise

    def _leave(self) -> None:
        """Remove the folder and the one around it, unless others need them.

        Whoever reads for a run that is over makes its folder anew when it was just removed.
        """
        with contextlib.suppress(OSError):  # they hold other things, or are gone
            self.root.rmdir()
            self.root.parent.rmdir()

    @contextmanager
    def using(self, name: str) -> Iterator[Path]:
        yield self.root / name
        shutil.rmtree(self.root / name, ignore_errors=True)

    def clear(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        with contextlib.suppress(OSError):  # the folder of the run, unless it holds other things
            self.root.parent.rmdir()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A folder of a file system of fsspec, shown as `address`."""

    system: Any
    root: str
    address: str

    def within(self, name: str) -> "Elsewhere":
        return Elsewhere(self.system, f"{self.root}/{name}", f"{self.address}/{name}")

    def write(self, name: str, content: bytes) -> None:
        with self._worded(name):
            self._make_folder(name.rpartition("/")[0])
            self.system.pipe_file(self._path(name), content)

    def read(self, name: str) -> bytes | None:
        with self._worded(name):
            try:
                return bytes(self.system.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        with self._worded(name):
            return bool(self.system.exists(self._path(name)))

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="refsync-") as here:
            folder = Path(here)
            yield folder
            with self._worded(name):
                self._make_folder(name)
                # the summary last: without it there is no part
                for file in sorted(folder.iterdir(), key=lambda each: each.name == SUMMARY):
                    self.system.put_file(str(file), self._path(f"{name}/{file.name}"))

    @contextmanager
    def using(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="refsync-") as here:
            folder = Path(here)
            with self._worded(name):
                for path in self.system.ls(self._path(name), detail=False):
                    self.system.get_file(path, str(folder / path.rpartition("/")[2]))
            yield folder
        with self._worded(name):
            self.system.rm(self._path(name), recursive=True)

    def clear(self) -> None:
        with self._worded(""):
            if self.system.exists(self.root):
                self.system.rm(self.root, recursive=True)

    def _make_folder(self, name: str) -> None:
        kinds = self.system.protocol
        if _BUCKETS.isdisjoint((kinds,) if isinstance(kinds, str) else kinds):
            self.system.makedirs(self._path(name), exist_ok=True)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _worded(self, name: str) -> AbstractContextManager[None]:
        return _worded(f"{self.address}/{name}")


@contextmanager
def _worded(where: str) -> Iterator[None]:
    """What goes wrong there, whatever library says it, is Unwritable."""
    try:
        yield
    except (ImportError, ValueError):
        raise  # there is no such file system
    except Exception as error:  # noqa: BLE001 - each file system has its own
        unwritable = Unwritable(f"the shared place does not do as asked: {_first_line(error)}")
        unwritable.add_note(f"where: {where}")
        unwritable.add_note("mend: see that it answers, has room, and may be written")
        raise unwritable from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


def shared_place(settings: Settings) -> Place:
    """The place that `shared` names, or the spool; raises Misdeclared when there can be none."""
    stated = str(settings.resolve(settings.words.shared, ("shared",)))
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", stated):
        return Folder(settings.base / stated if stated else settings.spool)
    url = urlsplit(stated)
    if "@" in url.netloc:
        settings.keep_secret(stated)
    if url.scheme in _FOLDERS:
        return Folder(Path(url.path))
    if url.scheme in _TRUSTING:
        what = f"{url.scheme}:// trusts whatever key a server shows, and parts hold records"
        fault = Problem(("shared",), what, "mount it (sshfs), or name s3://bucket/folder")
        raise Misdeclared([settings.fault(fault)])
    address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}".rstrip("/")
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - loaded where it is asked for alone

        with _worded(address):
            # what others do there meanwhile must be seen
            system, root = url_to_fs(stated, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as error:
        mend = f"pip install 'refsync[{url.scheme}]', or name a folder"
        fault = Problem(("shared",), f"{url.scheme}:// cannot be used: {error}", mend)
        raise Misdeclared([settings.fault(fault)]) from None
    if url.scheme == "memory":
        what = "memory:// is one process's own, and nothing is shared in it"
        fault = Problem(("shared",), what, "name a folder, or s3://bucket/folder")
        raise Misdeclared([settings.fault(fault)])
    return Elsewhere(system, root.rstrip("/"), address)
