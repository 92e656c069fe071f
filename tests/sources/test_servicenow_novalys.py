"""The worked example of a ServiceNow customer, from the simulated instance to its entities."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.job import Job, load_job
from mappings.running import Mapped
from sandbox.serve import serve
from sandbox.servicenow import create_app
from sources.base import Complete, Scope
from sources.servicenow import SOURCE

CUSTOMERS = Path(__file__).parents[2] / "mappings" / "customers"


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with serve(create_app()) as url:
        auth = {"type": "basic", "username": "etl", "password": "secret"}
        yield SOURCE.connection.model_validate({"base_url": url, "auth": auth})


def made(job: Job, connection: Any) -> list[Mapped]:
    """What the mapping makes of every dataset, each of which must be complete."""
    mapper = job.mapper()
    mapped = []
    for name in job.datasets:
        extraction = SOURCE.extract(job.config, name, connection, Scope(fields=mapper.fields(name)))
        outcome: Any = None
        try:
            while True:
                page = next(extraction)
                mapped.append(mapper.map_page(name, page.records, page.first))
        except StopIteration as end:
            outcome = end.value
        assert isinstance(outcome, Complete)
        mapped.append(mapper.finish(name))
    return mapped


def entities(mapped: list[Mapped]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for each in mapped for line in each.entities.payloads]


def test_servers_become_components(connection: Any) -> None:
    mapped = made(load_job("novalys/servers", CUSTOMERS), connection)

    found = entities(mapped)
    assert len(found) == 2190
    assert {each["type"] for each in found} == {"component"}
    assert not [reject for each in mapped for reject in each.rejects]
    assert {"R&D", "a^b", "100% up", 'the "big" one'} <= {each["name"] for each in found}


def test_relations_become_services_of_servers_and_services_of_services(connection: Any) -> None:
    mapped = made(load_job("novalys/services", CUSTOMERS), connection)

    found = {each["name"]: each for each in entities(mapped)}
    assert not [reject for each in mapped for reject in each.rejects]
    assert {each["category"] for each in found.values()} == {"Application", "Business service"}
    assert len(found) == 860
    depends = found["Service 007"]["entity_pattern"][0][1]["cond"]["value"]
    assert len(depends) == 14
    servers = {
        server
        for name in depends
        for server in found[name]["entity_pattern"][0][1]["cond"]["value"]
    }
    assert len(servers) == 14
