"""One import of Canopsis, from its first line in the ledger to its last, whatever happens between.

written down ─► sent ─► awaited ─► done: recorded in one transaction
                               └─► failed: told to the caller, who ends it in the ledger
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from referential.batches import Ceiling
from referential.bisect import Patience
from referential.client import Canopsis, Receipt
from referential.dialect import ImportStatus
from referential.errors import ImportFailed, Refused, Unreachable
from referential.feed import Feed
from referential.history import Reject
from referential.ledger import Ledger
from referential.loaded import Import, Loaded
from referential.presence import present
from referential.rows import Changes, Rows

_TRIES = 4  # of one import that was lost, not refused

# Not the fault of an entity: a replica of the API without the file (specs/canopsis.md §2.5), or
# Mongo away. Decoding and validation texts quote what they were sent, and are never taken for one.
_PASSING = re.compile(
    r"^open .+: no such file or directory$"
    r"|^(?!failed to decode|ci = ).*"
    r"(server selection error|socket was unexpectedly closed|connection\(.*\) |connection refused"
    r"|connection reset|context deadline exceeded|context canceled|i/o timeout|not primary"
    r"|node is recovering)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Order:
    """Rows to import, with their items in canonical bytes.

    Items that a dialect sends as they are may come as one, a comma between two.
    """

    rows: Rows
    items: list[bytes]
    partial: bool
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """An import that Canopsis refused: its own words, and the import's number in the ledger."""

    words: str
    number: int


@dataclass(slots=True)
class Importer:
    """Imports the orders of one run, and keeps account of them in `loaded`.

    `ceiling` and `patience` are what the run has learned of Canopsis so far; `progress` is told
    how many changes are settled, done or refused, and how many there are.
    """

    canopsis: Canopsis
    ledger: Ledger
    feed: Feed
    run: str
    source: str
    changes: Changes
    ceiling: Ceiling
    patience: Patience
    progress: Callable[[int, int], None]
    loaded: Loaded

    def load(self, order: Order) -> Failure | None:
        """None once the import is done and recorded.

        A failed import may have written a part of its rows (§2.5): it stays open in the ledger
        until the caller has seen to all of them and ends it. An import that was lost is sent
        again. Raises ImportFailed when Canopsis keeps losing it, and what the client and the
        ledger raise (TooLarge, Unreachable, Locked, …).
        """
        identity = self.changes.identity(order.rows)
        number = self.ledger.import_begins(self.feed, self.run, **identity)
        status = self._awaited(order, identity["ids"], number)
        if status.state == "failed":
            self.patience.spend()
            return Failure(status.info or "the import failed without a word", number)
        if order.deleting:
            self.ledger.forget(self.feed, identity["ids"], settles=number)
        else:
            fingerprints = self.changes.values("fingerprint", order.rows)
            self.ledger.record(
                self.feed, self.run, **identity, fingerprints=fingerprints, settles=number
            )
        self.done(order.rows)
        return None

    def done(self, rows: Rows) -> None:
        """Count changes that Canopsis has done."""
        self.loaded.counts.update(self.changes.values("action", rows))
        self.tell()

    def reject(self, row: int, reason: str, item: bytes | None = None) -> None:
        """An entity that Canopsis refused, for *reason*; *item* is what it was sent."""
        names = ("id", "kind", "action", "dataset")
        identity, kind, action, dataset = (self.changes.column(name)[row] for name in names)
        record = {"id": identity, "kind": kind, "action": action}
        if item is not None:
            record["sent"] = orjson.loads(item)
        self.loaded.rejects.append(Reject(dataset, 0, f"load.{action}", reason, record))
        self.loaded.refused.add(identity)

    def learn(self, refused: int, limit: int | None) -> None:
        """A body of *refused* bytes is too large; *limit* is what Canopsis takes, if it said so."""
        self.ceiling.learn(refused, limit)
        self.loaded.max_bytes = self.ceiling.bytes

    def tell(self) -> None:
        settled = self.loaded.counts.total() + len(self.loaded.rejects)
        total = len(self.changes)
        self.progress(min(settled, total), total)  # a pruning refused is a reject beside its change

    def _awaited(self, order: Order, ids: list[str], number: int) -> ImportStatus:
        """The status `done`, or `failed` for the entities' sake; lost imports are sent again."""
        body = self.canopsis.body(order.items)
        for left in reversed(range(_TRIES)):
            started = time.monotonic()
            receipt = self._sent(order, body, number)
            status = self.canopsis.await_import(receipt.job, entities=len(ids))
            self._account(order, status, receipt, len(body), time.monotonic() - started)
            if status.state == "expired" and self._took_effect(order, ids, receipt):
                return ImportStatus(receipt.job, "done")
            lost = status.state == "expired" or _PASSING.match(status.info)
            if not lost:
                return status
            if left:
                time.sleep(self.canopsis.connection.imports.pace.longest)
        raise self._gives_up(status)

    def _sent(self, order: Order, body: bytes, number: int) -> Receipt:
        try:
            receipt = self.canopsis.send_import(body, source=self.source, partial=order.partial)
        except Refused:  # it was not taken: nothing of it is unconfirmed
            self.ledger.import_ended(number, "failed")
            raise
        self.ledger.import_sent(number, receipt.job)
        return receipt

    def _account(
        self, order: Order, status: ImportStatus, receipt: Receipt, size: int, seconds: float
    ) -> None:
        moments = (self.loaded.since, status.created or receipt.at)
        self.loaded.since = min((moment for moment in moments if moment), default=None)
        self.loaded.imports.append(
            Import(
                job=receipt.job,
                state=status.state,
                partial=order.partial,
                entities=len(order.rows),
                bytes=size,
                seconds=seconds,
            )
        )

    def _took_effect(self, order: Order, ids: list[str], receipt: Receipt) -> bool:
        """Read back what an import should have done whose report is gone."""
        if order.deleting:
            return not present(ids, self.canopsis, self.source)
        if receipt.at is None or not self.canopsis.dialect.reads_by_source:
            return False
        since = int(receipt.at.timestamp())
        return set(ids) <= set(self.canopsis.ids_of_source(self.source, since))

    def _gives_up(self, status: ImportStatus) -> ImportFailed | Unreachable:
        where = f"{self.canopsis.wire.url}, last of {_TRIES} imports: {status.id}"
        if status.state == "expired":
            return Unreachable(
                "Canopsis forgets imports before they are over",
                where=where,
                mend="see whether its API restarts",
            )
        return ImportFailed(
            status.info,
            where=where,
            mend="see that the replicas of Canopsis' API share their folder of import files, and "
            "that its database is well",
        )
