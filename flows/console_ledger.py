"""What people read of the ledger itself."""

from collections.abc import Mapping

from flows.console import Shown
from flows.ledger_care import Info


def show_info(shown: Shown, seen: Info) -> None:
    shown.line(f"{seen.where}, version {seen.version}")
    if not seen.feeds:
        shown.line("no job has run yet")
        return
    shown.table(
        ("job", "Canopsis", "enabled", "disabled", "unconfirmed", "runs", "last run", "works now"),
        (
            (
                each.job,
                each.target,
                f"{each.enabled:,}",
                f"{each.disabled:,}",
                f"{each.unconfirmed:,}",
                f"{each.runs:,}",
                f"{each.last:%Y-%m-%d %H:%M:%S}" if each.last else "",
                each.held_by,
            )
            for each in seen.feeds
        ),
    )
    for ticket in seen.queue:
        shown.line(f"{ticket.target}: {ticket}")


def show_counts(shown: Shown, what: str, counts: Mapping[str, int]) -> None:
    if shown.as_json:
        shown.json(dict(counts))
        return
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    shown.line(f"{what}: {parts or 'nothing'}")
