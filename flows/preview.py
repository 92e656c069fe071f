"""A look at a mapping's effect: a few records, the entities they become, what was refused."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from flows.connections import connection
from flows.job import Job
from flows.settings import Settings
from flows.spool import unread
from sources.base import Scope


@dataclass(frozen=True, slots=True)
class Preview:
    """`records` and `entities` by dataset, entities as import items; `tally` of the mapping."""

    job: str
    records: dict[str, list[Any]]
    entities: dict[str, list[Any]]
    rejects: list[dict[str, Any]]
    tally: dict[str, Any]
    code: str


def preview_job(settings: Settings, job: Job, limit: int) -> Preview:
    """Read the first page of each dataset and map its first *limit* records.

    Raises what the source raises. Only one page is asked for, whatever its size.
    """
    mapper = job.mapper()
    records: dict[str, list[Any]] = {}
    entities: dict[str, list[Any]] = {}
    rejects: list[dict[str, Any]] = []
    at = job.place("source", "connection")
    source = connection(settings, job.config.connection, job.kind, job.source.connection, at)
    for name in job.datasets:
        pages = job.source.extract(job.config, name, source, Scope(fields=mapper.fields(name)))
        page = next(pages, None)
        pages.close()
        records[name] = page.records[:limit] if page else []
        mapped = [mapper.map_page(name, records[name], 1), mapper.finish(name)]
        entities[name] = [orjson.loads(p) for each in mapped for p in each.entities.payloads]
        rejects += map(unread, page.rejects[:limit] if page else ())
        rejects += [asdict(reject) for each in mapped for reject in each.rejects]
    return Preview(job.name, records, entities, rejects, asdict(mapper.report()), mapper.source)
