"""A check event to Canopsis after each run: a feed that fails becomes an alarm like any other.

connector `refsync`, connector name the customer, component `refsync`, resource the job
(`specs/canopsis.md` §7). The next run that goes well closes the alarm.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from flows.misdeclared import Misdeclared
from flows.outcome import told
from flows.run_report import Report
from flows.workplace import Workplace
from referential.client import Canopsis
from referential.errors import ReferentialError
from referential.history import SOUND, Outcome, Run
from referential.ledger import Ledger

log = logging.getLogger("refsync")

OK, MINOR, MAJOR, CRITICAL = range(4)
STATES: Final[dict[Outcome, int]] = {
    "done": OK,
    "nothing-to-do": OK,
    "partial": MINOR,
    "held": MINOR,
    "refused": MAJOR,
    "failed": CRITICAL,
    "interrupted": CRITICAL,
}
OUTPUT, LONG_OUTPUT = 255, 1024  # characters that Canopsis keeps (specs/canopsis.md §6)


def announce(place: Workplace, report: Report, ledger: Ledger, now: datetime) -> None:
    """Tell Canopsis how the run ended; whatever goes wrong in it is a warning.

    A mere plan is no run of the feed, and says nothing.
    """
    if not place.settings.words.events or place.options.only_plan:
        return
    try:
        done = ledger.recent_runs(place.job.feed, 1, *SOUND)
        event = event_of(report, done[0] if done else None, now)
        connection = place.canopsis_connection()
        # one attempt more is enough: what matters more is that the run ends
        retry = connection.retry.model_copy(update={"attempts": min(2, connection.retry.attempts)})
        with Canopsis(connection.model_copy(update={"retry": retry})) as canopsis:
            canopsis.send_event(event)
    except (Misdeclared, ReferentialError) as error:
        what = place.settings.redact(told(error))
        log.warning("Canopsis was not told how the run ended: %s", what)


def event_of(report: Report, done: Run | None, now: datetime) -> dict[str, Any]:
    """The event of a run; *done* is the last run of the feed that was done, maybe this one."""
    return {
        "event_type": "check",
        "connector": "refsync",
        "connector_name": report.job.partition("/")[0],
        "source_type": "resource",
        "component": "refsync",
        "resource": report.job,
        "state": STATES[report.outcome],
        "output": _cut(_output(report, done, now), OUTPUT),
        "long_output": _cut(report.message, LONG_OUTPUT),
        "timestamp": int(now.timestamp()),
    }


def age(span: timedelta) -> str:
    """In the largest unit that has two of it at least: `90 s`, `45 min`, `26 h`, `3 d`."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _output(report: Report, done: Run | None, now: datetime) -> str:
    words = [f"{report.outcome}: {report.job} {report.mode}"]
    if done is None or done.ended is None:
        words.append("never done before")
    elif done.id != report.run_id:
        words.append(f"last done {age(now - done.ended)} ago")
    if report.extracted:
        words.append(f"{report.extracted.records:,} records")
    if report.planned:
        planned = [f"{count:,} {action}" for action, count in report.planned.counts.items()]
        words += [word for word in planned if not word.startswith("0 ")] or ["nothing to change"]
    if report.rejects:
        words.append(f"{report.rejects:,} rejects")
    first = report.message.partition("\n")[0]
    return ", ".join(words) + (f"; {first}" if first else "")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
