"""Grace for what is missing: removed after so many finished runs in a row."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from referential.feed import Feed
from referential.history import Outcome
from referential.ledger import Ledger
from referential.missing import Runs
from referential.plan import Plan, make_plan
from tests.referential.frames import component, digest, disabled, found_of, known_of, resource

FEED = Feed("acme/servers", "prod")
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)


def plan_of(found: pd.DataFrame, known: pd.DataFrame, **options: Any) -> Plan:
    defaults: dict[str, Any] = {"mode": "sync", "missing": "disable", "complete": True}
    return make_plan(found, known, feed=FEED, **(defaults | options))


def missed(known: pd.DataFrame, **runs: int) -> pd.DataFrame:
    """The known rows, some of which were missing in so many runs already."""
    counted = [
        runs.get(name, before) for name, before in zip(known["id"], known["missed"], strict=True)
    ]
    return known.assign(missed=counted)


def actions(plan: Plan) -> list[tuple[str, str]]:
    return list(zip(plan.changes["action"], plan.changes["id"], strict=True))


@pytest.mark.parametrize(
    ("written", "runs"), [(3, 3), ("3 runs", 3), ("1 run", 1), ("  2runs ", 2), ("4", 4)]
)
def test_a_number_of_runs_may_be_written_with_its_word(written: object, runs: int) -> None:
    assert TypeAdapter(Runs).validate_python(written) == runs


@pytest.mark.parametrize("written", [0, "0 runs", "three runs", "2 days", -1, "", None])
def test_what_is_no_number_of_runs_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Runs).validate_python(written)


def test_the_missing_wait_until_their_grace_is_over() -> None:
    known = missed(known_of(component("a"), component("b"), component("c")), b=1, c=2)

    plan = plan_of(found_of(component("x")), known, missing_after=3)

    assert actions(plan) == [("create", "x"), ("disable", "c")]
    assert plan.absent == ("a", "b", "c")
    assert (plan.counts["missing"], plan.counts["waiting"], plan.counts["kept"]) == (3, 2, 0)


def test_a_component_stays_while_a_resource_of_it_waits() -> None:
    known = missed(known_of(component("a"), resource("r/a")), a=5)

    plan = plan_of(found_of(component("x")), known, missing_after=3)

    assert actions(plan) == [("create", "x")]
    assert (plan.counts["waiting"], plan.counts["kept"]) == (1, 1)


def test_what_is_found_again_is_told_and_what_was_disabled_is_enabled() -> None:
    known = missed(known_of(component("a"), disabled(component("b"))), a=2, b=3)

    plan = plan_of(found_of(component("a"), component("b")), known, missing_after=3)

    assert actions(plan) == [("enable", "b")]
    assert plan.back == ("a", "b")
    assert plan.absent == ()


@pytest.mark.parametrize("options", [{"mode": "backfill"}, {"complete": False}])
def test_nothing_is_absent_where_nothing_is_judged(options: dict[str, Any]) -> None:
    plan = plan_of(found_of(component("x")), known_of(component("a")), **options)

    assert plan.absent == ()


def test_only_datasets_that_were_read_whole_are_judged() -> None:
    known = known_of(component("a"), resource("r/b"))

    plan = plan_of(found_of(component("x")), known, complete={"disks"})

    assert plan.absent == ("r/b",)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as ledger:
        yield ledger


def own(ledger: Ledger, run: str, *names: str) -> None:
    ledger.record(
        FEED,
        run,
        ids=list(names),
        kinds=["component"] * len(names),
        groups=list(names),
        datasets=["servers"] * len(names),
        categories=[""] * len(names),
        infos=[""] * len(names),
        fingerprints=[digest("v1")] * len(names),
    )


def counts(ledger: Ledger) -> dict[str, int]:
    known = ledger.known(FEED)
    return dict(zip(known["id"], known["missed"].tolist(), strict=True))


def finish(ledger: Ledger, outcome: Outcome = "done", **seen: list[str]) -> str:
    run = ledger.start_run(FEED, "sync", START)
    ledger.finish_run(run, outcome, START, **seen)
    return run


def test_finished_runs_are_counted_and_what_is_found_begins_anew(ledger: Ledger) -> None:
    own(ledger, ledger.start_run(FEED, "sync", START), "a", "b", "c")

    finish(ledger, absent=["a", "b"])
    finish(ledger, absent=["a"], back=["b"])

    assert counts(ledger) == {"a": 2, "b": 0, "c": 0}


def test_a_run_counts_once_however_often_its_end_is_told(ledger: Ledger) -> None:
    own(ledger, ledger.start_run(FEED, "sync", START), "a")
    run = finish(ledger, absent=["a"])

    ledger.finish_run(run, "done", START, absent=["a"])

    assert counts(ledger) == {"a": 1}


def test_recording_an_entity_ends_its_grace_and_taking_it_up_does_not(ledger: Ledger) -> None:
    run = ledger.start_run(FEED, "sync", START)
    own(ledger, run, "a", "b")
    finish(ledger, absent=["a", "b"])
    own(ledger, run, "a")
    row = {"kinds": ["component"], "datasets": ["servers"], "categories": [""], "infos": [""]}
    ledger.import_begins(FEED, run, ids=["b"], groups=["b"], **row)

    with ledger.lock(FEED, ledger.start_run(FEED, "sync", START)):
        assert counts(ledger) == {"a": 0, "b": 1}
