"""SIGTERM ends a command and a flow run as Ctrl-C does."""

import os
import signal

import pytest

from flows.outcome import exit_code, outcome_of, told
from flows.stopping import Terminated, terminable
from tests.flows.command import ended, start
from tests.flows.receiver import await_that
from tests.flows.workshop import NAME, Workshop


def test_a_sync_that_is_told_to_end_is_recorded_and_told_and_leaves_with_143(
    workshop: Workshop,
) -> None:
    text = (workshop.folder / "refsync.yaml").read_text()
    workshop.write_settings(text.replace("events: false", "events: true"))
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("sync", NAME)
    await_that(workshop.imports)

    process.send_signal(signal.SIGTERM)
    done = ended(process)

    assert done.code == 143
    assert "interrupted; what was confirmed is in the ledger" in done.err
    assert "Traceback" not in done.err
    assert workshop.last_run().outcome == "interrupted"
    assert any(route.endswith("/event") for route in workshop.writes())


def test_the_handler_that_was_there_is_there_again() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(Terminated), terminable():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


def test_what_ends_a_run_from_outside_is_no_failure() -> None:
    class Signal(BaseException):
        """As Prefect raises SIGTERM."""

    assert outcome_of(Signal()) == outcome_of(Terminated()) == "interrupted"
    assert (exit_code(Terminated()), exit_code(KeyboardInterrupt())) == (143, 130)
    assert told(Terminated()).startswith("interrupted; ")
