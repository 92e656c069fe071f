"""D1: 4.3 to 22.10 (`specs/canopsis.md` §2.2, §3.12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from referential.dialect import (
    ImportStatus,
    Pruning,
    Surroundings,
    Version,
    read_job,
    read_status,
    removal,
)
from referential.dialect_items import SETTING, base, graph
from referential.dialect_patterns import Untranslatable, legacy_patterns
from referential.entity import Body, Kind

_NEW_PATTERNS = (22, 10, 0)
_SOURCED = (4, 4, 0)
_SEARCHED = (4, 6, 0)


@dataclass(frozen=True, slots=True)
class D1:
    """Items and links, ids given by the client, categories by id, deletion for good."""

    version: Version
    name: str = "D1"
    translates: bool = True
    partial_works: bool = False  # that it attaches what it loads to the services is not known
    webcore: bool = False
    key_in_query: bool = False
    prunes_by: Pruning = "import"

    @property
    def reads_by_source(self) -> bool:
        """`import_source` is stored from 4.4 on, and searched for from 4.6 on (§5.1)."""
        return self.version >= _SEARCHED

    @property
    def limits(self) -> tuple[str, ...]:
        told = [
            "all imports are full, and each of them makes Canopsis compute every service",
            "a deletion is for good, and a deleted component leaves its resources behind",
        ]
        if self.version < _NEW_PATTERNS:
            told.append(
                "a service may use the conditions eq, is_one_of, regexp, contain, begin_with and"
                " end_with on name, type, category, _id and texts of infos, each field once a"
                " group; other services become rejects"
            )
        if not self.reads_by_source:
            told.append(
                "entities cannot be searched for by import source: what is read back is compared"
                " by id alone"
            )
            told.append("what was switched off by hand is switched on again when it changes")
            told.append(
                "there is no bulk endpoint: entities are switched by imports, which leave alarms"
                " open and resources as they are"
            )
        if self.version < _SOURCED:
            told.append("whether we may import is not known before the first import")
        return tuple(told)

    def import_path(self, *, partial: bool) -> str:
        return f"/api/v4/contextgraph/import{'-partial' if partial else ''}"

    def status_path(self, job: str) -> str:
        return f"/api/v4/contextgraph/import/status/{job}"

    def body(self, items: Sequence[bytes], around: Surroundings = Surroundings()) -> bytes:  # noqa: B008 - it is frozen
        def make(body: Body) -> Body:
            return self._item(body, around)

        return orjson.dumps({"json": graph(items, around.absent, make)})

    def objection(self, item: bytes) -> str:
        if self.version >= _NEW_PATTERNS:
            return ""
        pattern = orjson.loads(item).get("entity_pattern")
        try:
            legacy_patterns(pattern or [])
        except Untranslatable as lack:
            major, minor, _ = self.version
            return f"patterns of services in Canopsis {major}.{minor} have {lack}"
        return ""

    def deletion(self, kind: Kind, identity: str, group: str) -> bytes:
        return removal(kind, identity, group)

    def job(self, answer: Any) -> str | None:
        return read_job(answer)

    def status(self, answer: Any) -> ImportStatus | None:
        """4.3 writes its keys with a capital letter (§2.4)."""
        match answer:
            case {"ID": str(job), "Status": state}:
                names = {"creation": "Creation", "info": "Info", "exec_time": "ExecTime"}
                rest = {name: answer.get(capital) for name, capital in names.items()}
                return read_status({"_id": job, "status": state} | rest)
        return read_status(answer)

    def _item(self, body: Body, around: Surroundings) -> Body:
        made = base(body)
        if body["action"] not in SETTING:
            return made
        if body.get("category"):
            made["category"] = around.categories[body["category"]]
        if body["type"] == "service":
            made["output_template"] = body.get("output_template", "")
            pattern = body.get("entity_pattern") or []
            if self.version >= _NEW_PATTERNS:
                made["entity_pattern"] = pattern
            else:
                made["entity_patterns"] = legacy_patterns(pattern)
        return made
