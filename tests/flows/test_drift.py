"""`refsync drift JOB [--repair]`: what others changed in Canopsis, and how it is mended."""

import shutil

from tests.flows.command import Refsync
from tests.flows.workshop import NAME, Workshop, servers


def meddle(workshop: Workshop) -> None:
    """What others do: delete, disable, overwrite, take over, add."""
    with workshop.canopsis.lock:
        entities = workshop.canopsis.store.entities
        del entities["srv-001"]
        entities["srv-002"]["enabled"] = False
        entities["srv-003"]["infos"]["site"]["value"] = "Paris"
        entities["srv-004"]["impact_level"] = 9
        entities["srv-005"]["import_source"] = "other-cmdb"
        entities["srv-006"]["infos"]["owner"] = {"name": "owner", "value": "nobody"}
        workshop.canopsis.store.touch()


def test_no_drift_is_0(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()

    done = refsync("drift", NAME)

    assert done.code == 0
    assert "30 owned, 0 drifted" in done.out


def test_drift_is_4_and_names_each_field(workshop: Workshop, refsync: Refsync) -> None:
    run = workshop.run()
    meddle(workshop)

    done = refsync("drift", NAME, "--json")

    assert done.code == 4
    seen = done.document
    assert {
        each["id"]: [one["field"] for one in each["differences"]] for each in seen["drifted"]
    } == {
        "srv-001": ["gone"],
        "srv-002": ["enabled"],
        "srv-003": ["infos.site"],
        "srv-004": ["impact_level"],
        "srv-005": ["import_source"],
    }
    assert seen["extra"] == 1
    assert seen["basis"] == f"the spool of run {run.run_id}"
    assert len(workshop.imports()) == 1


def test_without_a_spool_the_source_is_read_again(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()
    meddle(workshop)
    shutil.rmtree(workshop.folder / "state" / "spool")
    changed = servers(30)
    changed[2]["site"] = "Lyon"  # it differs from what was loaded: no values to compare
    workshop.serve(changed)

    seen = refsync("drift", NAME, "--json").document

    assert seen["basis"].startswith("the source, read again")
    assert seen["uncompared"] == 1
    assert [each["id"] for each in seen["drifted"]] == ["srv-001", "srv-002", "srv-004", "srv-005"]
    assert not list((workshop.folder / "state" / "spool").rglob("entities.jsonl"))


def test_a_repair_sends_exactly_what_drifted_and_leaves_the_disabled_alone(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    meddle(workshop)

    done = refsync("drift", NAME, "--repair")

    assert done.code == 0, done.err
    items = workshop.imports()[-1]["items"]
    assert len(workshop.imports()) == 2
    assert items == 4
    last = workshop.last_run()
    assert (last.mode, last.outcome) == ("repair", "done")
    live = workshop.entities()
    assert live["srv-001"]["infos"]["site"]["value"] == "Nîmes"
    assert live["srv-002"]["enabled"] is False
    assert live["srv-003"]["infos"]["site"]["value"] == "Nîmes"
    assert live["srv-005"]["import_source"] == "acme-cmdb"
    assert live["srv-006"]["infos"]["owner"]["value"] == "nobody"
    assert workshop.run().outcome == "nothing-to-do"
    left = refsync("drift", NAME, "--json").document["drifted"]
    assert [each["id"] for each in left] == ["srv-002"]


def test_a_repair_switches_on_what_was_disabled_when_it_is_told_to(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    meddle(workshop)

    assert refsync("drift", NAME, "--repair", "--enable").code == 0

    assert workshop.entities()["srv-002"]["enabled"] is True
    assert refsync("drift", NAME).code == 0
