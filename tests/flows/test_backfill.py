"""Windows of the past and named records, from a served ServiceNow into a served Canopsis."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from flows.backfill_request import Request
from flows.backfilled import Backfilled, Line
from flows.backfilling import Audience, backfill_job
from flows.job import load_job
from flows.portion import Portion
from flows.workplace import open_ledger
from referential.errors import Locked
from referential.history import Run
from referential.ledger import utc_now
from sources.errors import Unreachable
from tests.flows.backfill_rig import (
    CONNECTION,
    EACH,
    JOB,
    JOB_NAME,
    LINKS,
    TABLE,
    WEEKS,
    Past,
    a_past,
    await_that,
    server,
    sys_id,
)
from tests.flows.command import Refsync, ended, start
from tests.flows.workshop import SETTINGS, Workshop

SPAN = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-29T00:00:00Z"}  # four weeks
DATES = ("--since", SPAN["since"], "--until", SPAN["until"])


@pytest.fixture(scope="module")
def _served_past() -> Iterator[Past]:
    with a_past() as past:
        yield past


@pytest.fixture
def past(_served_past: Past, workshop: Workshop) -> Past:
    """The CMDB as it is at first, and the job that reads it."""
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text + CONNECTION.format(snow=_served_past.url))
    workshop.write_job(JOB, JOB_NAME)
    _served_past.feed()
    return _served_past


def backfill(workshop: Workshop, audience: Audience | None = None, **asked: Any) -> Backfilled:
    settings = workshop.settings()
    job = load_job(JOB_NAME, workshop.folder / "jobs")
    request = Request(**(SPAN if "ids" not in asked else {}) | asked)
    return backfill_job(settings, job, request.asked(job, utc_now()), audience=audience)


def runs(workshop: Workshop) -> list[Run]:
    """All runs, oldest first."""
    with open_ledger(workshop.settings()) as ledger:
        return ledger.runs(1_000)[::-1]


def infos(workshop: Workshop, name: str) -> dict[str, Any]:
    return {key: info["value"] for key, info in workshop.entities()[name]["infos"].items()}


def test_every_window_is_a_run_that_loads_what_changed_in_it(
    workshop: Workshop, past: Past
) -> None:
    made = backfill(workshop)

    assert (made.exit_code, made.outcome) == (0, "done")
    assert [line.outcome for line in made.lines] == ["done"] * WEEKS
    # the links are read whole each time, and two services are made of them once
    assert [line.created for line in made.lines] == [EACH + 2, *[EACH] * (WEEKS - 1)]
    assert [line.records for line in made.lines] == [EACH + 4] * WEEKS
    names = {f"srv-{number:03}" for number in range(WEEKS * EACH)}
    assert set(workshop.entities()) == names | {"APP-paie", "APP-web"}
    told = runs(workshop)
    assert [(run.id, run.mode, run.outcome) for run in told] == [
        (line.run, "backfill", "done") for line in made.lines
    ]
    assert told[0].counts["window"] == ["2026-01-01T00:00:00+00:00", "2026-01-08T00:00:00+00:00"]
    for run in told:
        assert (workshop.folder / "state" / "reports" / JOB_NAME / f"{run.id}.html").is_file()
    assert past.instance.traffic.calls


def test_a_service_gathered_from_links_keeps_the_members_that_no_window_has(
    workshop: Workshop, past: Past
) -> None:
    workshop.run(JOB_NAME)
    before = workshop.entities()["APP-paie"]

    made = backfill(workshop)

    assert {line.outcome for line in made.lines} == {"nothing-to-do"}
    assert workshop.entities()["APP-paie"] == before
    patterns = str(before["entity_pattern"])
    assert all(name in patterns for name in ("srv-000", "srv-005", "srv-011"))
    assert all("sys_updated_on" not in query for query in past.asked(LINKS))


def test_what_lies_outside_of_the_windows_stays_as_it_is_and_nothing_is_taken_away(
    workshop: Workshop, past: Past
) -> None:
    workshop.run(JOB_NAME)
    # two are gone, one of them within the span; two changed, one of them outside; an info is lost
    rows = [server(number) for number in range(WEEKS * EACH) if number not in (1, 9)]
    changed = {0: {"short_description": "Lyon"}, 11: {"short_description": "Lyon"}}
    past.serve([row | changed.get(int(row["name"][-3:]), {}) for row in rows])
    workshop.write_job(JOB.replace("          note: {value: asset_tag}\n", ""), JOB_NAME)

    made = backfill(workshop, until="2026-01-08T00:00:00Z")

    assert [(line.outcome, line.updated) for line in made.lines] == [("done", 2)]
    held = workshop.entities()
    assert {name for name in held if not held[name]["enabled"]} == set()
    assert infos(workshop, "srv-000") == {"site": "Lyon", "note": "tag 0"}
    assert infos(workshop, "srv-001") == {"site": "Nîmes", "note": "tag 1"}
    assert infos(workshop, "srv-009") == {"site": "Nîmes", "note": "tag 9"}
    assert infos(workshop, "srv-011") == {"site": "Nîmes", "note": "tag 11"}
    # what the window left behind is still known as ours: a full run takes it away
    workshop.run(JOB_NAME, mode="full", allow_changed=True, allow_missing=True)
    assert infos(workshop, "srv-000") == {"site": "Lyon"}


def test_a_window_that_is_done_is_not_done_again_unless_it_is_asked_for(
    workshop: Workshop, past: Past
) -> None:
    first = backfill(workshop)
    past.instance.traffic.clear()

    again = backfill(workshop)

    assert (again.exit_code, again.outcome) == (0, "nothing-to-do")
    assert {line.outcome for line in again.lines} == {"already done"}
    assert [line.run for line in again.lines] == [line.run for line in first.lines]
    assert again.notes == ["4 of 4 windows are done already and are not done again; `--again` does"]
    assert not past.instance.traffic.calls
    assert len(runs(workshop)) == WEEKS

    anew = backfill(workshop, again=True)

    assert {line.outcome for line in anew.lines} == {"nothing-to-do"}
    assert len(runs(workshop)) == 2 * WEEKS


def test_a_later_end_adds_windows_and_another_beginning_or_length_is_another_cut(
    workshop: Workshop, past: Past
) -> None:
    assert past.url
    backfill(workshop, until="2026-01-18T00:00:00Z")

    longer = backfill(workshop)
    shifted = backfill(workshop, since="2026-01-08T00:00:00Z", until="2026-01-20T00:00:00Z")
    daily = backfill(workshop, window="14d", until="2026-01-20T00:00:00Z")

    # the last one of the first cut was shorter
    earlier = ["already done"] * 2
    assert [line.outcome for line in longer.lines] == [*earlier, "done", "done"]
    assert "already done" not in {line.outcome for line in (*shifted.lines, *daily.lines)}


def test_a_window_that_fails_is_named_and_the_others_are_done(
    workshop: Workshop, past: Past
) -> None:
    fault = {"kind": "status", "status": 403, "on": TABLE, "asked": "2026-01-15 00:00:00"}
    past.instance.turn({"faults": [fault | {"times": 0}]})

    made = backfill(workshop, parallel=2)

    assert (made.exit_code, made.outcome) == (1, "failed")
    (bad,) = {line.rank for line in made.failed} - {2}
    assert {line.rank for line in made.failed} <= {2, 3}
    assert bad == 3
    assert {line.outcome for line in made.lines if line.sound} == {"done"}
    assert "403" in made.failed[-1].message

    past.instance.turn({"faults": []})
    again = backfill(workshop)

    assert again.exit_code == 0
    done = {line.rank: line.outcome for line in again.lines}
    assert {rank for rank, outcome in done.items() if outcome == "done"} == {
        line.rank for line in made.failed
    }


def test_the_limit_of_what_changed_holds_for_a_window_and_can_be_lifted(
    workshop: Workshop, past: Past
) -> None:
    workshop.run(JOB_NAME)
    past.serve([server(number, short_description="Lyon") for number in range(WEEKS * EACH)])
    workshop.write_job(f"{JOB}  limits: {{changed: 2, minimum_population: 1}}\n", JOB_NAME)

    refused = backfill(workshop, window="28d")

    assert (refused.exit_code, refused.lines[0].outcome) == (1, "refused")
    message = refused.lines[0].message
    assert "12 of 14 entities changed" in message
    assert "do it again with --allow-changed" in message
    assert infos(workshop, "srv-000")["site"] == "Nîmes"

    lifted = backfill(workshop, window="28d", allow_changed=True)

    assert (lifted.exit_code, lifted.lines[0].updated) == (0, 12)


def test_no_more_windows_are_read_at_once_than_the_connection_lets(
    workshop: Workshop, past: Past
) -> None:
    assert past.url
    at_work: set[int] = set()
    peaks: list[int] = []

    class Counting(Audience):
        def begins(self, portion: Portion, of: int) -> None:
            del of
            at_work.add(portion.rank)
            peaks.append(len(at_work))

        def ended(self, line: Line, of: int) -> None:
            del of
            at_work.remove(line.rank)

    made = backfill(workshop, audience=Counting(), parallel=16, window="3d")

    (note,) = made.notes
    assert note.startswith("4 windows are read at once, not 16: the connection acme-snow allows")
    assert len(made.lines) == 10
    assert max(peaks) == 5  # four that are read, beside the one that is loaded


def test_an_outage_before_anything_is_read_ends_the_backfill_with_one_failed_run(
    workshop: Workshop, past: Past
) -> None:
    past.instance.turn({"faults": [{"kind": "status", "status": 503, "times": 0}]})

    with pytest.raises(Unreachable):
        backfill(workshop)

    assert [(run.mode, run.outcome) for run in runs(workshop)] == [("backfill", "failed")]


def test_a_feed_that_somebody_holds_is_left_alone_and_so_is_one_that_is_backfilled(
    workshop: Workshop, past: Past
) -> None:
    assert past.url
    job = load_job(JOB_NAME, workshop.folder / "jobs")
    with open_ledger(workshop.settings()) as ledger:
        run = ledger.start_run(job.feed, "sync", utc_now())
        with ledger.lock(job.feed, run), pytest.raises(Locked, match=run):
            backfill(workshop)
    tried: list[str] = []

    class Watching(Audience):
        def ended(self, line: Line, of: int) -> None:
            del of
            if line.rank < WEEKS:
                with pytest.raises(Locked) as held:
                    workshop.run(JOB_NAME)
                tried.append(str(held.value))

    request = Request(**SPAN)
    made = backfill_job(
        workshop.settings(), job, request.asked(job, utc_now()), audience=Watching()
    )

    assert made.exit_code == 0
    assert len(tried) == WEEKS - 1
    assert all("has held this feed" in each for each in tried)


def test_named_records_are_read_alone_and_those_that_are_not_there_are_told(
    workshop: Workshop, past: Past
) -> None:
    ids = {sys_id("server 4"), sys_id("server 9"), sys_id("nobody")}

    made = backfill(workshop, ids=frozenset(ids))

    assert (made.exit_code, made.outcome) == (0, "done")
    assert (made.named, made.absent) == (3, (sys_id("nobody"),))
    assert set(workshop.entities()) == {"srv-004", "srv-009", "APP-paie", "APP-web"}
    (run,) = runs(workshop)
    assert (run.mode, run.counts["ids"], run.counts["records"]) == ("backfill", 3, 6)
    (pages,) = [query for query in past.asked() if sys_id("server 4") in query]
    assert pages.startswith("sys_idIN")
    # named anew, they are read anew
    assert backfill(workshop, ids=frozenset(ids)).outcome == "nothing-to-do"


def test_named_records_disable_nothing(workshop: Workshop, past: Past) -> None:
    workshop.run(JOB_NAME)
    past.serve([server(4, short_description="Lyon")])

    made = backfill(workshop, ids=frozenset({sys_id("server 4"), sys_id("server 5")}))

    assert (made.exit_code, made.absent) == (0, (sys_id("server 5"),))
    held = workshop.entities()
    assert {name for name in held if not held[name]["enabled"]} == set()
    assert infos(workshop, "srv-004")["site"] == "Lyon"


def test_the_command_shows_a_line_for_each_window_and_a_document(
    past: Past, refsync: Refsync
) -> None:
    assert past.url
    dates = ("--since", "2026-01-01", "--until", "2026-01-20")

    told = refsync("backfill", JOB_NAME, *dates)
    again = refsync("backfill", JOB_NAME, *dates, "--json")

    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0].split()[:4] == ["since", "(Europe/Paris)", "until", "outcome"]
    assert lines[1].startswith("2026-01-01 00:00+01:00  2026-01-08 00:00+01:00  done")
    assert lines[-1] == "acme/past -> acme-canopsis: 3 windows, 3 done"
    assert "2 of 3: 2026-01-08 00:00+01:00 to 2026-01-15 00:00+01:00 done" in told.err
    document = again.document
    assert (document["outcome"], document["exit_code"]) == ("nothing-to-do", 0)
    assert document["windows"][0]["since"] == "2025-12-31T23:00:00+00:00"
    assert {each["outcome"] for each in document["windows"]} == {"already done"}


def test_the_command_takes_ids_from_a_file_and_says_which_are_not_there(
    workshop: Workshop, past: Past, refsync: Refsync
) -> None:
    assert past.url
    named = workshop.folder / "named.txt"
    named.write_text(f"# two servers\n{sys_id('server 4')}\n\n  nobody \nnobody\n", "utf-8")

    told = refsync("backfill", JOB_NAME, "--record-ids", str(named))

    assert told.code == 0
    assert "1 of 2 named records found" in told.out
    assert "not there: nobody" in told.out
    assert "srv-004" in workshop.entities()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "yesterday"), "'yesterday' is no moment"),
        (("--record-ids", "nowhere.txt"), "the ids cannot be read: No such file"),
        (("--record-ids", "refsync.yaml", "--since", "2026-01-01"), "and so are dates"),
        ((), "no moment is given"),
        (("--since", "2026-01-01", "--parallel", "0"), "Must be >= 1"),
    ],
)
def test_what_a_backfill_cannot_be_asked_is_said_at_once(
    workshop: Workshop, past: Past, refsync: Refsync, words: tuple[str, ...], says: str
) -> None:
    assert workshop.folder

    told = refsync("backfill", JOB_NAME, *words)

    assert told.code == 2
    assert says in told.err
    assert not past.instance.traffic.calls


def test_a_source_that_keeps_no_dates_is_refused_at_once_with_the_mend(
    workshop: Workshop, refsync: Refsync
) -> None:
    told = refsync("backfill", "acme/servers", *DATES)

    assert told.code == 2
    assert "cannot be read by modification date: it has no `since_param`" in told.err
    assert "declare `since_param` if the API filters by date" in told.err
    assert workshop.runs() == []


def test_an_interrupted_backfill_says_so_and_goes_on_when_it_is_started_again(
    workshop: Workshop, past: Past
) -> None:
    assert past.url
    workshop.canopsis.knobs.turn({"job_faults": [{"kind": "never"}]})
    process = start("backfill", JOB_NAME, *DATES, "--parallel", "2")
    await_that(workshop.imports)

    process.send_signal(signal.SIGINT)
    done = ended(process)

    assert done.code == 130
    assert {run.outcome for run in runs(workshop)} == {"interrupted"}
    workshop.canopsis.knobs.turn({"job_faults": []})
    assert backfill(workshop).exit_code == 0
    assert len(workshop.entities()) == WEEKS * EACH + 2
