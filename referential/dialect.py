"""The import API as one version of Canopsis speaks it (`specs/canopsis.md` §2, §9).

The loader knows no version: paths, bodies and answers are asked of the dialect. A dialect is a
small class with the methods of `Dialect`; `dialect_of(version)` chooses it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import orjson

from referential.entity import Kind
from referential.errors import Refused

Version = tuple[int, int, int]
State = Literal["pending", "ongoing", "done", "failed", "expired"]

NEWEST: Version = (99, 0, 0)


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """Where an import stands; `info` is Canopsis' text when it failed, `created` its own clock.

    `expired` is ours: Canopsis drops its reports after 24 hours and then answers 404. The counters
    of Canopsis are left out on purpose: they count writes, not entities (§2.4).
    """

    id: str
    state: State
    info: str = ""
    created: datetime | None = None
    duration: str = ""  # HH:MM:SS

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "expired")


class Dialect(Protocol):
    """What the client and the loader ask of a version."""

    @property
    def name(self) -> str: ...

    @property
    def partial_works(self) -> bool:
        """A partial import exists, and attaches what it loads to the services."""
        ...

    def import_path(self, *, partial: bool) -> str: ...

    def status_path(self, job: str) -> str: ...

    def body(self, items: list[bytes]) -> bytes:
        """The request body for import items in canonical bytes (`referential.entity`)."""
        ...

    def deletion(self, kind: Kind, identity: str, group: str) -> bytes:
        """The import item that deletes an entity; `group` is a resource's component."""
        ...

    def job(self, answer: Any) -> str | None:
        """The id of the import in the answer to its request; None when it is not one."""
        ...

    def status(self, answer: Any) -> ImportStatus | None:
        """None when the answer is not the status of an import."""
        ...


@dataclass(frozen=True, slots=True)
class D2:
    """23.04 and later: a flat array of entities, soft deletion, the id made by Canopsis."""

    version: Version
    name: str = "D2"

    @property
    def partial_works(self) -> bool:
        """False in the releases whose partial import keeps resources out of services (§3.10)."""
        fixed = {(23, 4): (23, 4, 14), (23, 10): (23, 10, 6)}.get(self.version[:2])
        return fixed is None or self.version >= fixed

    def import_path(self, *, partial: bool) -> str:
        return f"/api/v4/contextgraph-import{'-partial' if partial else ''}"

    def status_path(self, job: str) -> str:
        if self.version >= (24, 4, 0):
            return f"/api/v4/contextgraph-import-status/{job}"
        return f"/api/v4/contextgraph/import/status/{job}"

    def body(self, items: list[bytes]) -> bytes:
        return b"[" + b",".join(items) + b"]"

    def deletion(self, kind: Kind, identity: str, group: str) -> bytes:
        deleted = {"action": "delete", "type": kind, "name": identity}
        if kind == "resource":
            deleted["name"] = identity.removesuffix(f"/{group}")
            deleted["component"] = group
        return orjson.dumps(deleted)

    def job(self, answer: Any) -> str | None:
        match answer:
            case {"_id": str(job)} if job:
                return job
        return None

    def status(self, answer: Any) -> ImportStatus | None:
        match answer:
            case {"_id": str(job), "status": "pending" | "ongoing" | "done" | "failed" as state}:
                return ImportStatus(
                    id=job,
                    state=state,
                    info=answer.get("info") or "",
                    created=_moment(answer.get("creation")),
                    duration=answer.get("exec_time") or "",
                )
        return None


def parse_version(text: str) -> Version:
    """`24.04.3` → (24, 4, 3); a missing patch is 0; `development` is newer than all."""
    parts = text.strip().split("-")[0].split(".")
    if not all(part.isdecimal() for part in parts):
        return NEWEST
    major, minor, patch, *_ = [*map(int, parts), 0, 0]
    return major, minor, patch


def dialect_of(version: Version, *, where: str = "") -> Dialect:
    """The dialect to speak to *version* (§9). Raises Refused for those that we cannot serve."""
    if version >= (23, 4, 0):
        return D2(version)
    raise Refused(
        f"Canopsis {'.'.join(map(str, version))} does not offer the import API of 23.04",
        where=where,
        mend="load into Canopsis 23.04 or later, or correct `version` of the connection",
    )


def _moment(text: Any) -> datetime | None:
    """RFC 3339, with any number of decimals."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
