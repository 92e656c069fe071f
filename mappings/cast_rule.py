"""The type that a job gives a value, whatever the source wrote it as."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from mappings import casts
from mappings.dates import check_format, date_of
from mappings.rejects import Refusal
from mappings.strict import Bare, refusal
from mappings.vocabulary import nearest
from mappings.zones import zone_named, zone_names

Step = Callable[[Any], Any]

_TRUTHS = {
    **dict.fromkeys(("true", "yes", "on", "1", "oui", "vrai"), True),
    **dict.fromkeys(("false", "no", "off", "0", "non", "faux"), False),
}
_EXACT = 2**53  # Canopsis stores numbers as doubles (specs/canopsis.md §6)


class CastRule(Bare):
    """What type a value is given: `int`, or `{type: date, format: "%d/%m/%Y", to: iso}`."""

    written = "a type such as int, or {type: date, format: iso}"
    scalars = ("string",)

    type: Literal["int", "float", "bool", "string", "string_array", "date"] = Field(
        description="Type of the value: a number, true or false, a text, an array, a date."
    )
    format: str = Field(
        default="iso",
        description="How a date is written: `iso` (ISO 8601), `unix` (seconds), or the directives "
        "of strptime, such as `%d/%m/%Y %H:%M`.",
    )
    zone: str = Field(
        default="UTC", description="IANA time zone of a date that does not tell its own."
    )
    to: Literal["unix", "iso", "day"] = Field(
        default="unix",
        description="What a date becomes: whole seconds, ISO 8601 in UTC, or its day in the zone.",
    )

    @classmethod
    def dressed(cls, data: object) -> object:
        return data if isinstance(data, dict) else {"type": data}

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.type != "date" and self.model_fields_set & {"format", "zone", "to"}:
            raise refusal("format, zone and to are for dates", "remove them", "type")
        if self.format not in ("iso", "unix"):
            check_format(self.format)
        if zone_named(self.zone) is None:
            near = nearest(self.zone, zone_names())
            mend = f"did you mean {near!r}?" if near else "write a name such as Europe/Paris"
            raise refusal(f"unknown time zone {self.zone!r}", mend, "zone")
        return self


def cast_of(rule: CastRule) -> Step:
    """The step that gives a value its type."""
    if rule.type == "date":
        return partial(date_of, rule.format, ZoneInfo(rule.zone), rule.to)
    casting: dict[str, Step] = {
        "int": _int,
        "float": _float,
        "bool": _bool,
        "string": casts.text,
        "string_array": _strings,
    }
    return casting[rule.type]


def _strings(value: Any) -> list[str] | None:
    texts = value if isinstance(value, list) else [value]
    return [word for each in texts if (word := casts.text(each)) is not None] or None


def _int(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    number = casts.whole(value)
    if abs(number) > _EXACT:
        raise Refusal("number too large", f"{number} would lose digits in Canopsis: keep it a text")
    return number


def _float(value: Any) -> float:
    """A number; a text may have a comma as its decimal mark (`specs/easyvista.md`)."""
    written = casts.text(value) if not isinstance(value, bool) else None
    try:
        number = float((written or "").replace(",", ".").replace("_", "?"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refusal("not a number", f"{casts.shown(value)} is not a number")
    return number


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = casts.text(value)
    found = _TRUTHS.get(word.strip().casefold()) if word is not None else None
    if found is None:
        raise Refusal("not true or false", f"{casts.shown(value)} is neither true nor false")
    return found
