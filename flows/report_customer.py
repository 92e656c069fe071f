"""What the page of a customer says of each of its feeds: how fresh it is, how its runs went."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from flows.health import MAX_AGE
from flows.job import jobs_folder, load_job
from flows.misdeclared import Misdeclared
from flows.report_charts import Chart, charts_of
from flows.settings import Settings
from flows.sync_config import Schedule
from referential import history
from referential.feed import Feed
from referential.history import SOUND, Run
from referential.ledger import Ledger

RUNS = 30  # of each feed
_LATE = timedelta(hours=2)  # what a scheduled run may take, as in `flows.health`


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """One feed; `history` is oldest first, `done` when its last sound run ended.

    `stale_from` is the moment from which that run is too old, `every` its schedule in words.
    """

    job: str
    target: str
    owned: int
    disabled: int
    held: int
    last: Run | None
    done: datetime | None
    stale_from: datetime | None
    every: str
    history: tuple[Run, ...]
    drawn: tuple[Chart, ...]


def customer_of(job: str) -> str:
    return job.partition("/")[0]


def feeds_of(settings: Settings, ledger: Ledger, customer: str) -> Iterator[FeedFacts]:
    """Every feed of *customer* that ever ran, by name."""
    for feed in ledger.feeds():
        if customer_of(feed.job) == customer:
            yield _feed(settings, ledger, feed)


def _feed(settings: Settings, ledger: Ledger, feed: Feed) -> FeedFacts:
    with ledger.database.reading() as connection:
        past = history.recent(connection, feed, RUNS)
        done = next(iter(history.recent(connection, feed, 1, SOUND)), None)
    last = past[0] if past else None
    owned = ledger.owned(feed)
    schedule = _schedule(settings, feed.job)
    runs = tuple(reversed(past))
    return FeedFacts(
        job=feed.job,
        target=feed.target,
        owned=owned["enabled"],
        disabled=owned["disabled"],
        held=int(last.counts.get("removals_held", 0)) if last else 0,
        last=last,
        done=done.ended if done else None,
        stale_from=stale_from(schedule, done) if done else None,
        every=_in_words(schedule),
        history=runs,
        drawn=tuple(charts_of(runs)),
    )


def _schedule(settings: Settings, job: str) -> Schedule | None:
    """By the job's file as it is now; one that is gone or does not compile has none."""
    try:
        return load_job(job, jobs_folder(settings.jobs)).sync.schedule
    except Misdeclared:
        return None


def stale_from(schedule: Schedule | None, done: Run) -> datetime | None:
    """When a sound run becomes too old: the next one should be over by then.

    None where no next one comes: a cron line may name the 30th of February.
    """
    if schedule is None:
        return (done.ended or done.started) + MAX_AGE
    if schedule.interval is not None:
        every = timedelta(seconds=schedule.interval)
        return done.started + every + min(_LATE, every)
    moments = CronSim(schedule.cron, done.started.astimezone(ZoneInfo(schedule.timezone)))
    coming, following = next(moments, None), next(moments, None)
    if coming is None or following is None:
        return None
    return coming + min(_LATE, following - coming)


def _in_words(schedule: Schedule | None) -> str:
    if schedule is None:
        return ""
    if schedule.interval is not None:
        return f"every {timedelta(seconds=schedule.interval)}"
    return f"by cron {schedule.cron} ({schedule.timezone})"
