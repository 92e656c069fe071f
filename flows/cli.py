"""The command `refsync`: words in, exit code out; what it prints is `flows.console`'s."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from flows.console import Shown
from flows.job import Job, job_names, jobs_folder, load_job
from flows.logs import log_to
from flows.misdeclared import Misdeclared
from flows.outcome import EXPECTED, MISDECLARED, exit_code, told
from flows.prefect_env import settle
from flows.preview import preview_job
from flows.report import write_report
from flows.run import Report, run_job
from flows.settings import Settings, load_settings
from flows.spool import Spool
from flows.stages import probe
from flows.workplace import Options, open_ledger
from referential.plan import Plan

app = App(
    name="refsync",
    help="Keeps the Canopsis entity referential in step with a client's CMDBs.",
    version_flags=["--version"],
    help_epilogue="Exit codes: 0 done, 1 outage or failed import, 2 mis-declared, "
    "3 refused by the guard or an expectation, 130 interrupted.",
    result_action="return_value",
)

JobName = Annotated[str, Parameter(help="`<customer>/<job>`, or the path of a job file.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on stdout.")]
Flag = Parameter(negative="")


@app.command
def check(
    *jobs: JobName,
    connect: Annotated[bool, Parameter(negative="", help="Ask the connections too.")] = False,
    json: AsJson = False,
) -> int:
    """Compile job files and say every fault at once; without a name, all of them.

    Examples:
        refsync check
        refsync check acme/servers --connect
    """
    shown, settings = Shown(json), load_settings()
    faults: list[dict[str, str]] = []
    rows: list[dict[str, Any]] = []
    for name in jobs or tuple(job_names(jobs_folder(settings.words.jobs))):
        try:
            job = _job(settings, name)
            rows.append({"job": job.name, "source": job.kind, "datasets": list(job.datasets)})
            if connect:
                rows[-1] |= asdict(probe(settings, job))
        except Misdeclared as error:
            faults += [{"job": name, **asdict(fault)} for fault in error.faults]
            if not json:
                shown.error(str(error))
    if json:
        shown.json({"jobs": rows, "faults": faults})
    else:
        shown.checked(rows, len(faults))
    return MISDECLARED if faults else 0


@app.command
def preview(
    job: JobName,
    *,
    limit: Annotated[int, Parameter(help="Records to read of each dataset.")] = 5,
    code: Annotated[bool, Parameter(negative="", help="Show the generated Python too.")] = False,
    json: AsJson = False,
) -> int:
    """Read a few records and show the entities they become; nothing is written anywhere.

    Examples:
        refsync preview acme/servers
        refsync preview acme/servers --limit 50 --json
    """
    shown, settings = Shown(json), load_settings()
    seen = preview_job(settings, _job(settings, job), limit)
    if json:
        shown.json(asdict(seen))
    else:
        shown.preview(seen, code=code)
    return 0


@app.command
def plan(
    job: JobName,
    *,
    full: Annotated[bool, Parameter(negative="", help="As if everything were re-sent.")] = False,
    limit: Annotated[int, Parameter(help="Changes to show.")] = 50,
    json: AsJson = False,
) -> int:
    """Read everything, show what a sync would change, and stop: nothing is written to Canopsis.

    Examples:
        refsync plan acme/servers
        refsync plan acme/servers --json | jq .plan
    """
    options = Options(mode="full" if full else "sync", only_plan=True)
    return _run(job, options, json=json, limit=limit)


@app.command
def sync(
    job: JobName,
    *,
    full: Annotated[bool, Parameter(negative="", help="Re-send what did not change too.")] = False,
    allow_missing: Annotated[
        bool, Parameter(negative="", help="Let this run pass the limit `missing`.")
    ] = False,
    allow_changed: Annotated[
        bool, Parameter(negative="", help="Let this run pass the limit `changed`.")
    ] = False,
    flow: Annotated[
        bool, Parameter(negative="", help="Run as a Prefect flow (as with PREFECT_API_URL set).")
    ] = False,
    json: AsJson = False,
) -> int:
    """Bring the referential in step with the source.

    Examples:
        refsync sync acme/servers
        refsync sync acme/servers --full --json
    """
    options = Options("full" if full else "sync", False, allow_missing, allow_changed)
    return _run(job, options, json=json, flow=flow or bool(os.environ.get("PREFECT_API_URL")))


@app.command
def runs(
    *,
    job: Annotated[str | None, Parameter(help="Only the runs of this job.")] = None,
    limit: int = 20,
    json: AsJson = False,
) -> int:
    """The last runs of the ledger, newest first.

    Examples:
        refsync runs --job acme/servers --json
    """
    shown = Shown(json)
    with open_ledger(load_settings()) as ledger:
        latest = ledger.runs(limit, job)
    if json:
        shown.json([asdict(run) for run in latest])
    else:
        shown.runs(latest)
    return 0


@app.command
def rejects(run: str, *, json: AsJson = False) -> int:
    """The rejects of a run: record, rule, reason.

    Examples:
        refsync rejects 20261124T031500Z-3f9a
    """
    shown = Shown(json)
    with open_ledger(load_settings()) as ledger:
        kept, totals = ledger.rejects(run), ledger.reject_totals(run)
    if json:
        shown.json([asdict(reject) for reject in kept])
    else:
        shown.rejects(kept, totals)
    return 0


@app.command
def sandbox(
    name: Literal["canopsis", "api"],
    *,
    port: int = 0,
    version: Annotated[str, Parameter(help="The Canopsis to imitate.")] = "24.10",
) -> int:
    """Serve a simulated system on loopback until stopped.

    Examples:
        refsync sandbox canopsis --port 8082 --version 24.10
    """
    from flows.demo import serve_sandbox  # noqa: PLC0415 - only here and in the demo

    return serve_sandbox(name, port, version)


@app.command
def demo(
    *,
    keep: Annotated[bool, Parameter(negative="", help="Leave the servers up at the end.")] = False,
) -> int:
    """The whole road in two minutes, on loopback: five scenes, as Prefect flow runs."""
    from flows.demo import show_demo  # noqa: PLC0415 - only here may the sandbox be imported

    return show_demo(Shown(), keep=keep)


def _job(settings: Settings, name: str) -> Job:
    return load_job(name, jobs_folder(settings.words.jobs))


def _run(name: str, options: Options, *, json: bool, flow: bool = False, limit: int = 0) -> int:
    shown, settings = Shown(json), load_settings()
    job = _job(settings, name)
    log_to(shown, settings)
    try:
        if flow:
            settle(settings.state)
            from flows.sync import run_as_flow  # noqa: PLC0415 - after `settle`

            report = run_as_flow(name, options)
        else:
            with shown.progress() as progress:
                report = run_job(settings, job, options, progress=progress)
    except EXPECTED as error:
        partly: Report | None = getattr(error, "report", None)
        if partly is not None:
            _show(shown, settings, partly, json=json, limit=limit)
        raise
    _show(shown, settings, report, json=json, limit=limit)
    return report.exit_code


def _show(shown: Shown, settings: Settings, report: Report, *, json: bool, limit: int) -> None:
    page = write_report(settings, report)
    if json:
        shown.json(report.document() | {"report": str(page)})
        return
    shown.report(report)
    shown.out.print(f"report    {page}")
    if limit and report.planned:
        spool = Spool(settings.spool / report.job / report.run_id)
        shown.changes(Plan.load(spool.plan).head(limit), sum(report.planned.counts.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    shown = Shown()
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        shown.error(f"{error}\n  mend: refsync --help")
        code = MISDECLARED
    except EXPECTED as error:
        shown.error(told(error))
        code = exit_code(error)
    sys.exit(code or 0)
