"""What leaves the source, and hands that switch off, as the command tells and does it."""

from typing import Any

import pytest

from referential.client import Canopsis
from referential.connection import CanopsisConnection
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, KEY, NAME, Workshop, servers

WITH_ROOM = JOB.replace(
    "          site: {value: site, description: Site}\n",
    "          site: {value: site, description: Site}\n"
    "          room: {value: {copy: room, required: false}, description: Room}\n",
)


def infos(workshop: Workshop, identity: str) -> dict[str, Any]:
    held = workshop.entities()[identity]["infos"]
    return {key: info["value"] for key, info in held.items()}


@pytest.fixture
def loaded(workshop: Workshop, refsync: Refsync) -> Workshop:
    workshop.write_job(WITH_ROOM)
    workshop.serve(servers(10, room="R1"))
    assert refsync("sync", NAME).code == 0
    with workshop.canopsis.lock:
        held = workshop.canopsis.store.entities["srv-001"]["infos"]
        held["owner"] = {"name": "owner", "description": "", "value": "pilots"}
    return workshop


def test_an_info_that_left_the_job_is_told_pruned_and_counted(
    loaded: Workshop, refsync: Refsync
) -> None:
    loaded.write_job(JOB.replace("ignore: [id]", "ignore: [id, room]"))

    planned = refsync("plan", NAME)
    done = refsync("sync", NAME, "--allow-changed")

    assert "*10" in planned.out
    assert "room" in planned.out
    assert done.code == 0, done.err
    assert "10 prune in 1 imports" in done.out
    assert "pruned    10 infos or categories of 10 entities" in done.out
    assert infos(loaded, "srv-001") == {"site": "Nîmes", "owner": "pilots"}
    assert infos(loaded, "srv-010") == {"site": "Nîmes"}
    assert loaded.last_run().counts["pruned"] == 10
    assert loaded.entities()["srv-001"]["import_source"] == "acme-cmdb"
    assert "nothing-to-do" in refsync("sync", NAME).out


def test_a_category_that_left_the_job_is_cleared(loaded: Workshop, refsync: Refsync) -> None:
    loaded.write_job(WITH_ROOM.replace("        category: {set: Server}\n", ""))

    assert refsync("sync", NAME, "--allow-changed").code == 0

    assert not loaded.entities()["srv-001"].get("category")


def test_a_job_may_leave_infos_where_they_are(loaded: Workshop, refsync: Refsync) -> None:
    without = JOB.replace("ignore: [id]", "ignore: [id, room]")
    loaded.write_job(without + "  prune: false\n")

    assert refsync("sync", NAME, "--allow-changed").code == 0

    assert infos(loaded, "srv-002") == {"site": "Nîmes", "room": "R1"}


def test_the_missing_wait_for_as_many_runs_as_the_job_says(
    loaded: Workshop, refsync: Refsync
) -> None:
    loaded.write_job(WITH_ROOM + "  missing_after: 3 runs\n")
    loaded.serve(servers(9, room="R1"))

    assert refsync("plan", NAME).code == 0  # a plan counts nothing
    first, second = refsync("sync", NAME), refsync("sync", NAME)
    assert "waiting   1 missing" in first.out
    assert "nothing-to-do" in second.out
    assert loaded.entities()["srv-010"]["enabled"]

    assert "1 disable" in refsync("sync", NAME).out
    assert not loaded.entities()["srv-010"]["enabled"]

    loaded.serve(servers(10, room="R1"))
    assert refsync("sync", NAME).code == 0
    assert loaded.entities()["srv-010"]["enabled"]


def test_a_refused_run_counts_no_absence(loaded: Workshop, refsync: Refsync) -> None:
    loaded.write_job(WITH_ROOM + "  missing_after: 2 runs\n")
    loaded.serve([])
    assert refsync("sync", NAME).code == 3

    loaded.serve(servers(9, room="R1"))
    refsync("sync", NAME)

    assert loaded.entities()["srv-010"]["enabled"]


def test_what_somebody_switched_off_is_updated_and_stays_off(
    loaded: Workshop, refsync: Refsync
) -> None:
    connection = {"url": loaded.canopsis_url, "auth": {"type": "api_key", "key": KEY}}
    with Canopsis(CanopsisConnection.model_validate(connection)) as canopsis:
        list(canopsis.disable(["srv-001"]))
    loaded.serve(servers(10, room="R2"))

    done = refsync("sync", NAME, "--allow-changed")

    assert "manual    1 updated and left off, as somebody put them" in done.out
    assert not loaded.entities()["srv-001"]["enabled"]
    assert infos(loaded, "srv-001")["room"] == "R2"
