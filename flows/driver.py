"""A file of Canopsis' own driver, run by us: its call, its entities, our plan, guard and ledger.

The feed is `driver/<file stem>`. What stands in Canopsis under the file's import source belongs to
the feed, whoever loaded it (decision D24 of `specs/driver-compat.md`).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from flows.connections import connection
from flows.driver_call import DriverConnection, connection_of
from flows.driver_existing import OnlyExisting, holds_of
from flows.driver_log import log_counts
from flows.driver_source import DriverConfig, source_of
from flows.driver_stages import DriverStages
from flows.job import Job, Maps
from flows.misdeclared import Fault, Misdeclared
from flows.run import Report, run_job
from flows.settings import Settings
from flows.sync_config import SyncConfig
from flows.workplace import Options
from flows.yaml_file import YamlFile
from mappings.driver import DriverFile
from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS, DriverMapper
from mappings.driver_sheet import DriverErrors, Remark
from mappings.golang import gotime
from referential.connection import CanopsisConnection
from referential.limits import Limits, read_limit

log = logging.getLogger("refsync")

DEFAULT = "/opt/canopsis/share/config/import-context-graph/api.yml"
_UNLIMITED = "100%"


@dataclass(frozen=True, slots=True)
class DriverOptions:
    """What a run was asked for, beside the file.

    `seconds` is the timeout of the call, `zone` that of `localtime`; `strict` refuses a run in
    which a field was missing.
    """

    target: str = ""
    max_missing: str | int = _UNLIMITED
    full: bool = False
    seconds: float = 60
    variables: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    zone: str | None = None


def driver_options(  # one parameter an option of the command
    target: str,
    max_missing: str,
    seconds: float,
    variables: Sequence[str],
    zone: str,
    *,
    full: bool,
    strict: bool,
) -> DriverOptions:
    """The options as the command line gives them; raises Misdeclared with every fault."""
    faults = []
    limit: str | int = int(max_missing) if max_missing.isdecimal() else max_missing or _UNLIMITED
    try:
        limit = read_limit(limit)
    except ValueError as error:
        what, _, mend = str(error).partition("; mend: ")
        faults.append(Fault("--max-missing", what, mend))
    if zone and gotime.zone(zone) is None:
        faults.append(Fault("--timezone", f"unknown time zone {zone!r}", "such as Europe/Paris"))
    if seconds <= 0:
        faults.append(Fault("--timeout", f"{seconds:g} is no time", "give seconds, more than 0"))
    pairs = [each.partition("=") for each in variables]
    faults += [
        Fault("--template-var", f"{name!r} has no value", "write NAME=VALUE")
        for name, equals, _ in pairs
        if not (name and equals)
    ]
    if faults:
        raise Misdeclared(faults)
    given = {name: value for name, _, value in pairs}
    return DriverOptions(target, limit, full, seconds, given, strict, zone or None)


@dataclass(frozen=True)
class DriverJob(Job):
    """A driver file as a job; it serves one run."""

    model: DriverFile
    shown: str  # the file's path, for messages
    seconds: float
    at_work: DriverMapper
    holds: Callable[[str], bool] | None = None

    def mapper(self) -> Maps:
        return self.at_work if self.holds is None else OnlyExisting(self.at_work, self.holds)

    def source_connection(self, settings: Settings) -> DriverConnection:
        return connection_of(self.model.api, self.seconds, settings)

    def place(self, *path: str | int) -> str:
        return "--target" if path == ("sync", "connection") else self.shown


def read_file(path: Path, options: DriverOptions) -> DriverFile:
    """The model of the file; raises Misdeclared with every fault, and logs its remarks."""
    shown = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        mend = "name the file, or give it by -c"
        raise Misdeclared([Fault(shown, f"the driver file cannot be read: {why}", mend)]) from error
    try:
        model = read_driver(text, zone=options.zone, variables=tuple(options.variables))
    except DriverErrors as errors:
        faults = [Fault(_place(shown, p), p.what, p.mend) for p in errors.problems]
        raise Misdeclared(faults) from errors
    for remark in model.remarks:
        mend = remark.mend and f" ({remark.mend})"
        log.warning("%s: %s%s", _place(shown, remark), remark.what, mend)
    return model


def _place(shown: str, remark: Remark) -> str:
    place = f"{shown}:{remark.line}:{remark.column}"
    return f"{place} ({remark.key})" if remark.key else place


def run_driver(
    settings: Settings, path: Path, options: DriverOptions
) -> tuple[Report, DriverMapper]:
    """Run the file once; raises what a run does, and Misdeclared before anything is asked.

    What was odd is logged at the end, whatever the end is.
    """
    model = read_file(path, options)
    job = _job(settings, path, model, options)
    mapper = job.at_work
    # to enable what is known to be enabled is the whole point of the action
    again = options.full or model.action == "enable"
    mode: Literal["full", "sync"] = "full" if again else "sync"
    try:
        report = run_job(settings, job, Options(mode), call=DriverStages(job.shown, options.full))
    finally:
        log_counts(mapper)
    return report, mapper


def _job(settings: Settings, path: Path, model: DriverFile, options: DriverOptions) -> DriverJob:
    target = _target(settings, options.target)
    mapper = DriverMapper(model, options.variables, strict=options.strict)
    holds = None
    if model.action in ("enable", "update"):
        found: CanopsisConnection = connection(
            settings, target, "canopsis", CanopsisConnection, "--target"
        )
        holds = holds_of(found, model.source)
    return DriverJob(
        name=f"driver/{path.stem}",
        file=YamlFile(str(path), ""),
        kind="driver",
        source=source_of(model),
        config=DriverConfig(connection=f"driver file {path.name}"),
        mapping=None,
        datasets=(ROWS,),
        sync=SyncConfig(
            connection=target,
            import_source=model.source,
            missing=model.missing,
            prune=False,  # a driver file adds and replaces infos, and switches as it says
            respect_manual=False,
            limits=Limits(
                missing=options.max_missing, changed=_UNLIMITED, minimum_population=1, median="off"
            ),
        ),
        model=model,
        shown=str(path),
        seconds=options.seconds,
        at_work=mapper,
        holds=holds,
    )


def _target(settings: Settings, stated: str) -> str:
    """The Canopsis connection that is meant: the only one, unless it is named."""
    declared = settings.words.connections
    targets = [name for name, words in declared.items() if words.get("type") == "canopsis"]
    if stated or len(targets) == 1:
        return stated or targets[0]
    what = "several connections of type canopsis" if targets else "no connection of type canopsis"
    mend = "declare one under `connections:`"
    if targets:
        mend = f"name one by --target: {', '.join(sorted(targets))}"
    where = settings.file.name if settings.file else "refsync.yaml"
    raise Misdeclared([Fault(where, what, mend)])
