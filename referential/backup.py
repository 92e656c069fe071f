"""A ledger, or one job of it, as one file that any database takes in: JSON, one value a line.

    {"refsync_ledger":1,"made":"2026-11-24T03:15:00+00:00","job":null}
    {"feed":{"job":"acme/servers","target":"acme-canopsis"}}
    {"run":{…}}  {"reject":{…}}  {"total":{…}}  {"import":{…}}      those of the feed before them
    {"rows":10000,"id":[…],"kind":[…],…,"run":[…]}                  its entities, blocks of columns
    {"end":{"feeds":1,"runs":20,"entities":1000000}}

Locks and tickets stay behind: they belong to processes. The last line proves that the file is
whole.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa

from referential.columns import decode_block, encode_block
from referential.database import as_json
from referential.errors import Locked, Refused, Unreadable
from referential.feed import Feed
from referential.ledger import Ledger
from referential.lock import Process, is_alive, this_process
from referential.owned import feed_number, label_codes
from referential.schema import (
    STATES,
    entities,
    feeds,
    imports,
    labels,
    locks,
    queue,
    reject_totals,
    rejects,
    runs,
    windows,
)

FORMAT = 1
BLOCK = 10_000
COLUMNS = (
    "id", "kind", "group", "dataset", "category", "infos", "fingerprint", "state", "missed", "run",
)  # fmt: skip
_LABEL = ("kind", "dataset", "category", "infos")
_OF_RUNS = {"reject": rejects, "total": reject_totals, "import": imports}
_AT_ODDS = (KeyError, ValueError, TypeError, sa.exc.IntegrityError, sa.exc.DataError)
_MOMENTS = ("started", "ended", "begun")

Progress = Callable[[int, int | None], None]  # entities done, and in all (None: unknown)


def export(
    ledger: Ledger, file: IO[bytes], progress: Progress, job: str | None = None
) -> Counter[str]:
    """Write the ledger, or what it has of *job*, as it is at one moment; returns what was written.

    Raises Refused when there is no such job.
    """
    counts: Counter[str] = Counter()
    with ledger.database.snapshot() as connection:
        query = sa.select(feeds).order_by(feeds.c.job, feeds.c.target)
        chosen = connection.execute(query if job is None else query.where(feeds.c.job == job)).all()
        if job is not None and not chosen:
            raise Refused(
                f"the ledger has nothing of {job}",
                where=ledger.database.where,
                mend="`refsync ledger info` lists jobs",
            )
        numbers = [row.id for row in chosen]
        total = connection.scalar(sa.select(sa.func.count()).where(entities.c.feed.in_(numbers)))
        _line(file, {"refsync_ledger": FORMAT, "made": ledger.now().isoformat(), "job": job})
        for row in chosen:
            counts["feeds"] += 1
            _line(file, {"feed": {"job": row.job, "target": row.target}})
            _write_runs(connection, file, row.id, counts)
            for block in _blocks(connection, row.id):
                file.write(encode_block(block))
                counts["entities"] += len(block["id"])
                progress(counts["entities"], total)
    _line(file, {"end": dict(counts)})
    return counts


def restore(ledger: Ledger, path: Path, progress: Progress, *, replace: bool) -> Counter[str]:
    """Take in what `export` wrote: all of it or, when anything is wrong, nothing.

    Feeds that are not in the file stay as they are. Raises Refused when the ledger knows one of the
    file already, unless it is to be *replaced*; Locked while a run works on one; Unreadable for a
    file that is cut short or was not written by `export`.
    """
    counts: Counter[str] = Counter()
    with path.open("rb") as file, ledger.database.writing() as connection:
        header = _read(path, 1, file.readline())
        if header.get("refsync_ledger") != FORMAT:
            raise _unreadable(path, 1, "this is not a ledger that `refsync ledger export` wrote")
        incoming = _Incoming(connection, ledger.now(), counts, replace=replace)
        for number, line in enumerate(file, 2):
            told = _read(path, number, line)
            if "end" in told:
                if told["end"] != dict(counts):
                    raise _unreadable(path, number, "the file does not hold what its end tells")
                return counts
            try:
                incoming.take(told, line)
            except _AT_ODDS as error:
                raise _unreadable(path, number, "this line is not what it should be") from error
            if "rows" in told:
                progress(counts["entities"], None)
        raise _unreadable(path, number if counts else 1, "the file is cut short")


class _Incoming:
    """Lines taken into the tables, those of a feed after its own."""

    def __init__(
        self, connection: sa.Connection, now: datetime, counts: Counter[str], *, replace: bool
    ) -> None:
        self._connection = connection
        self._now = now
        self._counts = counts
        self._replace = replace
        self._feed = 0

    def take(self, told: dict[str, Any], line: bytes) -> None:
        if "rows" in told:
            self._entities(line)
            return
        ((kind, values),) = told.items()
        if kind == "feed":
            self._begin(Feed(**values))
            return
        table = runs if kind == "run" else _OF_RUNS[kind]
        if table in (runs, imports):
            values = values | {"feed": self._feed}
        if values.get("rows") is not None:
            values = values | {"rows": values["rows"].encode()}
        moments = {
            name: datetime.fromisoformat(values[name]) for name in _MOMENTS if values.get(name)
        }
        self._connection.execute(sa.insert(table).values(**values | moments))
        self._counts[f"{kind}s"] += 1

    def _begin(self, feed: Feed) -> None:
        connection = self._connection
        self._feed = feed_number(connection, feed)
        self._counts["feeds"] += 1
        held = connection.execute(sa.select(locks).where(locks.c.feed == self._feed)).first()
        if held is not None:
            holder = Process(held.machine, held.pid, held.born)
            if is_alive(holder, held.heartbeat, this_process(), self._now):
                raise Locked(
                    f"run {held.run} ({holder}) works on it",
                    where=str(feed),
                    mend="wait until it ends",
                )
        known = [
            connection.scalar(sa.select(sa.func.count()).where(table.c.feed == self._feed)) or 0
            for table in (entities, runs)
        ]
        if any(known) and not self._replace:
            raise Refused(
                f"the ledger knows {known[0]:,} entities, {known[1]:,} runs of this feed already",
                where=str(feed),
                mend="nothing was written; `--replace` puts the file in their place",
            )
        forget_feed(connection, self._feed)

    def _entities(self, line: bytes) -> None:
        columns = decode_block(line, COLUMNS)
        told = list(zip(*(columns[name] for name in _LABEL), strict=True))
        codes = label_codes(self._connection, set(told))
        groups = [
            None if group == i else group
            for i, group in zip(columns["id"], columns["group"], strict=True)
        ]
        states = list(map(STATES.index, columns["state"]))
        names = ("id", "group", "label", "fingerprint", "state", "missed", "run")
        rows = zip(
            columns["id"],
            groups,
            map(codes.__getitem__, told),
            columns["fingerprint"],
            states,
            columns["missed"],
            columns["run"],
            strict=True,
        )
        values = [{"feed": self._feed, **dict(zip(names, row, strict=True))} for row in rows]
        self._connection.execute(sa.insert(entities), values)
        self._counts["entities"] += len(values)


def forget_feed(connection: sa.Connection, feed: int) -> None:
    """Remove everything of a feed but its number."""
    of_feed = sa.select(runs.c.id).where(runs.c.feed == feed)
    connection.execute(sa.delete(queue).where(queue.c.run.in_(of_feed)))
    for table in (rejects, reject_totals):
        connection.execute(sa.delete(table).where(table.c.run.in_(of_feed)))
    for owner in (imports, locks, windows, entities, runs):
        connection.execute(sa.delete(owner).where(owner.c.feed == feed))


def _write_runs(
    connection: sa.Connection, file: IO[bytes], feed: int, counts: Counter[str]
) -> None:
    of_feed = sa.select(runs.c.id).where(runs.c.feed == feed)
    queries = {
        "run": sa.select(runs).where(runs.c.feed == feed).order_by(runs.c.id),
        "reject": sa.select(rejects)
        .where(rejects.c.run.in_(of_feed))
        .order_by(rejects.c.run, rejects.c.rank),
        "total": sa.select(reject_totals)
        .where(reject_totals.c.run.in_(of_feed))
        .order_by(*reject_totals.primary_key),
        "import": sa.select(imports).where(imports.c.feed == feed).order_by(imports.c.number),
    }
    for kind, query in queries.items():
        for row in connection.execute(query).mappings():
            values = {name: value for name, value in row.items() if name not in ("feed", "number")}
            if kind == "reject":
                values["number"] = row["number"]
            if values.get("rows") is not None:
                values["rows"] = values["rows"].decode()
            _line(file, {kind: values})
            counts[f"{kind}s"] += 1


def _blocks(connection: sa.Connection, feed: int) -> Iterator[dict[str, list[Any]]]:
    query = (
        sa.select(
            entities.c.id,
            labels.c.kind,
            sa.func.coalesce(entities.c.group, entities.c.id),
            *(labels.c[name] for name in ("dataset", "category", "infos")),
            *(entities.c[name] for name in ("fingerprint", "state", "missed", "run")),
        )
        .join(labels, labels.c.id == entities.c.label)
        .where(entities.c.feed == feed)
        .order_by(entities.c.id)
        .execution_options(yield_per=BLOCK)
    )
    for rows in connection.execute(query).partitions():
        columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        columns["state"] = [STATES[state] for state in columns["state"]]
        yield columns


def _line(file: IO[bytes], value: Any) -> None:
    file.write(as_json(value).encode() + b"\n")


def _read(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(line)
    except ValueError as error:
        raise _unreadable(path, number, "the file is cut short or was changed") from error
    if not isinstance(told, dict):
        raise _unreadable(path, number, "this line is not what it should be")
    return told


def _unreadable(path: Path, line: int, what: str) -> Unreadable:
    return Unreadable(
        what, where=f"{path}:{line}", mend="nothing was written; export the ledger again"
    )
