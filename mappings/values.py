"""Rules of values compiled: an origin, a translation, a default, each right for where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappings import casts, names
from mappings.errors import Place
from mappings.lookups import Lookup, Translation
from mappings.origins import origin_of
from mappings.pattern import regexp_text
from mappings.rejects import Refusal
from mappings.rules import Cast, Constant, Rule
from mappings.tables import Tables
from mappings.value_rule import ValueRule

_ROWS_TOLD = 3  # rows of one table that its place cannot take
_ARRAYS: frozenset[Cast] = frozenset(("info", "words", "items"))  # what an array is good for


@dataclass(frozen=True, slots=True)
class Values:
    """Compiles the values of one block; `items`: paths start at the items of its `each`."""

    dataset: str
    tables: Tables
    items: bool = False

    def compile(
        self, rule: ValueRule, name: str, cast: Cast, place: Place, *, needed: bool = False
    ) -> Rule | None:
        """The rule that reports call *name*; None when it is at fault, which *place* was told.

        `needed`: without the value there is no entity.
        """
        origin = origin_of(rule, place, items=self.items)
        translation = self._translation(rule, name, cast, place)
        many = translation is not None and translation.lookup.many
        _check_array(rule, cast, place, many=many)
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
        lookup = self.tables.get(rule.lookup, self.dataset, name, place / "lookup")
        if lookup is None:
            return None
        _check_rows(lookup, rule, cast, place / "lookup")
        return Translation(name, lookup, rule.on_unknown)


_CASTS: Mapping[Cast, Any] = {
    "text": casts.text,
    "filled_text": casts.filled_text,
    "regexp": regexp_text,
    "level": casts.impact_level,
    "info": casts.info,
    "words": casts.words,
    "whole": casts.whole,
    "truth": casts.truth,
    "items": casts.words,
}
_NAME_CHECKS: Mapping[Cast, Any] = {
    "name": names.check_component,
    "resource_name": names.check_resource,
    "service_name": names.check_service_name,
}


def _cast(value: Any, cast: Cast, place: Place, prefix: str = "") -> Any:
    """The constant as its place wants it; a fault is told, and the value left as it was."""
    try:
        if cast in _NAME_CHECKS:
            name = casts.text(value) or ""
            _NAME_CHECKS[cast](name)
            return name
        return _CASTS[cast](value)
    except Refusal as refusal:
        place.tell(f"{prefix}{refusal}", "correct it")
        return value


def _check_rows(lookup: Lookup, rule: ValueRule, cast: Cast, place: Place) -> None:
    """Tells of rows that their place cannot take, once the options were applied."""
    after, before = rule.steps_after, len(place.problems)
    for key, row in lookup.rows.items():
        try:
            value = row if row is None or after is None else after(row)
        except Refusal as refusal:
            place.tell(f"row {key!r}: {refusal}", "correct it")
            continue
        if value is not None and (not lookup.many or cast in _ARRAYS):
            _cast(value, cast, place, f"row {key!r}: ")
        if len(place.problems) - before >= _ROWS_TOLD:
            return


def _check_array(rule: ValueRule, cast: Cast, place: Place, *, many: bool) -> None:
    """Tells of options that make an array where one text is wanted."""
    array = rule.join is None and (rule.split is not None or many)
    if rule.cast is not None and rule.cast.type == "string_array":
        array = True
    elif rule.cast is not None and array:
        (place / "cast").tell(f"an array cannot become a {rule.cast.type}", "add join:")
        return
    if array and cast not in _ARRAYS:
        place.tell("the options make an array where one value is wanted", 'add join: ", "')
