"""One import job, and its report as each version tells it (`specs/canopsis.md` §2.4)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.canopsis_knobs import JobFault

Version = tuple[int, ...]
STORED_QUEUE: Version = (23, 4)
"""Before it the queue is in the memory of the API: a job whose worker died is never looked at."""


@dataclass(slots=True)
class Job:
    """One import; times in Unix seconds, `items` known once it has been parsed."""

    id: str
    source: str
    partial: bool
    dialect: str
    body: bytes
    creation: float
    size: int
    fault: JobFault | None = None
    status: Literal["pending", "ongoing", "failed", "done"] = "pending"
    info: str = ""
    exec_time: str = ""
    last_ping: float | None = None
    updated: int = 0
    deleted: int = 0
    items: int | None = None
    abandoned: bool = False

    def report(self, version: Version) -> dict[str, Any]:
        """The status body of a version (§2.4)."""
        stats = {"deleted": self.deleted, "updated": self.updated}
        if version < (4, 4):
            return {
                "ID": self.id,
                "Creation": _rfc3339(self.creation),
                "Status": self.status,
                "Info": self.info,
                "ExecTime": self.exec_time,
                "Stats": stats,
            }
        body: dict[str, Any] = {
            "_id": self.id,
            "creation": _rfc3339(self.creation),
            "status": self.status,
            "info": self.info,
            "exec_time": self.exec_time,
            "source": self.source,
            "stats": stats,
        }
        if version >= STORED_QUEUE:
            body["last_ping"] = None if self.last_ping is None else _rfc3339(self.last_ping)
        return body


def _rfc3339(moment: float) -> str:
    when = datetime.fromtimestamp(moment, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"
