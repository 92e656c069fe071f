"""The command `refsync`: words in, exit code out, and nothing on the streams but what is meant."""

import re
import signal
import time
from pathlib import Path

import pytest
import requests

from flows.cli import app
from tests.flows.command import Refsync, ended, start
from tests.flows.workshop import JOB, KEY, NAME, SETTINGS, Workshop, servers

COMMANDS = (
    "adopt",
    "automations",
    "backfill",
    "check",
    "connections",
    "coverage",
    "demo",
    "deploy",
    "drift",
    "driver",
    "explain",
    "health",
    "init",
    "ledger",
    "plan",
    "preview",
    "promote",
    "record",
    "rejects",
    "report",
    "resume",
    "runs",
    "sandbox",
    "serve",
    "sync",
    "test",
)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


# --- exit codes


def test_a_sync_is_0_and_so_is_one_with_nothing_to_do(workshop: Workshop, refsync: Refsync) -> None:
    first, second = refsync("sync", NAME), refsync("sync", NAME)

    assert (first.code, second.code) == (0, 0)
    assert "+30" in first.out
    assert "30 of 30 read back" in first.out
    assert "nothing-to-do" in second.out
    assert len(workshop.imports()) == 1


def test_an_outage_is_1(workshop: Workshop, refsync: Refsync) -> None:
    workshop.canopsis.knobs.turn({"faults": [{"kind": "503", "times": None}]})

    done = refsync("sync", NAME)

    assert done.code == 1
    assert done.err.count("where: ") == done.err.count("mend: ") == 1
    assert "failed" in done.out


def test_a_partial_extraction_is_1(workshop: Workshop, refsync: Refsync) -> None:
    workshop.api.turn({"total_error": 3})

    done = refsync("sync", NAME)

    assert done.code == 1
    assert "partial" in done.out
    assert "error: not read completely: servers: " in done.err
    assert "mend: " in done.err


@pytest.mark.parametrize("command", ["check", "plan", "preview", "sync"])
def test_a_misdeclared_job_is_2(command: str, workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(JOB.replace("path:", "paht:"))

    done = refsync(command, NAME)

    assert done.code == 2
    assert "jobs/acme/servers.yaml:6:7" in done.err
    assert "did you mean 'path'?" in done.err


def test_an_unknown_job_is_2_and_names_the_nearest(workshop: Workshop, refsync: Refsync) -> None:
    assert workshop.job()

    done = refsync("sync", "acme/server")

    assert done.code == 2
    assert "did you mean 'acme/servers'?" in done.err


def test_an_unknown_connection_is_2_and_the_run_is_kept(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(JOB.replace("acme-canopsis", "acme-canopsys"))

    done = refsync("sync", NAME)

    assert done.code == 2
    assert "did you mean 'acme-canopsis'?" in done.err
    assert workshop.last_run().outcome == "failed"


def test_a_refused_plan_is_3_and_says_which_option_lets_it_pass(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.serve(servers(5))

    refused = refsync("sync", NAME)

    assert refused.code == 3
    assert "refsync sync acme/servers --accept " in refused.err
    assert "--allow-missing" in refused.err
    assert refsync("sync", NAME, "--allow-missing").code == 0


def test_an_unmet_expectation_is_3(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(JOB.replace("sync:", "  expect:\n    servers: {min: 100}\nsync:"))

    assert refsync("sync", NAME).code == 3
    assert refsync("plan", NAME).code == 3


def test_an_interrupted_sync_is_130_recorded_and_says_how_to_go_on(workshop: Workshop) -> None:
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("sync", NAME)
    deadline = time.monotonic() + 60
    while not workshop.imports() and time.monotonic() < deadline:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    done = ended(process)

    assert done.code == 130
    assert "start again to go on" in done.err
    assert "Traceback" not in done.err
    assert workshop.last_run().outcome == "interrupted"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("snyc", NAME), 'Did you mean "sync"?'),
        (("sync", NAME, "--fulll"), "Did you mean --full?"),
        (("sync",), "requires an argument"),
        (("sandbox", "canopsys"), "canopsis"),
        (("preview", NAME, "--limit", "0"), ">= 1"),
        (("runs", "--limit", "many"), "int"),
    ],
)
def test_what_the_command_line_does_not_know_is_2_with_a_hint(
    words: tuple[str, ...], hint: str, refsync: Refsync
) -> None:
    done = refsync(*words)

    assert done.code == 2
    assert hint in done.err
    assert "mend: " in done.err
    assert done.out == ""


def test_an_unknown_run_is_2_and_names_the_nearest(workshop: Workshop, refsync: Refsync) -> None:
    run = workshop.run().run_id

    done = refsync("rejects", run[:-1] + "g")

    assert done.code == 2
    assert run in done.err


def test_a_folder_without_jobs_is_2(workshop: Workshop, refsync: Refsync) -> None:
    (workshop.folder / "jobs" / "acme" / "servers.yaml").unlink()

    done = refsync("check")

    assert done.code == 2
    assert "no job file here" in done.err


# --- JSON


def test_sync_and_plan_give_one_document_of_the_same_keys(
    workshop: Workshop, refsync: Refsync
) -> None:
    plan, sync = refsync("plan", NAME, "--json").document, refsync("sync", NAME, "--json").document

    keys = ["job", "run", "mode", "outcome", "message", "checked", "datasets", "remarks", "plan"]
    assert list(plan) == list(sync) == [*keys, "counts", "finished", "report"]
    assert (plan["mode"], sync["mode"]) == ("plan", "sync")
    assert plan["plan"]["checksum"] == sync["plan"]["checksum"]
    assert sync["counts"]["loaded"] == {"create": 30}
    assert workshop.last_run().id == sync["run"]


def test_a_refused_sync_gives_the_same_document_with_its_message(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.serve([])

    done = refsync("sync", NAME, "--json")

    assert done.code == 3
    assert done.document["outcome"] == "refused"
    assert done.document["message"] in done.err.replace("error: ", "").replace("\n\n", "\n")


def test_what_stops_a_command_before_it_begins_is_a_document_too(
    workshop: Workshop, refsync: Refsync
) -> None:
    assert workshop.job()

    for words in (("sync", "acme/nothing"), ("rejects", "nobody"), ("runs", "--jop", "x")):
        done = refsync(*words, "--json")
        assert list(done.document) == ["error", "exit_code"], words
        assert done.code == done.document["exit_code"] == 2


def test_check_gives_jobs_faults_and_failures(workshop: Workshop, refsync: Refsync) -> None:
    broken = JOB.replace("path:", "paht:").replace("sync:\n", "sync:\n  missing: never\n")
    workshop.write_job(broken, "acme/broken")

    done = refsync("check", "--json")

    assert done.code == 2
    assert list(done.document) == ["jobs", "faults", "connections", "warnings"]
    assert done.document["jobs"] == [{"job": NAME, "source": "api", "datasets": ["servers"]}]
    assert done.document["connections"] == []
    assert [list(fault) for fault in done.document["faults"]] == [
        ["job", "where", "what", "mend"]
    ] * 2


def test_check_with_connect_tells_versions_and_identities(
    workshop: Workshop, refsync: Refsync
) -> None:
    done = refsync("check", NAME, "--connect", "--json")

    source, target = done.document["connections"]
    assert done.code == 0
    assert (source["connection"], source["type"], source["jobs"]) == ("acme-cmdb", "api", [NAME])
    assert source["version"].startswith("HTTP 200")
    assert source["rights"] == ["read servers"]
    assert (target["type"], target["version"], target["identity"]) == (
        "canopsis",
        "24.10.0",
        "root",
    )
    assert "api_contextgraph: create" in target["rights"]
    assert [each["lacking"] + [each["failure"]] for each in (source, target)] == [[""], [""]]
    assert workshop.imports() == []


def test_check_shows_what_answers_and_what_is_lacking_in_one_table(
    workshop: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", "reader-key")

    done = refsync("check", NAME, "--connect")

    assert workshop.imports() == []
    assert done.code == 1
    lines = [line.split() for line in done.out.splitlines()]
    assert ["connection", "type", "version", "as", "rights", "lacking"] in lines
    assert [line[:4] for line in lines if line[:1] == ["acme-canopsis"]] == [
        ["acme-canopsis", "canopsis", "24.10.0", "reader"]
    ]
    assert "create," in done.out.split()
    assert "1 job compiles, 1 unsound connection" in done.out


def test_one_connection_that_is_down_does_not_hide_the_others(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_settings(
        SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
        + "  down: {type: api, base_url: http://127.0.0.1:9, retry: {attempts: 1}}\n"
    )
    workshop.write_job(JOB.replace("connection: acme-cmdb", "connection: down"), "aaa/first")

    done = refsync("check", "--connect", "--json")

    assert done.code == 1
    assert [row["job"] for row in done.document["jobs"]] == ["aaa/first", NAME]
    down, target, source = done.document["connections"]
    assert down["connection"] == "down"
    assert "mend: " in down["failure"]
    assert target["jobs"] == ["aaa/first", NAME]
    assert [each["failure"] for each in (target, source)] == ["", ""]


def test_preview_gives_records_entities_and_rejects_of_one_shape(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.serve([{"id": "000"}, *servers(30, rack="R1")])
    fault = {"kind": "bad_record", "on": "servers", "at": 1, "index": 2, "times": 0}
    workshop.api.turn({"faults": [fault]})

    done = refsync("preview", NAME, "--limit", "3", "--json")

    document = done.document
    assert done.code == 0
    keys = ["job", "records", "entities", "rejects", "tally", "code", "notes", "remarks"]
    assert list(document) == keys
    assert len(document["records"]["servers"]) == 3
    assert document["entities"]["servers"][0]["name"] == "srv-001"
    keys = ["dataset", "number", "rule", "reason", "record", "id"]
    assert [sorted(reject) for reject in document["rejects"]] == [sorted(keys)] * 2
    assert document["tally"]["datasets"]["servers"]["unmapped"] == ["rack"]
    assert "def " in document["code"]


def test_preview_writes_nothing_anywhere(workshop: Workshop, refsync: Refsync) -> None:
    refsync("preview", NAME)

    assert workshop.canopsis.traffic.requests.total() == 0
    assert not (workshop.folder / "state").exists()


def test_runs_are_given_newest_first_and_by_job(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(JOB, "acme/other")
    runs = [workshop.run(name).run_id for name in (NAME, "acme/other", NAME)]

    every, mine = refsync("runs", "--json").document, refsync("runs", "--job", NAME, "--json")

    assert {run["id"] for run in every} == set(runs)
    assert [run["started"] for run in every] == sorted(
        (run["started"] for run in every), reverse=True
    )
    assert {run["id"] for run in mine.document} == {runs[0], runs[2]}
    assert list(every[0]) == [
        "id",
        "feed",
        "mode",
        "started",
        "ended",
        "outcome",
        "counts",
        "evidence",
        "checksum",
        "message",
    ]
    assert len(refsync("runs", "--limit", "1", "--json").document) == 1


def test_rejects_are_given_with_their_records(workshop: Workshop, refsync: Refsync) -> None:
    workshop.serve([*servers(5), {"id": "006"}])
    run = workshop.run().run_id

    (reject,) = refsync("rejects", run, "--json").document

    assert list(reject) == ["dataset", "number", "rule", "reason", "record"]
    assert reject["record"] == {"id": "006"}
    assert "component.name" in refsync("rejects", run).out


# --- what people see


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_the_exit_codes(
    command: str, refsync: Refsync
) -> None:
    done = refsync(command, "--help")

    assert done.code == 0
    assert re.search(rf"^ +refsync {command}\b", done.out, re.MULTILINE)
    assert "3 refused by the" in done.out
    assert not CONTROL.search(done.out)


def test_no_command_is_forgotten_here(refsync: Refsync) -> None:
    assert {name for name in app if not name.startswith("-")} == set(COMMANDS)
    assert all(f" {name} " in refsync("--help").out for name in COMMANDS)


def test_the_version_is_that_of_the_project(refsync: Refsync) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", refsync("--version").out)
    assert not refsync("--version").out.startswith("0.0.0")


def test_where_there_is_no_terminal_there_is_neither_colour_nor_control(
    workshop: Workshop, refsync: Refsync
) -> None:
    odd = ("\x1b[31mred\x07\x9b[0m", "srv :smile: [bold]b[/]")
    workshop.serve([*servers(3), *({"id": name, "name": name} for name in odd)])

    done = [refsync("plan", NAME), refsync("preview", NAME), refsync("sync", NAME)]
    done += [refsync("rejects", workshop.last_run().id), refsync("runs")]

    for each in done:
        assert each.code == 0
        assert not CONTROL.search(each.out)
        assert not CONTROL.search(each.err)
    assert "srv :smile: [bold]b[/]" in done[0].out
    assert r"\x9b[0m" in done[3].out


def test_progress_is_plain_lines_where_there_is_no_terminal(
    workshop: Workshop, refsync: Refsync
) -> None:
    done = refsync("sync", NAME)

    assert "extract: 30 of 30" in done.err.splitlines()
    assert "load: 30 of 30" in done.err.splitlines()
    assert workshop.entities()


def test_a_terminal_without_accents_is_no_reason_to_stop(workshop: Workshop) -> None:
    workshop.serve(servers(3))

    done = ended(start("preview", NAME, PYTHONIOENCODING="ascii"))

    assert done.code == 0
    assert r"N\xeemes" in done.out


def test_a_report_is_written_and_its_place_is_told(workshop: Workshop, refsync: Refsync) -> None:
    done = refsync("sync", NAME)

    (line,) = [line for line in done.out.splitlines() if line.startswith("report ")]
    page = line.split()[-1]
    assert page.startswith(str(workshop.folder))
    assert page.endswith(".html")
    assert NAME in Path(page).read_text(encoding="utf-8")


def test_a_plan_shows_its_first_changes_and_how_many_more_there_are(
    workshop: Workshop, refsync: Refsync
) -> None:
    done = refsync("plan", NAME, "--limit", "4")

    assert "srv-004" in done.out
    assert "srv-005" not in done.out
    assert "26 more" in done.out
    assert workshop.imports() == []


def test_a_secret_in_clear_is_warned_of_and_not_shown(workshop: Workshop, refsync: Refsync) -> None:
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text.replace("${ACME_KEY}", KEY))

    done = [refsync("sync", NAME), refsync("check", NAME, "--connect")]

    for each in done:
        assert "warning: " in each.err
        assert "written in clear" in each.err
        assert KEY not in each.out + each.err


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("canopsis", signal.SIGTERM),
        ("api", signal.SIGINT),
        ("itop", signal.SIGTERM),
        ("servicenow", signal.SIGTERM),
        ("easyvista", signal.SIGTERM),
    ],
)
def test_a_simulator_is_served_until_it_is_stopped(name: str, number: signal.Signals) -> None:
    process = start("sandbox", name)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    try:
        assert requests.get(f"{url}/sandbox/traffic", timeout=10).status_code == 200
    finally:
        process.send_signal(number)
    done = ended(process)

    assert (done.code, done.err) == (0, "")


def test_a_simulator_has_the_versions_it_can_be(refsync: Refsync) -> None:
    done = refsync("sandbox", "itop", "--version", "2.9")

    assert done.code == 2
    assert "the simulated itop has no version '2.9'" in done.err
    assert "mend: write one of 3.2, 2.4.3, 2.3.4" in done.err
