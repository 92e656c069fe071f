"""A unit at work: the function generated for it, its counters, the services it still gathers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mappings.codegen import SLOTS
from mappings.links import Watch
from mappings.rejects import Record, Refusal, Reject
from mappings.unit import Unit
from mappings.unit_tally import UnitTally
from referential.entity import Body, EntityPage, encode_page


@dataclass(frozen=True, slots=True)
class Mapped:
    """What records became: entities, and the rejects that could not be any.

    Entities stand unit by unit in the order of the job, within a unit in that of the records.
    """

    entities: EntityPage
    rejects: list[Reject]


Origin = tuple[int, Record]  # the rank of a record in its dataset, and the record


class Running:
    """One unit; `namespace` is the module that its function is generated into.

    `watches` see all entities as they are made.
    """

    def __init__(
        self,
        index: int,
        unit: Unit,
        namespace: dict[str, Any],
        watches: Iterable[Watch] = (),
    ) -> None:
        self.unit = unit
        self.tally = UnitTally(unit)
        self._watches = tuple(watches)
        self._namespace = namespace
        self._index = index
        self._gathered: dict[str, tuple[Any, ...]] = {}
        namespace[f"missed_{index}"] = self.tally.missed
        namespace[f"reject_{index}"] = self.tally.reject
        namespace[f"refuse_{index}"] = self.tally.refuse
        namespace[f"filtered_{index}"] = self.tally.filtered

    def map(self, records: list[Record], first: int) -> Mapped:
        """The entities of a page; those that are gathered wait for `finish`."""
        ids: list[str] = []
        groups: list[str] = []
        bodies: list[Body] = []
        rejects: list[Reject] = []
        numbers: list[int] = []  # of the record of each entity, where that is not told by its rank
        run: Callable[..., None] = self._namespace[f"unit_{self._index}"]
        run(records, first, ids, groups, bodies, rejects, self._gathered, numbers)

        def origins() -> Iterable[Origin]:
            if numbers:
                return [(number, records[number - first]) for number in numbers]
            refused = {reject.number for reject in rejects}
            numbered = enumerate(records, first)
            return (origin for origin in numbered if origin[0] not in refused)

        return self._encoded(ids, groups, bodies, rejects, origins)

    def finish(self) -> Mapped:
        """The entities gathered over all pages, in the order in which they were first seen."""
        if not self._gathered:
            return Mapped(EntityPage([], [], [], [], [], [], []), [])
        make: Callable[..., Any] = self._namespace[f"pattern_{self._index}"]
        gathered, self._gathered = self._gathered, {}
        bodies = []
        for body, _, _, *slots in gathered.values():
            # sorted: the order of the records must not make another fingerprint
            lists = [sorted(slot) if isinstance(slot, set) else slot for slot in slots]
            bodies.append({**body, "entity_pattern": make(*lists)})

        def origins() -> Iterable[Origin]:
            return [found[1:SLOTS] for found in gathered.values()]

        return self._encoded(list(gathered), [], bodies, [], origins)

    def _encoded(
        self,
        ids: list[str],
        groups: list[str],
        bodies: list[Body],
        rejects: list[Reject],
        origins: Callable[[], Iterable[Origin]],
    ) -> Mapped:
        kind = self.unit.kind
        if kind != "resource":
            groups = ids if kind == "component" else [""] * len(ids)
        try:
            page = encode_page(ids, [kind] * len(ids), groups, bodies)
        except TypeError:  # text with half a surrogate pair, a number past 64 bits
            pages = []
            for entity, origin in zip(
                zip(ids, groups, bodies, strict=True), origins(), strict=True
            ):
                name, group, body = entity
                try:
                    pages.append(encode_page([name], [kind], [group], [body]))
                except TypeError as error:
                    number, record = origin
                    refusal = Refusal("not JSON", f"the entity cannot be written as JSON: {error}")
                    rejects.append(self.tally.reject(0, number, record, refusal, name))
            page = _concatenated(pages)
        self.tally.entities += len(page)
        for watch in self._watches:
            watch(bodies, page)
        return Mapped(page, rejects)


def joined(parts: Sequence[Mapped]) -> Mapped:
    """What several units made of the same records."""
    if len(parts) == 1:
        return parts[0]
    rejects = [reject for part in parts for reject in part.rejects]
    return Mapped(_concatenated([part.entities for part in parts]), rejects)


def _concatenated(pages: Sequence[EntityPage]) -> EntityPage:
    def column(name: str) -> list[Any]:
        return list(chain.from_iterable(getattr(page, name) for page in pages))

    columns = ("ids", "kinds", "groups", "categories", "infos", "payloads", "fingerprints")
    return EntityPage(*map(column, columns))
