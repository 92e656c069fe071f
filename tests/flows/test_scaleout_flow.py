"""Slices of a flow run are Prefect tasks on a Dask cluster, and leave what one process leaves."""

from pathlib import Path
from typing import Any

import pytest
import requests

from flows.errand import errand_of
from flows.scaleout import read_slice
from flows.sync import run_as_flow
from flows.workplace import Options
from sources.base import Slice
from sources.errors import Unreadable
from tests.flows import sliced
from tests.flows.test_scaleout import plan, settle, spooled
from tests.flows.test_sync import await_that
from tests.flows.workshop import Workshop


@pytest.fixture
def server(settled_prefect: tuple[str, Path]) -> str:
    return settled_prefect[0]


@pytest.fixture
def farm(workshop: Workshop) -> Workshop:
    sliced.deliver(workshop.folder / "drop", 2_000)
    settle(workshop)
    return workshop


def slices_of(server: str, states: set[str], *names: str) -> dict[str, dict[str, Any]]:
    """The task runs of slices by name, once those of *names* are in one of *states*."""

    def seen() -> dict[str, dict[str, Any]]:
        answer = requests.post(f"{server}/api/task_runs/filter", json={}, timeout=30)
        answer.raise_for_status()
        runs = (run for run in answer.json() if run["name"].startswith("servers "))
        return {run["name"]: run for run in runs if run["state"] and run["state_type"] in states}

    return await_that(seen, lambda found: found.keys() >= set(names))  # type: ignore[no-any-return]


def test_each_slice_of_a_flow_is_a_task_and_the_spool_is_that_of_one_process(
    farm: Workshop, server: str
) -> None:
    alone = plan(farm)
    farm.write_job(sliced.job(slices=3, runner="dask"), sliced.NAME)

    report = run_as_flow(sliced.NAME, Options())

    assert report.outcome == "done"
    assert spooled(farm, report) == spooled(farm, alone)
    assert slices_of(server, {"COMPLETED"}, "servers 0", "servers 1", "servers 2")


def test_a_slice_that_fails_is_a_failed_task_and_ends_the_flow_with_its_error(
    farm: Workshop, server: str
) -> None:
    farm.folder.joinpath("drop", "servers-7.csv").write_bytes(b"id;name\n\xff\xfe\x00\n")
    farm.write_job(sliced.job(slices=2, runner="dask"), sliced.NAME)

    with pytest.raises(Unreadable) as failed:
        run_as_flow(sliced.NAME, Options())

    assert [note for note in failed.value.__notes__ if note.startswith("where: ")]
    # the other slice may have failed as well by then: what the run left for it is gone
    runs = slices_of(server, {"FAILED"}, "servers 1")
    assert runs["servers 1"]["state"]["message"] == str(failed.value)


def test_a_worker_that_is_set_up_wrongly_is_a_failed_task_that_says_why(
    farm: Workshop, server: str
) -> None:
    assert farm.folder.is_dir()
    assert server
    errand = errand_of("nowhere", "servers", Slice(0, 2))

    state = read_slice.fn(errand)

    assert state.is_failed()
    assert "this worker does not see what the run left for it in nowhere" in state.message
