"""Tables that translate values, and what happens to a value that a table does not know.

A row is *dead* while no record has asked for it. To notice without paying for it at each record,
the generated code asks `Translation.hot`, which holds the rows that its rule has met, and calls
`Translation.meet` for the rest: once a row, and at each unknown value.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.casts import shown, text
from mappings.distinct import Distinct
from mappings.rejects import Refusal
from mappings.value_rule import UnknownPolicy

ARRAY = object()  # the key of an array, whose items are translated one by one

Met = list[Any]  # [a key that was looked up, the record that did it]


class Lookup:
    """One table: `rows` by the text of their key; a null row gives no value, on purpose.

    `many`: a row is an array.
    """

    def __init__(self, name: str, rows: dict[str, Any], *, many: bool = False) -> None:
        self.name = name
        self.rows = rows
        self.many = many
        self._met: list[dict[str, Any]] = []

    def use(self) -> dict[str, Any]:
        """The rows that one more rule has met: none to begin with."""
        self._met.append({})
        return self._met[-1]

    @property
    def dead(self) -> tuple[str, ...]:
        """The keys that no record has asked for, in the order of the table."""
        return tuple(key for key in self.rows if not any(key in met for met in self._met))

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
    hot: dict[str, Any] = field(init=False)
    tried: list[Met] | None = field(default=None, init=False)
    _unknown: Distinct = field(default_factory=Distinct, init=False)

    def __post_init__(self) -> None:
        self.hot = self.lookup.use()

    def meet(self, key: Any, value: Any, number: int) -> Any:
        """The translation of a key not met so far: *value* is what it is the text of.

        None when there is none; raises Refusal under the policy `reject`. With `tried` the keys
        are listed there, and nothing else is remembered of them.
        """
        if key is ARRAY:
            return list(self._words(value, number)) or None
        if self.tried is not None:
            self.tried.append([key, number])
        else:
            self.note(key, number)
        if key in self.lookup.rows:
            return self.lookup.rows[key]
        if self.policy == "reject":
            raise Refusal("unknown value", self.lookup.unknown(key))
        return value if self.policy == "keep" else None

    def note(self, key: str, number: int) -> None:
        """Remembers that a record looked a key up."""
        if key in self.lookup.rows:
            self.hot.setdefault(key, self.lookup.rows[key])
        else:
            self._unknown.add(key, number)

    @property
    def unknown(self) -> list[Unknown]:
        """The values that the lookup does not know, in the order in which they came.

        Those that are too many to be kept apart are one, the last.
        """
        rule, name = self.rule, self.lookup.name
        count, number = self._unknown.others
        rest = [Unknown(rule, name, "…", count, number)] if count else []
        kept = (Unknown(rule, name, *each) for each in self._unknown.kept)
        return [*kept, *rest]

    def learned(self) -> list[Any]:
        """The keys that were met and the values that are not known, as JSON.

        Of a dataset every row is known to be asked for.
        """
        met = [] if self.hot is self.lookup.rows else list(self.hot)
        return [met, self._unknown.learned()]

    def absorb(self, learned: list[Any], before: int) -> None:
        """Takes what another one learned of later records, *before* which there were so many."""
        met, unknown = learned
        for key in met:
            self.note(key, 0)
        self._unknown.absorb(unknown, before)

    def _words(self, values: Iterable[Any], number: int) -> Iterator[str]:
        """The translations of the items of an array, as texts; an item may have none, or many."""
        for value in values:
            key = text(value)
            found = None if key is None else self.meet(key, value, number)
            for each in found if isinstance(found, list) else (found,):
                word = text(each)
                if word is not None:
                    yield word


def key_of(value: Any) -> Any:
    """What a value is looked up by: its text, ARRAY, None for null; raises Refusal."""
    return ARRAY if value.__class__ is list else text(value)
