"""Entities switched on or off by the bulk endpoint, each answer read by itself."""

from typing import Literal

from referential.errors import Refused
from referential.importer import Importer

_CHUNK = 10_000  # one call, and one transaction of the ledger (specs/canopsis.md §5.6)


def switch(importer: Importer, rows: list[int], state: Literal["enabled", "disabled"]) -> None:
    """Enable or disable *rows*; what Canopsis no longer holds is owned no more."""
    for start in range(0, len(rows), _CHUNK):
        _switch_chunk(importer, rows[start : start + _CHUNK], state)


def _switch_chunk(
    importer: Importer, rows: list[int], state: Literal["enabled", "disabled"]
) -> None:
    ledger, feed, canopsis = importer.ledger, importer.feed, importer.canopsis
    identity = importer.changes.identity(rows)
    number = ledger.import_begins(feed, importer.run, **identity)
    call = canopsis.enable if state == "enabled" else canopsis.disable
    try:
        outcomes = list(call(identity["ids"]))
    except Refused:  # of the one call that a chunk takes: nothing of it is unconfirmed
        ledger.import_ended(number, "failed")
        raise
    gone = [each.id for each in outcomes if each.outcome == "absent"]
    if gone:
        ledger.forget(feed, gone)
        importer.loaded.counts["gone"] += len(gone)
    done = [each.id for each in outcomes if each.outcome == "done"]
    ledger.set_state(feed, importer.run, done, state, settles=number)
    for row, each in zip(rows, outcomes, strict=True):
        if each.outcome == "refused":
            importer.reject(row, each.words)
    importer.done([r for r, each in zip(rows, outcomes, strict=True) if each.outcome == "done"])
