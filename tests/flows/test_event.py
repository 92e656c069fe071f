"""The check event of a run: what Canopsis hears of each outcome, and that it spoils no run."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from flows.event import LONG_OUTPUT, OUTPUT, STATES, age, event_of
from flows.run import Report
from flows.workplace import open_ledger
from referential.errors import Locked, PlanRefused, Unreachable
from referential.ledger import utc_now
from sources.errors import Unreachable as SourceUnreachable
from tests.flows.workshop import JOB, SETTINGS, Workshop, servers

ENTITY = "acme/servers/refsync"


@pytest.fixture
def heard(workshop: Workshop) -> Workshop:
    """A workshop whose Canopsis hears of every run."""
    text = SETTINGS.replace("events: false", "events: true")
    workshop.write_settings(text.format(api=workshop.api_url, canopsis=workshop.canopsis_url))
    return workshop


def alarm_of(workshop: Workshop) -> Any:
    """The open alarm of the job, None when there is none."""
    with workshop.canopsis.lock:
        while workshop.canopsis.bus.step(at_once=True):
            pass
        return workshop.canopsis.alarms.open.get(ENTITY)


def state_of(workshop: Workshop) -> int:
    alarm = alarm_of(workshop)
    return 0 if alarm is None else int(alarm["v"]["state"]["val"])


def posted(workshop: Workshop) -> int:
    with workshop.canopsis.lock:
        return workshop.canopsis.traffic.requests["POST /api/v4/event"]


def test_a_run_that_is_done_raises_no_alarm_and_its_entities_are_there(heard: Workshop) -> None:
    heard.run()

    assert state_of(heard) == 0
    assert heard.entities()[ENTITY]["connector"] == "refsync/acme"


def test_a_refused_run_is_an_alarm_until_the_next_one_is_done(heard: Workshop) -> None:
    heard.run()
    heard.serve([])
    with pytest.raises(PlanRefused):
        heard.run()
    refused = state_of(heard)
    heard.serve(servers(30))
    heard.run()

    assert (refused, state_of(heard)) == (2, 0)


def test_a_run_that_fails_before_loading_is_an_alarm_and_keeps_its_error(heard: Workshop) -> None:
    heard.api.turn({"faults": [{"kind": "status", "status": 503, "times": 0}]})

    with pytest.raises(SourceUnreachable):
        heard.run()

    assert state_of(heard) == 3


def test_held_removals_and_a_part_read_are_minor_alarms(heard: Workshop) -> None:
    heard.write_job(f"{JOB}  on_refusal: hold_removals\n")
    heard.run()
    heard.serve(servers(10))
    heard.run()

    assert state_of(heard) == 1


def test_a_canopsis_that_drops_the_event_is_a_warning(
    heard: Workshop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STATES, "done", "abc")  # type: ignore[arg-type]

    with caplog.at_level(logging.WARNING, "refsync"):
        assert heard.run().outcome == "done"

    assert "Canopsis dropped the event" in caplog.text


def test_a_canopsis_that_is_down_hides_no_error_of_the_run(
    heard: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    heard.canopsis.knobs.turn({"faults": [{"kind": "503", "route": "*", "times": None}]})

    with pytest.raises(Unreachable) as outage, caplog.at_level(logging.WARNING, "refsync"):
        heard.run()

    assert outage.value.report.outcome == "failed"
    assert "Canopsis was not told how the run ended" in caplog.text


def test_a_mere_plan_and_a_job_that_another_run_holds_say_nothing(heard: Workshop) -> None:
    before = posted(heard)
    heard.run(only_plan=True)
    job = heard.job()
    with open_ledger(heard.settings()) as ledger:
        holder = ledger.start_run(job.feed, "sync", utc_now())
        with ledger.lock(job.feed, holder), pytest.raises(Locked):
            heard.run()

    assert posted(heard) == before


def test_settings_turn_events_off(workshop: Workshop) -> None:
    workshop.run()

    assert posted(workshop) == 0
    assert ENTITY not in workshop.entities()


def test_an_event_says_what_was_done_and_since_when_it_was_not() -> None:
    now = utc_now()
    report = Report("acme/servers", "r2", "sync", outcome="failed", message="no answer\n  where: x")

    event = event_of(report, None, now)

    assert event["output"] == "failed: acme/servers sync, never done before; no answer"
    assert event["long_output"] == "no answer\n  where: x"
    assert (event["connector"], event["connector_name"]) == ("refsync", "acme")
    assert (event["component"], event["resource"]) == ("refsync", "acme/servers")
    assert event["timestamp"] == int(now.timestamp())


def test_texts_are_cut_to_what_canopsis_keeps() -> None:
    report = Report("acme/servers", "r", "sync", outcome="failed", message="é" * 5_000)

    event = event_of(report, None, utc_now())

    assert (len(event["output"]), len(event["long_output"])) == (OUTPUT, LONG_OUTPUT)


def test_ages_are_told_in_the_unit_that_suits_them() -> None:
    spans = (-5, 0, 119, 120, 7_199, 7_200, 172_799, 172_800)

    assert [age(timedelta(seconds=span)) for span in spans] == [
        "0 s",
        "0 s",
        "119 s",
        "2 min",
        "119 min",
        "2 h",
        "47 h",
        "2 d",
    ]
