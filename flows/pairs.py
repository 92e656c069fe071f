"""Golden pairs beside job files, compared with what the mapping makes of their records today.

<job>.records.jsonl     what the source gives
<job>.entities.jsonl    what it must become
<job>.rejects.jsonl     what must be refused, and why; no such file: nothing

Rejects are a file of their own, for they are a part of the result: a mapping that begins to refuse
records makes fewer entities, but also one that refuses them for another reason, or that refused
them all along, must be seen by who reads the pair. Nothing is read but these files.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from flows.check import every_job
from flows.entity_diff import differences
from flows.job import Job, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED
from flows.pair import Pair, expected, golden_records, write
from flows.settings import Settings
from flows.workplace import Progress, silent
from mappings.golden import Golden, map_golden, read_objects

State = Literal["ok", "differs", "written", "no pair"]

_DIFFERS = 1  # exit code


@dataclass(frozen=True, slots=True)
class Compared:
    """One job; `diff` is a unified diff by lines, `written` are the files that were rewritten."""

    job: str
    state: State
    records: int = 0
    entities: int = 0
    rejects: int = 0
    diff: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What was found: `jobs`, and `faults` of those that cannot be compared."""

    jobs: list[Compared] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.faults:
            return MISDECLARED
        return _DIFFERS if self.in_state("differs") else DONE

    def in_state(self, state: State) -> list[Compared]:
        return [each for each in self.jobs if each.state == state]


def compare_jobs(
    settings: Settings,
    names: Sequence[str] = (),
    *,
    update: bool = False,
    progress: Progress = silent,
) -> Comparison:
    """Compare the pair of each job, without *names* of all that have one; no job stops the others.

    With *update* the pair is rewritten instead. Raises Misdeclared when there is no job at all.
    """
    folder = jobs_folder(settings.jobs)
    seen = Comparison()
    wanted = names or every_job(folder)
    for rank, name in enumerate(wanted, 1):
        try:
            if names or Pair.beside(folder / f"{name}.yaml").records.is_file():
                seen.jobs.append(_compared(load_job(name, folder), update=update))
            else:
                seen.jobs.append(Compared(name, "no pair"))
        except Misdeclared as error:
            seen.faults += [{"job": name, **asdict(fault)} for fault in error.faults]
        progress("test", rank, len(wanted))
    if not seen.faults and len(seen.in_state("no pair")) == len(seen.jobs):
        what, mend = "no job has a golden pair", "write one: refsync record JOB"
        raise Misdeclared([Fault(str(folder), what, mend)])
    return seen


def _compared(job: Job, *, update: bool) -> Compared:
    pair = Pair.beside(Path(job.file.name))
    records = golden_records(pair.records, job.name, job.datasets)
    golden = map_golden(job.mapper(), records)
    written: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    if update:
        written = tuple(write(pair.entities, golden.entities, always=True))
        written += tuple(write(pair.rejects, golden.reject_lines, always=False))
    else:
        diff = _diff(pair, golden)
    return Compared(
        job.name,
        "written" if written else "differs" if diff else "ok",
        records=sum(map(len, records.values())),
        entities=len(golden.entities),
        rejects=len(golden.rejects),
        diff=diff,
        written=written,
    )


def _diff(pair: Pair, golden: Golden) -> tuple[str, ...]:
    lines: list[str] = []
    for path, made in ((pair.entities, golden.entities), (pair.rejects, golden.reject_lines)):
        found = list(differences(expected(path), read_objects("\n".join(made).encode())))
        if found:
            lines += [f"--- {path}", "+++ what the mapping makes", *found]
    return tuple(lines)
