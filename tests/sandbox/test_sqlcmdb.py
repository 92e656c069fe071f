"""The invented CMDB as a database holds what the records say, and can be made anew."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox.cmdb import records
from sandbox.sqlcmdb import write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cmdb.db"


def rows(path: Path, select: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(select).fetchall()


def test_a_server_has_the_values_of_its_record(path: Path) -> None:
    day = records(500)
    write(path, day)

    ((name, team, rack, unit, tags, updated),) = rows(
        path,
        "SELECT name, team, rack, rack_unit, tags, updated_at FROM servers WHERE id = 'SRV000042'",
    )

    record = day[42]
    assert (name, team, updated) == (record["name"], record["owner"]["team"], record["updated_at"])
    assert {"name": rack, "unit": unit} == record["location"]["rack"]
    assert json.loads(tags) == record["tags"]


def test_every_server_runs_the_application_of_its_record(path: Path) -> None:
    day = records(500)
    write(path, day)

    found = rows(path, "SELECT server, application FROM links WHERE nature = 'runs'")

    assert sorted(found) == [(each["id"], each["application"]["code"]) for each in day]
    assert rows(path, "SELECT count(*) FROM servers") == [(500,)]
    assert rows(path, "SELECT count(*) FROM applications") == [(40,)]


def test_links_lead_to_what_is_there_and_some_servers_have_two(path: Path) -> None:
    write(path, records(50))

    dangling = (
        "SELECT * FROM links WHERE server NOT IN (SELECT id FROM servers)"
        " OR application NOT IN (SELECT code FROM applications)"
    )
    assert rows(path, dangling) == []
    assert rows(path, "SELECT count(*) FROM links WHERE nature = 'backup'") == [(8,)]


def test_it_is_the_same_when_it_is_made_again_and_the_next_day_another(path: Path) -> None:
    everything = "SELECT * FROM servers ORDER BY id"
    write(path, records(50))
    first = rows(path, everything)

    write(path, records(50))
    assert rows(path, everything) == first

    write(path, records(50, changed=0.1, gone=2, new=1))
    assert len(rows(path, everything)) == 49
    assert rows(path, everything) != first
