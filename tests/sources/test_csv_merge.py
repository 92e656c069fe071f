"""Several files of one feed: one after another, or the rows of one completed by another's."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.workbook_xml import SheetOf, book_bytes
from sources import csv_file, excel
from sources.base import Scope
from sources.csv_dataset import CsvDataset
from sources.errors import Unreachable, Unreadable
from tests.sources.drops import DropFolder, notes

BOTH = {"paths": ["servers*.csv", "owners*.csv"]}
KEYED = {**BOTH, "merge": {"key": "Id"}}


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, csv_file.SOURCE)


def put(drop: DropFolder, servers: str, owners: str) -> None:
    drop.put("servers.csv", servers)
    drop.put("owners.csv", owners)


def merged(**options: Any) -> dict[str, Any]:
    return {**BOTH, "merge": {"key": "Id", **options}}


# One after another


def test_the_rows_of_several_files_follow_one_another(drop: DropFolder) -> None:
    drop.put("paris-1.csv", "a;b\n0;0\n", age=5)
    drop.put("paris-2.csv", "a;b\n1;2\n")
    drop.put("lyon-1.csv", "b;a\n4;3\n", age=9)

    reading = drop.read(paths=["paris-*.csv", "lyon-*.csv"])

    assert reading.records == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert [page.first for page in reading.pages] == [1, 2]


def test_all_of_them_must_be_there(drop: DropFolder) -> None:
    drop.put("paris.csv", "a;b\n1;2\n")

    error = drop.refusal(paths=["paris.csv", "lyon.csv"])

    assert isinstance(error, Unreachable)
    assert str(error) == "no file matches 'lyon.csv'"


def test_a_file_with_other_columns_is_refused(drop: DropFolder) -> None:
    # Its entities would lose what the column says.
    drop.put("paris.csv", "a;b;c\n1;2;3\n")
    drop.put("lyon.csv", "a;b;Owner\n1;2;3\n")

    error = drop.refusal(paths=["paris.csv", "lyon.csv"])

    assert str(error) == (
        f"the columns are not those of {drop.root / 'paris.csv'}: 'c' lacks, 'Owner' is new"
    )
    assert f"where: {drop.root / 'lyon.csv'}" in notes(error)


def test_a_file_that_two_paths_mean_is_refused(drop: DropFolder) -> None:
    drop.put("a.csv", "a;b\n1;2\n")

    assert str(drop.refusal(paths=["a.csv", "*.csv"])) == "a.csv is meant by two of the `paths`"


def test_a_file_that_changes_while_another_is_read_makes_it_partial(drop: DropFolder) -> None:
    put(drop, "a;b\n" + "1;2\n" * 50, "a;b\n3;4\n")
    extraction = drop.extraction(**BOTH, page_rows=10)
    next(extraction)

    drop.put("owners.csv", "a;b\n3;4\n5;6\n")
    *_, outcome = _drained(extraction)

    assert "owners.csv: it changed while it was read" in getattr(outcome, "reason", "")


def _drained(extraction: Any) -> Any:
    while True:
        try:
            yield next(extraction)
        except StopIteration as stop:
            yield stop.value
            return


# Completed


def test_rows_are_completed_by_those_of_the_same_key(drop: DropFolder) -> None:
    put(drop, "Id;Name\n007;srv1\n8;srv2\n", "Id;Owner;Phone\n8;Zoé;2\n007;Li;1\n")

    reading = drop.read(**KEYED)

    assert reading.records == [
        {"Id": "007", "Name": "srv1", "Owner": "Li", "Phone": "1"},
        {"Id": "8", "Name": "srv2", "Owner": "Zoé", "Phone": "2"},
    ]
    assert f"{drop.root / 'owners.csv'} completes 2 rows by Id" in reading.evidence


def test_rows_that_nothing_completes_are_kept_and_told(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n2;b\n2;c\n;d\n", "Id;Owner\n1;Li\n9;Zoé\n;Ada\n")

    reading = drop.read(**KEYED)

    assert [record["Owner"] for record in reading.records] == ["Li", "", "", ""]
    assert reading.evidence.endswith(
        "completes 1 row by Id, 3 found nothing there, 1 row of it completed none, "
        "1 row of it had no key"
    )


def test_what_nothing_gives_is_null_where_the_job_says_so(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n2;b\n", "Id;Owner\n1;Li\n")

    assert drop.read(**KEYED, null_values=[""]).records[1] == {
        "Id": "2",
        "Name": "b",
        "Owner": None,
    }


def test_rows_that_nothing_completes_may_be_rejects(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\nx\n2;b\n3;c\n", "Id;Owner\n1;Li\n3;Zoé\n")

    reading = drop.read(**merged(unmatched="reject"), max_bad_rows=0.5)

    assert [record["Id"] for record in reading.records] == ["1", "3"]
    assert [reject[:2] for reject in reading.rejects] == [
        (2, "line 3: 1 field where the header has 2"),
        (3, "nothing completes Id '2'"),
    ]


def test_files_that_have_no_key_in_common_are_doubted(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n2;b\n", "Id;Owner\n01;Li\n02;Zoé\n")

    assert drop.read(**KEYED).doubt.endswith("has the Id of any other: are they of one day?")


def test_a_key_that_comes_twice_is_refused_or_the_last_one_holds(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n", "Id;Owner\n1;Li\n1;Zoé\n")

    error = drop.refusal(**KEYED)

    assert isinstance(error, Unreadable)
    assert str(error) == "Id '1' comes twice in the file that completes another"
    assert "`merge.repeated: last`" in notes(error)
    assert drop.read(**merged(repeated="last")).records[0]["Owner"] == "Zoé"


def test_a_column_that_both_have_is_refused_or_one_of_them_holds(drop: DropFolder) -> None:
    put(drop, "Id;Site\n1;Lyon\n2;Nice\n", "Id;Site\n1;Paris\n")

    assert str(drop.refusal(**KEYED)) == "both files have 'Site'"
    first = drop.read(**merged(shared_columns="first")).records
    second = drop.read(**merged(shared_columns="second")).records
    assert [record["Site"] for record in first] == ["Lyon", "Nice"]
    assert [record["Site"] for record in second] == ["Paris", "Nice"]


def test_the_key_may_have_another_name_in_the_later_files(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n", "Asset;Owner\n1;Li\n")

    reading = drop.read(**merged(key_of_others="Asset"))

    assert reading.records == [{"Id": "1", "Name": "a", "Owner": "Li"}]


@pytest.mark.parametrize(
    ("servers", "owners"), [("Id;N\n1;a\n", "id;O\n1;b\n"), ("id;N\n1;a\n", "Id;O\n1;b\n")]
)
def test_a_key_that_is_no_column_is_refused(drop: DropFolder, servers: str, owners: str) -> None:
    put(drop, servers, owners)

    error = drop.refusal(**KEYED)

    assert str(error) == "the file lacks the column 'Id' that rows are merged by"
    assert "the columns are id" in notes(error)


def test_what_is_held_in_memory_has_a_limit(drop: DropFolder) -> None:
    put(drop, "Id;N\n1;a\n", "Id;O\n" + "".join(f"{number};x\n" for number in range(30)))

    error = drop.refusal(**merged(max_rows=20))

    assert str(error) == "more than 20 rows are to be held in memory"
    assert "put the larger file first" in notes(error)


def test_rejects_of_a_later_file_are_told_after_the_rows(drop: DropFolder) -> None:
    put(drop, "Id;N\n1;a\n2;b\n", "Id;O\n1;x\nbad\n2;y\n")

    reading = drop.read(**KEYED)

    assert [record["O"] for record in reading.records] == ["x", "y"]
    assert reading.rejects == [(3, "line 3: 1 field where the header has 2", "bad")]


def test_three_files_are_merged_by_one_key(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n", "Id;Owner\n1;Li\n")
    drop.put("sites.csv", "Id;Site\n1;Lyon\n")

    records = drop.read(paths=[*BOTH["paths"], "sites.csv"], merge={"key": "Id"}).records

    assert records == [{"Id": "1", "Name": "a", "Owner": "Li", "Site": "Lyon"}]


def test_files_that_are_merged_are_read_in_one_slice(drop: DropFolder) -> None:
    put(drop, "Id;Name\n1;a\n", "Id;Owner\n1;Li\n")
    slices = drop.source.slices(drop.config(**KEYED), "d", drop.connection, Scope(), 4)

    assert len(slices) == 1
    assert drop.read(Scope(slice=slices[0]), **KEYED).records == [
        {"Id": "1", "Name": "a", "Owner": "Li"}
    ]


def test_workbooks_are_merged_alike(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, excel.SOURCE)
    drop.put("servers.xlsx", book_bytes([SheetOf("S", [["Id", "Name"], [7, "srv"]])]))
    drop.put("owners.xlsx", book_bytes([SheetOf("S", [["Id", "Owner"], ["7", "Li"]])]))

    records = drop.read(paths=["servers.xlsx", "owners.xlsx"], merge={"key": "Id"}).records

    assert records == [{"Id": "7", "Name": "srv", "Owner": "Li"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "a dataset has a `path`, or several `paths`"),
        ({"path": "a", "paths": ["a", "b"]}, "a dataset has a `path`, or several `paths`"),
        ({"path": "a", "merge": {"key": "x"}}, "one file has no other to be merged with"),
        ({"paths": ["a", "b"], "merge": {"key": "x"}, "file_selection": "all"}, "of one file each"),
        ({"paths": ["a", "/b"]}, "stays under it"),
        ({"paths": ["a", "b"], "merge": {"on": "x"}}, "Extra inputs"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_load(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvDataset.model_validate(options)
    assert words in str(caught.value)
