"""The queue of import jobs, and how one is carried out (`specs/canopsis.md` §2.5)."""

import gc
import uuid
from collections.abc import Callable

from sandbox.canopsis_events import Bus, Event
from sandbox.canopsis_job import STORED_QUEUE, Job
from sandbox.canopsis_knobs import Fault, Knobs
from sandbox.canopsis_operations import JobCrashed, JobFailed, Written, apply
from sandbox.canopsis_parse import Parsed, parse
from sandbox.canopsis_parse_d1 import parse as parse_d1
from sandbox.canopsis_store import Store
from sandbox.canopsis_webcore_import import plan

Parse = Callable[..., Parsed]
PARSERS: dict[str, Parse] = {"D1": parse_d1, "D2": parse}
"""The parse phase of each dialect; the write phase and the queue are common to all."""

DEAD_AFTER = 300
"""Seconds without a ping after which an ongoing job is started again, from 23.04 on (§2.5)."""


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
        return any(_due(job) for job in self._jobs.values())

    def take(self) -> Job | None:
        """Mark the oldest pending job as ongoing, unless a worker is at another."""
        stored = self._knobs.numbers() >= STORED_QUEUE
        for job in self._jobs.values():
            if job.status == "ongoing" and (stored or not job.abandoned):
                if not stored or self._now() - (job.last_ping or 0) < DEAD_AFTER:
                    return None
                self._end(job, f"open /tmp/import_{job.id}.json: no such file or directory")
        for job in self._jobs.values():
            if _due(job):
                job.status, job.last_ping = "ongoing", self._now()
                return job
        return None

    def run(self, job: Job) -> None:
        """Carry an ongoing job out, to its end unless its worker is to die."""
        if job.status != "ongoing":
            return
        if _kind(job) == "stuck":
            job.abandoned = True
            return
        collecting = gc.isenabled()
        gc.disable()  # a payload is all fresh objects: the collector would look at them for nothing
        try:
            written = self._execute(job)
        except JobCrashed:
            self._crash(job)
        except JobFailed as failure:
            self._end(job, str(failure))
        except Exception as fault:
            self._end(job, f"fault of the simulator: {fault!r}")
            raise
        else:
            job.updated, job.deleted = written.updated, written.deleted
            self._end(job, "")
        finally:
            if collecting:
                gc.enable()

    def sweep(self) -> None:
        """Remove the reports that the last hourly sweep found too old.

        All are kept until 4.5.8; from 4.5.9 to 22.10 those of unfinished jobs go too (§2.5).
        """
        version = self._knobs.numbers()
        if version < (4, 5, 9):
            return
        retention = self._knobs.report_retention
        every = max(min(3600.0, retention), 0.001)
        elapsed = self._now() - self._start
        oldest = self._start + elapsed // every * every - retention
        for job in list(self._jobs.values()):
            ended = version < STORED_QUEUE or job.status in ("done", "failed")
            if ended and job.creation < oldest:
                del self._jobs[job.id]

    def restart(self) -> None:
        """What a restart of the API does: a queue in memory is lost, its jobs stay as they are."""
        for job in self._jobs.values():
            if job.status == "ongoing" or self._knobs.numbers() < STORED_QUEUE:
                job.abandoned = True

    def _crash(self, job: Job) -> None:
        """The worker is gone: alone up to 22.10, from 23.04 on with the whole API (§3.12)."""
        job.abandoned = True
        knobs = self._knobs
        if knobs.numbers() >= STORED_QUEUE and knobs.crash_calls:
            outage = Fault(knobs.crash_kind, times=knobs.crash_calls, executed=False)
            knobs.faults = [*knobs.faults, outage]

    def _execute(self, job: Job) -> Written:
        now = int(self._now())
        words = job.fault.info.replace("{id}", job.id) if job.fault is not None else ""
        if job.fault is not None and not job.fault.applied:
            raise JobFailed(words)
        if job.dialect == "D0":
            return self._execute_webcore(job, words, now)
        version = self._knobs.numbers()
        parsed = PARSERS[job.dialect](
            job.body,
            self._store,
            source=job.source,
            now=now,
            poison=self._knobs.poison,
            version=version,
        )
        job.items = parsed.items
        if job.fault is not None:
            apply(self._store, parsed.operations[: job.fault.applied], now=now)
            raise JobFailed(words)
        if not parsed.operations:
            raise JobFailed("empty import")
        written = apply(self._store, parsed.operations, now=now)
        if job.partial:
            for event in partial_events(parsed, len(self._store.services), version):
                if event is None:
                    self._bus.recompute_all(self._store)
                else:
                    self._bus.publish(event)
        elif written.updated or job.dialect != "D2":
            self._bus.recompute_all(self._store)
        return written

    def _execute_webcore(self, job: Job, words: str, now: int) -> Written:
        """D0 has no write phase of its own: all is worked out first, nothing follows the write."""
        planned = plan(job.body, self._store, poison=self._knobs.poison)
        job.items = planned.items
        if job.fault is not None:
            planned.write(self._store, now=now, most=job.fault.applied)
            raise JobFailed(words)
        return planned.write(self._store, now=now)

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


def _due(job: Job) -> bool:
    return job.status == "pending" and not job.abandoned and _kind(job) != "never"


def _kind(job: Job) -> str:
    return job.fault.kind if job.fault is not None else ""
