"""The files of one run, which its stages hand to each other.

    entities.jsonl   the canonical bytes of every entity, one a line, as they will be sent
    index.jsonl      where each entity stands: blocks of columns (`referential.columns`)
    rejects.jsonl    every reject with its reason and its record
    extracted.json   what was read: counts, outcome and evidence by dataset, the mapping's tally
    plan.jsonl       the plan
    held.jsonl       the removals that wait to be accepted, when there are some

They are written once, in order; memory never holds more than a page.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from itertools import accumulate, pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import orjson
import pandas as pd

from flows.files import writing
from mappings.casts import shown
from mappings.rejects import Reject
from referential.columns import decode_block, encode_block, read_columns
from referential.entity import EntityPage
from referential.rows import Places
from sources.base import Reject as Unread

_BLOCK = 1_000  # entities of a block of the index
_CHUNK = 1 << 20  # bytes that are copied at once
_COLUMNS = ("id", "kind", "group", "category", "infos", "fingerprint", "size")
_READ = "read"  # the rule of what was no record
_REJECT = tuple(column.name for column in fields(Reject))


class Spool:
    """The folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entities = folder / "entities.jsonl"
        self.index = folder / "index.jsonl"
        self.rejects = folder / "rejects.jsonl"
        self.summary = folder / "extracted.json"
        self.plan = folder / "plan.jsonl"
        self.held = folder / "held.jsonl"

    def found(self) -> pd.DataFrame:
        """What this run extracted, in order: the `found` frame of `referential.plan`."""
        return read_columns(self.index)

    def iter_rejects(self) -> Iterator[dict[str, Any]]:
        with self.rejects.open("rb") as lines:
            yield from map(orjson.loads, lines)


class SpoolWriter:
    """Appends pages to a new spool; a spool that exists already is begun again.

    Small pages are gathered: a block of the index costs as much to read as dozens of its rows. All
    blocks of a dataset have as many rows but its last one, so that the same entities make the same
    files, in whatever pages and parts they came. Its methods raise Unwritable.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._offset = 0  # of the first entity that is not in the index yet
        self._dataset = ""
        self._rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}

    def __enter__(self) -> Self:
        spool = self._spool
        with writing(spool.folder), ExitStack() as files:
            spool.folder.mkdir(parents=True, exist_ok=True)
            self._entities: IO[bytes] = files.enter_context(spool.entities.open("wb"))
            self._index: IO[bytes] = files.enter_context(spool.index.open("wb"))
            self._rejects: IO[bytes] = files.enter_context(spool.rejects.open("wb"))
            self._files = files.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with writing(self._spool.folder), self._files:
            self._flush()  # after an error too: what was read until then is there to be looked at

    def write(self, dataset: str, page: EntityPage) -> None:
        """Append the entities of one page."""
        self._begin(dataset)
        with writing(self._spool.folder):
            # At once: they are still in the processor's cache, and go without being kept twice.
            self._entities.write(b"\n".join((*page.payloads, b"")))
        self._take(
            {
                "id": page.ids,
                "kind": page.kinds,
                "group": page.groups,
                "category": page.categories,
                "infos": page.infos,
                "fingerprint": page.fingerprints,
                "size": list(map(len, page.payloads)),
            }
        )

    def append(self, dataset: str, part: Spool, before: int, dropped: Collection[int] = ()) -> None:
        """Append what another spool has of *dataset*, *before* records of which came before it.

        *dropped* are the ranks, from 0, of rejects of the mapping there that are none.
        """
        self._begin(dataset)
        with writing(self._spool.folder):
            with part.entities.open("rb") as entities:
                shutil.copyfileobj(entities, self._entities, _CHUNK)
            with part.index.open("rb") as index:
                for line in index:
                    rows = decode_block(line, _COLUMNS)
                    self._take(rows | {"size": rows["size"].tolist()})
        rejects = _without(part.iter_rejects(), dropped)
        self.reject(each | {"number": each["number"] + before} for each in rejects)

    def reject(self, rejects: Iterable[dict[str, Any]]) -> None:
        """Append rejects: `{dataset, number, rule, reason, record}`."""
        with writing(self._spool.folder):
            self._rejects.writelines(_line(reject) + b"\n" for reject in rejects)

    def _begin(self, dataset: str) -> None:
        if dataset != self._dataset:
            self._flush()
            self._dataset = dataset

    def _take(self, rows: Mapping[str, Sequence[Any]]) -> None:
        for name, values in rows.items():
            self._rows[name].extend(values)
        while len(self._rows["id"]) >= _BLOCK:
            self._write_block()

    def _flush(self) -> None:
        if self._rows["id"]:
            self._write_block()

    def _write_block(self) -> None:
        rows = {name: values[:_BLOCK] for name, values in self._rows.items()}
        for values in self._rows.values():
            del values[:_BLOCK]
        sizes = rows.pop("size")
        # one newline after each payload
        ends = list(accumulate((size + 1 for size in sizes), initial=self._offset))
        block = encode_block(
            {
                "id": rows["id"],
                "kind": rows["kind"],
                "group": rows["group"],
                "dataset": [self._dataset] * len(sizes),
                "category": rows["category"],
                "infos": rows["infos"],
                "fingerprint": rows["fingerprint"],
                "offset": ends[:-1],
                "size": sizes,
            }
        )
        with writing(self._spool.folder):
            self._index.write(block)
        self._offset = ends[-1]


class Payloads:
    """Reads canonical bytes back by offset and size.

    Not through a memory map: its pages would count as memory of the process, the whole spool long.
    """

    def __init__(self, spool: Spool) -> None:
        self._path = spool.entities

    def __enter__(self) -> Self:
        self._file = self._path.open("rb", buffering=0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read(self, offsets: Sequence[int] | Places, sizes: Sequence[int] | Places) -> list[bytes]:
        """The payload at each offset; raises EOFError when the spool is shorter.

        Those that lie one after the other are read by one call of the system.
        """
        return [item for run in self._runs(offsets, sizes) for item in run.split(b"\n")]

    def runs(self, offsets: Sequence[int] | Places, sizes: Sequence[int] | Places) -> list[bytes]:
        """The same as they go into a list of JSON: those that lie together as one piece."""
        return [run.replace(b"\n", b",") for run in self._runs(offsets, sizes)]

    def _runs(
        self, offsets: Sequence[int] | Places, sizes: Sequence[int] | Places
    ) -> Iterator[bytes]:
        """Payloads that lie one after the other, a newline between two."""
        starts = np.asarray(offsets, dtype=np.int64)
        ends = starts + np.asarray(sizes, dtype=np.int64)
        breaks = np.flatnonzero(starts[1:] != ends[:-1] + 1) + 1
        cuts = [0, *breaks.tolist(), len(starts)] if len(starts) else [0]
        for first, last in pairwise(cuts):
            yield self._read(int(starts[first]), int(ends[last - 1]))

    def _read(self, start: int, end: int) -> bytes:
        found = os.pread(self._file.fileno(), end - start, start)
        if len(found) != end - start:
            raise EOFError(f"{self._path} ends before byte {end}")
        return found


def _line(reject: dict[str, Any]) -> bytes:
    """A reject as JSON; a record that is none is kept as a text that shows it.

    Sources read numbers past 64 bits, and more levels, than orjson writes.
    """
    try:
        return orjson.dumps(reject)
    except TypeError:
        texts = {key: _writable(value) for key, value in reject.items() if isinstance(value, str)}
        return orjson.dumps({**reject, **texts, "record": _writable(shown(reject["record"]))})


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def refused(reject: Reject) -> dict[str, Any]:
    """The reject of a mapping as the spool has it; its record as it is, however deep."""
    return {name: getattr(reject, name) for name in _REJECT}


def unread(reject: Unread) -> dict[str, Any]:
    """The reject of a source as the spool has it."""
    return {
        "dataset": reject.dataset,
        "number": reject.number,
        "rule": _READ,
        "reason": reject.reason,
        "record": reject.sample,
        "id": "",
    }


def _without(
    rejects: Iterable[dict[str, Any]], dropped: Collection[int]
) -> Iterator[dict[str, Any]]:
    """*rejects* but those of the mapping that are *dropped*, by their ranks among its own."""
    rank = 0
    for reject in rejects:
        if reject["rule"] == _READ:
            yield reject
            continue
        if rank not in dropped:
            yield reject
        rank += 1
