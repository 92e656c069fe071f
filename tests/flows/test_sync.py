"""The flow against a real Prefect server: names, tasks, artifacts, states, logs, secrets."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from prefect import flow
from prefect.settings import (
    PREFECT_API_URL,
    temporary_settings,
)

from flows.artifacts import artifact_key
from flows.files import Unwritable
from flows.misdeclared import Misdeclared
from flows.policies import TookTooLong
from flows.run import Report
from flows.sync import as_task, run_as_flow
from flows.workplace import Options
from referential.errors import ImportFailed, PlanRefused, Refused, Unreachable
from sources.errors import Refused as SourceRefused
from tests.flows.command import ended, start
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop, servers

WITHIN = 60  # seconds for what the server records on its own time


class Prefect:
    """What the server's API says of the flow runs of one test."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self._before = {run["id"] for run in self._flow_runs()}

    def flow_run(self) -> dict[str, Any]:
        """The one flow run of this test."""
        (run,) = [run for run in self._flow_runs() if run["id"] not in self._before]
        return run

    def tasks(self, *names: str) -> dict[str, dict[str, Any]]:
        """The task runs of the flow run by stage, once the server has recorded *names*."""

        def seen() -> dict[str, dict[str, Any]]:
            only = {"flow_runs": {"id": {"any_": [self.flow_run()["id"]]}}}
            runs = self._ask("task_runs/filter", only)
            return {run["name"].rpartition("-")[0]: run for run in runs}

        return await_that(
            seen,
            lambda found: (
                found.keys() >= set(names)
                # its type is there before the state itself
                and all(run["state"] for run in found.values())
                and all(run["state_type"] in ("COMPLETED", "FAILED") for run in found.values())
            ),
        )

    def artifacts(self) -> dict[str, dict[str, Any]]:
        only = {"artifacts": {"flow_run_id": {"any_": [self.flow_run()["id"]]}}}
        return {each["key"]: each for each in self._ask("artifacts/filter", only)}

    def log(self, *words: str) -> str:
        """What the flow run logged, once *words* are in it."""

        def seen() -> str:
            only = {"logs": {"flow_run_id": {"any_": [self.flow_run()["id"]]}}}
            return "\n".join(line["message"] for line in self._ask("logs/filter", only))

        return await_that(seen, lambda found: all(word in found for word in words))

    def _flow_runs(self) -> list[dict[str, Any]]:
        """The newest; those that are scheduled are of other tests' deployments."""
        begun = {"state": {"type": {"not_any_": ["SCHEDULED"]}}}
        return self._ask("flow_runs/filter", {"flow_runs": begun, "sort": "START_TIME_DESC"})

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.url}/api/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


def await_that(look: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + WITHIN
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


@pytest.fixture
def prefect(settled_prefect: tuple[str, Path]) -> Prefect:
    return Prefect(*settled_prefect)


def run(**options: Any) -> Report:
    return run_as_flow(NAME, Options(**options))


def test_a_flow_run_is_named_after_its_job_and_mode_and_has_a_task_per_stage(
    workshop: Workshop, prefect: Prefect
) -> None:
    report = run()

    assert report.outcome == "done"
    assert len(workshop.entities()) == 30
    flow_run = prefect.flow_run()
    assert (flow_run["name"], flow_run["state_type"]) == (f"{NAME} sync", "COMPLETED")
    stages = ("check", "extract", "plan", "guard", "load", "verify", "converge", "record")
    tasks = prefect.tasks(*stages)
    assert set(tasks) == set(stages)
    assert {task["state_type"] for task in tasks.values()} == {"COMPLETED"}
    assert {task["run_count"] for task in tasks.values()} == {1}


def test_what_a_run_did_can_be_read_in_its_artifacts(workshop: Workshop, prefect: Prefect) -> None:
    report = run()

    artifacts = prefect.artifacts()
    assert set(artifacts) == {
        "acme-servers-summary",
        "acme-servers-report",
        "acme-servers-changes",
        "acme-servers-extract",
        "acme-servers-load",
    }
    assert report.run_id in artifacts["acme-servers-summary"]["data"]
    assert "plan: 30 create" in artifacts["acme-servers-summary"]["data"]
    assert artifacts["acme-servers-changes"]["data"].count("srv-") == 30
    assert artifacts["acme-servers-extract"]["data"] == 100
    assert artifacts["acme-servers-load"]["data"] == 100
    page = workshop.folder / "state" / "reports" / NAME / f"{report.run_id}.html"
    assert page.as_uri() in artifacts["acme-servers-report"]["data"]
    assert page.is_file()


def test_a_run_with_nothing_to_do_neither_loads_nor_verifies(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.run()
    sent = len(workshop.imports())

    report = run()

    assert report.outcome == "nothing-to-do"
    assert set(prefect.tasks("check", "extract", "plan", "guard", "record")) == {
        "check",
        "extract",
        "plan",
        "guard",
        "record",
    }
    assert "acme-servers-changes" not in prefect.artifacts()
    assert len(workshop.imports()) == sent


def test_a_refused_plan_is_a_failed_flow_run_and_nothing_was_written(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.run()
    before, sent = workshop.entities(), len(workshop.imports())
    workshop.serve([])

    with pytest.raises(PlanRefused) as refused:
        run()

    assert (workshop.entities(), len(workshop.imports())) == (before, sent)
    assert refused.value.report.outcome == workshop.last_run().outcome == "refused"
    flow_run = prefect.flow_run()
    assert (flow_run["state_type"], flow_run["state_name"]) == ("FAILED", "Refused")
    assert flow_run["state"]["message"] == workshop.last_run().message
    tasks = prefect.tasks("check", "extract", "plan", "guard", "record")
    assert tasks["guard"]["state_type"] == "FAILED"
    assert tasks["guard"]["run_count"] == 1
    assert "load" not in tasks
    assert tasks["record"]["state_type"] == "COMPLETED"
    log = prefect.log("no entity at all", "mend: ")
    assert "Traceback" not in log
    assert "refused" in prefect.artifacts()["acme-servers-summary"]["data"]


def test_the_option_lets_a_flow_run_pass_the_limit(workshop: Workshop, prefect: Prefect) -> None:
    workshop.run()
    workshop.serve(servers(10))

    report = run(allow_missing=True, mode="full")

    assert report.loaded.counts["disable"] == 20
    assert prefect.flow_run()["name"] == f"{NAME} full"


def test_an_outage_is_tried_again_and_the_run_goes_on(workshop: Workshop, prefect: Prefect) -> None:
    fault = {"kind": "status", "status": 503, "on": "servers", "at": 3, "times": 2}
    workshop.api.turn({"faults": [fault]})  # two attempts are the source's own

    report = run()

    assert report.outcome == "done"
    assert len(workshop.entities()) == 30
    tasks = prefect.tasks("extract", "record")
    assert tasks["extract"]["run_count"] == 2
    assert prefect.flow_run()["state_type"] == "COMPLETED"


def test_a_refusal_is_not_tried_again_and_leaves_no_traceback(
    workshop: Workshop, prefect: Prefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", "reader-key")

    with pytest.raises(Refused):
        run()

    assert workshop.last_run().outcome == "failed"
    tasks = prefect.tasks("check")
    assert set(tasks) == {"check"}
    assert tasks["check"]["run_count"] == 1
    assert tasks["check"]["state"]["message"] == workshop.last_run().message
    assert "Traceback" not in prefect.log("Canopsis refuses", "mend: ")


def test_rejects_and_the_summary_of_a_run_that_failed_can_be_read(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.serve([*servers(28), {"id": "29", "site": "no name"}])
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "fail", "times": 99}]})

    with pytest.raises(ImportFailed) as failed:
        run()

    report: Report = getattr(failed.value, "report")  # noqa: B009 - given to it by the run
    artifacts = prefect.artifacts()
    rows = orjson.loads(artifacts["acme-servers-rejects"]["data"])
    first = rows[0]
    assert (first["dataset"], first["record"]) == ("servers", 29)
    assert first["rule"]
    assert first["reason"]
    assert len(rows) == report.rejects
    assert report.outcome in artifacts["acme-servers-summary"]["description"]


def test_another_target_has_keys_of_its_own(workshop: Workshop, prefect: Prefect) -> None:
    settings = (workshop.folder / "refsync.yaml").read_text(encoding="utf-8")
    usual = settings[settings.index("  acme-canopsis:") :]
    workshop.write_settings(settings + usual.replace("acme-canopsis", "acme_preprod"))
    workshop.write_job(JOB + "  targets: [acme_preprod]\n")

    run(to="acme_preprod")

    keys = set(prefect.artifacts())
    assert {"acme-servers-to-acme-preprod-summary", "acme-servers-to-acme-preprod-load"} <= keys
    assert all(key.startswith("acme-servers-to-acme-preprod-") for key in keys)


def test_an_extraction_that_passes_its_time_is_stopped_and_disables_nothing(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.run()
    workshop.serve(servers(20))
    workshop.write_job(JOB + "  timeouts: {extract: 1}\n")
    workshop.api.turn({"latency": 0.7})

    with pytest.raises(TookTooLong) as late:
        run(allow_missing=True)

    assert str(late.value).startswith("the extraction took longer than 1s")
    assert set(workshop.known().values()) == {"enabled"}
    assert workshop.last_run().outcome == "failed"
    extract = prefect.tasks("check", "extract")["extract"]
    assert (extract["state_name"], extract["run_count"]) == ("TimedOut", 1)
    assert "sync.timeouts.extract" in prefect.flow_run()["state"]["message"]


def test_a_check_that_passes_its_time_is_interrupted(workshop: Workshop, prefect: Prefect) -> None:
    workshop.write_job(JOB + "  timeouts: {check: 1}\n")
    workshop.api.turn({"latency": 3})

    with pytest.raises(TookTooLong, match="the check took longer than 1s"):
        run()

    assert prefect.tasks("check")["check"]["state_name"] == "TimedOut"


def test_a_misdeclared_job_is_a_failed_flow_run_that_says_every_fault(
    workshop: Workshop, prefect: Prefect
) -> None:
    broken = JOB.replace("path:", "paht:").replace("sync:\n", "sync:\n  missing: never\n")
    workshop.write_job(broken)

    with pytest.raises(Misdeclared):
        run()

    message = prefect.flow_run()["state"]["message"]
    assert message.count("where: jobs/acme/servers.yaml:") == 2
    assert "did you mean 'path'?" in message
    assert workshop.runs() == []


def test_a_partial_extraction_is_a_failed_flow_run_that_did_load(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.api.turn({"total_error": 5})

    report = run()

    assert (report.outcome, report.exit_code) == ("partial", 1)
    assert len(workshop.entities()) == 30
    flow_run = prefect.flow_run()
    assert (flow_run["state_type"], flow_run["state_name"]) == ("FAILED", "Partial")
    assert "not read completely: servers: " in flow_run["state"]["message"]


def test_a_disk_that_cannot_be_written_is_a_message_and_no_traceback(
    workshop: Workshop, prefect: Prefect
) -> None:
    (workshop.folder / "state").mkdir()
    (workshop.folder / "state" / "spool").write_text("a file where a folder should be")

    with pytest.raises(Unwritable, match="Not a directory"):
        run()

    assert "Traceback" not in prefect.log("cannot write: ", "mend: see that the disk has room")
    assert workshop.last_run().outcome == "failed"


def test_a_defect_of_ours_keeps_its_traceback(workshop: Workshop, prefect: Prefect) -> None:
    def broken_stage() -> None:
        raise ZeroDivisionError("a defect")

    @flow
    def with_a_defect() -> None:
        as_task(workshop.settings(), broken_stage)

    with pytest.raises(ZeroDivisionError):
        with_a_defect()

    assert prefect.flow_run()["state_type"] == "FAILED"
    assert "Traceback" in prefect.log("ZeroDivisionError")


def test_a_secret_of_a_block_is_resolved_and_hidden(workshop: Workshop, prefect: Prefect) -> None:
    from prefect.blocks.system import Secret  # noqa: PLC0415 - once the settings are made

    assert prefect.url
    Secret(value="block-value-31").save("acme-key", overwrite=True)
    settings = workshop.settings()

    assert settings.resolve("key ${prefect:acme-key}", ()) == "key block-value-31"
    assert settings.redact("block-value-31") == "***"
    with pytest.raises(Misdeclared, match="no Prefect Secret block named 'nobody'"):
        settings.resolve("${prefect:nobody}", ())


def test_a_prefect_that_is_down_is_an_outage_and_no_fault_of_the_file(
    workshop: Workshop, prefect: Prefect
) -> None:
    assert prefect.url
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(Unreachable, match="Secret block 'acme-key'"),
    ):
        workshop.settings().resolve("${prefect:acme-key}", ())


def test_secrets_appear_nowhere(
    workshop: Workshop, prefect: Prefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("canary-of-canopsis", "canary-of-the-api", "canary-in-clear")
    monkeypatch.setenv("ACME_KEY", secrets[0])
    monkeypatch.setenv("ACME_TOKEN", secrets[1])
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    auth = (
        f'auth: {{type: bearer, token: "${{ACME_TOKEN}}"}}\n    headers: {{X-Token: {secrets[2]}}}'
    )
    workshop.write_settings(
        text.replace("    retry: {attempts: 2, i", f"    {auth}\n    retry: {{attempts: 2, i")
    )
    workshop.api.turn({"auth": "bearer", "token": secrets[1]})
    user = {"name": "root", "authkey": secrets[0]}
    workshop.canopsis.knobs.turn({"users": [user]})

    run()
    workshop.serve([*servers(28), {"id": "29", "site": "a reject"}])
    run()
    workshop.serve([])
    with pytest.raises(PlanRefused):
        run()
    workshop.api.turn({"token": "another"})
    with pytest.raises(SourceRefused):
        run()

    asked = workshop.api.traffic.calls[0]["headers"]
    assert (asked["authorization"], asked["x-token"]) == (f"Bearer {secrets[1]}", secrets[2])
    time.sleep(3)  # Prefect's logs are sent every two seconds
    (workshop.folder / "refsync.yaml").unlink()
    files = [path for top in (workshop.folder, prefect.folder) for path in top.rglob("*")]
    names = {path.name for path in files}
    assert {"prefect.db", "ledger.db", "index.html", "entities.jsonl", "plan.jsonl"} <= names
    leaks = [
        f"{secret} in {path}"
        for path in files
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]
    assert leaks == []


@pytest.mark.parametrize(
    ("job", "key"),
    [("acme/servers", "acme-servers"), ("Été/a_b.c", "t-a-b-c"), ("A//B", "a-b")],
)
def test_an_artifact_key_is_what_prefect_takes(job: str, key: str) -> None:
    assert artifact_key(job) == key


def test_a_flow_run_that_sigterm_ends_is_143_and_recorded(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("sync", NAME, PREFECT_API_URL=f"{prefect.url}/api")
    await_that(workshop.imports, bool)

    process.send_signal(signal.SIGTERM)
    done = ended(process)

    assert done.code == 143, done.err
    assert "start again to go on" in done.err
    assert workshop.last_run().outcome == "interrupted"
    assert prefect.flow_run()["state_type"] == "CRASHED"
    assert "interrupted" in prefect.artifacts()["acme-servers-summary"]["data"]


def test_a_flow_run_that_is_interrupted_is_130_and_recorded(
    workshop: Workshop, prefect: Prefect
) -> None:
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("sync", NAME, PREFECT_API_URL=f"{prefect.url}/api")
    await_that(workshop.imports, bool)

    process.send_signal(signal.SIGINT)
    done = ended(process)

    assert done.code == 130
    assert "start again to go on" in done.err
    assert workshop.last_run().outcome == "interrupted"
    assert prefect.flow_run()["state_type"] in ("FAILED", "CRASHED", "CANCELLED")
    assert not list((workshop.folder / "home").iterdir())
