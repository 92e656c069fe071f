"""What the run of a driver file says: its last line, as the driver writes it, and what was odd."""

import logging
from datetime import datetime

from flows.run import Report
from mappings.driver_rules import DriverMapper
from mappings.tally import Refused

log = logging.getLogger("refsync")

# Rows that have not what an entity is made of; the others have it, and it is wrong.
_ABSENCES = ("missing", "not an object", "not in Canopsis")


def log_counts(mapper: DriverMapper) -> None:
    """One line for each thing that was odd (decisions D5, D7, D8, D9, D21).

    Values left out because they failed (D15) are remarks of the extraction, as in a job's run.
    """
    counts = mapper.counts
    for path, count in counts.missing.items():
        log.warning("%s is missing or null: %d values are left out", path, count)
    for note in counts.odd.values():
        log.warning("%s: %s, %d times, %s", note.rule, note.why, note.count, _first(note))
    for note in counts.skipped.values():
        level = logging.WARNING if note.why in _ABSENCES else logging.ERROR
        log.log(level, "%s: %s, %d rows skipped, %s", note.rule, note.why, note.count, _first(note))


def _first(note: Refused) -> str:
    return f"first in row {note.number}: {note.reason}"


def success_line(
    report: Report, mapper: DriverMapper, *, now: datetime, seconds: float, debug: bool
) -> str:
    """The driver's last line, as its log writes it (§1.6); more fields with *debug* alone (D32).

    Deletions are updates since 23.04, so `deleted` stays 0.
    """
    updated = report.loaded.counts.total() if report.loaded else 0
    fields = {"deleted": "0", "exec_time": go_duration(seconds), "updated": str(updated)}
    if debug:
        counts = mapper.counts
        fields["errors"] = str(sum(note.count for note in counts.failed.values()))
        fields["skipped"] = str(sum(note.count for note in counts.skipped.values()))
    shown = " ".join(f"{key}={value}" for key, value in sorted(fields.items()))
    moment = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{moment} INF refsync/main.go:65 > import finished {shown}"


def go_duration(seconds: float) -> str:
    """As Go writes a `time.Duration`: 3.784369ms, 1.5s, 1m2.3s."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if nanoseconds >= size:
                return f"{_decimal(nanoseconds, size)}{unit}"
        return "0s"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{ahead}{_decimal(rest, 1_000_000_000)}s"


def _decimal(count: int, size: int) -> str:
    whole, rest = divmod(count, size)
    digits = str(rest).zfill(len(str(size)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
