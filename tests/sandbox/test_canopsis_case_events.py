"""Events posted over HTTP: cases 97 to 101 of `specs/canopsis.md` §10."""

from typing import Any

import pytest

from tests.sandbox.canopsis_cases import READER, Caller, c, check_event, infos, values, without


def test_case_097_a_check_event_is_sent_with_its_author(canopsis: Caller) -> None:
    event = check_event("etl-host", "cmdb-sync", 0)

    answer = canopsis.send_event(event)

    assert (answer["failed_events"], answer["retry_events"]) == ([], [])
    assert len(answer["sent_events"]) == 1
    sent = answer["sent_events"][0]
    assert {key: sent[key] for key in event} == event
    assert sent["author"] == "root"
    assert sent["user_id"]


def test_case_097_an_event_creates_what_it_speaks_of(canopsis: Caller) -> None:
    canopsis.send_event(check_event("etl-host", "cmdb-sync", 0))

    assert canopsis.ids() == ["cmdb-sync/etl-host", "etl-host", "supervision/poller1"]
    assert canopsis.entity("cmdb-sync/etl-host")["enabled"] is True
    assert not canopsis.entity("etl-host").get("import_source")
    assert canopsis.open_alarms() == []


def test_case_097_an_event_needs_its_own_right(canopsis: Caller) -> None:
    answer = canopsis.call("POST", "event", json=check_event("A"), headers=READER)

    assert (answer.status_code, answer.json()) == (403, {"error": "Forbidden"})


def test_case_098_the_good_events_of_a_list_are_sent(canopsis: Caller) -> None:
    good, bad = check_event("A"), without(check_event("B"), "connector")

    answer = canopsis.send_event([bad, good])

    assert [event["component"] for event in answer["sent_events"]] == ["A"]
    assert [event["component"] for event in answer["failed_events"]] == ["B"]
    assert canopsis.has("A")
    assert not canopsis.has("B")


@pytest.mark.parametrize(
    "event",
    [
        without(check_event("A"), "event_type"),
        check_event("A") | {"event_type": 3},
        without(check_event("A"), "state"),
        check_event("A", state="abc"),
        check_event("A", state=1.5),
        check_event("A") | {"connector_name": ""},
    ],
    ids=["no type", "odd type", "no state", "text state", "real state", "empty connector name"],
)
def test_case_099_an_incomplete_event_fails(canopsis: Caller, event: dict[str, Any]) -> None:
    answer = canopsis.send_event(event)

    assert (answer["sent_events"], answer["retry_events"]) == ([], [])
    assert len(answer["failed_events"]) == 1
    assert canopsis.ids() == []


def test_case_099_a_state_given_as_text_is_read_as_a_number(canopsis: Caller) -> None:
    answer = canopsis.send_event(check_event("A", state="2"))

    assert answer["sent_events"][0]["state"] == 2
    alarm = canopsis.get("alarms", opened="true").json()["data"][0]
    assert alarm["v"]["state"]["val"] == 2


@pytest.mark.parametrize("body", [b"3", b'"event"', b"true"])
def test_case_100_a_body_that_is_neither_object_nor_array_is_refused(
    canopsis: Caller, body: bytes
) -> None:
    answer = canopsis.call("POST", "event", data=body)

    assert answer.status_code == 400
    assert "the body should be an object or an array" in answer.text


def test_case_100_a_body_that_is_not_json_is_refused(canopsis: Caller) -> None:
    assert canopsis.call("POST", "event", data=b"not json").status_code == 400


def test_case_101_a_check_without_component_fails(canopsis: Caller) -> None:
    answer = canopsis.send_event(without(check_event("A"), "component"))

    assert answer["sent_events"] == []
    assert len(answer["failed_events"]) == 1


def test_an_alarm_carries_its_entity_with_the_infos_of_the_component(canopsis: Caller) -> None:
    canopsis.send_event(check_event("srv1", "disk"))
    before = canopsis.get("alarms", opened="true").json()["data"]

    canopsis.given(c("srv1", infos=infos(app="payroll")))

    after = canopsis.get("alarms", opened="true").json()["data"]
    assert [values(alarm["entity"], "component_infos") for alarm in before] == [{}]
    assert [values(alarm["entity"], "component_infos") for alarm in after] == [{"app": "payroll"}]
    assert after[0]["v"]["component"] == "srv1"
    assert after[0]["v"]["resource"] == "disk"


def test_a_check_back_to_zero_closes_the_alarm(canopsis: Caller) -> None:
    canopsis.send_event(check_event("srv1", state=3))
    assert canopsis.open_alarms() == ["srv1"]

    canopsis.send_event(check_event("srv1", state=0))

    assert canopsis.open_alarms() == []
