"""What the pages ask of the ledger: who owns an entity, and which runs stand beside a run."""

from datetime import UTC, datetime, timedelta

from referential import history
from referential.feed import Feed
from referential.history import Run
from referential.ledger import Ledger
from referential.whereabouts import whereabouts

SERVERS, LINKS = Feed("acme/servers", "canopsis"), Feed("acme/links", "canopsis")
ELSEWHERE = Feed("acme/servers", "preproduction")
START = datetime(2026, 11, 1, 2, tzinfo=UTC)


def own(ledger: Ledger, feed: Feed, *ids: str, kind: str = "component") -> None:
    run = ledger.start_run(feed, "sync", START)
    with ledger.lock(feed, run):
        ledger.record(
            feed,
            run,
            ids=ids,
            kinds=[kind] * len(ids),
            groups=ids,
            datasets=["all"] * len(ids),
            categories=["Server"] * len(ids),
            infos=[""] * len(ids),
            fingerprints=[bytes(range(16))] * len(ids),
        )


def runs(ledger: Ledger, feed: Feed, count: int) -> list[str]:
    """Ended runs, a day apart; the last but one failed."""
    made = []
    for day in range(count):
        began = START + timedelta(days=day)
        made.append(ledger.start_run(feed, "sync", began))
        outcome = "failed" if day == count - 2 else "done"
        ledger.finish_run(made[-1], outcome, began + timedelta(minutes=1))  # type: ignore[arg-type]
    return made


def one(ledger: Ledger, run: str) -> Run:
    with ledger.database.reading() as connection:
        found = history.one(connection, run)
    assert found is not None
    return found


def test_an_entity_is_found_by_its_id_in_whatever_feed_of_the_target_owns_it(
    ledger: Ledger,
) -> None:
    own(ledger, SERVERS, "srv-1", "srv-2")
    own(ledger, LINKS, "APP", kind="service")
    own(ledger, ELSEWHERE, "srv-3")

    with ledger.database.reading() as connection:
        found = whereabouts(connection, "canopsis", ["srv-1", "APP", "srv-3", "nobody"])

    assert set(found) == {"srv-1", "APP"}
    assert (found["srv-1"].kind, found["srv-1"].job) == ("component", "acme/servers")
    assert (found["APP"].kind, found["APP"].category) == ("service", "Server")


def test_of_several_owners_the_first_by_name_is_told(ledger: Ledger) -> None:
    own(ledger, SERVERS, "srv-1")
    own(ledger, LINKS, "srv-1")

    with ledger.database.reading() as connection:
        assert whereabouts(connection, "canopsis", ["srv-1"])["srv-1"].job == "acme/links"


def test_more_ids_than_one_question_takes_are_asked_in_several(ledger: Ledger) -> None:
    names = [f"srv-{rank}" for rank in range(1_201)]
    own(ledger, SERVERS, *names)

    with ledger.database.reading() as connection:
        assert len(whereabouts(connection, "canopsis", names)) == len(names)


def test_nothing_is_asked_of_a_target_that_nobody_loads(ledger: Ledger) -> None:
    with ledger.database.reading() as connection:
        assert whereabouts(connection, "canopsis", ["srv-1"]) == {}


def test_a_run_has_the_ones_before_and_after_it_of_its_own_feed(ledger: Ledger) -> None:
    first, second, third = runs(ledger, SERVERS, 3)
    runs(ledger, LINKS, 2)
    runs(ledger, ELSEWHERE, 2)

    with ledger.database.reading() as connection:
        beside = [
            history.neighbours(connection, one(ledger, run)) for run in (first, second, third)
        ]

    assert beside == [("", second), (first, third), (second, "")]


def test_the_past_of_a_run_ends_with_it_whatever_came_later(ledger: Ledger) -> None:
    made = runs(ledger, SERVERS, 4)
    runs(ledger, ELSEWHERE, 4)

    with ledger.database.reading() as connection:
        past = history.until(connection, one(ledger, made[2]), 2)

    assert [run.id for run in past] == [made[2], made[1]]


def test_every_feed_has_one_last_run(ledger: Ledger) -> None:
    lasts = [runs(ledger, feed, 3)[-1] for feed in (LINKS, SERVERS, ELSEWHERE)]

    with ledger.database.reading() as connection:
        found = history.last_of_each(connection)

    assert [run.id for run in found] == [lasts[0], lasts[1], lasts[2]]
