"""A drop folder on another machine, through a file system of fsspec.

What is read is fetched whole to this machine first: a file is gone through several times, and half
of one that came through a cut line must never look like all of it.
"""

import glob
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol, TypeVar

import stamina

from sources.connection import Retries, Timeouts
from sources.drop import DropFile
from sources.errors import SourceError, Unreachable, Unreadable
from sources.masking import masked

_CHUNK: Final = 1 << 18  # bytes

T = TypeVar("T")


class Interrupted(Unreachable):
    """An outage of the line or of the other machine: what was being done is done again."""


class Remote(Protocol):
    """One kind of other machine: its file system, and what its exceptions mean."""

    @property
    def system(self) -> Any:
        """The file system of fsspec, connected."""

    @property
    def version(self) -> str:
        """What answers there."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may show."""

    def connect(self) -> None:
        """Connect, or connect anew."""

    def close(self) -> None:
        """Let go of what was opened."""

    def is_there(self, path: str) -> bool:
        """Whether files may be looked for under *path*."""

    def worded(self, error: Exception, where: str) -> SourceError | None:
        """The error of a source for one of its libraries; None: none of theirs."""


@dataclass(slots=True)
class RemoteFolder:
    """The folder `base` of another machine, shown as `address`; *most* bytes of a file at most."""

    remote: Remote
    address: str
    base: str
    timeout: Timeouts
    retry: Retries
    most: int

    @property
    def version(self) -> str:
        return self.remote.version

    @contextmanager
    def connected(self) -> Iterator["RemoteFolder"]:
        """The folder as long as the context lasts; raises Unreachable and Refused."""
        try:
            self._patiently(self.remote.connect, self.address)
            yield self
        finally:
            self.remote.close()

    def exists(self) -> bool:
        with self._worded(self.address):
            return self.remote.is_there(self.base)

    def place(self, name: str = "") -> str:
        return f"{self.address}/{name}" if name else self.address

    def find(self, pattern: str) -> list[DropFile]:
        with self._worded(self.place(pattern)):
            if not self.remote.is_there(self.base):
                raise Unreachable(
                    "there is no such folder on the other machine",
                    where=self.address,
                    mend="check `root` and the rights of the account",
                )
            found = self.remote.system.glob(f"{glob.escape(self.base)}/{pattern}", detail=True)
        files = (self.look(self._name(path)) for path, facts in found.items() if _may_be(facts))
        return [file for file in files if file]

    def look(self, name: str) -> DropFile | None:
        with self._worded(self.place(name)):
            try:
                facts = self.remote.system.info(self._path(name))
            except FileNotFoundError:
                return None
            return _file(name, facts) if facts["type"] == "file" else None

    def read(self, name: str) -> bytes:
        with self._worded(self.place(name)), self.remote.system.open(self._path(name)) as file:
            return bytes(file.read(4096))

    @contextmanager
    def fetch(self, file: DropFile) -> Iterator[Path]:
        if file.size > self.most:
            raise Unreadable(
                f"the file has {file.size:,} bytes, more than `max_size` allows",
                where=self.place(file.name),
                mend="raise `max_size` of the connection if that is right",
            )
        with tempfile.TemporaryDirectory(prefix="refsync-") as folder:
            path = Path(folder, PurePosixPath(file.name).name)
            self._patiently(lambda: self._copy(file, path), self.place(file.name))
            yield path

    def move(self, name: str, target: str) -> None:
        with self._worded(self.place(name)):
            self.remote.system.makedirs(
                str(PurePosixPath(self._path(target)).parent), exist_ok=True
            )
            self.remote.system.mv(self._path(name), self._path(target))

    def lacks_writing(self) -> bool:
        return False  # only trying would tell

    def _copy(self, file: DropFile, path: Path) -> None:
        """Fetch *file* to *path*; raises Interrupted when it is not whole, or changed meanwhile."""
        where = self.place(file.name)
        deadline = time.monotonic() + self.timeout.total
        size = 0
        with path.open("wb") as ours, self.remote.system.open(self._path(file.name)) as theirs:
            if file.size and hasattr(theirs, "prefetch"):
                theirs.prefetch(file.size, 64)  # paramiko would await each 32 kB otherwise
            while chunk := theirs.read(_CHUNK):
                ours.write(chunk)
                size += len(chunk)
                if time.monotonic() > deadline:
                    raise Unreachable(
                        f"the file is not here after {self.timeout.total:g} s",
                        where=where,
                        mend="raise `timeout.total` of the connection, or deliver it compressed",
                    )
        if size != file.size:
            raise Interrupted(
                f"{size:,} of {file.size:,} bytes came",
                where=where,
                mend="run again; look at the line if it happens often",
            )

    def _patiently(self, once: Callable[[], T], where: str) -> T:
        """What *once* gives; after an outage the connection is made anew and it is called again."""
        retry = self.retry
        attempts = stamina.retry_context(
            on=Interrupted,
            attempts=retry.attempts,
            timeout=retry.within,
            wait_initial=retry.initial,
            wait_max=retry.max_delay,
            wait_jitter=retry.jitter,
            wait_exp_base=retry.factor,
        )
        for attempt in attempts:
            with attempt, self._worded(where):
                if attempt.num > 1 and once != self.remote.connect:
                    self.remote.connect()
                return once()
        raise AssertionError("stamina ends with what was raised last")

    @contextmanager
    def _worded(self, where: str) -> Iterator[None]:
        """The exceptions of the libraries, in our words and without secrets."""
        try:
            yield
        except SourceError:
            raise
        except Exception as error:
            failure = self.remote.worded(error, where)
            if failure is None:
                raise
            raise failure from None

    def _path(self, name: str) -> str:
        return f"{self.base}/{name}"

    def _name(self, path: str) -> str:
        return path.removeprefix("/").removeprefix(self.base.removeprefix("/")).removeprefix("/")


def shown(words: object, secrets: tuple[str, ...]) -> str:
    """The first line of *words*, secrets masked."""
    lines = str(words).strip().splitlines() or [""]
    return masked(lines[0], secrets)[:200]


def _may_be(facts: dict[str, Any]) -> bool:
    return facts["type"] in ("file", "link")  # a link is looked at for what it leads to


def _file(name: str, facts: dict[str, Any]) -> DropFile:
    """What SFTP (`mtime`) and S3 (`LastModified`, `ETag`) say of a file."""
    moment: datetime = facts.get("mtime") or facts["LastModified"]
    mark = str(facts.get("ETag", "")).strip('"')
    return DropFile(name, int(facts["size"]), round(moment.timestamp() * 1e9), mark)
