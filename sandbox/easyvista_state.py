"""What the simulated EasyVista holds: rows, knobs, encoded answers, faults under way, traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.easyvista_faults import strikes
from sandbox.easyvista_knobs import EasyVistaKnobs, Fault
from sandbox.easyvista_lists import Ask, Lists
from sandbox.easyvista_login import Login
from sandbox.easyvista_store import Record, Store
from sandbox.traffic import Traffic


@dataclass(slots=True)
class EasyVista:
    """One simulated tenant. Rows are changed through `store`, knobs by `turn`."""

    store: Store
    knobs: EasyVistaKnobs
    traffic: Traffic = field(default_factory=Traffic)
    login: Login = field(default_factory=Login)
    in_flight: int = 0
    at_once: int = 0  # the most calls that were under way together
    lists: Lists = field(init=False)
    before: dict[str, list[Any]] = field(default_factory=dict)  # rows last answered, by path
    _counts: list[int] = field(default_factory=list)
    _answers: dict[Any, bytes] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)  # hashes: there may be many
    _size: int = 0
    _version: int = 0
    _first: tuple[dict[str, list[Record]], EasyVistaKnobs] = field(init=False)

    def __post_init__(self) -> None:
        self._first = ({name: self.store.rows(name) for name in self.store.names}, self.knobs)
        self._settle()
        self._arm()

    def reset(self) -> None:
        """Rows, knobs and counters as they were at the start."""
        tables, self.knobs = self._first
        self.store.restore(tables)
        self.clear_traffic()
        self.login = Login()
        self._settle()
        self._arm()

    def turn(self, settings: Mapping[str, Any]) -> None:
        """Turn some knobs; faults given anew are whole again. Raises pydantic.ValidationError."""
        self.knobs = self.knobs.changed(settings)
        self._settle()
        if "faults" in settings:
            self._arm()

    def clear_traffic(self) -> None:
        self.traffic.clear()
        self.at_once = self.in_flight

    def strike(self, path: str, query: str, ask: Ask) -> Fault | None:
        """The fault that strikes this call; every fault that the call counts for has counted it."""
        struck = None
        for place, fault in enumerate(self.knobs.faults):
            if not strikes(fault, path, query, ask):
                continue
            self._counts[place] += 1
            rank = self._counts[place] - fault.at
            if struck is None and rank >= 0 and (not fault.times or rank < fault.times):
                struck = fault
        return struck

    def rows_moved(self, fault: Fault) -> None:
        """Rows come, go and change between two calls."""
        if fault.add:
            self.store.add(fault.table, fault.add)
        if fault.remove:
            self.store.remove_first(fault.table, fault.remove)
        if fault.remove_keys:
            self.store.remove(fault.table, fault.remove_keys)
        if fault.update:
            self.store.update(fault.table, fault.update)

    def kept(self, place: Any) -> bytes | None:
        """The answer to a call that was answered before; rows and knobs have not changed since."""
        if self._version != self.store.version:
            self._version = self.store.version
            self._answers.clear()
            self._asked.clear()
            self._size = 0
        return self._answers.get(place)

    def keep(self, place: Any, body: bytes) -> None:
        """Keep an answer, from the second time it is asked: most are asked once."""
        if hash(place) not in self._asked:
            self._asked.add(hash(place))
        elif self._size + len(body) <= self.knobs.cache_mb * 2**20:
            self._answers[place] = body
            self._size += len(body)

    def _settle(self) -> None:
        """What is derived from rows depends on the knobs."""
        self.store.tied = self.knobs.tied
        self.store.forget()
        self.lists = Lists(self.store, self.knobs)

    def _arm(self) -> None:
        self._counts = [0] * len(self.knobs.faults)
        self.before.clear()
