"""Who reads the slices of a dataset, each into a part of its own: here, threads of this process."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from flows.parts import make_part, slice_mapper
from flows.shared import Folder
from flows.workplace import Workplace
from mappings.mapper import Mapper
from referential.collector import collector_paused
from sources.base import Scope, Slice
from sources.lanes import Wanted, side_by_side, while_wanted

Made = tuple[Slice, AbstractContextManager[Path]]


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of the dataset `name` that are to be read, `at_once` of them at any moment.

    `mapper` has the tables that the mapping looks into. `told` is given the number of records read
    so far, in the thread of the run, as it becomes known.
    """

    name: str
    scope: Scope
    slices: Sequence[Slice]
    at_once: int
    mapper: Mapper
    told: Callable[[int], None]


class Crew(Protocol):
    """Reads slices, each into a part of its own; parts are gone when its context ends."""

    def read(self, slices: Slices) -> Generator[Made, None, None]:
        """Each slice, as its part is made; the folder of the part is there inside its context.

        Raises what the first slice that fails raises; the others are given up then, as they are
        when the iterator is closed.
        """


class Threads:
    """Threads of this process: they hide the latency of a source, and share one processor."""

    def __init__(self, place: Workplace, folder: str = "parts") -> None:
        self._place = place
        self._parts = Folder(place.spool.folder / folder)

    def __enter__(self) -> Self:
        self._parts.clear()  # of an attempt that was killed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parts.clear()

    def read(self, slices: Slices) -> Generator[Made, None, None]:
        job, name = self._place.job, slices.name
        connection = self._place.source_connection()
        tables = slices.mapper.tables()
        parts = self._parts.within(str(job.datasets.index(name)))
        records: dict[int, int] = {}

        def read(each: Slice, wanted: Wanted) -> str:
            number = str(each.index)
            scope = replace(slices.scope, slice=each)
            pages = while_wanted(job.source.extract(job.config, name, connection, scope), wanted)
            told = partial(records.__setitem__, each.index)
            with parts.making(number) as folder:
                make_part(folder, pages, name, slice_mapper(job, tables), told)
            return number

        def tell() -> None:
            slices.told(sum(list(records.values())))

        with collector_paused():
            made = side_by_side(slices.slices, read, slices.at_once, tell)
            with closing(made):
                for each, number in made:
                    yield each, parts.using(number)
