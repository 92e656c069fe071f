"""A Dask cluster of real processes: a scheduler, and workers with an installation of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

WITHIN = 60.0  # seconds for a process to be there


@dataclass
class Cluster:
    """`workers` are its processes by the order in which they were started."""

    folder: Path
    environment: Mapping[str, str]
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, count: int = 1) -> None:
        """Start so many workers more, in the environment of the cluster, and await them."""
        begun = []
        for number in range(len(self.workers), len(self.workers) + count):
            here, log = self.folder / f"worker-{number}", self.folder / f"worker-{number}.log"
            here.mkdir()
            words = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", str(number))
            worker = _started(
                "dask_worker", self.address, *words, log=log, cwd=here, env=self.environment
            )
            self.workers.append(worker)
            begun.append((worker, log))
        for worker, log in begun:
            _await(lambda log=log: b"Registered to" in log.read_bytes(), worker, log)

    def kill(self) -> int:
        """Kill one that is alive, as if its machine were gone; returns its number."""
        number = self.alive().index(True)
        self.workers[number].kill()
        self.workers[number].wait()
        return number

    def alive(self) -> list[bool]:
        return [worker.poll() is None for worker in self.workers]


@contextmanager
def cluster(folder: Path, environment: Mapping[str, str], workers: int = 2) -> Iterator[Cluster]:
    """A scheduler on loopback and so many *workers*, all of whose files are in *folder*."""
    folder.mkdir(parents=True)
    told, log = folder / "scheduler.json", folder / "scheduler.log"
    words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    scheduler = _started("dask_scheduler", *words, log=log, cwd=folder, env=environment)
    running = Cluster(folder, environment)
    try:
        _await(lambda: told.exists() and told.stat().st_size > 0, scheduler, log)
        running.address = orjson.loads(told.read_bytes())["address"]
        running.start(workers)
        yield running
    finally:
        for process in (*running.workers, scheduler):
            process.kill()
            process.wait()


def _started(
    command: str, *words: str, log: Path, cwd: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command}", *words],
            cwd=cwd,
            env={**os.environ, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _await(there: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WITHIN
    while not there():
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, log.read_text("utf-8")
        time.sleep(0.05)
