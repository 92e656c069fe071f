"""Jobs looked at without being run: do they compile, and do their connections answer?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.connections import ledger_in_clear
from flows.endpoints import Endpoint, endpoints
from flows.job import job_names, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED, OUTAGE
from flows.settings import Settings


@dataclass(slots=True)
class Check:
    """What was found: `jobs` that compile, each `{job, source, datasets}`; `faults` of the others.

    `connections` are those that the jobs name, when they were asked; `warnings` on how they are
    written in the settings.
    """

    jobs: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    connections: list[Endpoint] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.faults or any(each.undeclared for each in self.connections):
            return MISDECLARED
        return DONE if all(each.sound for each in self.connections) else OUTAGE


def every_job(folder: Path) -> tuple[str, ...]:
    """The names of all jobs of *folder*; raises Misdeclared when there is none."""
    names = tuple(job_names(folder))
    if not names:
        what = "no job file here" if folder.is_dir() else "no such folder of job files"
        mend = "write <customer>/<job>.yaml there, or set REFSYNC_JOBS to their folder"
        raise Misdeclared([Fault(str(folder), what, mend)])
    return names


def check_jobs(settings: Settings, names: Sequence[str], *, connect: bool) -> Check:
    """Compile each job; with *connect* ask their connections too. No job stops the others."""
    seen = Check()
    compiled = []
    for name in names:
        try:
            job = load_job(name, jobs_folder(settings.jobs))
        except Misdeclared as error:
            seen.faults += [{"job": name, **asdict(fault)} for fault in error.faults]
        else:
            compiled.append(job)
            seen.jobs.append({"job": name, "source": job.kind, "datasets": list(job.datasets)})
    if connect:
        seen.connections, seen.warnings = endpoints(settings, compiled)
        seen.warnings += ledger_in_clear(settings)
    return seen
