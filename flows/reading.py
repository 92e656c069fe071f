"""Reading pages to their end: each is mapped as it arrives, its entities and rejects spooled."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from flows.job import Maps
from flows.spool import SpoolWriter
from flows.spool import refused as refused_row
from flows.spool import unread as unread_row
from mappings.running import Mapped
from referential.collector import collector_paused
from sources.base import Extraction, Outcome, Page

_HANDFUL = 128  # records
_SWEPT = 50  # pages between two looks for cycles


@dataclass(frozen=True, slots=True)
class Read:
    """What was read and what became of it; `unread`: rows that no record could be made of.

    They count among `records` and `rejects` too.
    """

    records: int
    entities: int
    rejects: int
    unread: int
    outcome: Outcome


def read_pages(
    pages: Extraction,
    name: str,
    mapper: Maps,
    spool: SpoolWriter,
    told: Callable[[int], None],
) -> Read:
    """Read *pages* of the dataset *name* to their end; raises what the source raises.

    *told* is given the number of records after each page.
    """
    records = entities = rejects = unread = 0
    with collector_paused():
        for rank in count(1):
            try:
                page = next(pages)
            except StopIteration as stop:
                outcome: Outcome = stop.value
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
            told(records)
            if rank % _SWEPT == 0:
                gc.collect(0)
    return Read(records, entities, rejects, unread, outcome)


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
