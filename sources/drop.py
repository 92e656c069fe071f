"""Which files of a drop folder are read: those that match, whole, and not too old.

What is still being written or belongs to an editor is never a candidate: `*.tmp`, `*.part`,
`*.filepart`, `.*`, `~$*` (`specs/csv-and-api.md` §1.6).
"""

import stat
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, Literal

from sources.errors import Refused, SourceError, Unreachable, Unreadable

NEVER: Final = ("*.tmp", "*.part", "*.filepart", ".*", "~$*")

Selection = Literal["latest", "all"]
Newest = Literal["mtime", "name"]


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file as it stood when it was chosen; what differs later was written meanwhile."""

    path: Path
    size: int  # bytes
    mtime_ns: int
    inode: int

    def changed(self) -> str:
        """What has happened to the file since, in words; nothing: `""`."""
        try:
            now = _look(self.path)
        except OSError:
            return "it is gone"
        if now == self:
            return ""
        if now.size != self.size:
            return f"{self.size:,} bytes became {now.size:,}"
        return "it was written to or replaced"


def find(root: Path, pattern: str, *, newest_by: Newest) -> list[DropFile]:
    """The files of *root* that match the glob *pattern*, the newest last.

    Raises Unreachable when the folder or every file is missing, Refused when it may not be read.
    """
    where = str(root / pattern)
    try:
        if not root.is_dir():
            raise Unreachable(
                f"there is no folder {root}", where=where, mend="check `root`, mount the share"
            )
        files = [_look(path) for path in root.glob(pattern) if _may_be_read(path)]
    except OSError as error:
        raise worded(error, where) from None
    if not files:
        raise Unreachable(
            f"no file matches {pattern!r}",
            where=str(root),
            mend=f"check `path` and the delivery; {', '.join(NEVER)} are left out",
        )
    return sorted(files, key=lambda file: _age(file, newest_by))


def choose(
    files: list[DropFile], selection: Selection, *, newest_by: Newest, oldest_ns: int | None
) -> list[DropFile]:
    """The files to read out of *files* (the newest last): all, or the newest alone.

    Raises Unreachable when the newest was last written before *oldest_ns*, Unreadable when two
    files may be the newest.
    """
    newest = files[-1]
    if oldest_ns is not None and newest.mtime_ns < oldest_ns:
        hours = (oldest_ns - newest.mtime_ns) / 3.6e12
        raise Unreachable(
            f"the newest file is {hours:,.1f} hours older than `max_age_hours` allows",
            where=str(newest.path),
            mend="find out why no newer file was delivered, or raise `max_age_hours`",
        )
    if selection == "all":
        return files
    rival = files[-2] if len(files) > 1 else None
    if rival is not None and _age(rival, newest_by)[0] == _age(newest, newest_by)[0]:
        raise Unreadable(
            f"{rival.path.name} and {newest.path.name} are equally new",
            where=str(newest.path.parent),
            mend="leave one of them, or choose by `newest_by: name`",
        )
    return [newest]


def worded(error: OSError, where: str) -> SourceError:
    """The error of a source for one of the file system."""
    words = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return Refused(
            f"may not be read: {words}", where=where, mend="give us the right to read it"
        )
    return Unreachable(f"cannot be read: {words}", where=where, mend="check the disk or the share")


def _look(path: Path) -> DropFile:
    facts = path.stat()
    return DropFile(path, facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _may_be_read(path: Path) -> bool:
    name = path.name
    if any(fnmatch(name.lower(), never) for never in NEVER):
        return False
    return stat.S_ISREG(path.stat().st_mode)


def _age(file: DropFile, newest_by: Newest) -> tuple[int | str, str]:
    name = str(file.path)
    return (name, name) if newest_by == "name" else (file.mtime_ns, name)
