"""The record behind an entity: the source is read until it is found, as a run would read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flows.job import Job
from flows.settings import Settings
from flows.workplace import Progress, silent
from mappings.mapper import Mapper
from mappings.rejects import Record, Reject
from mappings.running import Mapped
from mappings.unit import Unit
from sources.base import Connection, Page, Partial, Scope

State = Literal["entity", "reject", "left out", "not in the source"]

_ROWS = 1_000  # that contribute to one service, and are kept


@dataclass(frozen=True, slots=True)
class Row:
    """A record, and its 1-based rank in its dataset."""

    number: int
    record: Record


@dataclass(slots=True)
class Found:
    """What the source says of one id.

    `unit` is the rank of the entity rule that gives it, -1 when none does; `rows` the records it
    is made of, several for a service that is gathered. `ids` are some of those that were met.
    """

    state: State = "not in the source"
    dataset: str = ""
    unit: int = -1
    rows: list[Row] = field(default_factory=list)
    more_rows: int = 0
    payload: bytes = b""
    reject: Reject | None = None
    records: int = 0
    notes: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


def find(
    settings: Settings, job: Job, mapper: Mapper, identity: str, *, progress: Progress = silent
) -> Found:
    """Read the source of *job* until a record gives the entity *identity*, or to the end.

    Datasets are read in the order of a run, tables of others to their end; a service that is
    gathered needs all rows of its dataset. Of several records that give the same id this is the
    first, and a run keeps the last. Raises what the source raises.
    """
    connection = job.source_connection(settings)
    search = _Search(mapper, identity, Found())
    for name in job.datasets:
        search.begin(name)
        for page in _pages(job, name, connection, mapper, search.found):
            search.look(page)
            progress("find", search.found.records, None)
            if search.over:
                return search.found
        search.end()
        if search.found.payload:
            break
    return search.found


def _pages(
    job: Job, name: str, connection: Connection, mapper: Mapper, found: Found
) -> Iterator[Page]:
    pages = job.source.extract(job.config, name, connection, Scope(fields=mapper.fields(name)))
    try:
        while True:
            yield next(pages)
    except StopIteration as stop:
        if isinstance(stop.value, Partial):
            found.notes.append(f"{name} was not read completely: {stop.value.reason}")
    finally:
        pages.close()


class _Search:
    """The look for one id in pages of records."""

    def __init__(self, mapper: Mapper, identity: str, found: Found) -> None:
        self.found = found
        self._mapper, self._identity = mapper, identity
        self._name = ""

    @property
    def over(self) -> bool:
        return bool(self.found.payload)

    def begin(self, name: str) -> None:
        self._name = name
        self._traces = [
            _Trace(rank, unit)
            for rank, unit in enumerate(self._mapper.units)
            if unit.dataset == name
        ]

    def look(self, page: Page) -> None:
        found = self.found
        found.records += len(page.records) + len(page.rejects)
        if page.rejects:
            found.notes.append(f"{self._name}: {len(page.rejects)} rows of it cannot be read")
        self._take(self._mapper.map_page(self._name, page.records, page.first))
        for trace in self._traces:
            here = found.unit == trace.rank and trace.unit.gathered
            if (here or not found.rows) and self._identity in trace.ids(page.records, page.first):
                self._trace(trace, page)
        if not found.rows and found.reject is None:
            self._filtered(page)

    def end(self) -> None:
        self._take(self._mapper.finish(self._name))

    def _take(self, mapped: Mapped) -> None:
        found, entities = self.found, mapped.entities
        found.ids.update(entities.ids)
        if self._identity in entities.ids:
            found.state, found.dataset = "entity", self._name
            found.payload = entities.payloads[entities.ids.index(self._identity)]
            found.reject = None
            return
        for reject in mapped.rejects:
            if self._identity in (reject.id, *_texts(reject.record)) and found.reject is None:
                found.state, found.dataset, found.reject = "reject", self._name, reject

    def _trace(self, trace: "_Trace", page: Page) -> None:
        """The very records that give the entity."""
        found = self.found
        for number, record in enumerate(page.records, page.first):
            if self._identity in trace.ids([record], number):
                found.unit = trace.rank
                if len(found.rows) < _ROWS:
                    found.rows.append(Row(number, record))
                else:
                    found.more_rows += 1

    def _filtered(self, page: Page) -> None:
        """Whether a rule would make it, were it not for its `when`."""
        for trace in self._traces:
            if trace.unit.when is not None and self._identity in trace.open_ids(page):
                self.found.state, self.found.dataset = "left out", self._name
                self._trace(_Trace(trace.rank, replace(trace.unit, when=None)), page)
                return


class _Trace:
    """One entity rule at work for itself."""

    def __init__(self, rank: int, unit: Unit) -> None:
        self.rank, self.unit = rank, unit
        self._mapper = _alone(unit)
        self._open = self._mapper if unit.when is None else _alone(replace(unit, when=None))

    def ids(self, records: list[Record], first: int) -> set[str]:
        """The ids that these records alone give; those of services that they contribute to."""
        return _ids(self._mapper, self.unit.dataset, records, first)

    def open_ids(self, page: Page) -> set[str]:
        return _ids(self._open, self.unit.dataset, page.records, page.first)


def _alone(unit: Unit) -> Mapper:
    return Mapper([unit], datasets=[unit.dataset], cleaners={unit.dataset: unit.cleaner})


def _ids(mapper: Mapper, name: str, records: list[Record], first: int) -> set[str]:
    mapped = mapper.map_page(name, records, first)
    return {*mapped.entities.ids, *mapper.finish(name).entities.ids}


def _texts(record: Any) -> list[str]:
    """The texts of a record whose entity has no id, for it lacks one of its names."""
    if not isinstance(record, dict):
        return []
    return [value for value in record.values() if isinstance(value, str)]
