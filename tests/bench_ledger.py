"""The ledger at a million entities, on SQLite and on PostgreSQL: `python -m tests.bench_ledger`.

Three questions, each answered in CPU seconds of a fresh process, beside what is measured in that
same process:

- reading the known fingerprints, against a bare loop of the driver over (id, fingerprint);
- recording 10,000 changes, against the bare statement of the driver;
- the plan of an unchanged feed (spool, ledger, comparison), against a bare inner `pandas.merge` of
  the two tables (id, fingerprint), their frames being there; that one misses what is on one side
  alone, so the outer one, which tells it, stands beside it.
"""

import argparse
import contextlib
import gc
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import psycopg
import xxhash

from flows.spool import Spool
from referential.columns import encode_block
from referential.feed import Feed
from referential.ledger import Ledger
from referential.plan import make_plan
from tests.bench_run import peak
from tests.postgres import server

ENTITIES, QUICK = 1_000_000, 100_000
CHANGES = 10_000
RATIO, PEAK = 3.0, 1_024  # of the plan: times the merge, MiB
FEED = Feed("acme/servers", "acme-canopsis")
_BLOCK, _PAGE, _SIZE = 10_000, 1_000, 333
_RESOURCES = 5  # a component, then its resources

Columns = dict[str, list[Any]]


def main() -> None:
    """Print the figures; in the small with `--quick`."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_ledger", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} entities")
    parser.add_argument("--of", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.of:
        sys.stdout.buffer.write(orjson.dumps(measure(given.of[0], Path(given.of[1]))) + b"\n")
        return
    for name, figure in figures(QUICK if given.quick else ENTITIES).items():
        print(f"{name:<68} {figure:>12,.2f}", flush=True)  # noqa: T201 - a bench


def figures(count: int) -> dict[str, float]:
    """All figures by name, seconds of CPU, ratios and MiB."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="refsync-bench-") as name, server() as postgres:
        folder = Path(name)
        write_spool(folder, count)
        sqlite = f"sqlite:///{folder / 'ledger.db'}"
        for database, url in (("PostgreSQL", postgres), ("SQLite", sqlite)):
            fill(url, count)
            command = (sys.executable, "-m", "tests.bench_ledger", "--of", url, name)
            told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
            for what, figure in orjson.loads(told).items():
                found[f"{count:,} entities, {database}: {what}"] = figure
    return found


def blocks(count: int, size: int) -> Iterator[Columns]:
    """Entities by the block: the columns that `Ledger.record` takes, but for the names."""
    for start in range(0, count, size):
        ids: list[str] = []
        groups: list[str] = []
        for number in range(start, min(count, start + size)):
            host = f"srv{number // _RESOURCES:06d}.example.net"
            part = number % _RESOURCES
            ids.append(f"disk{part}/{host}" if part else host)
            groups.append(host)
        components = [name == group for name, group in zip(ids, groups, strict=True)]
        yield {
            "ids": ids,
            "kinds": ["component" if each else "resource" for each in components],
            "groups": groups,
            "datasets": ["servers"] * len(ids),
            "categories": ["Server" if each else "Disk" for each in components],
            "infos": ["env\nsite" if each else "mount" for each in components],
            "fingerprints": [xxhash.xxh3_128_digest(name.encode()) for name in ids],
        }


def write_spool(folder: Path, count: int) -> None:
    """The index of a spool as `flows.spool.SpoolWriter` leaves it, in its very blocks."""
    offset = 0
    with Spool(folder).index.open("wb") as file:
        for block in blocks(count, _PAGE):
            size = len(block["ids"])
            columns = {
                "id": block["ids"],
                "kind": block["kinds"],
                "group": block["groups"],
                "dataset": block["datasets"],
                "category": block["categories"],
                "infos": block["infos"],
                "fingerprint": block["fingerprints"],
                "offset": [offset + row * (_SIZE + 1) for row in range(size)],
                "size": [_SIZE] * size,
            }
            file.write(encode_block(columns))
            offset += size * (_SIZE + 1)


def fill(url: str, count: int) -> None:
    with Ledger.open(url) as ledger:
        run = ledger.start_run(FEED, "sync", datetime.now(UTC))
        for block in blocks(count, _BLOCK):
            ledger.record(FEED, run, **block)  # type: ignore[arg-type] # columns by name


def measure(url: str, folder: Path) -> dict[str, float]:
    """The figures of one database, in this process."""
    tables, plan = _plan(url, folder)
    most = peak()
    outer = _best(lambda: tables[0].merge(tables[1], on="id", how="outer", indicator=True))
    inner = _best(lambda: tables[0].merge(tables[1], on="id"))
    tables.clear()
    gc.collect()
    bare = _best(lambda: _bare_read(url))
    ours = _best(lambda: _known(url))
    bare_changes = _best(lambda: _bare_changes(url))
    changes = _best(lambda: _changes(url))
    return {
        "plan of an unchanged feed, CPU s": plan,
        "  bare pandas.merge, inner, CPU s (misses what is new or gone)": inner,
        f"  ratio (target {RATIO:.0f})": plan / inner,
        "  bare pandas.merge, outer, CPU s": outer,
        "  ratio": plan / outer,
        f"  peak memory, MiB (target {PEAK})": most,
        "known entities, CPU s": ours,
        "  ratio to a bare loop of the driver over (id, fingerprint)": ours / bare,
        f"recording {CHANGES:,} changes, CPU s": changes,
        "  ratio to the bare statement of the driver": changes / bare_changes,
    }


def _plan(url: str, folder: Path) -> tuple[list[pd.DataFrame], float]:
    """What `flows.stages.plan` does; the two fingerprint tables, and CPU seconds."""
    start = time.process_time()
    found = Spool(folder).found()
    with Ledger.open(url) as ledger:
        known = ledger.known(FEED)
    made = make_plan(found, known, feed=FEED, mode="sync", missing="disable", complete=True)
    made.save(Spool(folder).plan)
    seconds = time.process_time() - start
    assert len(made) == 0
    assert made.counts["unchanged"] == len(found) == len(known)
    return [frame[["id", "fingerprint"]] for frame in (found, known)], seconds


def _known(url: str) -> pd.DataFrame:
    with Ledger.open(url) as ledger:
        return ledger.known(FEED)


def _bare_read(url: str) -> pd.DataFrame:
    query = "SELECT id, fingerprint FROM entities WHERE feed = 1"
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as there:
            return pd.DataFrame(there.execute(query).fetchall(), columns=["id", "fingerprint"])
    with psycopg.connect(url) as there, there.cursor() as cursor:
        rows = cursor.execute(query, binary=True).fetchall()
        return pd.DataFrame(rows, columns=["id", "fingerprint"])


def _changed() -> Columns:
    (block,) = blocks(CHANGES, CHANGES)
    return block | {"fingerprints": [bytes(reversed(each)) for each in block["fingerprints"]]}


def _changes(url: str) -> float:
    block = _changed()
    with Ledger.open(url) as ledger:
        run = ledger.start_run(FEED, "sync", datetime.now(UTC))
        start = time.process_time()
        ledger.record(FEED, run, **block)  # type: ignore[arg-type] # columns by name
        return time.process_time() - start


def _bare_changes(url: str) -> float:
    """The same rows by the driver's quickest way (`specs/prefect.md` §7), and nothing else."""
    block = _changed()
    rows = list(zip(block["fingerprints"], block["ids"], strict=True))
    update = "UPDATE entities SET fingerprint = {0} WHERE feed = 1 AND id = {0}"
    start = time.process_time()
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as there, there:
            there.executemany(update.format("?"), rows)
        return time.process_time() - start
    with psycopg.connect(url) as there, there.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (fingerprint bytea, id text) ON COMMIT DROP")
        with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea", "text"])
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "UPDATE entities SET fingerprint = bare.fingerprint FROM bare"
            " WHERE feed = 1 AND entities.id = bare.id"
        )
    return time.process_time() - start


def _best(work: Callable[[], Any]) -> float:
    """CPU seconds of the best of three; those that *work* tells, where it does."""
    took = []
    for _ in range(3):
        start = time.process_time()
        told = work()
        took.append(told if isinstance(told, float) else time.process_time() - start)
        del told
        gc.collect()
    return min(took)


if __name__ == "__main__":
    main()
