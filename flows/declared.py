"""Where a connection is declared: under its name in refsync.yaml, else in a Prefect block of it.

What is said of it afterwards, faults and warnings, is said at its place: `refsync.yaml:5:3`, or
`block refsync-connection/acme-cmdb: auth.token`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flows.misdeclared import Fault, Misdeclared
from flows.prefect_env import CONNECTION_BLOCK, settle
from flows.settings import Settings
from mappings.complaints import kind_of
from mappings.errors import Path, Problem
from mappings.vocabulary import suggestion


@dataclass(frozen=True, slots=True)
class Declared:
    """A connection as it is written, its references not yet followed.

    *words* hold its `type` where it is stated. *masked* are the words of a block that nobody can
    read there; they are values, and hold no references.
    """

    name: str
    words: dict[str, Any] = field(repr=False)
    masked: dict[str, Any] = field(default_factory=dict, repr=False)
    in_block: bool = False

    def where(self, settings: Settings, path: Path = ()) -> str:
        """The place of a word of it."""
        if not self.in_block:
            return settings.fault(Problem(self._root + path, "", on_key=not path)).where
        block = f"block {CONNECTION_BLOCK}/{self.name}"
        return f"{block}: {'.'.join(map(str, path))}" if path else block

    def resolved(self, settings: Settings) -> dict[str, Any]:
        """Its words with what they refer to, and the masked ones among them.

        Raises Misdeclared with every reference that leads nowhere.
        """
        problems: list[Problem] = []
        words = settings.follow(self.words, (), problems)
        for _, text in leaves(self.masked):
            settings.keep_secret(str(text))
        whole = _merged(words, self.masked, (), problems)
        if problems:
            raise Misdeclared(self.faults(settings, problems))
        return whole

    def faults(self, settings: Settings, problems: Iterable[Problem]) -> list[Fault]:
        """*problems*, whose paths start at its words, as faults of refsync.yaml or of the block."""
        if not self.in_block:
            return settings.faults(replace(each, path=self._root + each.path) for each in problems)
        return [
            Fault(
                self.where(settings, each.path),
                settings.redact(each.what),
                settings.redact(each.mend),
            )
            for each in problems
        ]

    @property
    def _root(self) -> Path:
        return ("connections", self.name)


def declared(settings: Settings, name: str) -> Declared | None:
    """The connection *name*; None when it is nowhere.

    A block is looked for when PREFECT_API_URL says where, and once only: a run sees one state of
    it. Raises Misdeclared when it is not what a block of ours is, Unreachable.
    """
    words = settings.words.connections.get(name)
    return Declared(name, words) if words is not None else in_block(settings, name)


def in_block(settings: Settings, name: str) -> Declared | None:
    """The block of the connection *name*, whatever refsync.yaml says."""
    if not prefect_is_named():
        return None
    if name not in settings.blocks:
        settle(settings.state)
        from flows import blocks  # noqa: PLC0415 - Prefect costs a second to import

        settings.blocks[name] = blocks.connection(name)
    found = settings.blocks[name]
    return None if found is None else _of(name, found)


def prefect_is_named() -> bool:
    """Whether there is a Prefect to be asked; at a prompt none is started for it."""
    return bool(os.environ.get("PREFECT_API_URL"))


def leaves(words: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither a mapping nor a list, with its path."""
    if isinstance(words, Mapping):
        for key, value in words.items():
            yield from leaves(value, (*path, key))
    elif isinstance(words, list):
        for rank, value in enumerate(words):
            yield from leaves(value, (*path, rank))
    else:
        yield path, words


def unknown(settings: Settings, name: str, asked_at: str) -> Misdeclared:
    """The connection *name*, named at *asked_at*, is nowhere."""
    hint = suggestion(name, settings.words.connections, "declared")
    mend = f"declare it under `connections:` in refsync.yaml{hint and '; ' + hint}"
    if prefect_is_named():
        mend += f", or save a Prefect block {CONNECTION_BLOCK}/{name}"
    return Misdeclared([Fault(asked_at, f"unknown connection {name!r}", mend)])


def _of(name: str, found: dict[str, Any]) -> Declared:
    """The content of a block, which may have been saved by hand."""
    written, masked = found.get("words") or {}, found.get("secrets") or {}
    where = f"block {CONNECTION_BLOCK}/{name}"
    faults = [
        Fault(f"{where}: {field}", f"expected a mapping, not {kind_of(value)}", "write {…}")
        for field, value in (("words", written), ("secrets", masked))
        if not isinstance(value, dict)
    ]
    if not faults and "type" in written:
        faults.append(Fault(f"{where}: type", "the type of a block is its `kind`", "leave it out"))
    if faults:
        raise Misdeclared(faults)
    return Declared(name, {"type": found.get("kind"), **written}, masked, in_block=True)


def _merged(
    words: dict[str, Any], masked: dict[str, Any], path: Path, problems: list[Problem]
) -> dict[str, Any]:
    """*words* with the *masked* ones at their depth; what stands in both is a problem."""
    merged = dict(words)
    for key, value in masked.items():
        ours = merged.get(key)
        if key not in merged:
            merged[key] = value
        elif isinstance(ours, dict) and isinstance(value, dict):
            merged[key] = _merged(ours, value, (*path, key), problems)
        else:
            what = f"{key!r} stands in `words` and in `secrets`"
            problems.append(Problem((*path, key), what, "keep the one in `secrets`"))
    return merged
