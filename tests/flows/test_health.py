"""`refsync health`: what a watcher is told of each job, and when it is sick."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from flows.health import due_since, health_of, read_age
from flows.misdeclared import Misdeclared
from flows.sync_config import Schedule
from referential.errors import PlanRefused
from referential.ledger import utc_now
from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, Workshop, servers

NIGHTLY = Schedule(cron="0 2 * * *", timezone="Europe/Paris")
DAY = timedelta(days=1)


def test_a_job_that_never_ran_is_sick(workshop: Workshop, refsync: Refsync) -> None:
    del workshop

    seen = refsync("health")

    assert seen.code == 1
    assert "never ran" in seen.out


def test_a_job_that_was_just_done_is_fine_with_its_figures(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.run(only_plan=True)  # a look is no run of the feed

    seen = refsync("health", NAME, "--json")

    assert seen.code == 0
    (job,) = orjson.loads(seen.out)["jobs"]
    assert (job["verdict"], job["outcome"], job["owned"], job["held"]) == ("fine", "done", 30, 0)
    assert 0 <= job["age"] < 60


def test_a_job_whose_last_run_was_refused_is_sick_and_its_message_is_told(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.serve([])
    with pytest.raises(PlanRefused):
        workshop.run()

    seen = refsync("health")

    assert seen.code == 1
    assert "failed" in seen.out
    assert "no entity at all" in seen.err


@pytest.mark.parametrize(("later", "code"), [(DAY, 0), (timedelta(hours=27), 1)])
def test_a_job_without_schedule_is_stale_after_26_hours(
    workshop: Workshop, later: timedelta, code: int
) -> None:
    workshop.run()

    seen = health_of(workshop.settings(), [NAME], utc_now() + later, None)

    assert seen.exit_code == code
    assert seen.jobs[0].verdict == ("stale" if code else "fine")


def test_a_stated_age_counts_in_place_of_the_schedule(workshop: Workshop) -> None:
    workshop.write_job(f"{JOB}  schedule: {{interval: 600}}\n")
    workshop.run()
    soon = utc_now() + timedelta(hours=1)

    judged = [
        health_of(workshop.settings(), [NAME], soon, max_age).jobs[0].verdict
        for max_age in (None, timedelta(hours=2))
    ]

    assert judged == ["stale", "fine"]


def test_a_job_that_does_not_compile_is_misdeclared_and_hides_no_other(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()
    workshop.write_job("source: {}\n", "acme/broken")

    seen = refsync("health", "--json")

    document = orjson.loads(seen.out)
    assert seen.code == 2
    assert [job["verdict"] for job in document["jobs"]] == ["fine"]
    assert {fault["job"] for fault in document["faults"]} == {"acme/broken"}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-24T12:00+00:00", "2026-11-24T01:00+00:00"),
        ("2026-11-24T03:30+00:00", "2026-11-24T01:00+00:00"),
        # the run of this night may still be under way
        ("2026-11-24T02:30+00:00", "2026-11-23T01:00+00:00"),
        # summer time
        ("2026-07-24T12:00+00:00", "2026-07-24T00:00+00:00"),
    ],
)
def test_a_nightly_job_is_due_at_its_hour_and_has_two_hours(now: str, due: str) -> None:
    found = due_since(NIGHTLY, datetime.fromisoformat(now), DAY)

    assert found == datetime.fromisoformat(due)


def test_a_frequent_job_has_its_own_period_to_run() -> None:
    now = datetime(2026, 11, 24, 12, 7, tzinfo=UTC)

    by_cron = due_since(Schedule(cron="*/5 * * * *"), now, DAY)
    by_interval = due_since(Schedule(interval=300), now, DAY)

    assert by_cron == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert by_interval == now - timedelta(seconds=600)


@pytest.mark.parametrize("text", ["", "26", "26 h", "-1h", "0h", "1.5h", "h", "\uff12h"])
def test_what_is_no_age_is_misdeclared(text: str) -> None:
    with pytest.raises(Misdeclared, match="is no age"):
        read_age(text)


def test_ages_are_read_in_four_units() -> None:
    assert [read_age(text) for text in ("30s", "90m", "26h", "2d")] == [
        timedelta(seconds=30),
        timedelta(minutes=90),
        timedelta(hours=26),
        timedelta(days=2),
    ]


@pytest.mark.parametrize("words", ["{cron: '61 2 * * *'}", "{cron: '0 2 * * *', timezone: Mars}"])
def test_a_schedule_that_cannot_be_kept_does_not_compile(workshop: Workshop, words: str) -> None:
    workshop.write_job(f"{JOB}  schedule: {words}\n")

    with pytest.raises(Misdeclared, match=r"no cron line|unknown time zone"):
        workshop.job()


def test_removals_that_wait_are_shown(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(f"{JOB}  on_refusal: hold_removals\n")
    workshop.run()
    workshop.serve(servers(10))
    workshop.run()

    seen = refsync("health", "--json")

    assert seen.code == 1
    assert orjson.loads(seen.out)["jobs"][0]["held"] == 20
