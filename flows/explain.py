"""Why an entity is as it is: record, rules, entity, ledger, last run, live entity in Canopsis."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from flows.finding import Found, Row, find
from flows.job import Job
from flows.live import Difference, differences
from flows.settings import Settings
from flows.workplace import Progress, Workplace, silent
from mappings.mapper import Mapper
from mappings.paths import KEY, PARENT, Path, path_text
from mappings.rules import Rule
from mappings.unit import Unit
from referential.entity import Body, fingerprint
from referential.held import Held

_KINDS = ("component", "resource", "service")
_NEAR = 3  # difference in length of two ids that may be one misspelt


@dataclass(frozen=True, slots=True)
class RuleValue:
    """One rule: the fields it reads as the record has them, what it gives, where it stands."""

    rule: str
    given: dict[str, Any]
    value: Any
    where: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger has of the entity; `same` compares its fingerprint with the one made now."""

    state: str
    dataset: str
    fingerprint: str
    confirmed: bool
    same: bool | None
    missed: int
    run: str
    outcome: str
    started: str
    mode: str


@dataclass(slots=True)
class Explanation:
    """Everything that is known of one id of one job."""

    job: str
    target: str
    id: str
    state: str
    records: int
    dataset: str = ""
    rows: list[Row] = field(default_factory=list)
    more_rows: int = 0
    reject: dict[str, Any] | None = None
    rules: list[RuleValue] = field(default_factory=list)
    entity: Body | None = None
    known: Known | None = None
    live: dict[str, Any] | None = None
    differences: list[Difference] = field(default_factory=list)
    depends: list[str] | None = None
    nearest: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def unknown(self) -> bool:
        """Nobody knows the id: neither the source, nor the ledger, nor Canopsis."""
        absent = self.state == "not in the source"
        return absent and self.known is None and self.live is None


def explain_entity(
    settings: Settings, job: Job, identity: str, *, progress: Progress = silent
) -> Explanation:
    """Ask the source, the ledger and Canopsis about *identity*; nothing is written anywhere.

    Raises what the source, the ledger and Canopsis raise.
    """
    mapper = job.mapper()
    if not isinstance(mapper, Mapper):  # a driver file: its rules have no places
        raise TypeError(f"{job.name} is no job file")
    found = find(settings, job, mapper, identity, progress=progress)
    place = Workplace(settings, job, run_id="")
    with place.ledger() as ledger:
        owned = ledger.held(job.feed, identity)
        ids = set() if found.payload or owned else set(ledger.known(job.feed)["id"])
    entity = orjson.loads(found.payload) if found.payload else None
    seen = Explanation(
        job=job.name,
        target=job.feed.target,
        id=identity,
        state=found.state,
        records=found.records,
        dataset=found.dataset,
        rows=found.rows,
        more_rows=found.more_rows,
        reject=_reject(found),
        rules=list(_rules(job, mapper, found, entity)),
        entity=entity,
        known=_known(owned, found.payload),
        notes=list(dict.fromkeys(found.notes)),
    )
    _ask_canopsis(place, seen, owned)
    if seen.unknown:
        seen.nearest = _nearest(identity, found.ids | ids)
    return seen


def _ask_canopsis(place: Workplace, seen: Explanation, owned: Held | None) -> None:
    with place.canopsis() as canopsis:
        seen.live = canopsis.entity(seen.id)
        if seen.live is not None and seen.live.get("type") == "service":
            graph = canopsis.context_graph(seen.id) or {}
            seen.depends = sorted(graph.get("depends") or [])
    if seen.entity is not None:
        keys = () if owned is None else owned.infos
        source = place.job.sync.import_source
        seen.differences = differences(seen.entity, seen.live, source, keys)


def _reject(found: Found) -> dict[str, Any] | None:
    reject = found.reject
    if reject is None:
        return None
    return {
        "dataset": reject.dataset,
        "number": reject.number,
        "rule": reject.rule,
        "reason": reject.reason,
        "record": reject.record,
    }


def _known(owned: Held | None, payload: bytes) -> Known | None:
    if owned is None:
        return None
    run = owned.run
    return Known(
        state=owned.state,
        dataset=owned.dataset,
        fingerprint=owned.fingerprint.hex(),
        confirmed=owned.confirmed,
        same=fingerprint(payload) == owned.fingerprint if payload else None,
        missed=owned.missed,
        run=owned.run_id,
        outcome=run.outcome if run else "",
        started=run.started.isoformat() if run else "",
        mode=run.mode if run else "",
    )


def _rules(job: Job, mapper: Mapper, found: Found, entity: Body | None) -> Iterator[RuleValue]:
    """Each rule of the unit that gives the entity, or refuses the record."""
    units = list(zip(mapper.units, _unit_paths(job.mapping), strict=True))
    record = found.rows[0].record if found.rows else None
    if found.reject is not None and found.unit < 0:
        refused = [each for each in units if found.reject.rule in _names(each[0])]
        units, record = refused[:1], found.reject.record
    else:
        units = [units[found.unit]] if found.unit >= 0 else []
    for unit, at in units:
        for steps, rule, value in _values(unit, entity):
            reads = rule.origin.paths
            given = {path_text(path): _at(record, path) for path in reads if _is_of_record(path)}
            where = job.place("mapping", *at, *steps)
            yield RuleValue(rule.name, given if unit.each is None else {}, value, where)


def _names(unit: Unit) -> set[str]:
    return {rule.name for rule in unit.rules} | ({unit.each.name} if unit.each else set())


def _unit_paths(block: Any) -> Iterator[tuple[str | int, ...]]:
    """Where each unit of a mapping stands in it; they are compiled in this very order."""
    for rank, entities in enumerate(block["entities"]):
        yield from (("entities", rank, kind) for kind in _KINDS if entities.get(kind))


def _values(unit: Unit, entity: Body | None) -> Iterator[tuple[tuple[str, ...], Rule, Any]]:
    """The place of each rule under its unit, the rule, and its value in the entity."""
    body = entity or {}
    for name in ("name", "component", "category", "impact_level", "output_template"):
        rule: Rule | None = getattr(unit, name)
        if rule is not None:
            yield (name,), rule, body.get(name)
    for rank, group in enumerate(unit.pattern):
        for place, condition in enumerate(group):
            value = body["entity_pattern"][rank][place]["cond"]["value"] if body else None
            yield ("pattern",), condition.rule, value
    infos = body.get("infos", {})
    for info in unit.infos:
        yield ("infos", info.key), info.rule, infos.get(info.key, {}).get("value")


def _is_of_record(path: Path) -> bool:
    return path[:1] not in ((PARENT,), (KEY,))


def _at(record: Any, path: Path) -> Any:
    """The value at *path*; a flat column keeps the dots of its name."""
    if isinstance(record, dict) and path_text(path) in record:
        return record[path_text(path)]
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _nearest(identity: str, ids: set[str]) -> str:
    alike = [each for each in ids if abs(len(each) - len(identity)) <= _NEAR]
    folded = {each.casefold(): each for each in alike}
    near = difflib.get_close_matches(identity.casefold(), sorted(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else ""
