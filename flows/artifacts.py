"""What a run leaves in Prefect: summary, changes, rejects, progress, the place of its report.

Import it after `flows.prefect_env.settle`. Each is kept under a key of its job and target, so that
Prefect shows the runs of one feed behind one another.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from httpx import HTTPError
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.job import Job
from flows.page import changes_table, summary_markdown
from flows.report import write_report
from flows.run_report import Report
from flows.settings import Settings
from flows.spool import Spool
from flows.workplace import open_ledger
from referential.history import Reject

log = logging.getLogger("refsync")

SHOWN: Final = 1_000  # rows of a table: 28 ms (specs/prefect.md §4)
_WIDEST: Final = 500  # characters of one cell


def artifact_key(job: str, to: str = "") -> str:
    """The key of a job, or of a further target of it.

    Prefect takes lower-case letters, digits and dashes (specs/prefect.md §4).
    """
    key = _slug(job)
    return f"{key}-to-{_slug(to)}" if to else key


def show(settings: Settings, job: Job, report: Report) -> None:
    """Write the page of the run, and tell Prefect what it did; however it ended.

    A Prefect that does not answer is a warning: the run itself is over.
    """
    page = write_report(settings, report)
    key = artifact_key(job.name, job.sync.connection if job.elsewhere else "")
    name = f"{job.name} to {job.sync.connection}" if job.elsewhere else job.name
    with _spoken(settings):
        create_markdown_artifact(
            summary_markdown(report), key=f"{key}-summary", description=f"{name}: {report.outcome}"
        )
        create_markdown_artifact(
            _page(page, report), key=f"{key}-report", description=f"{name}: the report"
        )
        tables = {
            "changes": changes_table(settings, report, SHOWN),
            "rejects": rejects_table(settings, report),
        }
        for what, rows in tables.items():
            if rows:
                create_table_artifact(rows, key=f"{key}-{what}", description=f"{name}: {what}")


def rejects_table(settings: Settings, report: Report) -> list[dict[str, Any]]:
    """The first rejects of the run, a row each: which record, which rule, why."""
    if not report.rejects:
        return []
    with open_ledger(settings) as ledger:
        rejects = ledger.rejects(report.run_id)[:SHOWN]
    spool = Spool(settings.spool / report.job / report.run_id)
    ids = dict(_ids(spool, len(rejects)))
    return [
        {
            "dataset": reject.dataset,
            "record": reject.number or "",
            "rule": reject.rule,
            "reason": reject.reason[:_WIDEST],
            "id": ids.get((reject.dataset, reject.number, reject.rule)) or _id_in(reject),
        }
        for reject in rejects
    ]


class Progress:
    """One progress artifact a stage, updated once a second at most."""

    def __init__(self, settings: Settings, job: Job) -> None:
        self._settings = settings
        self._key = artifact_key(job.name, job.sync.connection if job.elsewhere else "")
        self._artifacts: dict[str, UUID] = {}
        self._told = 0.0

    def tell(self, stage: str, done: int, total: int | None) -> None:
        if not total:  # a share of nothing known cannot be shown
            return
        share = min(100.0, 100.0 * done / total)
        if stage in self._artifacts and share < 100 and time.monotonic() - self._told < 1:
            return
        with _spoken(self._settings):
            self._tell(stage, share)
        self._told = time.monotonic()

    def _tell(self, stage: str, share: float) -> None:
        if stage in self._artifacts:
            update_progress_artifact(self._artifacts[stage], share)
        else:
            made = create_progress_artifact(share, key=f"{self._key}-{stage}", description=stage)
            self._artifacts[stage] = cast("UUID", made)  # typed as if it could be a coroutine


def _page(page: Path, report: Report) -> str:
    """No link alone: no browser follows one to a file from a page that came by HTTP."""
    path = page.absolute()
    return f"Run `{report.run_id}`: `{path}`\n\n[{path.name}]({path.as_uri()})\n"


def _ids(spool: Spool, most: int) -> Iterator[tuple[tuple[str, int, str], str]]:
    """The ids of the first rejects of the extraction: the ledger keeps the records alone."""
    if not spool.rejects.exists():
        return
    for _, row in zip(range(most), spool.iter_rejects(), strict=False):
        if row.get("id"):
            yield (row["dataset"], row["number"], row["rule"]), row["id"]


def _id_in(reject: Reject) -> str:
    """What Canopsis or the plan rejected is known by its id alone."""
    record = reject.record
    alone = not reject.number and isinstance(record, dict)
    return str(record.get("id", "")) if alone else ""


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@contextmanager
def _spoken(settings: Settings) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        what = settings.redact(f"{type(error).__name__}: {error}")
        log.warning("Prefect could not be told what the run did: %s", what)
