"""Entity rules compiled to units: names, infos, and the pattern of a service."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from mappings import errors
from mappings.cleaner import Cleaner
from mappings.errors import Place
from mappings.filters import Filter
from mappings.language import (
    ConditionRule,
    EntityRule,
    InfoRule,
    ResourceRule,
    ServiceRule,
)
from mappings.names import NAME_LENGTH
from mappings.paths import Path
from mappings.pattern import INFOS, PatternFault, ValueKind, value_kind
from mappings.rules import Cast, Condition, Constant, Info, Rule
from mappings.unit import Claims, Unit
from mappings.value_rule import ValueRule
from mappings.values import Values
from referential.entity import Kind

_Item = ConditionRule | tuple[ConditionRule, ...]
_NAMES: Mapping[Kind, Cast] = {
    "component": "name",
    "resource": "resource_name",
    "service": "service_name",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the units of one block share: its values, and which records, or items, it is for."""

    dataset: str
    values: Values
    each: Rule | None
    when: Filter | None
    ignored: tuple[Path, ...]
    cleaner: Cleaner
    claims: Claims


def unit_of(kind: Kind, rule: EntityRule, setting: Setting, place: Place) -> Unit | None:
    """The unit of an entity rule, which stands at *place*; None when it is at fault."""
    before, values = len(place.problems), setting.values

    def optional(key: str, cast: Cast, written: ValueRule | None) -> Rule | None:
        if written is None:
            return None
        return values.compile(written, f"{kind}.{key}", cast, place / key)

    name = values.compile(rule.name, f"{kind}.name", _NAMES[kind], place / "name", needed=True)
    component = None
    if isinstance(rule, ResourceRule):
        at = place / "component"
        component = values.compile(rule.component, f"{kind}.component", "name", at, needed=True)
    category = optional("category", "text", rule.category)
    level = optional("impact_level", "level", rule.impact_level)
    if level is not None and level.default is None and not level.required:
        level = replace(level, default=1)  # what the import takes for an absent one
    output = optional("output_template", "text", getattr(rule, "output_template", None))
    infos = _infos(rule.infos, kind, values, place / "infos")
    pattern: tuple[tuple[Condition, ...], ...] = ()
    if isinstance(rule, ServiceRule):
        pattern = _pattern(rule, values, place / "pattern")
    if name is None or len(place.problems) > before:
        return None
    return Unit(
        dataset=setting.dataset,
        kind=kind,
        name=name,
        component=component,
        category=category,
        impact_level=level,
        output_template=output,
        infos=infos,
        pattern=pattern,
        gathered=any(_grows(condition) for group in pattern for condition in group),
        each=setting.each,
        when=setting.when,
        ignored=setting.ignored,
        cleaner=setting.cleaner,
        claims=setting.claims,
    )


def _grows(condition: Condition) -> bool:
    return condition.rule.cast == "words" and not isinstance(condition.rule.origin, Constant)


def _infos(
    written: dict[str, InfoRule], kind: Kind, values: Values, place: Place
) -> tuple[Info, ...]:
    infos = []
    folded: dict[str, str] = {}
    for key, info in written.items():
        at = place / key
        _check_key(key, folded, at)
        spot: errors.Path = () if info.bare else ("value",)
        rule = values.compile(info.value, f"{kind}.infos.{key}", "info", at / spot)
        if rule is not None:
            infos.append(Info(key, info.description, rule))
    return tuple(infos)


def _check_key(key: str, folded: dict[str, str], place: Place) -> None:
    """Tells of a key that Canopsis could not use (`specs/canopsis.md` §6)."""
    twin = folded.setdefault(key.strip().casefold(), key)
    if not key.strip() or len(key) > NAME_LENGTH:
        place.tell(f"an info's key has 1 to {NAME_LENGTH} characters", on_key=True)
    elif any(char in ".$" or unicodedata.category(char) == "Cc" for char in key):
        what = f"the info's key {key!r} holds a dot, a dollar or a control character"
        place.tell(what, "no pattern and no alarm could use it: write _ instead", on_key=True)
    elif twin is not key:
        place.tell(f"the info {key!r} differs from {twin!r} by case or blanks alone", on_key=True)


def _pattern(rule: ServiceRule, values: Values, place: Place) -> tuple[tuple[Condition, ...], ...]:
    """The groups of conditions; those at fault are left out and told of."""
    written = rule.pattern
    groups: list[list[tuple[ConditionRule, Place]]]
    if isinstance(written, ConditionRule):
        groups = [[(written, place)]]
    else:
        groups = [[]] if not written or isinstance(written[0], ConditionRule) else []
        for rank, item in enumerate(cast("tuple[_Item, ...]", written)):
            if isinstance(item, ConditionRule):
                groups[0].append((item, place / rank))
            else:
                groups.append([(each, place / rank / at) for at, each in enumerate(item)])
    for group in groups:
        if not group:
            what = "a group without conditions: Canopsis would skip the service"
            place.tell(what, "write {field: …, cond: …, value: …}")
    return tuple(
        tuple(made for item, at in group if (made := _condition(item, values, at)))
        for group in groups
    )


_CASTS: dict[ValueKind, Cast] = {
    "text": "text",
    "filled_text": "filled_text",
    "regexp": "regexp",
    "words": "words",
    "whole": "whole",
    "truth": "truth",
}


def _condition(written: ConditionRule, values: Values, place: Place) -> Condition | None:
    field_type = written.field_type or ""
    try:
        kind = value_kind(written.field, field_type, written.cond)
    except PatternFault as fault:
        (place / fault.key).tell(str(fault), fault.mend)
        return None
    if field_type and not written.field.startswith(INFOS):
        (place / "field_type").tell(f"{written.field} has a type of its own", "remove field_type")
    name = f"service.pattern.{written.field}"
    rule = values.compile(written.value, name, _CASTS[kind], place / "value", needed=True)
    return None if rule is None else Condition(written.field, field_type, written.cond, rule)
