"""The limits of a job: how much one run may take away or change before someone must look.

A limit is a share of the entities that the feed owns, or a number of entities; a part of the feed
(a dataset, a category) may have its own. Beside them stands what is usual: a run that takes away
ten times as much as the last ones did is odd even where the limits let it pass.
"""

import math
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

_SHARE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?%", re.ASCII)
_LIMIT = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)? ?%\s*$"},
        {"type": "integer", "minimum": 0},
    ]
}
_TIMES = {"anyOf": [{"type": "number", "minimum": 1}, {"type": "string", "enum": ["off"]}]}


def read_limit(value: Any) -> str | int:
    """`"10%"` or a number of entities, in one form; raises ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not 0 <= (share := Decimal(found["number"])) <= 100:
        raise ValueError(
            f"{value!r} is no limit; mend: write a percentage from 0% to 100%, with its sign,"
            " or a whole number of entities"
        )
    return f"{share:f}%"


def read_times(value: Any) -> str | float:
    """`off`, or how many times the usual is too much; raises ValueError for anything else."""
    if value == "off":
        return "off"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and value >= 1:
        return float(value)
    raise ValueError(
        f"{value!r} is no multiple of what is usual; mend: write a number, 1 or more, or `off`"
    )


Limit = Annotated[str | int, BeforeValidator(read_limit), WithJsonSchema(_LIMIT)]
# absent, there is no limit of this part; but written it is one, and `null` is none
OwnLimit = Annotated[str | int | None, BeforeValidator(read_limit), WithJsonSchema(_LIMIT)]
Times = Annotated[str | float, BeforeValidator(read_times), WithJsonSchema(_TIMES)]


class PartLimits(BaseModel):
    """Limits of one dataset or category, beside those of the whole feed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    missing: OwnLimit = Field(
        default=None,
        description="Most entities of this part that one run may disable or delete: a share of"
        " those that the feed owns of it (`5%`) or a number (`50`).",
    )
    changed: OwnLimit = Field(
        default=None,
        description="Most entities of this part that one run may find changed: a share of those"
        " that the feed owns of it (`20%`) or a number (`500`).",
    )

    @model_validator(mode="after")
    def _limits_something(self) -> "PartLimits":
        if self.missing is None and self.changed is None:
            raise ValueError("these limits limit nothing; mend: write `missing` or `changed`")
        return self


class Limits(BaseModel):
    """The `limits:` of a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    missing: Limit = Field(
        default="10%",
        description="Most entities that one run may disable or delete: a share of those that the"
        " feed owns (`10%`) or a number (`50`).",
    )
    changed: Limit = Field(
        default="60%",
        description="Most entities that one run may find changed: a share of those that the feed"
        " owns (`60%`) or a number (`5000`).",
    )
    minimum_population: int = Field(
        default=20,
        ge=1,
        strict=True,
        description="A feed, or a part of it, that owns fewer entities is judged as if it owned"
        " this many.",
    )
    median: Times = Field(
        default=10.0,
        description="Most that one run may remove or change, in times what is usual: the median"
        " of the last ten runs that were done, once there are five. Up to `minimum_population`,"
        " 1 % of the feed removed and 10 % of it changed are never too much. `off`: no such limit.",
    )
    datasets: dict[str, PartLimits] = Field(
        default_factory=dict, description="Limits of single datasets, by name."
    )
    categories: dict[str, PartLimits] = Field(
        default_factory=dict, description="Limits of single categories of entities, by name."
    )
