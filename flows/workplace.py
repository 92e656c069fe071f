"""Where one run works: its job, its settings, its options, its files."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pandas as pd

from flows.connections import connection, warnings_of
from flows.job import Job
from flows.misdeclared import Misdeclared
from flows.settings import Settings
from flows.spool import Spool
from mappings.errors import Problem
from referential.client import Canopsis
from referential.connection import CanopsisConnection
from referential.errors import Refused
from referential.ledger import Ledger
from referential.plan import Plan
from sources.base import Connection

Mode = Literal["sync", "full", "backfill"]
Progress = Callable[[str, int, int | None], None]  # stage, done, total (None: unknown)


def silent(_stage: str, _done: int, _total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for.

    `full` re-sends everything; `only_plan` stops after the guard; `allow_missing` and
    `allow_changed` lift the limit of that name for this run alone. `accept` is the checksum of the
    one plan that may pass all limits; any other is refused. `since` and `until` (aware, half open)
    are the window of a `backfill`, `ids` the records that are wanted, by their keys in the source.
    """

    mode: Mode = "sync"
    only_plan: bool = False
    allow_missing: bool = False
    allow_changed: bool = False
    accept: str = ""
    to: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ids: frozenset[str] | None = None


@dataclass(frozen=True)
class Workplace:
    """Everything a stage needs to find its inputs and leave its outputs."""

    settings: Settings
    job: Job
    run_id: str
    options: Options = Options()
    progress: Progress = silent
    warnings: list[str] = field(default_factory=list)
    absent: dict[str, tuple[str, ...]] = field(default_factory=dict)  # ids not there, by dataset
    _held: list[Plan] = field(default_factory=list)
    _found: list[pd.DataFrame] = field(default_factory=list)

    @property
    def spool(self) -> Spool:
        return Spool(self.settings.spool / self.job.name / self.run_id)

    def source_connection(self) -> Connection:
        found = self.job.source_connection(self.settings)
        self._warn(warnings_of(self.settings, self.job.config.connection, found))
        return found

    def canopsis_connection(self) -> CanopsisConnection:
        name = self.job.sync.connection
        at = self.job.place("sync", "targets" if self.job.elsewhere else "connection")
        found = connection(self.settings, name, "canopsis", CanopsisConnection, at)
        self._warn(warnings_of(self.settings, name, found))
        return found

    def connections(self) -> tuple[Connection, CanopsisConnection]:
        """Both; raises Misdeclared with the faults of both, before either is asked anything."""
        try:
            source = self.source_connection()
        except Misdeclared as first:
            try:
                self.canopsis_connection()
            except Misdeclared as second:
                raise Misdeclared([*first.faults, *second.faults]) from None
            raise
        return source, self.canopsis_connection()

    @property
    def to(self) -> str:
        """The target as a command must name it; "" where it is the usual one."""
        return self.job.sync.connection if self.job.elsewhere else ""

    @contextlib.contextmanager
    def canopsis(self) -> Iterator[Canopsis]:
        with Canopsis(self.canopsis_connection()) as client:
            yield client

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with open_ledger(self.settings) as ledger:
            yield ledger

    def hold(self, plan: Plan) -> None:
        """Keep the plan at hand for the next stage of this process; the spool has it anyway."""
        self._held[:] = [plan]

    def the_plan(self) -> Plan:
        return self._held[0] if self._held else Plan.load(self.spool.plan)

    def hold_found(self, found: pd.DataFrame) -> None:
        """Keep what was found at hand too: what a plan is made of is mostly what it holds."""
        self._found[:] = [found]

    def the_found(self) -> pd.DataFrame:
        return self._found[0] if self._found else self.spool.found()

    def _warn(self, warnings: list[str]) -> None:
        self.warnings.extend(w for w in warnings if w not in self.warnings)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of the settings, made when it is not there yet."""
    try:
        return Ledger.open(settings.ledger_url)
    except Refused as refusal:
        raise Misdeclared.of(refusal, settings.fault(Problem(("ledger",), "")).where) from refusal
