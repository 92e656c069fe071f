"""What Canopsis receives: everything once, then nothing, then what changed and no more."""

import pytest

from sandbox.cmdb import records
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

JOB = "acme/servers"
COUNT = 2_000
CHANGED = 20


@pytest.fixture
def loaded(world: World, installation: Installation) -> dict[str, int]:
    """What the first run sent, as `{"items": …, "bytes": …}`; traffic is counted afresh."""
    world.api.turn({"page_size": 1_000, "total": "header"})
    world.api.put_collection("servers", records(COUNT))
    installation.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    assert installation.sync(JOB).outcome == "done"
    sent = _sent(world)
    world.forget_traffic()
    return sent


def test_the_first_run_sends_each_record_once(loaded: dict[str, int]) -> None:
    assert loaded["items"] == COUNT


def test_the_second_run_sends_no_import(
    loaded: dict[str, int], world: World, installation: Installation
) -> None:
    assert loaded["bytes"] > 0

    report = installation.sync(JOB)

    assert report.outcome == "nothing-to-do"
    assert world.traffic()["imports"] == []
    # the probe of rights writes, with bodies that cannot change anything
    assert sum(world.writes().values()) < 100


def test_a_run_with_one_percent_changed_sends_that_percent_only(
    loaded: dict[str, int], world: World, installation: Installation
) -> None:
    world.api.put_collection("servers", records(COUNT, changed=CHANGED / COUNT))

    report = installation.sync(JOB)

    sent = _sent(world)
    assert (report.loaded.counts, sent["items"]) == ({"update": CHANGED}, CHANGED)
    # 1 % of the bytes, give or take how long the texts of those servers are
    assert sent["bytes"] == pytest.approx(loaded["bytes"] * CHANGED / COUNT, rel=0.1)
    # beside the import: the probe of rights, and the question of the reading back
    assert sum(world.writes().values()) < sent["bytes"] + 200


def _sent(world: World) -> dict[str, int]:
    imports = world.traffic()["imports"]
    return {name: sum(each[name] for each in imports) for name in ("items", "bytes")}
