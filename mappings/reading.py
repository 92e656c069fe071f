"""From the YAML of a `mapping:` block to its model, with every fault of shape at once.

A fault must not hide the faults behind it: what is wrong is mended as its message proposes (a
misspelt key) or gives place to a stand-in, and reading goes on, so that the compiler can look at
the rest.
"""

import copy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mappings.complaints import spot, told
from mappings.errors import Path, Problem
from mappings.language import MappingBlock
from mappings.vocabulary import keys_at, nearest, settle, suggestion

_ROUNDS = 50  # each mends at least one node; a block that needs more is beyond reading
_VALUE = {"set": "?"}
_CONDITION = {"field": "name", "cond": "eq", "value": _VALUE}
_BLOCK = {"dataset": "?", "component": {"name": _VALUE}}
_WHEN = {"field": "?", "cond": "exist", "value": True}
_ITEMS: dict[str, Any] = {
    "entities": _BLOCK,
    "pattern": _CONDITION,
    **dict.fromkeys(("ignore", "first_of", "unique", "include"), "?"),
    **dict.fromkeys(("when", "all", "any", "not"), _WHEN),
}
# What stands in for a wrong value where its absence would mean something else.
_STAND_INS: dict[str, Any] = {
    **dict.fromkeys(("copy", "dataset"), "?"),
    "each": {"copy": "?"},
    "first_of": ["?"],
}
_REQUIRED: dict[str, Any] = {
    **dict.fromkeys(("name", "component", "value"), _VALUE),
    "field": "name",
    "cond": "eq",
    "type": "date",  # the one cast that takes every word
    "pattern": _CONDITION,
    "dataset": "?",
    "entities": [_BLOCK],
}
_FOLLOWED = ("include", "variables")  # before the mapping is read, when they are spelt well
# Words of the driver that say nothing here, with a word that is known where they would stand.
_HINTS = {
    "description": ("infos", "Canopsis holds no description of an entity: make it an info"),
    "enabled": ("infos", "every entity is sent enabled: remove it"),
    "path": ("entities", "the source finds the records: see source.datasets"),
    "is_map": ("entities", "the source finds the records: see source.datasets"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of a block: its model (None when nothing could) and its problems.

    `gone` are the places whose content gave place to a stand-in, `dropped` those of keys that mean
    nothing; `renamed` has, by the place where the model found a key, how the file spells it.
    """

    block: MappingBlock | None
    problems: tuple[Problem, ...]
    gone: frozenset[Path]
    dropped: frozenset[Path]
    renamed: dict[Path, str]

    def in_file(self, place: Path) -> Path:
        """A place of the model, as the file spells it."""
        return tuple(self.renamed.get(place[: rank + 1], step) for rank, step in enumerate(place))


def read_mapping(raw: object) -> Reading:
    """The block of *raw*, the parsed YAML under `mapping`; paths of problems start below it."""
    return _Draft(raw).read()


class _Draft:
    """The block while it is being mended."""

    def __init__(self, raw: object) -> None:
        self.mended: Any = copy.deepcopy(raw)
        self.problems: list[Problem] = []
        self.gone: set[Path] = set()
        self.dropped: set[Path] = set()
        self.renamed: dict[Path, str] = {}
        self._just_renamed: set[Path] = set()  # parents whose missing keys may be there by now

    def read(self) -> Reading:
        block: MappingBlock | None = None
        for _ in range(_ROUNDS):
            try:
                block = MappingBlock.model_validate(self.mended)
                break
            except ValidationError as error:
                faults = error.errors(include_url=False)
            self._just_renamed.clear()
            # misspelt keys first: the key that they stand for is then not missing
            faults.sort(key=lambda fault: fault["type"] != "extra_forbidden")
            if not self._take_all(faults):
                break
        return self._reading(block)

    def _reading(self, block: MappingBlock | None) -> Reading:
        problems, gone, dropped = (
            tuple(self.problems),
            frozenset(self.gone),
            frozenset(self.dropped),
        )
        return Reading(block, problems, gone, dropped, self.renamed)

    def _in_file(self, place: Path) -> Path:
        return tuple(self.renamed.get(place[: rank + 1], step) for rank, step in enumerate(place))

    def _take_all(self, faults: list[ErrorDetails]) -> bool:
        mended = [self._take(fault) for fault in faults]
        return all(mended)

    def _take(self, fault: ErrorDetails) -> bool:
        """Tells the fault and mends it; False when nothing can be mended."""
        parent = settle(MappingBlock, self.mended, fault["loc"][:-1])
        if fault["type"] == "missing" and parent in self._just_renamed:
            return True
        place = settle(MappingBlock, self.mended, fault["loc"], absent=fault["type"] == "missing")
        if not self._echoes(fault, place):
            self.problems.append(_problem(fault, self._in_file(place)))
        if place:
            self._mend(fault, place)
        return bool(place)

    def _echoes(self, fault: ErrorDetails, place: Path) -> bool:
        """Whether it complains of what was made of other faults: a stand-in, what is left over."""
        told = fault["type"] in ("missing", "extra_forbidden")
        left_over = not told and any(dropped[:-1] == place for dropped in self.dropped)
        return left_over or any(known[: len(place)] == place for known in self.gone)

    def _mend(self, fault: ErrorDetails, place: Path) -> None:
        parent: Any = self.mended
        for step in place[:-1]:
            parent = parent[step]
        key = place[-1]
        if fault["type"] == "extra_forbidden":
            content = parent.pop(key)
            meant = _meant(fault)
            if meant is not None and meant not in (*parent, *_FOLLOWED):
                parent[meant] = content
                self.renamed[(*place[:-1], meant)] = str(key)
                self._just_renamed.add(place[:-1])
            else:
                self.dropped.add(place)
            return
        self.gone.add(place)
        if fault["type"] == "missing":
            parent.setdefault(key, copy.deepcopy(_REQUIRED[str(key)]))
        elif isinstance(parent, list):
            kind = next(step for step in reversed(place) if isinstance(step, str))
            parent[int(key)] = copy.deepcopy(_ITEMS.get(kind, "?"))
        elif key in _STAND_INS:
            parent[key] = copy.deepcopy(_STAND_INS[str(key)])
        else:
            parent.pop(key, None)


def _meant(fault: ErrorDetails) -> str | None:
    return nearest(fault["loc"][-1], keys_at(MappingBlock, fault["loc"][:-1]))


def _problem(fault: ErrorDetails, path: Path) -> Problem:
    kind, path = fault["type"], ("mapping", *path)
    if kind == "extra_forbidden":
        words = keys_at(MappingBlock, fault["loc"][:-1])
        beside, mend = _HINTS.get(str(path[-1]), ("", ""))
        if beside not in words:
            mend = suggestion(path[-1], words, "known keys")
        return Problem(path, f"unknown key {path[-1]!r}", mend, on_key=True)
    if kind == "missing":
        return Problem(path[:-1], f"{path[-1]} is missing", f"add {path[-1]}:")
    return Problem(path + spot(fault), *told(fault, MappingBlock))
