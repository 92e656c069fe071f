"""What becomes of a plan that takes away too much: its cost, its acceptance, its removals held."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests

from flows import stages
from flows.misdeclared import Misdeclared
from flows.outcome import told
from flows.run import run_job
from flows.workplace import Options, Workplace, open_ledger
from referential.errors import PlanRefused
from referential.plan import Plan
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, KEY, NAME, Workshop, servers

HOLDS = f"{JOB}  on_refusal: hold_removals\n"


@pytest.fixture
def shrunk(workshop: Workshop) -> Workshop:
    """30 servers are loaded, ten are left in the CMDB, and one of them moved."""
    workshop.run()
    workshop.serve([*servers(9), *servers(10, site="Orléans")[9:]])
    return workshop


def refusal(workshop: Workshop, **options: object) -> PlanRefused:
    with pytest.raises(PlanRefused) as refused:
        workshop.run(**options)
    return refused.value


def alarm(workshop: Workshop, *entities: str) -> None:
    for entity in entities:
        requests.post(
            f"{workshop.canopsis_url}/sandbox/alarms", json={"entity": entity}, timeout=10
        ).raise_for_status()


def service(workshop: Workshop, pattern: str) -> None:
    cond = {"field": "name", "cond": {"type": "regexp", "value": pattern}}
    service = {
        "name": "S",
        "output_template": "S",
        "category": "",
        "impact_level": 1,
        "enabled": True,
        "sli_avail_state": 0,
        "entity_pattern": [[cond]],
    }
    requests.post(
        f"{workshop.canopsis_url}/api/v4/entityservices",
        json=service,
        headers={"x-canopsis-authkey": KEY},
        timeout=10,
    ).raise_for_status()
    requests.post(f"{workshop.canopsis_url}/sandbox/tick", timeout=10).raise_for_status()


# --- what it costs


def test_a_refusal_says_how_many_carry_an_alarm_and_how_many_feed_a_service(
    shrunk: Workshop,
) -> None:
    alarm(shrunk, "srv-001", "srv-020", "srv-021", "srv-030")
    service(shrunk, "srv-0(19|2.)")

    said = told(refusal(shrunk))

    assert (
        "cost: of the 20 entities to disable, 3 carry an open alarm and 11 feed a service" in said
    )


def test_a_run_within_its_limits_asks_for_no_alarm(shrunk: Workshop) -> None:
    shrunk.run(allow_missing=True)

    with shrunk.canopsis.lock:
        asked = [route for route in shrunk.canopsis.traffic.requests if "alarms" in route]
    assert asked == []


def test_what_canopsis_does_not_tell_of_the_cost_hides_no_refusal(shrunk: Workshop) -> None:
    fault = {"kind": "503", "route": "*alarms*", "times": None}
    shrunk.canopsis.knobs.turn({"faults": [fault]})

    said = told(refusal(shrunk))

    assert "20 of 30 entities are missing" in said
    assert "0 feed a service" in said
    assert "how many carry an open alarm is not known: " in said


# --- accepting it


def test_the_command_of_the_refusal_lets_this_very_plan_pass(
    shrunk: Workshop, refsync: Refsync
) -> None:
    refused = refsync("sync", NAME)
    checksum = refused.err.partition("--accept ")[2][:32]

    accepted = refsync("sync", NAME, "--accept", checksum)

    assert (refused.code, accepted.code) == (3, 0)
    assert shrunk.last_run().counts["loaded"] == {"update": 1, "disable": 20}


def test_an_accepted_plan_that_changed_is_refused_with_both_checksums(shrunk: Workshop) -> None:
    refusal(shrunk)
    before = shrunk.last_run().checksum
    shrunk.serve(servers(29))  # within all limits, and another plan

    said = told(refusal(shrunk, accept=before))

    after = shrunk.last_run().checksum
    assert f"{before} was, and by now it is {after}" in said
    assert f"refsync sync {NAME} --accept {after}" in said
    assert set(shrunk.known().values()) == {"enabled"}


@pytest.mark.parametrize("word", ["", "00", "yes", "g" * 32, "A" * 32])
def test_what_is_no_checksum_accepts_nothing(shrunk: Workshop, refsync: Refsync, word: str) -> None:
    ended = refsync("sync", NAME, "--accept", word)

    assert ended.code == 2
    assert "no checksum" in ended.err
    assert set(shrunk.known().values()) == {"enabled"}


def test_an_accepted_plan_passes_in_a_flow_of_python_too(shrunk: Workshop) -> None:
    refusal(shrunk)

    assert shrunk.run(accept=shrunk.last_run().checksum).loaded.counts["disable"] == 20


# --- holding the removals


def test_removals_wait_while_everything_else_is_loaded(shrunk: Workshop) -> None:
    shrunk.write_job(HOLDS)

    report = shrunk.run()

    assert (report.outcome, report.exit_code, report.held) == ("held", 3, 20)
    assert report.loaded.counts == {"update": 1}
    assert report.left == ()
    assert shrunk.entities()["srv-010"]["infos"]["site"]["value"] == "Orléans"
    assert set(shrunk.known().values()) == {"enabled"}
    kept = shrunk.last_run()
    assert (kept.outcome, kept.counts["removals_held"]) == ("held", 20)
    assert kept.message.startswith("20 removals wait: 20 of 30 entities are missing")
    assert "cost: " in kept.message


def test_the_removals_that_wait_can_be_read_and_accepted_as_they_are(shrunk: Workshop) -> None:
    shrunk.write_job(HOLDS)
    report = shrunk.run()
    held = Plan.load(shrunk.folder / "state/spool" / NAME / report.run_id / "held.jsonl")
    assert f"refsync sync {NAME} --accept {held.checksum}" in report.message

    accepted = shrunk.run(accept=held.checksum)

    assert (accepted.outcome, accepted.loaded.counts) == ("done", {"disable": 20})


def test_with_nothing_else_to_load_the_removals_still_wait(shrunk: Workshop) -> None:
    shrunk.write_job(HOLDS)
    shrunk.run()
    sent = len(shrunk.imports())

    again = shrunk.run()

    assert (again.outcome, again.held, len(shrunk.imports())) == ("held", 20, sent)


def test_too_many_changes_hold_nothing_and_refuse_all(shrunk: Workshop) -> None:
    shrunk.write_job(HOLDS.replace("hold_removals", "hold_removals\n  limits: {changed: 0}"))

    assert "1 of 30 entities changed" in told(refusal(shrunk))
    assert set(shrunk.known().values()) == {"enabled"}


def test_an_empty_answer_is_refused_by_a_job_that_holds_removals_too(shrunk: Workshop) -> None:
    shrunk.write_job(HOLDS)
    shrunk.serve([])

    assert "no entity at all" in told(refusal(shrunk))


# --- limits of a job


@pytest.mark.parametrize("limit", ['"00"', '"0"', '"10"', "10.5", "true", "null", '"-1%"', "-1"])
@pytest.mark.parametrize("block", ["missing: {}", "datasets: {{servers: {{missing: {}}}}}"])
def test_a_strange_limit_does_not_compile(workshop: Workshop, block: str, limit: str) -> None:
    workshop.write_job(f"{JOB}  limits: {{{block.format(limit)}}}\n")

    with pytest.raises(Misdeclared, match=r"write a percentage|expected"):
        workshop.job()


@pytest.mark.parametrize("limit", ["0", "00%", "0%"])
def test_a_limit_of_nothing_is_understood(workshop: Workshop, limit: str) -> None:
    workshop.write_job(f"{JOB}  limits: {{datasets: {{servers: {{missing: {limit}}}}}}}\n")
    workshop.run()
    workshop.serve(servers(29))

    assert "dataset servers: 1 of 30 entities are missing" in told(refusal(workshop))


def test_limits_of_an_unknown_dataset_do_not_compile(workshop: Workshop) -> None:
    workshop.write_job(f"{JOB}  limits: {{datasets: {{server: {{missing: 1}}}}}}\n")

    with pytest.raises(Misdeclared, match="unknown dataset 'server'") as misdeclared:
        workshop.job()

    assert "servers" in misdeclared.value.faults[0].mend


def test_what_is_usual_comes_from_the_runs_of_the_ledger(workshop: Workshop) -> None:
    loose = "  limits: {missing: 100%, minimum_population: 1, median: 2}\n"
    workshop.write_job(JOB + loose)
    for count in range(30, 24, -1):  # the first run removes nothing, five remove one each
        workshop.serve(servers(count))
        workshop.run()
    workshop.serve(servers(22))

    said = told(refusal(workshop))

    assert "3 entities are missing where 1 is usual (median of 6 runs), limit 2 (2 times" in said
    with open_ledger(workshop.settings()) as ledger:
        assert len(ledger.recent_runs(workshop.job().feed, 10, "done")) == 6


# --- convergence


def losing_one(stage: Callable[..., Any], place: Workplace, *arguments: Any) -> Any:
    """Call the stages, and let somebody meddle with the ledger before the last look at it."""
    if stage is stages.converge:
        with place.ledger() as ledger:
            ledger.forget(place.job.feed, ["srv-001"])
    return stage(place, *arguments)


def test_a_load_that_does_not_converge_is_partial_and_names_what_is_left(
    workshop: Workshop,
) -> None:
    report = run_job(workshop.settings(), workshop.job(), Options(), call=losing_one)

    assert (report.outcome, report.exit_code) == ("partial", 1)
    assert "1 changes are to be made again: srv-001 (create)" in report.message
    assert [reject.rule for reject in workshop.rejects(report.run_id)] == ["converge"]
    assert workshop.last_run().counts["left"] == 1
    assert workshop.run().outcome == "done"


def afresh(stage: Callable[..., Any], place: Workplace, *arguments: Any) -> Any:
    """Call each stage as another process would: with nothing at hand but the spool."""
    return stage(replace(place, _held=[], _found=[]), *arguments)


def test_stages_of_other_processes_find_in_the_spool_what_is_not_at_hand(
    workshop: Workshop,
) -> None:
    report = run_job(workshop.settings(), workshop.job(), Options(), call=afresh)

    assert (report.outcome, report.left) == ("done", ())


def test_what_canopsis_refuses_is_left_and_the_run_is_done(workshop: Workshop) -> None:
    poison = {"name": "srv-017", "info": "poisonous", "phase": "write"}
    workshop.canopsis.knobs.turn({"poison": [poison]})

    report = workshop.run()

    assert (report.outcome, report.message) == ("done", "")
    assert [(each.id, each.explained) for each in report.left] == [("srv-017", True)]
