"""The sync, proven by a state machine: whatever happens at the source and to the runs.

Random changes at the source, imports that fail, tear or are lost with the run that sent them,
partial extractions, infos that come and go beside those of others and of another feed, grace for
what is missing, hands that switch off, then: a run that nothing disturbs reaches the state of the
source, a second plan is empty, and nothing foreign was ever touched.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from referential.change import UNCONFIRMED, Change, Delete, Disable, Prune, Sent, Update
from referential.entity import joined_keys, split_keys
from referential.errors import PlanRefused
from referential.feed import Feed
from referential.guard import judge
from referential.ledger import Ledger
from referential.limits import Limits
from referential.plan import Mode, Plan, make_plan
from tests.referential.frames import digest, found_of, group_of
from tests.referential.model import Held, ImportRefused, Item, Referential

FEED = Feed("acme/all", "prod")
OTHER = Feed("acme/sites", "prod")
OURS, THEIRS = "acme", "others"
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
DATASETS = {"component": "servers", "resource": "disks", "service": "links"}
KINDS = {
    "c0": "component",
    "r0/c0": "resource",
    "r1/c0": "resource",
    "c1": "component",
    "r0/theirs": "resource",
    "s0": "service",
}
MOVES = [("c0", "r0/c0", "r1/c0"), ("r0/c0", "r1/c0"), *((name,) for name in KINDS)]
FOREIGN = {
    "theirs": Held("component", "theirs", "kept", by=THEIRS),
    "x/theirs": Held("resource", "theirs", "kept", by=THEIRS),
    "idle": Held("component", "idle", "kept", enabled=False, by=THEIRS),
}
BATCH = 2
KEYS = {
    "v1": frozenset({"env", "site"}),
    "v2": frozenset({"env"}),
}
SHARED = frozenset({"site"})  # the other feed of this Canopsis gives it too

COLUMNS = ("ids", "kinds", "groups", "datasets", "categories", "infos")

Fault = Literal["none", "unsent", "queued", "unrecorded", "torn", "failed"]
faults = st.lists(
    st.sampled_from(["none", "unsent", "queued", "unrecorded", "torn", "failed"]), max_size=3
)
moves = st.lists(st.sampled_from(MOVES), max_size=2)
sets_of_names = st.sets(st.sampled_from(sorted(KINDS)), max_size=2)
modes = st.sampled_from(["sync", "sync", "full"])
policies = st.sampled_from(["disable", "delete"])


class Killed(BaseException):
    """The process of a run is gone."""


class Sync(RuleBasedStateMachine):
    @initialize(loaded=st.booleans())
    def begin(self, *, loaded: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="refsync-machine-"))
        self.ledger = Ledger.open(f"sqlite:///{self.folder / 'ledger.db'}")
        self.canopsis = Referential()
        self.canopsis.entities.update(FOREIGN)
        self.source = dict.fromkeys(KINDS, "v1")
        self.said = dict(self.source)
        self.manual: set[str] = set()
        self.absences = dict.fromkeys(KINDS, 0)
        if loaded:
            self.settle("disable")

    # --- what happens at the source, between two runs

    @rule(moved=moves, changed=sets_of_names)
    def change(self, moved: list[tuple[str, ...]], changed: set[str]) -> None:
        """Entities come or go, others change."""
        for together in moved:
            coming = together[0] not in self.source
            for name in together:
                self.source.pop(name, None)
            self.source.update(dict.fromkeys(together if coming else (), "v1"))
        for name in sorted(changed & self.source.keys()):
            self.source[name] = "v2" if self.source[name] == "v1" else "v1"

    @rule()
    def undo(self) -> None:
        """The source says again what the last undisturbed run read."""
        self.source = dict(self.said)

    # --- what others do in Canopsis

    @rule(name=st.sampled_from(sorted(KINDS)), keys=st.sampled_from([{"owner"}, SHARED]))
    def others_write(self, name: str, keys: frozenset[str]) -> None:
        """Somebody writes an info of their own, or the other feed loads its own."""
        if self.canopsis.alive(name) is None:
            return
        self.canopsis.write(name, frozenset(keys))
        if keys == SHARED:
            run = self.ledger.start_run(OTHER, "sync", START)
            known = {**{key: [""] for key in COLUMNS}, "ids": [name], "infos": ["site"]}
            self.ledger.record(OTHER, run, **known, fingerprints=[digest("site")])
            self.ledger.finish_run(run, "done", START)

    @rule(name=st.sampled_from(["s0", "r1/c0"]))
    def somebody_switches_off(self, name: str) -> None:
        if self.canopsis.alive(name) is not None:
            self.canopsis.switch([name], enabled=False)
            self.manual.add(name)

    # --- what happens to a run

    @rule(
        moved=moves,
        changed=sets_of_names,
        faults=faults,
        mode=modes,
        missing=policies,
        allowed=st.sampled_from([True, True, True, False]),
        grace=st.sampled_from([1, 1, 3]),
    )
    def change_and_run(
        self,
        moved: list[tuple[str, ...]],
        changed: set[str],
        faults: list[Fault],
        mode: Mode,
        missing: Any,
        *,
        allowed: bool,
        grace: int = 1,
    ) -> None:
        self.change(moved, changed)
        options = {"mode": mode, "missing": missing, "missing_after": grace}
        self.sync(self.source, faults, allowed=allowed, **options)

    @precondition(lambda self: self.source)
    @rule(data=st.data(), missing=policies)
    def run_that_reads_a_dataset_in_part(self, data: st.DataObject, missing: Any) -> None:
        lost = data.draw(st.sets(st.sampled_from(sorted(self.source)), min_size=1))
        read = {name: content for name, content in self.source.items() if name not in lost}
        partial = {DATASETS[KINDS[name]] for name in lost}
        complete = set(DATASETS.values()) - partial
        before = dict(self.canopsis.entities)

        self.sync(read, [], missing=missing, complete=complete)

        for name in lost:
            if name in before and before[name].enabled:
                assert self.canopsis.entities[name].enabled, f"{name} was only unread"

    @rule(missing=policies)
    def settle(self, missing: Any) -> None:
        """A run that nothing disturbs."""
        self.canopsis.work()
        with self.ledger.lock(FEED, self.ledger.start_run(FEED, "sync", START)):
            sure = self.ledger.confirmed(FEED, sorted(self.manual))
        held = self.canopsis.entities
        stay = {name for name in sure if not held[name].enabled and not held[name].deleted}
        self.sync(self.source, [], missing=missing)
        self.canopsis.work()
        if not self.source:
            return
        self.said = dict(self.source)
        self.the_referential_says_what_the_source_says(stay)
        assert len(self.plan(self.source, missing=missing)) == 0

    @invariant()
    def nothing_foreign_is_touched(self) -> None:
        if hasattr(self, "canopsis"):
            held = self.canopsis.entities
            assert {name: held.get(name) for name in FOREIGN} == FOREIGN

    def teardown(self) -> None:
        if hasattr(self, "canopsis"):
            try:
                self.settle("disable")
                self.nothing_foreign_is_touched()
            finally:
                self.ledger.close()
                shutil.rmtree(self.folder)

    def the_referential_says_what_the_source_says(self, stay: set[str]) -> None:
        for name, content in self.source.items():
            held = self.canopsis.entities[name]
            assert held == Held(
                KINDS[name],
                group_of(name, KINDS[name]),
                content,
                by=OURS,
                enabled=name not in stay,
                infos=KEYS[content] | held.foreign,
                foreign=held.foreign,
            )
        housing = {group_of(name, KINDS[name]) for name in self.source if "/" in name}
        for name, held in self.canopsis.entities.items():
            if held.by == OURS and name not in self.source and name not in self.manual:
                assert held.enabled == (name in housing and not held.deleted), name

    # --- the road of a run, as the stages walk it

    def plan(self, read: dict[str, str], **options: Any) -> Plan:
        rows = [(name, KINDS[name], DATASETS[KINDS[name]], read[name]) for name in read]
        defaults: dict[str, Any] = {"mode": "sync", "missing": "disable", "complete": True}
        known = self.ledger.known(FEED)
        found = found_of(*rows)
        keys = [joined_keys(tuple(KEYS[read[name]])) for name in found["id"]]
        found["infos"] = pd.Series(keys, index=found.index, dtype=object)
        return make_plan(found, known, feed=FEED, **(defaults | options))

    def sync(
        self, read: dict[str, str], faults: list[Fault], *, allowed: bool = True, **options: Any
    ) -> None:
        run = self.ledger.start_run(FEED, options.get("mode", "sync"), START)
        outcome: Any = "interrupted"
        seen: dict[str, Any] = {}
        try:
            with self.ledger.lock(FEED, run):
                plan = self.plan(read, **options)
                self.nothing_goes_before_its_grace_is_over(plan, options.get("missing_after", 1))
                before = dict(self.canopsis.entities)
                try:
                    self.guard(plan, len(read), allowed=allowed)
                except PlanRefused:
                    outcome = "refused"
                    assert self.canopsis.entities == before
                    return
                Load(self.ledger, self.canopsis, run, plan, read, iter(faults)).carry_out()
                outcome = "done"
                seen = {"absent": plan.absent, "back": plan.back}
                self.count_absences(read, options.get("complete", True))
        except Killed:
            pass
        finally:
            for _ in range(2):  # its end may be told twice
                self.ledger.finish_run(run, outcome, START, **seen)

    def count_absences(self, read: dict[str, str], complete: Any) -> None:
        for name, kind in KINDS.items():
            if name in read:
                self.absences[name] = 0
            elif complete is True or DATASETS[kind] in complete:
                self.absences[name] += 1

    def nothing_goes_before_its_grace_is_over(self, plan: Plan, grace: int) -> None:
        for each in plan.iter_changes():
            if isinstance(each, Disable | Delete):
                assert self.absences[each.id] + 1 >= grace, f"{each.id} has grace"

    def guard(self, plan: Plan, found: int, *, allowed: bool) -> None:
        known = int((self.ledger.known(FEED)["state"] == "enabled").sum())
        judge(
            plan,
            found=found,
            known=known,
            limits=Limits(),
            allow_missing=allowed,
            allow_changed=allowed,
        )


@dataclass
class Load:
    """A plan carried out; each import meets the next fault."""

    ledger: Ledger
    canopsis: Referential
    run: str
    plan: Plan
    read: dict[str, str]
    faults: Iterator[Fault]

    def carry_out(self) -> None:
        changes = list(self.plan.iter_changes())
        sent = [each for each in changes if isinstance(each, Sent)]
        held = self.canopsis.entities
        off = self.ledger.confirmed(FEED, [name for name in held if not held[name].enabled])
        self.switch([each for each in sent if not each.size], enabled=True)
        self.prune([each for each in sent if each.stale])
        for batch in batches(sorted((e for e in sent if e.size), key=lambda e: (e.group, e.kind))):
            items = [self.item(e, off) for e in batch]
            if self.send(batch, items):
                self.record(batch)
        self.canopsis.work()  # what a dead run left in the queue must not come after a removal
        self.switch([each for each in changes if isinstance(each, Disable)], enabled=False)
        self.delete([each for each in changes if isinstance(each, Delete)])

    def item(self, change: Sent, off: set[str]) -> Item:
        content = self.read[change.id]
        stays_off = change.id in off and isinstance(change, Update | Prune)
        return Item(
            "set",
            change.id,
            change.kind,
            change.group,
            content,
            infos=KEYS[content],
            enabled=not stays_off,
        )

    def prune(self, changes: list[Sent]) -> None:
        """As `referential.prune` does: doubted first, then written one by one."""
        if not changes:
            return
        doubted = columns(list(changes))
        doubted["infos"] = [joined_keys(tuple(lines(e.infos) | lines(e.stale))) for e in changes]
        fingerprints = [UNCONFIRMED] * len(changes)
        self.ledger.record(FEED, self.run, **doubted, fingerprints=fingerprints)
        others = self.ledger.owned_elsewhere(FEED, doubted["ids"])
        for each in changes:
            fault = next(self.faults, "none")
            if fault == "unsent":
                raise Killed
            kept = others[each.id].infos if each.id in others else frozenset()
            self.canopsis.prune(each.id, lines(each.stale) - kept)
            if fault not in ("none", "failed", "torn"):
                raise Killed

    def send(self, batch: list[Change], items: list[Item]) -> bool:
        """Whether Canopsis has done the import; raises Killed where the run ends."""
        fault = next(self.faults, "none")
        self.number = self.begin(batch)
        if fault == "unsent":
            raise Killed
        if fault == "failed":
            self.ledger.import_ended(self.number, "failed")
            return False
        try:
            if fault == "torn":
                self.canopsis.tear(OURS, items)
                return False  # not settled: half of it stands
            self.canopsis.send(OURS, items)
            if fault == "queued":
                raise Killed
            self.canopsis.work()
        except ImportRefused:
            self.ledger.import_ended(self.number, "failed")
            return False
        if fault == "unrecorded":
            raise Killed
        return True

    def record(self, batch: list[Change]) -> None:
        self.ledger.record(
            FEED,
            self.run,
            **columns(batch),
            fingerprints=[each.fingerprint for each in batch],
            settles=self.number,
        )

    def switch(self, changes: list[Any], *, enabled: bool) -> None:
        if not changes:
            return
        # all of them at once: a component takes along resources that a later call is to switch
        number = self.begin(changes)
        for batch in batches(changes):
            fault = next(self.faults, "none")
            if fault == "unsent":
                raise Killed
            outcomes = self.canopsis.switch([each.id for each in batch], enabled=enabled)
            if fault not in ("none", "failed", "torn"):
                raise Killed
            self.ledger.forget(FEED, [name for name, there in outcomes.items() if not there])
            there = [name for name, there in outcomes.items() if there]
            self.ledger.set_state(FEED, self.run, there, "enabled" if enabled else "disabled")
        self.ledger.import_ended(number, "done")

    def delete(self, changes: list[Any]) -> None:
        there = [each for each in changes if self.canopsis.alive(each.id)]
        self.ledger.forget(FEED, [each.id for each in changes if each not in there])
        for batch in batches(sorted(there, key=lambda e: (e.group, e.kind == "component"))):
            items = [Item("delete", e.id, e.kind, e.group) for e in batch]
            if self.send(batch, items):
                self.ledger.forget(FEED, [each.id for each in batch], settles=self.number)

    def begin(self, batch: list[Change]) -> int:
        return self.ledger.import_begins(FEED, self.run, **columns(batch))


def lines(text: str) -> frozenset[str]:
    return frozenset(split_keys(text))


def columns(batch: list[Change]) -> dict[str, Any]:
    return {
        "ids": [each.id for each in batch],
        "kinds": [each.kind for each in batch],
        "groups": [each.group for each in batch],
        "datasets": [each.dataset for each in batch],
        "categories": [each.category for each in batch],
        "infos": [each.infos for each in batch],
    }


def batches(changes: list[Any]) -> Iterator[list[Any]]:
    rest = iter(changes)
    while batch := list(islice(rest, BATCH)):
        yield batch


Sync.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestTheSyncReachesTheSourceWhateverHappens = Sync.TestCase


@pytest.fixture
def machine() -> Iterator[Sync]:
    """A machine whose first load is done; it settles at the end, as all machines do."""
    machine = Sync()
    machine.begin(loaded=True)
    yield machine
    machine.teardown()


SERVER = ("c0", "r0/c0", "r1/c0")


def test_a_disk_that_comes_back_without_its_server_brings_it_back(machine: Sync) -> None:
    machine.change([SERVER], set())
    machine.settle("disable")
    assert not machine.canopsis.entities["c0"].enabled

    machine.change([("r0/c0",)], set())
    machine.settle("disable")

    assert machine.canopsis.entities["c0"].enabled


@pytest.mark.parametrize("fault", ["unsent", "queued", "unrecorded", "torn"])
@pytest.mark.parametrize("missing", ["disable", "delete"])
def test_what_a_lost_import_may_have_done_is_undone_when_the_source_goes_back(
    machine: Sync, fault: Fault, missing: Any
) -> None:
    machine.change_and_run([], {"c0", "s0"}, [fault], "sync", missing, allowed=True)
    machine.undo()

    machine.settle(missing)


@pytest.mark.parametrize("fault", ["unsent", "queued", "unrecorded"])
def test_what_a_lost_import_may_have_made_is_removed_when_the_source_drops_it(
    machine: Sync, fault: Fault
) -> None:
    machine.change([SERVER], set())
    machine.settle("delete")
    machine.change_and_run([SERVER], set(), [fault], "sync", "delete", allowed=True)
    machine.undo()

    machine.settle("delete")

    assert machine.canopsis.alive("c0") is None
    assert "c0" not in set(machine.ledger.known(FEED)["id"])


@pytest.mark.parametrize("missing", ["disable", "delete"])
def test_a_removal_that_was_lost_is_taken_back_when_the_record_is_there_again(
    machine: Sync, missing: Any
) -> None:
    machine.change_and_run([SERVER], set(), ["unrecorded"], "sync", missing, allowed=True)
    machine.undo()

    machine.settle(missing)

    assert machine.canopsis.alive("c0") == Held("component", "c0", "v1", by=OURS, infos=KEYS["v1"])


@pytest.mark.parametrize("fault", ["unsent", "queued", "unrecorded"])
def test_a_pruning_that_was_lost_is_taken_back_or_done_again(machine: Sync, fault: Fault) -> None:
    machine.others_write("c0", {"owner"})
    machine.change_and_run([], {"c0"}, [fault], "sync", "disable", allowed=True)
    machine.undo()
    machine.settle("disable")
    assert machine.canopsis.entities["c0"].infos == {"env", "site", "owner"}

    machine.change([], {"c0"})
    machine.settle("disable")
    assert machine.canopsis.entities["c0"].infos == {"env", "owner"}


def test_a_key_of_another_feed_survives_its_leaving_ours(machine: Sync) -> None:
    machine.others_write("c0", SHARED)

    machine.change([], {"c0"})
    machine.settle("disable")

    assert machine.canopsis.entities["c0"].infos == {"env", "site"}


def test_what_was_switched_off_by_hand_stays_off_while_it_is_updated(machine: Sync) -> None:
    machine.somebody_switches_off("s0")

    machine.change([], {"s0"})
    machine.settle("disable")

    assert not machine.canopsis.entities["s0"].enabled
