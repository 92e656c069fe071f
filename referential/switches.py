"""Entities switched on or off by the bulk endpoint, each answer read by itself."""

from typing import Literal

from referential.errors import Refused
from referential.importer import Importer

_CHUNK = 10_000  # one call, and one transaction of the ledger (specs/canopsis.md §5.6)


def switch(importer: Importer, rows: list[int], state: Literal["enabled", "disabled"]) -> None:
    """Enable or disable *rows*; what Canopsis no longer holds is owned no more.

    All rows are announced to the ledger at once: if we die between two calls, the next run must
    doubt a component and its resources alike.
    """
    if not rows:
        return
    number = importer.ledger.import_begins(
        importer.feed, importer.run, **importer.changes.identity(rows)
    )
    for start in range(0, len(rows), _CHUNK):
        try:
            _switch_chunk(importer, rows[start : start + _CHUNK], state)
        except Refused:
            if start == 0:  # nothing was done: nothing is unconfirmed
                importer.ledger.import_ended(number, "failed")
            raise
    importer.ledger.import_ended(number, "done")


def _switch_chunk(
    importer: Importer, rows: list[int], state: Literal["enabled", "disabled"]
) -> None:
    ledger, feed, canopsis = importer.ledger, importer.feed, importer.canopsis
    call = canopsis.enable if state == "enabled" else canopsis.disable
    outcomes = list(call(importer.changes.identity(rows)["ids"], source=importer.source))
    gone = [each.id for each in outcomes if each.outcome == "absent"]
    if gone:
        ledger.forget(feed, gone)
        importer.loaded.counts["gone"] += len(gone)
    done = [each.id for each in outcomes if each.outcome == "done"]
    ledger.set_state(feed, importer.run, done, state)
    for row, each in zip(rows, outcomes, strict=True):
        if each.outcome == "refused":
            importer.reject(row, each.words)
    importer.done([r for r, each in zip(rows, outcomes, strict=True) if each.outcome == "done"])
