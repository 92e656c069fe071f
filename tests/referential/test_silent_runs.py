"""What runs leave that died without a word, beside imports that nobody knows the outcome of."""

from datetime import UTC, datetime, timedelta

from referential.change import SWITCHED, UNCONFIRMED
from referential.columns import objects
from referential.feed import Feed
from referential.ledger import Ledger
from referential.lock import SILENCE
from referential.plan import make_plan
from tests.referential.frames import component, found_of, known_of, resource

FEED = Feed("acme/servers", "prod")
START = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)


def test_a_run_that_died_before_it_held_the_feed_is_told_as_interrupted(ledger_url: str) -> None:
    later = START + SILENCE + timedelta(seconds=1)
    with Ledger.open(ledger_url, clock=lambda: later) as ledger:
        dead = ledger.start_run(FEED, "sync", START)
        elsewhere = ledger.start_run(Feed("acme/servers", "test"), "sync", START)
        waiting = ledger.start_run(FEED, "sync", later - SILENCE)
        run = ledger.start_run(FEED, "sync", later)

        with ledger.lock(FEED, run):
            told = {each.id: each for each in ledger.runs()}

    assert {name: each.outcome for name, each in told.items()} == {
        dead: "interrupted",
        elsewhere: "running",
        waiting: "running",
        run: "running",
    }
    assert told[dead].message == f"its process ended without a word; run {run} found it"
    assert told[dead].ended == later


def test_a_component_that_a_dead_run_was_switching_on_is_switched_on_by_the_next_plan() -> None:
    known = known_of(component("srv1"), resource("sda/srv1"))
    known["fingerprint"] = objects([UNCONFIRMED, known["fingerprint"].iloc[1]])

    plan = make_plan(
        found_of(resource("sda/srv1")),
        known,
        feed=FEED,
        mode="sync",
        missing="disable",
        complete=True,
    )

    assert plan.changes[["action", "id", "size"]].to_numpy().tolist() == [["enable", "srv1", 0]]


def test_once_switched_on_it_is_doubted_no_more_though_what_it_holds_is_not_known(
    ledger_url: str,
) -> None:
    with Ledger.open(ledger_url) as ledger:
        run = ledger.start_run(FEED, "sync", START)
        columns = {"ids": ["srv1"], "kinds": ["component"], "groups": ["srv1"]}
        labels = {"datasets": ["servers"], "categories": [""], "infos": [""]}
        ledger.record(FEED, run, **columns, **labels, fingerprints=[UNCONFIRMED])

        ledger.set_state(FEED, run, ["srv1"], "enabled")

        assert ledger.known(FEED)["fingerprint"].to_list() == [SWITCHED]
        assert ledger.confirmed(FEED, ["srv1"]) == {"srv1"}
