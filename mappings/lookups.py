"""Tables that translate values, and what happens to a value that a table does not know.

A row is *dead* while no record has asked for it. To notice without paying for it at each record,
the generated code asks `Lookup.hot`, which holds the rows already met, and calls
`Translation.meet` for the rest: once a row, and once per unknown value.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.casts import shown, text
from mappings.rejects import Refusal
from mappings.value_rule import UnknownPolicy

ARRAY = object()  # the key of an array, whose items are translated one by one

_DISTINCT = 1_000  # unknown values kept apart by rule; the others are counted together


class Lookup:
    """One table: `rows` by the text of their key; a null row gives no value, on purpose.

    `many`: a row is an array.
    """

    def __init__(self, name: str, rows: dict[str, Any], *, many: bool = False) -> None:
        self.name = name
        self.rows = rows
        self.many = many
        self.hot: dict[str, Any] = {}

    @property
    def dead(self) -> tuple[str, ...]:
        """The keys that no record has asked for, in the order of the table."""
        return tuple(key for key in self.rows if key not in self.hot)

    def unknown(self, key: str) -> str:
        """Why there is no row for *key*, and the mend."""
        what = f"{shown(key)} is not in lookup {self.name!r}"
        return f"{what}: add a row, or say unknown: warn, keep or default"


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
    """The use that one rule makes of a lookup."""

    rule: str
    lookup: Lookup
    policy: UnknownPolicy
    unknown: dict[str, Unknown] = field(default_factory=dict)

    def meet(self, key: Any, value: Any, number: int) -> Any:
        """The translation of a key not met so far: *value* is what it is the text of.

        None when there is none; raises Refusal under the policy `reject`.
        """
        if key is ARRAY:
            return list(self._words(value, number)) or None
        if key in self.lookup.rows:
            return self.lookup.hot.setdefault(key, self.lookup.rows[key])
        self._count(key, number)
        if self.policy == "reject":
            raise Refusal("unknown value", self.lookup.unknown(key))
        return value if self.policy == "keep" else None

    def _words(self, values: Iterable[Any], number: int) -> Iterator[str]:
        """The translations of the items of an array, as texts; an item may have none, or many."""
        for value in values:
            key = text(value)
            found = None if key is None else self.meet(key, value, number)
            for each in found if isinstance(found, list) else (found,):
                word = text(each)
                if word is not None:
                    yield word

    def _count(self, key: str, number: int) -> None:
        seen = self.unknown.get(key)
        if seen is None:
            if len(self.unknown) >= _DISTINCT:
                key = "…"
            seen = self.unknown.setdefault(
                key, Unknown(self.rule, self.lookup.name, key, 0, number)
            )
        seen.count += 1


def key_of(value: Any) -> Any:
    """What a value is looked up by: its text, ARRAY, None for null; raises Refusal."""
    return ARRAY if value.__class__ is list else text(value)
