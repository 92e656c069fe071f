"""D0: 3.25 to 4.2 (`specs/canopsis.md` §2.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from referential.dialect import ImportStatus, Pruning, Surroundings, Version, read_status, removal
from referential.dialect_items import base, graph
from referential.dialect_patterns import Untranslatable, mongo_filter
from referential.entity import Body, Kind

_GO_FRONT = (4, 0, 0)
_ASCTIME = "%a %b %d %H:%M:%S %Y"


@dataclass(frozen=True, slots=True)
class D0:
    """One line of items and links under `json`; no categories, watchers for services."""

    version: Version
    name: str = "D0"
    translates: bool = True
    partial_works: bool = False
    webcore: bool = True
    prunes_by: Pruning = "import"
    reads_by_source: bool = False

    @property
    def key_in_query(self) -> bool:
        """The Go API before 4.0 to 4.2 takes a header."""
        return self.version < _GO_FRONT

    @property
    def limits(self) -> tuple[str, ...]:
        return (
            "categories are not sent: entities have none",
            (
                "services are loaded as watchers with a filter (`mfilter`): each import adds to"
                " them what matches it and takes nothing away, and a Go engine may compute no"
                " state from it"
            ),
            (
                "a watcher may use the conditions eq, is_one_of, regexp, contain, begin_with and"
                " end_with on name, type, _id and texts of infos; other services become rejects"
            ),
            "there is no import source: what is read back is compared by id alone",
            "a deletion is for good, and neither it nor a disabled component takes resources along",
            "there is no bulk endpoint: entities are switched by imports, which leave alarms open",
            "neither the right to import nor that to switch is known before the first import",
            "alarms are neither counted nor listed",
            (
                "entities cannot be searched: drift and adopt are refused, and driver unless it"
                " keeps what is missing"
            ),
        )

    def import_path(self, *, partial: bool) -> str:  # noqa: ARG002 - there is one import only
        return "/api/contextgraph/import"

    def status_path(self, job: str) -> str:
        return f"/api/contextgraph/import/status/{job}"

    def body(self, items: Sequence[bytes], around: Surroundings = Surroundings()) -> bytes:  # noqa: B008 - it is frozen
        """On one line: Canopsis reads no further than the first."""
        return orjson.dumps({"json": graph(items, around.absent, _item)})

    def objection(self, item: bytes) -> str:
        try:
            mongo_filter(orjson.loads(item).get("entity_pattern") or [])
        except Untranslatable as lack:
            return f"filters of watchers, as Canopsis before 4.3 has them for services, have {lack}"
        return ""

    def deletion(self, kind: Kind, identity: str, group: str) -> bytes:
        return removal(kind, identity, group)

    def job(self, answer: Any) -> str | None:
        match answer:
            case {"data": [{"import_id": str(job)}]} if job:
                return job
        return None

    def status(self, answer: Any) -> ImportStatus | None:
        """An unknown import is told with status 200; the moment bears no zone, UTC is assumed."""
        match answer:
            case {"_id": str(job), "status": "not_found"}:
                return ImportStatus(id=job, state="expired")
            case {"creation": str(text)}:
                try:
                    made = datetime.strptime(text, _ASCTIME).replace(tzinfo=UTC)
                except ValueError:
                    return read_status(answer)
                return read_status(answer | {"creation": made.isoformat()})
        return read_status(answer)


def _item(body: Body) -> Body:
    made = base(body)
    if body["type"] == "service":
        made["type"] = "watcher"
        if pattern := body.get("entity_pattern"):
            # a watcher that matched itself would depend on itself
            mine = {"_id": {"$ne": made["_id"]}}
            made["mfilter"] = orjson.dumps({"$and": [mine, mongo_filter(pattern)]}).decode()
    if body["action"] in ("enable", "disable"):
        made["action_properties"] = {body["action"]: None}
    return made
