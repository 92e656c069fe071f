"""The excel source keeps every source's promises, from workbooks instead of HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.workbook_xml import Cell, Failed, SheetOf, Shown, book_bytes
from sources.base import Record
from sources.errors import Unreadable
from sources.excel import SOURCE
from tests.sources.contract import (
    Bench,
    Fault,
    Served,
    SlicedContract,
    SourceContract,
    WindowlessContract,
    assert_says_what_where_and_mend,
    read,
)

PAGE_SIZE = 20  # a page of large texts outweighs what the XML parser holds at once
SHARES = 4  # workbooks that the rows of a bench of several are spread over


@dataclass(frozen=True)
class ExcelBench:
    """Workbooks in a folder: one, or several that are all read."""

    folder: Path
    workbooks: int = 1
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "id"

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        fault = fault or Fault("")
        # a number whose format shows zeros; a text of its own in each row, as serial numbers are
        rows: list[list[Cell]] = [
            [Shown(number, "000000"), "é" * size + str(number), None]
            for number in range(1, count + 1)
        ]
        struck = (fault.page - 1) * PAGE_SIZE + 1
        if fault.kind == "odd_row":
            rows[struck][1] = Failed("#N/A")
        for old in self.folder.glob("*.xlsx"):
            old.unlink()
        step = -(-len(rows) // self.workbooks) or 1
        for rank, first in enumerate(range(0, max(len(rows), 1), step)):
            sheet = SheetOf("Things", [["id", "text", "note"], *rows[first : first + step]])
            whole = book_bytes([sheet])
            if fault.kind == "cut":
                whole = whole[: len(whole) * fault.page // 4]
            self.folder.joinpath(f"things{rank}.xlsx").write_bytes(whole)
        dataset = {"path": "*.xlsx", "page_rows": PAGE_SIZE, "key": "id"}
        dataset["required_columns"] = ["id"]
        if self.workbooks > 1:
            dataset |= {"file_selection": "all", "newest_by": "name"}
        yield Served(
            SOURCE.config.model_validate({"connection": "drop", "datasets": {"things": dataset}}),
            SOURCE.connection.model_validate({"root": self.folder}),
            "things",
        )

    def key(self, record: Record) -> str:
        return str(record["id"])


class TestExcel(SourceContract, WindowlessContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return ExcelBench(tmp_path)

    def test_an_empty_dataset_is_complete_with_nothing(self, bench: Bench) -> None:
        # A sheet with a header alone is no client without data but an export that failed.
        with bench.serve(0) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Unreadable)
        assert_says_what_where_and_mend(reading.error)


class TestSeveralWorkbooks(SlicedContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return ExcelBench(tmp_path, workbooks=SHARES)
