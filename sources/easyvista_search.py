r"""Conditions of a dataset, and the text of `search=` that they become (`specs/easyvista.md` §5).

    {field: STATUS_ID, cond: is_one_of, value: [1, 2]}     STATUS_ID:"1",STATUS_ID:"2"
    {field: ASSET_TAG, cond: begin_with, value: SRV-}      ASSET_TAG~"SRV-*"
    {field: LAST_INTEGRATION, since: 2026-01-01}           LAST_INTEGRATION:(2026-01-01;)

Only what was measured is written. There is no escape for `"`, nor for the signs of LIKE, so values
that hold them are refused; what the server cannot be asked (`not`, empty fields) is for `when` of
the mapping.
"""

from datetime import date
from typing import Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from sources.base import Strict, refusal
from sources.easyvista_moments import NoMoment, Writing, is_day, iso, moment

LONGEST: Final = 1500  # characters: longer ones are refused by servers on the way (414)

_ELSEWHERE: Final = "let `when` of the mapping compare it"
_PATTERNS: Final = {"begin_with": "{}*", "end_with": "*{}", "contain": "*{}*"}

Cond = Literal["eq", "is_one_of", "begin_with", "end_with", "contain", "between"]


class EasyVistaCondition(Strict):
    """One condition; all of a dataset hold."""

    field: str = Field(
        pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)*$",
        description="Field, or dotted path of one of a linked object, such as LOCATION.CITY.",
    )
    cond: Cond = Field("eq", description="How: eq, is_one_of, begin_with, end_with, contain.")
    value: str | int | tuple[str | int, ...] = Field((), description="With what.")
    since: str = Field(
        "", description="`between`: the first day, or moment with its offset, that is wanted."
    )
    until: str = Field(
        "", description="`between`: the first day, or moment, that is wanted no more."
    )

    @field_validator("value", mode="before")
    @classmethod
    def _values(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("since", "until", mode="before")
    @classmethod
    def _text(cls, bound: Any) -> Any:
        return bound.isoformat() if isinstance(bound, date) else bound

    @field_validator("since", "until")
    @classmethod
    def _bound(cls, bound: str) -> str:
        if not bound or is_day(bound):
            return bound
        try:
            return iso(moment(bound, Writing()))
        except NoMoment:
            raise ValueError(
                f"{bound!r} is read in no certain way; mend: write a day, 2026-01-31, or a moment "
                "with its offset, 2026-01-31T08:00:00+01:00"
            ) from None

    @model_validator(mode="before")
    @classmethod
    def _between(cls, block: Any) -> Any:
        if isinstance(block, dict) and "cond" not in block and {"since", "until"} & block.keys():
            return {**block, "cond": "between"}
        return block

    @model_validator(mode="after")
    def _sound(self) -> Self:
        dated = bool(self.since or self.until)
        if dated != (self.cond == "between"):
            raise ValueError("`since` and `until` go with `between`; mend: write one of them there")
        if dated == bool(self.values):
            raise ValueError(f"{self.cond!r} is compared with nothing; mend: write its `value`")
        if self.cond != "is_one_of" and len(self.values) > 1:
            what = f"{self.cond} takes one value"
            raise refusal(what, "write one, or `cond: is_one_of`", "value")
        given = self.value if isinstance(self.value, tuple) else (self.value,)
        for rank, value in enumerate(given):
            spot = ("value", rank) if isinstance(self.value, tuple) else ("value",)
            _check(str(value), *spot, pattern=self.cond in _PATTERNS)
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """The values as texts, each once."""
        given = self.value if isinstance(self.value, tuple) else (self.value,)
        return tuple(dict.fromkeys(map(str, given)))

    @property
    def path(self) -> tuple[str, ...]:
        """Where a record has it: keys of answers are in capitals."""
        return tuple(self.field.upper().split("."))

    @property
    def search(self) -> str:
        """The condition as EasyVista reads it."""
        return ",".join(self.alternatives)

    @property
    def alternatives(self) -> tuple[str, ...]:
        """One text a value: of a field that is repeated any may hold, since 2018.1.183."""
        if self.cond == "between":
            return (f"{self.field}:({self.since};{self.until})",)
        if pattern := _PATTERNS.get(self.cond):
            return tuple(f'{self.field}~"{pattern.format(value)}"' for value in self.values)
        return tuple(f'{self.field}:"{value}"' for value in self.values)

    def __str__(self) -> str:
        return self.search


def _check(value: str, *spot: str | int, pattern: bool) -> None:
    """Raises what refuses a value, found at *spot*, that would mean something else than itself."""
    if '"' in value or not value.strip() or not value.isprintable():
        what = "there is no escape for a quote, and nothing is not a value"
        raise refusal(f"{value!r} cannot be searched: {what}", _ELSEWHERE, *spot)
    signs = sorted({"_", "[", "*", "%"} & set(value)) if pattern else []
    if signs:
        what = f"{value!r} holds {' '.join(signs)}, which stands for any character there"
        raise refusal(what, _ELSEWHERE, *spot)
