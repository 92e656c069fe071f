"""One job that loads two Canopsis: `--to`, `refsync promote`, and what is theirs alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from flows.job import load_job
from flows.misdeclared import Misdeclared
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Knobs
from sandbox.serve import serve
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop, servers

PRE = "acme-preproduction"
BOTH = f"{JOB}  targets: [{PRE}]\n"
PROMOTE = ("promote", NAME, "--from", PRE, "--to", "acme-canopsis")


@pytest.fixture(autouse=True)
def before(workshop: Workshop) -> Iterator[Any]:
    """A second Canopsis, and a job that may load both; yields the platform of the second."""
    app = create_app(Knobs(tick=0.0, event_delay=0.0))
    with serve(app) as url:
        ours = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
        _, _, usual = ours.partition("  acme-canopsis:\n")
        other = usual.replace(workshop.canopsis_url, url)
        workshop.write_settings(f"{ours}  {PRE}:\n{other}")
        workshop.write_job(BOTH)
        workshop.serve(servers(30))
        yield app.state.canopsis


def test_a_target_is_loaded_by_name_and_the_usual_one_stays_as_it_is(
    workshop: Workshop, refsync: Refsync, before: Any
) -> None:
    done = refsync("sync", NAME, "--to", PRE)

    assert done.code == 0, done.err
    assert len(before.store.live_ids()) == 30
    assert workshop.entities() == {}
    assert workshop.last_run().feed.target == PRE


def test_what_the_other_one_lacks_is_shown_with_the_command_that_brings_it(
    workshop: Workshop, refsync: Refsync
) -> None:
    refsync("sync", NAME, "--to", PRE)

    done = refsync(*PROMOTE, "--limit", "5")

    assert done.code == 0, done.err
    assert "srv-001" in done.out
    assert "… and 25 more" in done.out
    assert "30 create" in done.out
    assert f"refsync sync {NAME} --to acme-canopsis" in done.out
    assert workshop.entities() == {}


def test_once_both_are_loaded_nothing_is_to_be_promoted_until_one_of_them_changes(
    workshop: Workshop, refsync: Refsync
) -> None:
    refsync("sync", NAME, "--to", PRE)
    refsync("sync", NAME)

    same = refsync(*PROMOTE)
    workshop.serve([*servers(28), *servers(1, site="Lyon", id="099", name="srv-099")])
    refsync("sync", NAME, "--to", PRE)
    other = refsync(*PROMOTE, "--json")

    assert "acme-canopsis has the same" in same.out
    assert other.document["counts"] == {"create": 1, "disable": 2}
    assert {each["id"] for each in other.document["changes"]} == {"srv-029", "srv-030", "srv-099"}
    assert len(workshop.entities()) == 30


def test_a_target_that_the_job_does_not_load_is_told_with_the_nearest(refsync: Refsync) -> None:
    done = refsync("plan", NAME, "--to", "acme-preproducton")

    assert done.code == 2
    assert "acme/servers does not load 'acme-preproducton'" in done.err
    assert f"did you mean {PRE!r}?" in done.err or PRE in done.err


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (PRE, PRE, "are one Canopsis"),
        (PRE, "acme-canopsis", "the ledger knows nothing of"),
        ("acme-nowhere", PRE, "does not load 'acme-nowhere'"),
    ],
)
def test_there_must_be_two_targets_and_something_to_promote(
    first: str, second: str, words: str, refsync: Refsync
) -> None:
    done = refsync("promote", NAME, "--from", first, "--to", second)

    assert done.code == 2
    assert words in done.err


def test_the_guard_names_the_target_in_the_command_that_it_prints(
    workshop: Workshop, refsync: Refsync
) -> None:
    refsync("sync", NAME, "--to", PRE)
    workshop.serve(servers(10))

    refused = refsync("sync", NAME, "--to", PRE)

    assert refused.code == 3
    checksum = workshop.last_run().checksum
    command = f"refsync sync {NAME} --to {PRE} --accept {checksum}"
    assert command in " ".join(refused.err.split())
    assert refsync(*command.split()[1:]).code == 0


def test_all_targets_are_asked_by_check_and_judged_by_health_once_they_are_loaded(
    refsync: Refsync,
) -> None:
    checked = refsync("check", NAME, "--connect", "--json")
    refsync("sync", NAME)
    alone = refsync("health", NAME, "--json")
    refsync("sync", NAME, "--to", PRE)
    both = refsync("health", NAME, "--json")

    asked = {each["connection"] for each in checked.document["connections"]}
    assert asked == {"acme-cmdb", "acme-canopsis", PRE}
    assert [each["target"] for each in alone.document["jobs"]] == ["acme-canopsis"]
    assert [each["target"] for each in both.document["jobs"]] == ["acme-canopsis", PRE]


def test_drift_is_looked_for_in_the_target_that_is_named(
    workshop: Workshop, refsync: Refsync, before: Any
) -> None:
    refsync("sync", NAME, "--to", PRE)
    with before.lock:
        before.store.update("srv-003", {"impact_level": 9})

    assert refsync("drift", NAME, "--to", PRE).code == 4
    assert workshop.entities() == {}


def test_a_target_that_is_named_twice_does_not_compile(workshop: Workshop) -> None:
    workshop.write_job(f"{JOB}  targets: [acme-canopsis]\n")

    with pytest.raises(Misdeclared) as refused:
        load_job(NAME, workshop.folder / "jobs")

    assert "'acme-canopsis' is named twice as a target" in str(refused.value)
