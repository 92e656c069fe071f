"""The stages of a run, each on its own: what it takes, what it leaves, what it refuses."""

import contextlib
import gc

import orjson
import pytest

from flows import stages
from flows.misdeclared import Misdeclared
from flows.outcome import told
from flows.workplace import Options, Workplace, open_ledger
from referential.collector import collector_paused
from referential.errors import Refused
from referential.ledger import utc_now
from sources.errors import Refused as SourceRefused
from sources.errors import Unreachable as SourceUnreachable
from tests.flows.workshop import JOB, SETTINGS, Workshop, servers


def workplace(workshop: Workshop, options: Options | None = None) -> Workplace:
    """A run that has begun, without its lock."""
    settings, job = workshop.settings(), workshop.job()
    with open_ledger(settings) as ledger:
        run = ledger.start_run(job.feed, "sync", utc_now())
    return Workplace(settings, job, run, options or Options())


def test_the_check_tells_who_we_are_at_both_ends(workshop: Workshop) -> None:
    checked = stages.check(workplace(workshop))

    assert checked.canopsis == "24.10.0"
    assert checked.canopsis_identity == "root"
    assert checked.source.startswith("HTTP 200")
    assert checked.warnings == ()


def test_the_check_reads_nothing_of_the_feed_but_its_first_record(workshop: Workshop) -> None:
    stages.check(workplace(workshop))

    assert [call["query"] for call in workshop.api.traffic.calls] == [{"page": "1", "limit": "1"}]
    assert workshop.imports() == []


def test_rights_that_are_lacking_are_all_named_with_the_place_of_the_connection(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", "reader-key")

    with pytest.raises(Refused, match="reader") as refused:
        stages.check(workplace(workshop))

    said = told(refused.value)
    assert "api_contextgraph: create" in said
    assert "api_entity: update" in said
    assert "where: jobs/acme/servers.yaml:21:15" in said
    assert "mend: grant the rights" in said


def test_a_wrong_key_is_refused_without_being_shown(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", "wrong-key-of-ours")

    with pytest.raises(Refused) as refused:
        stages.check(workplace(workshop))

    assert "wrong-key-of-ours" not in told(refused.value)
    assert "mend: " in told(refused.value)


def test_a_source_that_refuses_us_stops_the_check(workshop: Workshop) -> None:
    workshop.api.turn({"auth": "bearer"})

    with pytest.raises(SourceRefused) as refused:
        stages.check(workplace(workshop))

    assert "mend: " in told(refused.value)


def test_a_source_that_is_down_is_an_outage(workshop: Workshop) -> None:
    workshop.api.turn({"faults": [{"kind": "status", "status": 503, "times": 0}]})

    with pytest.raises(SourceUnreachable):
        stages.check(workplace(workshop))


def test_secrets_in_clear_are_warnings_of_the_check(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text.replace('"${ACME_KEY}"', "sandbox-key"))

    checked = stages.check(workplace(workshop))

    (warning,) = checked.warnings
    assert "written in clear" in warning
    assert "sandbox-key" not in warning
    assert warning in caplog.text


def test_unknown_connections_are_misdeclared_before_anything_is_asked(workshop: Workshop) -> None:
    text = JOB.replace("connection: acme-canopsis", "connection: acme-canopsys")
    workshop.write_job(text.replace("connection: acme-cmdb", "connection: acme-cmdp"))

    with pytest.raises(Misdeclared) as refused:
        stages.check(workplace(workshop))

    assert [(fault.where, fault.what) for fault in refused.value.faults] == [
        ("jobs/acme/servers.yaml:3:15", "unknown connection 'acme-cmdp'"),
        ("jobs/acme/servers.yaml:21:15", "unknown connection 'acme-canopsys'"),
    ]
    assert "did you mean 'acme-canopsis'?" in refused.value.faults[1].mend
    assert workshop.canopsis.traffic.requests.total() == 0
    assert workshop.api.traffic.requests.total() == 0


def test_extraction_counts_what_it_reads_and_says_why_it_is_complete(workshop: Workshop) -> None:
    place = workplace(workshop)

    extracted = stages.extract(place)

    read = extracted.datasets["servers"]
    assert (read.records, read.entities, read.rejects, read.complete) == (30, 30, 0, True)
    assert "30" in read.evidence
    assert extracted.complete is True
    assert place.spool.found()["id"].tolist() == [f"srv-{rank:03}" for rank in range(1, 31)]


def test_extraction_asks_page_by_page(workshop: Workshop) -> None:
    stages.extract(workplace(workshop))

    pages = [call["query"]["page"] for call in workshop.api.traffic.calls]
    # the first one asks for the total, the last one finds that nothing follows
    assert pages == ["1", "1", "2", "3", "4"]


def test_extraction_leaves_the_tally_of_the_mapping_in_the_spool(workshop: Workshop) -> None:
    workshop.serve(servers(12, rack="R1"))
    place = workplace(workshop)

    stages.extract(place)

    content = orjson.loads(place.spool.summary.read_bytes())
    assert content["datasets"]["servers"]["records"] == 12
    assert content["tally"]["datasets"]["servers"]["unmapped"] == ["rack"]
    assert content["tally"]["datasets"]["servers"]["filled"] == {"site": 1.0}


def test_rejects_of_the_source_and_of_the_mapping_are_spooled_with_their_rank(
    workshop: Workshop,
) -> None:
    workshop.serve([*servers(11), {"id": "012"}])
    fault = {"kind": "bad_record", "on": "servers", "at": 1, "index": 4, "times": 0}
    workshop.api.turn({"faults": [fault]})
    place = workplace(workshop)

    extracted = stages.extract(place)

    rejects = list(place.spool.iter_rejects())
    assert extracted.datasets["servers"].rejects == 2
    assert [(r["rule"], r["number"]) for r in rejects] == [("read", 5), ("component.name", 12)]


def test_progress_is_told_page_by_page_with_the_total_of_the_source(workshop: Workshop) -> None:
    told_of: list[tuple[str, int, int | None]] = []
    place = workplace(workshop)
    place = Workplace(
        place.settings,
        place.job,
        place.run_id,
        progress=lambda *figures: told_of.append(figures),
    )

    stages.extract(place)

    assert told_of == [("extract", 10, 30), ("extract", 20, 30), ("extract", 30, 30)]


def test_the_plan_is_kept_in_the_spool_and_counts_every_action(workshop: Workshop) -> None:
    place = workplace(workshop)
    extracted = stages.extract(place)

    planned = stages.plan(place, extracted)

    assert planned.counts == {
        "create": 30,
        "update": 0,
        "enable": 0,
        "disable": 0,
        "delete": 0,
        "prune": 0,
    }
    assert (planned.found, planned.known, planned.empty) == (30, 0, False)
    again = Workplace(place.settings, place.job, place.run_id).the_plan()
    assert again.checksum == planned.checksum


def test_an_empty_expectation_of_a_backfill_is_not_held_against_it(workshop: Workshop) -> None:
    workshop.write_job(JOB.replace("sync:", "  expect:\n    servers: {min: 100}\nsync:"))
    place = workplace(workshop, Options(mode="backfill"))
    extracted = stages.extract(place)
    planned = stages.plan(place, extracted)

    assert extracted.unmet
    stages.guard(place, extracted, planned)


def test_the_collector_rests_while_a_page_is_mapped_and_wakes_after_an_error() -> None:
    assert gc.isenabled()
    with contextlib.suppress(ZeroDivisionError), collector_paused():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
