"""The page of a great run: bounded in size, rows and cost; it says what it leaves out."""

import time
from pathlib import Path
from typing import Any

import pytest

from flows import report_facts
from flows.counts import Planned
from flows.report import write_report
from flows.report_facts import CHANGES, REJECTS
from flows.run import Report
from flows.spool import SpoolWriter
from flows.workplace import open_ledger
from referential.change import ACTIONS
from referential.feed import Feed
from referential.history import Reject
from referential.ledger import utc_now
from referential.plan import make_plan
from tests.flows.test_report import Seen
from tests.pages import page_of
from tests.report_feed import ESTATE, TARGET, Made, make

ENTITIES = 100_000
MIB = 1 << 20


@pytest.fixture(scope="module")
def great(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Settings and a ledger with one short past."""
    return make(tmp_path_factory.mktemp("great"), nights=2)


def run_of(made: Made, entities: int, rejects: list[Reject]) -> Report:
    """A first run of so many entities."""
    feed = Feed(ESTATE, TARGET)
    with open_ledger(made.settings) as ledger:
        run = ledger.start_run(feed, "sync", utc_now())
        spool = report_facts.spool_of(made.settings, ESTATE, run)
        with SpoolWriter(spool) as writer:
            for first in range(0, entities, 10_000):
                writer.write("servers", page(first, min(10_000, entities - first)))
        found = spool.found()
        known = ledger.known(Feed(ESTATE, "nowhere"))
        plan = make_plan(found, known, feed=feed, mode="sync", missing="keep", complete=True)
        plan.save(spool.plan)
        ledger.add_rejects(run, rejects)
        ledger.finish_run(run, "done", utc_now())
    counts = {action: plan.counts[action] for action in ACTIONS}
    report = Report(ESTATE, run, "sync", "done", rejects=len(rejects))
    report.planned = Planned(counts, plan.counts, plan.checksum, entities, 0, 0)
    return report


def page(first: int, count: int) -> Any:
    names = [
        f"server-{rank:07}.site-{rank % 90:02}.acme.example" for rank in range(first, first + count)
    ]
    bodies = [
        {"type": "component", "name": name, "category": f"Kind {rank % 7}", "infos": {}}
        for rank, name in enumerate(names)
    ]
    return page_of(names, ["component"] * count, names, bodies)


def test_a_page_of_a_hundred_thousand_entities_stays_small_and_cheap(great: Made) -> None:
    long = {"id": "1", "text": "x" * 9_000}
    rejects = [
        Reject("servers", rank, "component.name", "it is empty", long) for rank in range(2_000)
    ]
    report = run_of(great, ENTITIES, rejects)

    began = time.process_time()
    written = write_report(great.settings, report)
    spent = time.process_time() - began

    assert spent < 3  # 0.7 s where it was measured
    assert written.stat().st_size < 3 * MIB
    seen = Seen(written)
    rows = [attrs for tag, attrs in seen.tags if tag == "td" and attrs.get("class") == "act create"]
    assert 1_000 < len(rows) <= CHANGES
    assert f"refsync report {report.run_id} --json" in seen.text
    assert f"The first {len(rows):,} of {ENTITIES:,}" in seen.text
    assert "of 2,000" in seen.text
    assert f"refsync rejects {report.run_id}" in seen.text


def test_names_without_end_make_no_page_without_end(great: Made, tmp_path: Path) -> None:
    del tmp_path
    reason = "no " * 3_000
    rejects = [Reject("servers", rank, "r", reason, {"id": rank}) for rank in range(REJECTS)]

    written = write_report(great.settings, run_of(great, 10, rejects))

    assert written.stat().st_size < 3 * MIB
