"""200,000 records in 8 slices, read and mapped three ways: `python -m tests.bench_scale`.

One process, its threads, and a Dask cluster of two workers, which is there already or is made for
the run. Seconds of a clock from the first record to the spool put together, and CPU seconds of all
processes that had a part in it. Every way must leave the same bytes. The clock says something on a
machine that nobody else is using; on a shared one look at the CPU seconds beside it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
import psutil
from xxhash import xxh3_128_hexdigest

from flows.job import load_job
from flows.settings import load_settings
from flows.stages import extract
from flows.workplace import Workplace
from tests.bench_run import peak
from tests.dask_cluster import cluster
from tests.flows import sliced

RECORDS, SLICES, ROUNDS = 200_000, 8, 3
WAYS: dict[str, dict[str, Any]] = {
    "one process": {},
    "threads": {"slices": SLICES},
    "dask, a cluster that is there": {"slices": SLICES, "runner": "dask"},
    "dask, a cluster of its own": {"slices": SLICES, "runner": "dask"},
}
SPOOLED = ("entities.jsonl", "index.jsonl", "rejects.jsonl")
SETTINGS = """\
jobs: jobs
connections:
  drop: {type: csv, root: drop}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_scale", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--plain", action="store_true", help="gather and compare nothing")
    parser.add_argument("--here", action="store_true", help="measure one run in this process")
    given = parser.parse_args()
    if given.here:
        sys.stdout.buffer.write(orjson.dumps(measure()))
        return
    with tempfile.TemporaryDirectory(prefix="refsync-bench-") as folder:
        root = Path(folder)
        sliced.deliver(root / "drop", given.records)
        (root / "jobs/acme").mkdir(parents=True)
        (root / "refsync.yaml").write_text(SETTINGS, "utf-8")
        runs = [
            {way: run(root, way, plain=given.plain) for way in WAYS} for _ in range(given.rounds)
        ]
    spools = {figures["spool"] for each in runs for figures in each.values()}
    assert len(spools) == 1, "the spools differ"
    _tell(f"{given.records:,} records, {SLICES} slices, best of {given.rounds}; {_machine()}")
    _tell(f"{'':<32}{'clock, s':>10}{'speed-up':>10}{'CPU, s':>10}{'peak, MiB':>12}")
    best = {way: min((each[way] for each in runs), key=lambda run: run["wall"]) for way in WAYS}
    alone = best["one process"]["wall"]
    for way, figures in best.items():
        wall, cpu, most = figures["wall"], figures["cpu"], figures["peak"]
        _tell(f"{way:<32}{wall:>10.2f}{alone / wall:>10.2f}{cpu:>10.2f}{most:>12.0f}")


def run(root: Path, way: str, *, plain: bool) -> dict[str, Any]:
    """One run in a fresh process: its figures, and the digest of its spool."""
    job = sliced.job(page=1_000, **WAYS[way])
    path = root / "jobs" / f"{sliced.NAME}.yaml"
    path.write_text(sliced.plain(job) if plain else job, "utf-8")
    environment = {"REFSYNC_CONFIG": str(root / "refsync.yaml")}
    there = way.endswith("there")
    workers = tempfile.TemporaryDirectory(prefix="refsync-bench-")
    with (
        workers as folder,
        _cluster(Path(folder, "c"), environment) if there else nullcontext() as at,
    ):
        if at is not None:
            words = f"{SETTINGS}dask: {at.address}\n"
            (root / "refsync.yaml").write_text(words, "utf-8")
            _measured(environment)  # its workers have loaded what they need, as on any other night
        before = _cpu(at)
        figures = _measured(environment)
        figures["cpu"] += _cpu(at) - before
    (root / "refsync.yaml").write_text(SETTINGS, "utf-8")
    return figures


def _measured(environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        (sys.executable, "-m", "tests.bench_scale", "--here"),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    figures: dict[str, Any] = orjson.loads(done.stdout)
    return figures


def measure() -> dict[str, Any]:
    """The extraction of the feed, here."""
    settings = load_settings()
    job = load_job(sliced.NAME, Path(settings.jobs))
    place = Workplace(settings, job, "bench")
    cpu, wall = os.times(), time.perf_counter()
    extracted = extract(place)
    wall = time.perf_counter() - wall
    assert extracted.records > 0
    ended = os.times()
    spool = place.spool.folder
    return {
        "wall": wall,
        # children are counted when they are over: those of a cluster of its own
        "cpu": sum(ended[:4]) - sum(cpu[:4]),
        "peak": peak(),
        "spool": xxh3_128_hexdigest(b"".join((spool / name).read_bytes() for name in SPOOLED)),
    }


@contextmanager
def _cluster(folder: Path, environment: dict[str, str]) -> Iterator[Any]:
    with cluster(folder, environment) as running:
        yield running


def _cpu(running: Any) -> float:
    """CPU seconds so far of the workers of a cluster."""
    if running is None:
        return 0.0
    return sum(sum(psutil.Process(each.pid).cpu_times()[:2]) for each in running.workers)


def _machine() -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{len(os.sched_getaffinity(0))} cores, load {load}"


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a bench


if __name__ == "__main__":
    main()
