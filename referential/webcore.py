"""What the Python webcore of 3.25 to 4.2 has at other addresses than later versions.

Entities are read by `POST /context`, whose filter is Mongo's and whose `sort` is a JSON text.
Pages go on behind the last id that was read, so that what comes and goes meanwhile moves nothing;
that the ids ascend is seen to, for what `sort` takes was not read in the code of Canopsis but
assumed. Its answers are `{"total", "data", "success"}`; older builds put the count of the matches
first into `data` (capensis/canopsis, `webcore/services/context.py`, `session.py`, `event.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from referential.entity import Kind
from referential.errors import Refused, Unreadable
from referential.rights import EVENT, READ
from referential.wire import Wire

Record = dict[str, Any]

ME = "/account/me"
CONTEXT = "/context"
EVENTS = "/api/v2/event"

_SORT = '[{"property":"_id","direction":"ASC"}]'
_SWITCHED_OFF = {"enabled": False}


class Webcore:
    """One Canopsis of that time, read only but for events."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def me(self) -> Record:
        """The account that calls."""
        answer = self._wire.call("GET", ME).body
        match answer:
            case {"data": [{"_id": str()} as account, *_]}:
                found: Record = account
                return found
        raise self._unknown("GET", ME, answer)

    def entities(self, kinds: Sequence[Kind], page: int) -> Iterator[Record]:
        """All entities by id, disabled ones included, read by *page*."""
        return self._selected(_of(kinds), page)

    def disabled(self, page: int) -> Iterator[Record]:
        return self._selected(_SWITCHED_OFF, page)

    def count(self, kinds: Sequence[Kind]) -> int:
        return self._read(_of(kinds), 1)[0]

    def entity(self, identity: str) -> Record | None:
        """An entity with its infos, `depends` and `impact`, or None."""
        return next(iter(self._read({"_id": identity}, 1)[1]), None)

    def among(self, ids: Sequence[str], page: int) -> Iterator[Record]:
        """Those of *ids* that are there."""
        for start in range(0, len(ids), page):
            some = list(ids[start : start + page])
            yield from self._read({"_id": {"$in": some}}, len(some))[1]

    def send_event(self, event: Record) -> None:
        answer = self._wire.call("POST", EVENTS, body=orjson.dumps(event), right=EVENT).body
        match answer:
            case {"sent_events": [_, *_], "failed_events": []}:
                return
        raise Refused(
            "Canopsis dropped the event",
            where=f"POST {self._wire.url}{EVENTS}",
            mend="an event needs event_type, connector, connector_name, source_type and component,"
            " and a resource if it is of one",
        )

    def _selected(self, wanted: Mapping[str, Any], page: int) -> Iterator[Record]:
        last, rows = "", [Record()]
        while rows:
            behind = dict(wanted) | ({"_id": {"$gt": last}} if last else {})
            _, rows = self._read(behind, page)
            for entity in rows:
                if entity["_id"] <= last:
                    raise Unreadable(
                        f"Canopsis lists entities out of order: {entity['_id']} after {last}",
                        where=f"POST {self._wire.url}{CONTEXT}",
                        mend="see `version` of the connection",
                    )
                last = entity["_id"]
                yield entity
            if len(rows) < page:
                return

    def _read(self, wanted: Mapping[str, Any], limit: int) -> tuple[int, list[Record]]:
        """How many entities match, and the first of them; on one line, further is not read."""
        asked = {"_filter": wanted, "limit": limit, "start": 0, "sort": _SORT}
        # reading is repeatable, whatever its method
        answer = self._wire.call(
            "POST", CONTEXT, body=orjson.dumps(asked), right=READ, repeatable=True
        ).body
        match answer:
            case {"data": [int(total), *rows]} | {"total": int(total), "data": [*rows]} if all(
                isinstance(row, dict) and isinstance(row.get("_id"), str) for row in rows
            ):
                return total, [_canonical(row) for row in rows]
        raise self._unknown("POST", CONTEXT, answer)

    def _unknown(self, method: str, path: str, answer: Any) -> Unreadable:
        said = self._wire.quoted(answer)
        return Unreadable(
            f"an answer that no Canopsis of 3.25 to 4.2 is known to give: {said}",
            where=f"{method} {self._wire.url}{path}",
            mend="see `url` and `version` of the connection",
        )


def _of(kinds: Sequence[Kind]) -> Record:
    names = ["watcher" if kind == "service" else kind for kind in kinds]
    return {"type": {"$in": names}} if names else {}


def _canonical(entity: Record) -> Record:
    """An entity under the names of later versions; `enabled` may never have been written."""
    kind = "service" if entity.get("type") == "watcher" else entity.get("type")
    return {"enabled": True, "infos": {}} | entity | {"type": kind}
