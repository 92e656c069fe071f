"""What one simulated iTop is made of: objects, knobs, sessions, cached fragments, traffic."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.itop_knobs import Dates, Fault, ItopKnobs, User
from sandbox.itop_model import Model, model_of
from sandbox.itop_search import World
from sandbox.itop_store import Objects
from sandbox.itop_values import Shown
from sandbox.traffic import Traffic

_SEED = 20


@dataclass(slots=True)
class _Count:
    """How many calls a fault has matched, and how often it may strike yet (below 0: for ever)."""

    left: int
    matched: int = 0


@dataclass(slots=True)
class Itop:
    """One simulated iTop. Objects are changed through `held`, knobs through `turn`."""

    held: Objects
    knobs: ItopKnobs
    traffic: Traffic = field(default_factory=Traffic)
    sessions: dict[str, str] = field(default_factory=dict)  # cookie → login
    doors: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)  # cookie → one call at a time
    )
    last: bytes = b""  # the last good answer to core/get
    chance: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 - order, not secrets
    _count: list[_Count] = field(default_factory=list)
    _cached: tuple[Objects, int] | None = None  # of which objects, as they were
    _shown: dict[str, Shown] = field(default_factory=dict)
    _fragments: dict[Any, dict[int, bytes]] = field(default_factory=dict)
    _first: tuple[Objects, ItopKnobs] = field(init=False)

    def __post_init__(self) -> None:
        self._first = (self.held.copy(), self.knobs)
        self._arm()

    def reset(self) -> None:
        held, self.knobs = self._first
        self.held = held.copy()
        self.traffic = Traffic()
        self.sessions = {}
        self.last = b""
        self.chance = random.Random(_SEED)  # noqa: S311 - order, not secrets
        self._cached = None
        self._arm()

    def turn(self, settings: Mapping[str, Any]) -> None:
        """Turn some knobs; faults given anew are whole again. Raises pydantic.ValidationError."""
        self.knobs = self.knobs.changed(settings)
        self._cached = None
        if "faults" in settings:
            self._arm()

    @property
    def model(self) -> Model:
        knobs = self.knobs
        return model_of(knobs.release, tuple(knobs.custom.items()), knobs.missing)

    def user(self, login: str) -> User | None:
        return next((each for each in self.knobs.users if each.login == login), None)

    def world(self, user: User, *, archive: bool) -> World:
        """What a query of *user* is asked of; *archive*: with the archived objects."""
        now = self.knobs.now
        moment = datetime.fromisoformat(now) if now else datetime.now(UTC).replace(tzinfo=None)
        return World(self.held, self.model, moment, self._organizations(user), archive)

    def shown(self, user: User) -> Shown:
        """How values are shown to *user*."""
        self._refresh()
        shown = self._shown.get(user.language)
        if shown is None:
            knobs, language = self.knobs, user.language
            shown = Shown(
                self.held,
                self.model,
                knobs.dates.get(language, Dates()),
                knobs.labels.get(language, {}),
                double_encoded=knobs.double_encoded_html and not self.model.modern,
            )
            self._shown[user.language] = shown
        return shown

    def fragments(self, place: Any) -> dict[int, bytes]:
        """Encoded objects by id, kept under *place* until the data or a knob changes."""
        self._refresh()
        return self._fragments.setdefault(place, {})

    def strike(self, operation: str, kind: str, fields: str) -> Fault | None:
        """The fault that strikes this call, once used up a little; None when all is well."""
        struck = None
        for place, fault in enumerate(self.knobs.faults):
            if not _matches(fault, operation, kind, fields):
                continue
            count = self._count[place]
            count.matched += 1
            if struck is None and count.matched >= fault.at and count.left != 0:
                count.left -= 1
                struck = fault
        return struck

    def rows_move(self, fault: Fault) -> None:
        """Objects come and go between two calls."""
        for values in fault.add:
            given = dict(values)
            self.held.add(given.pop("class"), **given)
        for key, values in fault.change.items():
            self.held.change(key, **values)
        self.held.remove(*fault.remove)

    def _organizations(self, user: User) -> frozenset[int] | None:
        """The allowed organizations with those below them; None: all of them."""
        if not user.organizations:
            return None
        allowed = list(user.organizations)
        for each in allowed:
            below = self.held.pointing("Organization", "parent_id", each)
            allowed.extend(one for one in below if one not in allowed)
        return frozenset(allowed)

    def _refresh(self) -> None:
        held = self.held
        if self._cached is None or self._cached[0] is not held or self._cached[1] != held.version:
            self._cached = (held, held.version)
            self._shown = {}
            self._fragments = {}

    def _arm(self) -> None:
        # below nothing it never ends
        self._count = [_Count(left=fault.times or -1) for fault in self.knobs.faults]


def _matches(fault: Fault, operation: str, kind: str, fields: str) -> bool:
    if fault.on and fault.on not in (operation, kind):
        return False
    return not fault.fields or fault.fields in {each.strip() for each in fields.split(",")}
