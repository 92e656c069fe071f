"""The guard: what a plan must respect before anything is written.

A share of few is no sign of anything (one of five gone is 20 %), so a population below
`minimum_population` is judged as if it were that large: with 10 % of 20, two of five may go and
three may not. For the same reason what is usual has a floor: where nothing ever goes, ten times
nothing would let nothing go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

import pandas as pd

from referential.change import REMOVED, UNCONFIRMED
from referential.columns import objects
from referential.errors import PlanRefused
from referential.history import Run
from referential.limits import Limits
from referential.plan import Plan

USUAL_OF = 10  # runs whose median is what is usual
_LEAST = 5  # of fewer runs nothing is usual
_FLOOR = {"missing": 100, "changed": 10}  # a hundredth removed, a tenth changed is no sign
_VERBS = {"missing": "are missing", "changed": "changed"}


@dataclass(frozen=True, slots=True)
class Part:
    """What a plan does to one dataset or category (`of`) of the feed; `known` are enabled."""

    of: str
    name: str
    known: int
    removed: int
    changed: int


@dataclass(frozen=True, slots=True)
class Usual:
    """The medians of what the last runs removed and changed; `runs` is their number."""

    removed: float
    changed: float
    runs: int


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that is passed: `count` of `population` entities where `allowed` may.

    `name` is the limit's, `missing` or `changed`; `part` the part of the feed, empty for the whole.
    """

    name: str
    count: int
    population: int
    limit: str | int
    allowed: int
    minimum: int
    part: str = ""

    def __str__(self) -> str:
        share = f" ({100 * self.count / self.population:.1f} %)" if self.population else ""
        limit = f"{self.allowed:,}"
        if isinstance(self.limit, str):
            small = self.population < self.minimum
            of = f" of the minimum population {self.minimum}" if small else ""
            limit = f"{limit} ({self.limit}{of})"
        entities = f"{self.count:,} of {self.population:,} entities"
        part = f"{self.part}: " if self.part else ""
        return f"{part}{entities} {_VERBS[self.name]}{share}, limit {limit}"


@dataclass(frozen=True, slots=True)
class Unusual:
    """A run that removes or changes (`name`) `times` as much as is `usual`, or more."""

    name: str
    count: int
    usual: float
    runs: int
    times: float
    allowed: int

    def __str__(self) -> str:
        return (
            f"{self.count:,} entities {_VERBS[self.name]} where {self.usual:g} is usual (median of"
            f" {self.runs} runs), limit {self.allowed:,} ({self.times:g} times, or what is never"
            " too much)"
        )


@dataclass(frozen=True, slots=True)
class Gauge:
    """A limit beside what was measured; it is passed where `count` is more than `allowed`.

    `name` is `missing` or `changed`, `part` the part of the feed (empty for the whole), `limit` the
    limit in the words of the job.
    """

    name: str
    part: str
    count: int
    population: int
    limit: str
    allowed: int


class LimitsPassed(PlanRefused):
    """The plan passes limits, which someone may accept; `breaches` are all of them."""

    def __init__(
        self, what: str, *, where: str, mend: str, breaches: Sequence[Breach | Unusual] = ()
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.breaches = tuple(breaches)

    @property
    def of_removals_alone(self) -> bool:
        return all(each.name == "missing" for each in self.breaches)


def parts_of(plan: Plan, known: pd.DataFrame, limits: Limits) -> tuple[Part, ...]:
    """What *plan* does to the datasets and categories that have limits of their own.

    An entity is of the dataset and the category that it is known to have.
    """
    if not (limits.datasets or limits.categories):
        return ()
    enabled = known[known["state"] == "enabled"]
    removed = plan.changes[plan.changes["action"].isin(REMOVED)]
    changed = _changed(plan, enabled)
    return tuple(
        Part(of, name, *(int((rows[of] == name).sum()) for rows in (enabled, removed, changed)))
        for of, named in (("dataset", limits.datasets), ("category", limits.categories))
        for name in named
    )


def usual_of(runs: Sequence[Run]) -> Usual | None:
    """What the last runs did, newest first; None when they are too few to tell."""
    plans = [run.counts["plan"] for run in runs[:USUAL_OF] if "plan" in run.counts]
    if len(plans) < _LEAST:
        return None
    return Usual(
        removed=median(sum(plan.get(action, 0) for action in REMOVED) for plan in plans),
        changed=median(plan.get("changed", 0) for plan in plans),
        runs=len(plans),
    )


def breaches(
    plan: Plan,
    *,
    known: int,
    limits: Limits,
    parts: Sequence[Part] = (),
    usual: Usual | None = None,
) -> list[Breach | Unusual]:
    """The limits that *plan* passes; `known` is the number of entities the feed has enabled."""
    measured = _all(plan, known=known, limits=limits, parts=parts, usual=usual)
    return [each for each in measured if each.count > each.allowed]


def gauges(
    plan: Plan,
    *,
    known: int,
    limits: Limits,
    parts: Sequence[Part] = (),
    usual: Usual | None = None,
) -> tuple[Gauge, ...]:
    """All limits of a feed beside what *plan* does, passed or not; arguments as of `breaches`."""
    measured = _all(plan, known=known, limits=limits, parts=parts, usual=usual)
    return tuple(
        Gauge(each.name, each.part, each.count, each.population, str(each.limit), each.allowed)
        if isinstance(each, Breach)
        else Gauge(each.name, "", each.count, known, _times(each), each.allowed)
        for each in measured
    )


def _times(each: Unusual) -> str:
    return f"{each.times:g} times the usual {each.usual:g}, or what is never too much"


def _all(
    plan: Plan, *, known: int, limits: Limits, parts: Sequence[Part], usual: Usual | None
) -> list[Breach | Unusual]:
    """Every limit that applies, as a breach that it may be or not."""
    removed = sum(plan.counts[action] for action in REMOVED)
    changed = plan.counts["changed"]
    found: list[Breach | Unusual] = [
        *_measured("", known, limits, limits, removed=removed, changed=changed)
    ]
    for part in parts:
        own = (limits.datasets if part.of == "dataset" else limits.categories)[part.name]
        counts = {"removed": part.removed, "changed": part.changed}
        found += _measured(f"{part.of} {part.name}", part.known, own, limits, **counts)
    if usual is not None and not isinstance(limits.median, str) and plan.mode != "backfill":
        for name, count, of in (
            ("missing", removed, usual.removed),
            ("changed", changed, usual.changed),
        ):
            never = max(limits.minimum_population, known // _FLOOR[name])
            allowed = max(int(limits.median * of), never)
            found.append(Unusual(name, count, of, usual.runs, limits.median, allowed))
    return found


def judge(
    plan: Plan,
    *,
    found: int,
    known: int,
    limits: Limits,
    emptied: Sequence[str] = (),
    parts: Sequence[Part] = (),
    usual: Usual | None = None,
    allow_missing: bool = False,
    allow_changed: bool = False,
    accept: str = "",
    to: str = "",
) -> None:
    """Raise PlanRefused with every limit that *plan* passes and no option lifts.

    `found` and `known` are the numbers of entities that this run extracted and that the feed has
    enabled; `emptied` are the datasets that own entities and gave none. No option lets an empty
    extraction pass, save in a backfill, whose window may well be empty; nor a removal from a
    dataset that was not read completely. `accept` is the checksum of the one plan that may pass
    all limits: any other plan is refused then, whatever its limits. `to` is the target as the
    command must name it.
    """
    if found == 0 and plan.mode != "backfill":
        raise _outage(plan, f"no entity at all, where {known:,} are known: this is an outage")
    if emptied and plan.mode != "backfill":
        raise _outage(plan, f"no entity for {', '.join(emptied)}, which own some: an outage")
    _removals_are_proven(plan)
    if accept:
        _is_accepted(plan, accept, to)
        return
    lifted = {"missing": allow_missing, "changed": allow_changed}
    measured = breaches(plan, known=known, limits=limits, parts=parts, usual=usual)
    passed = [each for each in measured if not lifted[each.name]]
    if passed:
        options = {f"--allow-{name}" for name, on in lifted.items() if on}
        options |= {f"--allow-{each.name}" for each in passed}
        raise LimitsPassed(
            "; ".join(map(str, passed)),
            where=f"{plan.feed}, plan {plan.checksum}",
            mend=_how_to_pass(plan, to, sorted(options)),
            breaches=passed,
        )


def _how_to_pass(plan: Plan, to: str, options: Sequence[str]) -> str:
    if plan.mode == "backfill":  # its plan is never made again as it is
        return (
            f"nothing was written; if the plan of this run is right, do it again with {options[0]}"
        )
    return (
        "nothing was written; read the plan, and if it is right accept this very one:"
        f" {accepting(plan, to)}; or whatever the plan is by then: {' '.join(options)}"
        " in place of --accept"
    )


def accepting(plan: Plan, to: str = "") -> str:
    """The command that lets exactly *plan* pass; *to* names its target where it has to."""
    full = ["--full"] if plan.mode == "full" else []
    target = ["--to", to] if to else []
    return " ".join(["refsync sync", plan.feed.job, *full, *target, "--accept", plan.checksum])


def _measured(
    part: str,
    known: int,
    own: Limits | object,
    limits: Limits,
    **counts: int,
) -> Iterator[Breach]:
    least = limits.minimum_population
    for name, count in (("missing", counts["removed"]), ("changed", counts["changed"])):
        limit: str | int | None = getattr(own, name)
        if limit is not None:
            allowed = _allowed(limit, max(known, least))
            yield Breach(name, count, known, limit, allowed, least, part)


def _changed(plan: Plan, enabled: pd.DataFrame) -> pd.DataFrame:
    """The known rows whose confirmed fingerprint the plan changes."""
    sent = plan.changes[plan.changes["action"].isin(("update", "prune"))]
    position = pd.Index(enabled["id"]).get_indexer(pd.Index(sent["id"]))
    hit = position >= 0
    before = enabled["fingerprint"].to_numpy()[position[hit]]
    after = sent["fingerprint"].to_numpy()[hit]
    # as an array of one object: numpy would cut the zeros of bare bytes
    differs = (before != after) & (before != objects([UNCONFIRMED]))
    changed: pd.DataFrame = enabled.iloc[position[hit][differs]]
    return changed


def _outage(plan: Plan, what: str) -> PlanRefused:
    return PlanRefused(
        f"the source gave {what}",
        where=str(plan.feed),
        mend="nothing was written, and no option lets this pass; look at what the source"
        " answers, at the job's filters and at the rejects of this run",
    )


def _is_accepted(plan: Plan, accept: str, to: str) -> None:
    """An accepted plan that was carried out meanwhile leaves nothing to accept."""
    if plan.checksum != accept and len(plan):
        raise PlanRefused(
            f"the plan is no longer the one that was accepted: {accept} was, and by now it is"
            f" {plan.checksum}",
            where=str(plan.feed),
            mend="nothing was written; read the plan of this run, and if it is right:"
            f" {accepting(plan, to)}",
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
