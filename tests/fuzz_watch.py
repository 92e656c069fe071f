"""One fuzzed call under watch: what it raised, the CPU time it took, and what it touched outside.

Time is CPU time of the process: the machine has other tenants, and seconds of a clock would tell
of them. A clock only ends what does not come back by itself.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType, TracebackType
from typing import Any

Case = dict[str, Any]  # an input: plain data, so that it can be printed and made smaller

MOST_SECONDS = 1.0  # of CPU, for one input
PATIENCE = 20.0  # seconds of a clock after which a call is interrupted
ROUNDS = 3  # a slow input is tried again: the least of its times counts

ROOT = Path(__file__).resolve().parent.parent
_OUTSIDE = (
    *("open", "import", "os.", "shutil.", "glob.", "tempfile.", "mmap.", "fcntl.", "ctypes."),
    *("socket.", "subprocess.", "pty.", "webbrowser.", "sqlite3.", "syslog."),
    *("urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "telnetlib.", "nntplib."),
)


class Poor(Exception):
    """An error of ours that says too little: without its place, or in the words of a library."""


class Hang(BaseException):
    """Raised inside of a call whose time is over; no `except Exception` stops it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input.

    `draw` makes an input of a source of chance; `before` prepares it, unwatched. `run` gives its
    outcome in a word (`refused`), and lets out whatever it should not have met. `share` is its part
    of all inputs. `folder` is the only place where its calls may read files.
    """

    name: str
    share: int
    draw: Callable[[Random], Case]
    run: Callable[[Case], str]
    before: Callable[[Case], None] = lambda _: None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one call did: its outcome, or the fault (`sign` tells one from another), its time."""

    outcome: str
    spent: float
    sign: str = ""
    fault: str = ""


@dataclass(slots=True)
class Watch:
    """Runs inputs one at a time; an audit hook stays for the life of the process."""

    patience: float = PATIENCE
    most: float = MOST_SECONDS
    _reached: list[str] = field(default_factory=list)
    _inside: bool = False
    _folder: str = ""

    def __post_init__(self) -> None:
        sys.addaudithook(self._audit)
        warnings.simplefilter("error")  # a user would see it, and make nothing of it
        signal.signal(signal.SIGALRM, _interrupt)

    def see(self, kind: Kind, case: Case) -> Seen:
        """One input; one that is slow is run again, for the first run also fills caches."""
        seen = self._once(kind, case)
        for _ in range(ROUNDS - 1):
            if seen.sign or seen.spent <= self.most:
                return seen
            again = self._once(kind, case)
            seen = again if again.spent < seen.spent or again.sign else seen
        if not seen.sign and seen.spent > self.most:
            what = f"{seen.spent:.2f} s of CPU, where {self.most} are allowed ({seen.outcome})"
            return Seen(seen.outcome, seen.spent, "slow", what)
        return seen

    def _once(self, kind: Kind, case: Case) -> Seen:
        self._reached.clear()
        self._folder = "" if kind.folder is None else f"{kind.folder.resolve()}{os.sep}"
        outcome, sign, fault = "", "", ""
        kind.before(case)
        begin = time.process_time()
        try:
            with self._watched():
                outcome = kind.run(case)
        except Hang:
            sign = "hang"
            fault = f"interrupted after {self.patience} s of a clock"
        except Poor as poor:
            sign, fault = f"poor {str(poor).partition(':')[0]}", str(poor)
        except BaseException as error:  # noqa: BLE001 - a crash of any kind is what is looked for
            sign, fault = _crash(error)
        spent = time.process_time() - begin
        if self._reached and not sign:
            sign, fault = f"reached {self._reached[0].split()[0]}", "; ".join(self._reached[:5])
        return Seen(outcome or "crashed", spent, sign, fault)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        signal.setitimer(signal.ITIMER_REAL, self.patience)
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if self._inside and event.startswith(_OUTSIDE) and not self._may_read(event, args):
            self._reached.append(f"{event} {args!r:.300}")

    def _may_read(self, event: str, args: tuple[Any, ...]) -> bool:
        """Whether it only reads, in the one folder where that may be.

        Of a codec that is named, Python asks its own package.
        """
        if event == "import" and str(args[0]).startswith("encodings."):
            return True
        if not self._folder or not isinstance(args[0], str | os.PathLike):
            return False
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        reads = event in ("os.scandir", "os.listdir") or (event == "open" and not args[2] & writes)
        return reads and f"{os.path.realpath(args[0])}{os.sep}".startswith(self._folder)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def _crash(error: BaseException) -> tuple[str, str]:
    """What tells this crash from others, and the same for a reader: error and innermost frames."""
    frames = list(_frames(error.__traceback__))
    ours = [each for each in frames if not each.startswith(("/", "<"))]
    place = ours[-1] if ours else "?"
    name = type(error).__name__
    return f"{name} at {place}", f"{name}: {error!s:.300}\n    at {' < '.join(frames[:-9:-1])}"


def _frames(trace: TracebackType | None) -> Iterator[str]:
    """`file:line function`, outermost first; files of the project from its root."""
    while trace is not None:
        code = trace.tb_frame.f_code
        file = code.co_filename.removeprefix(f"{ROOT}{os.sep}")
        yield f"{file}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
