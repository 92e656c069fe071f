"""The text file for Prometheus: every feed, after every run, whole."""

import logging
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.prometheus import METRICS
from referential.errors import PlanRefused
from tests.flows.workshop import JOB, SETTINGS, Workshop


@pytest.fixture
def measured(workshop: Workshop) -> Workshop:
    return settled(workshop, "figures/refsync.prom")


def settled(workshop: Workshop, path: str) -> Workshop:
    text = SETTINGS.replace("events: false", f"events: false\nprometheus: {path}")
    workshop.write_settings(text.format(api=workshop.api_url, canopsis=workshop.canopsis_url))
    return workshop


def figures(workshop: Workshop) -> dict[tuple[str, str], Any]:
    text = (workshop.folder / "figures" / "refsync.prom").read_text(encoding="utf-8")
    return {
        (sample.name, sample.labels["job"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_file_has_every_figure_of_every_feed(measured: Workshop) -> None:
    measured.write_job(JOB, 'acme/od"d')
    measured.run()
    measured.run('acme/od"d')

    found = figures(measured)

    assert set(found) == {(name, job) for name in METRICS for job in ("acme/servers", 'acme/od"d')}
    assert found["refsync_entities_enabled", "acme/servers"] == 30
    assert found["refsync_last_run_records", 'acme/od"d'] == 30
    assert found["refsync_last_run_state", "acme/servers"] == 0


def test_a_refused_run_is_told_and_when_it_was_done_before_stays(measured: Workshop) -> None:
    measured.run()
    before = figures(measured)
    measured.serve([])
    with pytest.raises(PlanRefused):
        measured.run()

    after = figures(measured)

    done = ("refsync_last_done_timestamp_seconds", "acme/servers")
    assert after["refsync_last_run_state", "acme/servers"] == 2
    assert after[done] == before[done]
    assert [path.name for path in (measured.folder / "figures").iterdir()] == ["refsync.prom"]


def test_a_file_that_cannot_be_written_spoils_no_run(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    settled(workshop, "refsync.yaml/refsync.prom")

    with caplog.at_level(logging.WARNING, "refsync"):
        assert workshop.run().outcome == "done"

    assert "the figures for Prometheus were not written" in caplog.text
