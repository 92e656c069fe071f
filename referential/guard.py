"""The guard: the limits that a plan must respect before anything is written.

A limit is a share of the entities that the feed owns, or a number of entities. A share of few is no
sign of anything (one of five gone is 20 %), so a population below `minimum_population` is judged
as if it were that large: with 10 % of 20, two of five may go and three may not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from referential.change import REMOVED
from referential.errors import PlanRefused
from referential.plan import Plan

_SHARE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?%", re.ASCII)
_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)? ?%\s*$"},
        {"type": "integer", "minimum": 0},
    ]
}


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


Limit = Annotated[str | int, BeforeValidator(read_limit), WithJsonSchema(_SCHEMA)]


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
        description="A feed that owns fewer entities is judged as if it owned this many.",
    )


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that is passed: `count` of `population` entities where `allowed` may."""

    name: str
    count: int
    population: int
    limit: str | int
    allowed: int
    minimum: int

    def __str__(self) -> str:
        verb = "are missing" if self.name == "missing" else "changed"
        share = f" ({100 * self.count / self.population:.1f} %)" if self.population else ""
        limit = f"{self.allowed:,}"
        if isinstance(self.limit, str):
            small = self.population < self.minimum
            of = f" of the minimum population {self.minimum}" if small else ""
            limit = f"{limit} ({self.limit}{of})"
        return f"{self.count:,} of {self.population:,} entities {verb}{share}, limit {limit}"


def breaches(plan: Plan, *, known: int, limits: Limits) -> list[Breach]:
    """The limits that *plan* passes; `known` is the number of entities the feed has enabled."""
    least = limits.minimum_population
    removed = sum(plan.counts[action] for action in REMOVED)
    measured = (
        ("missing", removed, limits.missing),
        ("changed", plan.counts["changed"], limits.changed),
    )
    return [
        Breach(name, count, known, limit, allowed, least)
        for name, count, limit in measured
        if count > (allowed := _allowed(limit, max(known, least)))
    ]


def judge(
    plan: Plan,
    *,
    found: int,
    known: int,
    limits: Limits,
    emptied: Sequence[str] = (),
    allow_missing: bool = False,
    allow_changed: bool = False,
) -> None:
    """Raise PlanRefused with every limit that *plan* passes and no option lifts.

    `found` and `known` are the numbers of entities that this run extracted and that the feed has
    enabled; `emptied` are the datasets that own entities and gave none. No option lets an empty
    extraction pass, save in a backfill, whose window may well be empty; nor a removal from a
    dataset that was not read completely.
    """
    if found == 0 and plan.mode != "backfill":
        raise PlanRefused(
            f"the source gave no entity at all, where {known:,} are known: this is an outage",
            where=str(plan.feed),
            mend="nothing was written, and no option lets this pass; look at what the source"
            " answers, at the job's filters and at the rejects of this run",
        )
    if emptied and plan.mode != "backfill":
        raise PlanRefused(
            f"the source gave no entity for {', '.join(emptied)}, which own some: an outage",
            where=str(plan.feed),
            mend="nothing was written, and no option lets this pass; look at what the source"
            " answers, at the job's filters and at the rejects of this run",
        )
    _removals_are_proven(plan)
    lifted = {"missing": allow_missing, "changed": allow_changed}
    passed = [each for each in breaches(plan, known=known, limits=limits) if not lifted[each.name]]
    if passed:
        options = [f"--allow-{name}" for name, on in lifted.items() if on]
        options += [f"--allow-{each.name}" for each in passed]
        full = ["--full"] if plan.mode == "full" else []
        command = " ".join(["refsync sync", plan.feed.job, *full, *sorted(options)])
        raise PlanRefused(
            "; ".join(map(str, passed)),
            where=f"{plan.feed}, plan {plan.checksum}",
            mend="nothing was written; read the plan, and if it is right let it pass once:"
            f" {command}",
        )


def _removals_are_proven(plan: Plan) -> None:
    """Never true of a plan that `make_plan` made; a plan may come from a file."""
    if plan.complete is True:
        return
    complete = plan.complete or frozenset()
    removals = plan.changes[plan.changes["action"].isin(REMOVED)]
    unproven = sorted(set(removals["dataset"]) - set(complete))
    if unproven:
        raise PlanRefused(
            f"the plan removes entities of {', '.join(unproven)}, not read completely",
            where=f"{plan.feed}, plan {plan.checksum}",
            mend="make the plan again",
        )


def _allowed(limit: str | int, population: int) -> int:
    if isinstance(limit, int):
        return limit
    return int(Decimal(limit.rstrip("%")) * population / 100)
