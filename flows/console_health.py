"""What `refsync health` prints."""

from datetime import UTC, datetime, timedelta

from flows.console import Shown
from flows.event import age
from flows.health import Health
from flows.misdeclared import Fault


def show_health(shown: Shown, health: Health) -> None:
    """A line for each job; what the last run of a sick one said below."""
    for fault in health.faults:
        shown.error(str(Fault(fault["where"], fault["what"], fault["mend"])))
    names = ("job", "target", "health", "last run", "outcome", "done", "owned", "held")
    shown.table(
        names,
        (
            (
                each.job,
                each.target,
                each.verdict,
                _moment(each.last_run),
                each.outcome,
                "never" if each.age is None else f"{age(timedelta(seconds=each.age))} ago",
                str(each.owned),
                str(each.held or ""),
            )
            for each in health.jobs
        ),
    )
    for each in health.jobs:
        if each.verdict == "failed":
            shown.note(f"{each.job}: {each.message}")
        elif each.verdict == "stale":
            shown.note(f"{each.job}: no run was done that began since {_moment(each.due)}")


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
