"""The two commands for files of Canopsis' own API driver: run one, or turn it into a job."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.console import Shown
from flows.conversion import convert
from flows.driver import DEFAULT as DEFAULT_FILE
from flows.driver import driver_options, run_driver
from flows.driver_log import success_line
from flows.job import jobs_folder
from flows.logs import log_to
from flows.misdeclared import Fault, Misdeclared
from flows.settings import load_settings


def driver(
    file: Annotated[str, Parameter(help="The file; -c says the same.")] = "",
    *,
    config: Annotated[str, Parameter(name="-c", help="The file, as the driver takes it.")] = "",
    debug: Annotated[bool, Parameter(name="-d", negative="", help="Tell more.")] = False,
    target: Annotated[str, Parameter(help="The Canopsis connection, if there are several.")] = "",
    max_missing: Annotated[str, Parameter(help="Most entities that may go: `10%` or `50`.")] = "",
    full: Annotated[
        bool, Parameter(negative="", help="Full imports, of what did not change too.")
    ] = False,
    timeout: Annotated[float, Parameter(help="Seconds to connect, and to wait for a byte.")] = 60,
    template_var: Annotated[
        tuple[str, ...], Parameter(negative="", help="`NAME=VALUE`: what templates see as .Env.")
    ] = (),
    on_missing: Annotated[
        Literal["skip", "fail"], Parameter(help="What a missing field does to the run.")
    ] = "skip",
    timezone: Annotated[str, Parameter(help="Time zone of `localtime`.")] = "",
) -> int:
    """Run a file of Canopsis' own API driver (`import-context-graph`) as it is.

    For example

        refsync driver api.yml -d
        EXTERNAL_API_USERNAME=u EXTERNAL_API_PASSWORD=p refsync driver -c api.yml
    """
    if file and config:
        raise Misdeclared([Fault("-c", "the file is named twice", "give it by -c or alone")])
    options = driver_options(
        target, max_missing, timeout, template_var, timezone, full=full, strict=on_missing == "fail"
    )
    shown, settings = Shown(), load_settings()
    log_to(shown, settings)
    started = time.monotonic()
    report, mapper = run_driver(settings, Path(file or config or DEFAULT_FILE), options)
    seconds, now = time.monotonic() - started, datetime.now().astimezone()
    if debug:
        shown.report(report)
    shown.note(success_line(report, mapper, now=now, seconds=seconds, debug=debug))
    return report.exit_code


def init(
    *,
    from_driver: Annotated[str, Parameter(help="A file of Canopsis' own API driver.")],
    customer: Annotated[str, Parameter(help="Folder of the job that is written.")] = "driver",
) -> int:
    """Turn a driver file into a job that gives the same entities.

    For example

        refsync init --from-driver api.yml --customer acme
    """
    shown, settings = Shown(), load_settings()
    log_to(shown, settings)
    written = convert(settings, Path(from_driver), jobs_folder(settings.jobs), customer)
    shown.note(f"written to {written.path}; under `connections:` of refsync.yaml add")
    shown.out.print(written.connection, markup=False, highlight=False)
    return 0
