"""Files written so that a reader sees all of them or nothing, even when we are killed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Unwritable(Exception):
    """A file of ours cannot be written: the disk is full, or the folder is not ours."""


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """What goes wrong on disk inside is Unwritable at *where*."""
    try:
        yield
    except OSError as error:
        unwritable = Unwritable(f"cannot write: {error.strerror or error}")
        unwritable.add_note(f"where: {where}")
        unwritable.add_note("mend: see that the disk has room and that the folder may be written")
        raise unwritable from error


def write_whole(path: Path, content: bytes) -> None:
    """Write *path* beside its place, then move it there; raises Unwritable."""
    # not `tempfile`: its files may be read by their owner alone, and reports are for others too
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def as_json(value: Any) -> Any:
    """What orjson does not know by itself: sets as sorted lists, paths as text."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
