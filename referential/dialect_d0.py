"""D0: 3.25 to 4.2 (`specs/canopsis.md` §2.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from referential.dialect import ImportStatus, Pruning, Surroundings, Version, read_status, removal
from referential.dialect_items import base, graph
from referential.entity import Body, Kind

_ASCTIME = "%a %b %d %H:%M:%S %Y"


@dataclass(frozen=True, slots=True)
class D0:
    """One line of items and links under `json`; neither categories nor import sources."""

    version: Version
    name: str = "D0"
    translates: bool = True
    partial_works: bool = False
    prunes_by: Pruning = "import"
    reads_by_source: bool = False

    @property
    def limits(self) -> tuple[str, ...]:
        return (
            "categories are not sent: entities have none",
            "services are not loaded: they become rejects",
            "there is no import source: what is read back is compared by id alone",
            "a deletion is for good, and neither it nor a disabled component takes resources along",
            "there is no bulk endpoint: entities are switched by imports",
        )

    def import_path(self, *, partial: bool) -> str:  # noqa: ARG002 - there is one import only
        return "/api/contextgraph/import"

    def status_path(self, job: str) -> str:
        return f"/api/contextgraph/import/status/{job}"

    def body(self, items: Sequence[bytes], around: Surroundings = Surroundings()) -> bytes:  # noqa: B008 - it is frozen
        """On one line: Canopsis reads no further than the first."""
        return orjson.dumps({"json": graph(items, around.absent, _item)})

    def objection(self, item: bytes) -> str:
        if orjson.loads(item)["type"] == "service":
            return "Canopsis before 4.3 takes no service by import"
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
    if body["action"] in ("enable", "disable"):
        made["action_properties"] = {body["action"]: None}
    return made
