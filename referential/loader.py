"""Carry a plan out: what is found first, then what is missing.

Deciding what is done elsewhere (`referential.plan`); here it is cut into imports, sent and
recorded. The facts of `specs/canopsis.md` that shape it:

- a component switched off refuses new resources, so components are switched on first (§3.2);
- one bad entity fails its whole import, so a refused import is halved until it stands alone (§2.7);
- a partial import does not compute a new service (§3.4), and a full one computes all services,
  whatever it brings (§3.10);
- importing `disable` leaves alarms open, the bulk endpoint ends them (§3.7);
- deleting what is not there fails the whole import (§3.6);
- no import drops an info or clears a category: that is done before (`referential.prune`).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from referential.batches import Ceiling
from referential.bisect import Patience
from referential.change import SENT
from referential.client import Canopsis
from referential.delivery import Delivery
from referential.importer import Importer
from referential.ledger import Ledger, utc_now
from referential.loaded import Loaded
from referential.manual import find_manual, kept_off, respect
from referential.plan import Plan
from referential.presence import present
from referential.prune import Infos, prune, updated
from referential.rows import Changes, Places, Rows
from referential.switches import switch

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

_SMALL = 10_000  # above it a delta is not small, however many services there are
_LEFT = 3  # imports that dead runs may have left: one each, and older ones are over


class Payloads(Protocol):
    """The entities of the spool."""

    def read(self, offsets: Places, sizes: Places) -> list[bytes]:
        """The entity at each offset."""
        ...

    def runs(self, offsets: Places, sizes: Places) -> list[bytes]:
        """The same, but those that lie one after the other are one, a comma between two."""
        ...


@dataclass(frozen=True, slots=True)
class Sending:
    """The rows that are not sent as they lie in the spool.

    `off` stay switched off, `updates` are sent as updates, beside the infos of others.
    """

    off: set[int]
    updates: dict[int, Infos]

    @property
    def anything(self) -> bool:
        return bool(self.off or self.updates)

    def items(self, rows: Rows, read: list[bytes]) -> list[bytes]:
        return [self._item(row, item) for row, item in zip(rows, read, strict=True)]

    def _item(self, row: int, item: bytes) -> bytes:
        item = kept_off(item) if row in self.off else item
        return updated(item, self.updates[row]) if row in self.updates else item


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
    respect_manual: bool = True,
) -> Loaded:
    """Bring the changes of *plan* into Canopsis, under the import source *source*.

    Imports are *partial* or full; None: whichever costs Canopsis less. *respect_manual*: what was
    switched off by hand stays off.
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
        ceiling=Ceiling(canopsis.max_bytes if len(changes) else limits.max_bytes, limits.max_items),
        patience=Patience(limits.max_failures),
        progress=progress,
        loaded=Loaded() if loaded is None else loaded,
    )
    importer.loaded.max_bytes = importer.ceiling.bytes
    sent, switched, disabled, deleted = _sorted_out(changes)
    manual = find_manual(importer, sent) if respect_manual else set()
    switch(importer, switched, "enabled")
    sent, off = respect(importer, sent, manual)
    updates = prune(importer, sent)
    if partial is None:
        partial = _goes_partial(plan, importer, sent, deleted)
    _send(importer, payloads, sent, Sending(off, updates), partial=partial)
    if disabled or deleted:
        _await_earlier(importer)
        disabled, deleted = _spared(importer, disabled), _spared(importer, deleted)
    switch(importer, disabled, "disabled")
    _delete(importer, deleted, partial=partial)
    return importer.loaded


def _sorted_out(changes: Changes) -> tuple[Rows, list[int], list[int], list[int]]:
    """Rows to send, to switch on without a payload, to disable, to delete."""
    switched: list[int] = []
    others: dict[str, list[int]] = {"disable": [], "delete": []}
    actions = changes.column("action")
    for row in range(changes.payloads, len(changes)):
        (switched if actions[row] in SENT else others[actions[row]]).append(row)
    return range(changes.payloads), switched, others["disable"], others["delete"]


def _goes_partial(plan: Plan, importer: Importer, sent: Rows, deleted: list[int]) -> bool:
    """Whether the imports of this plan are partial: a small delta, and no new service.

    A full import costs Canopsis one computation per service, a partial one an event per entity:
    small is what has fewer entities than there are services. In the mode full all is to be put
    right, what services depend on too.
    """
    if plan.mode == "full":
        return False
    canopsis, changes = importer.canopsis, importer.changes
    count = len(sent) + len(deleted)
    first = plan.counts["create"] == len(plan) and plan.counts["unchanged"] == 0
    if not 0 < count <= _SMALL or first or not canopsis.dialect.partial_works:
        return False
    services = [row for row in sent if changes.column("kind")[row] == "service"]
    # one that a dead run was creating is perhaps new, though it is known
    ids = changes.values("id", services)
    if not importer.ledger.confirmed(plan.feed, ids).issuperset(ids):
        return False
    return count <= canopsis.count(kinds=("service",))


def _send(
    importer: Importer, payloads: Payloads, rows: Rows, sending: Sending, *, partial: bool
) -> None:
    """Set what was found, the payloads as they lie in the spool but for those of *sending*."""
    if not rows:
        return
    changes = importer.changes

    def items(rows: Rows) -> list[bytes]:
        return sending.items(rows, payloads.read(*changes.places(rows)))

    def runs(rows: Rows) -> list[bytes]:
        return payloads.runs(*changes.places(rows))

    rows = _held(importer, rows, items)
    as_they_lie = not (sending.anything or importer.canopsis.dialect.translates)
    delivery = Delivery(importer, runs if as_they_lie else items, partial=partial)
    delivery.deliver(rows, changes.places(rows)[1])


def _held(importer: Importer, rows: Rows, items: Callable[[Rows], list[bytes]]) -> Rows:
    """The rows that this version of Canopsis can hold; services that it cannot become rejects."""
    if not (dialect := importer.canopsis.dialect).translates:
        return rows
    kinds = importer.changes.column("kind")
    services = [row for row in rows if kinds[row] == "service"]
    refused = set()
    for row, item in zip(services, items(services), strict=True):
        if words := dialect.objection(item):
            importer.reject(row, words, item)
            refused.add(row)
    return [row for row in rows if row not in refused]


def _await_earlier(importer: Importer) -> None:
    """Let the imports end that a dead run left in Canopsis' queue.

    Run after our removals, they would bring back what is removed: a bulk call does not queue. One
    that is still not over long after it may be is taken for lost, lest it stop every run to come.
    """
    pace = importer.canopsis.connection.imports.pace
    unconfirmed = [
        each for each in importer.ledger.imports(importer.feed) if each.status == "unconfirmed"
    ]
    for each in unconfirmed[-_LEFT:]:
        if not each.job:
            continue
        allowed = pace.deadline + pace.deadline_per_entity * each.size
        if (utc_now() - each.begun).total_seconds() < allowed:
            importer.canopsis.await_import(each.job, entities=each.size)
        elif not (status := importer.canopsis.import_status(each.job)).over:
            log.warning(
                "the import %s of run %s is still %s after more than %.0f s: taken for lost",
                each.job,
                each.run,
                status.state,
                allowed,
            )


def _spared(importer: Importer, rows: list[int]) -> list[int]:
    """The rows that may be removed; what another feed keeps alive is only owned by us no more."""
    ids = importer.changes.values("id", rows)
    kept = importer.ledger.fed_elsewhere(importer.feed, ids)
    if kept:
        importer.ledger.forget(importer.feed, sorted(kept))
        importer.loaded.counts["shared"] += len(kept)
        importer.tell()
    return [row for row, identity in zip(rows, ids, strict=True) if identity not in kept]


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

    def items(rows: Rows) -> list[bytes]:
        columns = (changes.values(name, rows) for name in ("kind", "id", "group"))
        return list(map(canopsis.dialect.deletion, *columns))

    # Resources before their component: it takes them along, and when both do not fit in one
    # import, deleting those that it took would fail.
    left = sorted(set(rows).difference(gone), key=lambda row: _bottom_up(changes, row))
    sizes = np.array([len(item) for item in items(left)])
    Delivery(importer, items, partial=partial, deleting=True).deliver(left, sizes)


def _bottom_up(changes: Changes, row: int) -> tuple[str, bool, int]:
    group, kind = changes.column("group")[row], changes.column("kind")[row]
    return group, kind == "component", row
