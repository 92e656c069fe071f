"""One run of one job in a fresh process, which measures itself: `python -m tests.bench_run`.

The floor comes just before, in the same process: `orjson.loads` of all pages and `orjson.dumps` of
all entities, the collector off. Pages go by one at a time, so that they do not count as memory of
the process.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import requests

from flows.stages import collector_paused
from mappings.mapper import Mapper
from tests.acceptance.installation import Installation

STARTED = time.process_time()  # what the interpreter and the imports took


@dataclass
class Stages:
    """CPU and wall seconds by stage; `call` is what `flows.run.run_job` calls them through."""

    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)

    def call(self, stage: Any, *arguments: Any) -> Any:
        cpu, wall = time.process_time(), time.monotonic()
        try:
            return stage(*arguments)
        finally:
            self.cpu[stage.__name__] = time.process_time() - cpu
            self.wall[stage.__name__] = time.monotonic() - wall


def measure(folder: Path, job: str, pages: str) -> dict[str, Any]:
    """The figures of one run, JSON values only."""
    installation = Installation(folder)
    loads, dumps = floor(installation.job(job).mapper(), "servers", pages)
    stages = Stages()
    cpu, wall = time.process_time(), time.monotonic()
    report = installation.sync(job, call=stages.call)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {
        "outcome": report.outcome,
        "counts": report.counts(),
        "start": STARTED,
        "loads": loads,
        "dumps": dumps,
        "cpu": sum(stages.cpu.values()),
        "whole": cpu,
        "wall": wall,
        "stages": stages.cpu,
        "stages_wall": stages.wall,
        "peak": peak(),
    }


def floor(mapper: Mapper, dataset: str, url: str) -> tuple[float, float]:
    """CPU seconds of `orjson.loads` of all pages, and of `orjson.dumps` of all entities."""
    loads = dumps = 0.0
    for body in bodies(url):
        with collector_paused():
            start = time.process_time()
            document = orjson.loads(body)
            loads += time.process_time() - start
            payloads = mapper.map_page(dataset, document["data"], 1).entities.payloads
            start = time.process_time()
            del document
            loads += time.process_time() - start
            entities = [orjson.loads(payload) for payload in payloads]
            start = time.process_time()
            orjson.dumps(entities)
            dumps += time.process_time() - start
            del entities, payloads
    return loads, dumps


def peak() -> float:
    """MiB. `ru_maxrss` would not do: across an exec it keeps what the parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def bodies(url: str) -> Iterator[bytes]:
    """The pages of a simulated API as they come, until an empty one."""
    with requests.Session() as session:
        page, last = 1, False
        while not last:
            answer = session.get(url, params={"page": page, "limit": 1000}, timeout=60)
            answer.raise_for_status()
            last = len(answer.content) < 100
            if not last:
                yield answer.content
            page += 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("job")
    parser.add_argument("pages", help="URL of the collection that the job reads")
    given = parser.parse_args()
    sys.stdout.buffer.write(orjson.dumps(measure(given.folder, given.job, given.pages)) + b"\n")


if __name__ == "__main__":
    main()
