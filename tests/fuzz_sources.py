"""Reads simulated systems that misbehave, and looks for rows that are lost without a word.

python -m tests.fuzz_sources --inputs 2000 --seed 1                     of every kind
python -m tests.fuzz_sources --inputs 2000 --seed 1 --kind servicenow   of one
python -m tests.fuzz_sources --kind servicenow --seed 1 --only 4711     one of them again

An input is read to its end or its error, twice. Complete means that every row came that was there
all the time, once; anything less says so, with its reason, where and how to mend.
"""

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from types import FrameType
from typing import Any

from tests import fuzz_api, fuzz_easyvista, fuzz_itop, fuzz_servicenow
from tests.fuzz_reading import Kind, Wrong, run
from tests.fuzz_shrink import shrunk
from tests.fuzz_watch import ROOT, Case, Hang

KINDS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "servicenow": fuzz_servicenow.served,
    "easyvista": fuzz_easyvista.served,
    "itop": fuzz_itop.served,
    "api": fuzz_api.served,
}
PATIENCE = 30.0  # seconds of a clock after which an input is interrupted
SHRINKING = 60.0  # seconds of a clock for one finding
ALIKE = 2  # findings of one sign that are told; the others are counted


def case_of(kind: Kind, seed: int, number: int) -> Case:
    """Input *number* of a seed, the same on any machine."""
    return kind.draw(Random(f"{kind.name}/{seed}/{number}"))


def seen(kind: Kind, case: Case) -> tuple[str, str, str]:
    """What became of an input: its outcome; or the sign of what is wrong, and in words."""
    try:
        return run(kind, case), "", ""
    except Hang:
        return "hang", "hang", f"interrupted after {PATIENCE} s of a clock"
    except Wrong as wrong:
        return "wrong", wrong.sign, str(wrong)
    except Exception as error:  # noqa: BLE001 - no source may raise another, whatever it is
        frames = traceback.extract_tb(error.__traceback__)
        ours = [each for each in frames if each.filename.startswith(f"{ROOT}/")] or frames
        place = f"{ours[-1].filename.removeprefix(f'{ROOT}/')}:{ours[-1].lineno}"
        return "crash", f"{type(error).__name__} at {place}", f"{type(error).__name__}: {error}"


def _watched(kind: Kind, case: Case) -> tuple[str, str, str]:
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        return seen(kind, case)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def smallest(kind: Kind, case: Case, sign: str) -> Case:
    """The smallest input that is wrong in the same way; rows go, and what they hold stays."""
    parts = {name: value for name, value in case.items() if isinstance(value, list | dict)}
    for name in parts.keys() & {"rows", "tables"}:
        parts[name] = _ranks(parts[name])

    def whole(part: Case) -> Case:
        rows = {name: _ranked(case[name], part[name]) for name in part.keys() & {"rows", "tables"}}
        return {**case, **part, **rows}

    def fails(part: Case) -> bool:
        return _watched(kind, whole(part))[1] == sign

    return whole(shrunk(parts, fails, SHRINKING))


def _ranks(rows: Any) -> Any:
    """A rank for each row, of one list or of several by name."""
    if isinstance(rows, dict):
        return {name: _ranks(each) for name, each in rows.items()}
    return list(range(len(rows)))


def _ranked(rows: Any, ranks: Any) -> Any:
    if isinstance(rows, dict):
        return {name: _ranked(rows[name], each) for name, each in ranks.items()}
    return [rows[rank] for rank in ranks]


def hunt(kind: Kind, seed: int, numbers: range, tell: Callable[[str], None]) -> int:
    """How many of these inputs are findings; the first ones of each sign are told, made small."""
    outcomes: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    begin = time.monotonic()
    for number in numbers:
        case = case_of(kind, seed, number)
        outcome, sign, what = _watched(kind, case)
        outcomes[outcome] += 1
        if not sign:
            continue
        signs[sign] += 1
        if signs[sign] <= ALIKE:
            tell(f"\n{kind.name}, input {number} of seed {seed}: {sign}: {what}")
            small = smallest(kind, case, sign)
            tell(f"    smallest: {small!r}")
            tell(f"    where: {seen(kind, small)[2]}")
            tell(
                f"    again: python -m tests.fuzz_sources --kind {kind.name} --seed {seed} "
                f"--only {number}"
            )
    told = ", ".join(f"{word} {count:,}" for word, count in outcomes.most_common())
    tell(f"{kind.name}: {len(numbers):,} inputs in {time.monotonic() - begin:.0f} s: {told}")
    for sign, count in signs.most_common():
        tell(f"    {count:,} x {sign}")
    return signs.total()


def main() -> int:
    given = _arguments()
    findings = 0
    signal.signal(signal.SIGALRM, _interrupt)
    for name in given.kind or KINDS:
        with KINDS[name]() as kind:
            if given.only is not None:
                case = case_of(kind, given.seed, given.only)
                _tell(repr(case))
                outcome, sign, what = seen(kind, case)
                _tell(f"{outcome} {sign} {what}")
                findings += bool(sign)
            else:
                findings += hunt(kind, given.seed, range(given.inputs), _tell)
    _tell(f"{findings:,} findings" if findings else "no finding")
    return 1 if findings else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_sources", description=__doc__)
    parser.add_argument("--inputs", type=int, default=2000, help="of each kind")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn with")
    parser.add_argument("--kind", action="append", choices=KINDS, help="the only kind, or some")
    parser.add_argument("--only", type=int, help="the number of one input to try again")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def _tell(text: str) -> None:
    for line in text.split("\n"):
        print(line if line.isprintable() else ascii(line)[1:-1], flush=True)  # noqa: T201 - a report


if __name__ == "__main__":
    sys.exit(main())
