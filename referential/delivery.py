"""Rows delivered by as many imports as it takes, all of them but those that Canopsis refuses."""

from collections.abc import Callable

from referential.answers import TooLarge
from referential.batches import Layout
from referential.bisect import Refusal, isolate, split_rows
from referential.importer import Importer, Order
from referential.rows import Places, Rows

Items = Callable[[Rows], list[bytes]]

EMPTY = "empty import"  # every item was left out (specs/canopsis.md §2.7)


class Delivery:
    """Orders of one sort: full or partial, sets or deletions; `items(rows)` are what is sent."""

    def __init__(
        self, importer: Importer, items: Items, *, partial: bool, deleting: bool = False
    ) -> None:
        self._importer = importer
        self._items = items
        self._partial = partial
        self._deleting = deleting

    def deliver(self, rows: Rows, sizes: Places) -> None:
        """Import *rows* in their order, batch after batch; neighbours of one group travel together.

        *sizes* are the bytes of their items. What Canopsis refuses becomes a reject.
        """
        importer, start = self._importer, 0
        layout = Layout(sizes, importer.changes.values("group", rows))
        while start < len(layout):
            stop = layout.next(start, importer.ceiling)
            batch = rows[start:stop]
            try:
                failure = importer.load(self._order(batch))
            except TooLarge as error:
                importer.learn(layout.body_size(start, stop), error.limit)
                if len(batch) > 1:
                    continue  # the same rows, under the new ceiling
                self._refused(Refusal(batch[0], str(error)))
            else:
                if failure is not None:
                    self._apart(batch, failure.words)
                    importer.ledger.import_ended(failure.number, "failed")
            start = stop

    def _apart(self, batch: Rows, words: str) -> None:
        """Load all of a refused batch but the bad entities."""
        changes = self._importer.changes
        for refusal in isolate(
            list(batch),
            words,
            send=self._send,
            split=lambda rows, words: split_rows(
                rows, words, ids=changes.column("id"), groups=changes.column("group")
            ),
            hopeless=self._all_skipped,
            patience=self._importer.patience,
        ):
            self._refused(refusal)

    def _send(self, rows: list[int]) -> str | None:
        try:
            failure = self._importer.load(self._order(rows))
        except TooLarge as error:
            return str(error)
        if failure is None:
            return None
        self._importer.ledger.import_ended(failure.number, "failed")  # its rows are the batch's
        return failure.words

    def _order(self, rows: Rows) -> Order:
        return Order(rows, self._items(rows), partial=self._partial, deleting=self._deleting)

    def _all_skipped(self, rows: list[int], words: str) -> bool:
        return words == EMPTY and set(self._importer.changes.values("kind", rows)) == {"service"}

    def _refused(self, refusal: Refusal) -> None:
        importer, row = self._importer, refusal.row
        if self._deleting and refusal.alone and refusal.words.startswith("failed to delete"):
            identity: str = importer.changes.column("id")[row]
            importer.ledger.forget(importer.feed, [identity])
            importer.loaded.counts["gone"] += 1
        elif refusal.alone:
            skipped = self._all_skipped([row], refusal.words)
            hint = ": Canopsis skips a service whose pattern it does not accept" if skipped else ""
            importer.reject(row, refusal.words + hint, self._items([row])[0])
        else:
            importer.reject(
                row,
                f"not tried alone, too many imports have failed; its batch: {refusal.words}",
            )
        importer.tell()
