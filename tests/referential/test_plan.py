import gc
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from referential.change import UNCONFIRMED, Create, Delete, Disable, Enable, Update
from referential.columns import FOUND, to_frame
from referential.errors import Unreadable
from referential.feed import Feed
from referential.owned import KNOWN
from referential.plan import Plan, make_plan
from tests.referential.frames import (
    component,
    digest,
    disabled,
    found_of,
    known_of,
    resource,
    service,
)

FEED = Feed("acme/servers", "prod")


def plan_of(found: pd.DataFrame, known: pd.DataFrame, **options: Any) -> Plan:
    defaults: dict[str, Any] = {"mode": "sync", "missing": "disable", "complete": True}
    return make_plan(found, known, feed=FEED, **(defaults | options))


def told(plan: Plan) -> list[tuple[str, str]]:
    """Actions and ids, in the plan's order."""
    return list(zip(plan.changes["action"], plan.changes["id"], strict=True))


@pytest.mark.parametrize(
    ("found", "known", "options", "expected"),
    [
        pytest.param([component("a")], [], {}, [("create", "a")], id="unknown"),
        pytest.param([component("a", "v2")], [component("a")], {}, [("update", "a")], id="changed"),
        pytest.param([component("a")], [component("a")], {}, [], id="the same"),
        pytest.param(
            [component("a")], [component("a")], {"mode": "full"}, [("update", "a")], id="full"
        ),
        pytest.param(
            [component("a")], [disabled(component("a"))], {}, [("enable", "a")], id="found again"
        ),
        pytest.param(
            [component("a")],
            [disabled(component("a"))],
            {"mode": "backfill"},
            [("enable", "a")],
            id="found again in a window",
        ),
        pytest.param([], [component("a")], {}, [("disable", "a")], id="missing"),
        pytest.param(
            [], [component("a")], {"missing": "delete"}, [("delete", "a")], id="missing, delete"
        ),
        pytest.param([], [component("a")], {"missing": "keep"}, [], id="missing, keep"),
        pytest.param(
            [], [component("a")], {"mode": "full"}, [("disable", "a")], id="missing, full"
        ),
        pytest.param([], [component("a")], {"mode": "backfill"}, [], id="missing, in a window"),
        pytest.param([], [component("a")], {"complete": False}, [], id="missing, partial"),
        pytest.param(
            [], [component("a")], {"complete": {"disks"}}, [], id="missing, its dataset partial"
        ),
        pytest.param(
            [],
            [component("a")],
            {"complete": {"servers"}},
            [("disable", "a")],
            id="missing, its dataset complete",
        ),
        pytest.param([], [disabled(component("a"))], {}, [], id="missing for long"),
        pytest.param(
            [component("a", dataset="hosts")],
            [component("a")],
            {},
            [("update", "a")],
            id="given by another dataset",
        ),
    ],
)
def test_each_entity_gets_the_change_it_needs(
    found: list[Any], known: list[Any], options: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert told(plan_of(found_of(*found), known_of(*known), **options)) == expected


@pytest.mark.parametrize("mode", ["sync", "full"])
def test_what_is_in_doubt_is_created_or_enabled_and_never_updated(mode: str) -> None:
    plan = plan_of(
        found_of(*(service(name, "v2") for name in "abc"), component("d", "v2")),
        known_of(service("a"), disabled(service("b")), component("d")),
        mode=mode,
        doubtful={("links", "service")},
    )

    assert told(plan) == [("enable", "b"), ("create", "c"), ("update", "d")]
    counts = {name: plan.counts[name] for name in ("changed", "held", "unchanged")}
    assert counts == {"changed": 1, "held": 1, "unchanged": 0}


def test_what_is_in_doubt_and_the_same_is_not_held_back() -> None:
    plan = plan_of(found_of(service("a")), known_of(service("a")), doubtful={("links", "service")})

    assert (plan.counts["held"], plan.counts["unchanged"]) == (0, 1)


def test_a_component_stays_while_a_resource_of_it_is_found() -> None:
    plan = plan_of(
        found_of(resource("sda/srv1")),
        known_of(component("srv1"), component("srv2"), resource("sda/srv1")),
    )

    assert told(plan) == [("disable", "srv2")]
    assert (plan.counts["missing"], plan.counts["kept"]) == (2, 1)


def test_a_component_stays_while_a_resource_of_it_may_only_be_unread() -> None:
    known = known_of(component("srv1"), resource("sda/srv1"))

    plan = plan_of(found_of(), known, complete={"servers"})

    assert told(plan) == []
    assert told(plan_of(found_of(), known)) == [("disable", "srv1"), ("disable", "sda/srv1")]


def test_a_disabled_component_is_switched_on_without_payload_for_a_resource_found_under_it() -> (
    None
):
    plan = plan_of(found_of(resource("sdb/srv1")), known_of(disabled(component("srv1"))))

    assert told(plan) == [("enable", "srv1"), ("create", "sdb/srv1")]
    switched = plan.head(1)[0]
    assert isinstance(switched, Enable)
    assert switched.size == 0
    assert switched.fingerprint == digest("v1")


def test_changes_come_by_action_then_group_a_component_before_its_resources() -> None:
    plan = plan_of(
        found_of(
            resource("b/y", "v2"),
            service("app"),
            resource("a/x"),
            component("y"),
            component("x"),
            resource("z/x"),
            component("w"),
        ),
        known_of(resource("b/y"), disabled(component("w")), component("old"), resource("p/old")),
    )

    assert told(plan) == [
        ("enable", "w"),
        ("create", "app"),
        ("create", "x"),
        ("create", "a/x"),
        ("create", "z/x"),
        ("create", "y"),
        ("update", "b/y"),
        ("disable", "old"),
        ("disable", "p/old"),
    ]


def test_a_plan_and_its_checksum_do_not_depend_on_the_order_of_extraction() -> None:
    rows = [component(f"srv{n}", f"v{n % 3}") for n in range(50)]
    known = known_of(*(component(f"srv{n}") for n in range(40)), component("gone"))
    straight = plan_of(found_of(*rows), known)

    mixed = rows[:]
    random.Random(7).shuffle(mixed)
    shuffled = plan_of(found_of(*mixed), known.sample(frac=1, random_state=7))

    assert told(shuffled) == told(straight)
    assert shuffled.checksum == straight.checksum
    assert straight.checksum != plan_of(found_of(*rows[1:]), known).checksum
    other = make_plan(
        found_of(*rows),
        known,
        feed=Feed("acme/servers", "test"),
        mode="sync",
        missing="disable",
        complete=True,
    )
    assert straight.checksum != other.checksum


def test_the_checksum_tells_contents_apart() -> None:
    known = known_of(component("a"))

    first, second = (plan_of(found_of(component("a", v)), known) for v in ("v2", "v3"))

    assert told(first) == told(second)
    assert first.checksum != second.checksum


def test_of_records_with_one_id_the_last_wins_and_the_others_are_told() -> None:
    found = found_of(
        component("a", "old"), component("b"), component("a", "older"), component("a", "new")
    )

    plan = plan_of(found, known_of())

    assert told(plan) == [("create", "a"), ("create", "b")]
    created = plan.head(1)[0]
    assert isinstance(created, Create)
    assert (created.fingerprint, created.offset) == (digest("new"), 300)
    assert plan.duplicates[["id", "kind", "dataset", "offset", "size"]].to_numpy().tolist() == [
        ["a", "component", "servers", 0, 99],
        ["a", "component", "servers", 200, 99],
    ]
    assert set(plan.duplicates["reason"]) == {
        "a later record gives the same id with other values, and the last one wins"
    }
    assert plan.counts["duplicates"] == 2


def test_the_same_entity_given_twice_in_the_same_words_is_no_duplicate() -> None:
    plan = plan_of(found_of(component("a"), component("a")), known_of())

    assert told(plan) == [("create", "a")]
    assert (plan.counts["duplicates"], plan.counts["repeated"]) == (0, 1)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        pytest.param(
            [component("app"), service("app"), component("app", "v2")],
            "a service cannot have the id of a component: the component of dataset servers came"
            " first and stands",
            id="component and service",
        ),
        pytest.param(
            [component("a/b"), resource("a/b"), component("a/b", "v2")],
            "a resource cannot have the id of a component: the component of dataset servers came"
            " first and stands",
            id="component and resource",
        ),
    ],
)
def test_two_kinds_cannot_share_an_id_and_the_first_kind_stands(
    rows: list[Any], reason: str
) -> None:
    plan = plan_of(found_of(*rows), known_of())

    assert plan.changes[["id", "kind", "fingerprint"]].to_numpy().tolist() == [
        [rows[0][0], "component", digest("v2")]
    ]
    assert plan.duplicates[["kind", "reason"]].to_numpy().tolist() == [
        ["component", "a later record gives the same id with other values, and the last one wins"],
        [rows[1][1], reason],
    ]


def test_counts_say_what_the_plan_does_and_what_it_leaves() -> None:
    plan = plan_of(
        found_of(component("new"), component("same"), component("other", "v2"), component("back")),
        known_of(
            component("same"),
            component("other"),
            disabled(component("back")),
            component("gone"),
            disabled(component("long gone")),
        ),
    )

    assert plan.counts == {
        "enable": 1,
        "create": 1,
        "update": 1,
        "prune": 0,
        "disable": 1,
        "delete": 0,
        "unchanged": 1,
        "held": 0,
        "changed": 1,
        "missing": 1,
        "waiting": 0,
        "kept": 0,
        "duplicates": 0,
        "repeated": 0,
    }


def test_sending_everything_again_changes_only_what_differs() -> None:
    rows = [component("a"), component("b", "v2")]

    plan = plan_of(found_of(*rows), known_of(component("a"), component("b")), mode="full")

    assert (plan.counts["update"], plan.counts["changed"]) == (2, 1)


def test_an_entity_that_a_dead_run_was_sending_is_sent_again_and_is_no_change_of_the_source() -> (
    None
):
    known = known_of(component("a"), component("b"))
    known.loc[0, "fingerprint"] = UNCONFIRMED

    plan = plan_of(found_of(component("a"), component("b")), known)

    assert told(plan) == [("update", "a")]
    assert plan.counts["changed"] == 0


def test_changes_are_made_as_values_one_by_one() -> None:
    plan = plan_of(
        found_of(component("new"), component("other", "v2"), component("back")),
        known_of(component("other"), disabled(component("back")), component("gone")),
    )
    gone = plan_of(found_of(component("x")), known_of(component("gone")), missing="delete")

    def common(name: str, content: str = "v1") -> tuple[Any, ...]:
        return (name, "component", name, "servers", "", "", digest(content))

    nothing_lost = {"stale": "", "cleared": ""}
    assert list(plan.iter_changes()) == [
        Enable(*common("back"), offset=200, size=99, **nothing_lost),
        Create(*common("new"), offset=0, size=99, **nothing_lost),
        Update(*common("other", "v2"), offset=100, size=99, **nothing_lost),
        Disable(*common("gone")),
    ]
    assert plan.head(2) == list(plan.iter_changes())[:2]
    assert gone.head(5)[-1] == Delete(*common("gone"))
    assert len(plan) == 4


def test_a_saved_plan_is_the_same_plan(tmp_path: Path) -> None:
    plan = plan_of(
        found_of(component("é"), component("é", "v2"), component("b", "v2"), service("b")),
        known_of(component("b"), component("gone")),
        complete={"servers"},
    )

    plan.save(tmp_path / "plan.jsonl")
    loaded = Plan.load(tmp_path / "plan.jsonl")

    assert loaded.changes.equals(plan.changes)
    assert loaded.duplicates.equals(plan.duplicates)
    for name in ("feed", "mode", "missing", "complete", "counts", "checksum"):
        assert getattr(loaded, name) == getattr(plan, name)


def test_an_empty_plan_is_saved_and_loaded(tmp_path: Path) -> None:
    plan = plan_of(found_of(component("a")), known_of(component("a")))

    plan.save(tmp_path / "plan.jsonl")

    assert len(plan) == 0
    assert len(Plan.load(tmp_path / "plan.jsonl")) == 0


def test_a_saved_plan_that_was_changed_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    plan_of(found_of(component("srv1")), known_of()).save(path)
    path.write_bytes(path.read_bytes().replace(b"srv1", b"srv2"))

    with pytest.raises(Unreadable, match="not the one its checksum names"):
        Plan.load(path)


def entities(numbers: list[int], version: Callable[[int], str]) -> pd.DataFrame:
    ids = [f"srv{number:06d}.example.net" for number in numbers]
    count = len(ids)
    return to_frame(
        {
            "id": ids,
            "kind": ["component"] * count,
            "group": ids,
            "dataset": ["servers"] * count,
            "category": ["Server"] * count,
            "infos": ["env\nsite"] * count,
            "missed": np.zeros(count),
            "fingerprint": [digest(f"{number} {version(number)}") for number in numbers],
            "offset": np.arange(count),
            "size": np.full(count, 650),
            "state": ["enabled"] * count,
        }
    )


def cpu(call: Callable[[], Any]) -> float:
    """CPU seconds of the quickest of three calls, the collector off."""
    gc.disable()
    try:
        spent = []
        for _ in range(3):
            start = time.process_time()
            call()
            spent.append(time.process_time() - start)
        return min(spent)
    finally:
        gc.enable()


def test_planning_100_000_entities_costs_at_most_three_bare_merges() -> None:
    numbers = list(range(100_000))
    random.Random(3).shuffle(numbers)
    found = entities(numbers, lambda n: "v2" if n % 100 == 0 else "v1")[list(FOUND)]
    known = entities(list(range(100_100)), lambda _: "v1")[list(KNOWN)]
    columns = ["id", "fingerprint"]

    bare = cpu(lambda: found[columns].merge(known[columns], on="id", how="outer"))
    spent = cpu(lambda: plan_of(found, known))

    plan = plan_of(found, known)
    assert (plan.counts["update"], plan.counts["disable"]) == (1_000, 100)
    assert spent <= 3 * bare


def test_a_record_that_became_a_reject_is_not_missing() -> None:
    known = known_of(component("a"), component("b"))

    plan = plan_of(found_of(component("c")), known, refused={"a"})

    assert [(change.id, type(change).__name__) for change in plan.iter_changes()] == [
        ("c", "Create"),
        ("b", "Disable"),
    ]
