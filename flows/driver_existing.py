"""For the actions `update` and `enable`: only entities that exist (decisions D27, D28)."""

from collections.abc import Callable
from dataclasses import fields

from mappings.driver_rules import DriverMapper
from mappings.rejects import Reject
from mappings.running import Mapped
from mappings.tally import Tally
from referential.client import Canopsis
from referential.connection import CanopsisConnection
from referential.entity import EntityPage


class OnlyExisting:
    """A mapping whose entities are held back when Canopsis does not hold them."""

    source = DriverMapper.source

    def __init__(self, mapper: DriverMapper, holds: Callable[[str], bool]) -> None:
        self._mapper, self._holds = mapper, holds

    def fields(self, dataset: str, /) -> frozenset[str]:
        return self._mapper.fields(dataset)

    def gathers(self, dataset: str, /) -> bool:
        return self._mapper.gathers(dataset)

    def map_page(self, dataset: str, records: list[object], first: int, /) -> Mapped:
        mapped = self._mapper.map_page(dataset, records, first)
        page = mapped.entities
        here = [self._holds(identity) for identity in page.ids]
        kept = EntityPage(
            *(
                [
                    value
                    for value, stays in zip(getattr(page, column.name), here, strict=True)
                    if stays
                ]
                for column in fields(EntityPage)
            )
        )
        absent = [
            Reject(dataset, first, kind, f"Canopsis has no {kind} {identity}", {"id": identity})
            for identity, kind, stays in zip(page.ids, page.kinds, here, strict=True)
            if not stays
        ]
        for reject in absent:
            self._mapper.counts.skip(reject.rule, "not in Canopsis", reject.reason)
        return Mapped(kept, [*mapped.rejects, *absent])

    def finish(self, dataset: str, /) -> Mapped:
        return self._mapper.finish(dataset)

    def report(self) -> Tally:
        return self._mapper.report()


def holds_of(connection: CanopsisConnection, source: str) -> Callable[[str], bool]:
    """Whether Canopsis holds an id: by one list of our source, else by asking for it."""
    ours: set[str] = set()
    asked = False

    def holds(identity: str) -> bool:
        nonlocal asked
        with Canopsis(connection) as canopsis:
            if not asked:
                ours.update(canopsis.ids_of_source(source))
                asked = True
            return identity in ours or canopsis.context_graph(identity) is not None

    return holds
