"""The invented CMDB as a database: an SQLite file with three tables.

write(Path("cmdb.db"), records(10_000))

servers       a row a record of `sandbox.cmdb`, flat: `id`, `name`, …, `rack_unit` (a whole
              number), `tags` (a JSON list in a text), `updated_at` (ISO text in UTC)
applications  `code`, `name`, `tier`, `team`
links         `server`, `application`, `nature`: each server runs one application (`runs`),
              every seventh keeps the backups of another one (`backup`)
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

Record = dict[str, Any]

_TABLES: Final = """
CREATE TABLE applications (
    code TEXT PRIMARY KEY, name TEXT NOT NULL, tier TEXT, team TEXT
);
CREATE TABLE servers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, serial TEXT, status TEXT, criticality TEXT, ip TEXT,
    os_family TEXT, os_version TEXT, environment TEXT, site TEXT, room TEXT, rack TEXT,
    rack_unit INTEGER, team TEXT, tags TEXT, updated_at TEXT
);
CREATE TABLE links (
    server TEXT NOT NULL REFERENCES servers (id),
    application TEXT NOT NULL REFERENCES applications (code),
    nature TEXT NOT NULL,
    PRIMARY KEY (server, application, nature)
);
"""


def write(path: Path, records: Iterable[Record]) -> None:
    """Make the database anew at *path*, of the *records* of `sandbox.cmdb`.

    Whoever reads the file that was there goes on reading that one.
    """
    path.unlink(missing_ok=True)
    servers = list(records)
    applications = {server["application"]["code"]: server for server in servers}
    codes = sorted(applications)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(_TABLES)
        _insert(database, "applications", (_application(applications[code]) for code in codes))
        _insert(database, "servers", map(_server, servers))
        _insert(database, "links", _links(servers, codes))


def _insert(
    database: sqlite3.Connection, table: str, rows: Iterable[tuple[str | int, ...]]
) -> None:
    columns = len(database.execute(f"SELECT * FROM {table}").description)  # noqa: S608 - our table
    marks = ", ".join("?" * columns)
    database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - as above


def _server(record: Record) -> tuple[str | int, ...]:
    place, system = record["location"], record["os"]
    return (
        *(record[each] for each in ("id", "name", "serial", "status", "criticality", "ip")),
        *(system["family"], system["version"], record["environment"]["code"]),
        *(place["site"], place["room"], place["rack"]["name"], place["rack"]["unit"]),
        record["owner"]["team"],
        json.dumps(record["tags"], ensure_ascii=False),
        record["updated_at"],
    )


def _application(server: Record) -> tuple[str, ...]:
    """The application of *server*, in the hands of the same team."""
    of = server["application"]
    return of["code"], of["name"], of["tier"], server["owner"]["team"]


def _links(servers: list[Record], codes: list[str]) -> Iterator[tuple[str, ...]]:
    for rank, server in enumerate(servers):
        code = server["application"]["code"]
        yield server["id"], code, "runs"
        if rank % 7 == 0:
            yield server["id"], codes[(codes.index(code) + 1) % len(codes)], "backup"
