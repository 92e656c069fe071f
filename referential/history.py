"""What runs leave behind: the run itself, and its rejects."""

import difflib
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa

from referential.database import as_json
from referential.errors import Refused
from referential.feed import Feed
from referential.schema import feeds, insert_new, reject_totals, rejects, runs

Outcome = Literal[
    "running", "done", "nothing-to-do", "held", "refused", "partial", "failed", "interrupted"
]
SOUND: Final[tuple[Outcome, ...]] = ("done", "nothing-to-do")  # the feed is in step

SAMPLED = 1_000  # rejects of a run that are kept whole; all are counted
LONGEST = 10_000  # characters of a kept record


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a job.

    `evidence` tells per dataset why the extraction is known to be complete, or why it is not.
    `ended` is None, and the outcome `running`, as long as nobody has said otherwise.
    """

    id: str
    feed: Feed
    mode: str
    started: datetime
    ended: datetime | None
    outcome: Outcome
    counts: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    checksum: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not become an entity, or an entity that Canopsis refused.

    `number` is the record's 1-based rank in its dataset, 0 when there is none.
    """

    dataset: str
    number: int
    rule: str
    reason: str
    record: Any


def run_id(started: datetime) -> str:
    """A short text that sorts by time: `20261124T031500Z-3f9a`."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def start(connection: sa.Connection, feed: int, mode: str, started: datetime) -> str:
    values: dict[str, object] = {
        "feed": feed,
        "mode": mode,
        "started": started,
        "outcome": "running",
        "counts": {},
        "evidence": {},
        "checksum": "",
        "message": "",
    }
    # hundreds of jobs start in the same second of the night: four digits do collide
    while not insert_new(connection, runs, values | {"id": (run := run_id(started))}):
        pass
    return run


def finish(
    connection: sa.Connection,
    run: str,
    outcome: Outcome,
    ended: datetime,
    *,
    counts: Mapping[str, Any],
    evidence: Mapping[str, Any],
    checksum: str,
    message: str,
) -> None:
    if outcome not in get_args(Outcome):
        raise ValueError(f"no outcome of a run: {outcome}")
    found = connection.execute(
        sa.update(runs)
        .where(runs.c.id == run)
        .values(
            outcome=outcome,
            ended=ended,
            counts=dict(counts),
            evidence=dict(evidence),
            checksum=checksum,
            message=message,
        )
    )
    if not found.rowcount:
        raise _unknown(connection, run)


def is_running(connection: sa.Connection, run: str) -> bool:
    return connection.scalar(sa.select(runs.c.outcome).where(runs.c.id == run)) == "running"


def interrupt(connection: sa.Connection, run: str, ended: datetime, message: str) -> None:
    """Close a run whose process died without a word."""
    connection.execute(
        sa.update(runs)
        .where(runs.c.id == run, runs.c.outcome == "running")
        .values(outcome="interrupted", ended=ended, message=message)
    )


def interrupt_silent(
    connection: sa.Connection, feed: int, run: str, now: datetime, silence: timedelta
) -> None:
    """Close the runs of *feed* that died while they did not hold it; *run* holds it now.

    That is before they took it, or between letting it go and their last line. What began within
    *silence* may be about to take it.
    """
    connection.execute(
        sa.update(runs)
        .where(
            runs.c.feed == feed,
            runs.c.id != run,
            runs.c.outcome == "running",
            runs.c.started < now - silence,
        )
        .values(
            outcome="interrupted",
            ended=now,
            message=f"its process ended without a word; run {run} found it",
        )
    )


def latest(connection: sa.Connection, limit: int, job: str | None) -> list[Run]:
    """The last runs, newest first, of one job or of all."""
    query = (
        sa.select(runs, feeds.c.job, feeds.c.target)
        .join(feeds, feeds.c.id == runs.c.feed)
        .order_by(runs.c.started.desc(), runs.c.id.desc())
        .limit(limit)
    )
    if job is not None:
        query = query.where(feeds.c.job == job)
    return [_run(row) for row in connection.execute(query)]


def one(connection: sa.Connection, run: str) -> Run | None:
    """The run of that id, or None."""
    query = sa.select(runs, feeds.c.job, feeds.c.target).join(feeds, feeds.c.id == runs.c.feed)
    row = connection.execute(query.where(runs.c.id == run)).one_or_none()
    return None if row is None else _run(row)


def recent(
    connection: sa.Connection, feed: Feed, limit: int, outcomes: Sequence[Outcome] = ()
) -> list[Run]:
    """The last runs of a feed that have ended and could write, newest first.

    That is neither a plan nor a window of dates; of *outcomes* alone, when they are named.
    """
    query = (
        sa.select(runs, feeds.c.job, feeds.c.target)
        .join(feeds, feeds.c.id == runs.c.feed)
        .where(feeds.c.job == feed.job, feeds.c.target == feed.target)
        .where(runs.c.mode.in_(("sync", "full")), runs.c.outcome != "running")
        .order_by(runs.c.started.desc(), runs.c.id.desc())
        .limit(limit)
    )
    if outcomes:
        query = query.where(runs.c.outcome.in_(outcomes))
    return [_run(row) for row in connection.execute(query)]


def until(connection: sa.Connection, run: Run, limit: int) -> list[Run]:
    """The last ended runs of the feed of *run* up to that one, newest first, of any mode."""
    query = (
        sa.select(runs, feeds.c.job, feeds.c.target)
        .join(feeds, feeds.c.id == runs.c.feed)
        .where(feeds.c.job == run.feed.job, feeds.c.target == run.feed.target)
        .where(runs.c.started <= run.started, runs.c.outcome != "running")
        .order_by(runs.c.started.desc(), runs.c.id.desc())
        .limit(limit)
    )
    return [_run(row) for row in connection.execute(query)]


def last_of_each(connection: sa.Connection) -> list[Run]:
    """The last run of every feed."""
    newest = (runs.c.started.desc(), runs.c.id.desc())
    rank = sa.func.row_number().over(partition_by=runs.c.feed, order_by=newest)
    found = sa.select(runs.c.id, rank.label("rank")).subquery()
    query = (
        sa.select(runs, feeds.c.job, feeds.c.target)
        .join(found, sa.and_(found.c.id == runs.c.id, found.c.rank == 1))
        .join(feeds, feeds.c.id == runs.c.feed)
        .order_by(feeds.c.job, feeds.c.target)
    )
    return [_run(row) for row in connection.execute(query)]


def neighbours(connection: sa.Connection, run: Run) -> tuple[str, str]:
    """The runs of the same feed before and after *run*; "" where there is none."""
    of_feed = (
        sa.select(runs.c.id)
        .join(feeds, feeds.c.id == runs.c.feed)
        .where(feeds.c.job == run.feed.job, feeds.c.target == run.feed.target)
        .limit(1)
    )
    place, here = sa.tuple_(runs.c.started, runs.c.id), sa.tuple_(run.started, run.id)
    before = of_feed.where(place < here).order_by(runs.c.started.desc(), runs.c.id.desc())
    after = of_feed.where(place > here).order_by(runs.c.started, runs.c.id)
    return connection.scalar(before) or "", connection.scalar(after) or ""


def add_rejects(connection: sa.Connection, run: str, coming: Iterable[Reject]) -> None:
    """Count every reject, and keep the first ones of the run."""
    kept = connection.scalar(sa.select(sa.func.count()).where(rejects.c.run == run)) or 0
    totals: Counter[tuple[str, str]] = Counter()
    samples: list[dict[str, Any]] = []
    for reject in coming:
        totals[reject.dataset, reject.rule] += 1
        if kept + len(samples) < SAMPLED:
            samples.append(
                {
                    "run": run,
                    "rank": kept + len(samples),
                    "dataset": reject.dataset,
                    "number": reject.number,
                    "rule": reject.rule,
                    "reason": reject.reason.replace("\0", "\\0"),  # PostgreSQL keeps no NUL
                    "record": _short(reject.record),
                }
            )
    if samples:
        connection.execute(sa.insert(rejects), samples)
    for (dataset, rule), total in sorted(totals.items()):
        _add_total(connection, run, dataset, rule, total)


def sampled(connection: sa.Connection, run: str) -> list[Reject]:
    """The kept rejects of a run, in the order they came."""
    if connection.scalar(sa.select(runs.c.id).where(runs.c.id == run)) is None:
        raise _unknown(connection, run)
    columns = (rejects.c[name] for name in ("dataset", "number", "rule", "reason", "record"))
    query = sa.select(*columns).where(rejects.c.run == run).order_by(rejects.c.rank)
    return [Reject(*row) for row in connection.execute(query)]


def totals_of(connection: sa.Connection, run: str) -> dict[tuple[str, str], int]:
    """How many rejects a run had, by dataset and rule."""
    columns = (reject_totals.c.dataset, reject_totals.c.rule, reject_totals.c.total)
    query = sa.select(*columns).where(reject_totals.c.run == run).order_by(*columns[:2])
    return {(dataset, rule): total for dataset, rule, total in connection.execute(query)}


def _add_total(connection: sa.Connection, run: str, dataset: str, rule: str, total: int) -> None:
    table = reject_totals
    key: dict[str, object] = {"run": run, "dataset": dataset, "rule": rule}
    if not insert_new(connection, table, key | {"total": total}):
        connection.execute(
            sa.update(table)
            .where(table.c.run == run, table.c.dataset == dataset, table.c.rule == rule)
            .values(total=table.c.total + total)
        )


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        feed=Feed(row.job, row.target),
        mode=row.mode,
        started=row.started,
        ended=row.ended,
        outcome=row.outcome,
        counts=row.counts,
        evidence=row.evidence,
        checksum=row.checksum,
        message=row.message,
    )


def _short(record: Any) -> Any:
    text = as_json(record)
    return record if len(text) <= LONGEST else {"cut short": text[:LONGEST]}


def _unknown(connection: sa.Connection, run: str) -> Refused:
    known = connection.scalars(sa.select(runs.c.id).order_by(runs.c.started.desc()).limit(1_000))
    near = difflib.get_close_matches(run, known.all(), n=1, cutoff=0.5)
    return Refused(
        f"no run {run!r} in the ledger",
        mend=f"did you mean {near[0]}?" if near else "`refsync runs` lists them",
    )
