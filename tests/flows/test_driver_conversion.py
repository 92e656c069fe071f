"""`refsync init --from-driver`: the job gives the same entities as the driver file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flows.conversion import Converted, convert
from flows.job import load_job
from flows.misdeclared import Misdeclared
from flows.settings import Settings, SettingsFile
from mappings.driver import rows_of
from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS, DriverMapper
from tests.flows.command import Refsync
from tests.flows.driver_rig import (
    FILES,
    Cmdb,
    enabled,
    named,
    with_api,
    write,
    write_text,
)
from tests.flows.workshop import Workshop

EXAMPLES = ("servers", "composants", "applications", "documented", "legacy")


def converted(file: Path, folder: Path, customer: str = "acme") -> Converted:
    return convert(Settings(None, SettingsFile(), folder), file, folder, customer)


def of_text(text: str, folder: Path) -> Converted:
    file = folder / "x.yml"
    file.write_text(text, encoding="utf-8")
    return converted(file, folder)


def payloads_of_job(name: str, folder: Path, rows: list[Any]) -> list[bytes]:
    mapper = load_job(name, folder).mapper()
    made = mapper.map_page(ROWS, rows, 1).entities
    return [*made.payloads, *mapper.finish(ROWS).entities.payloads]


def refusals(file: Path, folder: Path) -> list[tuple[str, str, str]]:
    """Line and column, what, mend of each fault."""
    with pytest.raises(Misdeclared) as refused:
        converted(file, folder)
    assert not (folder / "acme").exists() or not any((folder / "acme").iterdir())
    faults = refused.value.faults
    assert all(fault.where.startswith(f"{file}:") for fault in faults)
    return [(f.where.removeprefix(f"{file}:"), f.what, f.mend) for f in faults]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_entities_are_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    """Of the use case and of every example of the spec."""
    file = read_driver((FILES / f"{name}.yml").read_text(encoding="utf-8"))
    answer = json.loads((FILES / f"{name}.json").read_bytes())
    ours = DriverMapper(file).map_page(ROWS, rows_of(file, answer), 1).entities

    written = converted(FILES / f"{name}.yml", tmp_path)

    theirs = payloads_of_job(f"acme/{name}", tmp_path, rows_of(file, answer))
    assert theirs == ours.payloads
    assert len(theirs) > 0
    job = load_job(f"acme/{name}", tmp_path)
    assert (job.sync.import_source, job.sync.missing) == (file.source, file.missing)
    assert "base_url: http://localhost:9200\n" in written.connection


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_job_compiles_says_what_to_fill_in_and_holds_no_secret(
    name: str, workshop: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"EXTERNAL_API_{part}", f"s3cret-{part}")
    text = (FILES / f"{name}.yml").read_text(encoding="utf-8").replace("  headers:\n", "")
    file = with_api(write_text(text), headers={"X-Api-Key": "s3cret-key"})

    made = refsync("init", "--from-driver", file, "--customer", "acme")

    assert made.code == 0, made.err
    job = (workshop.folder / "jobs" / "acme" / "api.yaml").read_text(encoding="utf-8")
    assert f"# From the driver file {file}. Fill in both connections, then try it:" in job
    assert "refsync check acme/api; refsync preview acme/api; refsync plan acme/api" in job
    for key, name_ in (("connection: acme-api", "acme-api"), ("connection: acme-c", "acme-canop")):
        assert re.search(rf"{key}\w*  # fill in: {name_}\w*, under `connections:`", job)
    assert "# expect: {rows: {min: 100}}  # fill in" in job
    assert "# limits: {missing: 10%, changed: 60%, minimum_population: 20}  # fill in" in job
    assert '# schedule: {cron: "0 2 * * *", timezone: Europe/Paris}  # fill in' in job
    asked = "EXTERNAL_API_PASSWORD, EXTERNAL_API_USERNAME, X_API_KEY"
    assert f"# fill in, in the environment: {asked}" in made.out
    assert "s3cret" not in job + made.out + made.err
    assert refsync("check", "acme/api").code == 0


@pytest.mark.parametrize("comment", ["expect", "limits", "schedule"])
def test_what_is_to_be_filled_in_may_be_uncommented(comment: str, tmp_path: Path) -> None:
    path = converted(FILES / "servers.yml", tmp_path).path
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"# {comment}:", f"{comment}:"), encoding="utf-8")

    job = load_job("acme/servers", tmp_path)

    assert job.sync.limits.missing == "10%"
    assert (job.sync.schedule is not None) == (comment == "schedule")
    assert ("expect" in job.mapping) == (comment == "expect")


def test_a_converted_file_syncs_to_the_same_entities(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_API_USERNAME", "user")
    monkeypatch.setenv("EXTERNAL_API_PASSWORD", "pass")
    monkeypatch.setenv("X_API_KEY", "k")
    file = with_api(
        write(cmdb, named("a", "b")), headers={"X-Api-Key": "k", "x-site": "n"}, method="POST"
    )
    write_text(
        Path(file).read_text(encoding="utf-8").replace("/rows", "/rows?a=1&a=2&${b}=${c}"), file
    )
    assert refsync("driver", file).code == 0
    by_driver = workshop.entities()

    made = refsync("init", "--from-driver", file, "--customer", "acme")
    assert made.code == 0, made.err
    settings = workshop.folder / "refsync.yaml"
    block = "".join(f"  {line}\n" for line in made.out.splitlines())
    settings.write_text(settings.read_text(encoding="utf-8") + block, encoding="utf-8")
    done = refsync("sync", "acme/api")

    assert done.code == 0, done.err
    assert workshop.entities().keys() == by_driver.keys()
    assert enabled(workshop) == {"a", "b"}
    first, last = cmdb.asked[0], cmdb.asked[-1]
    assert first.headers["authorization"] == last.headers["authorization"]
    assert (first.method, last.method) == ("POST", "POST")
    assert last.path == "/rows?a=1&a=2&%24%7Bb%7D=%24%7Bc%7D"
    assert (last.headers["x-api-key"], last.headers["x-site"]) == ("k", "n")
    again = refsync("init", "--from-driver", file, "--customer", "acme")
    assert again.code == 2
    assert "the job is there already" in again.err


def test_what_stands_for_a_variable_in_jobs_is_taken_as_it_is(tmp_path: Path) -> None:
    text = (FILES / "servers.yml").read_text(encoding="utf-8")
    value = "'${site} $${site} ${1} {{.Field}}'"

    written = of_text(text.replace("'{{uppercase .Field}}'", value), tmp_path)

    rows = json.loads((FILES / "servers.json").read_bytes())["hits"]["hits"]
    first = json.loads(payloads_of_job("acme/x", tmp_path, rows)[0])
    assert first["infos"]["codeComposant"]["value"] == "${site} $${site} ${1} Doc-Composant1"
    assert "$${site} $$${site} ${1}" in written.job


def test_the_job_says_on_which_odd_rows_it_does_otherwise(tmp_path: Path) -> None:
    job = converted(FILES / "composants.yml", tmp_path).job
    head = [line for line in job.splitlines() if line.startswith("# - ")]

    assert head == [
        "# - a template prints 1234567 as it is, where the driver prints 1.234567e+06",
        "# - a template whose field is null gives no value, where the driver prints one",
        "# - an info that is an object, or an array of anything but texts, is left out",
        "# - a name that no event can carry (blank, too long) makes the row a reject",
        "# - the guard stops a run in which much is missing or changed: see limits",
    ]
    level = of_text((FILES / "legacy.yml").read_text(encoding="utf-8"), tmp_path).job
    assert "# - an impact_level that is not from 1 to 10 makes the row a reject" in level
    assert "much is missing" not in level


def test_what_a_job_cannot_say_refuses_the_conversion_each_with_its_place(tmp_path: Path) -> None:
    assert refusals(FILES / "every_key.yml", tmp_path) == [
        ("23:5", "component.enabled has no word in a job", "use refsync driver"),
        ("24:5", "component.tags has no word in a job", "use refsync driver"),
        ("24:18", "a template uses .Env, which jobs have not", "write its value"),
        ("25:5", "component.upstream has no word in a job", "use refsync driver"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "mend"),
    [
        ("action: set", "action: enable", "6:3", "the action is enable", "use refsync driver"),
        ("method: GET", "method: PUT", "3:3", "does not ask by PUT", "GET or POST"),
        ("'{{uppercase .Field}}'", "'{{.}}'", "25:11", "the dot as a whole", "use .Field"),
        (
            "'{{uppercase .Field}}'",
            "'{{.Field.x}}'",
            "25:11",
            ".Field.x",
            "field: _source.codeComposant.x",
        ),
        (
            "method: GET",
            "headers: {Content-Type: application/json}\n  body: {n: [{db_password: s3cret}]}",
            "4:10",
            "'db_password' looks like a secret",
            "`auth:` of a connection",
        ),
        (
            "method: GET",
            'body: {json_data: \'{"auth_token": "s3cret"}\'}',
            "3:10",
            "'auth_token' looks like a secret",
            "`auth:` of a connection",
        ),
        ("method: GET", "headers: {x-SITE: '${s}'}", "3:13", "taken for a reference", "driver"),
        ("/_search", "/_search?api_token=s3cret", "2:3", "'api_token' looks like a secret", "auth"),
    ],
)
def test_a_refused_conversion_names_the_place_and_no_secret(
    *, old: str, new: str, place: str, what: str, mend: str, tmp_path: Path
) -> None:
    text = (FILES / "servers.yml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "secret.yml"
    file.write_text(text.replace(old, new), encoding="utf-8")

    found = refusals(file, tmp_path)

    assert [each[0] for each in found if what in each[1] and mend in each[2]] == [place]
    assert "s3cret" not in str(found)


@pytest.mark.parametrize("customer", ["../up", "_shared", "", "a b", ".hidden"])
def test_a_customer_is_the_name_of_a_folder(customer: str, tmp_path: Path) -> None:
    with pytest.raises(Misdeclared, match="is no name of a folder") as refused:
        converted(FILES / "servers.yml", tmp_path / "jobs", customer)

    assert [fault.where for fault in refused.value.faults] == ["--customer"]
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
