"""The worked example of an EasyVista customer, from the simulated tenant to its entities."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.job import Job, load_job
from mappings.running import Mapped
from sources.base import Complete, Scope
from sources.easyvista import SOURCE
from tests.sources.easyvista_rig import Rig, rows, served

CUSTOMERS = Path(__file__).parents[2] / "mappings" / "customers"


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold()
    return one


def made(job: Job, rig: Rig) -> list[Mapped]:
    """What the mapping makes of every dataset, each of which must be complete."""
    mapper, mapped = job.mapper(), []
    for name in job.datasets:
        scope = Scope(fields=mapper.fields(name))
        extraction = SOURCE.extract(job.config, name, rig.connection(), scope)
        outcome: Any = None
        try:
            while True:
                page = next(extraction)
                mapped.append(mapper.map_page(name, page.records, page.first))
        except StopIteration as end:
            outcome = end.value
        assert isinstance(outcome, Complete)
        mapped.append(mapper.finish(name))
    assert not [reject for each in mapped for reject in each.rejects]
    return mapped


def entities(mapped: list[Mapped]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for each in mapped for line in each.entities.payloads]


def test_items_that_are_not_removed_become_components(rig: Rig) -> None:
    found = entities(made(load_job("valmont/assets", CUSTOMERS), rig))

    held = [row for row in rows()["AM_ASSET"] if row["IS_CI"] and not row["REMOVED_DATE"]]
    assert [each["name"] for each in found] == [row["NETWORK_IDENTIFIER"] for row in held]


@pytest.mark.parametrize(
    "knobs",
    [
        {"inner_joins": True},
        {"numbers": "mixed"},
        {"counts": "int", "next_link": "absent"},
        {"max_rows_cap": 40},
        {"dropped": ["IS_CI"]},
        {"build": "2018"},
        {"random_keys": True, "unset": "null"},
    ],
)
def test_they_are_the_same_whatever_the_tenant_is_like(rig: Rig, knobs: dict[str, Any]) -> None:
    job = load_job("valmont/assets", CUSTOMERS)
    usual = entities(made(job, rig))
    rig.state.turn(knobs)

    found = entities(made(job, rig))

    assert {each["name"] for each in found} == {each["name"] for each in usual}
    assert len(found) == len(usual)


def test_links_become_services_of_the_components_they_lead_to(rig: Rig) -> None:
    components = {
        each["name"] for each in entities(made(load_job("valmont/assets", CUSTOMERS), rig))
    }

    found = entities(made(load_job("valmont/services", CUSTOMERS), rig))

    assert len(found) == 30
    names = {each["name"]: each["entity_pattern"][0][1]["cond"]["value"] for each in found}
    held = rows()["AM_ASSET"]
    expected = {
        held[link["CHILD_CI_ID"] - 1001]["NETWORK_IDENTIFIER"]
        for link in rows()["CI_LINK"]
        if link["PARENT_CI_ID"] == 1004 and link["RELATION_TYPE_ID"] in {1, 2}
    }
    assert names["T-0004"] == sorted(expected)
    assert len(components.intersection(names["T-0004"])) > 1
