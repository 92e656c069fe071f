"""A run is killed, then run again: all must be as if it had not been.

A kill is at a boundary (`tests.torture_watch`), at one of the calls between two boundaries, or at a
moment of the clock. What must be equal is all that Canopsis stores and all that the ledger says is
owned; and one more run must find nothing to do. A kill that came too late is no kill: it is drawn
again, earlier.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal, cast

import orjson

from referential.history import Run
from tests.torture_bench import Bench
from tests.torture_feed import JOB, UNNAMED, Day, day_after, day_between, first_day, last_day
from tests.torture_fork import Ended, Forks, Order

Scenario = Literal["first load", "delta day", "day of deletions"]
SCENARIOS: tuple[Scenario, ...] = ("first load", "delta day", "day of deletions")
ACTIONS = {
    "first load": {"create"},
    "delta day": {"create", "update", "enable", "disable"},
    "day of deletions": {"create", "update", "delete"},
}
SLOW = {"job_latency": 0.03}  # while a kill at a moment of the clock may find Canopsis at work
PENDING = 0.4  # an import is still to be done when the job runs again
_SHOWN = ("_id", "type", "name", "infos", "impact_level", "enabled", "component", "category")


@dataclass(frozen=True, slots=True)
class Kill:
    """One way to die. `what` is said of it when something is not as it should be."""

    what: str
    boundary: str = ""
    rank: int = 0
    calls: int = 0
    moment: float | None = None

    def earlier(self) -> "Kill":
        """For a run that had ended before."""
        if self.moment is not None:
            return replace(self, moment=self.moment * 0.8)
        return replace(self, rank=self.rank - 1) if self.boundary else self


@dataclass
class Trials:
    """Kills of one day of one feed, each from the same start; `prepare` comes first.

    `pending`: Canopsis begins no import as long as the run to be killed lives.
    """

    bench: Bench
    forks: Forks
    scenario: Scenario
    pending: bool = False
    seen: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    equal: int = 0
    killed: int = 0

    def prepare(self) -> None:
        """Load the days before; then the day itself, undisturbed, for what is to be expected."""
        self._settle_days()
        self.start = self.bench.remember()
        self.bench.feed(self._day())
        ended = self._run(counting=True)
        assert ended.outcome == "done", ended
        self.seen = ended.seen
        planned = self._last_run().counts["plan"]
        lacking = {action for action in ACTIONS[self.scenario] if not planned.get(action)}
        assert not lacking, f"the {self.scenario} does not {lacking}"
        self.expected = (self.bench.settled(), self.bench.owned())
        self.end = self.bench.remember()
        self._go_back()
        self.bench.world.canopsis.knobs.turn(SLOW)
        ended = self._run()
        self.seconds = ended.seconds
        self.bench.world.canopsis.knobs.turn({"job_latency": 0.0})
        assert (self.bench.settled(), self.bench.owned()) == self.expected, "not reproducible"
        assert self._run().outcome == "nothing-to-do"

    def boundaries(self) -> Iterator[Kill]:
        """A kill at every one."""
        met: dict[str, int] = {}
        for name, _ in self.seen:
            met[name] = met.get(name, 0) + 1
            yield Kill(f"{name} #{met[name]}", boundary=name, rank=met[name])

    def moments(self, count: int, seed: int) -> Iterator[Kill]:
        """*count* random kills, half by progress, half by the clock, each in its own part."""
        dice = Random(f"{seed} {self.scenario}")
        by_progress = count // 2
        for part in range(by_progress):
            place = (part + dice.random()) / by_progress * (len(self.seen) - 1)
            rank, within = int(place), place % 1
            (name, low), (_, high) = self.seen[rank], self.seen[rank + 1]
            calls = max(1, low + round(within * (high - low)))
            yield Kill(f"at call {calls}, after {name}, seed {seed}", calls=calls)
        for part in range(count - by_progress):
            moment = (part + dice.random()) / (count - by_progress) * self.seconds
            yield Kill(f"after {1000 * moment:.1f} ms, seed {seed}", moment=moment)

    def all(self, kills: Iterable[Kill], *, changing: bool = False) -> None:
        """Each in turn; *changing*: the CMDB is another one when the job runs again."""
        for kill in kills:
            self._one(kill, changing=changing)

    def _one(self, kill: Kill, *, changing: bool) -> None:
        knobs = self.bench.world.canopsis.knobs
        while True:
            self._go_back()
            knobs.turn(SLOW if kill.moment is not None else {"job_latency": 0.0})
            knobs.turn({"job_latency": PENDING if self.pending else knobs.job_latency})
            ended = self._run(
                boundary=kill.boundary, rank=kill.rank, calls=kill.calls, moment=kill.moment
            )
            if ended.killed:
                break
            sooner = kill.earlier()
            if sooner == kill or (kill.boundary and not sooner.rank):
                self.faults.append(f"{self.scenario}, {kill.what}: it was never reached")
                return
            kill = sooner
        self.killed += 1
        wrong = self._mended(changing=changing)
        if wrong:
            self.faults.append(f"{self.scenario}, killed {kill.what}: {wrong}")
        else:
            self.equal += 1

    def _mended(self, *, changing: bool) -> str:
        """What is not as it should be once the job has run again."""
        held = self.bench.held()
        if changing:
            self.bench.feed(day_after())
        again = self._run()
        if again.code or again.outcome not in ("done", "nothing-to-do"):
            return f"the next run is {again.outcome}: {again.message}"
        if held and self._runs()[1].outcome != "interrupted":
            return f"the killed run {held} is told as {self._runs()[1].outcome}"
        if changing:
            wrong = self._as_fed()
        else:
            wrong = differences((self.bench.settled(), self.bench.owned()), self.expected)
        if wrong:
            return wrong
        self.bench.world.forget_traffic()
        idle = self._run()
        sent = len(self.bench.world.traffic()["imports"])
        if idle.outcome != "nothing-to-do" or sent:
            return f"a third run is not idle but {idle.outcome}, with {sent} imports"
        return ""

    def _as_fed(self) -> str:
        """The CMDB changed meanwhile: what it names is held as it says, all else is off."""
        self.bench.world.canopsis.tick()
        held = self.bench.world.entities()
        shown = {name: {key: each.get(key) for key in _SHOWN} for name, each in held.items()}
        on = {name: each for name, each in shown.items() if each["enabled"] and name != UNNAMED}
        for each in (*on.values(), *self.fed.values()):
            if isinstance(each["category"], dict):
                each["category"] = each["category"]["name"]
        return "" if on == self.fed else _unlike(on, self.fed)

    def expect_change(self) -> None:
        """What Canopsis holds enabled when the changed CMDB is loaded without any accident."""
        self.bench.go_back(self.end)
        self.bench.feed(day_after())
        assert self._run().outcome == "done"
        self.bench.world.canopsis.tick()
        self.fed = {
            name: {key: each.get(key) for key in _SHOWN}
            for name, each in self.bench.world.entities().items()
            if each["enabled"] and name != UNNAMED
        }

    def _settle_days(self) -> None:
        missing = "delete" if self.scenario == "day of deletions" else "disable"
        self.bench.settle(missing=missing)
        if self.scenario == "first load":
            return
        for day in (first_day(), day_between()):
            self.bench.feed(day)
            assert self._run().outcome == "done"
        self.bench.world.canopsis.tick()

    def _day(self) -> Day:
        return first_day() if self.scenario == "first load" else last_day()

    def _go_back(self) -> None:
        self.bench.go_back(self.start)
        self.bench.feed(self._day())

    def _run(
        self,
        *,
        boundary: str = "",
        rank: int = 0,
        calls: int = 0,
        moment: float | None = None,
        counting: bool = False,
    ) -> Ended:
        installation = self.bench.installation
        order = Order(
            config=str(installation.settings_file),
            jobs=str(installation.jobs),
            job=JOB,
            boundary=boundary,
            rank=rank,
            calls=calls,
            moment=moment,
            counting=counting,
        )
        return self.forks.run(order)

    def _runs(self) -> list[Run]:
        return self.bench.installation.runs()

    def _last_run(self) -> Run:
        return self._runs()[0]


State = tuple[bytes, list[tuple[object, ...]]]


def differences(found: State, expected: State) -> str:
    """The first things that are not equal, in words."""
    if found[0] != expected[0]:
        ours, theirs = (_by_name(each[0]) for each in (found, expected))
        return f"Canopsis: {_unlike(ours, theirs)}"
    if found[1] != expected[1]:
        rows, due = ({str(row[0]): row for row in each[1]} for each in (found, expected))
        return f"ledger: {_unlike(rows, due)}"
    return ""


def _by_name(state: bytes) -> dict[str, object]:
    content: dict[str, object] = orjson.loads(state)
    entities = cast("list[dict[str, object]]", content.pop("entities"))
    return {str(each["_id"]): each for each in entities} | content


def _unlike(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    names = sorted({*found, *expected})
    unlike = [name for name in names if found.get(name) != expected.get(name)]
    first = unlike[0]
    return (
        f"{len(unlike)} unlike, the first {first!r} is {found.get(first)},"
        f" expected {expected.get(first)}"
    )
