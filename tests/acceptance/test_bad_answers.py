"""Answers of a CMDB that are no proof that a server is gone: none of them switches one off."""

from typing import Any

import pytest

from flows.outcome import exit_code
from referential.errors import PlanRefused
from sandbox.cmdb import records
from sources.errors import Unreachable, Unreadable
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

JOB = "acme/servers"
COUNT = 2_100  # three pages of the job
SOME = COUNT - 50  # what stays on a day when some are gone for good


@pytest.fixture
def before(world: World, installation: Installation) -> dict[str, Any]:
    """What Canopsis holds after a good day; traffic is counted afresh."""
    world.api.turn({"total": "header"})
    world.api.put_collection("servers", records(COUNT))
    installation.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    assert installation.sync(JOB).outcome == "done"
    world.forget_traffic()
    return world.entities()


@pytest.mark.parametrize("lifted", [{}, {"allow_missing": True, "allow_changed": True}])
@pytest.mark.parametrize(
    "faults",
    [[], [{"kind": "status", "status": 503, "times": 1}]],
    ids=["an empty list", "a 503 and then an empty list"],
)
def test_no_record_at_all_is_refused_whatever_the_options(
    before: dict[str, Any],
    world: World,
    installation: Installation,
    faults: list[dict[str, Any]],
    lifted: dict[str, bool],
) -> None:
    world.api.put_collection("servers", [])
    world.api.turn({"faults": faults})
    world.api.traffic.clear()

    with pytest.raises(PlanRefused) as refused:
        installation.sync(JOB, **lifted)

    assert world.api.traffic.statuses[503] == len(faults)
    assert exit_code(refused.value) == 3
    _nothing_is_written(world, before)
    _is_told(installation, "refused", "no entity at all, where 2,100 are known", "mend: ")


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_sign_in_page_with_200_is_a_failure_that_says_what_came(
    before: dict[str, Any], world: World, installation: Installation, page: int
) -> None:
    world.api.turn({"faults": [{"kind": "html", "at": page, "times": 0}]})

    with pytest.raises(Unreadable) as failed:
        installation.sync(JOB)

    assert exit_code(failed.value) == 1
    _nothing_is_written(world, before)
    _is_told(installation, "failed", "html", "where: ", "mend: ")


@pytest.mark.parametrize("page", [1, 3])
def test_an_outage_that_lasts_is_a_failure(
    before: dict[str, Any], world: World, installation: Installation, page: int
) -> None:
    world.api.turn({"faults": [{"kind": "status", "status": 503, "at": page, "times": 0}]})

    with pytest.raises(Unreachable) as failed:
        installation.sync(JOB)

    assert exit_code(failed.value) == 1
    _nothing_is_written(world, before)
    _is_told(installation, "failed", "503", "where: ", "mend: ")


@pytest.mark.parametrize(
    ("bent", "said"),
    [
        ({"faults": [{"kind": "short", "at": 2, "keep": 0, "times": 0}]}, "1,000 records"),
        ({"faults": [{"kind": "short", "at": 3, "keep": 0, "times": 0}]}, "2,000 records"),
        ({"faults": [{"kind": "short", "at": 2, "keep": 0.9, "times": 0}]}, "1,950 records"),
        ({"faults": [{"kind": "repeat", "at": 2, "times": 0}]}, "page 2 brings again"),
        ({"total_error": 1}, "says 2,051, 2,050 records"),
    ],
    ids=[
        "a page in the middle is lost",
        "the last page is lost",
        "a page has fewer rows than it should",
        "a page comes twice and another never",
        "one more is announced than comes",
    ],
)
def test_what_is_not_proven_complete_is_partial_and_disables_nothing(
    before: dict[str, Any],
    world: World,
    installation: Installation,
    bent: dict[str, Any],
    said: str,
) -> None:
    world.api.put_collection("servers", records(COUNT)[:SOME])
    world.api.turn(bent)

    report = installation.sync(JOB)

    assert (report.outcome, report.exit_code) == ("partial", 1)
    _nothing_is_written(world, before)
    _is_told(installation, "partial", "not read completely: servers: ", said, "mend: ")


def test_a_good_answer_on_the_day_after_goes_on_as_if_nothing_had_been(
    before: dict[str, Any], world: World, installation: Installation
) -> None:
    world.api.turn({"total_error": 1})
    assert installation.sync(JOB).exit_code == 1
    world.api.turn({"total_error": 0})
    assert installation.sync(JOB).outcome == "nothing-to-do"
    world.api.put_collection("servers", records(COUNT)[:SOME])

    report = installation.sync(JOB)

    assert report.loaded.counts == {"disable": COUNT - SOME}
    gone = [name for name, entity in world.entities().items() if not entity["enabled"]]
    assert sorted(gone) == sorted(each["name"] for each in records(COUNT)[SOME:])
    assert set(world.entities()) == set(before)


def _nothing_is_written(world: World, before: dict[str, Any]) -> None:
    assert world.entities() == before
    assert all(entity["enabled"] for entity in before.values())
    assert world.traffic()["imports"] == []
    # the probe of rights writes, with bodies that cannot change anything
    assert sum(world.writes().values()) < 100


def _is_told(installation: Installation, outcome: str, *words: str) -> None:
    """The ledger's last run has *outcome*, and its message has all *words*."""
    run = installation.runs()[0]
    assert run.outcome == outcome
    message = run.message.lower()
    assert [word for word in words if word not in message] == []
