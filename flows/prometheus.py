"""The figures of all feeds as a text file for Prometheus' node exporter (`textfile` collector).

Written whole and atomically after each run, from the ledger: a run of one job keeps the figures of
the others. Names follow Prometheus: seconds, a unit at the end of each name.
"""

import logging
from pathlib import Path

from flows.event import STATES
from flows.settings import Settings
from referential.errors import ReferentialError
from referential.feed import Feed
from referential.history import SOUND
from referential.ledger import Ledger

log = logging.getLogger("refsync")

METRICS = {
    "refsync_last_run_timestamp_seconds": "When the last run ended, in seconds since 1970.",
    "refsync_last_run_duration_seconds": "How long the last run took.",
    "refsync_last_run_state": "0 done, 1 partial or held, 2 refused, 3 failed or interrupted.",
    "refsync_last_run_records": "Records that the last run read.",
    "refsync_last_run_rejects": "Rejects of the last run.",
    "refsync_last_run_removals_held": "Removals of the last run that wait to be accepted.",
    "refsync_last_done_timestamp_seconds": "When a run was done last, in seconds since 1970.",
    "refsync_entities_enabled": "Entities that the feed has enabled.",
    "refsync_entities_disabled": "Entities that the feed has disabled.",
}


def write_metrics(settings: Settings, ledger: Ledger) -> None:
    """Write the file of the settings, if they name one; that it cannot be written is a warning."""
    if not settings.words.prometheus:
        return
    # 30 ms that only those who asked for the file pay
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile  # noqa: PLC0415

    path = settings.base / settings.words.prometheus
    registry = CollectorRegistry()
    gauges = {
        name: Gauge(name, text, ("job", "target"), registry=registry)
        for name, text in METRICS.items()
    }
    try:
        for feed in ledger.feeds():
            for name, value in figures(feed, ledger).items():
                gauges[name].labels(job=feed.job, target=feed.target).set(value)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), registry)
    except (OSError, ReferentialError) as error:
        log.warning("the figures for Prometheus were not written to %s: %s", path, error)


def figures(feed: Feed, ledger: Ledger) -> dict[str, float]:
    """What is known of one feed, by the name of its metric."""
    owned = ledger.owned(feed)
    found: dict[str, float] = {
        "refsync_entities_enabled": owned["enabled"],
        "refsync_entities_disabled": owned["disabled"],
    }
    for last in ledger.recent_runs(feed, 1):
        if last.ended is not None:
            found["refsync_last_run_timestamp_seconds"] = last.ended.timestamp()
            seconds = (last.ended - last.started).total_seconds()
            found["refsync_last_run_duration_seconds"] = seconds
        found["refsync_last_run_state"] = STATES[last.outcome]
        for name in ("records", "rejects", "removals_held"):
            found[f"refsync_last_run_{name}"] = last.counts.get(name, 0)
    for done in ledger.recent_runs(feed, 1, *SOUND):
        if done.ended is not None:
            found["refsync_last_done_timestamp_seconds"] = done.ended.timestamp()
    return found
