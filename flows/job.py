"""A job file, each block given to the layer that owns it.

    source:   -> sources.registry     mapping:  -> mappings.compile     sync:  -> SyncConfig
    record:   -> flows.anonymize, for `refsync record` alone

Its fragments and variables are in place by then (`flows.job_file`). Every fault of the three blocks
is gathered before anything is refused.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Protocol, cast

import orjson
import xxhash
from pydantic import BaseModel

from flows.anonymize import RecordBlock, check_rules
from flows.connections import connection
from flows.job_file import JobFile, shown
from flows.misdeclared import Fault, Misdeclared
from flows.problems import read_block, untagged
from flows.settings import Settings
from flows.sync_config import SyncConfig
from flows.yaml_file import YamlFile
from mappings.complaints import kind_of
from mappings.errors import MappingErrors, Path, Place, Problem
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.running import Mapped
from mappings.tally import Tally
from mappings.vocabulary import keys_at, nearest, suggestion
from referential.feed import Feed
from sources.base import Connection, Source, SourceConfig
from sources.registry import SOURCES

SHIPPED = FilePath(__file__).resolve().parent.parent / "mappings" / "customers"
_WORDS = ("source", "mapping", "sync", "record", "include", "variables")
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_PART = "_"  # names that begin so are of files, and folders of them, that jobs include


class Maps(Protocol):
    """What a stage asks of a mapping at work (`mappings.mapper.Mapper`)."""

    @property
    def source(self) -> str: ...

    def fields(self, dataset: str, /) -> frozenset[str]: ...
    def gathers(self, dataset: str, /) -> bool: ...
    def map_page(self, dataset: str, records: list[Any], first: int, /) -> Mapped: ...
    def finish(self, dataset: str, /) -> Mapped: ...
    def report(self) -> Tally: ...


@dataclass(frozen=True)
class Job:
    """One feed of one client, compiled. A new mapper per run: it gathers and counts."""

    name: str
    file: JobFile | YamlFile
    kind: str
    source: Source[Any, Any]
    config: SourceConfig
    mapping: Any  # the block with its parts in place: it compiled once already
    datasets: tuple[str, ...]  # those that the mapping reads, in the order in which it does
    sync: SyncConfig
    record: RecordBlock = field(default=RecordBlock(), kw_only=True)
    elsewhere: bool = field(default=False, kw_only=True)  # it loads another than its usual target

    @property
    def feed(self) -> Feed:
        return Feed(self.name, self.sync.connection)

    @property
    def path(self) -> FilePath:
        """Its file, by an absolute path."""
        return self.file.path.absolute() if isinstance(self.file, JobFile) else FilePath(self.name)

    @property
    def tables(self) -> tuple[bytes, ...]:
        """The files beside it that its lookups are in."""
        return self.file.tables if isinstance(self.file, JobFile) else ()

    def towards(self, target: str) -> "Job":
        """The same job that loads *target*, one of its connections; raises Misdeclared.

        "" is its usual one, `sync.connection`.
        """
        loads = self.sync.loads
        if target in ("", self.sync.connection):
            return self
        if target not in loads:
            what = f"{self.name} does not load {target!r}"
            mend = suggestion(target, loads, "it loads") + "; name others in `sync.targets`"
            raise Misdeclared([Fault(self.place("sync"), what, mend)])
        sync = {"connection": target, "targets": tuple(each for each in loads if each != target)}
        return replace(self, sync=self.sync.model_copy(update=sync), elsewhere=True)

    def digest(self) -> str:
        """Of what the job reads and what it makes of it: its tables too, but no connection."""
        words = [self.kind, self.config.model_dump(mode="json"), self.mapping]
        # what YAML has and JSON has not, such as dates, by its repr
        seen = xxhash.xxh3_128(orjson.dumps(words, default=repr, option=_SORTED))
        for table in self.tables:
            seen.update(b"\0" + table)
        return seen.hexdigest()

    def mapper(self) -> Maps:
        read = self.file.read_table if isinstance(self.file, JobFile) else None
        return load_mapping(self.mapping, datasets=_declared(self.config), read_file=read)

    def source_connection(self, settings: Settings) -> Connection:
        """The connection of the source, resolved; raises Misdeclared."""
        name, at = self.config.connection, self.place("source", "connection")
        found: Connection = connection(settings, name, self.kind, self.source.connection, at)
        return found

    def place(self, *path: str | int) -> str:
        return str(self.file.place(path))


def jobs_folder(stated: str = "") -> FilePath:
    """`REFSYNC_JOBS`, else the settings' folder, else `mappings/customers` here or shipped."""
    named = os.environ.get("REFSYNC_JOBS", "") or stated
    if named:
        return FilePath(named).absolute()
    local = FilePath("mappings/customers").absolute()
    return local if local.is_dir() else SHIPPED


def job_names(folder: FilePath) -> Iterator[str]:
    """`<customer>/<job>` for every job file, sorted."""
    for path in sorted(folder.glob("*/*.yaml")):
        if not _is_part(path):
            yield f"{path.parent.name}/{path.stem}"


def load_job(name: str, folder: FilePath) -> Job:
    """The job *name* (`<customer>/<job>`, or a path to its file); raises Misdeclared.

    What it includes stands in *folder*, or for a file from elsewhere among the customers that its
    own customer is one of.
    """
    folder = folder.absolute()
    path = folder / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        path = FilePath(name).absolute()
        name = f"{path.parent.name}/{path.stem}"
    if not path.is_file():
        known = list(job_names(folder))
        mend = suggestion(name, known, "known jobs")
        raise Misdeclared([Fault(str(folder), f"unknown job {name!r}", mend)])
    if _is_part(path):
        what = f"{name!r} is a part of jobs and no job, for a name of it begins with {_PART}"
        raise Misdeclared([Fault(shown(path), what, "name a job that includes it")])
    root = folder if path.is_relative_to(folder) else _customers(path)
    return _compiled(name, JobFile(path, root))


def _is_part(path: FilePath) -> bool:
    return path.name.startswith(_PART) or path.parent.name.startswith(_PART)


def _customers(path: FilePath) -> FilePath:
    """`…` of `…/<customer>/<job>.yaml`; a folder at the root of the disk stands for itself."""
    folder = path.parent
    return folder if folder.parent == FilePath(folder.anchor) else folder.parent


def _compiled(name: str, file: JobFile) -> Job:
    problems: list[Problem] = []
    document = file.data if isinstance(file.data, dict) else {}
    if not isinstance(file.data, dict):
        what = "a job file has the keys source, mapping and sync"
        problems.append(Problem((), what, "write the three blocks"))
    problems += [
        Problem((key,), f"unknown word {key!r}", suggestion(key, _WORDS), on_key=True)
        for key in document
        if key not in _WORDS
    ]
    kind, source, config = _source(document, problems)
    sync = _validated(SyncConfig, document, "sync", problems)
    mapper = _mapper(document, config, file, problems)
    record = _record(document, mapper, problems)
    problems += _unknown_parts(sync, mapper)
    faults = file.faults(problems)
    if faults or source is None or config is None or mapper is None or sync is None:
        raise Misdeclared(faults)
    mapping, datasets = document["mapping"], mapper.datasets
    return Job(name, file, kind, source, config, mapping, datasets, sync, record=record)


def _unknown_parts(sync: SyncConfig | None, mapper: Mapper | None) -> Iterator[Problem]:
    """Limits of datasets that there are not would limit nothing."""
    if sync is None or mapper is None:
        return
    for name in sync.limits.datasets:
        if name not in mapper.datasets:
            path = ("sync", "limits", "datasets", name)
            mend = suggestion(name, mapper.datasets, "datasets")
            yield Problem(path, f"unknown dataset {name!r}", mend, on_key=True)


def _mapper(
    document: dict[str, Any],
    config: SourceConfig | None,
    file: JobFile,
    problems: list[Problem],
) -> Mapper | None:
    if not _is_there("mapping", document, problems):
        return None
    try:
        datasets = None if config is None else _declared(config)
        return load_mapping(document["mapping"], datasets=datasets, read_file=file.read_table)
    except MappingErrors as errors:
        problems += errors.problems
        return None


def _record(
    document: dict[str, Any], mapper: Mapper | None, problems: list[Problem]
) -> RecordBlock:
    """The `record:` block, which a job may do without; its fields are judged by the mapping."""
    written = document.get("record", {})
    block = _model(RecordBlock, written, ("record",), problems)
    if mapper is not None:
        check_rules(written, mapper, Place(("record",), problems))
    return RecordBlock() if block is None else cast("RecordBlock", block)


def _declared(config: SourceConfig) -> set[str]:
    datasets: dict[str, Any] = getattr(config, "datasets")  # noqa: B009 - each source adds its own
    return set(datasets)


def _is_there(key: str, document: dict[str, Any], problems: list[Problem]) -> bool:
    """Whether a block is there; that it lacks is told, unless its key is misspelt and told of."""
    unknown = (each for each in document if each not in _WORDS)
    if key not in document and key not in [nearest(each, _WORDS) for each in unknown]:
        problems.append(Problem((), f"{key!r} is missing", f"add a `{key}:` block"))
    return key in document


def _source(
    document: dict[str, Any], problems: list[Problem]
) -> tuple[str, Source[Any, Any] | None, SourceConfig | None]:
    if not _is_there("source", document, problems):
        return "", None, None
    block: Any = document["source"]
    path: Path = ("source",)
    if not isinstance(block, dict):
        what = f"expected a mapping, not {kind_of(block)}"
        problems.append(Problem(path, what, "write a `source:` block with its `type`"))
        return "", None, None
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in SOURCES:
        words = {word for each in SOURCES.values() for word in keys_at(each.config, ())}
        problems.append(untagged(block, path, words, SOURCES, called="source"))
        return "", None, None
    source = SOURCES[kind]
    return kind, source, _model(source.config, block, path, problems)


def _validated(
    model: type[BaseModel], document: dict[str, Any], key: str, problems: list[Problem]
) -> Any:
    if not _is_there(key, document, problems):
        return None
    return _model(model, document[key], (key,), problems)


def _model(model: type[BaseModel], block: Any, path: Path, problems: list[Problem]) -> Any:
    read, found = read_block(model, block, path)
    problems += found
    return read
