"""What a job says of its Excel workbooks, and the folder they are delivered to."""

from typing import Annotated, Literal

from pydantic import ByteSize, Field

from sources.drop_connection import DropConnection
from sources.drop_dataset import DropConfig, DropDataset


class ExcelConnection(DropConnection):
    """A folder where Excel workbooks are delivered."""

    type: Literal["excel"] = "excel"
    max_size: ByteSize = Field(
        ByteSize(2**30), description="Largest workbook once decompressed (`1GiB`)."
    )


class ExcelDataset(DropDataset):
    """One dataset: a sheet of the newest workbook that matches a path, or of all of them."""

    sheet: str | None = Field(
        None, description="Name of the sheet; not needed where one alone is visible."
    )
    skip_rows_before_header: Annotated[int, Field(ge=0)] | Literal["auto"] = Field(
        "auto",
        description="Rows above the header; `auto`: those above the row that has the "
        "`required_columns`, else above the first one of fifty that fills more than half as many "
        "cells as the fullest.",
    )
    merged_cells: Literal["fill", "first"] = Field(
        "fill", description="Cells merged into one: each has its value, or the first alone."
    )
    error_cells: Literal["reject", "null"] = Field(
        "reject",
        description="Cells with an error (`#N/A`) or with a formula that was never calculated: "
        "their row is a reject, or they have no value.",
    )
    on_bad_rows: Literal["reject", "fail"] = Field(
        "reject",
        description="Rows with cells beyond the header or with errors: `reject` or `fail`.",
    )


class ExcelConfig(DropConfig):
    """A job that reads Excel workbooks (.xlsx, .xlsm): one sheet a dataset, every cell a text.

    Dates are ISO texts, a number shows the zeros of its format, whole numbers keep all digits,
    truth values are `TRUE` and `FALSE`; an empty cell is an empty text. The sheet is read row by
    row to its last one, which must be the one that the workbook states. Rows out of order, formulas
    that were never calculated, and workbooks that are something else are noticed.
    """

    type: Literal["excel"] = "excel"
    datasets: dict[str, ExcelDataset] = Field(description="What is read, by name.", min_length=1)
