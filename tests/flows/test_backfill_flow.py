"""The backfill as a Prefect flow, against a real server: tasks, artifacts, states, parameters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prefect.client.schemas.objects import State

from flows.backfill import backfill_referential, run_as_flow
from flows.backfill_request import Request
from flows.misdeclared import Misdeclared
from tests.flows.backfill_rig import (
    CONNECTION,
    EACH,
    JOB,
    JOB_NAME,
    TABLE,
    WEEKS,
    Past,
    a_past,
    await_that,
    sys_id,
)
from tests.flows.workshop import SETTINGS, Workshop

SPAN = {"since": "2026-01-01", "until": "2026-01-29T00:00:00+01:00"}


@pytest.fixture
def api(settled_prefect: tuple[str, Path]) -> str:
    """The URL of Prefect's API, to which flows of this process report."""
    return f"{settled_prefect[0]}/api"


@pytest.fixture(scope="module")
def _served_past() -> Iterator[Past]:
    with a_past() as past:
        yield past


@pytest.fixture
def past(_served_past: Past, workshop: Workshop, api: str) -> Past:
    assert api
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text + CONNECTION.format(snow=_served_past.url))
    workshop.write_job(JOB, JOB_NAME)
    _served_past.feed()
    return _served_past


def ask(api: str, path: str, **body: Any) -> Any:
    answer = requests.post(f"{api}/{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def tasks(api: str, flow_run: str, count: int) -> list[dict[str, Any]]:
    """The task runs of a flow run, once the server has recorded so many as over."""

    def seen() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(
            api, "task_runs/filter", flow_runs={"id": {"any_": [flow_run]}}
        )
        return found

    over = ("COMPLETED", "FAILED")
    return await_that(
        seen,
        lambda found: len(found) >= count and all(each["state_type"] in over for each in found),
    )


def last_flow_run(api: str) -> dict[str, Any]:
    # those that are scheduled are of other tests' deployments
    begun = {"state": {"type": {"not_any_": ["SCHEDULED"]}}}
    found: list[dict[str, Any]] = ask(
        api, "flow_runs/filter", flow_runs=begun, sort="START_TIME_DESC", limit=1
    )
    return found[0]


def test_windows_are_tasks_and_the_table_tells_what_became_of_them(
    workshop: Workshop, past: Past, api: str
) -> None:
    assert past.url

    made = run_as_flow(JOB_NAME, Request(**SPAN), "")

    assert (made.exit_code, len(made.lines)) == (0, WEEKS)
    assert len(workshop.entities()) == WEEKS * EACH + 2
    flow_run = last_flow_run(api)
    assert (flow_run["name"], flow_run["state_type"]) == (f"{JOB_NAME} backfill", "COMPLETED")
    assert flow_run["parameters"]["since"] == "2026-01-01"
    names = [each["name"] for each in tasks(api, flow_run["id"], 3 * WEEKS)]
    assert sorted(name for name in names if name.startswith("read ")) == [
        f"read 2026-01-{day:02} 00:00+01:00" for day in (1, 8, 15, 22)
    ]
    assert {name.partition("-")[0] for name in names if not name.startswith("read ")} == {
        "load",
        "verify",
    }
    only = {"flow_run_id": {"any_": [flow_run["id"]]}}
    artifacts = {each["key"]: each for each in ask(api, "artifacts/filter", artifacts=only)}
    assert set(artifacts) == {"acme-past-backfill", "acme-past-backfill-progress"}
    assert artifacts["acme-past-backfill"]["data"].count('"done"') == WEEKS
    assert artifacts["acme-past-backfill-progress"]["data"] == 100


def test_a_window_that_fails_fails_the_flow_run_and_the_others_are_done(
    workshop: Workshop, past: Past, api: str
) -> None:
    assert workshop.folder
    fault = {"kind": "status", "status": 403, "on": TABLE, "asked": "sys_updated_on>=2026-01-14"}
    past.instance.turn({"faults": [fault | {"times": 0}]})

    made = run_as_flow(JOB_NAME, Request(**SPAN), "")

    assert [line.outcome for line in made.lines] == ["done", "done", "failed", "done"]
    flow_run = last_flow_run(api)
    assert flow_run["state_type"] == "FAILED"
    assert "2026-01-14 23:00Z to 2026-01-21 23:00Z failed" in flow_run["state"]["message"]


def test_named_records_are_a_parameter_and_too_many_are_refused(
    workshop: Workshop, past: Past
) -> None:
    assert past.url
    ids = frozenset({sys_id("server 4"), "nobody"})

    made = run_as_flow(JOB_NAME, Request(ids=ids), "")

    assert (made.exit_code, made.absent) == (0, ("nobody",))
    assert "srv-004" in workshop.entities()
    many = frozenset(sys_id(str(number)) for number in range(20_000))
    with pytest.raises(Misdeclared, match="20,000 ids are more than a flow run takes"):
        run_as_flow(JOB_NAME, Request(ids=many), "")


@pytest.mark.parametrize(
    "wrong", [{"window": "a week"}, {"parallel": 0}, {"parallel": 17}, {"record_ids": [" "]}]
)
def test_parameters_that_say_nothing_are_refused(
    workshop: Workshop, past: Past, wrong: dict[str, Any]
) -> None:
    assert past.url
    words = {"job": JOB_NAME, **SPAN, **wrong}

    state: State[Any] = backfill_referential(**words, return_state=True)

    assert state.is_failed()
    assert workshop.runs() == []
