"""A look at a mapping's effect: a few records, the entities they become, what was refused.

A dataset that others look into is read to its end, for their values would be unknown otherwise; of
the others one page is asked for.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from flows.job import Job, Maps
from flows.settings import Settings
from flows.spool import unread
from mappings.remarks import OF_A_PART, Remark, remarks_of
from mappings.running import Mapped
from sources.base import Connection, Extraction, Page, Partial, Scope

TABLE_RECORDS = 50_000  # of a table, that a preview reads


@dataclass(frozen=True, slots=True)
class Preview:
    """`records` and `entities` by dataset, entities as import items; `tally` of the mapping.

    `notes` say what was not read of a table; `remarks` are those that some records give as well as
    all of them would.
    """

    job: str
    records: dict[str, list[Any]]
    entities: dict[str, list[Any]]
    rejects: list[dict[str, Any]]
    tally: dict[str, Any]
    code: str
    notes: list[str]
    remarks: list[Remark]


@dataclass(slots=True)
class _Look:
    """What is shown of one dataset: nothing that comes of records after the first `limit`."""

    name: str
    mapper: Maps
    limit: int
    records: list[Any] = field(default_factory=list)
    entities: list[Any] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0

    def take(self, page: Page, most: int) -> None:
        """Map the records of a page as long as there are no more than *most* of them in all."""
        room = max(0, self.limit - self.seen)
        records = page.records[: most - self.seen]
        self.seen += len(records)
        if room:
            self.rejects += map(unread, page.rejects[:room])
            self.records += records[:room]
            self._show(self.mapper.map_page(self.name, records[:room], page.first))
        if records[room:]:  # for others to look into
            self.mapper.map_page(self.name, records[room:], page.first + room)

    def finish(self) -> None:
        most = None if self.seen <= self.limit else self.limit
        self._show(self.mapper.finish(self.name), most)

    def _show(self, mapped: Mapped, most: int | None = None) -> None:
        self.entities += map(orjson.loads, mapped.entities.payloads[:most])
        self.rejects += map(asdict, mapped.rejects[:most])


def preview_job(
    settings: Settings, job: Job, limit: int, *, table_records: int = TABLE_RECORDS
) -> Preview:
    """Read the first page of each dataset, and all of a table; show its first *limit* records.

    Raises what the source raises. More than *table_records* of a table are not read.
    """
    mapper = job.mapper()
    source = job.source_connection(settings)
    needs = mapper.report().datasets
    tables = {table for name in job.datasets for table in needs[name].needs}
    looks = [_Look(name, mapper, limit) for name in job.datasets]
    notes: list[str] = []
    for look in looks:
        pages = _pages(job, look.name, source, mapper)
        if look.name in tables:
            notes += _read_table(pages, look, max(table_records, limit))
        else:
            _read_page(pages, look)
        look.finish()
    tally = mapper.report()
    return Preview(
        job=job.name,
        records={look.name: look.records for look in looks},
        entities={look.name: look.entities for look in looks},
        rejects=[reject for look in looks for reject in look.rejects],
        tally=asdict(tally),
        code=mapper.source,
        notes=notes,
        remarks=[remark for remark in remarks_of(tally) if remark.kind in OF_A_PART],
    )


def _pages(job: Job, name: str, source: Connection, mapper: Maps) -> Extraction:
    return job.source.extract(job.config, name, source, Scope(fields=mapper.fields(name)))


def _read_page(pages: Extraction, look: _Look) -> None:
    """Only one page is asked for, whatever its size."""
    page = next(pages, None)
    pages.close()
    if page is not None:
        look.take(page, look.limit)


def _read_table(pages: Extraction, look: _Look, most: int) -> list[str]:
    """Maps a table, *most* records of it; returns what to say where that was not all of it."""
    odd = 0
    while True:
        try:
            page = next(pages)
        except StopIteration as stop:
            outcome = stop.value
            break
        odd += len(page.rejects)
        more = look.seen + len(page.records) > most
        look.take(page, most)
        if more:
            pages.close()
            what = f"values beyond its first {most:,} records are unknown here"
            return [f"{look.name} is a table: {what}"]
    if isinstance(outcome, Partial):
        return [f"{look.name} is a table and was not read completely: {outcome.reason}"]
    return [f"{look.name} is a table, and {odd} rows of it cannot be read"] if odd else []
