"""A ledger of an older refsync, made by its own statements, is brought forward with its content."""

import contextlib
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from referential.change import UNCONFIRMED
from referential.columns import encode_block
from referential.database import Database
from referential.feed import Feed
from referential.ledger import Ledger
from tests.referential.frames import digest

FEED = Feed("acme/servers", "prod")
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
RUN = "20261124T031500Z-3f9a"

_TYPES = {
    "sqlite": {"moment": "DATETIME", "blob": "BLOB", "serial": "INTEGER", "tail": "WITHOUT ROWID"},
    "postgresql": {
        "moment": "TIMESTAMP WITH TIME ZONE",
        "blob": "BYTEA",
        "serial": "SERIAL",
        "tail": "",
    },
}
VERSION_1 = """
CREATE TABLE ledger_version (version INTEGER NOT NULL);
CREATE TABLE feeds (id {serial} NOT NULL, job TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (id), UNIQUE (job, target));
CREATE TABLE labels (id {serial} NOT NULL, kind TEXT NOT NULL, dataset TEXT NOT NULL,
    category TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (kind, dataset, category));
CREATE TABLE entities (feed INTEGER NOT NULL, id TEXT NOT NULL, "group" TEXT,
    label INTEGER NOT NULL, fingerprint {blob} NOT NULL, state SMALLINT NOT NULL,
    run TEXT NOT NULL, PRIMARY KEY (feed, id)) {tail};
CREATE TABLE runs (id TEXT NOT NULL, feed INTEGER NOT NULL, mode TEXT NOT NULL,
    started {moment} NOT NULL, ended {moment}, outcome TEXT NOT NULL, counts JSON NOT NULL,
    evidence JSON NOT NULL, checksum TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(feed) REFERENCES feeds (id));
CREATE INDEX ix_runs_feed ON runs (feed);
CREATE TABLE rejects (run TEXT NOT NULL, rank INTEGER NOT NULL, dataset TEXT NOT NULL,
    number BIGINT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, record JSON NOT NULL,
    PRIMARY KEY (run, rank), FOREIGN KEY(run) REFERENCES runs (id));
CREATE TABLE reject_totals (run TEXT NOT NULL, dataset TEXT NOT NULL, rule TEXT NOT NULL,
    total BIGINT NOT NULL, PRIMARY KEY (run, dataset, rule),
    FOREIGN KEY(run) REFERENCES runs (id));
CREATE TABLE imports (number {serial} NOT NULL, feed INTEGER NOT NULL, run TEXT NOT NULL,
    job TEXT NOT NULL, size INTEGER NOT NULL, status TEXT NOT NULL, begun {moment} NOT NULL,
    ended {moment}, rows {blob}, PRIMARY KEY (number), FOREIGN KEY(feed) REFERENCES feeds (id),
    FOREIGN KEY(run) REFERENCES runs (id));
CREATE INDEX ix_imports_feed ON imports (feed);
CREATE TABLE locks (feed {serial} NOT NULL, run TEXT NOT NULL, machine TEXT NOT NULL,
    pid INTEGER NOT NULL, born TEXT NOT NULL, since {moment} NOT NULL, heartbeat {moment} NOT NULL,
    PRIMARY KEY (feed), FOREIGN KEY(feed) REFERENCES feeds (id),
    FOREIGN KEY(run) REFERENCES runs (id));
INSERT INTO ledger_version VALUES (1);
INSERT INTO feeds (job, target) VALUES ('acme/servers', 'prod');
INSERT INTO labels (kind, dataset, category) VALUES ('component', 'servers', 'Server');
INSERT INTO labels (kind, dataset, category) VALUES ('resource', 'disks', '')
"""


@pytest.fixture
def version_1(ledger_url: str) -> str:
    """The URL of a ledger of version 1: two entities, and an import that its run left behind."""
    left = encode_block(
        {
            "id": ["srv2", "sda/srv2"],
            "kind": ["component", "resource"],
            "group": ["srv2", "srv2"],
            "dataset": ["servers", "disks"],
            "category": ["Server", ""],
        }
    )
    with contextlib.closing(Database(ledger_url)) as database, database.writing() as connection:
        types = _TYPES[connection.dialect.name]
        for statement in VERSION_1.format(**types).split(";\n"):
            connection.execute(sa.text(statement))
        connection.execute(
            sa.text(
                "INSERT INTO runs VALUES (:run, 1, 'sync', :now, NULL, 'running', '{}', '{}',"
                " '', '')"
            ),
            {"run": RUN, "now": START},
        )
        for row in (
            {"id": "srv1", "group": None, "label": 1, "print": digest("v1"), "state": 0},
            {"id": "sda/srv1", "group": "srv1", "label": 2, "print": digest("v1"), "state": 1},
        ):
            connection.execute(
                sa.text(
                    "INSERT INTO entities VALUES (1, :id, :group, :label, :print, :state, :run)"
                ),
                row | {"run": RUN},
            )
        connection.execute(
            sa.text(
                "INSERT INTO imports (feed, run, job, size, status, begun, rows)"
                " VALUES (1, :run, 'job-7', 2, 'sent', :now, :rows)"
            ),
            {"run": RUN, "now": START, "rows": left},
        )
    return ledger_url


def test_a_ledger_of_version_1_keeps_its_entities_and_knows_none_of_their_infos(
    version_1: str,
) -> None:
    with Ledger.open(version_1) as ledger:
        known = ledger.known(FEED).sort_values("id", ignore_index=True)

    assert known.to_dict("list") == {
        "id": ["sda/srv1", "srv1"],
        "kind": ["resource", "component"],
        "group": ["srv1", "srv1"],
        "dataset": ["disks", "servers"],
        "category": ["", "Server"],
        "infos": ["", ""],
        "fingerprint": [digest("v1")] * 2,
        "state": ["disabled", "enabled"],
        "missed": [0, 0],
    }


def test_what_a_run_of_version_1_left_behind_is_taken_up(version_1: str) -> None:
    with Ledger.open(version_1) as ledger:
        run = ledger.start_run(FEED, "sync", START)
        with ledger.lock(FEED, run):
            known = ledger.known(FEED).set_index("id")

        assert known.loc["sda/srv2", "fingerprint"] == UNCONFIRMED
        assert known.loc["srv2", ["category", "infos"]].tolist() == ["Server", ""]
        (left,) = ledger.imports(FEED)
        assert (left.job, left.status) == ("job-7", "unconfirmed")


def test_a_ledger_brought_forward_takes_infos_in_as_a_new_one_does(version_1: str) -> None:
    long = "\n".join(f"key_{number:04d}" for number in range(1_000))
    with Ledger.open(version_1) as ledger:
        run = ledger.start_run(FEED, "sync", START)
        for infos in ("env", "env\nsite", long, "env"):
            ledger.record(
                FEED,
                run,
                ids=["srv1", f"new {len(infos)}"],
                kinds=["component"] * 2,
                groups=["srv1", f"new {len(infos)}"],
                datasets=["servers"] * 2,
                categories=["Server"] * 2,
                infos=["", infos],
                fingerprints=[digest("v2")] * 2,
            )
        known = ledger.known(FEED).set_index("id")["infos"]

    assert known.to_dict() == {
        "srv1": "",
        "sda/srv1": "",
        "new 3": "env",
        "new 8": "env\nsite",
        f"new {len(long)}": long,
    }


def test_a_ledger_brought_forward_has_the_tables_of_a_new_one(version_1: str) -> None:
    with Ledger.open(version_1):
        pass
    with contextlib.closing(Database(version_1)) as database:
        with database.reading() as connection:
            brought = _shape(connection)
        with database.writing() as connection:
            for table in reversed(sa.inspect(connection).get_sorted_table_and_fkc_names()):
                if table[0] is not None:
                    connection.execute(sa.text(f"DROP TABLE {table[0]}"))
    with Ledger.open(version_1):
        pass
    with contextlib.closing(Database(version_1)) as database, database.reading() as connection:
        assert brought == _shape(connection)


def _shape(connection: sa.Connection) -> dict[str, object]:
    """Tables, columns with their types and nullability, and what is unique."""
    inspector = sa.inspect(connection)
    return {
        table: (
            {
                (column["name"], str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            },
            {index["name"] for index in inspector.get_indexes(table)},
        )
        for table in inspector.get_table_names()
    }
