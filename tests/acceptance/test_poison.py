"""One entity among five thousand that Canopsis refuses, and with it the whole import it is in."""

import pytest

from flows.run import Report
from sandbox.cmdb import records
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

JOB = "acme/servers"
COUNT = 5_000
PLACE = 3_210
# words of Canopsis that name nothing (specs/canopsis.md §2.7)
WORDS = "An invalid character was found in the name"


@pytest.fixture
def poisonous(world: World, installation: Installation) -> str:
    """The name of the bad entity, in a Canopsis and a CMDB that are ready for a first load."""
    served = records(COUNT)
    name: str = served[PLACE]["name"]
    world.api.turn({"page_size": 1_000, "total": "header"})
    world.api.put_collection("servers", served)
    world.canopsis.knobs.turn({"poison": [{"name": f"^{name}$", "info": WORDS}]})
    installation.settle("acme", canopsis=world.canopsis_url, api=f"{world.api_url}/api")
    return name


@pytest.fixture
def first(poisonous: str, installation: Installation) -> Report:
    """What the first run tells; the bad entity is among what it finds."""
    assert poisonous
    return installation.sync(JOB)


def test_all_the_others_are_loaded(first: Report, poisonous: str, world: World) -> None:
    held = world.entities()

    assert first.loaded.counts == {"create": COUNT - 1}
    assert set(held) == {each["name"] for each in records(COUNT)} - {poisonous}
    assert first.counts()["verified"] == {"expected": COUNT - 1, "found": COUNT - 1}


def test_the_one_reject_names_it_with_canopsis_own_words(
    first: Report, poisonous: str, installation: Installation
) -> None:
    (reject,) = installation.rejects(first.run_id)

    assert first.rejects == 1
    assert reject.dataset == "servers"
    assert poisonous in str(reject.record)
    assert WORDS in reject.reason


def test_it_takes_few_imports_to_find_it(first: Report, world: World) -> None:
    """About 2·log2(n) of them, and the words of each failure were read."""
    assert first.loaded.attempts == len(world.traffic()["imports"]) <= 30


def test_the_next_run_neither_loses_nor_sends_the_others_again(
    first: Report, poisonous: str, world: World, installation: Installation
) -> None:
    before = world.entities()
    world.forget_traffic()

    again = installation.sync(JOB)

    assert again.loaded.counts == {}
    (sent,) = world.traffic()["imports"]
    assert sent["bytes"] < 2_000  # one entity has some 750
    assert world.entities() == before
    (reject,) = installation.rejects(again.run_id)
    assert poisonous in str(reject.record)
    assert first.run_id != again.run_id


def test_once_it_is_mended_it_is_loaded_alone(
    first: Report, poisonous: str, world: World, installation: Installation
) -> None:
    assert first.rejects == 1
    world.canopsis.knobs.turn({"poison": []})
    world.forget_traffic()

    mended = installation.sync(JOB)

    assert (mended.loaded.counts, mended.rejects) == ({"create": 1}, 0)
    assert [each["items"] for each in world.traffic()["imports"]] == [1]
    assert poisonous in world.entities()
