"""Which records of a source are taken for a recording: the first ones, and those they ask for."""

from collections.abc import Mapping
from itertools import islice

from flows.job import Job
from flows.settings import Settings
from flows.workplace import Progress
from mappings.casts import text
from mappings.footprint import Footprint
from mappings.paths import Path, walk
from mappings.rejects import Record, Refusal
from sources.base import Extraction, Scope

_PAGES = 20  # of a dataset that are searched for the records that others ask for

Records = dict[str, list[Record]]
Wanted = dict[Path, set[str]]  # by the path of a table's key: the keys that are asked for


def pick_records(
    settings: Settings,
    job: Job,
    footprints: Mapping[str, Footprint],
    limit: int,
    progress: Progress,
) -> Records:
    """The records of the datasets that have *footprints*, in their order; at most *limit* of each.

    Raises what the source raises.
    """
    connection, mapper = job.source_connection(settings), job.mapper()
    taken: Records = {}
    for name in reversed(list(footprints)):  # what asks before what is asked
        scope = Scope(fields=mapper.fields(name))
        pages = job.source.extract(job.config, name, connection, scope)
        taken[name] = _picked(pages, limit, _wanted(name, footprints, taken))
        progress(name, len(taken[name]), None)
    return {name: taken[name] for name in footprints}


def _wanted(name: str, footprints: Mapping[str, Footprint], taken: Records) -> Wanted:
    wanted: Wanted = {}
    for asking, records in taken.items():
        for ask in footprints[asking].asks:
            if ask.dataset == name:
                wanted.setdefault(ask.key, set()).update(ask.words(records))
    return wanted


def _picked(pages: Extraction, limit: int, wanted: Wanted) -> list[Record]:
    """The first records, those that are asked for before others, in the order of the source."""
    asked: list[tuple[int, Record]] = []
    others: list[tuple[int, Record]] = []
    for page in islice(pages, _PAGES):
        for rank, record in enumerate(page.records, page.first):
            mine = asked if wanted and _is_asked(record, wanted) else others
            if len(mine) < limit:
                mine.append((rank, record))
        if len(asked) >= limit or (not wanted and len(others) >= limit):
            break
    pages.close()
    taken = [*asked, *others][:limit]
    return [record for _, record in sorted(taken, key=lambda each: each[0])]


def _is_asked(record: Record, wanted: Wanted) -> bool:
    for path, words in wanted.items():
        try:
            if text(walk(record, path)) in words:
                return True
        except Refusal:  # an object or a list is no key
            continue
    return False
