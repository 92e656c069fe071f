"""The pages of a run, of a customer and of all: self-contained HTML, everything escaped.

    reports/index.html                      all customers, the last runs of all
    reports/<customer>/index.html           its feeds: how fresh, how the last runs went
    reports/<customer>/<job>/<run>.html     one run

Every run writes its own and brings the other two up to date; `refsync report` writes them again.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flows.files import write_whole
from flows.job import jobs_folder, load_job
from flows.misdeclared import Misdeclared
from flows.report_charts import TONES, charts_of
from flows.report_customer import customer_of, feeds_of
from flows.report_facts import Facts, facts_of
from flows.report_sheet import SEARCHED_FROM, link, write_page
from flows.run import Report
from flows.settings import Settings
from flows.workplace import open_ledger
from referential import history
from referential.change import ACTIONS
from referential.history import Run
from referential.ledger import Ledger, utc_now

SHOWN_RUNS = 200
_MOST = 100_000  # runs of one job; retention keeps far fewer
_TONES = ("good", "warn", "bad")
# what a page has in the place of a link to the next one; nothing foreign can look like it
_LATEST = '<span class="none" data-latest>no next page</span>'
_SIGNS = {"create": "+", "update": "~", "enable": "^", "prune": "*", "disable": "-", "delete": "x"}


@dataclass(frozen=True, slots=True)
class Customer:
    """A line of the index; `worst` is the worst of the last runs of its feeds."""

    name: str
    page: str
    feeds: int
    last: Run
    worst: Run


def write_report(settings: Settings, report: Report) -> Path:
    """Write the page of a run, and those of its customer and of all; returns the path of the first.

    The page of the run before gets its link to this one. Raises Unwritable.
    """
    with open_ledger(settings) as ledger:
        facts = facts_of(settings, ledger, report.run_id, report)
        page = write_run(settings, facts)
        if facts.before:
            _link_onwards(run_page(settings, facts.run.feed.job, facts.before), page)
        write_customer(settings, ledger, customer_of(report.job))
        write_index(settings, ledger)
    return page


def write_all(settings: Settings, ledger: Ledger, *, runs: bool) -> Iterator[Path]:
    """Write the pages of all customers and the index; with *runs*, those of all runs before."""
    feeds = ledger.feeds()
    if runs:
        kept = (run for job in sorted({feed.job for feed in feeds}) for run in _every(ledger, job))
        coming = dict.fromkeys(run.id for run in kept)
        for run_id in coming:
            yield write_run(settings, facts_of(settings, ledger, run_id), coming=coming)
    for customer in sorted({customer_of(feed.job) for feed in feeds}):
        yield write_customer(settings, ledger, customer)
    yield write_index(settings, ledger)


def _every(ledger: Ledger, job: str) -> list[Run]:
    """The runs of a job that are over, oldest first."""
    return [run for run in reversed(ledger.runs(_MOST, job)) if run.outcome != "running"]


def run_page(settings: Settings, job: str, run: str) -> Path:
    return settings.reports / job / f"{run}.html"


def customer_page(settings: Settings, customer: str) -> Path:
    return settings.reports / customer / "index.html"


def index_page(settings: Settings) -> Path:
    return settings.reports / "index.html"


def write_run(
    settings: Settings, facts: Facts, out: Path | None = None, *, coming: Container[str] = ()
) -> Path:
    """Write the page of one run, to *out* when it is not to stand among the others.

    *coming* are the runs whose pages are about to be written.
    """
    run, rows = facts.run, (facts.changes.rows, facts.rejects, facts.known["remarks"])
    page = out or run_page(settings, run.feed.job, run.id)
    customer = customer_of(run.feed.job)
    links = {
        "before": _neighbour(settings, page, run.feed.job, facts.before, coming),
        "after": _neighbour(settings, page, run.feed.job, facts.after, coming),
        "index": link(page, index_page(settings)),
        "customer": link(page, customer_page(settings, customer)),
    }
    _write(
        page,
        "run.html.j2",
        searched=any(len(each) >= SEARCHED_FROM for each in rows),
        facts=facts,
        customer=customer,
        links=links,
        latest=Markup(_LATEST),  # noqa: S704 - ours
        drawn=charts_of(facts.history, run.id),
        pages=_pages(settings, page, facts.history),
        documentation=_documentation(settings, run.feed.job),
        plan_words=_plan(run, "{sign}{count:,}", " "),
        plan_told=_plan(run, "{count:,} {action}", ", "),
        asked=datetime.fromisoformat(facts.coverage["asked"]) if facts.coverage else None,
        spools=settings.words.retention.spools,
    )
    return page


def write_customer(
    settings: Settings, ledger: Ledger, customer: str, out: Path | None = None
) -> Path:
    """Write the page of one customer."""
    page = out or customer_page(settings, customer)
    feeds = list(feeds_of(settings, ledger, customer))
    _write(
        page,
        "customer.html.j2",
        searched=False,
        customer=customer,
        links={"index": link(page, index_page(settings))},
        feeds=feeds,
        pages=_pages(settings, page, (run for feed in feeds for run in feed.history)),
    )
    return page


def write_index(settings: Settings, ledger: Ledger) -> Path:
    """Write the index of all customers and of the last runs."""
    page, runs = index_page(settings), ledger.runs(SHOWN_RUNS)
    _write(
        page,
        "index.html.j2",
        searched=len(runs) >= SEARCHED_FROM,
        runs=runs,
        pages=_pages(settings, page, runs),
        customers=list(_customers(settings, ledger, page)),
    )
    return page


def _customers(settings: Settings, ledger: Ledger, page: Path) -> Iterator[Customer]:
    last: dict[str, list[Run]] = {}
    with ledger.database.reading() as connection:
        for run in history.last_of_each(connection):
            last.setdefault(customer_of(run.feed.job), []).append(run)
    for name, runs in sorted(last.items()):
        to = customer_page(settings, name)
        yield Customer(
            name=name,
            page=link(page, to) if to.exists() else "",
            feeds=len(runs),
            last=max(runs, key=lambda run: (run.started, run.id)),
            worst=max(runs, key=lambda run: _TONES.index(TONES[run.outcome])),
        )


def _pages(settings: Settings, page: Path, runs: Iterable[Run]) -> dict[str, str]:
    """The runs that have a page, by id, with its address as seen from *page*."""
    paths = {run.id: run_page(settings, run.feed.job, run.id) for run in runs}
    return {run: link(page, path) for run, path in paths.items() if path.exists()}


def _neighbour(settings: Settings, page: Path, job: str, run: str, coming: Container[str]) -> str:
    """The address of the page of another run of the feed; "" when it has none."""
    path = run_page(settings, job, run)
    return link(page, path) if run and (run in coming or path.exists()) else ""


def _link_onwards(page: Path, to: Path) -> None:
    """Give the page of the run before its link to the next one."""
    if not page.exists():
        return
    html = page.read_bytes()
    onwards = (
        f'<a rel="next" href="{link(page, to)}">next run<span aria-hidden="true"> →</span></a>'
    )
    if _LATEST.encode() in html:
        write_whole(page, html.replace(_LATEST.encode(), onwards.encode(), 1))


def _documentation(settings: Settings, job: str) -> str:
    """The page about the feed that its job file names by now; a file that is gone names none."""
    try:
        return load_job(job, jobs_folder(settings.jobs)).sync.documentation
    except Misdeclared:
        return ""


def _plan(run: Run, words: str, between: str) -> str:
    tally = run.counts.get("plan", {})
    parts = [
        words.format(sign=_SIGNS[action], count=tally[action], action=action)
        for action in ACTIONS
        if tally.get(action)
    ]
    return between.join(parts)


def _write(page: Path, template: str, *, searched: bool, **values: Any) -> None:
    write_page(
        page,
        template,
        searched=searched,
        searched_from=SEARCHED_FROM,
        version=metadata.version("refsync"),
        written=utc_now(),
        **values,
    )
