"""Everything that can go wrong while a referential is loaded, and that nothing is lost by it.

python -m tests.torture                      as `make torture`
python -m tests.torture --kills 20           fewer random kills, no kill at every boundary
python -m tests.torture --only faults        one part of it

Prints what it counted; exit code 1 when anything was lost, or not as it should be.
"""

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import server
from tests.torture_bench import Backend, Bench, two_systems
from tests.torture_fork import Forks, forks
from tests.torture_kill import SCENARIOS, Trials

SHARES = {"first load": 0.2, "delta day": 0.6, "day of deletions": 0.2}
BACKENDS: tuple[Backend, ...] = ("SQLite", "PostgreSQL")
ALL = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=ALL, help="random kills on each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", choices=BACKENDS, action="append", help="kills on this database")
    parser.add_argument("--no-boundaries", action="store_true", help="random kills alone")
    parser.add_argument("--only", choices=("kills", "faults", "locks"), default="")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what a run says is in its ledger
    faults: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="refsync-torture-")))
        if options.only in ("", "kills"):
            faults += kills(stack, folder, options)
        if options.only in ("", "faults"):
            from tests.torture_faults import table  # noqa: PLC0415 - kills do without it

            faults += table(folder / "faults")
    if options.only in ("", "locks"):
        faults += locks()
    for fault in faults:
        say(f"NOT AS IT SHOULD BE: {fault}")
    return 1 if faults else 0


def kills(stack: ExitStack, folder: Path, options: argparse.Namespace) -> list[str]:
    """The random kills on both databases, then one at every boundary; what was not equal."""
    world, forked = stack.enter_context(two_systems()), stack.enter_context(forks(folder))
    faults: list[str] = []
    benches: dict[Backend, Bench] = {}
    for backend in options.on or BACKENDS:
        url = stack.enter_context(server()) if backend == "PostgreSQL" else ""
        benches[backend] = Bench(world, folder / backend, url)
        faults += _random(benches[backend], forked, backend, options.kills, options.seed)
    if options.kills >= ALL and not options.no_boundaries:
        for backend, bench in benches.items():
            faults += _boundaries(bench, forked, backend)
    return faults


def _random(bench: Bench, forked: Forks, backend: Backend, count: int, seed: int) -> list[str]:
    started, equal, changed, faults = time.monotonic(), 0, 0, list[str]()
    for scenario in SCENARIOS:
        trials = Trials(bench, forked, scenario)
        trials.prepare()
        trials.all(trials.moments(round(count * SHARES[scenario]), seed))
        equal += trials.equal
        before = trials.equal
        trials.expect_change()
        trials.all(trials.moments(round(count // 4 * SHARES[scenario]), seed + 1), changing=True)
        changed += trials.equal - before
        faults += trials.faults
    seconds = time.monotonic() - started
    say(f"kills: {equal} of {count} equal on {backend}")
    say(
        f"kills, the CMDB changed before the next run: {changed} of {count // 4} as the CMDB says"
        f" on {backend} ({seconds:.0f} s)"
    )
    return faults


def _boundaries(bench: Bench, forked: Forks, backend: Backend) -> list[str]:
    started, equal, killed, faults = time.monotonic(), 0, 0, list[str]()
    for scenario in SCENARIOS:
        trials = Trials(bench, forked, scenario)
        trials.prepare()
        trials.all(trials.boundaries())
        equal, killed = equal + trials.equal, killed + trials.killed
        faults += trials.faults
    seconds = time.monotonic() - started
    say(f"kills at step boundaries: {equal} of {killed} equal on {backend} ({seconds:.0f} s)")
    return faults


def locks() -> list[str]:
    """Two runs of one job started together, again and again (`tests.torture_lock`)."""
    code = subprocess.run((sys.executable, "-m", "tests.torture_lock"), check=False).returncode
    return [f"tests.torture_lock ended with {code}"] if code else []


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
