"""A run's turn with its Canopsis, and what people see of the wait for it."""

import contextlib
import logging
from collections.abc import Iterator

from flows.workplace import Workplace
from referential.ledger import Ledger
from referential.queue import Ticket, in_turn

log = logging.getLogger("refsync")


@contextlib.contextmanager
def turn(place: Workplace, ledger: Ledger) -> Iterator[None]:
    """Wait until no other run loads into this Canopsis; says what is waited for."""
    longest = 0

    def waits(ahead: list[Ticket]) -> None:
        nonlocal longest
        longest = max(longest, len(ahead))
        more = f", and {len(ahead) - 1} more before this one" if len(ahead) > 1 else ""
        log.info("waiting to load into %s: %s%s", ahead[0].target, ahead[0], more)
        place.progress("wait", longest - len(ahead), longest)

    with in_turn(ledger, place.job.feed, place.run_id, waits):
        if longest:
            log.info("no other run loads into %s now: going on", place.job.feed.target)
            place.progress("wait", longest, longest)
        yield
