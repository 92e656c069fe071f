"""Which files of a drop folder are read."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sources.base import Complete, Partial, Record, Scope, Slice
from sources.csv_file import SOURCE
from sources.drop import worded
from sources.errors import Refused, SourceError, Unreachable, Unreadable

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file whose rows say its name, *age* hours ago."""

    def write(name: str, *, age: float = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file;row\n{name};1\n{name};2\n")
        moment = time.time_ns() - round(age * 3.6e12)
        os.utime(path, ns=(moment, moment))
        return path

    return write


def settings(root: Path, **options: Any) -> tuple[Any, Any]:
    dataset = {"path": "*.csv"} | options
    return (
        SOURCE.config.model_validate({"connection": "drop", "datasets": {"d": dataset}}),
        SOURCE.connection.model_validate({"root": root}),
    )


def read(root: Path, scope: Scope | None = None, **options: Any) -> list[Record]:
    config, connection = settings(root, **options)
    pages = SOURCE.extract(config, "d", connection, scope or Scope())
    return [record for page in pages for record in page.records]


def files(root: Path, scope: Scope | None = None, **options: Any) -> list[str]:
    """The names of the files that are read, in order."""
    return [*dict.fromkeys(record["file"] for record in read(root, scope, **options))]


def test_the_newest_file_is_read_alone(tmp_path: Path, put: Put) -> None:
    put("b.csv", age=2)
    put("a.csv", age=1)
    put("c.csv", age=3)

    assert files(tmp_path) == ["a.csv"]


def test_the_newest_may_be_told_by_the_name(tmp_path: Path, put: Put) -> None:
    put("servers-20260102.csv", age=1)
    put("servers-20260103.csv", age=9)

    assert files(tmp_path, newest_by="name") == ["servers-20260103.csv"]


def test_two_files_that_are_equally_new_are_refused(tmp_path: Path, put: Put) -> None:
    stamp = put("a.csv").stat().st_mtime_ns
    os.utime(put("b.csv"), ns=(stamp, stamp))

    with pytest.raises(Unreadable) as caught:
        read(tmp_path)

    assert str(caught.value) == "a.csv and b.csv are equally new"
    assert "newest_by: name" in "".join(caught.value.__notes__)
    assert files(tmp_path, newest_by="name") == ["b.csv"]


def test_all_files_come_the_newest_last_and_their_ranks_go_on(tmp_path: Path, put: Put) -> None:
    for name, age in (("b.csv", 2), ("a.csv", 1), ("c.csv", 3)):
        put(name, age=age)
    config, connection = settings(tmp_path, file_selection="all")

    pages = list(SOURCE.extract(config, "d", connection, Scope()))

    assert files(tmp_path, file_selection="all") == ["c.csv", "b.csv", "a.csv"]
    assert [page.first for page in pages] == [1, 3, 5]


@pytest.mark.parametrize(
    "name", ["x.csv.tmp", "x.csv.part", "x.csv.filepart", ".x.csv", "~$x.csv", "X.CSV.TMP"]
)
def test_a_file_that_is_being_written_is_never_read(tmp_path: Path, put: Put, name: str) -> None:
    put("a.csv", age=5)
    put(name)

    assert files(tmp_path, path="*") == ["a.csv"]


def test_folders_and_globs_are_followed(tmp_path: Path, put: Put) -> None:
    put("2026/01/a.csv")
    (tmp_path / "2026" / "02.csv").mkdir()

    assert files(tmp_path, path="2026/**/*.csv") == ["2026/01/a.csv"]


def test_no_file_is_an_outage(tmp_path: Path, put: Put) -> None:
    put("a.txt")

    with pytest.raises(Unreachable) as caught:
        read(tmp_path)

    assert str(caught.value) == "no file matches '*.csv'"
    assert f"where: {tmp_path}" in caught.value.__notes__


def test_a_stale_drop_is_an_outage(tmp_path: Path, put: Put) -> None:
    put("a.csv", age=30)

    with pytest.raises(Unreachable, match=r"6\.0 hours older than `max_age_hours` allows"):
        read(tmp_path, max_age_hours=24)
    assert files(tmp_path, max_age_hours=31) == ["a.csv"]


@pytest.mark.parametrize(
    ("error", "kind"), [(PermissionError(13, "no"), Refused), (OSError(5, "I/O"), Unreachable)]
)
def test_what_the_disk_refuses_is_typed_by_recovery(
    error: OSError, kind: type[SourceError]
) -> None:
    assert isinstance(worded(error, "drop/a.csv"), kind)


def test_slices_share_the_files(tmp_path: Path, put: Put) -> None:
    for number in range(5):
        put(f"{number}.csv", age=9 - number)
    config, connection = settings(tmp_path, file_selection="all")

    slices = SOURCE.slices(config, "d", connection, Scope(), 3)
    put("5.csv")  # what comes once they are shared out belongs to the next run

    shares = [files(tmp_path, Scope(slice=each), file_selection="all") for each in slices]
    assert shares == [["0.csv"], ["1.csv", "2.csv"], ["3.csv", "4.csv"]]
    assert len(SOURCE.slices(config, "d", connection, Scope(), 9)) == 6


def test_a_file_that_changes_once_it_is_shared_out_is_partial(tmp_path: Path, put: Put) -> None:
    for number in range(2):
        put(f"{number}.csv", age=9 - number)
    config, connection = settings(tmp_path, file_selection="all")
    slices = SOURCE.slices(config, "d", connection, Scope(), 2)

    put("0.csv")

    extraction = SOURCE.extract(config, "d", connection, Scope(slice=slices[0]))
    assert next(extraction).records
    with pytest.raises(StopIteration) as stop:
        next(extraction)
    assert isinstance(stop.value.value, Partial)


def test_a_slice_without_a_file_is_complete(tmp_path: Path, put: Put) -> None:
    put("a.csv")
    config, connection = settings(tmp_path)

    extraction = SOURCE.extract(config, "d", connection, Scope(slice=Slice(0, 2)))

    with pytest.raises(StopIteration) as stop:
        next(extraction)
    assert stop.value.value == Complete("no file falls to this slice")


def test_a_single_file_is_not_cut(tmp_path: Path, put: Put) -> None:
    put("a.csv")
    config, connection = settings(tmp_path)

    assert len(SOURCE.slices(config, "d", connection, Scope(), 4)) == 1


def test_the_probe_tells_what_lacks(tmp_path: Path, put: Put) -> None:
    config, connection = settings(tmp_path)

    lacking = SOURCE.probe(config, connection)
    put("a.csv")
    ready = SOURCE.probe(config, connection)

    assert lacking.lacking == ("d: no file matches '*.csv'",)
    assert ready.lacking == ()
    assert ready.identity == str(tmp_path)
