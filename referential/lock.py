"""One run per feed at a time, across processes and machines.

The lock is a row with a heartbeat. A holder is dead when its heart has been silent for `SILENCE`,
and on its own machine as soon as its process is no more. Who takes over a lock says so in the
ledger, and the run that lost it, should it live after all, writes nothing more (`still_held`).
"""

import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from referential.errors import Locked, ReferentialError
from referential.history import interrupt
from referential.schema import insert_new, locks

BEAT = timedelta(seconds=15)
SILENCE = timedelta(seconds=90)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """A process among all that may use one ledger.

    `machine` names the host, its boot and its process namespace, within which `pid` means
    something; `born` is the start time that tells a process from a later one of the same pid, ""
    where the system does not say, and the heartbeat alone decides.
    """

    machine: str
    pid: int
    born: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.machine.split()[0]}"


@cache
def machine() -> str:
    boot = _read(Path("/proc/sys/kernel/random/boot_id"))
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {boot} {namespace}".strip()


def this_process() -> Process:
    return Process(machine(), os.getpid(), born(os.getpid()))


def born(pid: int) -> str:
    """When a process of this machine started, in the kernel's ticks; "" when it is no more."""
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return state[19] if len(state) > 19 and state[0] != "Z" else ""


class Heart(threading.Thread):
    """Calls `beat` every `BEAT` until it is stopped or what it keeps is lost."""

    def __init__(self, beat: Callable[[], bool], keeps: str = "lock") -> None:
        super().__init__(name=f"ledger-heartbeat of the {keeps}", daemon=True)
        self._beat = beat
        self._keeps = keeps
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(BEAT.total_seconds()):
            try:
                if not self._beat():
                    return
            except ReferentialError as error:
                logger.warning("the %s of this run could not be renewed: %s", self._keeps, error)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def acquire(connection: sa.Connection, feed: int, run: str, now: datetime, *, where: str) -> None:
    """Take the lock, or raise Locked with who holds it and since when."""
    me = this_process()
    mine: dict[str, object] = {
        "run": run,
        "machine": me.machine,
        "pid": me.pid,
        "born": me.born,
        "since": now,
        "heartbeat": now,
    }
    if insert_new(connection, locks, mine | {"feed": feed}):
        return
    row = connection.execute(sa.select(locks).where(locks.c.feed == feed).with_for_update()).one()
    holder = Process(row.machine, row.pid, row.born)
    if row.run != run:
        if is_alive(holder, row.heartbeat, me, now):
            raise _held(row, holder, now, where)
        interrupt(
            connection, row.run, now, f"{holder} ended without a word; run {run} took its place"
        )
    connection.execute(sa.update(locks).where(locks.c.feed == feed).values(**mine))


def beat(connection: sa.Connection, feed: int, run: str, now: datetime) -> bool:
    """Show that the holder lives; False when it holds the lock no more."""
    mine = sa.update(locks).where(locks.c.feed == feed, locks.c.run == run)
    return connection.execute(mine.values(heartbeat=now)).rowcount == 1


def release(connection: sa.Connection, feed: int, run: str) -> None:
    connection.execute(sa.delete(locks).where(locks.c.feed == feed, locks.c.run == run))


def still_held(connection: sa.Connection, feed: int, run: str, *, where: str) -> None:
    """Raise Locked when another run has taken the feed over; no lock at all is no objection."""
    holder = connection.scalar(sa.select(locks.c.run).where(locks.c.feed == feed))
    if holder is not None and holder != run:
        raise Locked(
            f"run {run} was taken for dead and run {holder} took its place: it stops here",
            where=where,
            mend="nothing: the other run does the work",
        )


def is_alive(holder: Process, heartbeat: datetime, me: Process, now: datetime) -> bool:
    """Whether *holder*, last heard of at *heartbeat*, is to be reckoned with."""
    if now - heartbeat >= SILENCE:
        return False
    elsewhere = holder.machine != me.machine or not holder.born
    return elsewhere or born(holder.pid) == holder.born


def _held(row: sa.Row[tuple[object, ...]], holder: Process, now: datetime, where: str) -> Locked:
    silent = int((now - row.heartbeat).total_seconds())
    return Locked(
        f"run {row.run} ({holder}) has held this feed since {row.since:%Y-%m-%d %H:%M:%S} UTC,"
        f" last sign of life {silent} s ago",
        where=where,
        mend="wait until it ends, or stop it; a dead holder loses the lock"
        f" after {int(SILENCE.total_seconds())} s at most",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
