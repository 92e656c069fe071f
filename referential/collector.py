"""Python's garbage collector, kept from looking at what holds no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection inside: it costs three times the decoding of a page.

    Source: specs/peers.md §3.2. Paused page by page, it would still look at each whole page once,
    a sixth of the extraction. Records hold no cycles, and neither do rows of a database; those of
    HTTP sessions are swept at times.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
