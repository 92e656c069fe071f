"""Real records for a golden pair: read from the source, made anonymous, kept beside the job.

Only the fields that the mapping reads are kept. A dataset that others look up in is searched for
the records that they ask for, so that a handful of records still find one another.
"""

import hashlib
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from flows.anonymize import Rules
from flows.anonymizer import Anonymizer, Treated
from flows.files import write_whole
from flows.job import Job
from flows.losses import losses
from flows.misdeclared import Fault, Misdeclared
from flows.pair import Pair
from flows.picking import Records, pick_records
from flows.pseudonyms import Pseudonyms
from flows.settings import Settings
from flows.workplace import Progress, silent
from flows.written import written
from mappings.footprint import Footprint, footprint_of
from mappings.golden import map_golden, record_lines
from mappings.joins import Join
from mappings.mapper import Mapper
from mappings.vocabulary import suggestion
from sources.errors import Refused

KEY_VARIABLE = "REFSYNC_RECORD_KEY"
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Made:
    """What the mapping makes of the records."""

    entities: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What was written to `file`: records by dataset, and what became of their fields.

    `real` and `kept` are what the mapping makes of the records before and after.
    """

    job: str
    file: str
    records: dict[str, int]
    fields: list[Treated]
    real: Made
    kept: Made
    warnings: list[str]


def record_job(
    settings: Settings,
    job: Job,
    *,
    limit: int,
    datasets: Sequence[str] = (),
    force: bool = False,
    progress: Progress = silent,
) -> Recording:
    """Write the records file of *job*: at most *limit* records of each dataset.

    Raises Misdeclared, when there is a file already and not *force*, when a field that is kept
    tells what is not to be kept, and what the source raises. Nothing is written then.
    """
    pair = Pair.beside(FilePath(job.file.name))
    names = _chosen(job, datasets)
    if pair.records.exists() and not force:
        what = "there are records already"
        mend = "say --force to write them anew, or move them away"
        raise Misdeclared([Fault(str(pair.records), what, mend)])
    key = _key(os.environ.get(KEY_VARIABLE, ""))
    mapper = _mapper(job)
    footprints = {name: footprint_of(mapper, name) for name in names}
    read = pick_records(settings, job, footprints, limit, progress)
    real = {name: footprints[name].pruned(records) for name, records in read.items()}
    if not any(real.values()):
        where = job.place("source", "connection")
        raise Refused("no record came", where=where, mend="look at refsync preview")
    anonymizer = _anonymizer(job, mapper, footprints, key)
    kept = _anonymous(job, anonymizer, real)
    lines = record_lines(kept, wrapped=len(job.datasets) > 1)
    recording = _recording(job, str(pair.records), anonymizer, real, kept)
    write_whole(pair.records, b"\n".join(lines) + b"\n")
    return recording


def _chosen(job: Job, datasets: Sequence[str]) -> tuple[str, ...]:
    faults = [
        Fault("--dataset", f"unknown dataset {name!r}", suggestion(name, job.datasets, "datasets"))
        for name in datasets
        if name not in job.datasets
    ]
    if faults:
        raise Misdeclared(faults)
    return tuple(name for name in job.datasets if name in datasets or not datasets)


def _key(stated: str) -> bytes:
    """Stated, the same values have the same stand-ins in every recording."""
    if not stated:
        return secrets.token_bytes(32)
    if len(stated) < _KEY_LENGTH:
        what = f"a key of fewer than {_KEY_LENGTH} characters can be guessed"
        raise Misdeclared([Fault(KEY_VARIABLE, what, "take a longer one, or none")])
    return hashlib.sha256(stated.encode()).digest()


def _mapper(job: Job) -> Mapper:
    mapper = job.mapper()
    if not isinstance(mapper, Mapper):  # a driver file: it has no job file to stand beside
        raise TypeError(f"{job.name} is no job file")
    return mapper


def _anonymizer(
    job: Job, mapper: Mapper, footprints: Mapping[str, Footprint], key: bytes
) -> Anonymizer:
    tables = [each.rows for each in mapper.lookups if not isinstance(each, Join)]
    words = written(job.mapping, tables)
    return Anonymizer(Rules(job.record), words, Pseudonyms(key), footprints)


def _anonymous(job: Job, anonymizer: Anonymizer, real: Records) -> Records:
    for name, records in real.items():
        anonymizer.learn(name, records)
    faults = []
    for leak in anonymizer.leaks():
        what = f"{'.'.join(leak.where)} is kept, and tells what {'.'.join(leak.field)} is not to"
        mend = f"let record.anonymize treat {'.'.join(leak.where)}, or keep both"
        faults.append(Fault(job.place("record"), what, mend))
    if faults:
        raise Misdeclared(faults)
    return {name: anonymizer.treated(name, records) for name, records in real.items()}


def _recording(
    job: Job, file: str, anonymizer: Anonymizer, real: Records, kept: Records
) -> Recording:
    before, after = _mapper(job), _mapper(job)
    real_made, kept_made = _made(job, before, real), _made(job, after, kept)
    treated = list(anonymizer.fields.values())
    warnings = list(losses(before, after, _changed(treated)))
    if not real_made.entities:
        warnings.append("the mapping makes no entity of the real records: a larger --limit?")
    counts = {name: len(records) for name, records in kept.items()}
    return Recording(job.name, file, counts, treated, real_made, kept_made, warnings)


def _made(job: Job, mapper: Mapper, records: Records) -> Made:
    # one that was left out is empty: what looks up in it must find it read
    golden = map_golden(mapper, {name: records.get(name, []) for name in job.datasets})
    return Made(len(golden.entities), len(golden.rejects))


def _changed(treated: Sequence[Treated]) -> Collection[tuple[str, str]]:
    return {(each.dataset, each.field) for each in treated if each.changed}
