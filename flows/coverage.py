"""How many open alarms carry what our feeds give, and which entities with alarms no feed knows."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from flows.connections import connection
from flows.files import write_whole
from flows.job import job_names, jobs_folder, load_job
from flows.misdeclared import Misdeclared
from flows.settings import Settings
from flows.workplace import Progress, silent
from mappings.mapper import Mapper
from referential.alarms import open_alarms
from referential.client import Canopsis
from referential.connection import CanopsisConnection

_KEPT = 50  # components that are kept for the reports
_NAMED = 5  # entities of a component that are named
_COLUMNS = ("component", "alarms", "worst_state", "since", "entities")


@dataclass(slots=True)
class Unknown:
    """A component with open alarms that no feed knows, itself or by its resources.

    `worst` is the highest state (1 minor, 2 major, 3 critical), `since` the oldest alarm.
    """

    component: str
    alarms: int = 0
    worst: int = 0
    since: str = ""
    entities: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Coverage:
    """Counts of open alarms: `sources` by the import source of their entity, `infos` by our key."""

    connection: str
    alarms: int = 0
    enriched: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    infos: dict[str, int] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Ours:
    """What the feeds of one Canopsis give: their import sources and their info keys."""

    sources: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


def coverage_of(settings: Settings, name: str, *, progress: Progress = silent) -> Coverage:
    """Read every open alarm of the connection *name*; raises Misdeclared and what Canopsis raises.

    One alarm after the other is counted and let go. An alarm counts as enriched when its entity,
    or the component of it, holds a value under a key that one of our jobs gives.
    """
    target = connection(settings, name, "canopsis", CanopsisConnection, "refsync coverage")
    ours = _ours(settings, name)
    seen = Coverage(name, infos=dict.fromkeys(sorted(ours.keys), 0), warnings=ours.warnings)
    sources: Counter[str] = Counter()
    unknown: dict[str, Unknown] = {}
    with Canopsis(target) as canopsis:
        for alarm in open_alarms(canopsis):
            entity = alarm.get("entity") or {}
            held = ours.keys & set(_filled(entity))
            source = entity.get("import_source") or ""
            seen.alarms += 1
            seen.enriched += bool(held)
            sources[source] += 1
            for key in held:
                seen.infos[key] += 1
            if not held and source not in ours.sources:
                _note(unknown, alarm)
            progress("alarms", seen.alarms, None)
    seen.sources = dict(sources)
    seen.unknown = sorted(unknown.values(), key=lambda each: (-each.alarms, each.component))
    return seen


def export(seen: Coverage, path: Path) -> None:
    """The components that no feed knows, as a file for those who keep the CMDB.

    UTF-8 with its mark, for Excel takes it for another encoding otherwise. Raises Unwritable.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for each in seen.unknown:
        named = " ".join(each.entities)
        rows.writerow((each.component, each.alarms, each.worst, each.since, named))
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def keep_coverage(settings: Settings, seen: Coverage, now: datetime) -> Path:
    """Leave what was seen for the reports of the feeds that load this Canopsis.

    The last answer alone, with its first components only. Raises Unwritable.
    """
    path = _kept_at(settings, seen.connection)
    known = asdict(seen) | {"asked": now.isoformat(), "unknown_in_all": len(seen.unknown)}
    known["unknown"] = known["unknown"][:_KEPT]
    write_whole(path, orjson.dumps(known, option=orjson.OPT_INDENT_2))
    return path


def kept_coverage(settings: Settings, name: str) -> dict[str, Any] | None:
    """What was seen last of the connection *name*, when somebody asked, in the words of Coverage.

    With `asked`, when that was, and `unknown_in_all`, how many components no feed knows.
    """
    path = _kept_at(settings, name)
    if not path.exists():
        return None
    known: dict[str, Any] = orjson.loads(path.read_bytes())
    return known


def _kept_at(settings: Settings, name: str) -> Path:
    return settings.state / "coverage" / f"{quote(name, safe='')}.json"


def _ours(settings: Settings, name: str) -> _Ours:
    """Of all jobs that load this Canopsis; one that does not compile is told and passed over."""
    ours, folder = _Ours(), jobs_folder(settings.jobs)
    for each in job_names(folder):
        try:
            job = load_job(each, folder)
        except Misdeclared:
            ours.warnings.append(f"job {each} is passed over, for it does not compile")
            continue
        if name not in job.sync.loads:
            continue
        ours.sources.add(job.sync.import_source)
        mapper = job.mapper()
        if isinstance(mapper, Mapper):
            ours.keys |= {info.key for unit in mapper.units for info in unit.infos}
    if not ours.sources:
        ours.warnings.append(f"no job loads {name}: nothing of it is ours")
    return ours


def _filled(entity: dict[str, Any]) -> Iterator[str]:
    """The keys of an entity, and of its component, that hold a value."""
    for name in ("infos", "component_infos"):
        for key, info in (entity.get(name) or {}).items():
            if isinstance(info, dict) and info.get("value") not in (None, ""):
                yield key


def _note(unknown: dict[str, Unknown], alarm: dict[str, Any]) -> None:
    value, entity = alarm.get("v") or {}, alarm.get("entity") or {}
    identity = str(entity.get("_id") or alarm.get("d") or "")
    component = str(entity.get("component") or value.get("component") or identity)
    each = unknown.setdefault(component, Unknown(component))
    each.alarms += 1
    each.worst = max(each.worst, int((value.get("state") or {}).get("val") or 0))
    began = datetime.fromtimestamp(int(alarm.get("t") or 0), UTC).isoformat()
    each.since = min(filter(None, (each.since, began)))
    if len(each.entities) < _NAMED:
        each.entities.append(identity)
