"""A simulator in a process of its own, so that what is measured is ours alone."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def process(*command: str) -> Iterator[str]:
    """The URL that a simulator prints once it serves."""
    with subprocess.Popen(
        (sys.executable, "-m", *command), stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield running.stdout.readline().strip()
        finally:
            running.terminate()
