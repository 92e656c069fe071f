"""Jobs looked at without being run: do they compile, and do their connections answer?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.job import job_names, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED, OUTAGE, told
from flows.settings import Settings
from flows.stages import probe
from referential.errors import ReferentialError
from sources.errors import SourceError


@dataclass(slots=True)
class Check:
    """What was found: `jobs` that compile, `faults` of those that do not.

    A job is `{job, source, datasets, connections}`, the last one None or what they answered
    (`flows.counts.Checked`). `failures` are connections that do not: `{job, message}`.
    """

    jobs: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.faults:
            return MISDECLARED
        return OUTAGE if self.failures else DONE


def every_job(folder: Path) -> tuple[str, ...]:
    """The names of all jobs of *folder*; raises Misdeclared when there is none."""
    names = tuple(job_names(folder))
    if not names:
        what = "no job file here" if folder.is_dir() else "no such folder of job files"
        mend = "write <customer>/<job>.yaml there, or set REFSYNC_JOBS to their folder"
        raise Misdeclared([Fault(str(folder), what, mend)])
    return names


def check_jobs(settings: Settings, names: Sequence[str], *, connect: bool) -> Check:
    """Compile each job; with *connect* ask its connections too. No job stops the others."""
    seen = Check()
    for name in names:
        try:
            job = load_job(name, jobs_folder(settings.jobs))
            row: dict[str, Any] = {
                "job": job.name,
                "source": job.kind,
                "datasets": list(job.datasets),
                "connections": None,
            }
            seen.jobs.append(row)
            if connect:
                row["connections"] = asdict(probe(settings, job))
        except Misdeclared as error:
            seen.faults += [{"job": name, **asdict(fault)} for fault in error.faults]
        except (ReferentialError, SourceError) as error:
            seen.failures.append({"job": name, "message": settings.redact(told(error))})
    return seen
