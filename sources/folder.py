"""Where files are delivered: what a folder can be asked, and the one of this machine."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sources.drop import DropFile, worded
from sources.errors import Unreachable


class Folder(Protocol):
    """A drop folder; names are paths under it, with `/`.

    Every method lets out Unreachable for an outage and Refused for a right that is lacking.
    """

    @property
    def version(self) -> str:
        """What answers there."""

    def exists(self) -> bool:
        """Whether there is such a folder."""

    def place(self, name: str = "") -> str:
        """The path or address of a file as it is shown, without secrets."""

    def find(self, pattern: str) -> list[DropFile]:
        """The files that match the glob *pattern*; Unreachable when there is no folder."""

    def look(self, name: str) -> DropFile | None:
        """A file as it stands; None where there is none."""

    def fetch(self, file: DropFile) -> AbstractContextManager[Path]:
        """The file on this machine, whole, as long as the context lasts."""

    def read(self, name: str) -> bytes:
        """The first 4,096 bytes of a file."""

    def move(self, name: str, target: str) -> None:
        """Give a file another name, in a folder that is made if need be."""

    def lacks_writing(self) -> bool:
        """Whether it is known that files may not be moved."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, or a share mounted on it."""

    root: Path
    version: str = "local files"

    def exists(self) -> bool:
        return self.root.is_dir()

    def place(self, name: str = "") -> str:
        return str(self.root / name)

    def find(self, pattern: str) -> list[DropFile]:
        with _worded(self.place(pattern)):
            if not self.exists():
                raise Unreachable(
                    f"there is no folder {self.root}",
                    where=self.place(pattern),
                    mend="check `root`, mount the share",
                )
            return [
                file
                for path in self.root.glob(pattern)
                if (file := self.look(path.relative_to(self.root).as_posix()))
            ]

    def look(self, name: str) -> DropFile | None:
        with _worded(self.place(name)):
            try:
                facts = (self.root / name).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            if not stat.S_ISREG(facts.st_mode):
                return None
            return DropFile(name, facts.st_size, facts.st_mtime_ns, str(facts.st_ino))

    @contextmanager
    def fetch(self, file: DropFile) -> Iterator[Path]:
        yield self.root / file.name

    def read(self, name: str) -> bytes:
        with _worded(self.place(name)), (self.root / name).open("rb") as file:
            return file.read(4096)

    def move(self, name: str, target: str) -> None:
        with _worded(self.place(name), doing=f"moved to {target}"):
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            try:
                (self.root / name).rename(self.root / target)
            except OSError as error:
                if error.errno != errno.EXDEV:  # a share of its own below the root
                    raise
                shutil.move(self.root / name, self.root / target)

    def lacks_writing(self) -> bool:
        return not os.access(self.root, os.W_OK)


@contextmanager
def _worded(where: str, doing: str = "read") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise worded(error, where, doing) from None
