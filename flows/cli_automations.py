"""The command `refsync automations`: Prefect sees to runs that died, failed or never came."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson
from flows.check import every_job
from flows.console import Shown
from flows.job import Job, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE
from flows.prefect_env import settle
from flows.settings import Settings, load_settings


def automations(
    *,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be done.")] = False,
    json: AsJson = False,
) -> int:
    """Put the automations of refsync into Prefect, and remove those that are not wanted any more.

    One sets runs `Crashed` whose process was killed; the others tell the blocks that
    refsync.yaml names (`notify`) of runs that failed and of feeds that are stale. Ones that
    somebody has switched off stay off. Exit codes: 0 done, 1 Prefect does not answer or refuses,
    2 mis-declared.

    For example

        refsync automations
        refsync automations --dry-run --json
    """
    shown, settings = Shown(json), load_settings()
    jobs = _jobs(settings)
    settle(settings.state)
    from flows.automations import install  # noqa: PLC0415 - after `settle`

    steps = install(settings, jobs, dry_run=dry_run)
    if json:
        shown.json({"dry_run": dry_run, "automations": [asdict(step) for step in steps]})
        return DONE
    names = ("automation", "would be" if dry_run else "is", "", "what it does")
    rows = (
        (each.name, each.action, "off" if each.paused else "", each.description) for each in steps
    )
    shown.table(names, rows)
    notify = settings.words.notify
    if not notify.webhook and not notify.email:
        shown.note("nobody is told of failures: name blocks under `notify` in refsync.yaml")
    return DONE


def _jobs(settings: Settings) -> list[Job]:
    """All jobs of the folder; raises Misdeclared with the faults of all.

    One that does not compile is not gone: its automation must not be removed for it.
    """
    folder = jobs_folder(settings.jobs)
    jobs: list[Job] = []
    faults: list[Fault] = []
    for name in every_job(folder):
        try:
            jobs.append(load_job(name, folder))
        except Misdeclared as error:
            faults += error.faults
    if faults:
        raise Misdeclared(faults)
    return jobs
