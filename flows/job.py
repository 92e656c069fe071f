"""A job file, each block given to the layer that owns it.

    source:   -> sources.registry     mapping:  -> mappings.compile     sync:  -> SyncConfig

Every fault of the three blocks is gathered before anything is refused.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.connections import connection
from flows.misdeclared import Fault, Misdeclared
from flows.problems import problems_of
from flows.settings import Settings
from flows.yaml_file import YamlError, YamlFile
from mappings.errors import MappingErrors, Path, Problem
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.running import Mapped
from mappings.tally import Tally
from mappings.vocabulary import suggestion
from referential.feed import Feed
from referential.guard import Limits
from sources.base import Connection, Source, SourceConfig
from sources.registry import SOURCES

SHIPPED = FilePath(__file__).resolve().parent.parent / "mappings" / "customers"
_BLOCKS = ("source", "mapping", "sync")


class Schedule(BaseModel):
    """When the job runs: a cron line or an interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str = Field(default="", description="Cron line, for instance `0 2 * * *`.")
    interval: int | None = Field(default=None, gt=0, description="Seconds between two runs.")
    timezone: str = Field(default="UTC", description="IANA time zone of the cron line.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Schedule":
        if bool(self.cron) == bool(self.interval):
            raise ValueError("a schedule has either `cron` or `interval`; mend: keep one of them")
        return self


class SyncConfig(BaseModel):
    """The `sync:` block: where entities go, and within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str = Field(description="Name of the Canopsis connection, in refsync.yaml.")
    import_source: str = Field(
        min_length=1, description="Stored by Canopsis on each entity as `import_source`."
    )
    missing: Literal["disable", "delete", "keep"] = Field(
        default="disable",
        description="What becomes of an entity whose record left a complete extraction.",
    )
    limits: Limits = Field(default_factory=Limits, description="What a plan must respect.")
    schedule: Schedule | None = Field(default=None, description="When the job runs.")


class Maps(Protocol):
    """What a stage asks of a mapping at work (`mappings.mapper.Mapper`)."""

    @property
    def source(self) -> str: ...

    def fields(self, dataset: str, /) -> frozenset[str]: ...
    def map_page(self, dataset: str, records: list[Any], first: int, /) -> Mapped: ...
    def finish(self, dataset: str, /) -> Mapped: ...
    def report(self) -> Tally: ...


@dataclass(frozen=True)
class Job:
    """One feed of one client, compiled. A new mapper per run: it gathers and counts."""

    name: str
    file: YamlFile
    kind: str
    source: Source[Any, Any]
    config: SourceConfig
    mapping: Any  # the block as written: it compiled once already
    datasets: tuple[str, ...]  # those that the mapping reads
    sync: SyncConfig

    @property
    def feed(self) -> Feed:
        return Feed(self.name, self.sync.connection)

    def mapper(self) -> Maps:
        return load_mapping(self.mapping, datasets=_declared(self.config))

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
        yield f"{path.parent.name}/{path.stem}"


def load_job(name: str, folder: FilePath) -> Job:
    """The job *name* (`<customer>/<job>`, or a path to its file); raises Misdeclared."""
    path = folder / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        path = FilePath(name).absolute()
        name = f"{path.parent.name}/{path.stem}"
    if not path.is_file():
        known = list(job_names(folder))
        mend = suggestion(name, known, "known jobs")
        raise Misdeclared([Fault(str(folder), f"unknown job {name!r}", mend)])
    try:
        file = YamlFile.read(path, _shown(path))
    except YamlError as error:
        raise Misdeclared([Fault(str(error.place), error.what, error.mend)]) from error
    return _compiled(name, file)


def _shown(path: FilePath) -> str:
    here = FilePath.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _compiled(name: str, file: YamlFile) -> Job:
    problems = list(file.problems)
    document = file.data if isinstance(file.data, dict) else {}
    if not isinstance(file.data, dict):
        what = "a job file has the keys source, mapping and sync"
        problems.append(Problem((), what, "write the three blocks"))
    problems += [
        Problem((key,), f"unknown word {key!r}", suggestion(key, _BLOCKS), on_key=True)
        for key in document
        if key not in _BLOCKS
    ]
    kind, source, config = _source(document.get("source"), problems)
    sync = _validated(SyncConfig, document, "sync", problems)
    mapper = _mapper(document, config, problems)
    if problems or source is None or config is None or mapper is None or sync is None:
        raise Misdeclared(_faults(file, problems))
    return Job(name, file, kind, source, config, document["mapping"], mapper.datasets, sync)


def _mapper(
    document: dict[str, Any], config: SourceConfig | None, problems: list[Problem]
) -> Mapper | None:
    if "mapping" not in document:
        problems.append(Problem((), "'mapping' is missing", "add a `mapping:` block"))
        return None
    try:
        datasets = None if config is None else _declared(config)
        return load_mapping(document["mapping"], datasets=datasets)
    except MappingErrors as errors:
        problems += errors.problems
        return None


def _declared(config: SourceConfig) -> set[str]:
    datasets: dict[str, Any] = getattr(config, "datasets")  # noqa: B009 - each source adds its own
    return set(datasets)


def _source(
    block: Any, problems: list[Problem]
) -> tuple[str, Source[Any, Any] | None, SourceConfig | None]:
    path: Path = ("source",)
    if not isinstance(block, dict):
        what = "'source' is missing" if block is None else "expected a mapping of `source`"
        problems.append(Problem(path, what, "write a `source:` block with its `type`", on_key=True))
        return "", None, None
    if "type" not in block:
        mend = f"add `type:` here, one of {', '.join(sorted(SOURCES))}"
        problems.append(Problem(path, "'type' is missing", mend, on_key=True))
        return "", None, None
    kind = str(block["type"])
    source = SOURCES.get(kind)
    if source is None:
        what = f"unknown source {kind!r}"
        problems.append(Problem((*path, "type"), what, suggestion(kind, SOURCES)))
        return kind, None, None
    return kind, source, _model(source.config, block, path, problems)


def _validated(
    model: type[BaseModel], document: dict[str, Any], key: str, problems: list[Problem]
) -> Any:
    if key not in document:
        problems.append(Problem((), f"{key!r} is missing", f"add a `{key}:` block"))
        return None
    return _model(model, document[key], (key,), problems)


def _model(model: type[BaseModel], block: Any, path: Path, problems: list[Problem]) -> Any:
    try:
        return model.model_validate(block)
    except ValidationError as error:
        problems += problems_of(error, model, block, path)
        return None


def _faults(file: YamlFile, problems: list[Problem]) -> list[Fault]:
    placed = [
        (file.place(problem.path, on_key=problem.on_key, offset=problem.offset), problem)
        for problem in problems
    ]
    placed.sort(key=lambda pair: (pair[0].line, pair[0].column))
    return [Fault(str(place), problem.what, problem.mend) for place, problem in placed]
