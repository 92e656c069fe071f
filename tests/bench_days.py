"""The job of every night at full size: a first run, an idle one, one with 1 % changed.

Source and Canopsis are processes of their own, and each run is a fresh one that measures itself.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import requests

from sandbox.cmdb import records
from tests.acceptance.installation import Installation
from tests.bench_process import process

JOB = "acme/servers"
CHANGED = 0.01
KNOBS = {"page_size": 1000, "total": "header"}
IMPORTS = {"pace": {"first": 0.2, "factor": 1.5, "longest": 1.0}}


@dataclass(frozen=True)
class Systems:
    """Both ends of the feed, and the Canopsis of the bare script.

    `collection` is the URL of the records.
    """

    canopsis: str
    other: str
    api: str

    @property
    def collection(self) -> str:
        return f"{self.api}/api/servers"

    def give(self, count: int, changed: float = 0.0) -> None:
        body = orjson.dumps(records(count, changed=changed))
        _ok(requests.put(f"{self.api}/sandbox/collections/servers", data=body, timeout=60))

    def forget(self) -> None:
        for canopsis in (self.canopsis, self.other):
            _ok(requests.post(f"{canopsis}/sandbox/reset", timeout=60))

    def received(self) -> dict[str, Any]:
        """Imports, their items and their bytes, since the last call."""
        traffic = _ok(requests.get(f"{self.canopsis}/sandbox/traffic", timeout=60)).json()
        _ok(requests.delete(f"{self.canopsis}/sandbox/traffic", timeout=60))
        imports = traffic["imports"]
        return {
            "imports": len(imports),
            "items": sum(each["items"] or 0 for each in imports),
            "bytes": sum(each["bytes"] for each in imports),
        }


@contextlib.contextmanager
def systems(count: int) -> Iterator[Systems]:
    """The simulators, in processes that end with the block."""
    with contextlib.ExitStack() as stack:
        canopsis, other = (
            stack.enter_context(process("sandbox.canopsis", "--port", "0", "--tick", "0.05"))
            for _ in range(2)
        )
        knobs = orjson.dumps(KNOBS).decode()
        api = stack.enter_context(
            process("sandbox.jsonapi", "--records", str(count), "--knobs", knobs)
        )
        yield Systems(canopsis, other, api)


def days(there: Systems, count: int) -> dict[str, dict[str, Any]]:
    """The figures of the three runs, by name, from nothing known to 1 % changed.

    Just before each, the bare script does the same work on another Canopsis: `bare` is its figures.
    """
    there.forget()
    there.give(count)
    there.received()
    runs = {}
    with tempfile.TemporaryDirectory(prefix="refsync-bench-") as folder:
        Installation(Path(folder)).settle(
            "acme", canopsis=there.canopsis, api=f"{there.api}/api", imports=IMPORTS
        )
        for name in ("first", "idle", "changed"):
            if name == "changed":
                there.give(count, CHANGED)
            bare = _measured("tests.bench_bare", folder, there.collection, there.other)
            figures = _measured("tests.bench_run", folder, JOB, there.collection)
            runs[name] = figures | {"received": there.received(), "bare": bare}
    return runs


def _measured(module: str, *words: str) -> dict[str, Any]:
    """What a fresh process tells of itself."""
    command = (sys.executable, "-m", module, *words)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = orjson.loads(done.stdout)
    return figures


def _ok(answer: requests.Response) -> requests.Response:
    answer.raise_for_status()
    return answer
