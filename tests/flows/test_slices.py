"""A job whose datasets are read in slices ends as one that reads them whole."""

from pathlib import Path
from typing import Any

import pytest

from tests.flows.workshop import JOB, SETTINGS, Workshop

DROP = """\
source:
  type: csv
  connection: drop
  datasets:
    servers: {path: "*.csv", file_selection: all, newest_by: name, page_rows: 7}
"""


@pytest.fixture
def drop(workshop: Workshop) -> Path:
    """Four files of thirty servers each, and the settings of a job that reads them all."""
    folder = workshop.folder / "drop"
    folder.mkdir()
    for number in range(4):
        rows = [f"S{rank};srv{rank:03};Lyon" for rank in range(30 * number, 30 * number + 30)]
        folder.joinpath(f"{number}.csv").write_text("\n".join(["id;name;site", *rows, ""]))
    settings = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(settings + "  drop: {type: csv, root: drop}\n")
    return folder


def job(**sync: Any) -> str:
    words = "".join(f"  {word}: {value}\n" for word, value in sync.items())
    return DROP + JOB[JOB.index("mapping:") :] + words


def test_slices_give_the_entities_that_one_reading_gives(workshop: Workshop, drop: Path) -> None:
    workshop.write_job(job())
    whole = workshop.run()
    workshop.write_job(job(slices=4))
    cut = workshop.run()

    assert whole.planned is not None
    assert cut.planned is not None
    assert cut.extracted is not None
    assert whole.planned.found == cut.planned.found == 120
    assert cut.outcome == "nothing-to-do"
    read = cut.extracted.datasets["servers"]
    assert (read.records, read.complete) == (120, True)
    for file in drop.iterdir():
        assert file.name in read.evidence


def test_a_slice_that_is_not_whole_holds_disabling_back(workshop: Workshop, drop: Path) -> None:
    workshop.write_job(job(slices=3))
    workshop.run()
    cut = drop.joinpath("3.csv").read_text().replace("S119;", '"S119;')  # a quote that never ends
    drop.joinpath("3.csv").write_text(cut)

    report = workshop.run()

    assert report.extracted is not None
    assert report.planned is not None
    assert not report.extracted.datasets["servers"].complete
    assert report.planned.counts["disable"] == 0
