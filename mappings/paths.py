r"""Paths into a record: `location.site`, as in the driver, through objects only.

    "location.rack.name"  ->  ("location", "rack", "name")
    "Resp\. technique"    ->  ("Resp. technique",)     a dot that belongs to a key is written \.
    "CPU\[1]"             ->  ("CPU[1]",)              and so is such a bracket

A step that is missing, null, or that meets something else than an object gives nothing: there is
no index into arrays (`specs/driver-compat.md` §2.1, decisions D4 to D6).
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

Path = tuple[str, ...]

_DOT = re.compile(r"(?<!\\)\.")
_ITEM = re.compile(r"(?<!\\)\[\s*\d*\s*\]")
_ESCAPED = re.compile(r"\\([.\[])")


class PathError(ValueError):
    """A path that can lead nowhere; `mend` says what to write instead."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def parse_path(text: str) -> Path:
    """The keys to follow, outermost first. Raises PathError."""
    steps = _DOT.split(text)
    if not all(step.strip() for step in steps):
        raise PathError(
            f"path {text!r} has an empty step" if text.strip() else "an empty path",
            r"write the keys with one dot between two; a dot inside a key is written \.",
        )
    if _ITEM.search(text):
        raise PathError(
            f"path {text!r} asks for an item of an array, and a path goes through objects only",
            r"copy the whole array; if the bracket belongs to the key, write \[",
        )
    return tuple(_ESCAPED.sub(r"\1", step) for step in steps)


def path_text(path: Path) -> str:
    """The path as a job writes it: `parse_path` reads it back."""
    return ".".join(re.sub(r"\.|\[(?=\s*\d*\s*\])", r"\\\g<0>", step) for step in path)


def walk(record: Mapping[str, Any], path: Path) -> Any:
    """The value at the end of the path; None when it is missing or null."""
    value: Any = record
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def covered(path: Path, by: Collection[Path]) -> bool:
    """Whether *by* holds this path or one of its parents."""
    return any(path[:length] in by for length in range(1, len(path) + 1))
