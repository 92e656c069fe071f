"""Runs of refsync in processes that can be killed, without the second that starting one costs.

`python -m tests.torture_fork` imports all there is to import and then forks, for each line of its
standard input, a child that does one run. The child has sockets and database handles of its own,
and dies of a true SIGKILL; orders and answers are JSON, one a line.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[1]
_DEFECT = 70


@dataclass(frozen=True, slots=True)
class Order:
    """One run of `job`, as `refsync sync` does it, and when it is to die.

    `boundary` and `rank`, `calls`: as in `tests.torture_watch`; `moment`: seconds after it began.
    """

    config: str
    jobs: str
    job: str
    boundary: str = ""
    rank: int = 0
    calls: int = 0
    moment: float | None = None
    counting: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How the run ended; `killed`: by SIGKILL, and nothing else is known of it then."""

    killed: bool
    seconds: float
    outcome: str = ""
    code: int = 0
    message: str = ""
    seen: tuple[tuple[str, int], ...] = ()


class Forks:
    """The process that forks, seen from outside."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def run(self, order: Order) -> Ended:
        """Do the run to its end, its own or the one that *order* gives it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(asdict(order)) + b"\n")
        self._process.stdin.flush()
        answer = orjson.loads(self._process.stdout.readline() or b"{}")
        assert answer, "the process that forks has ended"
        seen = tuple((name, calls) for name, calls in answer.pop("seen", ()))
        ended = Ended(**answer, seen=seen)
        assert ended.code != _DEFECT, ended.message
        return ended


@contextlib.contextmanager
def forks(home: Path) -> Iterator[Forks]:
    """Start the process that forks; nothing of this machine's settings reaches it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    with subprocess.Popen(
        (sys.executable, "-m", "tests.torture_fork"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=kept | {"HOME": str(home)},
    ) as process:
        try:
            yield Forks(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def serve() -> None:
    """Fork for each order until there are no more."""
    # all that a run imports, the parts that are imported when they are needed included
    import psycopg  # noqa: F401, PLC0415 - see above
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401, PLC0415 - see above

    import flows.run  # noqa: F401, PLC0415 - the importing side of this module must stay light

    for line in sys.stdin.buffer:
        order = Order(**orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(_forked(order)) + b"\n")
        sys.stdout.buffer.flush()


def _forked(order: Order) -> dict[str, Any]:
    begun, ready = os.pipe()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(begun)
        os.close(reading)
        _child(order, ready, writing)
    os.close(ready)
    os.close(writing)
    with open(begun, "rb") as signs, open(reading, "rb") as answers:  # noqa: PTH123 - descriptors
        signs.read(1)
        started = time.monotonic()
        if order.moment is not None:
            time.sleep(order.moment)
            os.kill(child, signal.SIGKILL)
        said = answers.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    ended = {"killed": killed, "seconds": time.monotonic() - started}
    return ended if killed or not said else ended | orjson.loads(said)


def _child(order: Order, ready: int, writing: int) -> None:
    """Never returns."""
    code = _DEFECT
    try:
        # what a run says is read from the ledger; this end of the pipe is for answers alone
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(0, 2)
        answer = orjson.dumps(_run(order, ready))
        while answer:
            answer = answer[os.write(writing, answer) :]
        code = 0
    except BaseException:  # noqa: BLE001 - a defect is told to whoever asked for the run
        said = {"code": _DEFECT, "message": traceback.format_exc()}
        os.write(writing, orjson.dumps(said))
    finally:
        os._exit(code)


def _run(order: Order, ready: int) -> dict[str, Any]:
    from flows.job import load_job  # noqa: PLC0415 - see `serve`
    from flows.outcome import EXPECTED, exit_code, outcome_of, told  # noqa: PLC0415 - see `serve`
    from flows.run import run_job  # noqa: PLC0415 - see `serve`
    from flows.settings import load_settings  # noqa: PLC0415 - see `serve`
    from flows.workplace import Options  # noqa: PLC0415 - see `serve`
    from tests.torture_watch import Watch  # noqa: PLC0415 - see `serve`

    watch = Watch(order.boundary, order.rank, order.calls, order.counting)
    if order.watched or order.boundary or order.calls or order.counting:
        watch.set_up()
    os.write(ready, b".")
    settings = load_settings({"REFSYNC_CONFIG": order.config})
    try:
        report = run_job(settings, load_job(order.job, Path(order.jobs)), Options())
    except EXPECTED as error:
        sys.setprofile(None)
        ended = {
            "outcome": outcome_of(error),
            "code": exit_code(error),
            "message": told(error),
        }
    else:
        sys.setprofile(None)
        ended = {"outcome": report.outcome, "code": report.exit_code, "message": report.message}
    return ended | {"seen": watch.seen}


if __name__ == "__main__":
    serve()
