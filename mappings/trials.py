"""Services that a slice began to gather, and those that it could not: an earlier one may have done.

A service has its body, and what is counted with it, of the first record that can begin it. Which
one that is, only the mapper of the whole can tell. So what a slice does to begin a service is kept
apart from all else, as a `Trial`, and counts once it is known that no earlier slice began it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mappings.lookups import Met, Translation
from mappings.rejects import Record, Reject
from mappings.unit import Unit
from mappings.unit_tally import UnitTally
from referential.entity import Body

Begun = tuple[Any, ...]  # (body, number, record, the value of each condition…)
SLOTS = 3  # what comes before the values of conditions


@dataclass(slots=True)
class Trial:
    """What it took to begin the service *name* by one record, and what came of it.

    `body` and `record` are there when it was begun; otherwise the record is a reject, the `rank`-th
    of the slice. `alone`: no other reject of the slice is about that record. `values` are those of
    the conditions, `counted` what `UnitTally.learned` gave of it, `met` the keys that were looked
    up by each translation.
    """

    name: str
    number: int
    values: list[Any]
    body: Body | None
    record: Record | None
    counted: list[Any]
    met: list[list[Met]]
    rank: int = -1
    nameless: bool = False
    alone: bool = True

    def row(self) -> list[Any]:
        """As JSON; `Trial(*row)` is it again."""
        return [getattr(self, name) for name in self.__slots__]


class Trials:
    """Stands before the `begin` that was generated for a unit, in the mapper of a slice.

    What `begin` counts goes to `tally`, and what it looks up to `Translation.tried`.
    """

    def __init__(self, unit: Unit, begin: Callable[..., Begun | None], tally: UnitTally) -> None:
        self.made: list[Trial] = []
        self._begin = begin
        self._tally = tally
        self._translations = list(unit.beginning)
        self._failed: list[tuple[Reject, Trial]] = []
        for translation in self._translations:
            translation.tried = []

    def begin(
        self,
        rejects: list[Reject],
        number: int,
        record: Record,
        name: str,
        values: Sequence[Any],
        *more: Any,
    ) -> Begun | None:
        """What the generated function does, noted."""
        found = self._begin(rejects, number, record, name, values, *more)
        body, kept = (None, None) if found is None else (found[0], record)
        counted = self._tally.learned()
        counted[2] = list(counted[2])  # the tally is cleared, and used again
        trial = Trial(name, number, plain(values), body, kept, counted, self._met())
        self._tally.clear()
        self.made.append(trial)
        if found is None:
            self._failed.append((rejects[-1], trial))
        return found

    def failed(self) -> dict[int, Trial]:
        """The trials that gave rejects since this was last asked, by the `id` of the reject."""
        failed, self._failed = self._failed, []
        return {id(reject): trial for reject, trial in failed}

    def _met(self) -> list[list[Met]]:
        met = []
        for translation in self._translations:
            met.append(translation.tried or [])
            translation.tried = []
        return met


@dataclass(slots=True)
class Verdict:
    """What the whole makes of the trials of a slice: rejects that stay, and ranks of others."""

    stay: list[Trial]
    dropped: list[int]


def contested(gathered: dict[str, Begun], trials: Iterable[Trial], services: list[Any]) -> str:
    """A service that a slice would have judged otherwise, had it known *gathered*; "" if none.

    Values of conditions that are no lists must be those of the record that began it.
    """
    held: Iterable[tuple[str, list[Any]]] = chain(((t.name, t.values) for t in trials), services)
    for name, values in held:
        found = gathered.get(name)
        if found is not None and _fixed(found[SLOTS:]) != _fixed(values):
            return name
    return ""


def settle(
    gathered: dict[str, Begun],
    trials: Iterable[Trial],
    tally: UnitTally,
    translations: Sequence[Translation],
    before: int,
) -> Verdict:
    """Begins those services in *gathered* that no earlier slice had begun."""
    verdict = Verdict([], [])
    for trial in trials:
        found = gathered.get(trial.name)
        if found is not None:
            if trial.body is None:
                verdict.dropped.append(trial.rank)
                grow(found, trial.values)
            continue
        tally.absorb(trial.counted, before)
        for translation, met in zip(translations, trial.met, strict=True):
            for key, number in met:
                translation.note(key, number + before)
        if trial.body is None:
            verdict.stay.append(trial)
        else:
            first = (trial.body, trial.number + before, trial.record)
            gathered[trial.name] = (*first, *fresh(trial.values))
    return verdict


def grow(found: Begun, values: Iterable[Any]) -> None:
    """Adds the words of another record, or slice, to those of a service."""
    for slot, value in zip(found[SLOTS:], values, strict=True):
        if isinstance(slot, set):
            slot.update(value)


def _fixed(values: Iterable[Any]) -> list[Any]:
    """The values that are no lists."""
    return [value for value in values if not isinstance(value, list | set)]


def plain(values: Iterable[Any]) -> list[Any]:
    """Values of conditions as JSON: words as a list."""
    return [list(value) if isinstance(value, list | set | tuple) else value for value in values]


def fresh(values: Iterable[Any]) -> list[Any]:
    """The values that a service begins with: no words yet."""
    return [set() if isinstance(value, list | set) else value for value in values]
