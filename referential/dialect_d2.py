"""D2: 23.04 and later (`specs/canopsis.md` §2.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from referential.dialect import (
    ImportStatus,
    Pruning,
    Surroundings,
    Version,
    read_job,
    read_status,
    removal,
)
from referential.entity import Kind


@dataclass(frozen=True, slots=True)
class D2:
    """A flat array of entities, soft deletion, the id made by Canopsis."""

    version: Version
    name: str = "D2"
    translates: bool = False
    webcore: bool = False
    key_in_query: bool = False
    prunes_by: Pruning = "edit"
    reads_by_source: bool = True

    @property
    def partial_works(self) -> bool:
        """False in the releases whose partial import keeps resources out of services (§3.10)."""
        fixed = {(23, 4): (23, 4, 14), (23, 10): (23, 10, 6)}.get(self.version[:2])
        return fixed is None or self.version >= fixed

    @property
    def limits(self) -> tuple[str, ...]:
        if self.partial_works:
            return ()
        told = (
            "its partial import leaves resources out of services: all imports are full, and each"
            " of them makes Canopsis compute every service"
        )
        return (told,)

    def import_path(self, *, partial: bool) -> str:
        return f"/api/v4/contextgraph-import{'-partial' if partial else ''}"

    def status_path(self, job: str) -> str:
        if self.version >= (24, 4, 0):
            return f"/api/v4/contextgraph-import-status/{job}"
        return f"/api/v4/contextgraph/import/status/{job}"

    def body(self, items: Sequence[bytes], around: Surroundings = Surroundings()) -> bytes:  # noqa: ARG002, B008 - the other dialects need it, and it is frozen
        return b"".join((b"[", b",".join(items), b"]"))

    def objection(self, item: bytes) -> str:  # noqa: ARG002 - the other dialects need it
        return ""

    def deletion(self, kind: Kind, identity: str, group: str) -> bytes:
        return removal(kind, identity, group)

    def job(self, answer: Any) -> str | None:
        return read_job(answer)

    def status(self, answer: Any) -> ImportStatus | None:
        return read_status(answer)
