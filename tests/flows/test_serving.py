"""`refsync serve` in a process of its own: it runs what is due, and ends well."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.command import ended, start
from tests.flows.deployed import Deployed, await_that
from tests.flows.workshop import JOB, NAME, Workshop

SCHEDULE = "  schedule: {interval: 86400}\n"


@pytest.fixture
def prefect(prefect_server: tuple[str, Path]) -> Iterator[Deployed]:
    server = Deployed(prefect_server[0])
    server.clear()
    yield server
    server.clear()


@pytest.fixture
def serving(workshop: Workshop, prefect: Deployed) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the job of the workshop."""
    workshop.write_job(JOB + SCHEDULE)
    process = start(
        *("serve", "--grace", "2s"),
        PREFECT_API_URL=f"{prefect.url}/api",
        PREFECT_RUNNER_POLL_FREQUENCY="1",
    )
    try:
        await_that(lambda: prefect.all().keys(), lambda names: NAME in names)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_run_is_done_in_a_process_of_its_own_and_stays_done_when_serving_ends(
    workshop: Workshop, prefect: Deployed, serving: subprocess.Popen[str]
) -> None:
    run = prefect.run(NAME)

    done = prefect.ended(run)
    serving.send_signal(signal.SIGTERM)  # its process is still closing its threads
    result = ended(serving)

    assert result.code == 0, result.err
    assert (done["name"], done["state_type"]) == (f"{NAME} sync", "COMPLETED")
    assert prefect.flow_run(run)["state_type"] == "COMPLETED"
    assert len(workshop.entities()) == 30
    assert "acme-servers-summary" in prefect.artifacts(run)
    assert "Every day" in result.out
    assert not prefect.one(NAME)["paused"]


def test_a_run_that_goes_on_when_serving_ends_is_cancelled_and_the_ledger_knows(
    workshop: Workshop, prefect: Deployed, serving: subprocess.Popen[str]
) -> None:
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    run = prefect.run(NAME)
    await_that(workshop.imports, bool)

    serving.send_signal(signal.SIGTERM)
    result = ended(serving)

    assert result.code == 0, result.err
    state = prefect.flow_run(run)["state"]
    assert (state["type"], state["message"]) == ("CANCELLED", "refsync serve was stopped")
    assert workshop.last_run().outcome == "interrupted"
    assert not prefect.one(NAME)["paused"]
