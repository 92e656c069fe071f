"""Which sheet, which row names the columns, which cells are one: how a table is found."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.workbook import workbook
from sandbox.workbook_xml import Cell, Failed, SheetOf, book_bytes
from sources.base import Record
from sources.errors import SourceError, Unreadable
from sources.excel import SOURCE
from sources.excel_dataset import ExcelDataset
from tests.sources.books import SHEET, book, replaced, rewritten
from tests.sources.drops import DropFolder, notes

TITLE: list[list[Cell]] = [["Inventory of the sites"], ["31/01/2026"], []]
TABLE: list[list[Cell]] = [["Name", "Site", "Rack"], ["srv1", "Lyon", None], ["srv2", "Lyon", "7"]]
RECORDS = [
    {"Name": "srv1", "Site": "Lyon", "Rack": ""},
    {"Name": "srv2", "Site": "Lyon", "Rack": "7"},
]


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, SOURCE)


def records(drop: DropFolder, whole: bytes, **options: Any) -> list[Record]:
    drop.put("a.xlsx", whole)
    return drop.read(**options).records


def refusal(drop: DropFolder, whole: bytes, **options: Any) -> SourceError:
    drop.put("a.xlsx", whole)
    return drop.refusal(**options)


# Sheets


def test_the_one_visible_sheet_is_read(drop: DropFolder) -> None:
    whole = book_bytes([SheetOf("Lists", [["x"], ["y"]], hidden=True), SheetOf("Data", TABLE)])

    assert records(drop, whole) == RECORDS


def test_of_several_sheets_one_is_to_be_named(drop: DropFolder) -> None:
    error = refusal(drop, workbook(10))

    assert isinstance(error, Unreadable)
    assert str(error) == "the workbook has 2 visible sheets: 'Sites', 'Machines'"
    assert "mend: name the one to read by `sheet`" in notes(error)


@pytest.mark.parametrize("name", ["Machines", "machines", " MACHINES "])
def test_a_sheet_is_known_by_its_name_as_excel_does(drop: DropFolder, name: str) -> None:
    assert len(records(drop, workbook(9), sheet=name)) == 9


def test_a_sheet_that_is_not_there_is_refused_with_the_nearest(drop: DropFolder) -> None:
    error = refusal(drop, workbook(10), sheet="Machine")

    assert str(error) == "the workbook has no sheet 'Machine'"
    assert "did you mean 'Machines'? its sheets are 'Sites', 'Machines', 'Lists'" in notes(error)


def test_a_hidden_sheet_is_read_when_it_is_named_and_told(drop: DropFolder) -> None:
    drop.put("a.xlsx", workbook(10))

    assert "sheet 'Lists' (hidden)" in drop.read(sheet="Lists").evidence


# Headers


def test_titles_above_the_header_are_stepped_over(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(*TITLE, *TABLE))

    reading = drop.read()

    assert reading.records == RECORDS
    assert "header in row 4" in reading.evidence


def test_a_title_as_wide_as_a_narrow_table_is_not_guessed_about(drop: DropFolder) -> None:
    whole = book(["Printed on", "31/01/2026"], *TABLE)

    error = refusal(drop, whole)

    assert str(error) == "row 1 may be the header, or a title above it: row 2 has more"
    assert "`required_columns` tell it too" in notes(error)
    assert records(drop, whole, required_columns=["Site"]) == RECORDS
    assert records(drop, whole, skip_rows_before_header=1) == RECORDS


def test_a_row_of_data_is_never_taken_for_a_title(drop: DropFolder) -> None:
    rows: list[list[Cell]] = [["a", "b", "c", "d"], ["1", None, None, None], ["1", "2", "3", "4"]]

    assert [record["a"] for record in records(drop, book(*rows))] == ["1", "1"]


def test_the_rows_above_the_header_may_be_counted(drop: DropFolder) -> None:
    rows: list[list[Cell]] = [["By the", "hand", "of"], *TABLE]

    assert records(drop, book(*rows), skip_rows_before_header=1) == RECORDS


def test_names_are_those_of_the_job_where_it_states_them(drop: DropFolder) -> None:
    names = {"column_names": ["name", "site", "rack"]}

    assert list(records(drop, book(*TABLE), **names)[0]) == ["name", "site", "rack"]
    assert len(records(drop, book(*TABLE[1:]), header=False, **names)) == 2
    assert "names 3" in str(refusal(drop, book(["a", "b"], ["1", "2"]), **names))


def test_a_name_twice_or_none_is_an_error_that_names_the_columns(drop: DropFolder) -> None:
    whole = book(["a", None, "a", "b"], ["1", "2", "3", "4"])

    error = refusal(drop, whole, skip_rows_before_header=0)

    assert str(error) == "columns 1 and 3 are both named 'a'; column 2 has no name"
    assert f"where: {drop.root / 'a.xlsx'}, sheet 'Data', row 1" in notes(error)


def test_odd_names_may_be_told_apart(drop: DropFolder) -> None:
    whole = book(["a", None, "a"], ["1", "2", "3"])

    options = {"odd_columns": "suffix", "skip_rows_before_header": 0}

    assert records(drop, whole, **options) == [{"a": "1", "column_2": "2", "a_2": "3"}]


def test_required_columns_that_lack_are_named_with_the_nearest(drop: DropFolder) -> None:
    error = refusal(drop, book(*TABLE), required_columns=["name", "Site"])

    assert str(error) == "the file lacks the column 'name' (is it 'Name'?)"


@pytest.mark.parametrize("rows", [[], [[]], [[None, None], []], [["a", "b"]], [["a"], [None]]])
def test_a_sheet_without_rows_is_an_outage(drop: DropFolder, rows: list[list[Cell]]) -> None:
    error = refusal(drop, book(*rows))

    assert isinstance(error, Unreadable)
    assert "outage of the export" in notes(error)


# Blank rows and columns


def test_blank_rows_and_columns_around_the_table_are_none(drop: DropFolder) -> None:
    rows = [[None, None, *row, "", None] for row in (*TABLE[:2], [None, " "], TABLE[2], [], [""])]
    drop.put("a.xlsx", book([], *rows))

    reading = drop.read()

    assert reading.records == RECORDS
    assert "2 rows, " in reading.evidence


def test_a_cell_beyond_the_header_makes_its_row_a_reject(drop: DropFolder) -> None:
    rows = [*TABLE, ["srv3", "Nice", "1", None, "see below"], ["srv4", "Nice", "1"]]
    drop.put("a.xlsx", book(*rows))

    reading = drop.read()

    assert reading.rejects == [(3, "row 4: E: 'see below' lies beyond the header", "srv3;Nice;1")]
    assert [record["Name"] for record in reading.records] == ["srv1", "srv2", "srv4"]


def test_too_many_bad_rows_refuse_the_workbook(drop: DropFolder) -> None:
    rows = [["a", "b"], *([str(rank), Failed("#REF!")] for rank in range(4)), ["4", "x"]]

    error = refusal(drop, book(*rows))

    assert str(error) == (
        "4 of 5 rows are bad, and `max_bad_rows` allows 10%; one is row 2: B2 is #REF!"
    )


def test_pages_hold_the_rows_asked_for_and_their_ranks_go_on(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(["a"], *([str(rank)] for rank in range(450))))

    pages = drop.read(page_rows=200).pages

    assert [(page.first, len(page.records)) for page in pages] == [(1, 200), (201, 200), (401, 50)]


# Merged cells


def test_cells_merged_into_one_all_have_its_value(drop: DropFolder) -> None:
    whole = book(
        ["Site", "Name", "Team"],
        ["Lyon", "srv1", "net"],
        [None, "srv2", None],
        [None, "srv3", "sys"],
        ["Nice", "srv4", "sys"],
        merged=["A2:A4", "C2:C3"],
    )

    assert [[*record.values()] for record in records(drop, whole)] == [
        ["Lyon", "srv1", "net"],
        ["Lyon", "srv2", "net"],
        ["Lyon", "srv3", "sys"],
        ["Nice", "srv4", "sys"],
    ]
    assert [record["Site"] for record in records(drop, whole, merged_cells="first")] == [
        "Lyon",
        "",
        "",
        "Nice",
    ]


def test_a_title_merged_over_the_table_is_no_header(drop: DropFolder) -> None:
    whole = book(["Inventory"], *TABLE, merged=["A1:C1"])

    assert records(drop, whole) == RECORDS


def test_a_title_merged_over_the_columns_between_rows_is_a_reject(drop: DropFolder) -> None:
    # As a record it would be a server of that name, in a site of that name.
    whole = book(*TABLE, ["Site of Nice"], ["srv3", "Nice", "1"], merged=["A4:C4"])
    drop.put("a.xlsx", whole)

    reading = drop.read()

    assert [record["Name"] for record in reading.records] == ["srv1", "srv2", "srv3"]
    assert [reject[1] for reject in reading.rejects] == [
        "row 4: its cells are merged into one, as a title is"
    ]


def test_a_header_of_two_rows_is_read_from_its_lower_one(drop: DropFolder) -> None:
    whole = book(
        ["Name", "Place"],
        [None, "Site", "Rack"],
        *TABLE[1:],
        merged=["A1:A2", "B1:C1"],
    )

    assert records(drop, whole, skip_rows_before_header=1) == RECORDS


# What openpyxl would leave out in silence


def test_a_dimension_that_is_too_small_hides_nothing(drop: DropFolder) -> None:
    whole = replaced(book(*TABLE), 'ref="A1:C3"', 'ref="A1"')

    assert records(drop, whole) == RECORDS


def test_a_sheet_without_dimension_is_read(drop: DropFolder) -> None:
    assert records(drop, replaced(book(*TABLE), '<dimension ref="A1:C3"/>', "")) == RECORDS


def test_cells_that_stand_in_any_order_are_read(drop: DropFolder) -> None:
    whole = replaced(
        book(["a", "b"], [1, 2]),
        '<c r="A2"><v>1</v></c><c r="B2"><v>2</v></c>',
        '<c r="B2"><v>2</v></c><c r="A2"><v>1</v></c>',
    )

    assert records(drop, whole) == [{"a": "1", "b": "2"}]


def test_rows_and_cells_without_places_are_read(drop: DropFolder) -> None:
    def bare(xml: str) -> str:
        for place in ("A1", "B1", "A2", "B2", "1", "2"):
            xml = xml.replace(f' r="{place}"', "")
        return xml

    whole = rewritten(book(["a", "b"], [1, 2]), SHEET, bare)

    assert records(drop, whole) == [{"a": "1", "b": "2"}]


def test_a_prefix_before_every_tag_changes_nothing(drop: DropFolder) -> None:
    def prefixed(xml: str) -> str:
        xml = xml.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
        return xml.replace("<x:?xml", "<?xml").replace("xmlns=", "xmlns:x=")

    whole = rewritten(book(*TABLE, merged=["B2:B3"]), SHEET, prefixed)

    assert records(drop, whole) == RECORDS


@pytest.mark.parametrize("number", ["1", "2", "1048577", "99999999999999"])
def test_rows_out_of_order_are_refused(drop: DropFolder, number: str) -> None:
    error = refusal(drop, replaced(book(*TABLE), '<row r="3">', f'<row r="{number}">'))

    assert isinstance(error, Unreadable)
    assert f"row {int(number):,} follows row 2" in str(error)


# Settings


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"skip_rows_before_header": -1}, "greater than or equal to 0"),
        ({"skip_rows_before_header": "some"}, "'auto'"),
        ({"merged_cells": "last"}, "'fill' or 'first'"),
        ({"header": False}, "`column_names`"),
        ({"delimiter": ";"}, "Extra inputs are not permitted"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_load(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ExcelDataset.model_validate({"path": "a.xlsx"} | options)
    assert words in str(caught.value)


def test_every_setting_is_described() -> None:
    models = (SOURCE.config, SOURCE.connection, ExcelDataset)
    fields = [(name, f) for model in models for name, f in model.model_fields.items()]

    assert [name for name, f in fields if not f.description and name != "type"] == []
