"""What the ledger keeps of a backfill's windows, and how a feed is handed on, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from referential.backup import forget_feed
from referential.change import UNCONFIRMED
from referential.errors import Locked
from referential.feed import Feed
from referential.ledger import Ledger
from referential.lock import SILENCE
from referential.owned import feed_number
from referential.windows import Window
from tests.referential.clock import START, Clock

FEED, OTHER = Feed("acme/servers", "prod"), Feed("acme/servers", "test")
WEEK = timedelta(days=7)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def window(rank: int, since: datetime = FIRST, span: timedelta = WEEK) -> Window:
    return Window(since, span, since + rank * span, since + (rank + 1) * span)


def did(ledger: Ledger, done: Window | None, feed: Feed = FEED) -> str:
    """A run of a backfill, and the window that it has done."""
    run = ledger.start_run(feed, "backfill", START)
    ledger.finish_run(run, "done" if done else "failed", START, window=done)
    return run


def test_a_window_is_done_once_the_run_that_did_it_ends(ledger: Ledger) -> None:
    run = did(ledger, window(0))
    did(ledger, None)

    found = ledger.windows_done(FEED, [window(0), window(1)])

    assert {each: done.run for each, done in found.items()} == {window(0): run}
    assert found[window(0)].ended == START


def test_a_window_is_known_by_its_cut_its_bounds_and_its_feed(ledger: Ledger) -> None:
    did(ledger, window(1))
    same = window(1)
    others = [
        window(0, since=same.low),  # the same seven days, of another cut
        Window(FIRST, timedelta(days=14), same.low, same.high),
        Window(FIRST, WEEK, same.low, same.high - timedelta(hours=1)),
    ]

    assert set(ledger.windows_done(FEED, [same, *others])) == {same}
    assert ledger.windows_done(OTHER, [same]) == {}


def test_a_window_that_is_to_be_done_anew_is_done_no_more(ledger: Ledger) -> None:
    did(ledger, window(0))
    did(ledger, window(1))

    ledger.forget_windows(FEED, [window(0)])

    assert set(ledger.windows_done(FEED, [window(0), window(1)])) == {window(1)}
    later = did(ledger, window(1))
    assert ledger.windows_done(FEED, [window(1)])[window(1)].run == later


def test_a_feed_is_handed_from_one_run_to_the_next_and_nobody_comes_in_between(
    ledger: Ledger,
) -> None:
    first, second = (ledger.start_run(FEED, "backfill", START) for _ in range(2))
    other = ledger.start_run(FEED, "sync", START)
    with ledger.holding(FEED) as holding:
        holding.take(first)
        with pytest.raises(Locked, match=first), ledger.lock(FEED, other):
            pass

        holding.take(second)

        with pytest.raises(Locked, match=second), ledger.lock(FEED, other):
            pass
        ledger.set_state(FEED, second, [], "enabled")
        with pytest.raises(Locked, match="took its place"):
            ledger.set_state(FEED, first, [], "enabled")
    with ledger.lock(FEED, other):
        pass


def test_what_a_run_left_unsettled_is_taken_up_by_the_next_of_the_same_holding(
    ledger: Ledger,
) -> None:
    first, second = (ledger.start_run(FEED, "backfill", START) for _ in range(2))
    begun = {"ids": ["a", "b"], "kinds": ["component"] * 2, "groups": ["a", "b"]}
    told = {"datasets": ["servers"] * 2, "categories": [""] * 2, "infos": [""] * 2}
    with ledger.holding(FEED) as holding:
        holding.take(first)
        ledger.import_begins(FEED, first, **begun, **told)
        holding.take(second)
        known = ledger.known(FEED)

    assert known["fingerprint"].tolist() == [UNCONFIRMED] * 2


def test_a_holding_that_was_lost_is_not_taken_back_from_a_living_run(
    ledger: Ledger, clock: Clock
) -> None:
    first, second = (ledger.start_run(FEED, "backfill", START) for _ in range(2))
    other = ledger.start_run(FEED, "sync", START)
    with ledger.holding(FEED) as holding:
        holding.take(first)
        clock.now += SILENCE  # the machine slept, and its heart did not beat
        with ledger.lock(FEED, other), pytest.raises(Locked, match=other):
            holding.take(second)


def test_the_windows_that_a_dead_backfill_had_begun_to_read_are_closed_by_the_next(
    ledger: Ledger,
) -> None:
    dead = [ledger.start_run(FEED, "backfill", START) for _ in range(2)]
    sync = ledger.start_run(FEED, "sync", START)
    elsewhere = ledger.start_run(OTHER, "backfill", START)
    run = ledger.start_run(FEED, "backfill", START + timedelta(seconds=1))
    ahead = ledger.start_run(FEED, "backfill", START + timedelta(seconds=2))

    with ledger.holding(FEED) as holding:
        holding.take(run)
        holding.take(ahead)
        outcomes = {each.id: each.outcome for each in ledger.runs()}

    assert {outcomes[each] for each in dead} == {"interrupted"}
    assert {outcomes[each] for each in (sync, elsewhere, run, ahead)} == {"running"}


def test_a_copy_taken_back_knows_no_window_as_done(ledger: Ledger) -> None:
    did(ledger, window(0))
    with ledger.database.writing() as connection:
        forget_feed(connection, feed_number(connection, FEED))

    assert ledger.windows_done(FEED, [window(0)]) == {}
