"""Job files: what compiles, and every fault of what does not, before anything is asked."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows.cli import main
from flows.job import SHIPPED, job_names, jobs_folder, load_job
from flows.misdeclared import Misdeclared
from referential.feed import Feed
from sandbox.serve import serve
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop

SIX_FAULTS = """\
source:
  type: api
  conection: acme-cmdb
  datasets:
    servers: {path: /api/servers, data_selector: data, primary_key: id, method: FETCH}
mapping:
  entities:
    - dataset: server
      component:
        name: name
        categry: {set: Server}
        infos:
          site: {value: "{{ .site | uppercas }}"}
sync:
  connection: acme-canopsis
  import_source: acme-cmdb
  missing: disabled
  limits: {changed: 120%}
"""


def faults(text: str, folder: Path) -> list[tuple[str, str, str]]:
    path = folder / "jobs" / "acme" / "servers.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(Misdeclared) as refused:
        load_job("acme/servers", folder / "jobs")
    return [
        (fault.where.removeprefix("jobs/acme/servers.yaml:"), fault.what, fault.mend)
        for fault in refused.value.faults
    ]


def test_a_job_is_compiled_with_its_feed_and_datasets(workshop: Workshop) -> None:
    job = workshop.job()

    assert (job.name, job.kind, job.datasets) == (NAME, "api", ("servers",))
    assert job.feed == Feed(NAME, "acme-canopsis")
    assert job.place("sync", "connection") == "jobs/acme/servers.yaml:21:15"


def test_each_run_has_a_mapper_of_its_own(workshop: Workshop) -> None:
    job = workshop.job()

    assert job.mapper() is not job.mapper()


def test_six_faults_in_three_blocks_are_six_messages_in_the_order_of_the_file(
    tmp_path: Path,
) -> None:
    found = faults(SIX_FAULTS, tmp_path)

    assert [where for where, _, _ in found] == ["3:3", "5:81", "11:9", "13:37", "17:12", "18:21"]
    assert [what for _, what, _ in found] == [
        "unknown word 'conection'",
        "'FETCH' is not allowed",
        "unknown key 'categry'",
        found[3][1],
        "'disabled' is not allowed",
        found[5][1],
    ]
    assert "uppercas" in found[3][1]
    assert "'120%' is no limit" in found[5][1]
    assert [mend for _, _, mend in found] == [
        "did you mean 'connection'?",
        "known words: GET, POST",
        "did you mean 'category'?",
        found[3][2],
        "did you mean 'disable'?",
        found[5][2],
    ]
    assert "uppercase" in found[3][2]


@pytest.fixture
def counter() -> Iterator[tuple[str, list[str]]]:
    """A server that counts whatever is asked of it."""
    calls: list[str] = []

    async def count(request: Request) -> Response:
        calls.append(request.url.path)
        return JSONResponse({})

    methods = ["GET", "PUT", "POST", "DELETE"]
    with serve(Starlette(routes=[Route("/{path:path}", count, methods=methods)])) as url:
        yield url, calls


@pytest.mark.parametrize("command", ["check", "preview", "plan", "sync"])
def test_a_misdeclared_job_is_exit_2_and_no_network_call(
    command: str,
    workshop: Workshop,
    counter: tuple[str, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, calls = counter
    workshop.write_settings(SETTINGS.format(api=url, canopsis=url))
    workshop.write_job(SIX_FAULTS)

    with pytest.raises(SystemExit) as left:
        main([command, NAME])

    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.count("where: jobs/acme/servers.yaml:") == 6
    assert said.count("mend: ") == 6
    assert calls == []


def test_the_counter_of_calls_does_count_those_of_a_job_that_compiles(
    workshop: Workshop, counter: tuple[str, list[str]]
) -> None:
    url, calls = counter
    workshop.write_settings(SETTINGS.format(api=url, canopsis=url))

    with pytest.raises(SystemExit):
        main(["sync", NAME])

    assert calls


@pytest.mark.parametrize(
    ("text", "where", "what", "mend"),
    [
        ("", "1:1", "a job file has the keys", "three blocks"),
        ("- 1\n", "1:1", "a job file has the keys", ""),
        (f"{JOB}sinc: {{}}\n", "23:1", "unknown word 'sinc'", "did you mean 'sync'?"),
        (JOB.replace("type: api", "type: apy"), "2:9", "unknown source 'apy'", "'api'"),
        (JOB.replace("  type: api\n", ""), "1:1", "'type' is missing", "add `type:` here"),
        (JOB.replace("source:\n", "source: [\n]\nx:\n"), "1:9", "a mapping", "its `type`"),
        (
            JOB.replace("- dataset: servers", "- dataset: serverz"),
            "13:16",
            "unknown dataset 'serverz'",
            "did you mean 'servers'?",
        ),
        (JOB.replace("      ignore: [id]\n", "      ignore: id\n"), "19:15", "a list", ""),
        (
            JOB + "  limits: {missing: 110%}\n",
            "23:21",
            "'110%' is no limit",
            "",
        ),
        (JOB + "  limits: {mising: 10%}\n", "23:12", "unknown word 'mising'", "'missing'"),
        (JOB + "  schedule: {}\n", "23:13", "either `cron` or `interval`", "keep one"),
        (JOB + "  schedule: nightly\n", "23:13", "expected a mapping, not a text", "word: value"),
        (JOB + "  missing: disable\n  missing: keep\n", "24:3", "stands twice", "keep one"),
        (JOB.replace("import_source: acme-cmdb", "import_source: ''"), "22:18", "at least 1", ""),
        (JOB.partition("sync:")[0], "1:1", "'sync' is missing", "add a `sync:` block"),
        (JOB.replace("sync:", "sync: null\nsynk:"), "20:7", "expected a mapping, not nothing", ""),
        (
            JOB.replace("page_number", "page_numbr"),
            "10:25",
            "unknown type 'page_numbr'",
            "did you mean 'page_number'?",
        ),
        (
            JOB.replace("type: page_number, ", ""),
            "10:7",
            "'type' is missing",
            "add `type:` here",
        ),
    ],
)
def test_a_fault_has_its_place_and_its_mend(
    text: str, where: str, what: str, mend: str, tmp_path: Path
) -> None:
    found = faults(text, tmp_path)

    assert any(each[0] == where and what in each[1] and mend in each[2] for each in found), found


def test_what_is_not_yaml_is_one_fault_with_its_place(tmp_path: Path) -> None:
    ((where, what, mend),) = faults("source: [\nmapping: {}\n", tmp_path)

    assert where == "3:1"
    assert "not valid YAML" in what
    assert mend


def test_a_template_in_a_block_scalar_is_pointed_at_inside_the_block(tmp_path: Path) -> None:
    text = JOB.replace(
        "name: name\n", "name: |-\n          srv-\n          {{ .name | lowercas }}\n"
    )

    ((where, what, _),) = faults(text, tmp_path)

    assert where == "17:22"
    assert "lowercas" in what


def test_an_unknown_job_names_its_folder_and_the_nearest_one(workshop: Workshop) -> None:
    with pytest.raises(Misdeclared, match="unknown job 'acme/servres'") as refused:
        load_job("acme/servres", workshop.folder / "jobs")

    (fault,) = refused.value.faults
    assert fault.where == str(workshop.folder / "jobs")
    assert fault.mend == "did you mean 'acme/servers'?"


def test_a_job_may_be_given_by_its_file(workshop: Workshop) -> None:
    path = workshop.write_job(JOB, "globex/hosts")

    assert load_job("jobs/globex/hosts.yaml", Path("nowhere")).name == "globex/hosts"
    assert load_job(str(path), Path("nowhere")).name == "globex/hosts"


def test_jobs_are_listed_by_customer_and_name(workshop: Workshop) -> None:
    workshop.write_job(JOB, "zeta/a")
    workshop.write_job(JOB, "acme/links")
    (workshop.folder / "jobs" / "acme" / "servers.records.jsonl").touch()

    assert list(job_names(workshop.folder / "jobs")) == ["acme/links", "acme/servers", "zeta/a"]


def test_the_folder_of_jobs_is_that_of_the_environment_then_of_the_settings_then_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jobs_folder() == SHIPPED
    (tmp_path / "mappings" / "customers").mkdir(parents=True)
    assert jobs_folder() == tmp_path / "mappings" / "customers"
    assert jobs_folder("stated") == tmp_path / "stated"
    monkeypatch.setenv("REFSYNC_JOBS", "elsewhere")
    assert jobs_folder("stated") == tmp_path / "elsewhere"


def test_the_jobs_folder_of_the_settings_is_beside_them_wherever_a_command_is_given(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("home")

    assert jobs_folder(workshop.settings().jobs) == workshop.folder / "jobs"
