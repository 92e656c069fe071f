"""The command `refsync promote`: the plan between two Canopsis of one job."""

from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson, Count, JobName
from flows.console import Shown
from flows.job import jobs_folder, load_job
from flows.promote import Promotion, promotion_of
from flows.settings import load_settings


def promote(
    job: JobName,
    *,
    from_: Annotated[str, Parameter(name="--from", help="The target that is as it should be.")],
    to: Annotated[str, Parameter(help="The target to be brought to the same.")],
    limit: Annotated[Count, Parameter(help="Changes to show.")] = 50,
    json: AsJson = False,
) -> int:
    """What one Canopsis of a job lacks, or has otherwise, compared with another; writes nothing.

    Compared is what the ledger has confirmed of both. The command that is printed brings the second
    one in step: it reads the source again.

    For example

        refsync promote acme/servers --from acme-preproduction --to acme-canopsis
    """
    shown, settings = Shown(json), load_settings()
    compiled = load_job(job, jobs_folder(settings.jobs))
    seen = promotion_of(settings, compiled, from_, to, limit)
    if json:
        shown.json(seen.document())
    else:
        _show(shown, seen)
    return 0


def _show(shown: Shown, seen: Promotion) -> None:
    shown.changes(seen.changes, seen.total)
    counts = ", ".join(f"{count:,} {action}" for action, count in seen.counts.items())
    doubtful = f", {seen.doubtful:,} of them not confirmed and left out" if seen.doubtful else ""
    shown.line(f"{seen.origin} has {seen.owned:,} entities{doubtful}")
    if counts:
        shown.line(f"to bring {seen.target} in step: {counts}")
        shown.line(f"the command that does it, reading the source again: {seen.command}")
    else:
        shown.line(f"{seen.target} has the same")
