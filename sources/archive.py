"""What becomes of files once their records are loaded: they stay, or move to a dated folder."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import PurePosixPath

from sources.drop import DropFile
from sources.drop_dataset import DropDataset
from sources.folder import Folder


def put_away(
    table: DropDataset, folder: Folder, taken: Sequence[str], moment: datetime
) -> tuple[str, ...]:
    """Move the files of the receipts *taken* to the archive's folder of that day, and say so.

    A file that was written anew since it was read stays for the next run; one that is gone was
    moved by an earlier call, or by others. Raises Unreachable and Refused as the folder does.
    """
    if not table.archives:
        return ()
    day = f"{table.archive_folder}/{moment.date().isoformat()}"
    return tuple(
        told for file in map(DropFile.of_receipt, taken) for told in _put_away(folder, file, day)
    )


def _put_away(folder: Folder, file: DropFile, day: str) -> Iterator[str]:
    now = folder.look(file.name)
    if now is None:
        yield f"{file.name} is no longer there"
        return
    if change := file.changed(now):
        yield f"{file.name} stays: {change} since it was read"
        return
    names = [file.name, *([file.marker] if file.marker and folder.look(file.marker) else [])]
    for name in names:
        yield _move(folder, name, f"{day}/{name}")


def _move(folder: Folder, name: str, target: str) -> str:
    free = next(each for each in _names(target) if folder.look(each) is None)
    folder.move(name, free)
    return f"{name} moved to {free}"


def _names(target: str) -> Iterator[str]:
    """*target*, then names like it: nothing in the archive is written over."""
    yield target
    path = PurePosixPath(target)
    for number in count(2):
        yield str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
