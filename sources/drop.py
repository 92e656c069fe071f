"""Which files of a drop folder are read: those that match, whole, and not too old.

What is still being written or belongs to an editor is never a candidate: `*.tmp`, `*.part`,
`*.filepart`, `.*`, `~$*` (`specs/csv-and-api.md` §1.6).
"""

from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Final, Literal

import orjson

from sources.errors import Refused, SourceError, Unreachable, Unreadable

NEVER: Final = ("*.tmp", "*.part", "*.filepart", ".*", "~$*")

Selection = Literal["latest", "all"]
Newest = Literal["mtime", "name"]


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file as it stood when it was looked at; what differs later was written meanwhile.

    `name` is its path under the root, with `/`. `mark` tells two versions apart where the system
    can: an inode, an ETag. `marker` is the name of the file that said it was whole.
    """

    name: str
    size: int  # bytes
    mtime_ns: int
    mark: str = ""
    marker: str = ""

    def changed(self, now: "DropFile | None") -> str:
        """What has happened to the file, *now* as it is, in words; nothing: `""`."""
        if now is None:
            return "it is gone"
        if now.size != self.size:
            return f"{self.size:,} bytes became {now.size:,}"
        same = (now.mtime_ns, now.mark) == (self.mtime_ns, self.mark)
        return "" if same else "it was written to or replaced"

    def receipt(self) -> str:
        """The file as a text, `of_receipt` makes it of it again."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def of_receipt(cls, text: str) -> "DropFile":
        return cls(**orjson.loads(text))


def may_be_read(name: str) -> bool:
    """Whether the file of this name is no one's work under way."""
    last = PurePosixPath(name).name.lower()
    return not any(fnmatch(last, never) for never in NEVER)


def by_age(files: list[DropFile], newest_by: Newest) -> list[DropFile]:
    """*files*, the newest last."""
    return sorted(files, key=lambda file: _age(file, newest_by))


def choose(
    files: list[DropFile],
    selection: Selection,
    *,
    newest_by: Newest,
    oldest_ns: int | None,
    where: str,
) -> list[DropFile]:
    """The files to read out of *files* (the newest last), which lie at *where*: all, or the newest.

    Raises Unreachable when the newest was last written before *oldest_ns*, Unreadable when two
    files may be the newest.
    """
    newest = files[-1]
    if oldest_ns is not None and newest.mtime_ns < oldest_ns:
        hours = (oldest_ns - newest.mtime_ns) / 3.6e12
        raise Unreachable(
            f"the newest file is {hours:,.1f} hours older than `max_age_hours` allows",
            where=f"{where}: {newest.name}",
            mend="find out why no newer file was delivered, or raise `max_age_hours`",
        )
    if selection == "all":
        return files
    rival = files[-2] if len(files) > 1 else None
    if rival is not None and _age(rival, newest_by)[0] == _age(newest, newest_by)[0]:
        raise Unreadable(
            f"{rival.name} and {newest.name} are equally new",
            where=where,
            mend="leave one of them, or choose by `newest_by: name`",
        )
    return [newest]


def worded(error: OSError, where: str, doing: str = "read") -> SourceError:
    """The error of a source for one of the file system, met when a file was to be so treated."""
    words = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return Refused(f"may not be {doing}: {words}", where=where, mend="give us the right to it")
    mend = "check the disk or the share"
    return Unreachable(f"cannot be {doing}: {words}", where=where, mend=mend)


def _age(file: DropFile, newest_by: Newest) -> tuple[int | str, str]:
    return (file.name, file.name) if newest_by == "name" else (file.mtime_ns, file.name)
