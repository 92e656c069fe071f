"""Entities that somebody switched off in Canopsis by hand, and that stay off.

The ledger knows what we switched off ourselves. An entity that it has as enabled and confirmed and
that Canopsis holds disabled was switched off by somebody else; its updates are sent without
switching it on (`specs/canopsis.md` §3.3: a `set` without `enabled` leaves it as it is). What a
dead run left unconfirmed is never taken for manual: its state was ours to change.
"""

import orjson

from referential.importer import Importer
from referential.rows import Rows

_UPDATES = ("update", "prune")


def find_manual(importer: Importer, rows: Rows) -> set[str]:
    """The ids that were switched off by hand, asked of Canopsis once; none when nothing is sent.

    None either where a version cannot be asked for them, as `refsync check` says.
    """
    if not rows or not importer.canopsis.finds_disabled:
        return set()
    off = importer.canopsis.disabled_ids(importer.source)
    return importer.ledger.confirmed(importer.feed, off) if off else set()


def respect(importer: Importer, rows: Rows, manual: set[str]) -> tuple[Rows, set[int]]:
    """The rows to send, and those of them that must not be switched on.

    A new resource of a component that was switched off becomes a reject: Canopsis would refuse it
    and its whole import with it (§3.2).
    """
    if not manual:
        return rows, set()
    changes = importer.changes
    sent, off = [], set()
    columns = (changes.values(name, rows) for name in ("id", "action", "kind", "group"))
    for row, identity, action, kind, group in zip(rows, *columns, strict=True):
        if action == "create" and kind == "resource" and group in manual:
            importer.reject(
                row,
                f"its component {group} was switched off by hand in Canopsis and takes no new"
                " resource: switch it on there, or set sync.respect_manual to false",
            )
            continue
        if action in _UPDATES and identity in manual:
            off.add(row)
            importer.loaded.manual.add(identity)
        sent.append(row)
    importer.tell()
    return sent, off


def kept_off(item: bytes) -> bytes:
    """The item without its word on `enabled`."""
    body = orjson.loads(item)
    body.pop("enabled", None)
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
