"""The fuzzer of the repository (`python -m tests.fuzz`): a slice of it, and that it does catch.

This module is also one of kinds of inputs, which do what no input of ours may: those named by
`PLANTED`.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.fuzz_watch import Case, Kind, Poor, Watch

ROOT = Path(__file__).resolve().parents[2]


def fuzz(*arguments: str, planted: str = "") -> tuple[int, str]:
    """The exit code of the fuzzer and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *arguments],
        cwd=ROOT,
        env={**os.environ, "PLANTED": planted},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode, done.stdout


def test_whatever_is_written_ends_soon_with_our_errors_alone_and_reaches_nothing_outside() -> None:
    code, said = fuzz("--inputs", "3000", "--seed", "20260301")

    assert said.endswith("no finding\n"), said
    assert code == 0
    assert "\n3,000 inputs of seed 20260301" in said
    assert {
        kind: lacking for kind, mix in MIXES.items() if (lacking := lacks(said, kind, mix))
    } == {}


# The least shares of outcomes by kind: fuzz that is all refused would try little.
MIXES = {
    "templates": {"rendered": 0.15, "failed": 0.2, "refused": 0.1},
    "regexps": {"matched": 0.15, "no match": 0.15, "refused": 0.2},
    "yaml": {"read": 0.3, "refused": 0.3},
    "driver files": {"mapped": 0.1, "rejected": 0.1, "refused": 0.2},
    "mappings": {"mapped": 0.2, "rejected": 0.1, "refused": 0.2},
    "job files": {"mapped": 0.1, "rejected": 0.05, "refused": 0.3},
}


def lacks(said: str, kind: str, mix: dict[str, float]) -> dict[str, float]:
    """The outcomes of a kind that are rarer than they should be, with their shares."""
    row = next(line for line in said.splitlines() if line.startswith(kind))
    counts = {word: int(count.replace(",", "")) for word, count in _OUTCOME.findall(row)}
    total = sum(counts.values())
    shares = {word: counts.get(word, 0) / total for word in mix}
    return {word: share for word, share in shares.items() if share < mix[word]}


_OUTCOME = re.compile(r"([a-z]+(?: [a-z]+)?) ([\d,]*\d)(?=,|$)")


# What the fuzzer is there to catch


def _crash() -> None:
    raise ZeroDivisionError("planted")


def _poor() -> None:
    raise Poor("no place: planted")


def _open() -> None:
    Path(__file__).read_bytes()


def _connect() -> None:
    socket.socket().close()


def _start() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def _slow() -> None:
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass


def _hang() -> None:
    while True:
        pass


def _stuck() -> None:
    sum(range(10**12))  # no signal is looked at before it is over


def _die() -> None:
    os._exit(3)


DEEDS = {
    "crash": _crash,
    "poor": _poor,
    "open": _open,
    "connect": _connect,
    "start": _start,
    "slow": _slow,
    "hang": _hang,
    "stuck": _stuck,
    "die": _die,
    "nothing": lambda: None,
}


def kinds(_folder: Path) -> Sequence[Kind]:
    return [Kind(name, 1, _draw, _run(name)) for name in os.environ["PLANTED"].split()]


def warm(_every: Sequence[Kind], _watch: Watch) -> None:
    pass


def _draw(random: Random) -> Case:
    return {"text": "".join(random.choice("ab!") for _ in range(30)) + "!"}


def _run(name: str):  # noqa: ANN202 - what a kind runs
    def run(case: Case) -> str:
        if "!" in case["text"]:
            DEEDS[name]()
        return "done"

    return run


PLANTED = "tests.mappings.test_fuzz"


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        ("crash", "ZeroDivisionError: planted\n    at tests/mappings/test_fuzz.py:"),
        ("poor", "no place: planted"),
        ("open", "open ("),
        ("connect", "socket.__new__ ("),
        ("start", "subprocess.Popen ("),
        ("slow", " s of CPU, where 0.05 are allowed (done)"),
        ("hang", "interrupted after 0.3 s of a clock"),
        ("stuck", "the process was ended, or ended itself (exit code -9)"),
        ("die", "the process was ended, or ended itself (exit code 3)"),
    ],
)
def test_the_fuzzer_catches(deed: str, fault: str) -> None:
    # the clock of a loaded machine must not end what is to be found slow by its CPU time
    limits = ("--patience", "30" if deed == "slow" else "0.3", "--most", "0.05")

    code, said = fuzz("--kinds", PLANTED, "--inputs", "2", *limits, planted=deed)

    assert code == 1
    assert fault in said
    assert "again: python -m tests.fuzz --seed 1 --only 0\n" in said
    if deed in ("crash", "poor", "open", "connect"):
        assert "smallest: {'text': '!'}\n" in said


def test_the_fuzzer_is_content_with_what_does_nothing_wrong() -> None:
    code, said = fuzz("--kinds", PLANTED, "--inputs", "1200", planted="nothing")

    assert (code, said.splitlines()[-1]) == (0, "no finding")
    assert "1,200 inputs" in said


def test_one_input_is_tried_again_by_its_number() -> None:
    code, said = fuzz("--kinds", PLANTED, "--only", "1", planted="crash")

    assert code == 1
    assert said.startswith("crash: {'text': ")
    assert "ZeroDivisionError: planted" in said
