"""What one slice of a dataset gave, as a folder of its own that can be put behind another one.

    entities.jsonl, index.jsonl, rejects.jsonl   as in the spool, ranks counted within the slice
    learned      what the mapping has to remember of the slice (`Mapper.learned`)
    part.json    counts, outcome, and the size of each of the other files

A part is complete or it is not there: whoever makes it does so under another name.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from flows.files import Unwritable, writing
from flows.job import Job
from flows.reading import Read, read_pages
from flows.spool import Spool, SpoolWriter
from mappings.mapper import Mapper
from sources.base import Complete, Extraction, Outcome, Partial

SUMMARY = "part.json"
_LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Part:
    """A part that lies in `folder`."""

    folder: Path
    read: Read

    @property
    def spool(self) -> Spool:
        return Spool(self.folder)

    @property
    def learned(self) -> bytes:
        return (self.folder / _LEARNED).read_bytes()

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The part in *folder*; raises Unwritable when a file of it is not all there."""
        summary: dict[str, Any] = orjson.loads((folder / SUMMARY).read_bytes())
        for name, size in summary["sizes"].items():
            found = (folder / name).stat().st_size
            if found != size:
                short = Unwritable(f"a part of the extraction has {found:,} of {size:,} bytes")
                short.add_note(f"where: {folder / name}")
                short.add_note("mend: see that the shared place has room, and run it again")
                raise short
        outcome = _outcome(summary["outcome"])
        return cls(folder, Read(**summary["read"], outcome=outcome))


def make_part(
    folder: Path, pages: Extraction, name: str, mapper: Mapper, told: Callable[[int], None]
) -> Part:
    """Read a slice of the dataset *name* into *folder*; raises what the source raises."""
    spool = Spool(folder)
    with closing(pages), SpoolWriter(spool) as writer:
        read = read_pages(pages, name, mapper, writer, told)
    learned = folder / _LEARNED
    counts = asdict(read)
    del counts["outcome"]
    with writing(folder):
        learned.write_bytes(mapper.learned())
        files = (spool.entities, spool.index, spool.rejects, learned)
        summary = {
            "read": counts,
            "outcome": asdict(read.outcome),
            "sizes": {file.name: file.stat().st_size for file in files},
        }
        (folder / SUMMARY).write_bytes(orjson.dumps(summary))
    return Part(folder, read)


def slice_mapper(job: Job, tables: bytes) -> Mapper:
    """A new mapper of one slice, which knows what `Mapper.tables` told."""
    mapper = job.mapper()
    if not isinstance(mapper, Mapper):
        raise TypeError(f"what {job.name} maps with cannot be put together from slices")
    mapper.take_tables(tables)
    return mapper


def _outcome(words: dict[str, Any]) -> Outcome:
    if "reason" in words:
        return Partial(words["reason"])
    tuples = {name: tuple(value) for name, value in words.items() if isinstance(value, list)}
    return Complete(**words | tuples)
