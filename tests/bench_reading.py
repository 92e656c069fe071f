"""What reading costs: the `api` source beside a bare loop of requests and orjson, CPU seconds.

Both read the same pages of the same simulator in turn, the collector off, best of several rounds.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from flows.extraction import collector_paused
from flows.workplace import Workplace
from sources.base import Scope
from tests.acceptance.installation import Installation
from tests.bench_floor import bodies

ROUNDS = 3


def figures(folder: Path, name: str, dataset: str, url: str) -> dict[str, float]:
    """CPU seconds of each, and their ratio."""
    installation = Installation(folder)
    job = installation.job(name)
    connection = Workplace(installation.settings(), job, run_id="").source_connection()
    scope = Scope(fields=job.mapper().fields(dataset))

    def source() -> int:
        pages = job.source.extract(job.config, dataset, connection, scope)
        return sum(len(page.records) for page in pages)

    def bare() -> int:
        return sum(len(orjson.loads(body)["data"]) for body in bodies(url))

    assert source() == bare()
    best = [math.inf, math.inf]
    for _ in range(ROUNDS):
        for rank, way in enumerate((source, bare)):
            best[rank] = min(best[rank], _cost(way))
    return {
        "api source, CPU s": best[0],
        "bare requests + orjson, CPU s": best[1],
        "api source / bare loop": best[0] / best[1],
    }


def _cost(way: Callable[[], int]) -> float:
    with collector_paused():
        start = time.process_time()
        way()
        return time.process_time() - start
