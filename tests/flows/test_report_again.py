"""`refsync report`: pages written again, and what they say when some of it is gone."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from flows.report import write_report
from flows.report_customer import stale_from
from flows.report_facts import Message
from flows.report_sheet import span
from flows.sync_config import Schedule
from referential.errors import PlanRefused
from referential.feed import Feed
from referential.history import Run
from tests.flows.command import Refsync
from tests.flows.test_report import Seen, pages_of
from tests.flows.workshop import JOB, NAME, Workshop, servers

WRITTEN = re.compile(r"page written [^<]*")


def body(page: Path) -> str:
    """A page without the moment it was written."""
    return WRITTEN.sub("", page.read_text(encoding="utf-8"))


def test_a_page_written_again_is_the_one_that_the_run_wrote(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.serve([*servers(12), {"id": "13"}])
    report = workshop.run()
    page = write_report(workshop.settings(), report)
    before = body(page)

    done = refsync("report", report.run_id)

    assert done.code == 0
    assert done.out.split() == [str(page)]
    assert body(page) == before


def test_once_the_spool_is_gone_the_page_says_what_is_no_longer_there(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.serve([*servers(12), {"id": "13"}])
    report = workshop.run()
    evidence = report.evidence()["servers"]["evidence"]
    assert evidence
    shutil.rmtree(workshop.folder / "state" / "spool")

    done = refsync("report", report.run_id)

    text = Seen(Path(done.out.strip())).text
    assert "No longer there: the 12 changes one by one; the tree of its entities" in text
    assert "retention.spools" in text
    assert "no longer there: the tree of its entities" in done.err
    for kept in ("12 create", "component.name", evidence, "of 12 loaded"):
        assert kept in text, kept


def test_a_run_as_json_has_every_change_and_its_record_of_the_ledger(
    workshop: Workshop, refsync: Refsync
) -> None:
    report = workshop.run()
    write_report(workshop.settings(), report)

    document = refsync("report", report.run_id, "--json").document

    assert document["run"]["outcome"] == "done"
    assert len(document["changes"]) == 30
    assert document["changes"][0]["entity"] == "srv-001"
    assert document["gone"] == []
    assert document["kept"]["checked"]["canopsis"]


def test_a_page_elsewhere_leads_back_to_the_others(
    workshop: Workshop, refsync: Refsync, tmp_path: Path
) -> None:
    for _ in range(2):
        report = workshop.run()
        write_report(workshop.settings(), report)
    out = tmp_path / "mail" / "run.html"

    done = refsync("report", report.run_id, "--out", str(out))

    assert done.out.strip() == str(out)
    links = pages_of(out)
    assert len(links) >= 3  # the run before, the customer, the index
    for link in links:
        assert (out.parent / unquote(link)).resolve().is_file(), link


def test_all_pages_are_written_and_linked_to_their_neighbours(
    workshop: Workshop, refsync: Refsync
) -> None:
    runs = [workshop.run().run_id for _ in range(3)]

    done = refsync("report", "--all", "--json")

    reports = workshop.folder / "state" / "reports"
    pages = [reports / NAME / f"{run}.html" for run in runs]
    others = [reports / "acme" / "index.html", reports / "index.html"]
    assert done.document["pages"] == [str(page) for page in (*pages, *others)]
    middle = pages_of(pages[1])
    assert f"{runs[0]}.html" in middle
    assert f"{runs[2]}.html" in middle


def test_the_page_before_gets_its_link_when_the_next_run_is_over(workshop: Workshop) -> None:
    first = write_report(workshop.settings(), workshop.run())
    assert "no next page" in Seen(first).text

    second = write_report(workshop.settings(), workshop.run())

    assert "no next page" not in Seen(first).text
    assert second.name in pages_of(first)
    assert first.name in pages_of(second)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("20261101T000000Z-0000",), "no run '20261101T000000Z-0000' in the ledger"),
        (("--customer", "nobody"), "no feed of customer 'nobody' has run"),
        (("--customer", "acme", "--all"), "a run, --customer and --all exclude one another"),
        (("--out", "x.html"), "--out is the file of one page"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is(
    words: tuple[str, ...], what: str, workshop: Workshop, refsync: Refsync
) -> None:
    workshop.run()

    done = refsync("report", *words)

    assert done.code == 2
    assert what in done.err
    assert "mend: " in done.err
    assert not (workshop.folder / "state" / "reports").exists()


def test_the_page_of_a_customer_has_its_feeds_and_what_waits(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(JOB + "  on_refusal: hold_removals\n")
    workshop.write_job(JOB, "globex/servers")
    workshop.run()
    workshop.run("globex/servers")
    workshop.serve(servers(8, site="Lyon"))
    held = workshop.run(allow_changed=True)
    write_report(workshop.settings(), held)

    done = refsync("report", "--customer", "acme")

    page = Path(done.out.strip())
    text = Seen(page).text
    assert "22 removals wait" in text
    assert "globex" not in text
    assert "held" in text
    assert f"servers/{held.run_id}.html" in pages_of(page)


def test_a_feed_whose_job_file_is_gone_keeps_its_page(workshop: Workshop, refsync: Refsync) -> None:
    workshop.run()
    (workshop.folder / "jobs" / f"{NAME}.yaml").unlink()

    done = refsync("report", "--customer", "acme")

    assert done.code == 0
    assert NAME in Seen(Path(done.out.strip())).text


def test_the_guard_shows_its_figures_beside_its_limits(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve(servers(20))
    with pytest.raises(PlanRefused) as refused:
        workshop.run()

    page = write_report(workshop.settings(), refused.value.report)

    rows = re.findall(r"<tr><td>missing<td>.*?</tr>", page.read_text(encoding="utf-8"), re.DOTALL)
    assert "30 owned" in rows[0]
    assert '<td class="n">10<' in rows[0]
    assert "over the limit" in rows[0]
    assert '<td class="n">3<td>10%' in rows[0]
    assert "Nothing of this was made: the plan was refused." in Seen(page).text


def test_the_page_tells_where_the_time_went(workshop: Workshop) -> None:
    report = workshop.run()
    stages = ["check", "extract", "plan", "guard", "load", "verify", "converge", "record"]

    page = write_report(workshop.settings(), report)

    assert list(report.stages) == stages
    assert all(f"<tr><td>{stage}<td" in page.read_text(encoding="utf-8") for stage in stages)
    assert workshop.last_run().counts["stages"].keys() == report.stages.keys()


def test_what_coverage_saw_last_is_on_the_pages_from_then_on(
    workshop: Workshop, refsync: Refsync
) -> None:
    report = workshop.run()
    before = Seen(write_report(workshop.settings(), report)).text
    assert "Not asked yet: refsync coverage acme-canopsis" in before

    assert refsync("coverage", "acme-canopsis").code == 0

    after = Seen(write_report(workshop.settings(), report)).text
    assert "Not asked yet" not in after
    assert "of 0 open alarms in acme-canopsis" in after


def test_the_page_about_the_feed_is_linked(workshop: Workshop) -> None:
    workshop.write_job(JOB + "  documentation: https://wiki.acme.example/feed\n")

    page = write_report(workshop.settings(), workshop.run())

    assert "https://wiki.acme.example/feed" in Seen(page).links


def test_a_message_is_taken_apart_into_what_where_and_mend() -> None:
    told = Message.of("it is down\n  where: job:3:1\n  mend: start it\n  mend: or wait\n  also: x")

    assert told == Message("it is down", "job:3:1", "start it\nor wait", ("also: x",))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0.4 s"), (59.94, "59.9 s"), (63.4, "1 min 03 s"), (3_900, "1 h 05 min"),
     (200_000, "2 d 7 h"), (timedelta(seconds=2), "2.0 s"), (None, "")],
)  # fmt: skip
def test_a_duration_is_told_in_the_units_that_matter(
    seconds: float | timedelta | None, words: str
) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        (None, 26 + 1 / 60),
        (Schedule(interval=3600), 2),
        (Schedule(interval=86_400), 26),
        (Schedule(cron="0 2 * * *"), 26),
        (Schedule(cron="*/10 * * * *"), 1 / 3),
        (Schedule(cron="0 2 * * *", timezone="Europe/Paris"), 25),  # at 1:00 UTC
    ],
)
def test_a_run_is_too_old_when_the_next_one_should_be_over(
    schedule: Schedule | None, hours: float
) -> None:
    began = datetime(2026, 11, 24, 2, tzinfo=UTC)
    done = Run("r", Feed("a/b", "c"), "sync", began, began + timedelta(minutes=1), "done")

    assert stale_from(schedule, done) == began + timedelta(hours=hours)
