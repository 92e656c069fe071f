"""Golden pairs: what `refsync test` says of them, and what it asks for (nothing)."""

import re
import shutil
import socket
from pathlib import Path

import orjson
import pytest

from flows import pairs
from flows.job import SHIPPED, job_names
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, Workshop

RECORDS = [
    {"id": "1", "name": "srv-001", "site": "Nîmes"},
    {"id": "2", "name": "srv-002", "site": "Lyon"},
]
LINKED = """\
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers: {path: /api/servers}
    links: {path: /api/links}
mapping:
  lookups:
    owners: {dataset: links, key: server, value: owner}
  entities:
    - dataset: servers
      component:
        name: name
        infos: {owner: {copy: name, lookup: owners}}
sync: {connection: acme-canopsis, import_source: acme-cmdb}
"""


def beside(workshop: Workshop, what: str, name: str = NAME) -> Path:
    return workshop.folder / "jobs" / f"{name}.{what}.jsonl"


def write_records(workshop: Workshop, *records: object, name: str = NAME) -> None:
    lines = (orjson.dumps(record) + b"\n" for record in records)
    beside(workshop, "records", name).write_bytes(b"".join(lines))


@pytest.fixture
def pair(workshop: Workshop, refsync: Refsync) -> Workshop:
    """The job of the workshop with a pair that agrees."""
    write_records(workshop, *RECORDS)
    assert refsync("test", "--update").code == 0
    return workshop


# --- what agrees


@pytest.mark.parametrize("name", sorted(job_names(SHIPPED)))
def test_every_shipped_job_has_a_pair_that_agrees(
    name: str, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFSYNC_JOBS", str(SHIPPED))

    done = refsync("test", name)

    assert (done.code, done.out.split()[:2]) == (0, ["ok", name])


@pytest.mark.usefixtures("pair")
def test_a_pair_that_agrees_is_one_line_and_exit_code_0(refsync: Refsync) -> None:
    done = refsync("test", NAME)

    assert done.code == 0
    assert done.out.splitlines() == [
        "ok        acme/servers  2 records, 2 entities",
        "1 pair, 0 differ",
    ]


def test_without_a_name_all_jobs_are_compared_and_those_without_a_pair_are_named(
    pair: Workshop, refsync: Refsync
) -> None:
    pair.write_job(JOB, "acme/other")

    done = refsync("test")

    assert done.code == 0
    assert "no pair   acme/other" in done.out.splitlines()
    assert done.out.splitlines()[-1] == "1 pair, 0 differ, 1 job without"


def test_the_layout_of_a_line_does_not_matter_but_its_types_do(
    pair: Workshop, refsync: Refsync
) -> None:
    entities = beside(pair, "entities")
    loose = b"\n\n".join(
        orjson.dumps(orjson.loads(line), option=orjson.OPT_INDENT_2).replace(b"\n", b" ")
        for line in entities.read_bytes().splitlines()
    )
    entities.write_bytes(loose)
    assert refsync("test").code == 0

    entities.write_bytes(loose.replace(b'"impact_level": 1', b'"impact_level": 1.0'))
    assert refsync("test").code == 1


def test_no_call_is_made_and_no_run_is_kept(
    pair: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was called")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert refsync("test").code == 0
    assert refsync("test", "--update").code == 0
    assert not (pair.folder / "state").exists()


def test_a_job_of_several_datasets_is_mapped_in_the_order_it_needs(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(LINKED)
    write_records(
        workshop,
        {"dataset": "servers", "record": {"name": "srv-001"}},
        {"dataset": "links", "record": {"server": "srv-001", "owner": "network"}},
    )

    assert refsync("test", NAME, "--update").code == 0
    (entity,) = map(orjson.loads, beside(workshop, "entities").read_bytes().splitlines())
    assert entity["infos"]["owner"]["value"] == "network"


@pytest.mark.usefixtures("pair")
def test_a_job_may_be_given_by_its_path(refsync: Refsync) -> None:
    assert refsync("test", "jobs/acme/servers.yaml").code == 0


# --- what differs


def test_a_change_of_the_mapping_is_shown_key_by_key_and_is_exit_code_1(
    pair: Workshop, refsync: Refsync
) -> None:
    pair.write_job(JOB.replace("site: {value: site, ", 'site: {value: "{{ uppercase .site }}", '))

    done = refsync("test", NAME)

    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[:4] == [
        "differs   acme/servers  2 records, 2 entities",
        "--- jobs/acme/servers.entities.jsonl",
        "+++ what the mapping makes",
        "@@ -1 +1 @@ component srv-001",
    ]
    assert [line for line in lines if re.match(r"[-+] ", line)] == [
        '-  infos.site.value: "Nîmes"',
        '+  infos.site.value: "NÎMES"',
        '-  infos.site.value: "Lyon"',
        '+  infos.site.value: "LYON"',
    ]
    assert lines[-1] == "1 pair, 1 differs"
    assert "mend: mend the mapping, or accept it: refsync test acme/servers --update" in done.err


def test_update_accepts_what_the_mapping_makes_and_says_what_it_wrote(
    pair: Workshop, refsync: Refsync
) -> None:
    pair.write_job(JOB.replace("{set: Server}", "{set: Host}"))
    assert refsync("test", NAME).code == 1

    updated = refsync("test", NAME, "--update")

    assert updated.code == 0
    assert "jobs/acme/servers.entities.jsonl" in updated.out.split()
    assert refsync("test", NAME).code == 0
    assert b'"category":"Host"' in beside(pair, "entities").read_bytes()
    assert refsync("test", NAME, "--update").out.startswith("ok ")  # nothing more to write


def test_an_update_that_cannot_be_written_leaves_the_file_as_it_was(
    pair: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = beside(pair, "entities").read_bytes()
    pair.write_job(JOB.replace("{set: Server}", "{set: Host}"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    done = refsync("test", NAME, "--update")

    assert done.code == 1
    assert "No space left on device" in done.err
    assert beside(pair, "entities").read_bytes() == before
    assert [
        path.name for path in beside(pair, "entities").parent.iterdir() if path.name[0] == "."
    ] == []


def test_an_entity_more_or_less_and_another_order_are_seen(
    pair: Workshop, refsync: Refsync
) -> None:
    entities = beside(pair, "entities")
    first, second = entities.read_bytes().splitlines()

    entities.write_bytes(first)
    more = refsync("test").out.splitlines()
    entities.write_bytes(b"\n".join([first, second, second]))
    less = refsync("test").out.splitlines()
    entities.write_bytes(b"\n".join([second, first]))
    turned = refsync("test").out.splitlines()

    assert "@@ -0,0 +2 @@ component srv-002" in more
    assert '+  name: "srv-002"' in more
    assert "@@ -3 +0,0 @@ component srv-002" in less
    assert '-  name: "srv-002"' in less
    assert turned[3:6] == ["@@ -1 +1 @@ the order", "-component srv-002", "+component srv-001"]


def test_records_without_entities_are_all_new(workshop: Workshop, refsync: Refsync) -> None:
    write_records(workshop, *RECORDS)

    done = refsync("test")

    assert done.code == 1
    assert "@@ -0,0 +1 @@ component srv-001" in done.out


def test_on_a_terminal_the_diff_has_colours_and_data_cannot_add_any(
    pair: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(pair, {"id": "1", "name": "srv-001", "site": "\x1b[31mred\x9b"}, RECORDS[1])
    plain = refsync("test").out
    monkeypatch.setenv("FORCE_COLOR", "1")

    coloured = refsync("test").out

    assert "\x1b" not in plain
    assert "\\u001b[31mred" in plain
    assert "\\x9b" in plain
    assert re.search(r"\x1b\[31m-  infos.site.value: ", coloured)
    assert re.search(r"\x1b\[32m\+  infos.site.value: ", coloured)
    assert "\x9b" not in coloured


# --- rejects


def test_a_mapping_that_begins_to_reject_is_noticed(pair: Workshop, refsync: Refsync) -> None:
    pair.write_job(JOB.replace("name: name", "name: {copy: name, lookup: {srv-001: srv-001}}"))

    done = refsync("test", NAME)

    assert done.code == 1
    assert "2 records, 1 entity, 1 reject" in done.out
    assert "--- jobs/acme/servers.rejects.jsonl" in done.out
    assert "@@ -0,0 +1 @@ reject servers 2" in done.out
    assert '+  rule: "component.name"' in done.out
    assert "is not in lookup" in done.out


def test_expected_rejects_are_kept_in_a_file_that_goes_with_the_last_of_them(
    pair: Workshop, refsync: Refsync
) -> None:
    write_records(pair, *RECORDS, {"id": "3"})
    assert refsync("test").code == 1

    assert refsync("test", "--update").code == 0
    (reject,) = map(orjson.loads, beside(pair, "rejects").read_bytes().splitlines())
    assert (reject["dataset"], reject["number"], reject["rule"]) == ("servers", 3, "component.name")
    assert refsync("test").out.startswith("ok        acme/servers  3 records, 2 entities, 1 reject")

    write_records(pair, *RECORDS)
    assert refsync("test").code == 1
    assert "jobs/acme/servers.rejects.jsonl (removed)" in refsync("test", "--update").out
    assert not beside(pair, "rejects").exists()


# --- what is mis-declared


def test_lines_that_are_no_records_are_told_with_their_places_all_at_once(
    pair: Workshop, refsync: Refsync
) -> None:
    beside(pair, "records").write_bytes(b'{"name": "srv-001"}\n{"name": \n\n[1]\nnull\n')

    done = refsync("test", NAME)

    assert done.code == 2
    for where in ("servers.records.jsonl:2:", "servers.records.jsonl:4:1", "jsonl:5:1"):
        assert where in done.err
    assert done.err.count("mend: write one JSON object a line") == 3


def test_a_file_that_is_no_json_at_all_is_told_in_short(pair: Workshop, refsync: Refsync) -> None:
    beside(pair, "records").write_bytes(b"name;site\n" * 500)

    done = refsync("test", NAME)

    assert done.code == 2
    assert done.err.count("where: ") == 11
    assert "490 more lines cannot be read" in done.err


def test_a_dataset_that_the_job_does_not_read_is_told_with_the_nearest_one(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(LINKED)
    write_records(workshop, {"dataset": "server", "record": {}}, {"name": "srv-001"})

    done = refsync("test", NAME)

    assert done.code == 2
    assert "did you mean 'servers'?" in done.err
    assert 'write {"dataset": …, "record": {…}}' in done.err


def test_an_expected_file_that_cannot_be_read_is_2_and_update_writes_it_anew(
    pair: Workshop, refsync: Refsync
) -> None:
    beside(pair, "entities").write_bytes(b"<<<<<<< ours\n")

    done = refsync("test", NAME)

    assert done.code == 2
    assert "jobs/acme/servers.entities.jsonl:1:1" in done.err
    assert refsync("test", NAME, "--update").code == 0
    assert refsync("test", NAME).code == 0


def test_one_job_at_fault_does_not_keep_the_others_from_being_compared(
    pair: Workshop, refsync: Refsync
) -> None:
    pair.write_job(JOB.replace("name: name", "nmae: name"), "acme/bad")
    shutil.copy(beside(pair, "records"), beside(pair, "records", "acme/bad"))
    pair.write_job(JOB.replace("{set: Server}", "{set: Host}"))

    done = refsync("test")

    assert done.code == 2
    assert "did you mean 'name'?" in done.err
    assert "differs   acme/servers" in done.out
    assert done.out.splitlines()[-1] == "1 pair, 1 differs, 1 fault"


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("acme/server",), "did you mean 'acme/servers'?"),
        (("acme/servers",), "refsync record acme/servers"),
        ((), "refsync record JOB"),
    ],
)
def test_a_job_that_is_not_there_or_has_no_pair_is_2(
    words: tuple[str, ...], mend: str, workshop: Workshop, refsync: Refsync
) -> None:
    assert workshop.job()

    done = refsync("test", *words)

    assert done.code == 2
    assert mend in done.err


# --- JSON


def test_the_document_has_jobs_with_their_diffs_and_faults(
    pair: Workshop, refsync: Refsync
) -> None:
    pair.write_job(JOB.replace("{set: Server}", "{set: Host}"))
    pair.write_job(JOB, "acme/other")

    done = refsync("test", "--json")

    assert done.code == 1
    other, servers = done.document["jobs"]
    assert list(servers) == ["job", "state", "records", "entities", "rejects", "diff", "written"]
    assert (other["state"], servers["state"]) == ("no pair", "differs")
    assert '-  category: "Server"' in servers["diff"]
    assert done.document["faults"] == []


def test_pairs_need_neither_settings_nor_connections(
    pair: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFSYNC_CONFIG")
    (pair.folder / "refsync.yaml").unlink()
    monkeypatch.setenv("REFSYNC_JOBS", str(pair.folder / "jobs"))

    assert refsync("test").code == 0
    assert "requests" not in vars(pairs)
