"""What past runs left is removed at the end of a run: their rows, their reports, their spools."""

import logging
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flows.settings import Settings
from referential.errors import ReferentialError
from referential.ledger import Ledger
from referential.retention import Forgotten, forget_runs

log = logging.getLogger("refsync")

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")


def clear_away(settings: Settings, ledger: Ledger, *, job: str) -> None:
    """Forget runs of all jobs, and remove the files of *job* that are too many.

    What cannot be removed stays, with a warning: the run itself is over, and well.
    """
    words, spool, reports = settings.words.retention, settings.spool, settings.reports
    try:
        before = ledger.now() - timedelta(days=words.days)
        with ledger.database.writing() as connection:
            gone = forget_runs(connection, keep=words.runs, before=before)
        under_way = {run.id for run in ledger.runs(1_000, job) if run.outcome == "running"}
        for path in (*_spools(spool / job, words.spools, under_way), *_of(gone, spool, reports)):
            _remove(path)
    except (OSError, ReferentialError) as error:
        log.warning("what past runs left could not be cleared away: %s", error)
        return
    if gone:
        log.info("%d runs forgotten, the last of them %s", len(gone), gone[-1].run)


def _spools(folder: Path, keep: int, under_way: set[str]) -> Iterator[Path]:
    """The spools of one job but the last ones; names of runs sort by time."""
    if not folder.is_dir():
        return
    names = sorted(path.name for path in folder.iterdir() if _RUN.fullmatch(path.name))
    for name in names[:-keep]:
        if name not in under_way:
            yield folder / name


def _of(gone: list[Forgotten], spool: Path, reports: Path) -> Iterator[Path]:
    for each in gone:
        yield spool / each.feed.job / each.run
        yield reports / each.feed.job / f"{each.run}.html"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
