"""SIGTERM ends a command as Ctrl-C does: the ledger has the run, Canopsis is told, then it leaves.

Inside a flow run Prefect takes the signal first, sets the run `Crashed` (or `Cancelled`, when it
was the one who asked), and hands it on. The exit code is 143, which is what a process that SIGTERM
kills has in a shell: whoever supervises sees what it asked for.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM: stop as soon as everything that was confirmed is written down."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated inside; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():  # no signal comes here
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated
