"""What Canopsis can do to a run in the middle of its load, and what becomes of it.

python -m tests.torture_faults        prints the table

Each fault strikes once a first import of the day is done. Then it is over, and the job runs again:
Canopsis must hold what it holds when nothing happens, and nothing must have been removed meanwhile.
"""

import contextlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from flows.outcome import EXPECTED, exit_code, outcome_of, told
from sandbox.canopsis import create_app
from sandbox.canopsis_knobs import Fault, JobFault, Knobs
from sandbox.jsonapi import create_app as create_api
from sandbox.serve import serve
from tests.acceptance.world import World
from tests.torture_bench import Bench, Moment, settle
from tests.torture_feed import JOB, first_day, last_day
from tests.torture_gate import Gate

IMPORT, STATUS = "/api/v4/contextgraph-import*", "/api/v4/contextgraph-import-status/*"
IMPORTS = {
    "max_items": 20,
    "pace": {
        "first": 0.01,
        "factor": 1.5,
        "longest": 0.05,
        "deadline": 1.2,
        "deadline_per_entity": 0,
    },
}
SHORT = {"timeout": {"connect": 1, "read": 0.4, "total": 2}}
LOGIN = {"auth": {"type": "login", "username": "loader", "password": "loader"}}
LOADER = {"auth": {"type": "api_key", "key": "loader-key"}}
LONGEST = 12.0  # seconds that a run may last here, whatever befalls it
FAILED = (  # specs/canopsis.md §2.7, dialect D2
    "empty import",
    "cis should be an array",
    (
        "failed to decode cis item: json: cannot unmarshal string into Go struct field"
        " EntityConfiguration.impact_level of type int64"
    ),
    "invalid character 'x' looking for beginning of value",
    "ci = , validation error: type is not valid router",
    "ci = , validation error: service app-1 contains empty pattern",
    "ci = , validation error: resource vol0 contains empty component",
    "ci = , validation error: empty name is not allowed",
    "ci = , validation error: contains entity pattern, but ci is not a service",
    "the action merge is not recognized",
    "failed to delete an entity with _id = srv-004",
    "failed to enable an entity with _id = srv-004",
    "failed to disable an entity service with name = app-1",
    "can't create and delete component simutaneously",
    "can't create and disable component simutaneously",
    "can't create resource for disabled component",
    "failed to find a category with name = Linux: server selection error: connection refused",
    (
        "failed to create a category with name = Linux: connection(mongo:27017[-9]) socket was"
        " unexpectedly closed"
    ),
    (
        "write exception: write errors: [Performing an update on the path '_id' would modify the"
        " immutable field '_id']"
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault. `begin` turns it on, `end` off; `connection` is added to that of Canopsis."""

    name: str
    begin: Callable[["Rig"], None]
    end: Callable[["Rig"], None] = lambda _rig: None
    connection: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the run, and of the entities once the job had run again."""

    fault: str
    attempts: int
    outcome: str
    code: int
    message: str
    again: str
    lost: int
    removed: int
    seconds: float

    @property
    def wrong(self) -> str:
        if self.lost or self.removed or self.again not in ("done", "nothing-to-do"):
            return f"{self.lost} lost, {self.removed} removed, then {self.again}"
        if self.seconds > LONGEST:
            return f"it lasted {self.seconds:.1f} s"
        if self.code and not (self.message and "mend: " in self.message):
            return f"it says nothing that helps: {self.message}"
        return ""

    def told(self) -> str:
        first = self.message.splitlines()[0] if self.message else ""
        first = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", first)
        return first[:110] + ("…" if len(first) > 110 else "")


@dataclass
class Rig:
    """The systems, the day before as it was, and what an undisturbed day leaves."""

    world: World
    gate: Gate
    bench: Bench
    start: Moment
    expected: dict[str, Any] = field(default_factory=dict)

    @property
    def knobs(self) -> Knobs:
        return self.world.canopsis.knobs

    def try_out(self, case: Case) -> Row:
        self._go_back(case.connection)
        before = self._enabled()
        case.begin(self)
        started = time.monotonic()
        outcome, code, message = self._run()
        seconds, attempts = time.monotonic() - started, self._attempts()
        removed = len((before - self._enabled()) & self.expected.keys() - self._off())
        self._quiet()
        case.end(self)
        again, _, said = self._run()
        if again not in ("done", "nothing-to-do"):
            again = f"{again}: {said}"
        held = self._held()
        lost = sum(held.get(name) != each for name, each in self.expected.items())
        return Row(case.name, attempts, outcome, code, message, again, lost, removed, seconds)

    def undisturbed(self) -> None:
        self._go_back({})
        outcome, _, message = self._run()
        assert outcome == "done", message
        self.expected = self._held()

    def _go_back(self, connection: dict[str, Any]) -> None:
        self._quiet()
        self.bench.go_back(self.start)
        installation = self.bench.installation
        settle(installation, self.world, self.bench.ledger_url, IMPORTS, **SHORT | connection)
        self.bench.feed(last_day())
        self.world.forget_traffic()

    def _quiet(self) -> None:
        self.gate.open()
        self.knobs.turn(
            {
                "faults": [],
                "job_faults": [],
                "maintenance": False,
                "token_calls": None,
                "report_retention": 24 * 3600,
            }
        )

    def _run(self) -> tuple[str, int, str]:
        try:
            report = self.bench.installation.sync(JOB)
        except EXPECTED as error:
            return outcome_of(error), exit_code(error), told(error)
        return report.outcome, report.exit_code, report.message

    def _attempts(self) -> int:
        """Of what was struck: calls, or imports where an import itself was."""
        calls = [min(f.seen - f.after, f.times or f.seen) for f in self.knobs.faults]
        struck = sum(max(each, 0) for each in calls) + self.gate.struck
        traffic = self.world.traffic()
        lost = sum(each["status"] != "done" for each in traffic["imports"])
        logins = traffic["requests"].get("POST /api/v4/login", 0)
        tries = struck or lost or max(logins - 1, 0)
        return tries + 1 if self.bench.installation.runs()[0].outcome == "done" else max(tries, 1)

    def _held(self) -> dict[str, Any]:
        """What is ours: not who wrote it, nor which services gathered what is off by now."""
        content = orjson.loads(self.bench.settled())
        held = {each["_id"]: each for each in content["entities"]}
        for each in held.values():
            each.pop("author", None)
            if not each.get("enabled"):
                each.pop("services", None)
        return held

    def _enabled(self) -> set[str]:
        with self.world.canopsis.lock:
            entities = self.world.canopsis.store.entities
            return {name for name, each in entities.items() if each.get("enabled")}

    def _off(self) -> set[str]:
        """What the day itself switches off."""
        return {name for name, each in self.expected.items() if not each.get("enabled")}


@contextlib.contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    target, source = create_app(Knobs(tick=0, event_delay=0)), create_api()
    gate = Gate(target)
    with serve(gate) as canopsis_url, serve(source) as api_url:
        world = World(canopsis_url, api_url, target.state.canopsis, source.state.jsonapi)
        bench = Bench(world, folder)
        bench.settle(imports=IMPORTS)
        bench.feed(first_day())
        assert bench.installation.sync(JOB).outcome == "done"
        made = Rig(world, gate, bench, bench.remember())
        made.undisturbed()
        yield made


def fails(kind: str, times: int | None, **more: Any) -> Callable[[Rig], None]:
    """Calls that queue an import, or others, from the second on."""
    where = {"route": IMPORT, "method": "PUT", "after": 2} | more
    return lambda rig: rig.knobs.turn({"faults": [Fault(kind, times=times, **where)]})  # type: ignore[arg-type]


def jobs(kind: str, times: int | None = 1, **more: Any) -> Callable[[Rig], None]:
    """Imports themselves, from the second on."""

    def begin(rig: Rig) -> None:
        fault = JobFault(kind, times=times, **more)  # type: ignore[arg-type]
        turn = {"job_faults": [fault]}
        rig.gate.strike(
            "call", route=IMPORT, method="PUT", after=2, times=1, act=lambda: rig.knobs.turn(turn)
        )

    return begin


def gate(kind: Any, times: int | None, **where: Any) -> Callable[[Rig], None]:
    place = {"route": IMPORT, "method": "PUT", "after": 2} | where
    return lambda rig: rig.gate.strike(kind, times=times, **place)


def turned(**knobs: Any) -> Callable[[Rig], None]:
    """Knobs that are turned when the second import comes."""
    return lambda rig: rig.gate.strike(
        "call", route=IMPORT, method="PUT", after=2, times=1, act=lambda: rig.knobs.turn(knobs)
    )


def picked_up(rig: Rig) -> None:
    """Whoever left imports alone takes them up."""
    canopsis = rig.world.canopsis
    with canopsis.lock:
        for job in canopsis.jobs._jobs.values():
            job.fault = None
    canopsis.wake()


def taken_for_dead(rig: Rig) -> None:
    rig.world.canopsis.advance(301)
    rig.world.canopsis.tick()


CASES = (
    Case(
        "401: the token expires",
        lambda rig: rig.knobs.turn({"token_calls": 12}),
        connection=LOGIN,
    ),
    Case("401 for good", fails("401", None), connection=LOGIN),
    Case("413, once", gate("413", 1)),
    Case("413 for good", gate("413", None)),
    Case("429 with Retry-After: 1", fails("429", 1, retry_after=1)),
    Case("429 with Retry-After: 1, for good", fails("429", None, retry_after=1)),
    *(
        Case(f"{name}, {often}", fails(kind, times))
        for kind, name in (("500", "500"), ("502", "502 HTML"), ("503", "503"))
        for times, often in ((1, "once"), (None, "for good"))
    ),
    Case("connection reset, import not taken", fails("reset", 1, executed=False)),
    Case("connection reset, import taken", fails("reset", 1, executed=True)),
    Case("connection reset, for good", fails("reset", None, executed=True)),
    Case("hang, import not taken", fails("hang", 1, executed=False, seconds=5)),
    Case("hang, import taken", fails("hang", 1, executed=True, seconds=5)),
    Case("hang, for good", fails("hang", None, executed=True, seconds=5)),
    Case("hang of the status", fails("hang", None, route=STATUS, method="GET", seconds=5)),
    Case("slow drip of the status", gate("drip", None, route=STATUS, method="GET")),
    Case("hang of the bulk call", fails("hang", 1, route="/api/v4/bulk/*", after=1, seconds=5)),
    Case("job never picked up", jobs("never"), picked_up),
    Case("job stuck ongoing", jobs("stuck"), taken_for_dead),
    *(Case(f"job failed: {text}", jobs("fail", info=text)) for text in FAILED),
    Case("job failed half-way", jobs("fail", info="write exception: E11000", applied=3)),
    Case("replica without the file, once", jobs("fail")),
    Case("replica without the file, for good", jobs("fail", None)),
    Case("report expired", turned(report_retention=0.001)),
    Case("maintenance", turned(maintenance=True), connection=LOADER),
    Case("HTML with 200", fails("html", 1)),
    Case("wrong JSON", gate("wrong JSON", 1)),
    Case("wrong JSON of the status", gate("wrong JSON", 1, route=STATUS, method="GET", after=1)),
)


def table(folder: Path) -> list[str]:
    """Try every fault and print what became of it; what is not as it should be."""
    say("| fault | attempts | outcome | exit code | what the run says first | then | lost |")
    say("|---|---|---|---|---|---|---|")
    wrong = []
    with rig(folder) as made:
        for case in CASES:
            row = made.try_out(case)
            say(
                f"| {row.fault} | {row.attempts} | {row.outcome} | {row.code} | {row.told()} "
                f"| {row.again} | {row.lost} |"
            )
            if row.wrong:
                wrong.append(f"{row.fault}: {row.wrong}")
    return wrong


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        problems = table(Path(place))
    for problem in problems:
        say(f"NOT AS IT SHOULD BE: {problem}")
    sys.exit(1 if problems else 0)
