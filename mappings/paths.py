r"""Paths into a record: `location.site`, as in the driver, through objects only.

    "location.rack.name"  ->  ("location", "rack", "name")
    "Resp\. technique"    ->  ("Resp. technique",)     a dot that belongs to a key is written \.
    "CPU\[1]"             ->  ("CPU[1]",)              and so is such a bracket

A step that is missing, null, or that meets something else than an object gives nothing: there is
no index into arrays (`specs/driver-compat.md` §2.1, decisions D4 to D6).

In a block with `each` paths start at one item of a list inside the record:

    "speed"        ->  ("speed",)              a field of the item
    "."            ->  ()                      the item itself, where it is no object
    "$parent.name" ->  ("$parent", "name")     a field of the record around it
    "$key"         ->  ("$key",)               its key in a map, its rank from 0 in a list

Elsewhere `$key` is a field: what a source calls the key of a record that lay in a map.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from mappings.errors import Place

Path = tuple[str, ...]

PARENT, KEY = "$parent", "$key"

_DOT = re.compile(r"(?<!\\)\.")
_ITEM = re.compile(r"(?<!\\)\[\s*\d*\s*\]")
_ESCAPED = re.compile(r"\\([.\[])")


class PathError(ValueError):
    """A path that can lead nowhere; `mend` says what to write instead."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def parse_path(text: str, *, items: bool = False) -> Path:
    """The keys to follow, outermost first. Raises PathError.

    `items`: the path stands in a block with `each`.
    """
    if items and text.strip() == ".":
        return ()
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
    if steps[0] in (PARENT, KEY):
        _check_around(text, steps, items=items)
    return tuple(_ESCAPED.sub(r"\1", step) for step in steps)


def path_of(text: str, place: Place, *, items: bool = False) -> Path | None:
    """The path written at *place*; None when it is at fault, which *place* was told."""
    try:
        return parse_path(text, items=items)
    except PathError as error:
        place.tell(str(error), error.mend)
        return None


def path_text(path: Path) -> str:
    """The path as a job writes it: `parse_path` reads it back."""
    return ".".join(re.sub(r"\.|\[(?=\s*\d*\s*\])", r"\\\g<0>", step) for step in path) or "."


def walk(record: Any, path: Path) -> Any:
    """The value at the end of the path; None when it is missing or null."""
    value = record
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def covered(path: Path, by: Collection[Path]) -> bool:
    """Whether *by* holds this path or one of its parents."""
    return any(path[:length] in by for length in range(1, len(path) + 1))


def _check_around(text: str, steps: list[str], *, items: bool) -> None:
    if steps[0] == KEY and len(steps) > 1:
        raise PathError(f"{KEY} is a text and has no fields", f"write {KEY}")
    if steps[0] == PARENT and not items:
        what = f"{text!r} is known in a block with each alone"
        raise PathError(what, "name a field, or add each")
    if steps == [PARENT]:
        raise PathError(f"{PARENT} is the whole record", f"name its field, such as {PARENT}.name")
