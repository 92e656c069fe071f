"""What each source over HTTP costs beside a bare loop over the same answers; what slices hide.

The simulators are processes of their own. The calls that a source makes are noted once; the bare
loop makes the very same ones with `requests` and decodes the answers with `orjson.loads`. CPU
seconds of this process, the collector off, best of several rounds, turn about. Latency is a
matter of the clock: the simulator waits before each answer.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter

from referential.collector import collector_paused
from sources.base import Complete, Extraction, Outcome, Scope, Slice
from sources.lanes import Wanted, side_by_side
from sources.registry import SOURCES
from tests.bench_process import process

ROUNDS = 3
SLICES = 4
LATENCY = 0.3  # seconds


@dataclass(frozen=True)
class Feed:
    """A dataset of a simulated system, as a source reads it; `fields`: those of a mapping."""

    kind: str
    simulator: tuple[str, ...]
    counted: str  # its option for the number of records
    dataset: Mapping[str, Any]
    connection: Mapping[str, Any]
    fields: frozenset[str]
    count: int = 50_000
    small: int = 60_000  # records read where every page waits

    @contextlib.contextmanager
    def served(self, count: int, latency: float = 0.0) -> Iterator[tuple[Any, Any]]:
        """The configuration and the connection of the source, while its system is served."""
        source = SOURCES[self.kind]
        config = source.config.model_validate(
            {"connection": "bench", "datasets": {"feed": self.dataset}}
        )
        with process(*self.simulator, self.counted, str(count)) as url:
            if latency:
                knobs = requests.put(f"{url}/sandbox/knobs", json={"latency": latency}, timeout=10)
                knobs.raise_for_status()
            settings = {"base_url": url, **self.connection}
            yield config, source.connection.model_validate(settings)


def cost(feed: Feed) -> dict[str, float]:
    """CPU seconds of the source and of the bare loop, and their ratio."""
    with feed.served(feed.count) as (config, connection):

        def source() -> int:
            return _read(SOURCES[feed.kind].extract(config, "feed", connection, _scope(feed)))

        with _noted() as calls:
            rows = source()
        assert rows >= feed.count, rows

        asked = list(map(_written, calls))

        def bare() -> int:
            with requests.Session() as session:
                for words in asked:
                    orjson.loads(session.request(**words, timeout=60).content)
            return rows

        best = [math.inf, math.inf]
        for _ in range(ROUNDS):
            for rank, way in enumerate((source, bare)):
                best[rank] = min(best[rank], _cost(way))
    return {
        f"{feed.kind} source, CPU s": best[0],
        f"bare loop over its {len(calls)} answers, CPU s": best[1],
        f"{feed.kind} source / bare loop (target 1.5)": best[0] / best[1],
    }


def latency(feed: Feed) -> dict[str, float]:
    """How much faster several slices are than one reading when every answer waits."""
    source = SOURCES[feed.kind]
    with feed.served(feed.small, LATENCY) as (config, connection):
        scope = _scope(feed)

        def rows_of(part: Slice, _: Wanted) -> int:
            return _read(source.extract(config, "feed", connection, replace(scope, slice=part)))

        start = time.perf_counter()
        whole = _read(source.extract(config, "feed", connection, scope))
        between = time.perf_counter()
        parts = source.slices(config, "feed", connection, scope, SLICES)
        assert sum(rows for _, rows in side_by_side(parts, rows_of, SLICES)) == whole
        ended = time.perf_counter()
    return {
        f"{feed.kind}: one reading / {len(parts)} slices at {LATENCY:g} s a page (target 3)": (
            (between - start) / (ended - between)
        )
    }


def _written(call: requests.PreparedRequest) -> dict[str, Any]:
    """*call* in the words of whoever writes a loop by hand: address, parameters, form, headers."""
    parts = urlsplit(str(call.url))
    body = call.body.decode() if isinstance(call.body, bytes) else call.body
    form = parse_qsl(body) if body else None
    kept = {"Authorization", "Accept"}
    return {
        "method": call.method,
        "url": parts._replace(query="").geturl(),
        "params": parse_qsl(parts.query),
        "data": form,
        "headers": {name: value for name, value in call.headers.items() if name in kept},
    }


def _scope(feed: Feed) -> Scope:
    return Scope(fields=feed.fields)


def _read(extraction: Extraction) -> int:
    outcomes: list[Outcome] = []

    def pages() -> Extraction:
        outcomes.append((yield from extraction))
        return outcomes[0]

    rows = sum(len(page.records) for page in pages())
    assert isinstance(outcomes[0], Complete), outcomes
    return rows


@contextlib.contextmanager
def _noted() -> Iterator[list[requests.PreparedRequest]]:
    """The calls made inside, as they left."""
    calls: list[requests.PreparedRequest] = []
    send = HTTPAdapter.send

    def noting(adapter: HTTPAdapter, request: requests.PreparedRequest, **rest: Any) -> Any:
        calls.append(request.copy())
        return send(adapter, request, **rest)

    with mock.patch.object(HTTPAdapter, "send", noting):
        yield calls


def _cost(way: Callable[[], int]) -> float:
    with collector_paused():
        start = time.process_time()
        way()
        return time.process_time() - start
