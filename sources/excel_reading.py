"""Reading one workbook from end to end: its sheet, header, pages, and what is doubtful of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sources.base import Page
from sources.excel_dataset import ExcelDataset
from sources.excel_header import HeaderRule
from sources.excel_rows import SheetRows, SheetTable
from sources.excel_workbook import Sheet, open_sheet
from sources.file_reading import FileReading, counted


@dataclass(slots=True)
class ExcelReading(FileReading[ExcelDataset]):
    """One workbook."""

    def pages(self) -> Iterator[Page]:
        with open_sheet(self.path, self.where, self.table.sheet, self.most) as sheet:
            rows = SheetRows(sheet, self._told(), self._rule(), self.number)
            self.columns = rows.header.columns
            yield from self.paged(rows)
            self._conclude(rows, sheet)

    def _told(self) -> SheetTable:
        return SheetTable(
            dataset=self.dataset,
            nulls=self.table.null_values,
            fill=self.table.merged_cells == "fill",
            errors=self.table.error_cells,
            fail=self.table.on_bad_rows == "fail",
        )

    def _rule(self) -> HeaderRule:
        return HeaderRule(
            named=self.table.header,
            skip=self.table.skip_rows_before_header,
            names=self.table.column_names,
            odd=self.table.odd_columns,
            required=self.table.required_columns,
        )

    def _conclude(self, rows: SheetRows, sheet: Sheet) -> None:
        scan = sheet.scan
        hidden = " (hidden)" if sheet.hidden else ""
        self.facts.append(f"sheet {sheet.name!r}{hidden} read to its last row {scan.last:,}")
        if sheet.dimension:
            self.facts.append(f"its dimension is {sheet.dimension}")
        if rows.header.row:
            self.facts.append(f"header in row {rows.header.row}")
        if rows.line != scan.last:
            self.doubts.append(f"{rows.line:,} rows came of the {scan.last:,} of the sheet")
        if rows.long:
            self.facts.append(
                f"{counted(rows.long, 'number')} of more than the 15 digits that Excel keeps: "
                "format such cells as text before they are filled"
            )
        if sheet.postponed:
            self.facts.append(
                f"the values of its {counted(scan.formulas, 'formula')} are to be calculated when "
                "it is opened, and may not be those Excel would show"
            )
