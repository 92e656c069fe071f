"""Carry a plan out: what is found first, then what is missing.

Deciding what is done elsewhere (`referential.plan`); here it is cut into imports, sent and
recorded. The facts of `specs/canopsis.md` that shape it:

- a component switched off refuses new resources, so components are switched on first (§3.2);
- one bad entity fails its whole import, so a refused import is halved until it stands alone (§2.7);
- a partial import does not compute a new service (§3.4), and a full one computes all services,
  whatever it brings (§3.10);
- importing `disable` leaves alarms open, the bulk endpoint ends them (§3.7);
- deleting what is not there fails the whole import (§3.6).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from referential.batches import Ceiling
from referential.bisect import Patience
from referential.change import SENT
from referential.client import Canopsis
from referential.delivery import Delivery
from referential.importer import Importer
from referential.ledger import Ledger
from referential.loaded import Loaded
from referential.plan import Plan
from referential.presence import present
from referential.rows import Changes
from referential.switches import switch

Progress = Callable[[int, int], None]

_SMALL = 10_000  # above it a delta is not small, however many services there are
_LEFT = 3  # imports that dead runs may have left: one each, and older ones are over


class Payloads(Protocol):
    """The entities of the spool."""

    def read(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]: ...


def load(
    plan: Plan,
    payloads: Payloads,
    canopsis: Canopsis,
    ledger: Ledger,
    *,
    run: str,
    source: str,
    loaded: Loaded | None = None,
    progress: Progress = lambda _settled, _total: None,
    partial: bool | None = None,
) -> Loaded:
    """Bring the changes of *plan* into Canopsis, under the import source *source*.

    Imports are *partial* or full; None: whichever costs Canopsis less.
    *progress* is told how many changes are settled, and their total. Raises what the client and
    the ledger raise; what was done until then is recorded, and told by *loaded*, which is filled
    as the load goes.
    """
    limits = canopsis.connection.imports
    changes = Changes(plan.changes)
    importer = Importer(
        canopsis=canopsis,
        ledger=ledger,
        feed=plan.feed,
        run=run,
        source=source,
        changes=changes,
        ceiling=Ceiling(limits.max_bytes, limits.max_items),
        patience=Patience(limits.max_failures),
        progress=progress,
        loaded=Loaded() if loaded is None else loaded,
    )
    importer.loaded.max_bytes = limits.max_bytes
    sent, switched, disabled, deleted = _sorted_out(changes)
    switch(importer, switched, "enabled")
    if partial is None:
        partial = _goes_partial(plan, changes, sent, deleted, canopsis)
    _send(importer, payloads, sent, partial=partial)
    if disabled or deleted:
        _await_earlier(importer)
    switch(importer, disabled, "disabled")
    _delete(importer, deleted, partial=partial)
    return importer.loaded


def _sorted_out(changes: Changes) -> tuple[list[int], list[int], list[int], list[int]]:
    """Rows to send, to switch on without a payload, to disable, to delete."""
    sent: list[int] = []
    switched: list[int] = []
    others: dict[str, list[int]] = {"disable": [], "delete": []}
    columns = changes.column("action"), changes.column("size")
    for row, (action, size) in enumerate(zip(*columns, strict=True)):
        if action in SENT:
            (sent if size else switched).append(row)
        else:
            others[action].append(row)
    return sent, switched, others["disable"], others["delete"]


def _goes_partial(
    plan: Plan, changes: Changes, sent: list[int], deleted: list[int], canopsis: Canopsis
) -> bool:
    """Whether the imports of this plan are partial: a small delta, and no new service.

    A full import costs Canopsis one computation per service, a partial one an event per entity:
    small is what has fewer entities than there are services. In the mode full all is to be put
    right, what services depend on too.
    """
    if plan.mode == "full":
        return False
    count = len(sent) + len(deleted)
    first = plan.counts["create"] == len(plan) and plan.counts["unchanged"] == 0
    if not 0 < count <= _SMALL or first or not canopsis.dialect.partial_works:
        return False
    new = zip(changes.values("action", sent), changes.values("kind", sent), strict=True)
    if ("create", "service") in new:
        return False
    return count <= canopsis.count(kinds=("service",))


def _send(importer: Importer, payloads: Payloads, rows: list[int], *, partial: bool) -> None:
    """Set what was found, the payloads as they lie in the spool."""
    changes = importer.changes

    def items(rows: list[int]) -> list[bytes]:
        return payloads.read(changes.values("offset", rows), changes.values("size", rows))

    rows = changes.in_spool_order(rows)
    Delivery(importer, items, partial=partial).deliver(rows, changes.values("size", rows))


def _await_earlier(importer: Importer) -> None:
    """Let the imports end that a dead run left in Canopsis' queue.

    Run after our removals, they would bring back what is removed: a bulk call does not queue.
    """
    unconfirmed = [
        each for each in importer.ledger.imports(importer.feed) if each.status == "unconfirmed"
    ]
    for each in unconfirmed[-_LEFT:]:
        if each.job:
            importer.canopsis.await_import(each.job, entities=each.size)


def _delete(importer: Importer, rows: list[int], *, partial: bool) -> None:
    """Delete what is still there; what is not was to be deleted, and is."""
    if not rows:
        return
    changes, canopsis = importer.changes, importer.canopsis
    there = present(changes.values("id", rows), canopsis, importer.source)
    gone = [row for row in rows if changes.column("id")[row] not in there]
    if gone:
        importer.ledger.forget(importer.feed, changes.values("id", gone))
        importer.loaded.counts["gone"] += len(gone)
        importer.tell()

    def items(rows: list[int]) -> list[bytes]:
        columns = (changes.values(name, rows) for name in ("kind", "id", "group"))
        return list(map(canopsis.dialect.deletion, *columns))

    # Resources before their component: it takes them along, and when both do not fit in one
    # import, deleting those that it took would fail.
    left = sorted(set(rows).difference(gone), key=lambda row: _bottom_up(changes, row))
    sizes = [len(item) for item in items(left)]
    Delivery(importer, items, partial=partial, deleting=True).deliver(left, sizes)


def _bottom_up(changes: Changes, row: int) -> tuple[str, bool, int]:
    group, kind = changes.column("group")[row], changes.column("kind")[row]
    return group, kind == "component", row
