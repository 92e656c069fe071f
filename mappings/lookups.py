"""Tables that translate values, and what happens to a value that a table does not know.

A row is *dead* while no record has asked for it. To notice without paying for it at each record,
the generated code asks `Lookup.hot`, which holds the rows already met, and calls
`Translation.meet` for the rest: once a row, and once per unknown value.
"""

from dataclasses import dataclass, field
from typing import Any

from mappings.casts import shown, text
from mappings.rejects import Refusal
from mappings.value_rule import UnknownPolicy

_DISTINCT = 1_000  # unknown values kept apart by rule; the others are counted together


class Lookup:
    """One table: `rows` by the text of their key; a null row gives no value, on purpose."""

    def __init__(self, name: str, rows: dict[str, Any]) -> None:
        self.name = name
        self.rows = rows
        self.hot: dict[str, Any] = {}

    @property
    def dead(self) -> tuple[str, ...]:
        """The keys that no record has asked for, in the order of the table."""
        return tuple(key for key in self.rows if key not in self.hot)


@dataclass(slots=True)
class Unknown:
    """A value that a lookup does not know: how often, and the first record that has it."""

    rule: str
    lookup: str
    value: str
    count: int
    number: int


@dataclass(slots=True)
class Translation:
    """The use that one rule makes of a lookup; `many`: of each item of what it found."""

    rule: str
    lookup: Lookup
    policy: UnknownPolicy
    many: bool = False
    unknown: dict[str, Unknown] = field(default_factory=dict)

    def meet(self, key: str, value: Any, number: int) -> Any:
        """The translation of a key not met so far: *value* is what it is the text of.

        None when there is none; raises Refusal under the policy `reject`.
        """
        if key in self.lookup.rows:
            return self.lookup.hot.setdefault(key, self.lookup.rows[key])
        self._count(key, number)
        if self.policy == "reject":
            raise Refusal(
                "unknown value",
                f"{shown(key)} is not in lookup {self.lookup.name!r}: "
                "add a row, or say unknown: warn, keep or default",
            )
        return value if self.policy == "keep" else None

    def meet_all(self, values: list[Any], number: int) -> list[Any] | None:
        """The translations of the items of an array, those that have none left out."""
        keys = [(key, value) for value in values if (key := text(value)) is not None]
        found = [self.meet(key, value, number) for key, value in keys]
        return [each for each in found if each is not None] or None

    def _count(self, key: str, number: int) -> None:
        seen = self.unknown.get(key)
        if seen is None:
            if len(self.unknown) >= _DISTINCT:
                key = "…"
            seen = self.unknown.setdefault(
                key, Unknown(self.rule, self.lookup.name, key, 0, number)
            )
        seen.count += 1
