"""The runner that a job asks for its slices: threads of this process, or a Dask cluster."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from flows.crew import Crew, Threads
from flows.misdeclared import Fault, Misdeclared
from flows.workplace import Workplace


@contextmanager
def crew_of(place: Workplace) -> Iterator[Crew]:
    """Who reads the slices of the job, as long as the context lasts; raises Misdeclared."""
    sync = place.job.sync
    here = sync.slices < 2 or sync.runner == "threads"
    with Threads(place) if here else _dask(place) as crew:
        yield crew


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
