"""The command `refsync`: words in, exit code out; what it prints is `flows.console`'s."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from io import TextIOWrapper
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from flows.arguments import AsJson, Count, JobName, To
from flows.check import check_jobs, every_job
from flows.cli_answers import adopt, coverage, drift, explain
from flows.cli_automations import automations
from flows.cli_backfill import backfill
from flows.cli_connections import connections
from flows.cli_deploy import deploy, serve
from flows.cli_driver import driver, init
from flows.cli_health import health
from flows.cli_ledger import ledger as ledger_commands
from flows.cli_pairs import compare, record
from flows.cli_promote import promote
from flows.cli_report import report
from flows.cli_resume import resume
from flows.cli_run import carried_out
from flows.console import Shown
from flows.job import Job, jobs_folder, load_job
from flows.logs import log_to
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import EXPECTED, MISDECLARED, exit_code, told
from flows.prefect_env import settle
from flows.preview import preview_job
from flows.run import Report, run_job
from flows.settings import Settings, load_settings
from flows.stopping import terminable
from flows.workplace import Mode, Options, open_ledger
from referential.errors import Refused


def _is_checksum(_type: object, text: str | None) -> None:
    """What is no checksum could accept nothing, and must not be taken for no wish at all."""
    if text is not None and not re.fullmatch(r"[0-9a-f]{32}", text):
        raise ValueError(f"{text!r} is no checksum of a plan, which has 32 digits from 0 to f")


app = App(
    name="refsync",
    help="Keeps the Canopsis entity referential in step with a client's CMDBs.",
    version_flags=["--version"],
    help_epilogue="Exit codes: 0 done, 1 outage or failed import, 2 mis-declared, "
    "3 refused by the guard or an expectation, 4 drift, 130 interrupted, 143 by SIGTERM.",
    version=lambda: metadata.version("refsync"),
    help_format="plaintext",  # keeps the lines of the examples apart
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # `main` says how to go on
)


@app.command
def check(
    *jobs: JobName,
    connect: Annotated[bool, Parameter(negative="", help="Ask the connections too.")] = False,
    json: AsJson = False,
) -> int:
    """Compile job files and say every fault at once; without a name, all of them.

    For example

        refsync check
        refsync check acme/servers --connect
    """
    shown, settings = Shown(json), load_settings()
    seen = check_jobs(settings, jobs or every_job(jobs_folder(settings.jobs)), connect=connect)
    if json:
        shown.json(asdict(seen))
    else:
        shown.checked(seen)
    return seen.exit_code


@app.command
def preview(
    job: JobName,
    *,
    limit: Annotated[Count, Parameter(help="Records to read of each dataset.")] = 5,
    code: Annotated[bool, Parameter(negative="", help="Show the generated Python too.")] = False,
    json: AsJson = False,
) -> int:
    """Read a few records and show the entities they become; nothing is written anywhere.

    For example

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
    to: To = "",
    limit: Annotated[Count, Parameter(help="Changes to show.")] = 50,
    json: AsJson = False,
) -> int:
    """Read everything, show what a sync would change, and stop: nothing is written to Canopsis.

    For example

        refsync plan acme/servers
        refsync plan acme/servers --json | jq .plan
    """
    options = Options(mode="full" if full else "sync", only_plan=True, to=to)
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
    accept: Annotated[
        str | None,
        Parameter(
            validator=_is_checksum,
            help="Let the plan of this checksum pass all limits, and no other plan.",
        ),
    ] = None,
    to: To = "",
    flow: Annotated[
        bool, Parameter(negative="", help="Run as a Prefect flow (as with PREFECT_API_URL set).")
    ] = False,
    json: AsJson = False,
) -> int:
    """Bring the referential in step with the source.

    For example

        refsync sync acme/servers
        refsync sync acme/servers --full --json
        refsync sync acme/servers --to acme-preproduction
        refsync sync acme/servers --accept 5f0c3a8e9d2b417c86a1f4d7e0b2c935
    """
    mode: Mode = "full" if full else "sync"
    options = Options(mode, False, allow_missing, allow_changed, accept or "", to)
    return _run(job, options, json=json, flow=flow or bool(os.environ.get("PREFECT_API_URL")))


app.command(backfill)
app.command(driver, help_flags=("--help", "-h", "-help"))  # the driver knows -help
app.command(init)
app.command(record)
app.command(compare, name="test")
app.command(explain)
app.command(drift)
app.command(coverage)
app.command(adopt)
app.command(promote)
app.command(ledger_commands)
app.command(health)
app.command(report)
app.command(deploy)
app.command(serve)
app.command(connections)
app.command(automations)
app.command(resume)


@app.command
def runs(
    *,
    job: Annotated[str | None, Parameter(help="Only the runs of this job.")] = None,
    limit: Annotated[Count, Parameter(help="Runs to show.")] = 20,
    json: AsJson = False,
) -> int:
    """The last runs of the ledger, newest first.

    For example

        refsync runs
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
def rejects(
    run: Annotated[str, Parameter(help="Id of a run, as `refsync runs` shows it.")],
    *,
    json: AsJson = False,
) -> int:
    """The rejects of a run: record, rule, reason.

    For example

        refsync rejects 20261124T031500Z-3f9a
    """
    shown = Shown(json)
    with open_ledger(load_settings()) as ledger:
        try:
            kept, totals = ledger.rejects(run), ledger.reject_totals(run)
        except Refused as refusal:  # no such run
            raise Misdeclared.of(refusal, f"refsync rejects {run}") from refusal
    if json:
        shown.json([asdict(reject) for reject in kept])
    else:
        shown.rejects(kept, totals)
    return 0


@app.command
def sandbox(
    name: Annotated[
        Literal["canopsis", "api", "itop", "servicenow", "easyvista"],
        Parameter(help="The system to imitate."),
    ],
    *,
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 0,
    version: Annotated[str, Parameter(help="Its version, where it can be several.")] = "",
) -> int:
    """Serve a simulated system on loopback until stopped.

    For example

        refsync sandbox canopsis --port 8082 --version 24.10
        refsync sandbox itop --version 2.4.3
    """
    from flows.sandboxes import serve_sandbox  # noqa: PLC0415 - only here and in the demo

    return serve_sandbox(name, port, version)


@app.command
def demo(
    *,
    full: Annotated[bool, Parameter(negative="", help="Add a client of every source.")] = False,
    keep: Annotated[bool, Parameter(negative="", help="Leave the servers up at the end.")] = False,
) -> int:
    """The whole road in two minutes, on loopback: five scenes, as Prefect flow runs.

    For example

        refsync demo
        refsync demo --full
        refsync demo --keep
    """
    from flows.demo import show_demo  # noqa: PLC0415 - only here may the sandbox be imported

    return show_demo(Shown(), keep=keep, full=full)


def _job(settings: Settings, name: str) -> Job:
    return load_job(name, jobs_folder(settings.jobs))


def _run(name: str, options: Options, *, json: bool, flow: bool = False, limit: int = 0) -> int:
    shown, settings = Shown(json), load_settings()
    job = _job(settings, name).towards(options.to)
    log_to(shown, settings)

    def run() -> Report:
        if flow:
            settle(settings.state)
            from flows.sync import run_as_flow  # noqa: PLC0415 - after `settle`

            return run_as_flow(name, options)
        with shown.progress() as progress:
            return run_job(settings, job, options, progress=progress)

    return carried_out(shown, settings, run, json=json, limit=limit)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that has no accents is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else arguments
    shown = Shown("--json" in words)
    try:
        with terminable():
            code = app(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        code = MISDECLARED
        _refuse(shown, Misdeclared([Fault("command line", str(error), "refsync --help")]), code)
    except EXPECTED as error:
        code = exit_code(error)
        _refuse(shown, error, code)
    sys.exit(code or 0)


def _refuse(shown: Shown, error: BaseException, code: int) -> None:
    shown.error(told(error))
    # a run that began has given its document already
    if shown.as_json and getattr(error, "report", None) is None:
        shown.json({"error": told(error), "exit_code": code})
