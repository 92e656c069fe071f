"""Canopsis through its API: imports, reading back, bulk switching, events.

Every method is one call or one documented sequence of calls, and decides nothing: the loader does.
All of them raise Unreachable, Refused and Unreadable (`referential.errors`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, repeat
from types import TracebackType
from typing import Any, Literal, Self

import orjson

from referential.answers import Absent, told
from referential.connection import CanopsisConnection
from referential.dialect import ImportStatus
from referential.dialect_around import Around
from referential.errors import ImportFailed, Refused, Unreachable, Unreadable
from referential.reading import Reader, Record, looks, not_documented, source_search
from referential.rights import (
    EVENT,
    IMPORT,
    LOADING,
    STATUS,
    SWITCH,
    Identity,
    lacking_rights,
    unknown_rights,
)

__all__ = ["Canopsis", "Receipt", "Switched", "source_search"]

_BULK = 10_000  # most items of one bulk call (specs/canopsis.md §5.6)
_FIRST_BULK = (4, 6, 0)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An import that was taken; `at` is the server's clock when it was."""

    job: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Switched:
    """The outcome for one entity of a bulk call; `words` are Canopsis' own when it refused."""

    id: str
    outcome: Literal["done", "absent", "refused"]
    words: str = ""


class Canopsis(Reader):
    """One Canopsis. Use it as a context manager, or close it."""

    def __init__(self, connection: CanopsisConnection) -> None:
        super().__init__(connection)
        self._around = Around(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wire.close()

    def identity(self, rights: Sequence[str] = LOADING) -> Identity:
        """Who we are here, and which of *rights* we hold; nothing is changed by asking."""
        if self.webcore is not None:
            me = self.webcore.me()
        else:
            me = self.record("GET", "/api/v4/account/me")
        lacking = lacking_rights(self.wire, self.dialect, rights)
        untold = unknown_rights(self.dialect).union(lacking)
        held = tuple(right for right in rights if right not in untold)
        return Identity(str(me.get("name") or me.get("_id") or ""), held, lacking)

    def body(self, items: Sequence[bytes]) -> bytes:
        """The request body for *items*; what it takes besides is asked of Canopsis and made there.

        A category that lacks is created at once, a component that lacks travels in the body.
        """
        if not self.dialect.translates:
            return self.dialect.body(items)
        return self.dialect.body(items, self._around.of(items))

    def send_import(self, body: bytes, *, source: str, partial: bool = False) -> Receipt:
        """Queue an import.

        It is repeated after an outage although it queues one import more: setting an entity twice
        ends as setting it once, and imports are run in the order of their arrival (§2.5).
        """
        path = self.dialect.import_path(partial=partial)
        # the Python webcore fails over a parameter that it does not know
        params = None if self.dialect.webcore else {"source": source}
        answer = self.wire.call("PUT", path, params=params, body=body, right=IMPORT)
        match answer.body:
            case {"data": [{"error": str(words)}]} if self.dialect.webcore:
                raise Unreachable(
                    f"Canopsis could not take the import: {self.wire.cleared(words)[:300]}",
                    where=f"PUT {self.wire.url}{path}",
                    mend="see its message bus and the disk of its web server",
                )
        job = self.dialect.job(answer.body)
        if job is None:
            raise not_documented(self.wire, f"PUT {path}", answer.body)
        return Receipt(job, answer.at)

    def import_status(self, job: str) -> ImportStatus:
        path = self.dialect.status_path(job)
        try:
            body = self.wire.call("GET", path, right=STATUS).body
        except Absent:
            return ImportStatus(id=job, state="expired")
        status = self.dialect.status(body)
        if status is None:
            raise not_documented(self.wire, f"GET {path}", body)
        return replace(status, info=self.wire.cleared(status.info))

    def await_import(self, job: str, *, entities: int = 0) -> ImportStatus:
        """The status of *job* once it is over: done, failed or expired.

        Raises Unreachable when it is not over within the deadline for that many *entities*; the
        import is then still in Canopsis' queue.
        """
        pace = self.connection.imports.pace
        allowed = pace.deadline + pace.deadline_per_entity * entities
        for _ in looks(pace, allowed):
            status = self.import_status(job)
            if status.over:
                return status
        raise Unreachable(
            f"the import {job} is still {status.state} after {allowed:.0f} s",
            where=self.wire.url + self.dialect.status_path(job),
            mend="see what is before it in the import queue of Canopsis, or raise "
            "`imports.pace.deadline` of the connection",
        )

    def disable(self, ids: Iterable[str], *, source: str = "refsync") -> Iterator[Switched]:
        """Disable by the bulk endpoint, which also ends the alarms (§3.7); in the order of *ids*.

        A component takes its resources with it. Before 4.6 it is an import of *source*, which
        neither ends alarms nor takes resources along.
        """
        return self._switch("disable", ids, source)

    def enable(self, ids: Iterable[str], *, source: str = "refsync") -> Iterator[Switched]:
        """Enable by the bulk endpoint, in the order of *ids*; resources stay as they are."""
        return self._switch("enable", ids, source)

    def send_event(self, event: Record) -> None:
        """Publish one event (§7). Canopsis answers 200 even to an event that it drops."""
        if self.webcore is not None:
            self.webcore.send_event(event)
            return
        body = self.record("POST", "/api/v4/event", body=orjson.dumps(event), right=EVENT)
        if body.get("failed_events") or not body.get("sent_events"):
            raise Refused(
                "Canopsis dropped the event",
                where=f"POST {self.wire.url}/api/v4/event",
                mend="an event needs event_type, connector, connector_name, component and state",
            )

    def _switch(self, action: str, ids: Iterable[str], source: str) -> Iterator[Switched]:
        if self.dialect.version < _FIRST_BULK:
            yield from self._switch_by_import(action, list(ids), source)
            return
        left, path = iter(ids), f"/api/v4/bulk/entities/{action}"
        while chunk := list(islice(left, _BULK)):
            body = orjson.dumps([{"_id": identity} for identity in chunk])
            rows = self.wire.call("PUT", path, body=body, right=SWITCH).body
            if not isinstance(rows, list) or len(rows) != len(chunk):
                raise Unreadable(
                    f"{len(chunk)} entities were sent, the answer does not tell of each of them",
                    where=f"PUT {self.wire.url}{path}",
                    mend="see `version` of the connection",
                )
            cleared = repeat(self.wire.cleared)
            yield from map(_switched, chunk, rows, cleared)

    def _switch_by_import(self, action: str, ids: list[str], source: str) -> Iterator[Switched]:
        """What is not there is left out: it would fail the whole import (§3.7)."""
        held = self.held(ids)
        for start in range(0, len(held), self.connection.imports.max_items):
            chunk = list(held.values())[start : start + self.connection.imports.max_items]
            body = self.dialect.body([_toggle(action, entity) for entity in chunk])
            receipt = self.send_import(body, source=source)
            status = self.await_import(receipt.job, entities=len(chunk))
            if status.state != "done":
                raise ImportFailed(
                    status.info or status.state,
                    where=self.wire.url + self.dialect.status_path(receipt.job),
                    mend="start the run again: it looks anew at what Canopsis holds",
                )
        yield from (Switched(each, "done" if each in held else "absent") for each in ids)


def _toggle(action: str, entity: Record) -> bytes:
    """The canonical item that switches an entity as it was read."""
    item = {"action": action, "type": entity["type"], "name": entity["_id"]}
    if entity["type"] == "resource":
        # 4.3 does not tell the component of a resource
        item["name"] = entity["name"]
        item["component"] = entity["_id"].removeprefix(f"{entity['name']}/")
    return orjson.dumps(item)


def _switched(identity: str, row: Any, cleared: Callable[[str], str]) -> Switched:
    match row:
        case {"status": 200}:
            return Switched(identity, "done")
        case {"status": 404}:
            return Switched(identity, "absent")
    return Switched(identity, "refused", cleared(told(row))[:300])
