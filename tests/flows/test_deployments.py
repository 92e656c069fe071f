"""Deployments against a real Prefect server: what they say, what stays, what goes."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.deployable import describe, find, in_words
from flows.misdeclared import Misdeclared
from flows.placement import ORIGIN, Placement, in_containers, in_processes
from flows.rollout import Standing, decide
from flows.sync_config import Schedule
from tests.flows.command import Refsync
from tests.flows.deployed import Deployed
from tests.flows.workshop import JOB, NAME, Workshop

POOL = "processes"
NIGHTLY = '  schedule: {cron: "0 2 * * *", timezone: Europe/Paris}\n'
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def _settled(settled_prefect: tuple[str, Path]) -> str:
    return settled_prefect[0]


@pytest.fixture
def prefect(_settled: str) -> Iterator[Deployed]:
    server = Deployed(_settled)
    server.pool(POOL)
    server.clear()
    yield server
    server.clear()


@pytest.fixture
def scheduled(workshop: Workshop) -> Workshop:
    """The workshop, with a schedule for its job."""
    workshop.write_job(JOB + NIGHTLY)
    return workshop


def actions(refsync: Refsync, *words: str) -> dict[str, str]:
    """What `refsync deploy` does to each deployment; stdout is one JSON document and no more."""
    done = refsync("deploy", "--pool", POOL, "--json", *words)
    return {each["name"]: each["action"] for each in done.document["deployments"] if mine(each)}


def mine(deployment: dict[str, Any]) -> bool:
    return deployment["name"] != "refsync/backfill"


# --- what a deployment says


def test_a_job_with_a_schedule_is_a_deployment_named_after_it(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    scheduled.write_job(JOB, "acme/by-hand")

    done = refsync("deploy", "--pool", POOL)

    assert done.code == 0, done.err
    assert "acme/servers" in done.out
    assert "At 02:00 every day (Europe/Paris)" in done.out
    assert "1 job without a schedule: acme/by-hand" in done.err
    assert set(prefect.all()) == {NAME, "refsync/backfill"}
    found = prefect.one(NAME)
    assert found["tags"] == ["customer:acme", "refsync", "source:api"]
    assert found["work_pool_name"] == POOL
    (schedule,) = found["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "0 2 * * *"
    assert schedule["schedule"]["timezone"] == "Europe/Paris"
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert found["parameters"] == {"job": NAME}


def test_a_schedule_by_interval_keeps_its_moments_and_may_queue(
    workshop: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    workshop.write_job(JOB + "  schedule: {interval: 5400, collision: enqueue}\n")

    first, second = actions(refsync), actions(refsync)

    assert (first[NAME], second[NAME]) == ("created", "unchanged")
    found = prefect.one(NAME)
    assert found["schedules"][0]["schedule"]["interval"] == 5400
    assert found["schedules"][0]["schedule"]["anchor_date"].startswith("2020-01-01T00:00:00")
    assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"


def test_the_description_says_what_is_read_and_loaded_and_what_becomes_of_the_missing(
    workshop: Workshop,
) -> None:
    words = "  documentation: https://wiki.acme.example/servers\n  missing_after: 3 runs\n"
    workshop.write_job(JOB + NIGHTLY + words)

    text = describe(workshop.job())

    assert "**Reads** `servers` from `acme-cmdb` (api)" in text
    assert "**Loads** `acme-canopsis`, as import source `acme-cmdb`" in text
    assert "**Runs** at 02:00 every day (Europe/Paris)" in text
    assert "a run that is due is cancelled" in text
    assert "disabled after 3 runs without it, at most 10% of the feed in one run" in text
    assert "<https://wiki.acme.example/servers>" in text
    assert "`refsync health acme/servers`" in text


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"cron": "30 6 * * 1-5"}, "At 06:30 on Monday through Friday (UTC)"),
        ({"interval": 60}, "Every minute"),
        ({"interval": 90}, "Every 90 seconds"),
        ({"interval": 5_400}, "Every 90 minutes"),
        ({"interval": 172_800}, "Every 2 days"),
    ],
)
def test_a_schedule_in_words(schedule: dict[str, Any], words: str) -> None:
    assert in_words(Schedule(**schedule)) == words


def test_the_form_offers_what_a_parameter_may_be_and_says_what_it_is(
    workshop: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    workshop.write_job(JOB + NIGHTLY + "  targets: [acme-preproduction]\n")
    actions(refsync)

    form = prefect.one(NAME)["parameter_openapi_schema"]

    fields = form["properties"]
    assert form["additionalProperties"] is False
    assert list(fields)[:6] == ["job", "mode", "allow_missing", "allow_changed", "accept", "to"]
    assert all(field["description"] for field in fields.values())
    assert (fields["job"]["enum"], fields["job"]["readOnly"]) == ([NAME], True)
    assert fields["mode"]["enum"] == ["sync", "full"]
    assert fields["to"]["enum"] == ["", "acme-preproduction"]
    assert fields["allow_missing"]["type"] == "boolean"


@pytest.mark.usefixtures("scheduled")
def test_the_server_refuses_parameters_that_the_flow_would(
    prefect: Deployed, refsync: Refsync
) -> None:
    actions(refsync)
    fit: list[dict[str, Any]] = [
        {},
        {"mode": "full", "allow_missing": True, "accept": "0" * 32},
    ]
    unfit: list[dict[str, Any]] = [
        {"modus": "full"},
        {"mode": "backfill"},
        {"job": "acme/another"},
        {"accept": "yes"},
        {"to": "nowhere"},
        {"allow_missing": "maybe"},
    ]

    assert {prefect.ask_to_run(NAME, **each).status_code for each in fit} == {201}
    assert {prefect.ask_to_run(NAME, **each).status_code for each in unfit} == {409}


def test_backfills_are_a_deployment_of_their_own_that_runs_when_asked(
    workshop: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    workshop.write_job(JOB + NIGHTLY, "acme/links")

    done = refsync("deploy", "--pool", POOL, "--prune")
    again = refsync("deploy", "--pool", POOL, "--prune", "--json")

    assert "when asked to" in done.out
    assert {each["action"] for each in again.document["deployments"]} == {"unchanged"}
    found = prefect.one("refsync/backfill")
    assert (found["schedules"], found["tags"]) == ([], ["refsync"])
    assert found["entrypoint"] == "flows/backfill.py:backfill_referential"
    form = found["parameter_openapi_schema"]
    assert form["properties"]["job"]["enum"] == ["acme/links", NAME]
    assert {"since", "until", "window", "parallel", "record_ids"} <= set(form["properties"])
    assert all(field["description"] for field in form["properties"].values())
    assert prefect.ask_to_run("refsync/backfill", job="acme/nobody").status_code == 409


# --- deploying again


@pytest.mark.usefixtures("scheduled")
def test_what_is_deployed_already_is_left_alone(prefect: Deployed, refsync: Refsync) -> None:
    first, before = actions(refsync), prefect.one(NAME)

    second = actions(refsync)

    assert (first[NAME], second[NAME]) == ("created", "unchanged")
    assert prefect.one(NAME) == before


def test_a_change_of_the_job_changes_its_deployment_and_keeps_its_id(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    actions(refsync)
    before = prefect.one(NAME)
    scheduled.write_job(JOB + NIGHTLY.replace("0 2", "30 3") + "  missing: keep\n")

    done = refsync("deploy", "--pool", POOL, "--json")

    (step,) = [each for each in done.document["deployments"] if mine(each)]
    assert step["action"] == "updated"
    assert step["changed"] == ["description", "schedule"]
    after = prefect.one(NAME)
    assert step["id"] == after["id"] == before["id"]
    assert [each["schedule"]["cron"] for each in after["schedules"]] == ["30 3 * * *"]
    assert "are kept" in after["description"]


def test_what_operators_paused_stays_paused(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    scheduled.write_job(JOB + NIGHTLY, "acme/links")
    actions(refsync)
    prefect.pause(NAME)
    prefect.pause_schedule("acme/links")
    for name in (NAME, "acme/links"):
        scheduled.write_job(JOB + NIGHTLY.replace("0 2", "30 3"), name)

    done = refsync("deploy", "--pool", POOL)

    assert done.out.count("At 03:30 every day (Europe/Paris), paused") == 2
    assert prefect.one(NAME)["paused"]
    (schedule,) = prefect.one("acme/links")["schedules"]
    assert not schedule["active"]
    assert schedule["schedule"]["cron"] == "30 3 * * *"


def test_a_schedule_that_an_operator_added_stays(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    actions(refsync)
    prefect.add_schedule(NAME, "0 12 * * 0")
    scheduled.write_job(JOB + NIGHTLY.replace("0 2", "30 3"))

    actions(refsync)

    crons = {each["schedule"]["cron"] for each in prefect.one(NAME)["schedules"]}
    assert crons == {"30 3 * * *", "0 12 * * 0"}


def test_only_the_jobs_that_are_named_are_deployed(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    scheduled.write_job(JOB + NIGHTLY, "acme/links")

    assert actions(refsync, "acme/links") == {"acme/links": "created"}
    assert list(prefect.all()) == ["acme/links"]


def test_a_job_that_is_named_and_has_no_schedule_is_refused(
    workshop: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    done = refsync("deploy", NAME, "--pool", POOL)

    assert done.code == 2
    assert "acme/servers has no schedule" in done.err
    assert f"where: {workshop.job().place('sync')}" in done.err
    assert prefect.all() == {}


@pytest.mark.usefixtures("scheduled")
def test_a_deployment_of_somebody_else_is_not_taken_over(
    prefect: Deployed, refsync: Refsync
) -> None:
    made = prefect.make(NAME, description="mine")

    done = refsync("deploy", "--pool", POOL)

    assert done.code == 2
    assert "a deployment 'acme/servers' that refsync did not make" in done.err
    assert "mend: prefect deployment delete 'acme/servers'" in done.err
    assert prefect.one(NAME)["description"] == "mine"
    assert prefect.one(NAME)["id"] == made


@pytest.mark.usefixtures("scheduled")
def test_a_dry_run_does_nothing(prefect: Deployed, refsync: Refsync) -> None:
    assert actions(refsync, "--dry-run")[NAME] == "created"
    assert prefect.all() == {}


# --- pruning


def test_a_deployment_whose_job_is_gone_is_pruned(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    scheduled.write_job(JOB + NIGHTLY, "acme/links")
    actions(refsync)
    prefect.make("acme/theirs")
    prefect.make("other/tagged", tags=["refsync"])
    jobs = scheduled.folder / "jobs" / "acme"
    (jobs / "servers.yaml").rename(jobs / "machines.yaml")
    scheduled.write_job(JOB, "acme/links")  # its schedule is gone

    kept = actions(refsync)
    would = actions(refsync, "--prune", "--dry-run")
    pruned = actions(refsync, "--prune")

    expected = {"acme/machines": "created", "acme/links": "obsolete", NAME: "obsolete"}
    assert kept == expected
    assert would == pruned
    assert pruned == {"acme/machines": "unchanged", "acme/links": "pruned", NAME: "pruned"}
    assert set(prefect.all()) - {"refsync/backfill"} == {
        "acme/machines",
        "acme/theirs",
        "other/tagged",
    }


def test_what_another_folder_of_jobs_deployed_is_left_alone(
    scheduled: Workshop,
    prefect: Deployed,
    refsync: Refsync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actions(refsync)
    other = scheduled.folder / "other"
    (other / "zeta").mkdir(parents=True)
    (other / "zeta" / "servers.yaml").write_text(JOB + NIGHTLY, encoding="utf-8")
    monkeypatch.setenv("REFSYNC_JOBS", str(other))

    done = refsync("deploy", "--pool", POOL, "--prune")

    assert done.code == 0
    assert f"of other folders of jobs left alone: {scheduled.folder / 'jobs'}" in done.err
    assert {NAME, "zeta/servers"} <= set(prefect.all())


def test_nothing_is_pruned_while_a_job_does_not_compile(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    scheduled.write_job(JOB + NIGHTLY, "acme/links")
    actions(refsync)
    jobs = scheduled.folder / "jobs" / "acme"
    (jobs / "links.yaml").unlink()
    scheduled.write_job(JOB.replace("path:", "paht:"))

    done = refsync("deploy", "--pool", POOL, "--prune")

    assert done.code == 2
    assert "did you mean 'path'?" in done.err
    assert "1 deployment not pruned: first every job must compile" in done.err
    assert {NAME, "acme/links"} <= set(prefect.all())


@pytest.mark.parametrize("left", ["nothing", "no folder"])
def test_nothing_is_pruned_by_a_folder_without_jobs(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync, left: str
) -> None:
    actions(refsync)
    file = scheduled.folder / "jobs" / f"{NAME}.yaml"
    file.unlink()
    if left == "no folder":
        file.parent.rmdir()
        file.parent.parent.rmdir()

    done = refsync("deploy", "--pool", POOL, "--prune")

    assert done.code == 2
    assert "no job file here" in done.err or "no such folder of job files" in done.err
    assert NAME in prefect.all()


def test_what_is_not_ours_is_neither_compared_nor_pruned() -> None:
    def standing(name: str, tags: list[str], origin: str) -> Standing:
        variables = {"env": {ORIGIN: origin}} if origin else {}
        return Standing(name, name, {"tags": tags, "job_variables": variables})

    there = [
        standing("acme/gone", ["refsync"], "/jobs"),
        standing("acme/theirs", [], "/jobs"),
        standing("acme/elsewhere", ["refsync"], "/other"),
        standing("acme/unknown", ["refsync"], ""),
    ]

    rollout = decide({}, there, kept=(), origin="/jobs", prune=True)

    assert [(step.name, step.action) for step in rollout.steps] == [("acme/gone", "pruned")]
    assert rollout.others == {"acme/elsewhere": "/other", "acme/unknown": ""}


# --- pools and servers


@pytest.mark.usefixtures("scheduled")
def test_a_pool_that_is_not_there_is_refused_with_the_command_that_makes_it(
    prefect: Deployed, refsync: Refsync
) -> None:
    done = refsync("deploy", "--pool", "nightly")

    assert done.code == 2
    assert "Prefect has no work pool 'nightly'" in done.err
    assert "mend: prefect work-pool create 'nightly' --type process" in done.err
    assert POOL in done.err
    assert prefect.all() == {}


@pytest.mark.usefixtures("scheduled")
def test_a_pool_of_another_type_is_refused(prefect: Deployed, refsync: Refsync) -> None:
    prefect.pool("cluster", "kubernetes")

    done = refsync("deploy", "--pool", "cluster")

    assert done.code == 2
    assert "is of type 'kubernetes'" in done.err
    assert "mend: name one of type process or docker" in done.err


def test_a_docker_pool_gets_image_variables_and_volumes(
    scheduled: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    prefect.pool("containers", "docker")

    lacking = refsync("deploy", "--pool", "containers")
    done = refsync("deploy", "--pool", "containers", "--image", "refsync:1")

    assert lacking.code == 2
    assert "mend: --image refsync:VERSION" in lacking.err
    assert done.code == 0, done.err
    found = prefect.one(NAME)
    assert found["entrypoint"] == "flows.sync.sync_referential"
    assert found["pull_steps"] == []
    variables = found["job_variables"]
    assert variables["image"] == "refsync:1"
    assert variables["env"]["REFSYNC_CONFIG"] == "/refsync/refsync.yaml"
    assert variables["env"]["REFSYNC_JOBS"] == "/jobs"
    folder = scheduled.folder
    assert variables["volumes"] == [f"{folder}:/refsync", f"{folder}/jobs:/jobs:ro"]


@pytest.mark.usefixtures("scheduled")
def test_an_image_for_a_pool_of_processes_is_refused(prefect: Deployed, refsync: Refsync) -> None:
    done = refsync("deploy", "--pool", POOL, "--image", "refsync:1")

    assert done.code == 2
    assert "runs processes, which have no image" in done.err
    assert prefect.all() == {}


@pytest.mark.parametrize("words", [("deploy", "--pool", POOL), ("serve",)])
@pytest.mark.usefixtures("scheduled")
def test_without_a_server_the_message_says_which_variable_names_it(
    refsync: Refsync, words: tuple[str, ...]
) -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        done = refsync(*words)

    assert done.code == 2
    assert "no Prefect server is named" in done.err
    assert "where: PREFECT_API_URL" in done.err
    assert "mend: set PREFECT_API_URL=" in done.err


@pytest.mark.usefixtures("scheduled")
def test_a_server_that_is_down_is_an_outage(refsync: Refsync) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        done = refsync("deploy", "--pool", POOL)

    assert done.code == 1
    assert "Prefect does not answer" in done.err
    assert "where: http://127.0.0.1:9/api" in done.err


@pytest.mark.parametrize("words", [("deploy", "--pool", POOL), ("serve",)])
def test_without_settings_nothing_is_deployed(
    scheduled: Workshop,
    prefect: Deployed,
    refsync: Refsync,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setenv("REFSYNC_JOBS", str(scheduled.folder / "jobs"))
    monkeypatch.delenv("REFSYNC_CONFIG")
    (scheduled.folder / "refsync.yaml").unlink()

    done = refsync(*words)

    assert done.code == 2
    assert "no settings file" in done.err
    assert prefect.all() == {}


def test_serving_nothing_is_refused(
    workshop: Workshop, prefect: Deployed, refsync: Refsync
) -> None:
    assert prefect.all() == {}

    done = refsync("serve")

    assert done.code == 2
    assert "no job with a schedule, so nothing to serve" in done.err
    assert str(workshop.folder / "jobs") in done.err


# --- names and places


@pytest.mark.parametrize("name", ["a&b/servers", "acme/50%", "acme/what?", "acme/#1", "a>b/x"])
def test_a_name_that_prefect_does_not_take_is_refused(workshop: Workshop, name: str) -> None:
    workshop.write_job(JOB + NIGHTLY, name)

    found = find(workshop.folder / "jobs", [name])

    assert found.deployables == []
    (fault,) = found.faults
    assert "may be in a name" in fault["what"]
    assert fault["mend"] == "rename the file, or the folder of the customer"


@pytest.mark.parametrize("name", ["Été/servers", "acme/a b", "acme/a.py", "acme/1:2"])
def test_other_odd_names_are_deployed(
    workshop: Workshop, prefect: Deployed, refsync: Refsync, name: str
) -> None:
    workshop.write_job(JOB + NIGHTLY, name)

    first, second = actions(refsync), actions(refsync)

    assert (first[name], second[name]) == ("created", "unchanged")
    assert prefect.one(name)["parameters"] == {"job": name}


def test_a_job_from_elsewhere_is_refused_for_no_worker_would_find_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere" / "acme" / "oddity.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(textwrap.dedent(JOB + NIGHTLY), encoding="utf-8")

    found = find(workshop.folder / "jobs", [str(file)])

    assert "is no job of" in found.faults[0]["what"]


def test_a_checkout_is_run_by_file_and_an_installation_by_module() -> None:
    entry, steps = Placement("pool", ROOT).code("sync:sync_referential")
    installed = Placement("pool", None).code("sync:sync_referential")

    assert entry == "flows/sync.py:sync_referential"
    (step,) = steps
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
    assert installed == ("flows.sync.sync_referential", [])


def test_a_worker_started_anywhere_finds_the_customers_and_the_settings(
    workshop: Workshop,
) -> None:
    place = in_processes(workshop.settings(), workshop.folder / "jobs", POOL)

    assert place.checkout == ROOT
    environment = place.variables["env"]
    assert environment["REFSYNC_CONFIG"] == str(workshop.folder / "refsync.yaml")
    assert environment["REFSYNC_JOBS"] == str(workshop.folder / "jobs")
    assert environment["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    assert "refsync" in environment["PREFECT_LOGGING_EXTRA_LOGGERS"]
    assert "ACME_KEY" not in environment


def test_volumes_that_are_stated_are_those_that_are_mounted(workshop: Workshop) -> None:
    jobs = workshop.folder / "jobs"

    place = in_containers(workshop.settings(), jobs, "p", "refsync:1", ["config:/refsync"])

    assert place.variables["volumes"] == ["config:/refsync"]
    assert place.variables["env"][ORIGIN] == str(jobs)


def test_settings_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.settings import load_settings  # noqa: PLC0415 - in the empty folder of this test

    monkeypatch.chdir(tmp_path)

    with pytest.raises(Misdeclared, match="no settings file"):
        in_processes(load_settings({}), tmp_path, POOL)
