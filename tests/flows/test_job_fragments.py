"""Jobs made of several files: what is put together, where a fault is told, what is not read."""

import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.check import check_jobs, every_job
from flows.job import Job, job_names, load_job
from flows.misdeclared import Misdeclared
from tests.flows.workshop import NAME, Workshop, servers

# What the customer's jobs share, and one of them.
SHARED = """\
source: {type: api, connection: acme-cmdb}
variables: {customer: acme, site: Lyon}
mapping:
  lookups:
    sites: {csv: tables/sites.csv, key: code, value: label}
sync:
  connection: acme-canopsis
  import_source: "${customer}-cmdb"
  limits: {missing: 5%}
"""
INFOS = """\
infos:
  site: {copy: site, lookup: sites, description: Site}
  town: {set: "${site}"}
"""
SPLIT = """\
include: [../_shared/acme.yaml]
variables: {site: Nîmes}
source:
  datasets: {servers: {path: /api/servers, data_selector: data}}
mapping:
  entities:
    - dataset: servers
      component:
        include: _infos.yaml
        name: "${customer}-{{ .name }}"
      ignore: [id]
"""

Write = Callable[..., Path]


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """The folder of jobs; the job `acme/servers` stands on two fragments and a table."""
    folder = tmp_path / "jobs"
    for name, text in (
        ("acme/servers.yaml", SPLIT),
        ("acme/_infos.yaml", INFOS),
        ("_shared/acme.yaml", SHARED),
        ("_shared/tables/sites.csv", "code;label\nL;Lyon\nN;Nîmes\n"),
    ):
        write(folder, name, text)
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def changed(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def faults(folder: Path) -> list[tuple[str, str, str]]:
    """(place below the folder of jobs, what, mend) of each."""
    with pytest.raises(Misdeclared) as refused:
        load_job(NAME, folder)
    return [
        (fault.where.removeprefix("jobs/"), fault.what, fault.mend)
        for fault in refused.value.faults
    ]


def made(job: Job, *records: dict[str, Any]) -> list[dict[str, Any]]:
    mapped = job.mapper().map_page("servers", list(records), 1)
    return [orjson.loads(payload) for payload in mapped.entities.payloads]


def test_a_job_is_put_together_from_its_fragments_and_variables(jobs: Path) -> None:
    job = load_job(NAME, jobs)

    assert (job.kind, job.config.connection) == ("api", "acme-cmdb")
    assert (job.sync.import_source, job.sync.limits.missing) == ("acme-cmdb", "5%")
    (entity,) = made(job, {"name": "srv", "site": "N"})
    assert entity["name"] == "acme-srv"
    assert {key: info["value"] for key, info in entity["infos"].items()} == {
        "site": "Nîmes",
        "town": "Nîmes",
    }


def test_a_place_of_the_job_is_that_of_the_file_that_says_it(jobs: Path) -> None:
    job = load_job(NAME, jobs)

    assert job.place("sync", "connection") == "jobs/_shared/acme.yaml:7:15"
    assert job.place("source", "datasets", "servers") == "jobs/acme/servers.yaml:4:23"
    assert job.place("mapping", "expect") == "jobs/acme/servers.yaml:5:1"


def test_faults_of_three_files_are_told_at_once_each_in_its_own(jobs: Path) -> None:
    changed(jobs, "acme/servers.yaml", "ignore: [id]", "ignored: [id]")
    changed(jobs, "acme/servers.yaml", "{{ .name }}", "{{ .name | lowercas }}")
    changed(jobs, "acme/_infos.yaml", "lookup: sites", "lookup: sitez")
    changed(jobs, "acme/_infos.yaml", "${site}", "${sit}")
    changed(jobs, "_shared/acme.yaml", "limits: {missing: 5%}", "limits: {missing: 500%}")
    changed(jobs, "_shared/acme.yaml", "type: api,", "type: api, conection: x,")

    found = faults(jobs)

    assert [(where, what.partition(":")[0]) for where, what, _ in found] == [
        ("acme/servers.yaml:10:15", "template"),  # where in a text with variables is not known
        ("acme/servers.yaml:11:7", "unknown key 'ignored'"),
        ("acme/_infos.yaml:2:30", "unknown lookup 'sitez'"),
        ("acme/_infos.yaml:3:16", "unknown variable 'sit'"),
        ("_shared/acme.yaml:1:21", "unknown word 'conection'"),
        ("_shared/acme.yaml:9:21", "'500%' is no limit"),
    ]
    assert [mend for _, _, mend in found[:5]] == [
        "did you mean 'lowercase'?",
        "did you mean 'ignore'?",
        "did you mean 'sites'?",
        "did you mean 'site'?",
        "did you mean 'connection'?",
    ]


def test_a_place_inside_a_template_of_a_fragment_is_that_of_the_fragment(jobs: Path) -> None:
    changed(
        jobs, "acme/_infos.yaml", "{copy: site, lookup", '{template: "{{ upper .site }}", lookup'
    )

    ((where, what, mend),) = faults(jobs)

    assert where == "acme/_infos.yaml:2:24"
    assert 'function "upper" not defined' in what
    assert mend == "did you mean 'uppercase'?"


def test_a_fragment_at_fault_that_is_included_twice_is_told_once(jobs: Path) -> None:
    block = '    - {dataset: servers, component: {include: _infos.yaml, name: "b-{{ .name }}"}}\n'
    changed(jobs, "acme/servers.yaml", "      ignore: [id]\n", block)
    changed(jobs, "acme/_infos.yaml", "lookup: sites", "lookup: sitez")

    assert [where for where, _, _ in faults(jobs)] == ["acme/_infos.yaml:2:30"]


def test_a_key_that_stands_twice_in_a_fragment_is_told_there(jobs: Path) -> None:
    changed(jobs, "_shared/acme.yaml", "sync:\n", "sync:\n  connection: other\n")

    ((where, what, _),) = faults(jobs)

    assert (where, what) == (
        "_shared/acme.yaml:8:3",
        "the key 'connection' stands twice, first on line 7",
    )


@pytest.mark.parametrize(
    ("include", "what", "mend"),
    [
        ("_info.yaml", "cannot read _info.yaml: No such file", "did you mean '_infos.yaml'?"),
        ("../zzz.yaml", "cannot read ../zzz.yaml: No such file", "put it there"),
        ("../_shared", "cannot read ../_shared: it is no file", ""),
        ("../../outside.yaml", "../../outside.yaml: it is outside of jobs", "among the jobs"),
        ("/etc/hosts", "cannot read /etc/hosts: it is outside of jobs", "among the jobs"),
        ("leads_out.yaml", "cannot read leads_out.yaml: it is outside of jobs", ""),
        ("circle.yaml", "cannot read circle.yaml: Too many levels of symbolic links", ""),
        ("pipe.yaml", "cannot read pipe.yaml: it is no file", ""),
        (r"a\0b.yaml", "No such file", ""),
        ("a" * 300, "File name too long", ""),
        ("servers.yaml", "servers.yaml includes itself", "remove the include"),
        ("_again.yaml", "includes itself", "remove the include"),
        ("_list.yaml", "_list.yaml holds an array, not keys", "write `key: value`"),
        ("_empty.yaml", "_empty.yaml holds null, not keys", "write `key: value`"),
    ],
)
def test_what_cannot_be_included_is_a_fault_where_it_is_asked_for(
    include: str, what: str, mend: str, jobs: Path
) -> None:
    write(jobs.parent, "outside.yaml", "name: secret")
    (jobs / "acme" / "leads_out.yaml").symlink_to(jobs.parent / "outside.yaml")
    (jobs / "acme" / "circle.yaml").symlink_to("circle.yaml")
    os.mkfifo(jobs / "acme" / "pipe.yaml")
    write(jobs, "acme/_again.yaml", "include: ../acme/_again.yaml")
    write(jobs, "acme/_list.yaml", "- 1")
    write(jobs, "acme/_empty.yaml", "# nothing\n")
    changed(jobs, "acme/servers.yaml", "include: _infos.yaml", f'include: "{include}"')

    found = faults(jobs)

    place = "acme/_again.yaml:1:10" if include == "_again.yaml" else "acme/servers.yaml:9:18"
    assert [where for where, _, _ in found] == [place]
    assert what in found[0][1]
    assert mend in found[0][2]


def test_what_a_fragment_that_is_not_there_might_have_given_is_not_missed(jobs: Path) -> None:
    changed(jobs, "acme/servers.yaml", "acme.yaml]", "acne.yaml]")
    changed(jobs, "acme/servers.yaml", "ignore:", "ignored:")

    found = faults(jobs)

    assert [(where, what) for where, what, _ in found] == [
        ("acme/servers.yaml:1:11", "cannot read ../_shared/acne.yaml: No such file or directory"),
        ("acme/servers.yaml:11:7", "unknown key 'ignored'"),
    ]
    assert found[0][2] == "did you mean 'acme.yaml'?"


def test_a_fragment_that_is_no_yaml_is_told_at_its_place_and_nothing_else(jobs: Path) -> None:
    write(jobs, "_shared/acme.yaml", "source:\n  type: [api\nsync: {}\n")

    ((where, what, mend),) = faults(jobs)

    assert where == "_shared/acme.yaml:3:5"
    assert "not valid YAML" in what
    assert mend


def test_a_fragment_that_is_not_utf_8_is_told_with_its_line(jobs: Path) -> None:
    (jobs / "acme" / "_infos.yaml").write_bytes(b"infos:\n  site: {set: N\xeemes}\n")

    assert faults(jobs) == [("acme/_infos.yaml:2:1", "the file is not UTF-8", "save it as UTF-8")]


def test_links_that_stay_among_the_jobs_are_followed(jobs: Path) -> None:
    """As the volumes of Kubernetes have them: a name leads to a folder of the day."""
    (jobs / "_shared").rename(jobs / "_day")
    (jobs / "_data").symlink_to("_day")
    (jobs / "_shared").mkdir()
    (jobs / "_shared" / "acme.yaml").symlink_to("../_data/acme.yaml")
    (jobs / "_shared" / "tables").symlink_to("../_data/tables")

    assert made(load_job(NAME, jobs), {"name": "srv", "site": "L"})


def test_a_folder_of_jobs_that_is_itself_a_link_is_the_folder(jobs: Path) -> None:
    (jobs.parent / "linked").symlink_to(jobs)

    assert load_job(NAME, jobs.parent / "linked").sync.import_source == "acme-cmdb"


def test_fragments_without_end_are_refused_in_time(jobs: Path) -> None:
    twice = "include: [_{n}.yaml, _{n}.yaml]\n"
    for rank in range(30):
        write(jobs, f"acme/_{rank}.yaml", twice.format(n=rank + 1))
    write(jobs, "acme/_30.yaml", "infos: {}\n")
    changed(jobs, "acme/servers.yaml", "_infos.yaml", "_0.yaml")

    whats = {what for _, what, _ in faults(jobs)}

    assert "more than 500 fragments are included" in whats


def test_a_large_fragment_may_not_be_included_without_end(jobs: Path) -> None:
    rows = ", ".join(f"k{rank}: v" for rank in range(3_000))
    write(jobs, "acme/_large.yaml", f"lookups: {{t: {{{rows}}}}}")
    many = ", ".join(["_large.yaml"] * 80)
    changed(jobs, "acme/servers.yaml", "mapping:\n", f"mapping:\n  include: [{many}]\n")

    found = faults(jobs)

    assert {what for _, what, _ in found} == {"fragments unfold to more than 200000 nodes"}


# --- tables


def test_a_table_is_read_from_the_folder_of_the_file_that_names_it(jobs: Path) -> None:
    write(jobs, "acme/tables/sites.csv", "code;label\nN;of the job\n")

    (entity,) = made(load_job(NAME, jobs), {"name": "srv", "site": "N"})

    assert entity["infos"]["site"]["value"] == "Nîmes"


def test_a_run_uses_the_table_that_was_compiled(jobs: Path) -> None:
    job = load_job(NAME, jobs)
    before = made(job, {"name": "srv", "site": "N"})
    write(jobs, "_shared/tables/sites.csv", "code;label\nN;Nemausus\n")

    assert made(job, {"name": "srv", "site": "N"}) == before
    (entity,) = made(load_job(NAME, jobs), {"name": "srv", "site": "N"})
    assert entity["infos"]["site"]["value"] == "Nemausus"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("sitez.csv", "cannot read sitez.csv: No such file or directory"),
        ("tables", "cannot read tables: it is no file"),
        ("leads_out.csv", "cannot read leads_out.csv: it is outside of jobs"),
        ("../acme/sites.csv", "a path stays in the job's folder"),
        (r"a\0b.csv", "No such file or directory"),
    ],
)
def test_a_table_that_cannot_be_read_is_a_fault_with_its_place(
    name: str, what: str, jobs: Path
) -> None:
    write(jobs.parent, "outside.csv", "code;label\nN;secret\n")
    (jobs / "_shared" / "leads_out.csv").symlink_to(jobs.parent / "outside.csv")
    changed(jobs, "_shared/acme.yaml", "tables/sites.csv", f'"{name}"')

    ((where, said, mend),) = faults(jobs)

    assert where == "_shared/acme.yaml:5:18"
    assert what in said
    assert mend


def test_a_fault_of_a_table_names_its_line_and_the_place_of_the_table(jobs: Path) -> None:
    write(jobs, "_shared/tables/sites.csv", "code;label\nN;a\nN;b\n")

    ((where, what, _),) = faults(jobs)

    assert where == "_shared/acme.yaml:5:18"
    assert what == "tables/sites.csv:3: the key 'N' stands twice, with other values"


def test_a_misspelt_word_does_not_hide_where_its_table_stands(jobs: Path) -> None:
    changed(jobs, "_shared/acme.yaml", "lookups:", "lookps:")

    ((where, what, mend),) = faults(jobs)

    assert (where, what) == ("_shared/acme.yaml:4:3", "unknown key 'lookps'")
    assert mend == "did you mean 'lookups'?"


# --- which files are jobs


def test_files_and_folders_whose_names_begin_with_an_underscore_are_no_jobs(jobs: Path) -> None:
    write(jobs, "_old/servers.yaml", SPLIT)

    assert list(job_names(jobs)) == [NAME]
    assert every_job(jobs) == (NAME,)


@pytest.mark.parametrize("name", ["acme/_infos", "_shared/acme", "jobs/acme/_infos.yaml"])
def test_a_fragment_is_not_run_as_a_job(name: str, jobs: Path) -> None:
    with pytest.raises(Misdeclared, match="is a part of jobs and no job") as refused:
        load_job(name, jobs)

    (fault,) = refused.value.faults
    assert fault.where.startswith("jobs/")
    assert fault.mend == "name a job that includes it"


def test_a_job_from_elsewhere_includes_files_of_the_customers_beside_it(
    jobs: Path, tmp_path: Path
) -> None:
    path = jobs / "acme" / "servers.yaml"

    assert load_job(str(path), tmp_path / "nowhere").sync.import_source == "acme-cmdb"
    changed(jobs, "acme/servers.yaml", "_infos.yaml", "../../outside.yaml")
    write(tmp_path, "outside.yaml", "infos: {}")
    with pytest.raises(Misdeclared, match="it is outside of jobs"):
        load_job(str(path), tmp_path / "nowhere")


def test_a_check_compiles_jobs_with_fragments_and_tells_of_all_others(
    jobs: Path, workshop: Workshop
) -> None:
    write(jobs, "acme/broken.yaml", "include: ../_shared/nothing.yaml\n" + SPLIT.partition("\n")[2])
    (jobs / "acme" / "servers.yaml").write_text(SPLIT, encoding="utf-8")

    seen = check_jobs(workshop.settings(), every_job(jobs), connect=False)

    assert [row["job"] for row in seen.jobs] == [NAME]
    assert [fault["where"] for fault in seen.faults] == ["jobs/acme/broken.yaml:1:10"]


def test_entities_do_not_depend_on_where_the_command_is_given(
    jobs: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.serve(servers(5, site="N"))
    workshop.write_job(SPLIT)
    first = workshop.run(only_plan=True)
    monkeypatch.chdir(jobs / "acme")
    second = workshop.run(only_plan=True)

    assert first.planned is not None
    assert second.planned is not None
    assert first.planned.found == 5
    assert first.planned.checksum == second.planned.checksum
