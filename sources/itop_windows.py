"""Objects read by their ids: a window of ids a call, each page held against the list of ids."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from sources.base import Page, Reject
from sources.errors import Refused, SourceError
from sources.itop_dataset import ItopDataset
from sources.itop_evidence import ItopEvidence
from sources.itop_fields import Columns
from sources.itop_halving import Halving
from sources.itop_ids import Lister, Listing, count_doubt
from sources.itop_objects import Objects, objects_of
from sources.itop_oql import Selection
from sources.itop_session import ItopSession
from sources.itop_values import Values
from sources.verdict import sample


class Windows:
    """The pages of the objects of *selection* that are in a listing."""

    def __init__(
        self,
        session: ItopSession,
        dataset: str,
        table: ItopDataset,
        *,
        selection: Selection,
        columns: Columns,
        values: Values,
        evidence: ItopEvidence,
    ) -> None:
        self._session = session
        self._dataset = dataset
        self._table = table
        self._selection = selection
        self._columns = columns
        self._values = values
        self._evidence = evidence
        self._classes: frozenset[str] = frozenset()

    def pages(self, listing: Listing, lister: Lister) -> Iterator[Page]:
        """Raises what the session raises; ends early where *evidence* says that iTop lies."""
        self._classes = listing.classes
        if not listing.ids:
            self._columns.judge()  # no window will
        halving = Halving(self._table.size, self._page, lister.is_well, self._lost)
        for page in halving.over(listing.ids):
            if page.records or page.rejects:
                yield page
            del page
            if self._evidence.broken:
                return

    def _page(self, ids: Sequence[int], once: bool) -> Page:  # noqa: FBT001 - what `Halving` calls
        evidence = self._evidence
        first = evidence.read + 1
        objects = self._ask(self._selection.part(ids), once=once)
        rows, odd = objects.rows, objects.odd
        received = len(rows)
        as_listed = received == len(ids) and all(map(rows.__contains__, ids))
        if not as_listed:
            self._settle(rows, odd, ids)
        doubt = ""
        if objects.found != len(rows):  # what came late counts too
            doubt = count_doubt(f"the window {ids[0]} to {ids[-1]}", objects.found, received)
        sound = rows if not odd else {each: row for each, row in rows.items() if each not in odd}
        odd |= self._values.change(sound)
        order = ids if as_listed else sorted(rows)
        # Counted once nothing can fail any more: what fails is asked for again.
        evidence.doubts += [doubt] if doubt else []
        evidence.read += len(rows)
        if not odd:
            return Page(first, [rows[each] for each in order])
        return self._with_rejects(first, order, rows, odd)

    def _ask(self, query: str, *, once: bool) -> Objects:
        answer = self._columns.ask(query, once=once)
        wanted = self._columns.wanted
        objects = objects_of(answer, with_class=wanted.final, with_id=bool(wanted.star))
        strange = objects.classes - self._classes
        if self._selection.oql and strange:
            raise Refused(
                f"`oql` gives objects of {', '.join(sorted(self._classes))}, and their ids are "
                f"also those of {', '.join(sorted(strange))}",
                where=answer.where,
                mend=f"write in `class` the class that `oql` selects, not {self._table.class_name}",
            )
        return objects

    def _settle(self, rows: dict[int, Any], odd: dict[int, str], ids: Sequence[int]) -> None:
        """Asks again for what did not come, and takes out what should not have come."""
        evidence = self._evidence
        listed = {*ids}
        # A list of ids has nothing between them, a window may have.
        low, high = (1, 0) if self._selection.by_ids else (ids[0], ids[-1])
        outside = [each for each in rows if each not in listed and not low <= each <= high]
        if outside:
            evidence.broken = True
            evidence.doubts.append(
                f"iTop answers the window {ids[0]} to {ids[-1]} with object {min(outside)}"
            )
            for each in outside:
                del rows[each]
                odd.pop(each, None)
            return
        missing = [each for each in ids if each not in rows]
        again = self._again(missing) if missing else None
        evidence.appeared += sum(each not in listed for each in rows)
        if again is not None:
            late = {each: again.rows[each] for each in missing if each in again.rows}
            rows |= late
            odd |= {each: again.odd[each] for each in late if each in again.odd}
            evidence.late += len(late)
            evidence.gone += len(missing) - len(late)

    def _again(self, missing: Sequence[int]) -> Objects:
        """What is there of the *missing*: nothing proves that they are gone but to ask again."""
        objects = self._ask(self._selection.among(missing), once=False)
        doubt = count_doubt("asked for again, the answer", objects.found, len(objects.rows))
        if doubt:
            self._evidence.doubts.append(doubt)
        return objects

    def _with_rejects(
        self, first: int, order: Sequence[int], rows: dict[int, Any], odd: dict[int, str]
    ) -> Page:
        rejects = tuple(
            Reject(self._dataset, first + rank, odd[each], self._sample(each, rows[each]))
            for rank, each in enumerate(order)
            if each in odd
        )
        return Page(first, [rows[each] for each in order if each not in odd], rejects)

    def _sample(self, number: int, row: Any) -> str:
        try:
            text = orjson.dumps(row).decode()
        except orjson.JSONEncodeError:
            text = repr(row).encode(errors="backslashreplace").decode()
        return sample(f"{self._table.class_name}::{number} {text}", self._session.secrets())

    def _lost(self, number: int, failure: SourceError) -> Page:
        """The page of an object that iTop cannot serve, alone as it was asked for."""
        evidence = self._evidence
        evidence.read += 1
        evidence.lost += 1
        reject = Reject(
            self._dataset, evidence.read, str(failure), f"{self._table.class_name}::{number}"
        )
        return Page(evidence.read, [], (reject,))
