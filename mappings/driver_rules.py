"""The meaning of a driver file: rows in, entities out, one function per value.

Where nothing is known of the driver, the decisions D1 to D36 of `specs/driver-compat.md` §2.2 rule.
A value is absent (None) when its field is missing or null, its expression does not match, or its
template fails; the entity goes without it, unless it is its name, its component or its pattern:
then the row is skipped, which is a reject.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mappings import casts
from mappings.casts import article, shown
from mappings.driver import Condition, DriverFile, EntityRule, Path, Value
from mappings.gofmt import show
from mappings.goregexp import RegexpTimeout, compile_regexp
from mappings.gotemplate import StrMap, Template, TemplateExecError
from mappings.pattern import ValueKind, regexp_text
from mappings.rejects import Record, Refusal, Reject
from mappings.running import Mapped, joined
from mappings.tally import DatasetTally, Refused, Tally
from referential.entity import Body, EntityPage, Kind, encode_page

ROWS = "rows"  # the one dataset of a driver file

_MISSING = object()
_NO_MATCH = StrMap(None)
_WHOLE = "whole_match"
_NUMBERS = frozenset((int, float))
_WORDS = frozenset(("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_NOT_WORDS = frozenset(
    ("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF")
)

Get = Callable[[Record], Any]


@dataclass(slots=True)
class Counts:
    """What was met so far; `number` is the rank of the row at hand.

    `missing` counts values by the path that gave none; `failed` are templates that failed, by rule
    and cause; `odd` values that went through, by rule and reason; `unset` absent infos, by rule.
    """

    number: int = 0
    rows: int = 0
    entities: int = 0
    skipped: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    unset: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: dict[tuple[str, str], Refused] = field(default_factory=dict)
    odd: dict[tuple[str, str], Refused] = field(default_factory=dict)

    def fail(self, rule: str, why: str, reason: str) -> None:
        self._note(self.failed, rule, why, reason)

    def remark(self, rule: str, why: str, reason: str) -> None:
        self._note(self.odd, rule, why, reason)

    def _note(
        self, notes: dict[tuple[str, str], Refused], rule: str, why: str, reason: str
    ) -> None:
        known = notes.get((rule, why))
        if known is None:
            known = notes[rule, why] = Refused(rule, why, 0, self.number, reason)
        known.count += 1


class DriverMapper:
    """A driver file at work: it serves one run, and has what stages ask of a `Mapper`."""

    datasets = (ROWS,)

    def __init__(self, file: DriverFile, variables: Mapping[str, str] | None = None) -> None:
        self.counts = Counts()
        known = {**dict(file.template_vars), **(variables or {})}
        self._makers = [_Maker(rule, file, known, self.counts) for rule in file.rules]

    def fields(self, _dataset: str) -> frozenset[str]:
        """Nothing: the one call brings what it brings."""
        return frozenset()

    def gathers(self, _dataset: str) -> bool:
        return False

    def map_page(self, _dataset: str, records: list[Any], first: int) -> Mapped:
        """The entities of rows, the components first, then resources, then services (D22)."""
        self.counts.rows += len(records)
        mapped = joined([maker.page(records, first) for maker in self._makers])
        self.counts.entities += len(mapped.entities)
        self.counts.skipped += len(mapped.rejects)
        return mapped

    def finish(self, _dataset: str) -> Mapped:
        return Mapped(EntityPage([], [], [], [], [], []), [])

    def report(self) -> Tally:
        counts = self.counts
        made = {maker.rule.kind: maker.made for maker in self._makers}
        absent = {
            f"{maker.rule.kind}.infos.{info.key}"
            for maker in self._makers
            for info in maker.rule.infos
        }
        tally = DatasetTally(
            records=counts.rows,
            entities=counts.entities,
            rejects=counts.skipped,
            reasons=dict(counts.reasons),
            filled={},
            unmapped=(),
            unknown=(),
            refused=tuple(counts.failed.values()),
            silent=tuple(
                name
                for name in sorted(absent)
                if 0 < made[_kind(name)] <= counts.unset[name]
            ),
        )
        return Tally(datasets={ROWS: tally}, dead=(), failures=())


def _kind(rule: str) -> Kind:
    kind: Any = rule.partition(".")[0]
    return kind


class _Maker:
    """One section of the file: the functions of its values, and what makes entities of them."""

    def __init__(
        self, rule: EntityRule, file: DriverFile, variables: Mapping[str, str], counts: Counts
    ) -> None:
        self.rule = rule
        self.made = 0
        self._counts = counts
        self._action = "enable" if file.action == "enable" else "set"
        values = _Values(variables, counts)
        kind = rule.kind

        def needed(value: Value, word: str, cast: Callable[[Any], Any]) -> Get:
            return _needed(values.get(value, f"{kind}.{word}"), value, f"{kind}.{word}", cast)

        self._name = needed(rule.name, "name", _name)
        self._component = rule.component and needed(rule.component, "component", _name)
        self._pattern = [
            [
                (each, needed(each.value, f"pattern.{each.field}", CASTS[each.takes]))
                for each in group
            ]
            for group in rule.pattern
        ]
        self._texts = [
            (key, values.get(value, f"{kind}.{key}"), key in ("description", "category"))
            for key, value in rule.texts
        ]
        self._level = rule.impact_level and values.get(rule.impact_level, f"{kind}.impact_level")
        self._enabled = rule.enabled and values.get(rule.enabled, f"{kind}.enabled")
        self._tags = [
            (key, values.get(value, f"{kind}.tags.{key}")) for key, value in rule.tags
        ]
        self._infos = [
            (
                info.key,
                f"{kind}.infos.{info.key}",
                {"description": info.description} if info.description else {},
                values.get(info.value, f"{kind}.infos.{info.key}"),
            )
            for info in rule.infos
        ]

    def page(self, records: Sequence[Any], first: int) -> Mapped:
        ids, groups, bodies = [], [], []
        origins: list[tuple[int, Record]] = []
        rejects: list[Reject] = []
        for number, record in enumerate(records, first):
            self._counts.number = number
            try:
                if record.__class__ is not dict:
                    raise Refusal("not an object", f"a row is an object, not {shown(record)}")
                body = self._body(record)
            except Refusal as refusal:
                rejects.append(self._reject(number, record, refusal))
                continue
            name, component = body["name"], body.get("component")
            ids.append(name if component is None else f"{name}/{component}")
            groups.append({"component": name, "service": ""}.get(self.rule.kind, component))
            bodies.append(body)
            origins.append((number, record))
        entities = self._encoded(ids, groups, bodies, origins, rejects)
        self.made += len(entities)
        return Mapped(entities, rejects)

    def _body(self, row: Record) -> Body:
        """The import item; raises Refusal when there can be none."""
        body: Body = {"action": self._action, "name": self._name(row), "type": self.rule.kind}
        if self._component is not None:
            body["component"] = self._component(row)
        if self._action == "enable":  # what else the item holds is not used (canopsis.md §3.7)
            return body
        if self._pattern:
            body["entity_pattern"] = [
                [_condition(each, get(row)) for each, get in group] for group in self._pattern
            ]
        for key, get, strict in self._texts:
            text = self._cast(get(row), casts.text, f"{self.rule.kind}.{key}", strict=strict)
            if text is not None and key != "description":  # the import has no place for it
                body[key] = text
        body["enabled"] = self._option(self._enabled, row, _truth, "enabled", default=True)
        body["impact_level"] = self._option(self._level, row, casts.whole, "impact_level", 1) or 1
        tags = {key: self._cast(get(row), casts.text, f"tags.{key}") for key, get in self._tags}
        if tags:
            body["tags"] = {key: text for key, text in tags.items() if text is not None}
        body["infos"] = self._infos_of(row)
        return body

    def _infos_of(self, row: Record) -> dict[str, Any]:
        infos: dict[str, Any] = {}
        for key, rule, described, get in self._infos:
            value = get(row)
            if value is None:
                self._counts.unset[rule] += 1
                continue
            if value.__class__ is not str:
                value = self._info(rule, value)
            infos[key] = {**described, "name": key, "value": value}
        return infos

    def _info(self, rule: str, value: Any) -> Any:
        """A value that is no text, unchanged; what Canopsis can do little with is told (D8)."""
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
            return float(value)  # what Go's decoder makes of it
        odd = ""
        if isinstance(value, dict):
            odd = "an object can neither be edited nor matched"
        elif isinstance(value, float) and not value.is_integer():
            odd = "a fractional number matches no pattern"
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            odd = "an array that is not all texts matches no pattern"
        if odd:
            self._counts.remark(rule, odd, f"{odd}: {shown(value)}")
        return value

    def _option(self, get: Get | None, row: Record, cast: Any, key: str, default: Any) -> Any:
        if get is None:
            return default
        value = self._cast(get(row), cast, f"{self.rule.kind}.{key}")
        return default if value is None else value

    def _cast(self, value: Any, cast: Any, rule: str, *, strict: bool = False) -> Any:
        """The value cast; with *strict* what cannot be is let out as Refusal, else left out."""
        if value is None:
            return None
        try:
            return cast(value)
        except Refusal as refusal:
            refusal.add_note(rule)
            if strict:
                raise
            self._counts.fail(rule, refusal.why, refusal.reason)
            return None

    def _reject(self, number: int, record: Any, refusal: Refusal) -> Reject:
        rule = next(iter(getattr(refusal, "__notes__", ())), self.rule.kind)
        self._counts.reasons[f"{rule}: {refusal.why}"] += 1
        return Reject(ROWS, number, rule, refusal.reason, record)

    def _encoded(
        self,
        ids: list[str],
        groups: list[str],
        bodies: list[Body],
        origins: list[tuple[int, Record]],
        rejects: list[Reject],
    ) -> EntityPage:
        kind = self.rule.kind
        try:
            return encode_page(ids, [kind] * len(ids), groups, bodies)
        except TypeError:  # a number past 64 bits inside a list, a value nested too deeply
            pages = [Mapped(EntityPage([], [], [], [], [], []), [])]
            for name, group, body, (number, record) in zip(
                ids, groups, bodies, origins, strict=True
            ):
                try:
                    pages.append(Mapped(encode_page([name], [kind], [group], [body]), []))
                except TypeError as error:
                    refusal = Refusal("not JSON", f"the entity cannot be written as JSON: {error}")
                    rejects.append(self._reject(number, record, refusal))
            return joined(pages).entities
