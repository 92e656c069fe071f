"""The night's work without refsync: `python -m tests.bench_bare`, the yardstick of the bench.

Pages are decoded, mapped by hand, fingerprinted, compared with what SQLite knows, and what changed
is sent by imports that are awaited. No guard, no rejects, no history, no evidence, no read-back:
what is left is what nobody can do without. It measures itself, then the floor, as `bench_run` does.
"""

import argparse
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import requests

from referential.collector import collector_paused
from tests.bench_floor import bodies, floor
from tests.bench_mapping import careful

BATCH = 5_000  # entities of an import, about 3.5 MB
TABLE = "CREATE TABLE IF NOT EXISTS known (id TEXT PRIMARY KEY, fingerprint BLOB) WITHOUT ROWID"


def sync(folder: Path, api: str, canopsis: str) -> int:
    """Brings Canopsis in step; returns how many entities were sent."""
    ledger = sqlite3.connect(folder / "bare.db")
    ledger.execute(TABLE)
    known = dict(ledger.execute("SELECT id, fingerprint FROM known"))
    ids: list[str] = []
    payloads: list[bytes] = []
    fingerprints: list[bytes] = []
    sent = 0
    with requests.Session() as session:
        session.headers["x-canopsis-authkey"] = "sandbox-key"
        for body in bodies(api):
            page = careful(orjson.loads(body)["data"])
            for name, payload, digest in zip(
                page.ids, page.payloads, page.fingerprints, strict=True
            ):
                if known.get(name) != digest:
                    ids.append(name)
                    payloads.append(payload)
                    fingerprints.append(digest)
            if len(ids) >= BATCH:
                sent += _load(session, canopsis, ledger, (ids, payloads, fingerprints))
        sent += _load(session, canopsis, ledger, (ids, payloads, fingerprints))
    ledger.close()
    return sent


def _load(
    session: requests.Session,
    canopsis: str,
    ledger: sqlite3.Connection,
    columns: tuple[list[str], list[bytes], list[bytes]],
) -> int:
    ids, payloads, fingerprints = columns
    if not ids:
        return 0
    answer = session.put(
        f"{canopsis}/api/v4/contextgraph-import",
        params={"source": "acme-servers"},
        data=b"[" + b",".join(payloads) + b"]",
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    answer.raise_for_status()
    job = answer.json()["_id"]
    for wait in _waits():
        time.sleep(wait)
        url = f"{canopsis}/api/v4/contextgraph-import-status/{job}"
        status = session.get(url, timeout=60).json()["status"]
        if status not in ("pending", "ongoing"):
            break
    if status != "done":
        raise RuntimeError(f"import {job} is {status}")
    with ledger:
        ledger.executemany(
            "INSERT OR REPLACE INTO known VALUES (?, ?)", zip(ids, fingerprints, strict=True)
        )
    count = len(ids)
    for column in columns:
        column.clear()
    return count


def _waits() -> Iterator[float]:
    wait = 0.2
    while True:
        yield wait
        wait = min(1.0, wait * 1.5)


def measure(folder: Path, api: str, canopsis: str) -> dict[str, Any]:
    """CPU seconds of the script, of its floor, and the entities sent."""
    with collector_paused():
        start = time.process_time()
        sent = sync(folder, api, canopsis)
        cpu = time.process_time() - start
    loads, dumps = floor(lambda page: careful(page).payloads, api)
    return {"cpu": cpu, "loads": loads, "dumps": dumps, "sent": sent}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_bare")
    parser.add_argument("folder", type=Path)
    parser.add_argument("api", help="URL of the collection")
    parser.add_argument("canopsis", help="URL of Canopsis")
    given = parser.parse_args()
    sys.stdout.buffer.write(orjson.dumps(measure(given.folder, given.api, given.canopsis)) + b"\n")


if __name__ == "__main__":
    main()
