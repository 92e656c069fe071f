"""How golden lines differ, as a person reads it: one key a line, under the name of the entity.

    @@ -2 +2 @@ component srv-002
       infos.env.name: "env"
    -  infos.env.value: "prod"
    +  infos.env.value: "qualif"

The numbers are those of entities, counted from 1: of their lines, where no line is blank.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Object = dict[str, Any]
Name = tuple[str, int]  # what it is called, and how many of that name stand before it


@dataclass(frozen=True, slots=True)
class _Block:
    """One object, a line a key; `number` counts from 1."""

    number: int
    lines: tuple[str, ...]


def differences(expected: Sequence[Object], made: Sequence[Object]) -> Iterator[str]:
    """The lines of a unified diff, without those that name the files; none when both are equal."""
    old, new = _blocks(expected), _blocks(made)
    for name in (*old, *(name for name in new if name not in old)):
        before, after = old.get(name), new.get(name)
        if before is None or after is None or before.lines != after.lines:
            yield f"@@ -{_number(before)} +{_number(after)} @@ {name[0]}"
            yield from _lines(before, after)
    common = [name for name in old if name in new]
    moved = next((b for b in zip(common, _common(new, old), strict=True) if b[0] != b[1]), None)
    if moved is not None:
        expected_name, made_name = moved
        yield f"@@ -{old[expected_name].number} +{new[made_name].number} @@ the order"
        yield from (f"-{expected_name[0]}", f"+{made_name[0]}")


def _common(new: dict[Name, _Block], old: dict[Name, _Block]) -> list[Name]:
    return [name for name in new if name in old]


def _number(block: _Block | None) -> str:
    return "0,0" if block is None else str(block.number)


def _lines(before: _Block | None, after: _Block | None) -> Iterator[str]:
    old, new = (() if block is None else block.lines for block in (before, after))
    for line in difflib.unified_diff(old, new, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield line


def _blocks(objects: Sequence[Object]) -> dict[Name, _Block]:
    blocks: dict[Name, _Block] = {}
    for number, found in enumerate(objects, 1):
        title, rank = _title(found), 0
        while (title, rank) in blocks:
            rank += 1
        blocks[title, rank] = _Block(number, tuple(f"  {line}" for line in _flat(found, "")))
    return blocks


def _title(found: Object) -> str:
    """`resource disk/srv-001`; `reject servers 3` of a line of rejects."""
    if "type" not in found:
        return f"reject {found.get('dataset')} {found.get('number')}"
    component = f"/{found['component']}" if "component" in found else ""
    return f"{found['type']} {found.get('name')}{component}"


def _flat(value: Any, path: str) -> Iterator[str]:
    """A line for each scalar; texts of a list have no rank, so that one more moves no other."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flat(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for rank, each in enumerate(value):
            nested = isinstance(each, (dict, list))
            yield from _flat(each, f"{path}[{rank}]" if nested else f"{path}[]")
    else:
        yield f"{path}: {orjson.dumps(value).decode()}"
