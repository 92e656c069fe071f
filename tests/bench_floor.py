"""The floor of a run: what decoding its pages and encoding its entities costs, and no more.

As `specs/peers.md` §3.2 takes it: `orjson.loads` of the pages and `orjson.dumps` of the entities,
the collector off, everything in memory; the lowest of three rounds, for the first one has the
memory to get as well. `bench_bare` tells whether it measures the same thing: the bare script of
that page costs 3.2 floors with nothing known, and 2.1 with nothing to do.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import requests

from referential.collector import collector_paused

Records = list[dict[str, Any]]

_ROUNDS = 3


def floor(payloads_of: Callable[[Records], list[bytes]], url: str) -> tuple[float, float]:
    """CPU seconds of `orjson.loads` of all pages, and of `orjson.dumps` of all entities."""
    texts = list(bodies(url))
    with collector_paused():
        rounds = [_round(payloads_of, texts) for _ in range(_ROUNDS)]
    loads, dumps = zip(*rounds, strict=True)
    return min(loads), min(dumps)


def _round(
    payloads_of: Callable[[Records], list[bytes]], texts: list[bytes]
) -> tuple[float, float]:
    start = time.process_time()
    pages = [orjson.loads(text) for text in texts]
    loads = time.process_time() - start
    entities = [orjson.loads(item) for page in pages for item in payloads_of(page["data"])]
    del pages
    start = time.process_time()
    orjson.dumps(entities)
    return loads, time.process_time() - start


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
