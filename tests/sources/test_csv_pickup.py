"""When a delivered file is read, and what becomes of it once its records are loaded."""

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.workbook import workbook
from sources import csv_file, excel
from sources.base import Complete, Scope
from sources.csv_dataset import CsvDataset
from sources.delivery import delivered
from sources.drop import DropFile
from sources.errors import Refused, Unreachable, Unreadable
from sources.folder import LocalFolder
from sources.slices import joined
from tests.sources.drops import DropFolder, notes, to_its_end

ROWS = "id;site\n1;Lyon\n2;Nice\n"
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, csv_file.SOURCE)


def table(**options: Any) -> CsvDataset:
    return CsvDataset.model_validate({"path": "*.csv"} | options)


def finish(drop: DropFolder, taken: Sequence[str], **options: Any) -> tuple[str, ...]:
    return drop.source.finish(drop.config(**options), "d", drop.connection, taken, NIGHT)


# At rest


def test_two_looks_that_agree_let_a_file_be_read(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    slept: list[float] = []

    found = delivered(table(settle_seconds=5), LocalFolder(drop.root), slept.append)

    assert [file.name for file in found.files] == ["a.csv"]
    assert slept == [5]


def test_a_file_that_grows_is_waited_for(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) < 4:  # the upload goes on
            drop.put("a.csv", ROWS + "3;Lyon\n" * len(slept))

    found = delivered(table(settle_seconds=2), LocalFolder(drop.root), sleep)

    assert len(slept) == 4
    assert found.files[0].size == len(ROWS) + 3 * 7


def test_a_file_that_never_rests_is_an_outage(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    rows = [ROWS]

    def sleep(_: float) -> None:
        rows.append("3;Lyon\n")
        drop.put("a.csv", "".join(rows))

    with pytest.raises(Unreachable) as caught:
        delivered(table(settle_seconds=3), LocalFolder(drop.root), sleep)

    assert str(caught.value) == "a.csv is still being written after 30 s"
    assert f"where: {drop.root}" in notes(caught.value)


def test_without_the_option_nobody_waits(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    slept: list[float] = []

    delivered(table(), LocalFolder(drop.root), slept.append)

    assert slept == []


# Markers


@pytest.mark.parametrize("marker", ["a.csv.done", "a.done"])
def test_a_file_is_read_once_its_marker_is_there(drop: DropFolder, marker: str) -> None:
    drop.put("a.csv", ROWS)
    error = drop.refusal(path="*.csv", marker=".done")

    drop.put(marker, "")

    assert isinstance(error, Unreachable)
    assert str(error) == "a.csv waits for a marker .done written after it"
    assert len(drop.read(path="*.csv", marker=".done").records) == 2


def test_the_marker_of_yesterday_says_nothing_of_the_file_of_today(drop: DropFolder) -> None:
    drop.put("a.csv.done", "", age=24)
    drop.put("a.csv", ROWS)

    assert "waits for a marker" in str(drop.refusal(path="*.csv", marker=".done"))


def test_a_marker_is_no_file_to_read(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS, age=1)
    drop.put("a.csv.done", "not;csv\n")

    assert len(drop.read(path="*", marker=".done").records) == 2


def test_the_newest_file_that_is_ready_is_read(drop: DropFolder) -> None:
    drop.put("old.csv", ROWS, age=5)
    drop.put("old.csv.done", "", age=5)
    drop.put("new.csv", "id;site\n9;Lyon\n")

    records = drop.read(path="*.csv", marker=".done").records

    assert [record["id"] for record in records] == ["1", "2"]


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_checksum_in_the_marker_is_verified(drop: DropFolder, kind: str) -> None:
    digits = hashlib.new(kind, ROWS.encode()).hexdigest()
    drop.put("a.csv", ROWS, age=1)
    drop.put("a.csv.md5", f"{digits.upper()}  a.csv\n")

    evidence = drop.read(path="*.csv", marker=".md5").evidence

    assert f"{kind.upper()} as its marker states" in evidence


def test_a_file_that_is_not_the_one_of_its_marker_is_refused(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS, age=1)
    drop.put("a.csv.md5", hashlib.md5(b"other", usedforsecurity=False).hexdigest())

    error = drop.refusal(path="*.csv", marker=".md5")

    assert isinstance(error, Unreadable)
    assert str(error).startswith("the file is not the one its marker speaks of: its MD5 is ")
    assert f"where: {drop.root / 'a.csv'}" in notes(error)


# Once the records are loaded


def test_reading_alone_moves_nothing(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)

    drop.read(after_load="archive")
    drop.source.probe(drop.config(after_load="archive"), drop.connection)

    assert drop.names() == ["a.csv"]


def test_files_that_were_loaded_are_archived_by_date(drop: DropFolder) -> None:
    drop.put("in/a.csv", ROWS)
    options = {"path": "in/*.csv", "after_load": "archive"}

    told = finish(drop, drop.read(**options).taken, **options)

    assert told == ("in/a.csv moved to archive/2026-11-24/in/a.csv",)
    assert drop.names() == ["archive/2026-11-24/in/a.csv"]


def test_files_stay_unless_the_job_says_otherwise(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    receipts = drop.read(after_load="archive").taken

    assert drop.read().taken == ()
    assert finish(drop, receipts) == ()
    assert drop.names() == ["a.csv"]


def test_files_that_were_passed_over_go_too_lest_they_be_the_newest(drop: DropFolder) -> None:
    for age in (0, 24, 48):
        drop.put(f"{age}.csv", ROWS, age=age)
    options = {"path": "*.csv", "after_load": "archive"}

    finish(drop, drop.read(**options).taken, **options)

    assert drop.names() == [f"archive/2026-11-24/{age}.csv" for age in (0, 24, 48)]
    assert str(drop.refusal(**options)) == "no file matches '*.csv'"


def test_what_is_archived_is_never_read_again(drop: DropFolder) -> None:
    drop.put("archive/2026-11-23/a.csv", ROWS)
    drop.put("b.csv", "id;site\n9;Lyon\n", age=9)

    records = drop.read(path="**/*.csv", after_load="archive").records

    assert [record["id"] for record in records] == ["9"]


def test_a_file_that_was_written_anew_since_stays_for_the_next_run(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    options = {"path": "*.csv", "after_load": "archive"}
    taken = drop.read(**options).taken

    drop.put("a.csv", ROWS + "3;Nice\n")

    assert finish(drop, taken, **options) == ("a.csv stays: 22 bytes became 29 since it was read",)
    assert drop.names() == ["a.csv"]


def test_a_marker_goes_with_its_file(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    drop.put("a.done", "")
    options = {"path": "*.csv", "after_load": "archive", "marker": ".done"}

    finish(drop, drop.read(**options).taken, **options)

    assert drop.names() == ["archive/2026-11-24/a.csv", "archive/2026-11-24/a.done"]


def test_nothing_in_the_archive_is_written_over(drop: DropFolder) -> None:
    options = {"path": "*.csv", "after_load": "archive", "archive_folder": "done/files"}
    for _ in range(3):
        drop.put("a.csv", ROWS)
        finish(drop, drop.read(**options).taken, **options)

    assert drop.names() == [f"done/files/2026-11-24/a{end}.csv" for end in ("-2", "-3", "")]


def test_finishing_twice_is_finishing_once(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)
    options = {"path": "*.csv", "after_load": "archive"}
    taken = drop.read(**options).taken

    finish(drop, taken, **options)

    assert finish(drop, taken, **options) == ("a.csv is no longer there",)
    assert drop.names() == ["archive/2026-11-24/a.csv"]


def test_what_cannot_be_moved_is_told_as_what_it_is(
    drop: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.put("a.csv", ROWS)
    options = {"path": "*.csv", "after_load": "archive"}
    taken = drop.read(**options).taken

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)  # root may move everything

    with pytest.raises(Refused) as caught:
        finish(drop, taken, **options)
    assert f"where: {drop.root / 'a.csv'}" in notes(caught.value)
    assert drop.names() == ["a.csv"]


def test_slices_give_the_receipts_of_all_files(drop: DropFolder) -> None:
    for number in range(5):
        drop.put(f"{number}.csv", ROWS, age=number)
    options = {"path": "*.csv", "after_load": "archive", "file_selection": "all"}
    config, connection = drop.config(**options), drop.connection
    slices = drop.source.slices(config, "d", connection, Scope(), 3)

    outcomes = [drop.read(Scope(slice=each), **options).outcome for each in slices]

    whole = joined(outcomes)
    assert isinstance(whole, Complete)
    assert sorted(DropFile.of_receipt(each).name for each in whole.taken) == [
        f"{number}.csv" for number in range(5)
    ]


def test_a_reading_that_is_partial_gives_no_receipt(drop: DropFolder) -> None:
    drop.put("a.csv", "id;site\n" + "1;Lyon\n" * 40 + '2;"Nice\n')

    outcome = drop.read(after_load="archive", delimiter=";").outcome

    assert not isinstance(outcome, Complete)


def test_the_probe_says_whether_files_can_be_archived(drop: DropFolder) -> None:
    drop.put("a.csv", ROWS)

    probe = drop.source.probe(drop.config(path="*.csv", after_load="archive"), drop.connection)

    assert probe.rights == ("list the folder", "move files to the archive")


def test_workbooks_are_picked_up_alike(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, excel.SOURCE)
    drop.put("a.xlsx", workbook(5), age=1)
    drop.put("~$a.xlsx", b"of the one who has it open")
    drop.put("a.xlsx.done", "")
    options = {
        "path": "*.xlsx",
        "sheet": "Machines",
        "after_load": "archive",
        "marker": ".done",
        "settle_seconds": 0.001,
    }

    reading = to_its_end(drop.extraction(**options))
    finish(drop, reading.taken, **options)

    assert len(reading.records) == 5
    assert drop.names() == [
        "archive/2026-11-24/a.xlsx",
        "archive/2026-11-24/a.xlsx.done",
        "~$a.xlsx",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"marker": "done"}, "a marker is an ending"),
        ({"archive_folder": "../elsewhere"}, "stays under it"),
        ({"archive_folder": "/tmp"}, "stays under it"),  # noqa: S108 - nothing is written there
        ({"settle_seconds": -1}, "greater than or equal to 0"),
        ({"after_load": "delete"}, "'leave' or 'archive'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_load(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        table(**options)
    assert words in str(caught.value)
