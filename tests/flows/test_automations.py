"""The automations in a real Prefect server: runs that are killed, that fail, that never come."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stamina
from prefect.blocks.notifications import CustomWebhookNotificationBlock, SendgridEmail
from prefect.blocks.webhook import Webhook
from prefect.settings import (
    PREFECT_API_URL,
    temporary_settings,
)
from pydantic import SecretStr

from flows.alerts import PREFIX, SILENCE, Notice, alerts, patience
from flows.automations import install
from flows.misdeclared import Misdeclared
from flows.sync import run_as_flow
from flows.sync_config import Schedule
from flows.workplace import Options
from referential.errors import Unreachable
from sources.errors import SourceError
from tests.flows.command import start
from tests.flows.receiver import Receiver, await_that, receiver
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHORT = timedelta(seconds=10)  # the least that Prefect waits for what does not come
NOTIFY = "notify: {{webhook: {webhook}, email: {email}}}\n"
EVERY_FIVE = "  schedule: {interval: 5}\n"


@pytest.fixture
def server(settled_prefect: tuple[str, Path]) -> str:
    return settled_prefect[0]


@pytest.fixture
def hook(server: str) -> Iterator[Receiver]:
    assert server
    with receiver() as made:
        Webhook(url=SecretStr(made.url), allow_private_urls=True).save("ops", overwrite=True)
        yield made


@pytest.fixture(autouse=True)
def _nothing_left(server: str) -> Iterator[None]:
    yield
    for each in automations(server):
        _remove(f"{server}/api/automations/{each['id']}")


@stamina.retry(on=requests.HTTPError, attempts=5)  # 503 while its SQLite is at work
def _remove(url: str) -> None:
    requests.delete(url, timeout=30).raise_for_status()


def automations(url: str) -> list[dict[str, Any]]:
    answer = requests.post(f"{url}/api/automations/filter", json={}, timeout=30)
    answer.raise_for_status()
    return [each for each in answer.json() if each["name"].startswith(PREFIX)]


def flow_runs(url: str, *states: str) -> list[dict[str, Any]]:
    only = {"flow_runs": {"state": {"name": {"any_": list(states)}}}}
    answer = requests.post(f"{url}/api/flow_runs/filter", json=only, timeout=30)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def tell(workshop: Workshop, webhook: str = "ops", email: str = '""') -> None:
    """Name the blocks in the settings."""
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text + NOTIFY.format(webhook=webhook, email=email))


def put(workshop: Workshop, **options: Any) -> dict[str, str]:
    steps = install(workshop.settings(), [workshop.job()], **options)
    return {step.name.removeprefix(PREFIX): step.action for step in steps}


def test_automations_are_made_once_and_those_not_wanted_any_more_are_removed(
    workshop: Workshop, server: str, hook: Receiver
) -> None:
    assert hook.url
    workshop.write_job(JOB + EVERY_FIVE)
    tell(workshop)

    would = put(workshop, dry_run=True)
    assert automations(server) == []
    assert put(workshop) == would
    made = {each["name"]: each["id"] for each in automations(server)}
    again = put(workshop)
    workshop.write_job(JOB)  # no schedule: nobody can say when it is late
    later = put(workshop)

    assert would == dict.fromkeys(("dead runs", "failures", f"stale {NAME}"), "created")
    assert again == dict.fromkeys(would, "unchanged")
    assert later == {"dead runs": "unchanged", "failures": "unchanged", f"stale {NAME}": "removed"}
    there = {each["name"]: each["id"] for each in automations(server)}
    assert there == {name: made[name] for name in there}


def test_an_automation_that_changed_is_updated_and_one_switched_off_stays_off(
    workshop: Workshop, server: str
) -> None:
    put(workshop)
    (there,) = automations(server)
    url = f"{server}/api/automations/{there['id']}"
    requests.patch(url, json={"enabled": False}, timeout=30).raise_for_status()

    (step,) = install(workshop.settings(), [], silence=SHORT)

    assert (step.action, step.paused) == ("updated", True)
    (there,) = automations(server)
    assert (there["enabled"], there["trigger"]["within"]) == (False, 10)


def test_nobody_to_tell_leaves_the_automation_of_dead_runs_alone(
    workshop: Workshop, server: str
) -> None:
    assert server
    workshop.write_job(JOB + EVERY_FIVE)

    assert put(workshop) == {"dead runs": "created"}


def test_a_block_that_is_not_there_or_sends_nothing_is_a_fault_of_the_settings(
    workshop: Workshop, server: str
) -> None:
    assert server
    Webhook(url=SecretStr("http://127.0.0.1:9/")).save("no-mail", overwrite=True)
    tell(workshop, webhook="nobody", email="no-mail")

    with pytest.raises(Misdeclared) as refused:
        put(workshop)

    assert "refsync.yaml:" in str(refused.value)
    assert "Prefect has no Webhook block 'nobody'" in str(refused.value)
    assert "'no-mail', only one of type webhook, which sends no messages" in str(refused.value)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # by apprise, which sends it
def test_the_addresses_of_the_settings_are_those_of_the_mails(
    workshop: Workshop, server: str
) -> None:
    assert server
    SendgridEmail(
        api_key=SecretStr("SG.sandbox-key"),
        sender_email="a@acme.example",
        to_emails=["b@acme.example"],
    ).save("mail", overwrite=True)
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text + "notify: {email: mail, to: [c@acme.example, d@acme.example]}\n")

    put(workshop)

    block: Any = SendgridEmail.load("mail")  # typed as if it could be a coroutine
    assert block.to_emails == ["c@acme.example", "d@acme.example"]
    assert block.api_key.get_secret_value() == "SG.sandbox-key"


def test_a_run_that_fails_and_a_feed_that_is_late_are_told(
    workshop: Workshop, server: str, hook: Receiver
) -> None:
    CustomWebhookNotificationBlock(
        name="mail", url=hook.url, json_data={"mail": "{{subject}}", "body": "{{body}}"}
    ).save("mailer", overwrite=True)
    workshop.write_job(JOB + EVERY_FIVE)
    tell(workshop, email="mailer")
    put(workshop)
    workshop.api.turn({"auth": "bearer", "token": 'another "one"'})

    with pytest.raises(SourceError):
        run_as_flow(NAME, Options())

    told = hook.await_that(lambda got: got.get("event") == "failure")
    run = workshop.last_run()
    assert (told["job"], told["state"], told["run"]) == (NAME, "Failed", f"{NAME} sync")
    assert told["message"] == run.message
    assert told["text"].startswith(f"{NAME}: Failed, ")
    (failed,) = [each for each in flow_runs(server, "Failed") if each["id"] == told["id"]]
    assert told["link"] == f"{server}/runs/flow-run/{failed['id']}"
    assert sorted(failed["tags"]) == ["customer:acme", "refsync"]
    mail = hook.await_that(lambda got: NAME in got.get("mail", "") and "Failed" in got["mail"])
    assert run.message.partition("\n")[0] in mail["body"]
    late = hook.await_that(lambda got: got.get("event") == "stale")
    assert late["job"] == NAME
    assert late["message"].startswith(f"{NAME}: no run was done for 10 s")


@pytest.mark.parametrize(("outcome", "state"), [("partial", "Partial"), ("refused", "Refused")])
def test_how_a_run_ended_is_the_name_of_its_state_and_is_told_too(
    workshop: Workshop, hook: Receiver, outcome: str, state: str
) -> None:
    tell(workshop)
    put(workshop)
    if outcome == "partial":
        workshop.api.turn({"total_error": 5})
        run_as_flow(NAME, Options())
    else:
        workshop.run()
        workshop.serve([])
        with pytest.raises(Exception, match="no entity at all"):
            run_as_flow(NAME, Options())

    told = hook.await_that(lambda got: got.get("job") == NAME)
    assert workshop.last_run().outcome == outcome
    assert told["state"] == state


def test_a_run_that_is_killed_is_crashed_and_told_and_the_next_one_is_admitted(
    workshop: Workshop, server: str, hook: Receiver
) -> None:
    tell(workshop)
    put(workshop, silence=SHORT)
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("sync", NAME, PREFECT_API_URL=f"{server}/api")
    await_that(workshop.imports)
    process.kill()
    process.communicate(timeout=30)

    told = hook.await_that(lambda got: got.get("state") == "Crashed")

    assert told["job"] == NAME
    assert "`refsync resume`" in told["message"]
    (dead,) = [each for each in flow_runs(server, "Crashed") if each["id"] == told["id"]]
    assert dead["state_type"] == "CRASHED"
    workshop.canopsis.knobs.turn({"job_faults": []})
    assert run_as_flow(NAME, Options()).outcome == "done"
    assert [run.outcome for run in workshop.runs()] == ["done", "interrupted"]


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ({"interval": 5}, timedelta(seconds=10)),
        ({"interval": 3600}, timedelta(hours=2)),
        ({"interval": 86_400}, timedelta(hours=26)),
        ({"cron": "0 2 * * *"}, timedelta(hours=26)),
        ({"cron": "0 2 * * *", "timezone": "Europe/Paris"}, timedelta(hours=27)),  # clocks change
        ({"cron": "0 2 * * 1-5"}, timedelta(hours=74)),
        ({"cron": "*/15 * * * *"}, timedelta(minutes=30)),
        ({"cron": "0 0 29 2 *"}, timedelta(days=800, hours=2)),
    ],
)
def test_a_feed_is_late_after_the_longest_pause_of_its_schedule_and_what_a_run_may_take(
    words: dict[str, Any], span: timedelta
) -> None:
    assert patience(Schedule(**words), NOW) == span


def test_three_beats_of_the_heart_are_waited_for(workshop: Workshop) -> None:
    (dead,) = alerts([workshop.job()], Notice())

    assert timedelta(seconds=dead.trigger["within"]) == SILENCE == timedelta(seconds=90)


def test_without_a_server_there_is_nothing_to_automate(workshop: Workshop) -> None:
    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(Misdeclared, match="no Prefect server is named"),
    ):
        put(workshop)
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(Unreachable, match="Prefect does not answer"),
    ):
        put(workshop)
