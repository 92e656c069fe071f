"""What of a drop folder a dataset is read from: one look, and a second one to see that it rests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Final

import orjson

from sources.base import Slice
from sources.drop import NEVER, DropFile, by_age, choose, may_be_read
from sources.drop_dataset import DropDataset
from sources.errors import Unreachable, Unreadable
from sources.folder import Folder

_HOUR: Final = 3_600_000_000_000  # nanoseconds
_LOOKS: Final = 10  # times that a delivery under way is waited for


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files to read, those of each path apart, the newest last; `older` are passed over."""

    parts: tuple[tuple[DropFile, ...], ...]
    older: tuple[DropFile, ...] = ()

    @property
    def files(self) -> tuple[DropFile, ...]:
        return tuple(chain.from_iterable(self.parts))

    def taken(self) -> tuple[str, ...]:
        """Receipts for `Source.finish`: those passed over go too, lest they be the newest then."""
        return tuple(file.receipt() for file in (*self.older, *self.files))

    def slices(self, most: int) -> tuple[Slice, ...]:
        """The files shared out: each slice knows its own, whatever is delivered meanwhile."""
        of = max(1, min(most, len(self.files)))
        ends = [len(self.files) * rank // of for rank in range(of + 1)]
        shares = [self.files[first:end] for first, end in pairwise(ends)]
        return tuple(
            Slice(index, of, low=Delivery((share,), () if index else self.older).as_text())
            for index, share in enumerate(shares)
        )

    def as_text(self) -> str:
        both = [[file.receipt() for file in files] for files in (self.files, self.older)]
        return orjson.dumps(both).decode()

    @classmethod
    def of_slice(cls, wanted: Slice) -> "Delivery":
        """The files of one of `slices`."""
        both = orjson.loads(wanted.low) if wanted.low else [[], []]
        files, older = (tuple(map(DropFile.of_receipt, receipts)) for receipts in both)
        return cls((files,), older)


def delivered(
    table: DropDataset, folder: Folder, sleep: Callable[[float], None] = time.sleep
) -> Delivery:
    """What is to be read, once two looks at it agree where `settle_seconds` asks for that.

    Raises Unreachable when a file is not there, not ready, too old or never at rest.
    """
    found = look(table, folder)
    if not table.settle_seconds:
        return found
    for _ in range(_LOOKS):
        sleep(table.settle_seconds)
        before, found = found, look(table, folder)
        if before == found:
            return found
    moving = [file.name for file in found.files if file not in before.files]
    raise Unreachable(
        f"{', '.join(moving) or 'the delivery'} is still being written after "
        f"{_LOOKS * table.settle_seconds:g} s",
        where=folder.place(),
        mend="run later, or have files written under another name and then renamed",
    )


def look(table: DropDataset, folder: Folder) -> Delivery:
    """What is to be read as the folder stands."""
    now = time.time_ns()
    age = table.max_age_hours
    parts, older = [], []
    for pattern in table.patterns:
        files = _candidates(table, folder, pattern)
        chosen = choose(
            files,
            table.file_selection,
            newest_by=table.newest_by,
            oldest_ns=None if age is None else now - round(age * _HOUR),
            where=folder.place(),
        )
        parts.append(tuple(chosen))
        older += [file for file in files if file not in chosen]
    names = [file.name for part in parts for file in part]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise Unreadable(
            f"{twice[0]} is meant by two of the `paths`",
            where=folder.place(),
            mend="let each of them match files of its own",
        )
    passed = {file.name: file for file in older if file.name not in names}
    return Delivery(tuple(parts), tuple(passed.values()))


def _candidates(table: DropDataset, folder: Folder, pattern: str) -> list[DropFile]:
    """The files that match *pattern* and are ready, the newest last."""
    files = [
        file
        for file in folder.find(pattern)
        if may_be_read(file.name)
        and not (table.marker and file.name.endswith(table.marker))
        and not (table.archives and file.name.startswith(f"{table.archive_folder}/"))
    ]
    if not files:
        raise Unreachable(
            f"no file matches {pattern!r}",
            where=folder.place(),
            mend=f"check the path and the delivery; {', '.join(NEVER)} are left out",
        )
    if table.marker is not None:
        files = _marked(files, table.marker, folder)
    return by_age(files, table.newest_by)


def _marked(files: list[DropFile], suffix: str, folder: Folder) -> list[DropFile]:
    """Those of *files* whose marker was written after them, with its name."""
    ready = []
    for file in files:
        stem, dot, _ = file.name.rpartition(".")
        names = [file.name + suffix, *([stem + suffix] if dot else [])]
        found = [marker for name in names if (marker := folder.look(name))]
        # yesterday's marker says nothing of today's file of the same name
        if fresh := [marker for marker in found if marker.mtime_ns >= file.mtime_ns]:
            ready.append(replace(file, marker=fresh[0].name))
    if not ready:
        waiting = ", ".join(file.name for file in files[:5])
        raise Unreachable(
            f"{waiting} waits for a marker {suffix} written after it",
            where=folder.place(),
            mend="find out why the delivery was not ended, or leave out `marker`",
        )
    return ready
