"""A window and named ids are of what entities are made of; tables and links are read whole."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.reading_scope import scope_of
from flows.workplace import Options, Workplace
from sources.base import Scope
from tests.flows.workshop import JOB, Workshop

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)
TABLES = (
    JOB.replace(
        "mapping:\n",
        "      fields_param: fields\n    sites: {path: /s, data_selector: data}\n"
        "    links: {path: /l, data_selector: data}\n"
        "mapping:\n  lookups:\n    towns: {dataset: sites, key: id, value: town}\n",
    )
    .replace("{value: site, ", "{value: {copy: site, lookup: towns}, ")
    .replace(
        "sync:\n",
        "    - dataset: links\n      service:\n        name: app\n"
        "        pattern: {field: name, cond: is_one_of, value: server}\nsync:\n",
    )
)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"since": SINCE, "until": UNTIL}, {"since": SINCE, "until": UNTIL}),
        ({"ids": frozenset({"1"})}, {"ids": frozenset({"1"})}),
        ({}, {}),
    ],
)
def test_tables_and_what_services_are_gathered_from_are_read_whole(
    workshop: Workshop, options: dict[str, Any], part: dict[str, Any]
) -> None:
    workshop.write_job(TABLES)
    job = workshop.job()
    place = Workplace(workshop.settings(), job, "run", Options("backfill", **options))
    mapper = job.mapper()

    scopes = {name: scope_of(place, name, mapper) for name in job.datasets}

    assert scopes == {
        "sites": Scope(frozenset({"id", "town"})),
        "servers": Scope(frozenset({"name", "site"}), **part),
        "links": Scope(frozenset({"app", "server"})),
    }
