"""What Canopsis holds, read back: entities, their neighbours, ids by source, open alarms.

All of it raises Unreachable, Refused and Unreadable (`referential.errors`).
"""

import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

import orjson

from referential.answers import Absent
from referential.connection import Basic, CanopsisConnection, Login, Pace
from referential.dialect import Dialect, Version, parse_version
from referential.dialect_detect import AppInfo, app_info, dialect_of, version_of
from referential.entity import Kind
from referential.errors import ReferentialError, Refused, Unreadable
from referential.rights import ALARMS, READ
from referential.webcore import Webcore
from referential.wire import Wire

Record = dict[str, Any]

_PAGE = 1_000  # pages of thousands pass Mongo's 16 MB a document, whole lists do not (§5.1)
_FIRST_API = (4, 3, 0)  # before, reading has other addresses (`referential.webcore`)
_FIRST_SEARCH = (4, 6, 0)
_FIRST_BASIC, _FIRST_LOGIN = (4, 0, 0), (4, 4, 0)


class Reader:
    """One Canopsis, read only."""

    def __init__(self, connection: CanopsisConnection) -> None:
        self.connection = connection
        self.wire = Wire(connection)
        self._info: AppInfo | None = None

    @cached_property
    def dialect(self) -> Dialect:
        """Chosen by `version` of the connection, else by what Canopsis says of itself."""
        stated, where = self.connection.version, self.wire.url
        version = parse_version(stated) if stated else version_of(self.app_info(), self.wire)
        dialect = dialect_of(version, where=where)
        self._can_authenticate(version)
        self.wire.key_in_query = dialect.key_in_query
        return dialect

    @cached_property
    def webcore(self) -> Webcore | None:
        """Where a Canopsis before 4.3 is read; None from then on."""
        return Webcore(self.wire) if self.dialect.webcore else None

    def _can_authenticate(self, version: Version) -> None:
        """Raises Refused for credentials that this version has no use for (§1.1)."""
        since = {Login: _FIRST_LOGIN, Basic: _FIRST_BASIC}.get(type(self.connection.auth))
        if since is None or version >= since:
            return
        kind = self.connection.auth.type
        instead = (
            "`type: api_key`" if version < _FIRST_BASIC else "`type: basic` or `type: api_key`"
        )
        raise Refused(
            f"Canopsis {'.'.join(map(str, version))} takes no `type: {kind}`, which came with"
            f" {since[0]}.{since[1]}",
            where=self.wire.url,
            mend=f"use {instead} under `auth` of the connection",
        )

    def app_info(self) -> AppInfo:
        if self._info is None:
            self._info = app_info(self.wire)
        return self._info

    @property
    def max_bytes(self) -> int:
        """The largest sum of items that one import is to carry.

        Canopsis tells its own limit from 25.04 on. Translated, items grow by their ids and links.
        """
        most = self.connection.imports.max_bytes
        if self.dialect.version >= (25, 4, 0):
            most = min(most, self.app_info().max_bytes or most)
        return most * 2 // 3 if self.dialect.translates else most

    def entities(self, search: str = "", kinds: Sequence[Kind] = ()) -> Iterator[Record]:
        """Live entities, disabled ones included, by id; *search* is an expression of §5.1."""
        if self.webcore is not None:
            self._no_search(search)
            yield from self.webcore.entities(kinds, _PAGE)
            return
        page, pages = 1, 1
        while page <= pages:
            body = self._list("/api/v4/entities", _listing(search, kinds, page, _PAGE))
            yield from body["data"]
            pages, page = body["meta"]["page_count"], page + 1

    def count(self, search: str = "", kinds: Sequence[Kind] = ()) -> int:
        if self.webcore is not None:
            self._no_search(search)
            return self.webcore.count(kinds)
        body = self._list("/api/v4/entities", _listing(search, kinds, 1, 1))
        return int(body["meta"]["total_count"])

    def ids_of_source(self, source: str, since: int | None = None) -> list[str]:
        """Ids of the live entities that *source* loaded last, at *since* (unix seconds) or later.

        By an export, which costs little for 100,000 entities; by the list where exports fail.
        Where entities cannot be searched for by source, the ids of all of them, whoever loaded
        them and when.
        """
        if not self.dialect.reads_by_source:
            return [entity["_id"] for entity in self.entities()]
        return self.ids_where(source_search(source, since))

    @property
    def finds_disabled(self) -> bool:
        """Disabled entities can be asked for, without reading all others too."""
        return self.dialect.reads_by_source or self.webcore is not None

    def disabled_ids(self, source: str) -> list[str]:
        """Ids of the disabled entities that *source* loaded last; of all, where none is told."""
        if self.webcore is not None:
            return [entity["_id"] for entity in self.webcore.disabled(_PAGE)]
        if not self.dialect.reads_by_source:
            return [entity["_id"] for entity in self.entities() if entity.get("enabled") is False]
        search = (
            f"{source_search(source)} AND enabled = FALSE"  # few: a list is less than an export
        )
        return [entity["_id"] for entity in self.entities(search)]

    def entity(self, identity: str) -> Record | None:
        """A live entity with its infos, or None."""
        if self.webcore is not None:
            return self.webcore.entity(identity)
        for path, params in (
            ("/api/v4/entitybasics", {"_id": identity}),
            (f"/api/v4/entityservices/{quote(identity, safe='')}", None),
        ):
            try:
                return self.record("GET", path, params=params, right=READ)
            except Absent:
                continue
        return None

    def held(self, ids: Sequence[str]) -> dict[str, Record]:
        """The live ones of *ids*, in their order."""
        if self.webcore is not None:
            there = {entity["_id"]: entity for entity in self.webcore.among(ids, _PAGE)}
            return {each: there[each] for each in ids if each in there}
        return {each: entity for each in ids if (entity := self.entity(each)) is not None}

    def context_graph(self, identity: str) -> Record | None:
        """`{"impact": [ids], "depends": [ids]}` of a live entity of any kind, or None."""
        if self.webcore is not None:
            entity = self.webcore.entity(identity)
            return entity and {name: entity.get(name, []) for name in ("impact", "depends")}
        path, params = "/api/v4/entities/context-graph", {"_id": identity}
        try:
            return self.record("GET", path, params=params, right=READ)
        except Absent:
            return None

    def holds(self, identity: str) -> bool:
        """Whether an entity is alive; before 22.10 only reading it whole tells."""
        if self.dialect.version >= (22, 10, 0):
            return self.context_graph(identity) is not None
        return self.entity(identity) is not None

    def open_alarms(self, pattern: list[list[Record]] | None = None) -> int:
        """How many alarms are open, or are and concern an entity of *pattern* (§8)."""
        self.needs(_FIRST_API, "count alarms")
        params: dict[str, Any] = {"opened": "true", "limit": 1}
        if pattern is not None:
            self.needs((22, 10, 7), "count alarms by an entity pattern")
            params["entity_pattern"] = orjson.dumps(pattern).decode()
        return int(self._list("/api/v4/alarms", params, right=ALARMS)["meta"]["total_count"])

    def _no_search(self, search: str) -> None:
        if search:
            self.needs(_FIRST_SEARCH, "search entities by an expression")

    def needs(self, version: Version, what: str) -> None:
        """Raises Refused before *version*."""
        if self.dialect.version < version:
            year, *rest = version  # 4.6.0, but 22.10.07
            wanted = ".".join([str(year), *(f"{part:0{1 if year < 22 else 2}}" for part in rest)])
            raise Refused(
                f"this Canopsis cannot {what}",
                where=self.wire.url,
                mend=f"Canopsis {wanted} and later can",
            )

    def ids_where(self, search: str) -> list[str]:
        """Ids of the live entities that an expression of §5.1 selects; see `ids_of_source`."""
        try:
            return self._exported_ids(search)
        except ReferentialError:
            return [entity["_id"] for entity in self.entities(search)]

    def _exported_ids(self, search: str) -> list[str]:
        base, pace = "/api/v4/entity-export", self.connection.imports.pace
        wanted = {
            "fields": [{"name": "_id", "label": "_id"}],
            "separator": "comma",
            "search": search,
        }
        # Asking for the same export twice makes two files of which one is read: repeatable.
        export = self.record("POST", base, body=orjson.dumps(wanted), right=READ, repeatable=True)
        path = f"{base}/{export.get('_id')}"
        for _ in looks(pace, pace.deadline):
            match self.record("GET", path, right=READ).get("status"):
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

    def _list(self, path: str, params: Mapping[str, Any], right: str = READ) -> Record:
        body = self.record("GET", path, params=params, right=right)
        match body:
            case {"data": list(), "meta": {"page_count": int(), "total_count": int()}}:
                return body
        raise not_documented(self.wire, f"GET {path}", body)

    def record(self, method: str, path: str, **options: Any) -> Record:
        body = self.wire.call(method, path, **options).body
        if not isinstance(body, dict):
            raise not_documented(self.wire, f"{method} {path}", body)
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


def looks(pace: Pace, allowed: float) -> Iterator[None]:
    """Moments at which to look, further and further apart, the last one when *allowed* is over."""
    deadline, wait = time.monotonic() + allowed, pace.first
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(wait, left))
        yield
        wait = min(wait * pace.factor, pace.longest)


def not_documented(wire: Wire, call: str, body: Any) -> Unreadable:
    """The error for the answer to *call*, such as `GET /api/v4/entities`."""
    method, _, path = call.partition(" ")
    return Unreadable(
        f"Canopsis' API does not document this answer: {wire.quoted(body)}",
        where=f"{method} {wire.url}{path}",
        mend="see `url` and `version` of the connection",
    )
