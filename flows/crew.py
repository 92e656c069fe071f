"""Who reads the slices of the datasets of a run: threads of this process, or a Dask cluster."""

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from flows.misdeclared import Fault, Misdeclared
from flows.parts import make_part, slice_mapper
from flows.reading import collector_paused
from flows.shared import Folder
from flows.workplace import Workplace
from mappings.mapper import Mapper
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


@contextmanager
def crew_of(place: Workplace) -> Iterator[Crew]:
    """Who reads the slices of the job, as long as the context lasts; raises Misdeclared."""
    sync = place.job.sync
    with ExitStack() as stack:
        if sync.slices < 2 or sync.runner == "threads":
            yield stack.enter_context(Threads(place))
        else:
            yield stack.enter_context(_dask(place))


def _dask(place: Workplace) -> AbstractContextManager[Crew]:
    _check_installed(place, "distributed")
    from flows.cluster import DaskCrew, directly  # noqa: PLC0415 - Dask is no part of every run

    if "prefect" not in sys.modules:  # nobody but a flow loads it for a run
        return DaskCrew(place, directly)
    _check_installed(place, "prefect_dask")
    from flows.scaleout import as_tasks, in_reach  # noqa: PLC0415 - Prefect is dear to load

    return DaskCrew(place, as_tasks if in_reach() else directly)


def _check_installed(place: Workplace, package: str) -> None:
    if find_spec(package) is None:
        what = f"`runner: dask` needs {package}, which is not installed"
        mend = "pip install 'refsync[dask]' here and on the workers, or write `runner: threads`"
        raise Misdeclared([Fault(place.job.place("sync", "runner"), what, mend)])
