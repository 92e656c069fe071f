"""Reading one dataset: its pages are mapped as they arrive, their entities and rejects spooled."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

from flows.counts import DatasetRead
from flows.job import Job, Maps
from flows.spool import SpoolWriter
from flows.spool import refused as refused_row
from flows.spool import unread as unread_row
from flows.workplace import Workplace
from mappings.running import Mapped
from sources.base import Complete, Connection, Extraction, Page, Scope, Slice
from sources.lanes import side_by_side

log = logging.getLogger("refsync")

_HANDFUL = 128  # records
_SWEPT = 50  # pages between two looks for cycles


def read_dataset(place: Workplace, name: str, mapper: Maps, spool: SpoolWriter) -> DatasetRead:
    """Read the dataset *name* to its end; raises what the source raises."""
    job, connection = place.job, place.source_connection()
    scope = Scope(fields=mapper.fields(name))
    total = job.source.count(job.config, name, connection, scope)
    pages = _pages(job, name, connection, scope)
    records = entities = rejects = unread = 0
    with collector_paused():
        for rank in count(1):
            try:
                page = next(pages)
            except StopIteration as stop:
                outcome = stop.value
                break
            records += len(page.records) + len(page.rejects)
            spool.reject(map(unread_row, page.rejects))
            rejects += len(page.rejects)
            unread += len(page.rejects)
            for mapped in _mapped(page, name, mapper):
                spool.write(name, mapped.entities)
                spool.reject(map(refused_row, mapped.rejects))
                entities += len(mapped.entities)
                rejects += len(mapped.rejects)
            place.progress("extract", records, total)
            if rank % _SWEPT == 0:
                gc.collect(0)
    gathered = mapper.finish(name)
    spool.write(name, gathered.entities)
    spool.reject(map(refused_row, gathered.rejects))
    if unread:
        log.warning(
            "%s: %d rows could not be read: nothing of it is taken for missing", name, unread
        )
    return DatasetRead(
        records=records,
        entities=entities + len(gathered.entities),
        rejects=rejects + len(gathered.rejects),
        complete=isinstance(outcome, Complete),
        evidence=outcome.evidence if isinstance(outcome, Complete) else outcome.reason,
        unread=unread,
        taken=outcome.taken if isinstance(outcome, Complete) else (),
    )


def _pages(job: Job, name: str, connection: Connection, scope: Scope) -> Extraction:
    """The pages of a dataset, of its slices side by side where the job asks for several."""
    source, wanted = job.source, job.sync.slices
    slices = source.slices(job.config, name, connection, scope, wanted) if wanted > 1 else ()
    if len(slices) < 2:
        return source.extract(job.config, name, connection, scope)

    def extract(each: Slice) -> Extraction:
        return source.extract(job.config, name, connection, replace(scope, slice=each))

    return side_by_side(slices, extract, connection.at_once)


def _mapped(page: Page, name: str, mapper: Maps) -> Iterator[Mapped]:
    """What the records of *page* become, a handful at a time; it leaves the page empty.

    The objects of a page of a thousand pass what a processor's cache holds. A handful is mapped,
    encoded and let go while it is in there: a quarter of the extraction is saved.
    """
    records, first = page.records, page.first
    while records:
        handful = records[:_HANDFUL]
        del records[:_HANDFUL]
        yield mapper.map_page(name, handful, first)
        first += len(handful)
        del handful


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection inside: it costs three times the decoding of a page.

    Source: specs/peers.md §3.2. Paused page by page, it would still look at each whole page once,
    a sixth of the extraction. Records hold no cycles; those of HTTP sessions are swept at times.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
