"""The text of each cell: what it holds, no digit lost, nothing guessed."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from sandbox.workbook import workbook
from sandbox.workbook_xml import Cell, Failed, Formula, Shown
from sources.excel import SOURCE
from tests.sources.books import book, replaced
from tests.sources.drops import DropFolder, notes


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, SOURCE)


def texts(drop: DropFolder, *cells: Cell, day_zero: int = 1900, **options: Any) -> list[Any]:
    """What a row of *cells* is read as."""
    header = [f"c{number}" for number in range(len(cells) + 1)]
    drop.put("a.xlsx", book(header, ["x", *cells], day_zero=day_zero))
    return [*drop.read(**options).records[0].values()][1:]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("srv-01", "srv-01"),
        ("  œuvre \n", "œuvre"),
        ("007", "007"),
        ("NA", "NA"),
        ("#N/A", "#N/A"),  # typed as text: no error
        (42, "42"),
        (0, "0"),
        (-7, "-7"),
        (1.0, "1"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (1.1, "1.1"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (2.5e20, "250000000000000000000"),
        (12345678901234, "12345678901234"),
        (12345678901234567890, "12345678901234567890"),
        (0.30000000000000004, "0.30000000000000004"),
        (True, "TRUE"),
        (False, "FALSE"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_cell_is_the_text_of_what_it_holds(drop: DropFolder, cell: Cell, text: str) -> None:
    assert texts(drop, cell) == [text]


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (42, "00000", "00042"),
        (123456, "00000", "123456"),
        (42, '"SRV-"0000', "SRV-0042"),
        (42, "\\S000", "S042"),
        (123456789, '0#" "##" "##" "##" "##', "01 23 45 67 89"),
        (751234, "000-00-00", "075-12-34"),
        (42, "000;-000", "042"),
        (42, "[Blue]000", "042"),
        (-42, "00000", "-42"),
        # how a number is shown is not what it is
        (42, "0", "42"),
        (42, '0" Go"', "42"),
        (1234567, "#,##0", "1234567"),
        (1234567, "# ##0", "1234567"),
        (0.5, "0%", "0.5"),
        (1.5, "0.00", "1.5"),
        (1.5, "000", "1.5"),
        (42, "0.00E+00", "42"),
        (42, "General", "42"),
    ],
)
def test_zeros_that_a_format_shows_are_there_and_nothing_else_of_it(
    drop: DropFolder, number: float, code: str, text: str
) -> None:
    assert texts(drop, Shown(number, code)) == [text]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (date(2026, 1, 31), "2026-01-31"),
        (date(1999, 12, 31), "1999-12-31"),
        (datetime(2026, 1, 31, 8, 30), "2026-01-31T08:30:00"),  # noqa: DTZ001 - as in Excel
        (datetime(2026, 1, 31), "2026-01-31T00:00:00"),  # noqa: DTZ001 - as in Excel
        (Shown(date(2026, 1, 31), "[$-40C]d mmmm yyyy;@"), "2026-01-31"),
        (Shown(date(2026, 1, 31), "m/d/yy"), "2026-01-31"),
        # a time of day is never lost, though the format does not show it
        (Shown(datetime(2026, 1, 31, 8, 30), "dd/mm/yyyy"), "2026-01-31T08:30:00"),  # noqa: DTZ001
        (time(8, 30), "08:30:00"),
        (Shown(1.25, "[h]:mm"), "30:00:00"),
        (Shown(0, "dd/mm/yyyy"), "1900-01-00"),  # as Excel shows it: no date was given
    ],
)
def test_dates_are_iso_texts(drop: DropFolder, cell: Cell, text: str) -> None:
    assert texts(drop, cell) == [text]


def test_days_may_be_counted_from_1904(drop: DropFolder) -> None:
    assert texts(drop, date(2026, 1, 31), day_zero=1904) == ["2026-01-31"]


def test_a_number_that_is_no_date_though_it_is_shown_as_one_is_a_reject(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(["a", "b"], [1, Shown(20260131, "dd/mm/yyyy")], [2, 3], [4, 5]))

    assert drop.read().rejects == [(1, "row 2: B2 is #VALUE!", "1;")]


@pytest.mark.parametrize("code", ["_x000D_", "_x000d_"])
def test_line_ends_written_as_codes_are_line_ends(drop: DropFolder, code: str) -> None:
    assert texts(drop, f"a{code}\nb", "_x005F_x000D_") == ["a\r\nb", "_x000D_"]


def test_a_text_of_several_runs_is_one_text_without_its_reading(drop: DropFolder) -> None:
    runs = '<r><rPr><b/></rPr><t>Salle </t></r><r><t>B2</t></r><rPh sb="0" eb="1"><t>x</t></rPh>'
    whole = book(["a", "b"], ["HERE", "y"])
    old = '<t xml:space="preserve">HERE</t>'
    drop.put("a.xlsx", replaced(whole, old, runs, "xl/sharedStrings.xml"))

    assert drop.read().records == [{"a": "Salle B2", "b": "y"}]


def test_texts_that_stand_in_the_sheet_itself_are_read(drop: DropFolder) -> None:
    whole = replaced(
        book(["a", "b"], [7, "y"]),
        '<c r="A2"><v>7</v></c>',
        '<c r="A2" t="inlineStr"><is><t> 007 </t></is></c>',
    )
    drop.put("a.xlsx", whole)

    assert drop.read().records == [{"a": "007", "b": "y"}]


def test_a_text_means_no_value_only_if_the_job_says_so(drop: DropFolder) -> None:
    assert texts(drop, "NULL", None, 0) == ["NULL", "", "0"]
    assert texts(drop, "NULL", None, 0, null_values=["NULL", ""]) == [None, None, "0"]


def test_numbers_of_which_excel_lost_digits_are_told(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(["a"], [1234567890123456], [12345]), age=1)

    assert "1 number of more than the 15 digits that Excel keeps" in drop.read().evidence


# Formulas


def test_a_formula_is_the_value_that_it_had(drop: DropFolder) -> None:
    cells = [Formula("B1&C1", "par-01"), Formula("1+1", 2), Formula('""', ""), Formula("1=1", True)]

    assert texts(drop, *cells) == ["par-01", "2", "", "TRUE"]


def test_a_formula_that_was_never_calculated_is_a_reject(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(["a", "b"], ["1", Formula("A2")], ["2", Formula("A3", "y")], ["3", 3]))

    reading = drop.read()

    assert reading.rejects == [(1, "row 2: B2 holds a formula that was never calculated", "1;")]
    assert [record["a"] for record in reading.records] == ["2", "3"]


@pytest.mark.parametrize(
    "written",
    [
        '<c r="B2"><f>A2</f></c>',
        '<c r="B2"><f>A2</f><v></v></c>',
        '<c r="B2"><f>A2</f><v /></c>',
        '<c r="B2" s="1"><f t="shared" si="0"/></c>',
        '<c s="1" r="B2">\n<f t="shared" ref="B2:B3" si="0">A2</f>\n<v/>\n</c>',
    ],
)
def test_however_it_is_written(drop: DropFolder, written: str) -> None:
    whole = book(["a", "b"], ["1", 42], ["2", Shown(3, "000")])
    drop.put("a.xlsx", replaced(whole, '<c r="B2"><v>42</v></c>', written))

    assert [reject[1] for reject in drop.read().rejects] == [
        "row 2: B2 holds a formula that was never calculated"
    ]


def test_values_that_are_to_be_calculated_at_opening_are_told(drop: DropFolder) -> None:
    # XlsxWriter writes 0 for every formula, and asks for a calculation when the book is opened.
    whole = replaced(
        book(["a"], [Formula("B1", 0)]),
        "</sheets>",
        '</sheets><calcPr fullCalcOnLoad="1"/>',
        "xl/workbook.xml",
    )
    drop.put("a.xlsx", whole)

    assert "the values of its 1 formula are to be calculated when it is op" in drop.read().evidence


# Errors


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_an_error_is_a_reject_with_its_cell(drop: DropFolder, error: str) -> None:
    drop.put("a.xlsx", book(["a", "b"], ["1", Failed(error)], ["2", "y"]))

    reading = drop.read()

    assert reading.rejects == [(1, f"row 2: B2 is {error}", "1;")]
    assert reading.records == [{"a": "2", "b": "y"}]


def test_errors_may_be_no_value(drop: DropFolder) -> None:
    cells = [Failed("#N/A"), Formula("A1"), "y"]

    assert texts(drop, *cells, error_cells="null") == [None, None, "y"]


def test_a_bad_row_may_fail_the_workbook(drop: DropFolder) -> None:
    drop.put("a.xlsx", book(["a", "b"], ["1", Failed("#N/A")]))

    error = drop.refusal(on_bad_rows="fail")

    assert str(error) == "a bad row: B2 is #N/A"
    assert f"where: {drop.root / 'a.xlsx'}, sheet 'Data', row 2" in notes(error)


# Compared with others


def test_pandas_reads_the_same_values(drop: DropFolder) -> None:
    path = drop.put("a.xlsx", workbook(200))
    theirs = pd.read_excel(
        path, sheet_name="Machines", dtype=object, keep_default_na=False, engine="openpyxl"
    )

    ours = drop.read(sheet="Machines", error_cells="null").records

    for record, row in zip(ours, theirs.to_dict("records"), strict=True):
        assert {str(column): _alike(value) for column, value in row.items()} == {
            column: (value or "").lstrip("0") or "0" if column in ZEROS else value or ""
            for column, value in record.items()
        }


ZEROS = {"Asset", "Site code"}  # pandas knows nothing of formats


def _alike(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value != value or value is None else str(value)  # noqa: PLR0124 - NaN


@seed(20260124)
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
            st.integers(-(10**14), 10**14),
            st.floats(allow_nan=False, allow_infinity=False),
            st.booleans(),
            st.dates(date(1900, 3, 1), date(9999, 12, 31)),
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda cells: not any("_x" in str(cell) for cell in cells))
)
def test_what_was_put_in_comes_out(drop: DropFolder, cells: list[Any]) -> None:
    for cell, text in zip(cells, texts(drop, *cells), strict=True):
        if isinstance(cell, bool):
            assert text == str(cell).upper()
        elif isinstance(cell, date):
            assert text == cell.isoformat()
        elif isinstance(cell, int | float):
            assert float(text) == cell
            assert "e" not in text
        else:
            assert text == cell.strip()
