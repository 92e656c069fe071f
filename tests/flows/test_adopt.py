"""`refsync adopt JOB`: entities that another loader left become ours."""

import pytest

from flows.workplace import open_ledger
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, Workshop, servers

OTHER = JOB.replace("import_source: acme-cmdb", "import_source: driver-api")
WORDS = ("adopt", NAME, "--import-source", "driver-api")


@pytest.fixture(autouse=True)
def _left_by_another(workshop: Workshop) -> None:
    """32 servers that another loader left; the job finds the first 30 of them."""
    workshop.write_job(OTHER, "acme/driver")
    workshop.serve(servers(32))
    workshop.run("acme/driver")
    with open_ledger(workshop.settings()) as ledger:  # no ledger knows the other loader
        ledger.forget(workshop.job("acme/driver").feed, [f"srv-{n:03}" for n in range(1, 33)])
    workshop.serve(servers(30))


def test_it_shows_what_it_would_own_and_writes_nothing(
    workshop: Workshop, refsync: Refsync
) -> None:
    done = refsync(*WORDS)

    assert done.code == 0
    assert "30 found by acme/servers, 2 not" in done.out
    assert "add --yes" in done.out
    assert workshop.known() == {}
    assert len(workshop.imports()) == 1


def test_what_the_job_finds_is_owned_and_sent_by_the_next_sync(
    workshop: Workshop, refsync: Refsync
) -> None:
    assert refsync(*WORDS, "--yes").code == 0

    assert set(workshop.known()) == {f"srv-{rank:03}" for rank in range(1, 31)}
    assert len(workshop.imports()) == 1
    report = workshop.run()
    assert report.planned is not None
    assert report.planned.counts["update"] == 30
    assert {each["import_source"] for each in workshop.entities().values() if each["enabled"]} == {
        "acme-cmdb",
        "driver-api",  # the two that were left alone
    }


def test_what_it_does_not_find_becomes_missing_on_demand_alone(
    workshop: Workshop, refsync: Refsync
) -> None:
    assert refsync(*WORDS, "--yes", "--with-missing").code == 0

    report = workshop.run()

    assert report.planned is not None
    assert report.planned.counts["disable"] == 2
    assert (report.outcome, report.message) == ("done", "")
    assert workshop.entities()["srv-031"]["enabled"] is False


def test_after_a_partial_extraction_nothing_is_taken_for_missing(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.api.turn({"total_error": 3})

    done = refsync(*WORDS, "--yes", "--with-missing")

    assert done.code == 2
    assert "the extraction is not complete" in done.err
    assert workshop.known() == {}
