"""A unit at work: the function generated for it, its counters, the services it still gathers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson

from mappings.item_code import COLUMNS
from mappings.links import Watch
from mappings.rejects import Record, Reject
from mappings.rules import Constant
from mappings.trials import (
    SLOTS,
    Begun,
    Trial,
    Trials,
    Verdict,
    contested,
    fresh,
    grow,
    plain,
    settle,
)
from mappings.unit import Unit
from mappings.unit_tally import UnitTally
from referential.entity import Body, EntityPage, encode, joined_keys


@dataclass(frozen=True, slots=True)
class Mapped:
    """What records became: entities, and the rejects that could not be any.

    Entities stand unit by unit in the order of the job, within a unit in that of the records.
    """

    entities: EntityPage
    rejects: list[Reject]


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
        self._gathered: dict[str, Begun] = {}
        self.trials: Trials | None = None
        self._count(str(index), self.tally)
        self._count(f"begun_{index}", self.tally)

    def map(self, records: list[Record], first: int) -> Mapped:
        """The entities of a page; those that are gathered wait for `finish`."""
        rejects: list[Reject] = []
        run: Callable[..., None] = self._namespace[f"unit_{self._index}"]
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS.values()}
        if self.unit.gathered:
            run(records, first, rejects, self._gathered)
        else:
            run(records, first, rejects, **columns)
        return self._seen(EntityPage.of(self.unit.kind, **columns), rejects)

    def finish(self) -> Mapped:
        """The entities gathered over all pages, in the order in which they were first seen."""
        gathered, self._gathered = self._gathered, {}
        made: list[tuple[str, Body, bytes]] = []
        rejects: list[Reject] = []
        for name, (start, number, record, *slots) in gathered.items():
            # sorted: the order of the records must not make another fingerprint
            lists = [sorted(slot) if isinstance(slot, set) else slot for slot in slots]
            pattern = self._namespace[f"pattern_{self._index}"](*lists)
            body = {**start, "entity_pattern": pattern}
            try:
                made.append((name, body, encode(body)))
            except orjson.JSONEncodeError as error:
                rejects.append(self.tally.reject(0, number, record, error, name))
        page = EntityPage.of(
            self.unit.kind,
            ids=[name for name, _, _ in made],
            categories=[body.get("category", "") for _, body, _ in made],
            infos=[joined_keys(tuple(body["infos"])) for _, body, _ in made],
            payloads=[payload for _, _, payload in made],
        )
        return self._seen(page, rejects)

    def of_slice(self, begun: list[Any]) -> None:
        """From now on the records are those of a slice; *begun* is what an earlier one began."""
        if not self.unit.gathered:
            return
        tally, name = UnitTally(self.unit), f"begin_{self._index}"
        self._count(f"begun_{self._index}", tally)
        self.trials = Trials(self.unit, self._namespace[name], tally)
        self._namespace[name] = self.trials.begin
        for service, values in begun:
            self._gathered[service] = (None, 0, None, *fresh(values))

    @property
    def begun(self) -> list[Any]:
        """The services that it gathers, as JSON, where later records must be like the first."""
        rules = [condition.rule for group in self.unit.pattern for condition in group]
        if all(rule.cast == "words" or isinstance(rule.origin, Constant) for rule in rules):
            return []
        return [[name, plain(fresh(found[SLOTS:]))] for name, found in self._gathered.items()]

    def learned(self) -> list[Any]:
        """What it counted and gathered of a slice, as JSON."""
        trials = [] if self.trials is None else [trial.row() for trial in self.trials.made]
        services = [[name, plain(found[SLOTS:])] for name, found in self._gathered.items()]
        return [self.tally.learned(), trials, services]

    def contested(self, learned: list[Any]) -> str:
        """A service that a slice would have judged otherwise, had it known ours; "" if none."""
        _, rows, services = learned
        return contested(self._gathered, (Trial(*row) for row in rows), services)

    def absorb(self, learned: list[Any], before: int) -> Verdict:
        """Takes what another one learned of later records, *before* which there were so many."""
        counted, rows, services = learned
        self.tally.absorb(counted, before)
        trials, translations = (Trial(*row) for row in rows), list(self.unit.beginning)
        verdict = settle(self._gathered, trials, self.tally, translations, before)
        for name, values in services:
            grow(self._gathered[name], values)
        return verdict

    def _count(self, name: str, tally: UnitTally) -> None:
        """Lets the generated code that calls its tally *name* count there."""
        self._namespace[f"missed_{name}"] = tally.missed
        self._namespace[f"reject_{name}"] = tally.reject
        self._namespace[f"refuse_{name}"] = tally.refuse
        self._namespace[f"filtered_{name}"] = tally.filtered

    def _seen(self, page: EntityPage, rejects: list[Reject]) -> Mapped:
        self.tally.entities += len(page)
        for watch in self._watches:
            watch(page)
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
