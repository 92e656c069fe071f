"""One run of one job in a fresh process, which measures itself: `python -m tests.bench_run`.

The floor (`bench_floor`) comes after it, in the same process: what it holds is no memory of a run.
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.acceptance.installation import Installation
from tests.bench_floor import floor

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
    stages = Stages()
    cpu, wall = time.process_time(), time.monotonic()
    report = installation.sync(job, call=stages.call)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    most = peak()
    mapper = installation.job(job).mapper()
    loads, dumps = floor(lambda page: mapper.map_page("servers", page, 1).entities.payloads, pages)
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
        "peak": most,
    }


def peak() -> float:
    """MiB. `ru_maxrss` would not do: across an exec it keeps what the parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("job")
    parser.add_argument("pages", help="URL of the collection that the job reads")
    given = parser.parse_args()
    sys.stdout.buffer.write(orjson.dumps(measure(given.folder, given.job, given.pages)) + b"\n")


if __name__ == "__main__":
    main()
