"""The commands for the ledger itself: what it holds, a copy of it, the way back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.arguments import AsJson, JobName
from flows.console import Shown
from flows.console_ledger import show_counts, show_info
from flows.job import jobs_folder, load_job
from flows.ledger_care import export_to, import_from, info_of, rebuild_job
from flows.logs import log_to
from flows.settings import load_settings

Replace = Annotated[
    bool, Parameter(negative="", help="Put it in the place of what the ledger knows.")
]

ledger = App(
    name="ledger",
    help="The ledger itself: what it holds, a copy in one file, and the way back.\n\n"
    "For example\n\n"
    "    refsync ledger info\n"
    "    refsync ledger export ledger.jsonl\n",
    help_format="plaintext",
)


@ledger.command
def info(*, json: AsJson = False) -> int:
    """What the ledger holds of each feed, who works, and who waits for which Canopsis.

    For example

        refsync ledger info
    """
    shown, settings = Shown(json), load_settings()
    seen = info_of(settings)
    if json:
        shown.json(asdict(seen))
    else:
        show_info(shown, seen)
    return 0


@ledger.command
def export(
    file: Path,
    *,
    job: Annotated[str | None, Parameter(help="Only what the ledger has of this job.")] = None,
    json: AsJson = False,
) -> int:
    """Write the ledger, as it is at this moment, to one file that any database takes in.

    For example

        refsync ledger export ledger.jsonl
        refsync ledger export acme.jsonl --job acme/servers
    """
    shown, settings = Shown(json), load_settings()
    with shown.progress() as progress:
        counts = export_to(settings, file, job, progress)
    show_counts(shown, f"written to {file}", counts)
    return 0


@ledger.command(name="import")
def import_(file: Path, *, replace: Replace = False, json: AsJson = False) -> int:
    """Take in a file of `refsync ledger export`: all of it or nothing.

    Jobs that the file does not have stay as they are.

    For example

        refsync ledger import ledger.jsonl
        refsync ledger import acme.jsonl --replace
    """
    shown, settings = Shown(json), load_settings()
    with shown.progress() as progress:
        counts = import_from(settings, file, progress, replace=replace)
    show_counts(shown, f"taken in from {file}", counts)
    return 0


@ledger.command
def rebuild(job: JobName, *, replace: Replace = False, json: AsJson = False) -> int:
    """Read from Canopsis what a job owns, by its import source, where its ledger is lost.

    The next run sends every entity again.

    For example

        refsync ledger rebuild acme/servers
    """
    shown, settings = Shown(json), load_settings()
    log_to(shown, settings)
    compiled = load_job(job, jobs_folder(settings.jobs))
    with shown.progress() as progress:
        counts = rebuild_job(settings, compiled, progress, replace=replace)
    show_counts(shown, f"{compiled.name} owns what {compiled.sync.import_source} loaded", counts)
    return 0
