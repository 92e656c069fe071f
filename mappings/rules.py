"""A mapping after all thinking: what each value is made of, ready to be written as Python.

    Unit (`mappings.unit`, one entity rule) ⊃ Rule (one value) ⊃ origin, translation, cast

Nothing here can be wrong any more, and nothing here knows YAML.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mappings.cast_rule import Step
from mappings.lookups import Translation
from mappings.paths import Path

Cast = Literal[
    "name",
    "resource_name",
    "service_name",
    "text",
    "filled_text",
    "regexp",
    "level",
    "info",
    "words",
    "whole",
    "truth",
    "items",
]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value of the job itself, already cast."""

    value: Any

    @property
    def paths(self) -> tuple[Path, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Copy:
    """The value at a path of the record."""

    path: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)


@dataclass(frozen=True, slots=True)
class Computed:
    """The text that a function makes of values of the record, or None.

    The function is given, by `of`: the record itself, the one value, the one value as a text, or an
    object with every path, where what is missing is null. Unless `tolerant`, it is not asked when
    one of the values is absent. In a block with `each` the item stands for the record.
    """

    function: Callable[..., str | None]
    of: Literal["record", "value", "text", "fields"]
    paths: tuple[Path, ...]
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several values that is there and is not a blank text."""

    origins: tuple[Copy | Computed, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(path for origin in self.origins for path in origin.paths))


Origin = Constant | Copy | Computed | FirstOf


@dataclass(frozen=True, slots=True)
class Rule:
    """One value of an entity.

    `name` is what reports call it (`component.infos.env`). A *hard* rule may refuse the record;
    the others leave their value out. `before` and `after` are the options applied before and after
    the translation.
    """

    name: str
    origin: Origin
    cast: Cast
    translation: Translation | None = None
    default: Any = None
    required: bool = False
    before: Step | None = None
    after: Step | None = None

    @property
    def hard(self) -> bool:
        refuses = self.translation is not None and self.translation.policy == "reject"
        return self.required or refuses or self.cast != "info"


@dataclass(frozen=True, slots=True)
class Info:
    """One key of `infos`."""

    key: str
    description: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a service's pattern; `field_type` is "" where Canopsis wants none."""

    field: str
    field_type: str
    cond: str
    rule: Rule

    @property
    def grows(self) -> bool:
        """Whether its value is a list, of which gathered services hold all words."""
        return self.rule.cast == "words"
