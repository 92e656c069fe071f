"""`refsync driver`: files of Canopsis' own driver, run against simulators.

Tests are named after the decisions of `specs/driver-compat.md` §2.2 that they hold; those that need
no run are in `tests/mappings/test_driver_decisions.py`, those on the call in `test_driver_call.py`.
"""

import json
import re
from pathlib import Path

import pytest
import requests

from flows.driver_log import go_duration
from tests.flows.command import Refsync
from tests.flows.driver_rig import (
    FILES,
    LINE,
    Cmdb,
    enabled,
    named,
    with_api,
    write,
    write_text,
)
from tests.flows.workshop import KEY, Workshop

TESTS = Path(__file__).parent.parent
ALSO = """\
  resource:
    name: {type: copy, value: disk}
    component: {type: copy, value: name}
"""
BULK = "PUT /api/v4/bulk/entities/disable"
SERVICE = """\
  service:
    name: {type: template, field: name, value: 'S-{{.Field}}'}
    pattern: {field: name, cond: eq, value: {type: copy, value: name}}
"""


def also(file: str, sections: str) -> str:
    """The file with more sections under `mapping:`."""
    return write_text(Path(file).read_text(encoding="utf-8") + sections, file)


def disks(*names: str) -> list[dict[str, str]]:
    return [{**row, "disk": "sda"} for row in named(*names)]


def received(workshop: Workshop, route: str) -> int:
    """The bytes that a route of Canopsis received."""
    with workshop.canopsis.lock:
        return workshop.canopsis.traffic.bytes[route]


def last_import(workshop: Workshop) -> int:
    """The bytes of the last import."""
    with workshop.canopsis.lock:
        return workshop.canopsis.traffic.jobs[-1].size


def updated(err: str) -> int:
    found = re.search(LINE, err)
    assert found, err
    return int(found[1])


def test_every_decision_has_a_test_that_bears_its_number() -> None:
    texts = [path.read_text(encoding="utf-8") for path in TESTS.glob("*/test_driver*.py")]
    numbers = {int(n) for n in re.findall(r"^def test_d(\d+)_", "\n".join(texts), re.MULTILINE)}

    assert numbers == set(range(1, 37))


def test_the_three_levels_give_the_tree(workshop: Workshop, cmdb: Cmdb, refsync: Refsync) -> None:
    for name in ("servers", "composants", "applications"):
        cmdb.answers[f"/{name}/_search"] = json.loads((FILES / f"{name}.json").read_bytes())
        text = (FILES / f"{name}.yml").read_text(encoding="utf-8")
        done = refsync(
            "driver", write_text(text.replace("http://localhost:9200", cmdb.url), f"{name}.yml")
        )
        assert done.code == 0, done.err
        assert re.fullmatch(LINE, done.err), done.err

    wanted = json.loads((FILES / "entities.json").read_bytes())
    assert workshop.entities().keys() == {each["name"] for each in wanted}
    for name, depends in json.loads((FILES / "depends.json").read_bytes()).items():
        graph = requests.get(
            f"{workshop.canopsis_url}/api/v4/entities/context-graph",
            params={"_id": name},
            headers={"x-canopsis-authkey": KEY},
            timeout=10,
        ).json()
        assert sorted(graph["depends"]) == depends
    last = workshop.last_run()
    assert (last.feed.job, last.outcome) == ("driver/applications", "done")


# --- before the call


def test_d14_a_fault_is_told_with_its_file_line_and_key_before_any_call(
    cmdb: Cmdb, refsync: Refsync
) -> None:
    file = write(cmdb, named("a"))
    value = "{type: template, field: kind, value: '{{ upercase .Field }}'}"
    also(file, f"    infos: {{kind: {{value: {value}}}}}\n")

    done = refsync("driver", "-c", file)

    assert done.code == 2
    assert 'error: template: function "upercase" not defined' in done.err
    where = "api.yml:11:68 (mapping.component.infos.kind.value.value)"
    assert f"where: {where}" in done.err
    assert "mend: did you mean 'uppercase'?" in done.err
    assert cmdb.asked == []


@pytest.mark.parametrize(
    "words",
    [
        ("--max-missing", "many"),
        ("--timezone", "Mars"),
        ("--template-var", "x"),
        ("--timeout", "0"),
        ("--target", "nobody"),
        ("-c", "other.yml"),
    ],
)
def test_a_bad_option_is_2(words: tuple[str, str], cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", write(cmdb, named("a")), *words)

    assert done.code == 2
    assert words[0] in done.err
    assert cmdb.asked == []


def test_a_file_that_is_not_there_is_2_and_the_default_is_that_of_the_container(
    workshop: Workshop, refsync: Refsync
) -> None:
    del workshop

    assert "where: no.yml\n" in refsync("driver", "no.yml").err
    done = refsync("driver")
    assert done.code == 2
    assert "where: /opt/canopsis/share/config/import-context-graph/api.yml\n" in done.err


@pytest.mark.parametrize("word", ["-help", "-h", "--help"])
def test_the_help_is_asked_for_as_of_the_driver(word: str, refsync: Refsync) -> None:
    done = refsync("driver", word)

    assert done.code == 0
    assert "import-context-graph" in done.out


# --- what is imported


def test_d5_a_missing_field_is_told_once_with_its_count(cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", write(cmdb, [{"name": "a"}, {"name": "b", "kind": None}]))

    assert done.code == 0
    assert done.err.count("kind is missing or null") == 1
    assert "warning: kind is missing or null: 2 values are left out\n" in done.err


def test_d5_a_missing_field_fails_the_run_of_strict_users(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    done = refsync("driver", write(cmdb, [{"name": "a"}]), "--on-missing", "fail")

    assert done.code == 3
    assert "kind is missing or null in 1 values" in done.err
    assert "where: api.yml" in done.err
    assert workshop.imports() == []


def test_d7_a_name_of_a_wrong_type_skips_the_row_with_an_error_line(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    rows = [{"name": 1234567, "kind": 5}, {"name": ["x"], "kind": "k"}]

    done = refsync("driver", write(cmdb, rows))

    assert done.code == 0
    assert workshop.entities().keys() == {"1234567"}
    assert (
        "error: component.name: not a text, 1 rows skipped, first in row 2: an array cannot be a"
        " text: ['x']\n" in done.err
    )


def test_d15_a_template_that_fails_leaves_its_value_out_and_is_counted(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    value = "{type: template, field: kind, value: '{{.Field.x}}'}"
    file = also(write(cmdb, named("a", "b")), f"    infos: {{x: {{value: {value}}}}}\n")

    done = refsync("driver", file, "-d")

    assert done.code == 0
    assert enabled(workshop) == {"a", "b"}
    assert workshop.entities()["a"]["infos"] == {}
    assert "can't evaluate field x in type string" in done.err
    assert " errors=2 " in done.err


def test_d21_rows_that_are_no_objects_are_skipped_with_one_warning(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = also(write(cmdb, ["x", *disks("a"), None]), ALSO + SERVICE)

    done = refsync("driver", file)

    assert done.code == 0
    assert enabled(workshop) == {"a", "sda/a", "S-a"}
    skipped = [line for line in done.err.splitlines() if "skipped" in line]
    assert len(skipped) == 1
    assert skipped[0].startswith("warning: row: not an object, 2 rows skipped, first in row 1")


def test_d23_of_two_rows_of_one_name_the_last_wins_entirely(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    rows = [{"name": "a", "kind": "k", "x": 1}, {"name": "a", "kind": "k", "y": 2}]
    infos = "    infos: {x: {value: {type: copy, value: x}}, y: {value: {type: copy, value: y}}}\n"

    done = refsync("driver", also(write(cmdb, rows), infos))

    assert done.code == 0
    assert workshop.entities()["a"]["infos"].keys() == {"y"}
    assert "warning: 1 entities have the id of another one of this run" in done.err


# --- what is missing


def test_d24_what_is_missing_goes_whoever_loaded_it_whatever_its_kind(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    also(write(cmdb, disks("a", "b", "c")), ALSO + SERVICE)
    assert refsync("driver", "api.yml").code == 0
    assert len(enabled(workshop)) == 9
    (workshop.folder / "state" / "ledger.db").unlink()  # as if the driver itself had loaded them

    done = refsync("driver", also(write(cmdb, disks("a", "b")), ALSO + SERVICE))

    assert done.code == 0
    assert enabled(workshop) == {"a", "sda/a", "S-a", "b", "sda/b", "S-b"}


def test_d24_the_missing_of_another_source_stay(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = write(cmdb, named("other"))
    text = Path(file).read_text(encoding="utf-8")
    assert refsync("driver", write_text(text.replace("source: cmdb", "source: too"))).code == 0

    assert refsync("driver", write(cmdb, named("a"), missing="delete")).code == 0
    assert enabled(workshop) == {"a", "other"}


def test_d24_nothing_goes_without_a_missing_action(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b"), missing=""))
    refsync("driver", write(cmdb, named("a"), missing=""))

    assert enabled(workshop) == {"a", "b"}


def test_d24_a_row_that_is_there_and_skipped_is_not_missing(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))

    done = refsync("driver", write(cmdb, [*named("a"), {"name": "b", "kind": ["x"]}]))

    assert done.code == 0
    assert enabled(workshop) == {"a", "b"}


def test_d24_more_missing_than_allowed_is_3_and_writes_nothing(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))
    imports = len(workshop.imports())

    done = refsync("driver", write(cmdb, named("a", "c")), "--max-missing", "10%")

    assert done.code == 3
    assert "1 of 2 entities are missing (50.0 %), limit 0 (10%)" in done.err
    assert "where: api.yml\n" in done.err
    assert "run refsync driver api.yml with a higher --max-missing" in done.err
    for message in (done.err, workshop.last_run().message):
        assert "--max-missing" in message
        assert "--allow" not in message
        assert "refsync sync" not in message
    assert enabled(workshop) == {"a", "b"}
    assert len(workshop.imports()) == imports
    assert refsync("driver", "api.yml", "--max-missing", "1").code == 0
    assert enabled(workshop) == {"a", "c"}


@pytest.mark.parametrize("missing", ["disable", "delete"])
def test_d25_the_resources_of_a_component_that_goes_are_not_listed(
    missing: str, workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    also(write(cmdb, disks("a", "b")), ALSO)
    assert refsync("driver", "api.yml").code == 0
    probe = received(workshop, BULK)

    done = refsync("driver", also(write(cmdb, disks("a"), missing=missing), ALSO))

    assert done.code == 0, done.err
    assert updated(done.err) == 2
    assert enabled(workshop) == {"a", "sda/a"}
    if missing == "disable":
        assert received(workshop, BULK) - 2 * probe == len('[{"_id":"b"}]')
    else:
        listed = '[{"action":"delete","type":"component","name":"b"}]'
        assert last_import(workshop) == len(listed)
    again = refsync("driver", "api.yml")
    assert updated(again.err) == 0


def test_d25_a_resource_that_goes_alone_is_listed(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    also(write(cmdb, disks("a")), ALSO)
    assert refsync("driver", "api.yml").code == 0

    assert refsync("driver", also(write(cmdb, named("a")), ALSO)).code == 0
    assert enabled(workshop) == {"a"}


def test_d26_a_component_whose_resource_is_imported_is_not_missing(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    also(write(cmdb, disks("a", "b")), ALSO)
    assert refsync("driver", "api.yml").code == 0
    text = Path(write(cmdb, disks("a"))).read_text(encoding="utf-8")
    write_text(text[: text.index("  component:")] + ALSO)

    done = refsync("driver", "api.yml")

    assert done.code == 0, done.err
    assert enabled(workshop) == {"a", "sda/a"}


# --- actions


def test_d27_create_sets_and_update_keeps_to_what_exists(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    created = refsync("driver", write(cmdb, named("a"), "create", ""))
    assert created.code == 0
    assert "unknown to Canopsis since 23.04: it is taken for set" in created.err

    changed = [{"name": "a", "kind": "Router"}, {"name": "new", "kind": "Router"}]
    done = refsync("driver", write(cmdb, changed, "update", ""))

    assert done.code == 0, done.err
    assert "it is taken for set, of entities that exist" in done.err
    assert "component: not in Canopsis, 1 rows skipped" in done.err
    assert enabled(workshop) == {"a"}
    assert [sent["items"] for sent in workshop.imports()] == [1, 1]
    with workshop.canopsis.lock:
        router = workshop.canopsis.store.category_named("Router")
    assert workshop.entities()["a"]["category"] == router


def test_d28_enable_keeps_to_what_exists(workshop: Workshop, cmdb: Cmdb, refsync: Refsync) -> None:
    refsync("driver", write(cmdb, named("a", "b")))
    refsync("driver", write(cmdb, named("a")))
    assert enabled(workshop) == {"a"}

    done = refsync("driver", write(cmdb, named("b", "new"), "enable", ""), "-d")

    assert done.code == 0, done.err
    assert " skipped=1 " in done.err
    assert "warning: component: not in Canopsis, 1 rows skipped" in done.err
    assert enabled(workshop) == {"a", "b"}
    assert last_import(workshop) == len('[{"action":"enable","name":"b","type":"component"}]')


@pytest.mark.parametrize(
    ("rows", "action", "what"),
    [
        ([], "set", "empty import: the answer has no rows"),
        ([{"nom": "a"}], "set", "empty import: none of the 1 rows gives an entity"),
        (named("x"), "enable", "empty import: none of the 1 rows gives an entity"),
    ],
)
def test_d29_an_import_of_nothing_is_1_and_wipes_nothing(
    *, rows: object, action: str, what: str, workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))
    before, imports = workshop.entities(), len(workshop.imports())

    done = refsync("driver", write(cmdb, rows, action, "delete"), "--max-missing", "100%")

    assert done.code == 1
    assert f"error: {what}" in done.err
    assert "import finished" not in done.err
    assert workshop.entities() == before
    assert len(workshop.imports()) == imports
    assert workshop.last_run().outcome == "failed"
    assert "--allow" not in done.err


# --- what is said, and options


def test_d32_the_success_line_is_the_driver_s_and_has_more_with_d_alone(
    cmdb: Cmdb, refsync: Refsync
) -> None:
    usual = refsync("driver", write(cmdb, named("a", "b")))
    told = refsync("driver", write(cmdb, [*named("a", "b", "c"), {}]), "-d")

    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
    duration = r"((\d+h)?\d+m)?\d+(\.\d+)?(ms|s|µs)"
    head = rf"{moment} INF refsync/main\.go:65 > import finished deleted=0"
    assert (usual.code, usual.out) == (0, "")
    assert re.fullmatch(rf"{head} exec_time={duration} updated=2\n", usual.err), usual.err
    last = told.err.splitlines()[-1]
    assert re.fullmatch(rf"{head} errors=0 exec_time={duration} skipped=1 updated=1", last), last


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0.003784369, "3.784369ms"),
        (0.000012, "12µs"),
        (1.5, "1.5s"),
        (62.3, "1m2.3s"),
        (3600, "1h0m0s"),
        (0, "0s"),
    ],
)
def test_a_duration_is_written_as_go_does(seconds: float, wanted: str) -> None:
    assert go_duration(seconds) == wanted


def test_d33_template_variables_come_from_the_option_and_from_the_file(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    value = "{type: template, field: name, value: '{{.Env.site}}-{{.Env.zone}}-{{.Field}}'}"
    file = also(write(cmdb, named("a")), f"    infos: {{x: {{value: {value}}}}}\n")
    text = Path(file).read_text(encoding="utf-8")
    write_text(f"template_vars: {{site: south, zone: z}}\n{text}")

    done = refsync("driver", file, "--template-var", "site=north=up")
    assert done.code == 0, done.err
    assert workshop.entities()["a"]["infos"]["x"]["value"] == "north=up-z-a"

    lacking = refsync("driver", write_text(text))
    assert lacking.code == 0
    assert "give it by --template-var site=…" in lacking.err
    assert 'map has no entry for key "Env"' in lacking.err


def test_d34_the_time_zone_is_taken_and_says_nothing_to_json(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    value = "{type: template, field: when, value: '[{{ localtime \"15h\" .Field }}]'}"
    rows = [{"name": "a", "kind": "k", "when": "2021-09-29T10:00:00Z"}]
    file = also(write(cmdb, rows), f"    infos: {{x: {{value: {value}}}}}\n")

    done = refsync("driver", file, "--timezone", "Europe/Paris")

    assert done.code == 0, done.err
    assert workshop.entities()["a"]["infos"]["x"]["value"] == "[]"


def test_d36_imports_are_partial_unless_the_run_is_full(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = write(cmdb, named("a", "b"))

    assert refsync("driver", file).code == 0
    assert updated(refsync("driver", file, "--full").err) == 2
    assert refsync("driver", write(cmdb, named("b"), "enable", "")).code == 0

    assert [sent["partial"] for sent in workshop.imports()] == [True, False, True]


def test_d36_an_import_that_makes_a_service_is_full_for_a_partial_one_would_not_compute_it(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    assert refsync("driver", also(write(cmdb, named("a")), SERVICE)).code == 0
    rows = [{"name": "a", "kind": "Router"}]
    assert refsync("driver", also(write(cmdb, rows), SERVICE)).code == 0

    assert [sent["partial"] for sent in workshop.imports()] == [False, True]


def test_d3_a_mismatch_of_is_map_is_1_and_the_missing_stay(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a")))
    text = Path(write(cmdb, named("b"), missing="delete")).read_text(encoding="utf-8")

    done = refsync("driver", write_text(text.replace("mapping:", "mapping:\n  is_map: true")))

    assert done.code == 1
    assert "the answer is an array, not an object of rows" in done.err
    assert "mend: write is_map: false" in done.err
    assert enabled(workshop) == {"a"}


def test_a_secret_of_the_file_is_in_no_message_and_not_in_the_ledger(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = with_api(write(cmdb, b"who is t0p-s3cret?"), headers={"X-Api-Key": "t0p-s3cret"})

    done = refsync("driver", file)

    assert done.code == 1
    assert "who is ***?" in done.err
    for path in (workshop.folder / "state").rglob("*"):
        assert not path.is_file() or b"t0p-s3cret" not in path.read_bytes()
