"""Files written so that a reader sees all of them or nothing, even when we are killed."""

import secrets
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: bytes) -> None:
    """Write *path* beside its place, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # not `tempfile`: its files may be read by their owner alone, and reports are for others too
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
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
