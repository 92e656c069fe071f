"""The meaning of a driver file: rows in, entities out, by one function for each value.

Where nothing is known of the driver, the decisions D1 to D36 of `specs/driver-compat.md` §2.2 rule.
A value is absent (None) when its field is missing or null, its expression does not match, or its
template fails. The entity goes without it; without a name, a component or a value in its pattern
the row is skipped, which is a reject.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mappings import casts
from mappings.casts import shown
from mappings.driver import Condition, DriverFile, EntityRule, Info, Value
from mappings.driver_functions import Counts, Functions, Get
from mappings.gotemplate import StrMap
from mappings.pattern import ValueKind, regexp_text
from mappings.rejects import Record, Refusal, Reject
from mappings.running import Mapped, joined
from mappings.tally import DatasetTally, Failure, Tally
from referential.entity import Body, EntityPage, encode, entity_id, fingerprint, joined_keys

Cast = Callable[[Any], Any]  # None for None; raises Refusal

ROWS = "rows"  # the one dataset of a driver file

_STRICT = ("category", "description")  # decision D7: of a wrong type, they skip the row
_TRUTHS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}


class DriverMapper:
    """A driver file at work. It serves one run, and has the face of a `Mapper`.

    `variables` are added to those of the file, and win over them. With `strict`, a field that is
    missing is a failed expectation (decision D5).
    """

    datasets = (ROWS,)
    source = ""  # nothing is generated

    def __init__(
        self,
        file: DriverFile,
        variables: Mapping[str, str] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self.counts = Counts()
        known = {**dict(file.template_vars), **(variables or {})}
        functions = Functions(self.counts, StrMap(known) if known else None)
        action = "enable" if file.action == "enable" else "set"  # create and update: decision D27
        self._makers = [_Maker(rule, action, functions) for rule in file.rules]
        self._rows = 0

    def fields(self, _dataset: str) -> frozenset[str]:
        """None: the one call brings what it brings."""
        return frozenset()

    def gathers(self, _dataset: str) -> bool:
        """Always: the rows of the one call are read whole."""
        return True

    def whole(self, _dataset: str) -> bool:
        """Always: what one call answers is never cut into slices."""
        return True

    def map_page(self, _dataset: str, records: Sequence[Any], first: int) -> Mapped:
        """The entities of rows: components, then resources, then services (decision D22)."""
        self._rows += len(records)
        rows = [(n, row) for n, row in enumerate(records, first) if row.__class__ is dict]
        made = [maker.page(rows) for maker in self._makers]
        if len(rows) < len(records):
            made.append(Mapped(_no_entities(), self._no_objects(records, first)))
        return joined(made)

    def _no_objects(self, records: Sequence[Any], first: int) -> list[Reject]:
        """The rejects for rows that are no objects (decision D21)."""
        rejects = []
        for self.counts.number, row in enumerate(records, first):
            if row.__class__ is not dict:
                reason = f"a row is an object, not {shown(row)}"
                self.counts.skip("row", "not an object", reason)
                rejects.append(Reject(ROWS, self.counts.number, "row", reason, row))
        return rejects

    def finish(self, _dataset: str) -> Mapped:
        return Mapped(_no_entities(), [])

    def report(self) -> Tally:
        counts = self.counts
        made: dict[str, int] = {maker.kind: maker.made for maker in self._makers}
        tally = DatasetTally(
            records=self._rows,
            entities=sum(made.values()),
            rejects=sum(counts.reasons.values()),
            reasons=counts.reasons,
            filled={},
            unmapped=(),
            unknown=(),
            refused=tuple(counts.failed.values()),
            silent=tuple(
                sorted(rule for rule, n in counts.unset.items() if n >= made[rule.split(".")[0]])
            ),
        )
        failures = tuple(
            Failure(ROWS, f"{path} is missing or null in {count} values", "mend the source's rows")
            for path, count in sorted(counts.missing.items())
            if self._strict
        )
        return Tally(datasets={ROWS: tally}, dead=(), failures=failures)


class _Skip(Refusal):
    """A row without entity: *rule* cannot do without the value that it has not."""

    def __init__(self, rule: str, why: str, reason: str) -> None:
        super().__init__(why, reason)
        self.rule = rule


class _Maker:
    """One section of the file: what makes an entity of a row."""

    def __init__(self, rule: EntityRule, action: str, functions: Functions) -> None:
        self.kind = rule.kind
        self.made = 0
        self._fixed = {"action": action, "type": rule.kind}
        self._only_named = action == "enable"  # nothing else is used (specs/canopsis.md §3.7)
        self._functions, self._counts = functions, functions.counts
        self._name = self._needed(rule.name, "name", _name)
        self._component = (
            None if rule.component is None else self._needed(rule.component, "component", _name)
        )
        self._pattern = [
            [(each, self._needed(each.value, "pattern", CASTS[each.takes])) for each in group]
            for group in rule.pattern
        ]
        self._texts = [
            (key, self._optional(value, key, casts.text, strict=key in _STRICT))
            for key, value in rule.texts
        ]
        self._level = self._optional(rule.impact_level, "impact_level", casts.whole)
        self._enabled = self._optional(rule.enabled, "enabled", truth)
        self._tags = [
            (key, self._optional(value, f"tags.{key}", casts.text)) for key, value in rule.tags
        ]
        self._infos = [self._info(info) for info in rule.infos]

    def page(self, rows: Sequence[tuple[int, Record]]) -> Mapped:
        """The entities of rows, each with its rank; a row without one is a reject."""
        page, rejects = _no_entities(), []
        for number, row in rows:
            self._counts.number, identity = number, ""
            try:
                body = self._named(row)
                identity = entity_id(self.kind, body["name"], body.get("component", ""))
                self._fill(body, row)
                payload = encode(body)
            except Refusal as refusal:
                rejects.append(self._reject(number, row, refusal, identity))
            except TypeError as error:  # a number past 64 bits in a list, a value nested too deep
                reason = f"the entity cannot be written as JSON: {error}"
                rejects.append(self._reject(number, row, Refusal("not JSON", reason), identity))
            else:
                self._add(page, body, payload, identity)
        self.made += len(page)
        return Mapped(page, rejects)

    def _add(self, page: EntityPage, body: Body, payload: bytes, identity: str) -> None:
        page.ids.append(identity)
        page.kinds.append(self.kind)
        page.groups.append(body["name"] if self.kind == "component" else body.get("component", ""))
        page.categories.append(body.get("category", ""))
        page.infos.append(joined_keys(tuple(body.get("infos", ()))))
        page.payloads.append(payload)
        page.fingerprints.append(fingerprint(payload))

    def _named(self, row: Record) -> Body:
        """What tells an entity from others; raises Refusal when there can be none."""
        body: Body = {**self._fixed, "name": self._name(row)}
        if self._component is not None:
            body["component"] = self._component(row)
        return body

    def _fill(self, body: Body, row: Record) -> None:
        """Put the rest of the import item; raises Refusal when there can be none."""
        if self._only_named:
            return
        if self._pattern:
            body["entity_pattern"] = [
                [_condition(each, get(row)) for each, get in group] for group in self._pattern
            ]
        for key, get in self._texts:
            text = get(row)
            if text is not None and key != "description":  # the import has no place for it
                body[key] = text
        enabled = self._enabled(row)
        body["enabled"] = True if enabled is None else enabled
        body["impact_level"] = self._level(row) or 1
        if self._tags:
            tags = {key: get(row) for key, get in self._tags}
            body["tags"] = {key: text for key, text in tags.items() if text is not None}
        body["infos"] = infos = {}
        for key, rule, described, get in self._infos:
            value = get(row)
            if value is None:
                self._counts.unset[rule] += 1
            else:
                infos[key] = {**described, "name": key, "value": value}

    def _reject(self, number: int, row: Record, refusal: Refusal, identity: str) -> Reject:
        rule = refusal.rule if isinstance(refusal, _Skip) else self.kind
        self._counts.skip(rule, refusal.why, refusal.reason)
        return Reject(ROWS, number, rule, refusal.reason, row, identity)

    def _needed(self, value: Value, word: str, cast: Cast) -> Get:
        """The value cast, without which there is no entity."""
        rule = f"{self.kind}.{word}"
        get, source = self._functions.get(value, rule), ".".join(value.path or ()) or "its value"

        def needed(row: Record) -> Any:
            found = get(row)
            if found is None:
                reason = f"{rule} has no value: {source} is missing, null or without a match"
                raise _Skip(rule, "missing", reason)
            try:
                return cast(found)
            except Refusal as refusal:
                raise _Skip(rule, refusal.why, refusal.reason) from None

        return needed

    def _optional(self, value: Value | None, word: str, cast: Cast, *, strict: bool = False) -> Get:
        """The value cast, or None; with *strict* a value of a wrong type skips the row (D7)."""
        if value is None:
            return lambda _row: None
        rule, counts = f"{self.kind}.{word}", self._counts
        get = self._functions.get(value, rule)

        def optional(row: Record) -> Any:
            found = get(row)
            try:
                return None if found is None else cast(found)
            except Refusal as refusal:
                if strict:
                    raise _Skip(rule, refusal.why, refusal.reason) from None
                counts.fail(rule, refusal.why, refusal.reason)
                return None

        return optional

    def _info(self, info: Info) -> tuple[str, str, dict[str, str], Get]:
        rule, counts = f"{self.kind}.infos.{info.key}", self._counts
        get = self._functions.get(info.value, rule)

        def info_of(row: Record) -> Any:
            value = get(row)
            if value is None or value.__class__ is str:
                return value
            if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
                return _rounded(value)
            if odd := _odd(value):
                counts.wonder(rule, odd, f"{odd}: {shown(value)}")
            return value

        described = {"description": info.description} if info.description else {}
        return info.key, rule, described, info_of


def _no_entities() -> EntityPage:
    return EntityPage([], [], [], [], [], [], [])


def _odd(value: Any) -> str:
    """Why Canopsis can do little with a value that is stored as it is (decision D8); "" if not."""
    if isinstance(value, dict):
        return "an object can neither be edited nor matched"
    if isinstance(value, float) and not value.is_integer():
        return "a fractional number matches no pattern"
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return "an array that is not all texts matches no pattern"
    return ""


def _rounded(value: int) -> float:
    """What Go's decoder makes of a number past 64 bits."""
    try:
        return float(value)
    except OverflowError:
        raise Refusal("not JSON", f"{shown(value)} is no number that Canopsis can hold") from None


def _condition(condition: Condition, value: Any) -> dict[str, Any]:
    cond = {"type": condition.cond, "value": value}
    typed = {"field_type": condition.field_type} if condition.field_type else {}
    return {"cond": cond, "field": condition.field, **typed}


def _name(value: Any) -> str:
    """A name: Canopsis refuses the whole import for an empty one (decision D7 for the rest)."""
    name = casts.text(value)
    if not name:
        raise Refusal(
            "empty name", "the name is empty: mend it in the source, or map another field"
        )
    return name


def truth(value: Any) -> bool:
    """True or false, as JSON or in the words of YAML."""
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    return casts.truth(value)


def _untimed(value: Any) -> Any:
    """Conditions on times are for fields that no service's pattern may use."""
    raise Refusal("a time", f"{shown(value)} cannot be compared in a service's pattern")


CASTS: Mapping[ValueKind, Cast] = {
    "text": casts.text,
    "filled_text": casts.filled_text,
    "regexp": regexp_text,
    "words": casts.words,
    "whole": casts.whole,
    "truth": truth,
    "interval": _untimed,
    "period": _untimed,
}
