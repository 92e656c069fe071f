"""What is done with the ledger as a whole: looked at, copied, taken in, rebuilt from Canopsis."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.files import writing
from flows.job import Job, job_names, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import outcome_of, told
from flows.settings import Settings
from flows.workplace import Progress, Workplace, open_ledger
from referential import backup
from referential.change import UNCONFIRMED
from referential.history import Outcome
from referential.ledger import utc_now
from referential.queue import Ticket, tickets
from referential.rebuild import rebuild
from referential.schema import entities, feeds, locks, runs, version


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of one feed; `held_by` is the run that works on it, if one does."""

    job: str
    target: str
    enabled: int
    disabled: int
    unconfirmed: int
    runs: int
    last: datetime | None
    held_by: str


@dataclass(frozen=True, slots=True)
class Info:
    """The ledger as a whole; `queue` in the order in which runs load."""

    where: str
    version: int
    feeds: tuple[Held, ...]
    queue: tuple[Ticket, ...]


def info_of(settings: Settings) -> Info:
    """What the ledger holds; made when it is not there yet."""
    state, unconfirmed = entities.c.state, entities.c.fingerprint == UNCONFIRMED
    owned = sa.select(
        entities.c.feed,
        *(sa.func.sum(sa.case((test, 1), else_=0)) for test in (state == 0, state == 1)),
        sa.func.sum(sa.case((unconfirmed, 1), else_=0)),
    ).group_by(entities.c.feed)
    ran = sa.select(runs.c.feed, sa.func.count(), sa.func.max(runs.c.started)).group_by(runs.c.feed)
    with open_ledger(settings) as ledger, ledger.database.snapshot() as connection:
        counts: dict[int, tuple[int, int, int]] = {
            feed: tuple(rest) for feed, *rest in connection.execute(owned)
        }
        past = {feed: tuple(rest) for feed, *rest in connection.execute(ran)}
        holders = {row.feed: row.run for row in connection.execute(sa.select(locks))}
        told_of = connection.execute(sa.select(feeds).order_by(feeds.c.job, feeds.c.target))
        return Info(
            where=ledger.database.where,
            version=connection.scalar(sa.select(version.c.version)) or 0,
            feeds=tuple(
                Held(
                    row.job,
                    row.target,
                    *counts.get(row.id, (0, 0, 0)),
                    runs=past.get(row.id, (0, None))[0],
                    last=past.get(row.id, (0, None))[1],
                    held_by=holders.get(row.id, ""),
                )
                for row in told_of
            ),
            queue=tuple(tickets(connection)),
        )


def export_to(
    settings: Settings, path: Path, job: str | None, progress: Progress
) -> Mapping[str, int]:
    """Write the ledger to *path*, whole or not at all; raises Unwritable."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with writing(path), open_ledger(settings) as ledger:
        try:
            with beside.open("xb") as file:
                counts = backup.export(ledger, file, _telling(progress, "export"), job)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return counts


def import_from(
    settings: Settings, path: Path, progress: Progress, *, replace: bool
) -> Mapping[str, int]:
    """Take *path* in; raises Misdeclared when it is not there, and what `backup.restore` raises."""
    if not path.is_file():
        raise Misdeclared([Fault(str(path), "no such file", "name a file of `ledger export`")])
    with open_ledger(settings) as ledger:
        return backup.restore(ledger, path, _telling(progress, "import"), replace=replace)


def rebuild_job(
    settings: Settings, job: Job, progress: Progress, *, replace: bool
) -> Mapping[str, int]:
    """Own what Canopsis holds of the import source of *job*; the ledger keeps it as a run."""
    _alone_with_its_source(settings, job)
    with open_ledger(settings) as ledger:
        run = ledger.start_run(job.feed, "rebuild", utc_now())
        outcome: Outcome = "failed"
        message, counts = "", {}
        try:
            with Workplace(settings, job, run).canopsis() as canopsis:
                counts = rebuild(
                    ledger,
                    canopsis,
                    job.feed,
                    run,
                    source=job.sync.import_source,
                    keys=info_keys(job),
                    replace=replace,
                    progress=_telling(progress, "rebuild"),
                )
            outcome = "done"
        except BaseException as error:
            outcome, message = outcome_of(error), settings.redact(told(error))
            raise
        finally:
            ledger.finish_run(run, outcome, utc_now(), counts=counts, message=message)
    return counts


def info_keys(job: Job) -> frozenset[str]:
    """The infos that the mapping of *job* gives, by whatever rule."""
    found: set[str] = set()
    for block in job.mapping.get("entities") or ():
        for kind in ("component", "resource", "service"):
            rule = block.get(kind) or {}
            for each in rule if isinstance(rule, list) else [rule]:
                found.update(each.get("infos") or ())
    return frozenset(found)


def _alone_with_its_source(settings: Settings, job: Job) -> None:
    """Refuse an import source of two jobs: Canopsis does not say which one loaded an entity."""
    folder = jobs_folder(settings.jobs)
    for name in job_names(folder):
        if name == job.name:
            continue
        try:
            other = load_job(name, folder)
        except Misdeclared:
            continue  # it cannot have loaded anything as it is
        same = other.sync.import_source == job.sync.import_source
        if same and job.sync.connection in other.sync.loads:
            raise Misdeclared(
                [
                    Fault(
                        job.place("sync", "import_source"),
                        f"{other.name} loads into the same Canopsis under the same import source,"
                        " and nothing tells whose entities are whose",
                        "restore an export of the ledger, or let both jobs run: what they find is"
                        " owned again",
                    )
                ]
            )


def _telling(progress: Progress, stage: str) -> Any:
    return lambda done, total: progress(stage, done, total)
