"""One slice that another process reads for a run: what it is told, what it does, what it answers.

An errand is a few words: where the run keeps its parts, and which slice of which dataset is wanted.
The rest lies there: a brief of the dataset, the same for all of its slices, and the tables that the
mapping looks into. Neither holds a secret: connections are those of the worker's own refsync.yaml.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, Self

import orjson

from flows.failure import packed
from flows.job import Job, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.parts import make_part, slice_mapper
from flows.settings import Settings, load_settings
from flows.shared import Place, shared_place
from sources.base import Scope, Slice
from sources.lanes import GivenUp, while_wanted

_LOOK: Final = 5.0  # seconds between two looks whether the run still waits
_BRIEF, _TABLES = "brief.json", "tables"


@dataclass(frozen=True, slots=True)
class Brief:
    """What all slices of a dataset have in common.

    `job` is its name, or its file where the worker is on this machine; `digest` is that of what it
    compiles to; `to` the target, by which it may differ; `since` and `until` are of `Scope`.
    """

    job: str
    to: str
    digest: str
    dataset: str
    since: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, job: Job, called: str, dataset: str, scope: Scope) -> Self:
        """The brief of a dataset of *job*, which workers know as *called*."""
        return cls(
            called,
            job.sync.connection if job.elsewhere else "",
            job.digest(),
            dataset,
            scope.since.isoformat() if scope.since else None,
            scope.until.isoformat() if scope.until else None,
        )

    def leave(self, place: Place, tables: bytes) -> None:
        """Leave it, and the tables of the mapping, where workers look for them."""
        place.write(_TABLES, tables)
        place.write(_BRIEF, orjson.dumps(asdict(self)))

    def scope(self, fields: frozenset[str], wanted: Slice) -> Scope:
        return Scope(
            fields,
            datetime.fromisoformat(self.since) if self.since else None,
            datetime.fromisoformat(self.until) if self.until else None,
            wanted,
        )


def errand_of(folder: str, dataset: str, wanted: Slice) -> dict[str, Any]:
    """The errand to read a slice of *dataset*, whose brief lies in *folder* of the shared place."""
    return {
        "version": version("refsync"),
        "folder": folder,
        "dataset": dataset,
        "slice": asdict(wanted),
    }


def run_errand(errand: dict[str, Any]) -> dict[str, Any]:
    """Read a slice, in whatever process; raises nothing.

    The answer has `part`, the name of the part that was made in the folder of the errand, and how
    many `records` are in it; or `failure` (`flows.failure`).
    """
    redact: Callable[[str], str] = str
    try:
        _check_version(errand)
        settings = load_settings()
        redact = settings.redact
        return _read(errand, settings)
    except GivenUp:
        return {"failure": {"type": "GivenUp", "what": "the run is over", "notes": []}}
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
        return {"failure": packed(error, redact)}


def _read(errand: dict[str, Any], settings: Settings) -> dict[str, Any]:
    place = shared_place(settings).within(errand["folder"])
    brief, wanted = _brief(place, errand["folder"]), Slice(**errand["slice"])
    job = load_job(brief.job, jobs_folder(settings.jobs)).towards(brief.to)
    _check_same(job, brief)
    mapper, name = slice_mapper(job, _tables(place)), f"{wanted.index}-{secrets.token_hex(4)}"
    connection = job.source_connection(settings)
    scope = brief.scope(mapper.fields(brief.dataset), wanted)
    pages = job.source.extract(job.config, brief.dataset, connection, scope)
    with place.making(name) as folder:
        awaited = _Awaited(place)
        pages = while_wanted(pages, awaited.look)
        part = make_part(folder, pages, brief.dataset, mapper, _untold)
        if not place.has(_BRIEF):  # nobody would ever remove it
            raise GivenUp
    return {"part": name, "records": part.read.records}


class _Awaited:
    """Whether the run still waits: it removes its briefs when it ends, however it does."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._looked = time.monotonic()

    def look(self) -> bool:
        if time.monotonic() - self._looked < _LOOK:
            return True
        self._looked = time.monotonic()
        return self._place.has(_BRIEF)


def _untold(_records: int) -> None:
    """Progress is told when a part is there."""


def _brief(place: Place, folder: str) -> Brief:
    found = place.read(_BRIEF)
    if found is None:
        raise Misdeclared(
            [
                Fault(
                    f"{_here()}: shared",
                    f"this worker does not see what the run left for it in {folder}",
                    "name the same place as `shared:` in the refsync.yaml of both, or mount it;"
                    " nothing, if the run is over",
                )
            ]
        )
    return Brief(**orjson.loads(found))


def _tables(place: Place) -> bytes:
    found = place.read(_TABLES)
    if found is None:
        raise GivenUp
    return found


def _check_version(errand: dict[str, Any]) -> None:
    ours, theirs = version("refsync"), errand["version"]
    if ours != theirs:
        what = f"this worker has refsync {ours}, and the run is one of {theirs}"
        raise Misdeclared([Fault(_here(), what, f"install refsync {theirs} there, and start it")])


def _check_same(job: Job, brief: Brief) -> None:
    if job.digest() != brief.digest:
        what = f"this worker's {job.name} is not the one of the run"
        mend = "give all of them the same job files, with their fragments and tables"
        raise Misdeclared([Fault(f"{_here()}: {job.file.name}", what, mend)])


def _here() -> str:
    """Who says so: a worker is named by its machine and process."""
    return f"{socket.gethostname()}, process {os.getpid()}"
