"""CIs that `/assets` leaves out: it joins location and department, and drops assets without one.

They are absent from its total too, so that its own count proves nothing; `/configuration-items`
joins neither (`specs/easyvista.md` §3). Totals are compared first, and only where they differ, or
may be those of a condition that was dropped, the keys of both lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sources.base import Outcome, Partial, Record, Scope
from sources.easyvista_ahead import in_turn
from sources.easyvista_answer import single
from sources.easyvista_dataset import EasyVistaDataset
from sources.easyvista_filters import Filters, narrowed, text_of, total
from sources.easyvista_query import fields_of, query_of
from sources.easyvista_reading import and_told, ids_of, writing_of
from sources.easyvista_search import EasyVistaCondition
from sources.easyvista_session import EasyVistaSession
from sources.verdict import Denied

ASSETS: Final = "assets"
ITEMS: Final = "configuration-items"
_NOTHING: Final = Scope(fields=frozenset())
_IS_CI: Final = EasyVistaCondition(field="IS_CI", value="1")
_IS_NO_CI: Final = EasyVistaCondition(field="IS_CI", value="0")
_OTHERWISE: Final = "`crosscheck: none` does without"


def is_due(table: EasyVistaDataset, scope: Scope) -> bool:
    """Whether a reading in *scope* is the one that looks for CIs left out: the whole, or its first
    slice, since the last one has more to do.
    """
    whole = scope.slice is None or scope.slice.index == 0
    windowed = scope.since is not None or scope.until is not None
    return table.resource == ASSETS and table.crosscheck != "none" and whole and not windowed


@dataclass(slots=True)
class CrossCheck:
    """The CIs that a complete reading of `/assets` may lack."""

    session: EasyVistaSession
    table: EasyVistaDataset
    scope: Scope
    lacking: list[str] = field(default_factory=list)
    gone: int = 0
    fetched: int = 0
    doubt: str = ""
    fact: str = ""

    def look(self) -> None:
        """Finds which are lacking; a refusal leaves a doubt, other errors are raised."""
        if any(len(each.path) > 1 for each in self.table.search):
            self.fact = f"not compared with /{ITEMS}, which has no linked objects to search"
            return
        try:
            same = self._same_total()
            if same is None:
                self._compare()
            else:
                self.fact = f"/{ITEMS} has {same:,} CIs as well"
        except Denied as denied:
            if denied.status not in {403, 404}:
                raise
            self.doubt = f"CIs that /{ASSETS} leaves out cannot be looked for: {denied}"

    def fetched_records(self) -> Iterator[list[Record]]:
        """The records of those that are lacking, where they are to be fetched, by the page."""
        if self.table.crosscheck != "fetch":
            return
        filters = Filters(self.table.search, writing_of(self.session.connection))
        size = self.table.page_size
        for start in range(0, len(self.lacking), size):
            asked = self.lacking[start : start + size]
            answers = in_turn(self._fetch, asked, self._at_once)
            found = [each for each in answers if each is not None]
            self.gone += len(asked) - len(found)
            kept = filters.kept(found)
            self.fetched += len(kept)
            if kept:
                yield kept

    def outcome(self, read: Outcome) -> Outcome:
        """*read*, with what was found."""
        count = len(self.lacking)
        if self.doubt:
            return Partial(f"{self.doubt}; {_OTHERWISE}")
        if count and self.table.crosscheck != "fetch":
            return Partial(
                f"{count:,} CIs of /{ITEMS} are not in /{ASSETS}, which leaves out assets without "
                f"location or department ({', '.join(self.lacking[:5])}…): `crosscheck: fetch` "
                f"asks for them one by one, {_OTHERWISE}"
            )
        facts = [self.fact] if self.fact else []
        if count:
            facts = [f"{self.fetched:,} of {count:,} CIs that /{ASSETS} leaves out were fetched"]
        if self.gone:
            facts.append(f"{self.gone:,} of them went meanwhile")
        return and_told(read, facts)

    @property
    def _at_once(self) -> int:
        """Calls of ours at any moment: other slices make theirs meanwhile."""
        part = self.scope.slice
        return 1 if part and part.of > 1 else self.session.connection.max_concurrency

    def named(self, read: Outcome) -> Outcome:
        """*read*, once those that are lacking are known by their keys, and no more is needed."""
        if self.doubt:
            return Partial(f"{self.doubt}; {_OTHERWISE}")
        count = len(self.lacking)
        told = f"{count:,} CIs that /{ASSETS} leaves out are added" if count else self.fact
        return and_told(read, [told] if told else [])

    def _same_total(self) -> int | None:
        """The number of CIs, where both lists tell the same; None where keys must be compared."""
        conditions = self.table.search
        items, assets = (
            query_of(self.table.of_resource(each), self.session.connection, _NOTHING)
            for each in (ITEMS, ASSETS)
        )
        # A field that is repeated would be taken for any of its values.
        asked_for = any(each.path == _IS_CI.path for each in conditions)
        with_cis = conditions if asked_for else (*conditions, _IS_CI)
        others = (*(each for each in conditions if each.path != _IS_CI.path), _IS_NO_CI)
        asked = (
            narrowed(items, text_of(conditions)),
            narrowed(assets, text_of(with_cis)),
            narrowed(assets, text_of(others)),
        )
        of_items, of_assets, of_others = in_turn(partial(total, self.session), asked, self._at_once)
        # As many CIs as other assets: the condition may be dropped, and all of them counted.
        told = of_items == of_assets and (of_assets == 0 or of_assets != of_others)
        return of_items if told else None

    def _compare(self) -> None:
        items, items_read = ids_of(self.session, self.table.of_resource(ITEMS))
        assets, assets_read = ids_of(self.session, self.table.of_resource(ASSETS))
        for resource, read in ((ITEMS, items_read), (ASSETS, assets_read)):
            if isinstance(read, Partial):
                self.doubt = f"the CIs of /{resource} are not all known: {read.reason}"
        known = set(assets)
        self.lacking = [number for number in items if number not in known]
        self.fact = f"every one of {len(items):,} CIs of /{ITEMS} is in it"

    def _fetch(self, number: str) -> Record | None:
        """The record, with its linked objects where the server joins them; None when it is gone."""
        for resource in (ASSETS, ITEMS):
            url = f"{self.session.connection.root}/{resource}/{number}"
            try:
                return self._pruned(single(self.session, url).document)
            except Denied as denied:
                if denied.status != 404:
                    raise
        return None

    def _pruned(self, record: dict[str, Any]) -> Record:
        """What was asked for: a single record has all its columns, in every language."""
        fields = fields_of(self.table, self.session.connection, self.scope)
        if not fields:
            return record
        wanted = {path.partition(".")[0] for path in fields}
        return {name: value for name, value in record.items() if name in wanted}
