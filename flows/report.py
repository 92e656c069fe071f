"""The pages of a run and of all runs: self-contained HTML, everything escaped."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from flows.files import write_whole
from flows.page import changes_table
from flows.run import Report
from flows.settings import Settings
from flows.workplace import open_ledger

SHOWN_CHANGES = 5_000
SHOWN_RUNS = 200

_PAGES = Environment(
    loader=PackageLoader("flows"),
    autoescape=True,  # by name of file it would miss .j2
    undefined=StrictUndefined,
    trim_blocks=True,
)


def write_report(settings: Settings, report: Report) -> Path:
    """Write the page of a run and the index of all; returns the path of the first."""
    with open_ledger(settings) as ledger:
        rejects = ledger.rejects(report.run_id)
        latest = ledger.runs(SHOWN_RUNS)
    page = settings.reports / report.job / f"{report.run_id}.html"
    changes = changes_table(settings, report, SHOWN_CHANGES)
    _write(page, "run.html.j2", report=report, changes=changes, rejects=rejects)
    pages = {
        run.id: quote(f"{run.feed.job}/{run.id}.html")
        for run in latest
        if (settings.reports / run.feed.job / f"{run.id}.html").exists()
    }
    _write(settings.reports / "index.html", "index.html.j2", runs=latest, pages=pages)
    return page


def _write(path: Path, template: str, **values: Any) -> None:
    write_whole(path, _PAGES.get_template(template).render(values).encode())
