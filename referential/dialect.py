"""The import API as one version of Canopsis speaks it (`specs/canopsis.md` §2, §9).

The loader knows no version: paths, bodies and answers are asked of the dialect. A dialect is a
small class with the properties of `Dialect`; `referential.dialect_detect` chooses it.

    D2  23.04 and later    `referential.dialect_d2`    items are sent as they are
    D1  4.3 to 22.10       `referential.dialect_d1`    items become `{"cis": …, "links": …}`
    D0  3.25 to 4.2        `referential.dialect_d0`    the same on one line, under `json`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import orjson

from referential.entity import Kind

Version = tuple[int, int, int]
State = Literal["pending", "ongoing", "done", "failed", "expired"]
Pruning = Literal["edit", "import"]

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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a translated body must know of the Canopsis it goes to.

    `categories` are ids by name. `absent` are components that resources of the body belong to and
    that exist nowhere: D1 and D0 do not make them by themselves (§9).
    """

    categories: Mapping[str, str] = field(default_factory=dict)
    absent: Sequence[str] = ()


class Dialect(Protocol):
    """What the client and the loader ask of a version."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> Version: ...

    @property
    def partial_works(self) -> bool:
        """A partial import exists, and attaches what it loads to the services."""
        ...

    @property
    def translates(self) -> bool:
        """Items are rewritten for a body, which then needs its `Surroundings`."""
        ...

    @property
    def webcore(self) -> bool:
        """Reads, accounts and events are those of the Python webcore (`referential.webcore`)."""
        ...

    @property
    def key_in_query(self) -> bool:
        """An API key is looked for in the query only (§1.1)."""
        ...

    @property
    def prunes_by(self) -> Pruning:
        """How infos are dropped: `edit` by PUT entitybasics, `import` by the action `update`."""
        ...

    @property
    def reads_by_source(self) -> bool:
        """Entities can be searched for by `import_source` and `imported`."""
        ...

    @property
    def limits(self) -> tuple[str, ...]:
        """Sentences on what this version cannot hold or do."""
        ...

    def import_path(self, *, partial: bool) -> str: ...

    def status_path(self, job: str) -> str: ...

    def body(self, items: Sequence[bytes], around: Surroundings = ...) -> bytes:
        """The request body for import items in canonical bytes (`referential.entity`).

        Where it does not translate, an item may be many, a comma between two.
        """
        ...

    def objection(self, item: bytes) -> str:
        """Why this version cannot hold an item, in words; "" when it can."""
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


def removal(kind: Kind, identity: str, group: str) -> bytes:
    """The canonical item that deletes an entity, in whatever dialect."""
    item = {"action": "delete", "type": kind, "name": identity}
    if kind == "resource":
        item["name"] = identity.removesuffix(f"/{group}")
        item["component"] = group
    return orjson.dumps(item)


def read_status(answer: Any) -> ImportStatus | None:
    """The status as 4.4 and later write it."""
    match answer:
        case {"_id": str(job), "status": "pending" | "ongoing" | "done" | "failed" as state}:
            return ImportStatus(
                id=job,
                state=state,
                info=answer.get("info") or "",
                created=moment(answer.get("creation")),
                duration=answer.get("exec_time") or "",
            )
    return None


def read_job(answer: Any) -> str | None:
    """The id of an import as the Go API gives it."""
    match answer:
        case {"_id": str(job)} if job:
            return job
    return None


def moment(text: Any) -> datetime | None:
    """RFC 3339, with any number of decimals."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def parse_version(text: str) -> Version:
    """`24.04.3` → (24, 4, 3); a missing patch is 0; `development` is newer than all."""
    parts = text.strip().split("-")[0].split(".")
    if not all(part.isdecimal() for part in parts):
        return NEWEST
    major, minor, patch, *_ = [*map(int, parts), 0, 0]
    return major, minor, patch
