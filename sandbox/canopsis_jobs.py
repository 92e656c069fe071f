"""Import jobs: the queue, the life of a job, its report (`specs/canopsis.md` §2.4, §2.5)."""

import gc
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.canopsis_events import Bus, Event
from sandbox.canopsis_knobs import JobFault, Knobs
from sandbox.canopsis_operations import JobFailed, apply
from sandbox.canopsis_parse import Parsed, parse
from sandbox.canopsis_store import Store

Parse = Callable[..., Parsed]
PARSERS: dict[str, Parse] = {"D2": parse}
"""The parse phase of each dialect; the write phase and the queue are common to all."""

DEAD_AFTER = 300
"""Seconds without a ping after which an ongoing job is started again (§2.5)."""


@dataclass(slots=True)
class Job:
    """One import; times in Unix seconds, `items` known once it has been parsed."""

    id: str
    source: str
    partial: bool
    dialect: str
    body: bytes
    creation: float
    size: int
    fault: JobFault | None = None
    status: Literal["pending", "ongoing", "failed", "done"] = "pending"
    info: str = ""
    exec_time: str = ""
    last_ping: float | None = None
    updated: int = 0
    deleted: int = 0
    items: int | None = None

    def report(self) -> dict[str, Any]:
        """The status body of 23.04 and later."""
        return {
            "_id": self.id,
            "creation": _rfc3339(self.creation),
            "last_ping": None if self.last_ping is None else _rfc3339(self.last_ping),
            "status": self.status,
            "info": self.info,
            "exec_time": self.exec_time,
            "source": self.source,
            "stats": {"deleted": self.deleted, "updated": self.updated},
        }


class Jobs:
    """The queue of one cluster: oldest first, one ongoing at a time."""

    def __init__(self, store: Store, bus: Bus, knobs: Knobs, now: Callable[[], float]) -> None:
        self._store, self._bus, self._knobs, self._now = store, bus, knobs, now
        self._jobs: dict[str, Job] = {}
        self._start = now()

    def submit(self, body: bytes, *, source: str, partial: bool, dialect: str = "D2") -> Job:
        job = Job(str(uuid.uuid4()), source, partial, dialect, body, self._now(), len(body))
        for fault in self._knobs.job_faults:
            if fault.times is None or fault.times > 0:
                fault.times = None if fault.times is None else fault.times - 1
                job.fault = fault
                break
        self._jobs[job.id] = job
        return job

    def get(self, job: str) -> Job | None:
        """The job, unless its report has been swept."""
        self.sweep()
        return self._jobs.get(job)

    def waiting(self) -> bool:
        return any(job.status == "pending" and _kind(job) != "never" for job in self._jobs.values())

    def take(self) -> Job | None:
        """Mark the oldest pending job as ongoing, unless one already is."""
        for job in self._jobs.values():
            if job.status == "ongoing":
                if self._now() - (job.last_ping or 0) < DEAD_AFTER:
                    return None
                self._end(job, f"open /tmp/import_{job.id}.json: no such file or directory")
        for job in self._jobs.values():
            if job.status == "pending" and _kind(job) != "never":
                job.status, job.last_ping = "ongoing", self._now()
                return job
        return None

    def run(self, job: Job) -> None:
        """Carry an ongoing job out, to its end unless its worker is to die."""
        if job.status != "ongoing" or _kind(job) == "stuck":
            return
        collecting = gc.isenabled()
        gc.disable()  # a payload is all fresh objects: the collector would look at them for nothing
        try:
            job.updated = self._execute(job)
        except JobFailed as failure:
            self._end(job, str(failure))
        except Exception as fault:
            self._end(job, f"fault of the simulator: {fault!r}")
            raise
        else:
            self._end(job, "")
        finally:
            if collecting:
                gc.enable()

    def sweep(self) -> None:
        """Remove the reports that the last hourly sweep found too old."""
        retention = self._knobs.report_retention
        every = max(min(3600.0, retention), 0.001)
        elapsed = self._now() - self._start
        oldest = self._start + elapsed // every * every - retention
        ended = [j for j in self._jobs.values() if j.status in ("done", "failed")]
        for job in ended:
            if job.creation < oldest:
                del self._jobs[job.id]

    def _execute(self, job: Job) -> int:
        now = int(self._now())
        words = job.fault.info.replace("{id}", job.id) if job.fault is not None else ""
        if job.fault is not None and not job.fault.applied:
            raise JobFailed(words)
        parsed = PARSERS[job.dialect](
            job.body, self._store, source=job.source, now=now, poison=self._knobs.poison
        )
        job.items = parsed.items
        if job.fault is not None:
            apply(self._store, parsed.operations[: job.fault.applied], now=now)
            raise JobFailed(words)
        if not parsed.operations:
            raise JobFailed("empty import")
        updated = apply(self._store, parsed.operations, now=now)
        if job.partial:
            for event in partial_events(parsed, len(self._store.services), self._knobs.numbers()):
                if event is None:
                    self._bus.recompute_all(self._store)
                else:
                    self._bus.publish(event)
        elif updated:
            self._bus.recompute_all(self._store)
        return updated

    def _end(self, job: Job, info: str) -> None:
        job.status = "failed" if info else "done"
        job.info, job.body = info, b""
        took = int(self._now() - (job.last_ping or self._now()))
        job.exec_time = f"{took // 3600:02}:{took // 60 % 60:02}:{took % 60:02}"
        if info and self._knobs.failed_job_alarm:
            alarm = {
                "connector": "taskhandler",
                "connector_name": "task_importctx",
                "component": "job",
                "resource": job.id,
                "state": 3,
                "output": f"Import {job.id} failed.",
            }
            self._bus.publish(Event("check", f"{job.id}/job", alarm))


def partial_events(parsed: Parsed, services: int, version: tuple[int, ...]) -> list[Event | None]:
    """The events of a partial import (§3.10); None stands for a recompute of all services.

    *services* counts those in the database after the write, soft-deleted ones included.
    """
    if version < (24, 4):
        return _older_partial_events(parsed, services, version)
    listed = len(parsed.services) + len(parsed.resources)
    every_component = [*parsed.components, *parsed.existing]
    if services == 0:
        return [*every_component]
    if listed <= services:
        known = [event for event in parsed.services if event.entity]
        return [*known, *parsed.resources, *parsed.components]
    return [None, *every_component]


def _older_partial_events(
    parsed: Parsed, services: int, version: tuple[int, ...]
) -> list[Event | None]:
    """23.04 and 23.10: components count as resources do, whose events are lost in some versions."""
    broken = (23, 4) <= version < (23, 4, 14) or (23, 10) <= version < (23, 10, 6)
    known = [event for event in parsed.services if event.entity]
    listed = len(parsed.services) + len(parsed.resources) + len(parsed.components)
    if services and listed > services:
        return [None]
    if services == 0:
        return [*known]
    return [*known, *([] if broken else parsed.resources), *parsed.components]


def _kind(job: Job) -> str:
    return job.fault.kind if job.fault is not None else ""


def _rfc3339(moment: float) -> str:
    when = datetime.fromtimestamp(moment, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"
