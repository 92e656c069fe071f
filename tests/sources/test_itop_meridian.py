"""The worked example reads from the simulated iTop what its golden pairs hold."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.job import load_job
from sandbox.itop import create_app
from sandbox.serve import serve
from sources.base import Complete, Record, Scope
from tests.sources.itop_rig import FORM, drained

CUSTOMERS = Path(__file__).resolve().parents[2] / "mappings" / "customers"


def golden(name: str, datasets: tuple[str, ...]) -> dict[str, list[Record]]:
    lines = (CUSTOMERS / f"{name}.records.jsonl").read_bytes().splitlines()
    rows: list[dict[str, Any]] = [orjson.loads(line) for line in lines]
    if len(datasets) == 1:
        return {datasets[0]: rows}
    return {each: [row["record"] for row in rows if row["dataset"] == each] for each in datasets}


@pytest.mark.parametrize("name", ["meridian/servers", "meridian/applications"])
def test_the_records_of_a_golden_pair_are_those_of_the_simulated_itop(name: str) -> None:
    job = load_job(name, CUSTOMERS)
    mapper = job.mapper()
    kept = golden(name, job.datasets)

    with serve(create_app()) as url:
        connection = job.source.connection.model_validate({"base_url": url, "auth": FORM})
        for dataset in job.datasets:
            scope = Scope(fields=mapper.fields(dataset))
            read = drained(job.source.extract(job.config, dataset, connection, scope))

            assert isinstance(read.outcome, Complete)
            assert kept[dataset]
            found = [
                {key: value for key, value in record.items() if key in golden_keys}
                for record, golden_keys in zip(read.records, map(set, kept[dataset]), strict=False)
            ]
            assert found == kept[dataset]
