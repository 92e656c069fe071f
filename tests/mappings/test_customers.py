"""Golden pairs: every job file beside the records it is given and the entities it must make."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from mappings.fragments import Fragment, expand
from mappings.golden import Golden, map_golden, read_records
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.pattern import check_pattern
from mappings.remarks import remarks
from sandbox.cmdb import records
from sandbox.latin import machines

CUSTOMERS = Path(__file__).parents[2] / "mappings" / "customers"
# what begins with _ is a part of jobs, and no job
JOBS = sorted(job for job in CUSTOMERS.glob("[!_]*/[!_]*.yaml"))


def read(job: Path) -> dict[str, Any]:
    """The document of a job, its fragments followed from the folder of each file."""

    def fragment(path: str, within: str) -> Fragment:
        file = (job.parent / within).parent / path if within else job.parent / path
        name = os.path.relpath(file, job.parent)
        return Fragment(name, YAML(typ="safe", pure=True).load(file))

    expanded = expand(YAML(typ="safe", pure=True).load(job), fragment)
    assert expanded.problems == ()
    document: dict[str, Any] = expanded.data
    return document


def mapper_of(job: Path) -> Mapper:
    document = read(job)
    return load_mapping(
        document["mapping"],
        datasets=document["source"]["datasets"],
        read_file=lambda name, _: (job.parent / name).read_bytes(),
    )


def beside(job: Path, what: str) -> bytes:
    return job.with_suffix(f".{what}.jsonl").read_bytes()


def name_of(job: Path) -> str:
    return f"{job.parent.name}/{job.stem}"


def made_of(job: Path, mapper: Mapper) -> Golden:
    return map_golden(mapper, read_records(mapper.datasets, beside(job, "records")))


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_the_records_of_a_job_become_its_entities_byte_for_byte(job: Path) -> None:
    made = made_of(job, mapper_of(job))

    refused = job.with_suffix(".rejects.jsonl")
    assert made.entities == beside(job, "entities").decode().splitlines()
    assert made.reject_lines == (refused.read_text().splitlines() if refused.exists() else [])


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_a_golden_pair_shows_every_rule_and_every_field(job: Path) -> None:
    mapper = mapper_of(job)
    made_of(job, mapper)

    assert remarks(mapper.report()) == []


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_golden_services_have_patterns_that_canopsis_accepts(job: Path) -> None:
    entities = map(orjson.loads, beside(job, "entities").splitlines())

    services = [entity for entity in entities if entity["type"] == "service"]
    assert [check_pattern(service["entity_pattern"]) for service in services] == [[]] * len(
        services
    )


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_a_job_file_names_its_schema(job: Path) -> None:
    first = job.read_text(encoding="utf-8").splitlines()[0]

    assert first == "# yaml-language-server: $schema=../../../schemas/job.schema.json"


def test_the_three_level_use_case_gives_its_nine_entities() -> None:
    jobs = [CUSTOMERS / "threelevel" / f"{job}.yaml" for job in ("servers", "composants")]
    jobs.append(CUSTOMERS / "threelevel" / "applications.yaml")
    made = [orjson.loads(line) for job in jobs for line in made_of(job, mapper_of(job)).entities]

    for entity in made:
        assert (entity.pop("action"), entity.pop("enabled")) == ("set", True)
        assert entity.pop("impact_level") == 1
    assert [entity["name"] for entity in made] == [
        *("Doc-ServeurAPP1", "Doc-ServeurAPP2", "Doc-ServeurAPP3"),
        *("DOC-COMPOSANT1", "DOC-COMPOSANT2", "DOC-COMPOSANT3"),
        *("Doc-APP1", "Doc-APP2", "Doc-APP3"),
    ]
    codes = [entity["infos"]["codeComposant"]["value"] for entity in made[:3]]
    assert codes == ["DOC-COMPOSANT1", "DOC-COMPOSANT1", "DOC-COMPOSANT2"]
    patterns = [entity["entity_pattern"] for entity in made[3:]]
    assert patterns == [
        *(
            [
                [
                    {
                        "field": "infos.codeComposant",
                        "field_type": "string",
                        "cond": {"type": "eq", "value": f"DOC-COMPOSANT{rank}"},
                    }
                ]
            ]
            for rank in (1, 2, 3)
        ),
        *(
            [
                [
                    {
                        "field": "infos.applications",
                        "field_type": "string_array",
                        "cond": {"type": "has_one_of", "value": [f"Doc-APP{rank}"]},
                    }
                ]
            ]
            for rank in (1, 2, 3)
        ),
    ]


def test_the_invented_cmdb_goes_through_its_job_without_a_reject() -> None:
    mapper = mapper_of(CUSTOMERS / "acme" / "servers.yaml")

    for first in range(1, 2_001, 1_000):
        page = json.loads(json.dumps(records(2_000)[first - 1 : first + 999]))
        assert mapper.map_page("servers", page, first).rejects == []

    report = mapper.report()
    assert report.datasets["servers"].entities == 2_000
    assert remarks(report) == []
    assert report.failures == ()


def test_the_invented_csv_drop_goes_through_its_job_without_a_reject() -> None:
    mapper = mapper_of(CUSTOMERS / "latin" / "machines.yaml")
    rows = csv.DictReader(io.StringIO(machines(200).decode("cp1252"), newline=""), delimiter=";")
    page = [{key: value or None for key, value in row.items()} for row in rows]

    mapped = mapper.map_page("machines", page, 1)
    services = mapper.finish("machines")

    assert (len(mapped.entities), mapped.rejects) == (200, [])
    assert [name.removeprefix("APPLI-") for name in services.entities.ids] == [
        *("Comptabilité générale", "Paie", "Gestion des congés", "Intranet"),
    ]
    assert mapped.entities.ids[0] == "nîmes-web-0000"
    report = mapper.report()
    assert remarks(report) == []
    assert report.failures == ()
