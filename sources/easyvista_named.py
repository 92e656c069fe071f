"""Records asked for by their keys: `search=ASSET_ID:"1",ASSET_ID:"2"`, some at a time.

A field that is repeated is one of several values (from build 2018.1.183, `specs/easyvista.md` §5).
Whatever comes is compared again by the caller, since a condition may be dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sources.base import Complete, Partial, Scope
from sources.easyvista_answer import at
from sources.easyvista_crosscheck import ASSETS, CrossCheck
from sources.easyvista_dataset import EasyVistaDataset
from sources.easyvista_pages import Batch, Batches
from sources.easyvista_reading import Reading, and_told
from sources.easyvista_search import LONGEST, EasyVistaCondition
from sources.easyvista_session import EasyVistaSession


@dataclass(slots=True)
class Named:
    """The records of *table* whose field *key* is one of *ids*."""

    session: EasyVistaSession
    table: EasyVistaDataset
    scope: Scope
    key: str
    ids: frozenset[str]

    def batches(self) -> Batches:
        """Batch after batch; those too that `/assets` leaves out, unless nobody is to look."""
        met: set[str] = set()
        doubts: list[str] = []
        facts: list[str] = []
        for condition in self._conditions():
            table = self.table.model_copy(update={"search": (*self.table.search, condition)})
            rows = Reading(self.session, table, self.scope).batches()
            while True:
                try:
                    batch = next(rows)
                except StopIteration as end:
                    outcome = end.value
                    break
                met.update(str(at(row, self.key)) for row in batch.rows if isinstance(row, dict))
                yield batch
                del batch
            if isinstance(outcome, Partial):
                doubts.append(outcome.reason)
            else:
                facts.append(outcome.evidence)
        if doubts:
            return Partial("; ".join(dict.fromkeys(doubts)))
        read = Complete("; ".join(dict.fromkeys(facts)) or "no id that a record could have")
        left = sorted(each for each in self.ids - met if self._may_be(each))
        if not left or self.table.resource != ASSETS or self.table.crosscheck == "none":
            return read
        # few are named: even where a whole reading would not, they are asked for one by one
        table = self.table.model_copy(update={"crosscheck": "fetch"})
        check = CrossCheck(self.session, table, self.scope, left)
        for records in check.fetched_records():
            yield Batch(records, doubtful=False)
        return and_told(read, [f"{check.fetched:,} that /{ASSETS} leaves out were fetched"])

    def _conditions(self) -> Iterator[EasyVistaCondition]:
        """One for as many ids as an address has room for beside the other conditions."""
        room = LONGEST - len(self.table.search_text) - 1
        some: list[str] = []
        length = 0
        for each in sorted(filter(self._may_be, self.ids)):
            more = len(self.key) + len(each) + len(':"",')
            if some and length + more > room:
                yield self._condition(some)
                some, length = [], 0
            some.append(each)
            length += more
        if some:
            yield self._condition(some)

    def _condition(self, ids: list[str]) -> EasyVistaCondition:
        return EasyVistaCondition(field=self.key, cond="is_one_of", value=tuple(ids))

    def _may_be(self, text: str) -> bool:
        """A text compared with a number is an error of the server, and a quote has no escape."""
        if self.key.endswith("_ID"):
            return text.isascii() and text.isdecimal()
        return text.isprintable() and bool(text.strip()) and '"' not in text
