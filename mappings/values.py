"""Rules of values compiled: an origin, a translation, a default, each right for where it goes."""

from collections.abc import Mapping
from typing import Any

from mappings import casts
from mappings.errors import Place
from mappings.lookups import Lookup, Translation
from mappings.origins import origin_of
from mappings.pattern import regexp_text
from mappings.rejects import Refusal
from mappings.rules import Cast, Constant, Rule
from mappings.value_rule import ValueRule
from mappings.vocabulary import suggestion


class Values:
    """Compiles the values of one mapping, which share its lookups."""

    def __init__(self, lookups: Mapping[str, Lookup]) -> None:
        self.named = lookups
        self.lookups = list(lookups.values())

    def compile(
        self, rule: ValueRule, name: str, cast: Cast, place: Place, *, needed: bool = False
    ) -> Rule | None:
        """The rule that reports call *name*; None when it is at fault, which *place* was told.

        `needed`: without the value there is no entity.
        """
        origin = origin_of(rule, place)
        translation = self._translation(rule, name, cast, place)
        default = rule.default
        if default is not None:
            default = _cast(default, cast, place / "default")
        if isinstance(origin, Constant):
            origin = Constant(_cast(origin.value, cast, place / rule.spot))
        if origin is None:
            return None
        required = (rule.required or needed) and default is None
        before, after = rule.steps_before, rule.steps_after
        return Rule(name, origin, cast, translation, default, required, before, after)

    def _translation(
        self, rule: ValueRule, name: str, cast: Cast, place: Place
    ) -> Translation | None:
        if rule.lookup is None:
            return None
        if isinstance(rule.lookup, str):
            lookup = self.named.get(rule.lookup)
            if lookup is None:
                mend = suggestion(rule.lookup, self.named, "lookups") or "declare mapping.lookups"
                (place / "lookup").tell(f"unknown lookup {rule.lookup!r}", mend)
                return None
        else:
            lookup = Lookup(name, rule.lookup)
            self.lookups.append(lookup)
        for key, value in lookup.rows.items():
            if value is not None and rule.steps_after is None:
                _cast(value, cast, place / "lookup", f"row {key!r}: ")
        return Translation(name, lookup, rule.on_unknown, many=rule.split is not None)


_CASTS: Mapping[Cast, Any] = {
    "text": casts.text,
    "filled_text": casts.filled_text,
    "regexp": regexp_text,
    "level": casts.impact_level,
    "info": casts.info,
    "words": casts.words,
    "whole": casts.whole,
    "truth": casts.truth,
}


def _cast(value: Any, cast: Cast, place: Place, prefix: str = "") -> Any:
    """The constant as its place wants it; a fault is told, and the value left as it was."""
    try:
        if cast in ("name", "service_name"):
            name = casts.text(value) or ""
            check = casts.check_service_name if cast == "service_name" else casts.check_name
            check(name)
            return name
        return _CASTS[cast](value)
    except Refusal as refusal:
        place.tell(f"{prefix}{refusal}")
        return value
