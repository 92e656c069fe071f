"""The commands that answer "why": explain, drift, coverage; and adopt, which takes over."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.adopt import adopt as take_over
from flows.arguments import AsJson, Count, JobName, To
from flows.console import Shown
from flows.console_answers import show_adoption, show_coverage, show_drift, show_explanation
from flows.coverage import coverage_of, keep_coverage
from flows.coverage import export as write_export
from flows.drift import basis_of, drift_of
from flows.explain import explain_entity
from flows.job import jobs_folder, load_job
from flows.logs import log_to
from flows.misdeclared import Fault, Misdeclared
from flows.repair import repair as send_again
from flows.settings import load_settings
from referential.ledger import utc_now


def explain(
    job: JobName,
    id: Annotated[str, Parameter(help="Id of the entity in Canopsis.")],  # noqa: A002 - its word
    *,
    to: To = "",
    json: AsJson = False,
) -> int:
    """Why an entity is as it is: record, rules, entity, ledger, last run, what Canopsis holds.

    The source is read until the record is found; nothing is written anywhere. Exit code 2 when
    nobody knows the id.

    For example

        refsync explain acme/servers srv-042
        refsync explain acme/services APP-Billing --json
    """
    shown, settings = Shown(json), load_settings()
    compiled = load_job(job, jobs_folder(settings.jobs)).towards(to)
    with shown.progress() as progress:
        seen = explain_entity(settings, compiled, id, progress=progress)
    if seen.unknown:
        near = f"did you mean {seen.nearest!r}?" if seen.nearest else "see refsync preview"
        what = f"{id!r} is neither in the source, nor in the ledger, nor in Canopsis"
        raise Misdeclared([Fault(f"refsync explain {compiled.name}", what, near)])
    if json:
        shown.json(asdict(seen))
    else:
        show_explanation(shown, seen)
    return 0


def drift(
    job: JobName,
    *,
    repair: Annotated[
        bool, Parameter(negative="", help="Send the drifted entities again, as a run.")
    ] = False,
    enable: Annotated[
        bool, Parameter(negative="", help="With --repair: switch on what was disabled by hand.")
    ] = False,
    to: To = "",
    limit: Annotated[Count, Parameter(help="Entities to show.")] = 50,
    json: AsJson = False,
) -> int:
    """What others changed in Canopsis since we loaded; exit code 4 when there is any.

    Compared are the entities that the job owns with the last extraction whose spool is at hand, or
    else with the source, read again. Infos that others added are theirs, and no drift.

    For example

        refsync drift acme/servers
        refsync drift acme/servers --repair
    """
    shown, settings = Shown(json), load_settings()
    compiled = load_job(job, jobs_folder(settings.jobs)).towards(to)
    if enable and not repair:
        raise Misdeclared([Fault("--enable", "it is for --repair", "add --repair")])
    log_to(shown, settings)
    with shown.progress() as progress, basis_of(settings, compiled, progress) as basis:
        seen = drift_of(settings, compiled, basis, progress)
        if repair and seen.drifted:
            seen.repaired = send_again(
                settings, compiled, basis, seen, enable=enable, progress=progress
            )
    if json:
        shown.json(asdict(seen) | {"exit_code": seen.exit_code})
    else:
        show_drift(shown, seen, limit)
    return seen.exit_code


def coverage(
    connection: Annotated[str, Parameter(help="Name of a Canopsis connection of refsync.yaml.")],
    *,
    export: Annotated[
        Path | None, Parameter(help="Write the components that no feed knows to this CSV file.")
    ] = None,
    limit: Annotated[Count, Parameter(help="Components to show.")] = 20,
    json: AsJson = False,
) -> int:
    """How many open alarms carry our infos, and which of their entities no feed knows.

    For example

        refsync coverage acme-canopsis
        refsync coverage acme-canopsis --export todo.csv
    """
    shown, settings = Shown(json), load_settings()
    with shown.progress() as progress:
        seen = coverage_of(settings, connection, progress=progress)
    keep_coverage(settings, seen, utc_now())
    if export is not None:
        write_export(seen, export)
    if json:
        shown.json(asdict(seen))
    else:
        show_coverage(shown, seen, limit)
        if export is not None:
            shown.line(f"{len(seen.unknown)} components in {export}")
    return 0


def adopt(
    job: JobName,
    *,
    import_source: Annotated[
        str, Parameter(help="Whose entities; that of the job when it is not said.")
    ] = "",
    with_missing: Annotated[
        bool, Parameter(negative="", help="Own those too that the job does not find.")
    ] = False,
    yes: Annotated[bool, Parameter(negative="", help="Do it; without, it is only shown.")] = False,
    to: To = "",
    limit: Annotated[Count, Parameter(help="Entities to show.")] = 50,
    json: AsJson = False,
) -> int:
    """Take ownership of entities that another loader left in Canopsis; Canopsis is not written to.

    What the job finds becomes owned, and the next sync sends it again. What it does not find is
    listed, and owned only with --with-missing: the next sync then judges it missing, under the
    guard.

    For example

        refsync adopt acme/servers --import-source driver-api
        refsync adopt acme/servers --import-source driver-api --yes
    """
    shown, settings = Shown(json), load_settings()
    compiled = load_job(job, jobs_folder(settings.jobs)).towards(to)
    log_to(shown, settings)
    with shown.progress() as progress:
        seen = take_over(
            settings,
            compiled,
            import_source=import_source,
            with_missing=with_missing,
            write=yes,
            progress=progress,
        )
    if json:
        shown.json(asdict(seen))
    else:
        show_adoption(shown, seen, limit)
    return 0
