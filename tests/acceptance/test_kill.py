"""A run that dies at any moment, without a word: the next one makes it as if it had not.

A sample of `make torture`: a run in a process of its own dies of a SIGKILL, then the job runs
again. All that Canopsis stores and all that the ledger owns must be equal, and a third run idle.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import World
from tests.torture_bench import Bench
from tests.torture_fork import Forks, forks
from tests.torture_kill import SCENARIOS, Scenario, Trials

SEED = 20_261_124
KILLS = 6  # of each day, at random moments
# What must never come apart: what is written down, what is sent, what is recorded.
VITAL = (
    "after Ledger.start_run #1",
    "after Ledger.lock #1",
    "after Ledger.import_begins",
    "after PUT /api/v4/",
    "after Canopsis.send_import",
    "after Ledger.import_sent",
    "after Canopsis.await_import",
    "before Ledger.record",
    "after Ledger.set_state",
    "after Ledger.forget",
    "before Ledger.finish_run",
)


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def bench(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Bench:
    url = request.getfixturevalue("postgres") if request.param == "PostgreSQL" else ""
    return Bench(world, tmp_path, url)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_killed_at_a_random_moment_leaves_nothing_that_the_next_one_does_not_mend(
    bench: Bench, forked: Forks, scenario: Scenario
) -> None:
    trials = Trials(bench, forked, scenario)
    trials.prepare()

    trials.all(trials.moments(KILLS, SEED))

    assert trials.faults == []
    assert trials.equal == KILLS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_killed_where_sending_and_recording_meet_is_mended_too(
    world: World, tmp_path: Path, forked: Forks, scenario: Scenario
) -> None:
    trials = Trials(Bench(world, tmp_path), forked, scenario)
    trials.prepare()
    vital = [each for each in trials.boundaries() if each.what.startswith(VITAL)]

    begun = [each for each in vital if "import_begins" in each.what]
    trials.all(vital if scenario == "delta day" else [*begun, *vital[::4]])

    assert trials.faults == []
    assert trials.equal == trials.killed > 5


def test_a_cmdb_that_changes_between_the_kill_and_the_next_run_is_what_is_loaded(
    world: World, tmp_path: Path, forked: Forks
) -> None:
    trials = Trials(Bench(world, tmp_path), forked, "delta day")
    trials.prepare()
    trials.expect_change()

    trials.all(trials.moments(KILLS, SEED), changing=True)

    assert trials.faults == []
    assert trials.equal == KILLS


def test_an_import_that_canopsis_had_not_begun_when_we_died_is_awaited_or_repeated(
    world: World, tmp_path: Path, forked: Forks
) -> None:
    trials = Trials(Bench(world, tmp_path), forked, "delta day", pending=True)
    trials.prepare()
    trials.expect_change()
    sent = [
        each for each in trials.boundaries() if each.what.startswith("after Ledger.import_sent")
    ]

    trials.all(sent)
    trials.all(sent, changing=True)

    assert trials.faults == []
    assert trials.equal == 2 * len(sent) > 1
