"""The invented CMDB is the same at every call, as large as asked, and has a day after."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import requests

from sandbox.servicenow_items import ODD_NAMES, TIED
from sandbox.servicenow_schema import Record, Schema
from sandbox.servicenow_tables import fixture, tables

ROOT = Path(__file__).resolve().parents[2]


def servers(held: dict[str, list[Record]]) -> list[Record]:
    return [
        row
        for name in ("cmdb_ci_linux_server", "cmdb_ci_win_server", "cmdb_ci_server")
        for row in held[name]
    ]


def test_it_is_the_same_at_every_call_and_as_large_as_asked() -> None:
    held = tables(250, business_apps=3)

    assert held == tables(250, business_apps=3)
    assert {name: len(held[name]) for name in held if name.startswith("cmdb_ci")} == {
        "cmdb_ci_linux_server": 150,
        "cmdb_ci_win_server": 90,
        "cmdb_ci_server": 10,
        "cmdb_ci_appl": 80,
        "cmdb_ci_service": 6,
        "cmdb_ci_business_app": 3,
    }
    assert len(held["cmdb_rel_ci"]) == 600


def test_the_fixture_has_what_the_cases_of_the_spec_ask_for() -> None:
    held = fixture()

    counts = {name: len(rows) for name, rows in held.items()}
    assert len(servers(held)) == 2500
    assert counts["cmn_location"] == 120
    assert counts["core_company"] == 40
    assert (counts["big"], counts["weird"], counts["hidblock"]) == (10_050, 50, 3000)
    names = {row["name"] for row in servers(held)}
    assert set(ODD_NAMES) <= names
    assert max(len(row.get("comments", "")) for row in servers(held)) == 4000
    assert sum(row["sys_updated_on"] == TIED for row in servers(held)) == 400
    assert {"global", "ABCDEF00000000000000000000000000"} <= {
        row["sys_id"] for row in held["cmn_location"]
    }


def test_each_id_is_given_once() -> None:
    for name, rows in fixture().items():
        repeated = [each for each, count in Counter(r["sys_id"] for r in rows).items() if count > 1]
        assert not repeated, name


def test_columns_and_references_are_those_of_the_schema() -> None:
    held, schema = tables(250, business_apps=2), Schema("today", {}, {})
    by_table = {
        name: {row["sys_id"] for each in schema.descendants(name) for row in held.get(each, ())}
        for name in schema.tables
    }
    by_table["sys_user_group"].add("global")

    for name in set(held) - {"cmdb_rel_ci"}:
        columns = schema.columns(name)
        for row in held[name]:
            assert set(row) <= set(columns), name
            for column in columns.values():
                target = row.get(column.name)
                if column.is_reference and target:
                    assert target in by_table[column.reference], (name, column.name)


def test_a_clean_cmdb_has_neither_odd_names_nor_broken_relations() -> None:
    held = tables(250, dirty=False)
    items = {row["sys_id"] for name, rows in held.items() if "cmdb_ci" in name for row in rows}
    types = {row["sys_id"] for row in held["cmdb_rel_type"]}

    links = [(row["parent"], row["child"], row["type"]) for row in held["cmdb_rel_ci"]]
    assert len(set(links)) == len(links) == 600
    assert all(
        parent in items and child in items and kind in types and parent != child
        for parent, child, kind in links
    )
    assert all(row["name"].startswith("srv-") for row in servers(held))


def test_on_the_day_after_some_servers_changed_went_or_came() -> None:
    one = {row["sys_id"]: row for row in servers(tables(250))}
    held = tables(250, changed=0.1, gone=5, new=7)
    two = {row["sys_id"]: row for row in servers(held)}

    gone = one.keys() - two.keys()
    changed = [sys_id for sys_id in one.keys() & two.keys() if one[sys_id] != two[sys_id]]
    assert (len(gone), len(two.keys() - one.keys())) == (5, 7)
    assert len(changed) == round(245 * 0.1)
    assert {two[sys_id]["sys_updated_on"] for sys_id in changed} == {"2024-04-02 06:00:00"}
    assert gone < {row["documentkey"] for row in held["sys_audit_delete"]}
    assert held["cmdb_rel_ci"] == tables(250)["cmdb_rel_ci"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_a_small_one_is_sound_too(count: int) -> None:
    held = tables(count)

    assert len([row for name in held if "server" in name for row in held[name]]) == count
    assert len({row["sys_id"] for row in held["cmdb_rel_ci"]}) == len(held["cmdb_rel_ci"])


@pytest.mark.parametrize("wrong", [{"gone": 11}, {"gone": -1}, {"changed": 1.5}])
def test_more_cannot_go_than_there_is(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="of 10 servers cannot go"):
        tables(10, **wrong)  # type: ignore[arg-type]


def test_it_is_served_from_the_prompt() -> None:
    command = [sys.executable, "-m", "sandbox.servicenow", "--servers", "25", "--clean"]
    command += ["--knobs", '{"release": "madrid"}']
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        answer = requests.get(
            f"{url}/api/now/stats/cmdb_ci_server",
            params={"sysparm_count": "true"},
            auth=("etl", "secret"),
            timeout=10,
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0

    assert answer.json() == {"result": {"stats": {"count": "25"}}}
