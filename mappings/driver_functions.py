"""The function that a value of a driver file is: from a row to a value, None when it is absent."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mappings.casts import shown
from mappings.driver import Path, Value
from mappings.golang.gofmt import show
from mappings.goregexp import RegexpTimeout
from mappings.gotemplate import StrMap, Template, TemplateExecError
from mappings.rejects import Record
from mappings.tally import Refused

Get = Callable[[Record], Any]

_MISSING = object()
_NO_MATCH = StrMap(None)


@dataclass(slots=True)
class Counts:
    """What was met so far; `number` is the rank of the row at hand.

    `missing` counts values by the path that gave none, `unset` by rule the entities without that
    info. By rule and reason: `skipped` are rows without entity, `failed` values left out because
    their template failed or their type is wrong, `odd` those that went through and should be looked
    at.
    """

    number: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    unset: Counter[str] = field(default_factory=Counter)
    skipped: dict[tuple[str, str], Refused] = field(default_factory=dict)
    failed: dict[tuple[str, str], Refused] = field(default_factory=dict)
    odd: dict[tuple[str, str], Refused] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """The rows without entity by `rule: why`."""
        return {f"{rule}: {why}": note.count for (rule, why), note in self.skipped.items()}

    def skip(self, rule: str, why: str, reason: str) -> None:
        self._note(self.skipped, rule, why, reason)

    def fail(self, rule: str, why: str, reason: str) -> None:
        self._note(self.failed, rule, why, reason)

    def wonder(self, rule: str, why: str, reason: str) -> None:
        self._note(self.odd, rule, why, reason)

    def _note(
        self, notes: dict[tuple[str, str], Refused], rule: str, why: str, reason: str
    ) -> None:
        note = notes.setdefault((rule, why), Refused(rule, why, 0, self.number, reason))
        note.count += 1


class Functions:
    """Makes the function of each value, which gives None when the value is absent."""

    def __init__(self, counts: Counts, variables: StrMap | None) -> None:
        self.counts = counts
        self._variables = variables

    def get(self, value: Value, rule: str) -> Get:
        if value.type == "set":
            constant = value.constant if isinstance(value.constant, str) else list(value.constant)
            return lambda _row: constant
        field = _always_null if value.path is None else _getter(value.path)
        if value.template is not None:
            return self._template(value, value.template, rule, field)
        missing, name = self.counts.missing, ".".join(value.path or ())

        def copied(row: Record) -> Any:
            found = field(row)
            if found is None or found is _MISSING:
                missing[name] += 1
                return None
            return found

        return copied

    def _template(self, value: Value, template: Template, rule: str, field: Get) -> Get:
        counts, name = self.counts, ".".join(value.path or ())
        groups_of = None if value.regexp is None else value.regexp.groups
        render = self._render(template)
        asks = "RegexMatch" in template.fields  # as a whole: `if .RegexMatch` has its own say

        def rendered(row: Record) -> str | None:
            found = field(row)
            if found is _MISSING:
                counts.missing[name] += 1
                return None
            match = _NO_MATCH
            try:
                if groups_of is not None:
                    groups = groups_of(found) if found.__class__ is str else None  # decision D12
                    if groups is None and not asks:
                        return None  # decision D13
                    match = StrMap(groups)
                text = render(found, match)
            except (TemplateExecError, RegexpTimeout) as error:  # decision D15
                counts.fail(rule, getattr(error, "cause", "works too long"), str(error))
                return None
            exponent = _exponent(found)
            if exponent is not None and exponent in text:
                remedy = 'write {{ printf "%.0f" .Field }} for plain digits'
                why = "a number prints with an exponent"
                counts.wonder(rule, why, f"{shown(found)} prints as {exponent}: {remedy}")
            return text

        return rendered

    def _render(self, template: Template) -> Callable[[Any, StrMap], str]:
        variables = self._variables
        if variables is None or not any(path[:3] in ("*", "Env") for path in template.fields):
            return template.field_function
        return lambda field, match: template.render(
            {"Field": field, "RegexMatch": match, "Env": variables}
        )


def _always_null(_row: Record) -> None:
    """The field of a template that names none (decision D11)."""


def _getter(path: Path) -> Get:
    """The value at a path, through objects only (decision D4); `_MISSING` when there is none."""
    *parents, last = path

    def get(row: Record) -> Any:
        here: Any = row
        for step in parents:
            here = here.get(step)
            if here.__class__ is not dict:
                return _MISSING
        return here.get(last, _MISSING)

    return get


def _exponent(value: Any) -> str | None:
    """A number as a template prints it, when that is with an exponent (decision D9)."""
    if value.__class__ is not int and value.__class__ is not float:
        return None
    try:
        printed = show(float(value))
    except OverflowError:
        return None
    return printed if "e" in printed else None
