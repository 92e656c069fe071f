"""Files are archived once their records are loaded, and not before."""

import logging
from pathlib import Path

import pytest

from flows.outcome import EXPECTED
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop

DROP = """\
source:
  type: csv
  connection: drop
  datasets:
    servers: {path: "*.csv", after_load: archive}
"""


@pytest.fixture
def drop(workshop: Workshop) -> Path:
    """A folder with one file of thirty servers, and the job that archives what it has loaded."""
    folder = workshop.folder / "drop"
    folder.mkdir()
    deliver(folder, "monday.csv", 30)
    settings = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(settings + "  drop: {type: csv, root: drop}\n")
    workshop.write_job(DROP + JOB[JOB.index("mapping:") :], NAME)
    return folder


def deliver(folder: Path, name: str, count: int) -> None:
    rows = [f"S{rank};srv{rank:03};Lyon" for rank in range(count)]
    folder.joinpath(name).write_text("\n".join(["id;name;site", *rows, ""]))


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def archived(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("archive/**/*") if path.is_file())


def test_a_run_that_loaded_everything_archives_what_it_read(workshop: Workshop, drop: Path) -> None:
    report = workshop.run()

    assert report.outcome == "done"
    assert lying(drop) == []
    assert len(archived(drop)) == 1
    assert any("monday.csv" in line for line in report.finished)


def test_a_run_with_nothing_to_do_archives_too(workshop: Workshop, drop: Path) -> None:
    workshop.run()
    deliver(drop, "tuesday.csv", 30)

    report = workshop.run()

    assert report.outcome == "nothing-to-do"
    assert lying(drop) == []


def test_a_plan_moves_nothing(workshop: Workshop, drop: Path) -> None:
    report = workshop.run(only_plan=True)

    assert report.finished == ()
    assert lying(drop) == ["monday.csv"]


def test_a_run_that_is_refused_moves_nothing(workshop: Workshop, drop: Path) -> None:
    workshop.run()
    deliver(drop, "tuesday.csv", 2)

    with pytest.raises(EXPECTED):
        workshop.run()

    assert lying(drop) == ["tuesday.csv"]


def test_a_run_that_read_a_part_moves_nothing(workshop: Workshop, drop: Path) -> None:
    cut = drop.joinpath("monday.csv").read_text().replace("S29;", '"S29;')
    drop.joinpath("monday.csv").write_text(cut)

    report = workshop.run()

    assert report.outcome == "partial"
    assert lying(drop) == ["monday.csv"]


def test_a_folder_that_cannot_be_written_is_told_and_the_run_is_done(
    workshop: Workshop, drop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop.joinpath("archive").write_text("a file where the folder should be")

    with caplog.at_level(logging.WARNING, "refsync"):
        report = workshop.run()

    assert report.outcome == "done"
    assert "monday.csv" in lying(drop)
    assert "servers is loaded, but what was read cannot be cleared away" in caplog.text
    assert "cannot be moved to archive/" in caplog.text
