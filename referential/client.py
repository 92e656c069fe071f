"""Canopsis through its API: imports, reading back, bulk switching, events.

Every method is one call or one documented sequence of calls, and decides nothing: the loader does.
All of them raise Unreachable, Refused and Unreadable (`referential.errors`).
"""

import csv
import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import orjson

from referential.answers import Absent, told
from referential.connection import CanopsisConnection, Pace
from referential.dialect import Dialect, ImportStatus, dialect_of, parse_version
from referential.entity import Kind
from referential.errors import ReferentialError, Refused, Unreachable, Unreadable
from referential.rights import (
    ALARMS,
    EVENT,
    IMPORT,
    LOADING,
    READ,
    STATUS,
    SWITCH,
    Identity,
    lacking_rights,
)
from referential.wire import Wire

Record = dict[str, Any]

_BULK = 10_000  # most items of one bulk call (specs/canopsis.md §5.6)
_PAGE = 1_000  # pages of thousands pass Mongo's 16 MB a document, whole lists do not (§5.1)


@dataclass(frozen=True, slots=True)
class AppInfo:
    version: str
    edition: str


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


class Canopsis:
    """One Canopsis. Use it as a context manager, or close it."""

    def __init__(self, connection: CanopsisConnection) -> None:
        self.connection = connection
        self.wire = Wire(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wire.close()

    @cached_property
    def dialect(self) -> Dialect:
        """Chosen by `version` of the connection, else by what Canopsis says of itself."""
        version = self.connection.version or self.app_info().version
        return dialect_of(parse_version(version), where=self.wire.url)

    def app_info(self) -> AppInfo:
        body = self._record("GET", "/api/v4/app-info")
        return AppInfo(str(body.get("version") or ""), str(body.get("edition") or ""))

    def identity(self, rights: Sequence[str] = LOADING) -> Identity:
        """Who we are here, and which of *rights* we hold; nothing is changed by asking."""
        me = self._record("GET", "/api/v4/account/me")
        lacking = lacking_rights(self.wire, self.dialect, rights)
        held = tuple(right for right in rights if right not in lacking)
        return Identity(str(me.get("name") or me.get("_id") or ""), held, lacking)

    def send_import(self, body: bytes, *, source: str, partial: bool = False) -> Receipt:
        """Queue an import.

        It is repeated after an outage although it queues one import more: setting an entity twice
        ends as setting it once, and imports are run in the order of their arrival (§2.5).
        """
        path = self.dialect.import_path(partial=partial)
        answer = self.wire.call("PUT", path, params={"source": source}, body=body, right=IMPORT)
        job = self.dialect.job(answer.body)
        if job is None:
            raise _not_documented(f"PUT {self.wire.url}{path}", answer.body)
        return Receipt(job, answer.at)

    def import_status(self, job: str) -> ImportStatus:
        path = self.dialect.status_path(job)
        try:
            body = self.wire.call("GET", path, right=STATUS).body
        except Absent:
            return ImportStatus(id=job, state="expired")
        status = self.dialect.status(body)
        if status is None:
            raise _not_documented(f"GET {self.wire.url}{path}", body)
        return status

    def await_import(self, job: str, *, entities: int = 0) -> ImportStatus:
        """The status of *job* once it is over: done, failed or expired.

        Raises Unreachable when it is not over within the deadline for that many *entities*; the
        import is then still in Canopsis' queue.
        """
        pace = self.connection.imports.pace
        allowed = pace.deadline + pace.deadline_per_entity * entities
        for _ in _looks(pace, allowed):
            status = self.import_status(job)
            if status.over:
                return status
        raise Unreachable(
            f"the import {job} is still {status.state} after {allowed:.0f} s",
            where=self.wire.url + self.dialect.status_path(job),
            mend="see what is before it in the import queue of Canopsis, or raise "
            "`imports.pace.deadline` of the connection",
        )

    def entities(self, search: str = "", kinds: Sequence[Kind] = ()) -> Iterator[Record]:
        """Live entities, disabled ones included, by id; *search* is an expression of §5.1."""
        page, pages = 1, 1
        while page <= pages:
            body = self._list("/api/v4/entities", _listing(search, kinds, page, _PAGE))
            yield from body["data"]
            pages, page = body["meta"]["page_count"], page + 1

    def count(self, search: str = "", kinds: Sequence[Kind] = ()) -> int:
        body = self._list("/api/v4/entities", _listing(search, kinds, 1, 1))
        return int(body["meta"]["total_count"])

    def ids_of_source(self, source: str, since: int | None = None) -> list[str]:
        """Ids of the live entities that *source* loaded last, at *since* (unix seconds) or later.

        By an export, which costs little for 100,000 entities; by the list where exports fail.
        """
        search = source_search(source, since)
        try:
            return self._exported_ids(search)
        except ReferentialError:
            return [entity["_id"] for entity in self.entities(search)]

    def entity(self, identity: str) -> Record | None:
        """A live entity with its infos, or None."""
        for path, params in (
            ("/api/v4/entitybasics", {"_id": identity}),
            (f"/api/v4/entityservices/{quote(identity, safe='')}", None),
        ):
            try:
                return self._record("GET", path, params=params, right=READ)
            except Absent:
                continue
        return None

    def context_graph(self, identity: str) -> Record | None:
        """`{"impact": [ids], "depends": [ids]}` of a live entity of any kind, or None."""
        path, params = "/api/v4/entities/context-graph", {"_id": identity}
        try:
            return self._record("GET", path, params=params, right=READ)
        except Absent:
            return None

    def disable(self, ids: Iterable[str]) -> Iterator[Switched]:
        """Disable by the bulk endpoint, which also ends the alarms (§3.7); in the order of *ids*.

        A component takes its resources with it.
        """
        return self._switch("/api/v4/bulk/entities/disable", ids)

    def enable(self, ids: Iterable[str]) -> Iterator[Switched]:
        """Enable by the bulk endpoint, in the order of *ids*; resources stay as they are."""
        return self._switch("/api/v4/bulk/entities/enable", ids)

    def send_event(self, event: Record) -> None:
        """Publish one event (§7). Canopsis answers 200 even to an event that it drops."""
        body = self._record("POST", "/api/v4/event", body=orjson.dumps(event), right=EVENT)
        if body.get("failed_events") or not body.get("sent_events"):
            raise Refused(
                "Canopsis dropped the event",
                where=f"POST {self.wire.url}/api/v4/event",
                mend="an event needs event_type, connector, connector_name, component and state",
            )

    def open_alarms(self, pattern: list[list[Record]] | None = None) -> int:
        """How many alarms are open, or are and concern an entity of *pattern* (§8)."""
        params: dict[str, Any] = {"opened": "true", "limit": 1}
        if pattern is not None:
            params["entity_pattern"] = orjson.dumps(pattern).decode()
        return int(self._list("/api/v4/alarms", params, right=ALARMS)["meta"]["total_count"])

    def _exported_ids(self, search: str) -> list[str]:
        base, pace = "/api/v4/entity-export", self.connection.imports.pace
        wanted = {
            "fields": [{"name": "_id", "label": "_id"}],
            "separator": "comma",
            "search": search,
        }
        # Asking for the same export twice makes two files of which one is read: repeatable.
        export = self._record("POST", base, body=orjson.dumps(wanted), right=READ, repeatable=True)
        path = f"{base}/{export.get('_id')}"
        for _ in _looks(pace, pace.deadline):
            match self._record("GET", path, right=READ).get("status"):
                case 0:
                    continue
                case 1:
                    rows = csv.reader(io.StringIO(self.wire.text(f"{path}/download", right=READ)))
                    if next(rows, None) == ["_id"]:
                        return [row[0] for row in rows if row]
            break
        raise Unreadable(
            "the export of entities failed",
            where=f"GET {self.wire.url}{path}",
            mend="see the disk of Canopsis' API",
        )

    def _switch(self, path: str, ids: Iterable[str]) -> Iterator[Switched]:
        left = iter(ids)
        while chunk := list(islice(left, _BULK)):
            body = orjson.dumps([{"_id": identity} for identity in chunk])
            rows = self.wire.call("PUT", path, body=body, right=SWITCH).body
            if not isinstance(rows, list) or len(rows) != len(chunk):
                raise Unreadable(
                    f"{len(chunk)} entities were sent, the answer does not tell of each of them",
                    where=f"PUT {self.wire.url}{path}",
                    mend="see `version` of the connection",
                )
            yield from map(_switched, chunk, rows)

    def _list(self, path: str, params: Mapping[str, Any], right: str = READ) -> Record:
        body = self._record("GET", path, params=params, right=right)
        match body:
            case {"data": list(), "meta": {"page_count": int(), "total_count": int()}}:
                return body
        raise _not_documented(f"GET {self.wire.url}{path}", body)

    def _record(self, method: str, path: str, **options: Any) -> Record:
        body = self.wire.call(method, path, **options).body
        if not isinstance(body, dict):
            raise _not_documented(f"{method} {self.wire.url}{path}", body)
        return body


def source_search(source: str, since: int | None = None) -> str:
    """The search expression for what *source* loaded last, at *since* or later (§5.1)."""
    if '"' in source:
        raise ReferentialError(
            f"the import source {source!r} holds a quote, which Canopsis cannot search for",
            where="sync.import_source",
            mend="change `import_source` of the job",
        )
    after = f" AND imported >= {since}" if since is not None else ""
    return f'import_source = "{source}"{after}'


def _listing(search: str, kinds: Sequence[Kind], page: int, limit: int) -> dict[str, Any]:
    params: dict[str, Any] = {"page": page, "limit": limit, "sort_by": "_id", "sort": "asc"}
    if search:
        params["search"] = search
    if kinds:
        params["type[]"] = list(kinds)
    return params


def _looks(pace: Pace, allowed: float) -> Iterator[None]:
    """Moments at which to look, further and further apart, the last one when *allowed* is over."""
    deadline, wait = time.monotonic() + allowed, pace.first
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(wait, left))
        yield
        wait = min(wait * pace.factor, pace.longest)


def _switched(identity: str, row: Any) -> Switched:
    match row:
        case {"status": 200}:
            return Switched(identity, "done")
        case {"status": 404}:
            return Switched(identity, "absent")
    return Switched(identity, "refused", told(row))


def _not_documented(where: str, body: Any) -> Unreadable:
    said = orjson.dumps(body)[:200].decode("utf-8", "replace")
    return Unreadable(
        f"Canopsis' API does not document this answer: {said}",
        where=where,
        mend="see `url` and `version` of the connection",
    )
