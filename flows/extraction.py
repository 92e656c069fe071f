"""Reading one dataset: all of it here, or its slices side by side, put together in their order."""

import logging
from collections import deque
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.counts import DatasetRead
from flows.crew import Crew, Slices, Threads
from flows.job import Maps
from flows.parts import Part
from flows.reading import Read, read_pages
from flows.reading_scope import scope_of
from flows.spool import SpoolWriter
from flows.spool import refused as refused_row
from flows.workplace import Workplace
from mappings.mapper import Mapper
from sources.base import Complete, Connection, Outcome, Scope, Slice
from sources.slices import joined

log = logging.getLogger("refsync")

_Folder = AbstractContextManager[Path]


def read_dataset(
    place: Workplace, name: str, mapper: Maps, spool: SpoolWriter, crew: Crew
) -> DatasetRead:
    """Read the dataset *name* to its end; raises what the source raises.

    Its slices are read by *crew*, where there are several.
    """
    job, connection = place.job, place.source_connection()
    scope = scope_of(place, name, mapper)
    counted = scope.ids is None  # what is named is not counted by its system
    total = job.source.count(job.config, name, connection, scope) if counted else None

    def told(records: int) -> None:
        place.progress("extract", records, total)

    slices = _slices(place, name, mapper, connection, scope)
    if len(slices) > 1 and isinstance(mapper, Mapper):
        wanted = Slices(name, scope, slices, connection.at_once, mapper, told)
        read = _Joining(place, wanted, spool).read(crew)
    else:
        pages = job.source.extract(job.config, name, connection, scope)
        read = read_pages(pages, name, mapper, spool, told)
    gathered = mapper.finish(name)
    spool.write(name, gathered.entities)
    spool.reject(map(refused_row, gathered.rejects))
    if read.unread:
        log.warning(
            "%s: %d rows could not be read: nothing of it is taken for missing", name, read.unread
        )
    outcome = read.outcome
    if scope.ids is not None and isinstance(outcome, Complete):
        place.absent[name] = outcome.absent
    return DatasetRead(
        records=read.records,
        entities=read.entities + len(gathered.entities),
        rejects=read.rejects + len(gathered.rejects),
        complete=isinstance(outcome, Complete),
        evidence=outcome.evidence if isinstance(outcome, Complete) else outcome.reason,
        unread=read.unread,
        taken=outcome.taken if isinstance(outcome, Complete) else (),
    )


def _slices(
    place: Workplace, name: str, mapper: Maps, connection: Connection, scope: Scope
) -> tuple[Slice, ...]:
    """The slices of a dataset, where the job asks for several and its mapping can do with them."""
    job, wanted = place.job, place.job.sync.slices
    if wanted < 2 or scope.ids is not None:
        return ()
    if not isinstance(mapper, Mapper) or mapper.whole(name):
        return ()
    return job.source.slices(job.config, name, connection, scope, wanted)


@dataclass(slots=True)
class _Joining:
    """Puts the parts of a dataset behind one another in the spool, in the order of its slices."""

    place: Workplace
    slices: Slices
    spool: SpoolWriter
    records: int = 0
    entities: int = 0
    rejects: int = 0
    unread: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    def read(self, crew: Crew) -> Read:
        """What all slices gave together.

        Where a slice turns out to depend on what came before it, the others are read to their ends
        first: no more slices are read at any moment than the source was promised.
        """
        made: dict[int, _Folder] = {}
        behind = deque(self.slices.slices)
        stuck = False
        with closing(crew.read(self.slices)) as parts:
            for each, folder in parts:
                made[each.index] = folder
                while behind and not stuck and behind[0].index in made:
                    stuck = not self._join(made.pop(behind[0].index))
                    if not stuck:
                        behind.popleft()
        for each in behind:
            if each.index not in made or not self._join(made.pop(each.index)):
                self._read_again(each)
        return Read(self.records, self.entities, self.rejects, self.unread, joined(self.outcomes))

    def _join(self, folder: _Folder) -> bool:
        """Put a part behind the others; False when its slice must be read and mapped again."""
        with folder as path:
            part = Part.of(path)
            absorbed = self.slices.mapper.absorb(part.learned, self.records)
            if absorbed.again:
                log.info("%s: a slice is read again: %s", self.slices.name, absorbed.again)
                return False
            self.spool.append(self.slices.name, part.spool, self.records, absorbed.dropped)
        read = part.read
        self.records += read.records
        self.entities += read.entities
        self.rejects += read.rejects - len(absorbed.dropped)
        self.unread += read.unread
        self.outcomes.append(read.outcome)
        return True

    def _read_again(self, each: Slice) -> None:
        with Threads(self.place, "again") as alone:
            for _, folder in alone.read(replace(self.slices, slices=(each,))):
                if not self._join(folder):
                    raise RuntimeError(f"{self.slices.name}: slice {each.index} depends on itself")
