"""One run of one job, from the records of a CMDB to what Canopsis and the ledger hold."""

from pathlib import Path

import pytest
import requests

from flows.job import load_job
from flows.outcome import ExpectationUnmet, exit_code, told
from flows.run import run_job
from flows.settings import load_settings
from flows.workplace import Options, open_ledger
from referential.errors import Locked, PlanRefused, Unreachable
from referential.ledger import utc_now
from sources.errors import Unreachable as SourceUnreachable
from tests.flows.workshop import JOB, KEY, NAME, Workshop, servers


def test_a_first_run_loads_every_record_and_the_ledger_owns_it(workshop: Workshop) -> None:
    report = workshop.run()

    assert report.outcome == "done"
    assert report.exit_code == 0
    assert len(workshop.entities()) == 30
    assert workshop.entities()["srv-001"]["infos"]["site"]["value"] == "Nîmes"
    assert workshop.known() == {f"srv-{rank:03}": "enabled" for rank in range(1, 31)}
    assert [each["source"] for each in workshop.imports()] == ["acme-cmdb"]


def test_a_run_is_kept_by_the_ledger_with_its_figures_and_evidence(workshop: Workshop) -> None:
    report = workshop.run()

    kept = workshop.last_run()
    assert (kept.id, kept.outcome, kept.mode) == (report.run_id, "done", "sync")
    assert kept.ended is not None
    assert kept.counts["records"] == 30
    assert kept.counts["plan"]["create"] == 30
    assert kept.counts["verified"] == {"expected": 30, "found": 30}
    assert kept.evidence["servers"]["complete"] is True
    assert kept.checksum == report.planned.checksum
    assert kept.message == ""


def test_a_second_run_has_nothing_to_do_and_sends_no_import(workshop: Workshop) -> None:
    workshop.run()
    sent = len(workshop.imports())

    report = workshop.run()

    assert report.outcome == "nothing-to-do"
    assert report.exit_code == 0
    assert len(workshop.imports()) == sent


def test_only_the_records_that_changed_are_sent(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve([*servers(28), *servers(30, site="Orléans")[28:]])

    report = workshop.run()

    assert report.loaded.counts == {"update": 2}
    assert workshop.imports()[-1]["items"] == 2
    assert workshop.entities()["srv-030"]["infos"]["site"]["value"] == "Orléans"


def test_missing_records_are_disabled_and_enabled_when_they_come_back(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve(servers(28))

    gone = workshop.run()

    assert gone.loaded.counts == {"disable": 2}
    assert workshop.entities()["srv-030"]["enabled"] is False
    assert workshop.known()["srv-030"] == "disabled"
    workshop.serve(servers(30))
    back = workshop.run()
    assert back.loaded.counts == {"enable": 2}
    assert workshop.entities()["srv-030"]["enabled"] is True


def test_missing_records_are_deleted_when_the_job_says_so(workshop: Workshop) -> None:
    workshop.write_job(f"{JOB}  missing: delete\n")
    workshop.run()
    workshop.serve(servers(29))

    workshop.run()

    assert "srv-030" not in workshop.entities()
    assert "srv-030" not in workshop.known()


def test_missing_records_are_kept_when_the_job_says_so(workshop: Workshop) -> None:
    workshop.write_job(f"{JOB}  missing: keep\n")
    workshop.run()
    workshop.serve(servers(20))

    assert workshop.run().outcome == "nothing-to-do"
    assert workshop.entities()["srv-030"]["enabled"] is True


def test_an_entity_of_somebody_else_is_never_touched(workshop: Workshop) -> None:
    workshop.run()
    foreign = {"name": "foreign", "type": "component", "import_source": "acme-cmdb"}
    requests.post(f"{workshop.canopsis_url}/sandbox/entities", json=foreign, timeout=10)
    workshop.serve(servers(28))

    workshop.run()

    assert workshop.entities()["foreign"]["enabled"] is True


@pytest.mark.parametrize("lifted", [{}, {"allow_missing": True, "allow_changed": True}])
def test_an_empty_answer_is_refused_whatever_the_options(
    workshop: Workshop, lifted: dict[str, bool]
) -> None:
    workshop.run()
    before, sent = workshop.entities(), len(workshop.imports())
    workshop.serve([])

    with pytest.raises(PlanRefused, match="no entity at all") as refused:
        workshop.run(**lifted)

    assert exit_code(refused.value) == 3
    assert (workshop.entities(), len(workshop.imports())) == (before, sent)
    kept = workshop.last_run()
    assert kept.outcome == "refused"
    assert "mend: " in kept.message


def test_too_many_missing_are_refused_and_pass_with_the_option_that_is_named(
    workshop: Workshop,
) -> None:
    workshop.run()
    workshop.serve(servers(10))

    with pytest.raises(PlanRefused, match="20 of 30 entities are missing") as refused:
        workshop.run()

    assert "--allow-missing" in told(refused.value)
    assert all(entity["enabled"] for entity in workshop.entities().values())
    assert workshop.run(allow_missing=True).loaded.counts == {"disable": 20}


def test_a_partial_extraction_never_disables_and_is_no_success(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve(servers(25))
    workshop.api.turn({"total_error": 5})  # five more are announced than come

    report = workshop.run()

    assert report.outcome == "partial"
    assert report.exit_code == 1
    assert all(entity["enabled"] for entity in workshop.entities().values())
    assert workshop.last_run().evidence["servers"]["complete"] is False
    assert workshop.last_run().message.startswith("not read completely: servers: ")


def test_a_partial_extraction_still_loads_what_it_read(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve([*servers(24), *servers(25, site="Orléans")[24:]])
    workshop.api.turn({"total_error": 5})

    workshop.run()

    assert workshop.entities()["srv-025"]["infos"]["site"]["value"] == "Orléans"


def test_a_reject_is_counted_and_kept_with_its_record_and_the_others_are_loaded(
    workshop: Workshop,
) -> None:
    workshop.serve([*servers(29), {"id": "030", "site": "Nîmes"}])

    report = workshop.run()

    assert report.outcome == "done"
    assert report.rejects == 1
    assert len(workshop.entities()) == 29
    (reject,) = workshop.rejects(report.run_id)
    assert (reject.dataset, reject.number, reject.rule) == ("servers", 30, "component.name")
    assert reject.record == {"id": "030", "site": "Nîmes"}
    assert reject.reason


def test_two_records_of_one_entity_leave_one_and_a_reject(workshop: Workshop) -> None:
    twin = {"id": "031", "name": "srv-030", "site": "Orléans"}
    workshop.serve([*servers(30), twin])

    report = workshop.run()

    assert len(workshop.entities()) == 30
    assert workshop.entities()["srv-030"]["infos"]["site"]["value"] == "Orléans"
    (reject,) = workshop.rejects(report.run_id)
    assert (reject.rule, reject.record) == ("id", {"id": "srv-030"})


def test_an_entity_that_canopsis_refuses_is_a_reject_and_the_others_are_loaded(
    workshop: Workshop,
) -> None:
    poison = {"name": "srv-017", "info": "poisonous", "phase": "write"}
    workshop.canopsis.knobs.turn({"poison": [poison]})

    report = workshop.run()

    assert len(workshop.entities()) == 29
    assert "srv-017" not in workshop.known()
    (reject,) = workshop.rejects(report.run_id)
    assert "poisonous" in reject.reason


def test_an_unmet_expectation_refuses_the_run_and_writes_nothing(workshop: Workshop) -> None:
    expect = "  expect:\n    servers: {min: 100}\nsync:"
    workshop.write_job(JOB.replace("sync:", expect))

    with pytest.raises(ExpectationUnmet, match="30 records, where at least 100") as unmet:
        workshop.run()

    assert exit_code(unmet.value) == 3
    assert f"where: {Path('jobs') / NAME}.yaml:21:5" in told(unmet.value)
    assert "mend: " in told(unmet.value)
    assert workshop.imports() == []
    assert workshop.last_run().outcome == "refused"


def test_the_guard_speaks_before_the_expectations_and_names_them_too(workshop: Workshop) -> None:
    workshop.write_job(JOB.replace("sync:", "  expect:\n    servers: {min: 100}\nsync:"))
    workshop.serve([])

    with pytest.raises(PlanRefused) as refused:
        workshop.run()

    assert "also: servers: 0 records" in told(refused.value)


def test_a_plan_is_made_and_kept_and_nothing_is_written(workshop: Workshop) -> None:
    report = workshop.run(only_plan=True)

    assert (report.mode, report.outcome) == ("plan", "done")
    assert report.planned.counts["create"] == 30
    assert report.loaded is None
    assert workshop.imports() == []
    assert workshop.entities() == {}
    assert workshop.known() == {}
    assert workshop.last_run().mode == "plan"


def test_a_full_run_sends_again_what_did_not_change(workshop: Workshop) -> None:
    workshop.run()

    report = workshop.run(mode="full")

    assert report.loaded.counts == {"update": 30}


def test_an_interrupted_run_is_recorded_and_the_next_one_goes_on(workshop: Workshop) -> None:
    def interrupt(stage: str, _done: int, _total: int | None) -> None:
        if stage == "load":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as interrupted:
        run_job(load_settings(), workshop.job(), Options(), progress=interrupt)

    assert exit_code(interrupted.value) == 130
    kept = workshop.last_run()
    assert (kept.outcome, kept.ended is not None) == ("interrupted", True)
    assert "start again" in kept.message
    assert workshop.run().outcome in ("done", "nothing-to-do")
    assert len(workshop.entities()) == len(workshop.known()) == 30


def test_a_failed_stage_records_the_run_as_failed_with_its_message(workshop: Workshop) -> None:
    workshop.canopsis.knobs.turn({"faults": [{"kind": "503", "route": "*", "times": None}]})

    with pytest.raises(Unreachable) as outage:
        workshop.run()

    assert exit_code(outage.value) == 1
    kept = workshop.last_run()
    assert kept.outcome == "failed"
    assert kept.message == told(outage.value)
    assert "where: " in kept.message
    assert "mend: " in kept.message


def test_an_outage_of_the_source_in_mid_reading_writes_nothing(workshop: Workshop) -> None:
    workshop.run()
    sent = len(workshop.imports())
    workshop.api.turn({"faults": [{"kind": "status", "status": 503, "at": 3, "times": 0}]})

    with pytest.raises(SourceUnreachable):
        workshop.run()

    assert len(workshop.imports()) == sent
    assert workshop.last_run().outcome == "failed"


def test_a_failed_load_leaves_a_report_that_says_what_was_done(workshop: Workshop) -> None:
    fault = {"kind": "503", "route": "*context*", "method": "PUT", "times": None, "after": 1}
    workshop.canopsis.knobs.turn({"faults": [fault]})  # the first one is the probe of rights

    with pytest.raises(Unreachable) as outage:
        workshop.run()

    report = outage.value.report
    assert report.planned.counts["create"] == 30
    assert report.loaded.counts == {}
    assert workshop.last_run().counts["loaded"] == {}


def test_a_defect_of_ours_is_recorded_too(workshop: Workshop) -> None:
    def broken(_stage: str, _done: int, _total: int | None) -> None:
        raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError):
        run_job(load_settings(), workshop.job(), Options(), progress=broken)

    assert (workshop.last_run().outcome, workshop.last_run().message) == ("failed", "a defect")


def test_a_secret_in_an_error_reaches_neither_the_ledger_nor_the_message(
    workshop: Workshop,
) -> None:
    def broken(_stage: str, _done: int, _total: int | None) -> None:
        raise ZeroDivisionError(f"a defect that shows {KEY}")

    with pytest.raises(ZeroDivisionError) as error:
        run_job(load_settings(), workshop.job(), Options(), progress=broken)

    assert told(error.value) == workshop.last_run().message == "a defect that shows ***"


def test_a_second_run_of_the_same_job_says_who_holds_it(workshop: Workshop) -> None:
    job = workshop.job()
    with open_ledger(workshop.settings()) as ledger:
        holder = ledger.start_run(job.feed, "sync", utc_now())
        with ledger.lock(job.feed, holder):
            with pytest.raises(Locked, match=f"{holder} .* has held this feed since") as locked:
                workshop.run()

            assert "mend: " in told(locked.value)
            assert workshop.api.traffic.requests.total() == 0
            assert workshop.imports() == []
            assert workshop.last_run().outcome == "failed"

    assert workshop.run().outcome == "done"


def test_another_job_may_run_meanwhile(workshop: Workshop) -> None:
    job = workshop.job()
    workshop.write_job(JOB, "acme/twins")
    with open_ledger(workshop.settings()) as ledger:
        holder = ledger.start_run(job.feed, "sync", utc_now())
        with ledger.lock(job.feed, holder):
            assert workshop.run("acme/twins").outcome == "done"


def test_the_document_of_a_run_is_plain_json(workshop: Workshop) -> None:
    document = workshop.run().document()

    assert list(document) == [
        "job",
        "run",
        "mode",
        "outcome",
        "message",
        "checked",
        "datasets",
        "remarks",
        "plan",
        "counts",
        "finished",
    ]
    assert document["datasets"]["servers"]["records"] == 30
    assert document["plan"]["counts"]["create"] == 30
    assert document["checked"]["canopsis_identity"] == "root"


def test_what_canopsis_does_not_hold_after_all_is_a_reject_and_owned_no_more(
    workshop: Workshop,
) -> None:
    with workshop.canopsis.lock:
        submit = workshop.canopsis.jobs.submit

        def lose_one(body: bytes, **options: object) -> object:
            return submit(body.replace(b"srv-001", b"srv-lost"), **options)

        workshop.canopsis.jobs.submit = lose_one
    report = workshop.run()

    assert report.verified.found == 29
    assert "srv-001" not in workshop.known()
    assert [reject.rule for reject in workshop.rejects(report.run_id)] == ["verify"]


def test_a_job_given_by_its_file_is_the_job_of_that_name(workshop: Workshop) -> None:
    path = workshop.write_job()

    report = run_job(load_settings(), load_job(str(path), workshop.folder / "nowhere"), Options())

    assert report.job == NAME


def test_rows_that_cannot_be_read_hold_back_every_removal(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve([*servers(28), "not a record"])

    report = workshop.run()

    assert report.extracted.datasets["servers"].unread == 1
    assert set(workshop.known().values()) == {"enabled"}


def test_a_record_that_the_mapping_refuses_is_not_taken_for_missing(workshop: Workshop) -> None:
    strict = "value: {copy: site, lookup: {Nîmes: NIM}}"
    workshop.write_job(JOB.replace("value: site", strict))
    workshop.run()
    records = servers(30)
    records[0]["site"] = "unheard of"
    workshop.serve(records)

    report = workshop.run()

    assert report.rejects == 1
    assert workshop.known()["srv-001"] == "enabled"
