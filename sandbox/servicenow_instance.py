"""The simulated instance at work: its rows, knobs, accounts, faults, and what it was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.servicenow_conditions import Asker
from sandbox.servicenow_data import Data
from sandbox.servicenow_faults import Faults
from sandbox.servicenow_knobs import RowAcl, Rule, ServiceNowKnobs
from sandbox.servicenow_limits import Limits
from sandbox.servicenow_login import Login
from sandbox.servicenow_schema import Record, Schema, key
from sandbox.servicenow_selection import Manner, Selections
from sandbox.traffic import Traffic

Tables = Mapping[str, Sequence[Record]]
_SEEN: Final = 100_000  # calls remembered as asked once


@dataclass(slots=True)
class Kept:
    """Answers by what was asked, encoded; only those that are asked again are worth keeping."""

    limit: int
    size: int = 0
    bodies: dict[Any, bytes] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)

    def body(self, place: Any, encode: Callable[[], bytes]) -> bytes:
        found = self.bodies.get(place)
        if found is None:
            found = encode()
            again = hash(place) in self._seen
            if again and self.size + len(found) <= self.limit:
                self.bodies[place] = found
                self.size += len(found)
            elif len(self._seen) < _SEEN:
                self._seen.add(hash(place))
        return found


class Instance:
    """One simulated ServiceNow. Rows are changed by `put_table`, `write`, `delete`."""

    def __init__(self, tables: Tables, knobs: ServiceNowKnobs) -> None:
        self._first = ({name: tuple(rows) for name, rows in tables.items()}, knobs)
        self._filled_by: dict[str, Any] = {}
        self._hidden: dict[tuple[str, str], frozenset[str]] = {}
        self._user_ids: dict[str, str] = {}
        self.reset()

    def reset(self) -> None:
        """Everything as it was at the start."""
        tables, self.knobs = self._first
        if self._filled_by != _bases(self.knobs) or self.data.version:
            self._fill(tables)
        self.traffic = Traffic()
        self.login = Login()
        self.limits = Limits()
        self.faults = Faults(self.knobs.faults)
        self.last_pages: dict[str, list[Record]] = {}  # rows last served, for the fault `repeat`
        self._forget()

    def turn(self, settings: Mapping[str, Any]) -> None:
        """Turn some knobs; faults given anew are whole again. Raises pydantic.ValidationError."""
        self.knobs = self.knobs.changed(settings)
        if "faults" in settings:
            self.faults = Faults(self.knobs.faults)
        if self._filled_by != _bases(self.knobs):
            self._fill(self.data.tables())
            self.data.version += 1  # these are not the rows of the start
        self._forget()

    def put_table(self, table: str, rows: Sequence[Record]) -> None:
        self.data.put(table, rows)

    def write(self, table: str, rows: Sequence[Record]) -> None:
        self.data.write(table, rows)

    def delete(self, table: str, sys_ids: Sequence[str], *, audit: bool = True) -> None:
        self.data.delete(table, sys_ids, audit=audit)

    def now(self) -> datetime:
        """The instance's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.knobs.clock_skew)

    def manner(self, name: str, table: str) -> Manner:
        """How a query of an account is taken."""
        knobs = self.knobs
        acls = [] if knobs.release == "madrid" else knobs.query_acls
        ranged = {
            each: acl.effect for acl in acls if strikes(acl, name, table) for each in acl.fields
        }
        asker = Asker(self.user_id(name), knobs.users[name].zone, self.now(), self.data.fold)
        return Manner(asker, name, knobs.strict_queries, knobs.shuffle, ranged)

    def user_id(self, name: str) -> str:
        """The sys_id of an account's row."""
        self._refresh()
        if not self._user_ids:
            rows = self.data.view("sys_user").rows
            self._user_ids = {row.get("user_name", ""): row["sys_id"] for row in rows}
        return self._user_ids.get(name, "")

    def hidden(self, table: str, name: str) -> frozenset[str]:
        """The sys_ids of a table that row ACLs keep from an account."""
        self._refresh()
        place = (table, name)
        if place not in self._hidden:
            acls = [acl for acl in self.knobs.row_acls if strikes(acl, name, table)]
            rows = self.data.view(table).rows if acls else []
            self._hidden[place] = frozenset(
                row["sys_id"]
                for rank, row in enumerate(rows)
                if "sys_id" in row and any(_hides(acl, row, rank) for acl in acls)
            )
        return self._hidden[place]

    def encoded(self, place: Any, encode: Callable[[], bytes]) -> bytes:
        """The answer to *place*, kept until the data or a knob changes."""
        self._refresh()
        return self._kept.body(place, encode)

    def _fill(self, tables: Tables) -> None:
        knobs = self.knobs
        schema = Schema(knobs.release, knobs.parents, knobs.references)
        fold = str.lower if knobs.collation == "insensitive" else str
        self.data = Data(tables, schema, fold)
        self.data.add_missing("sys_user", "user_name", _accounts(knobs))
        self.data.add_missing("sys_user_role", "name", _roles(knobs))
        self.data.add_missing("sys_user_has_role", "sys_id", _grants(knobs))
        self.selections = Selections(self.data)
        self._filled_by = _bases(knobs)

    def _refresh(self) -> None:
        if self._version != self.data.version:
            self._forget()

    def _forget(self) -> None:
        self._version = self.data.version
        self._kept = Kept(self.knobs.cache_mb * 2**20)
        self._hidden = {}
        self._user_ids = {}


def strikes(rule: Rule, name: str, table: str) -> bool:
    """Whether an access rule concerns an account and a table."""
    return rule.user in {"", name} and rule.table in {"", table}


def _hides(acl: RowAcl, row: Record, rank: int) -> bool:
    sys_id = row["sys_id"]
    return (
        acl.everything
        or bool(acl.every and rank % acl.every == acl.every - 1)
        or bool((acl.low or acl.high) and acl.low <= sys_id and (not acl.high or sys_id < acl.high))
        or bool(acl.starts and str(row.get(acl.field, "")).startswith(acl.starts))
    )


def _bases(knobs: ServiceNowKnobs) -> dict[str, Any]:
    """The knobs that the rows themselves hang on."""
    return knobs.model_dump(include={"release", "collation", "references", "parents", "users"})


def _accounts(knobs: ServiceNowKnobs) -> list[Record]:
    return [
        {
            "sys_id": key(f"sys_user:{name}"),
            "user_name": name,
            "name": name,
            "active": str(not user.locked).lower(),
            "time_zone": user.zone,
            "sys_updated_on": "2024-01-01 00:00:00",
        }
        for name, user in knobs.users.items()
    ]


def _roles(knobs: ServiceNowKnobs) -> list[Record]:
    names = sorted({role for user in knobs.users.values() for role in user.roles})
    return [{"sys_id": key(f"sys_user_role:{name}"), "name": name} for name in names]


def _grants(knobs: ServiceNowKnobs) -> list[Record]:
    return [
        {
            "sys_id": key(f"sys_user_has_role:{name}.{role}"),
            "user": key(f"sys_user:{name}"),
            "role": key(f"sys_user_role:{role}"),
            "state": "active",
        }
        for name, user in knobs.users.items()
        for role in user.roles
    ]
