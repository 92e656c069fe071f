"""Whatever is written, one of our errors or a result, soon, and nothing outside is touched.

python -m tests.fuzz --inputs 200000 --seed 1      every kind of input, on two cores
python -m tests.fuzz --seed 1 --only 4711          one of them again, with its input printed

Input N of a seed is the same on any machine, however many processes share the work: each has a
source of chance of its own. A process that dies, or that no signal interrupts, is told of by the
number of the input that it was at.
"""

import argparse
import importlib
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz_shrink import shrunk
from tests.fuzz_watch import MOST_SECONDS, PATIENCE, Case, Kind, Seen, Watch

MEMORY = 4 << 30  # bytes of address space for a process
SHRINKING = 20.0  # seconds of a clock for one finding
SILENCE = 3  # times its patience after which a process is ended that does not come back
ALIKE = 3  # findings of one sign that are told by a process; the others are counted
BATCH = 500  # inputs after which a process reports

CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that did what it must not, and the smallest that does the same."""

    kind: str
    number: int
    sign: str
    fault: str
    smallest: str


@dataclass(slots=True)
class Score:
    """What inputs of one kind did. `slowest` is the CPU time of an input, and its number."""

    inputs: int = 0
    spent: float = 0.0
    slowest: tuple[float, int] = (0.0, -1)
    outcomes: Counter[str] = field(default_factory=Counter)

    def count(self, number: int, seen: Seen) -> None:
        self.inputs += 1
        self.spent += seen.spent
        self.slowest = max(self.slowest, (seen.spent, number))
        self.outcomes[seen.outcome] += 1

    def add(self, other: "Score") -> None:
        self.inputs += other.inputs
        self.spent += other.spent
        self.slowest = max(self.slowest, other.slowest)
        self.outcomes += other.outcomes


@dataclass(slots=True)
class Report:
    """What one process, or all of them, saw."""

    scores: dict[str, Score] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    signs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: "Report") -> None:
        for kind, score in other.scores.items():
            self.scores.setdefault(kind, Score()).add(score)
        self.findings += other.findings
        self.signs += other.signs


@dataclass(frozen=True, slots=True)
class Task:
    """The inputs of one process: *first*, and every *step*-th after it."""

    module: str
    seed: int
    inputs: int
    first: int
    step: int
    patience: float = PATIENCE
    most: float = MOST_SECONDS

    def kind_and_case(self, kinds: Sequence[Kind], number: int) -> tuple[Kind, Case]:
        random = Random(f"{self.seed}/{number}")
        (kind,) = random.choices(kinds, [kind.share for kind in kinds])
        return kind, kind.draw(random)


class Hunt:
    """The work of one process."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task = task
        module = importlib.import_module(task.module)
        self.kinds: Sequence[Kind] = module.kinds(folder)
        self.watch = Watch(task.patience, task.most)
        self._told: Counter[tuple[str, str]] = Counter()
        module.warm(self.kinds, self.watch)

    def one(self, number: int) -> tuple[Kind, Case, Seen]:
        kind, case = self.task.kind_and_case(self.kinds, number)
        return kind, case, self.watch.see(kind, case)

    def all(self, at: Any) -> Iterator[Report]:
        """Every input of the task, reported a batch at a time.

        *at* is told the number of the input at hand, and -1 while one is made smaller.
        """
        report = Report()
        for number in range(self.task.first, self.task.inputs, self.task.step):
            at.value = number
            kind, case, seen = self.one(number)
            report.scores.setdefault(kind.name, Score()).count(number, seen)
            if seen.sign:
                self._told[kind.name, seen.sign] += 1
                report.signs[kind.name, seen.sign] += 1
                if self._told[kind.name, seen.sign] <= ALIKE:
                    at.value = -1
                    report.findings.append(self._finding(kind, number, case, seen))
            if number // self.task.step % BATCH == BATCH - 1:
                yield report
                report = Report()
        yield report

    def _finding(self, kind: Kind, number: int, case: Case, seen: Seen) -> Finding:
        def fails(candidate: Case) -> bool:
            return self.watch.see(kind, candidate).sign == seen.sign

        smallest = case if seen.sign == "hang" else shrunk(case, fails, SHRINKING)
        return Finding(kind.name, number, seen.sign, seen.fault, repr(smallest))


def _work(task: Task, at: Any, to: Connection) -> None:
    """The life of a process: its reports, and None when they are all."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory(prefix="refsync-fuzz-") as folder:
        for report in Hunt(task, Path(folder)).all(at):
            to.send(report)
    to.send(None)


class Worker:
    """A process and what is known of it from outside."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.at = CONTEXT.Value("q", -1, lock=False)
        self.ear, mouth = CONTEXT.Pipe(duplex=False)
        self.process: SpawnProcess = CONTEXT.Process(target=_work, args=(task, self.at, mouth))
        self.process.start()
        mouth.close()
        self.finished = False
        self._moved = time.monotonic()
        self._last = -1

    def is_stuck(self) -> bool:
        """Whether it has been at one input for too long."""
        now, here = time.monotonic(), self.at.value
        if here != self._last:
            self._moved, self._last = now, here
        return here >= 0 and now - self._moved > SILENCE * self.task.patience

    def hears(self, total: Report) -> bool:
        """Adds what it reports; whether there will be more."""
        try:
            report: Report | None = self.ear.recv()
        except EOFError:
            return False
        if report is not None:
            total.add(report)
        self.finished = report is None
        return not self.finished

    def end(self) -> None:
        if self.finished or not self.is_stuck():
            self.process.join(5)
        self.process.kill()
        self.process.join()

    def replaced(self, total: Report) -> "list[Worker]":
        """The finding that it died of, and another for the inputs that come after."""
        task, number = self.task, self.at.value
        what = f"the process was ended, or ended itself (exit code {self.process.exitcode})"
        total.findings.append(Finding("?", number, "lost process", what, "run it with --only"))
        total.signs["?", "lost process"] += 1
        rest = replace(task, first=number + task.step)
        return [Worker(rest)] if number >= 0 else []


def hunt(whole: Task, processes: int) -> Report:
    """What *processes* saw that shared a task."""
    tasks = [replace(whole, first=first, step=processes) for first in range(processes)]
    workers = [Worker(task) for task in tasks]
    total = Report()
    while workers:
        heard = wait([worker.ear for worker in workers], timeout=1)
        for worker in list(workers):
            if worker.ear in heard and worker.hears(total):
                continue
            if worker.ear in heard or worker.is_stuck():
                workers.remove(worker)
                worker.end()
                if not worker.finished:
                    workers += worker.replaced(total)
    return total


def told(report: Report, seed: int) -> Iterator[str]:
    """The report as lines."""
    yield f"{'kind':<14}{'inputs':>9}{'CPU s':>9}{'slowest':>18}   outcomes"
    for name, score in sorted(report.scores.items()):
        outcomes = ", ".join(f"{word} {count:,}" for word, count in score.outcomes.most_common())
        longest = f"{score.slowest[0]:.3f} ({score.slowest[1]})"
        figures = f"{score.inputs:>9,}{score.spent:>9.1f}{longest:>18}"
        yield f"{name:<14}{figures}   {outcomes}"
    total = sum(score.inputs for score in report.scores.values())
    slowest = max(
        ((score.slowest, name) for name, score in report.scores.items()), default=((0.0, -1), "-")
    )
    (spent, number), name = slowest
    yield f"{total:,} inputs of seed {seed}; the slowest is {number} ({name}), {spent:.3f} s of CPU"
    for finding in report.findings:
        count = report.signs[finding.kind, finding.sign]
        yield ""
        yield f"{finding.kind}, input {finding.number}: {finding.fault} ({count} inputs like it)"
        yield f"    smallest: {finding.smallest}"
        yield f"    again: python -m tests.fuzz --seed {seed} --only {finding.number}"
    yield f"{report.signs.total():,} findings" if report.findings else "no finding"


def main() -> int:
    given = _arguments()
    task = Task(given.kinds, given.seed, given.inputs, 0, 1, given.patience, given.most)
    if given.only is not None:
        return _again(task, given.only)
    report = hunt(task, given.processes)
    for line in told(report, given.seed):
        _tell(line)
    return 1 if report.findings else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="how many are tried")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn with")
    parser.add_argument("--processes", type=int, default=2, help="that share the work")
    parser.add_argument("--only", type=int, help="the number of one input to try again")
    parser.add_argument("--kinds", default="tests.fuzz_kinds", help="module with kinds of inputs")
    parser.add_argument("--most", type=float, default=MOST_SECONDS, help="seconds of CPU for one")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds of a clock before one is stopped"
    )
    return parser.parse_args()


def _again(task: Task, number: int) -> int:
    with tempfile.TemporaryDirectory(prefix="refsync-fuzz-") as folder:
        kind, case, seen = Hunt(task, Path(folder)).one(number)
    _tell(f"{kind.name}: {case!r}")
    _tell(f"{seen.outcome}, {seen.spent:.3f} s of CPU {seen.fault}")
    return 1 if seen.sign else 0


def _tell(text: str) -> None:
    for line in text.split("\n"):
        print(line if line.isprintable() else ascii(line)[1:-1], flush=True)  # noqa: T201 - a report


if __name__ == "__main__":
    sys.exit(main())
