"""The csv source keeps every source's promises, from files instead of HTTP."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sources.base import Record
from sources.csv_file import SOURCE
from sources.errors import Unreadable
from tests.sources.contract import (
    Bench,
    Fault,
    Served,
    SourceContract,
    WindowlessContract,
    assert_says_what_where_and_mend,
    key_of,
    read,
)

PAGE_SIZE = 5


@dataclass(frozen=True)
class CsvBench:
    """A file in a folder."""

    folder: Path
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "id"

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        fault = fault or Fault("")
        rows = [[key_of(number), "é" * size or "x", ""] for number in range(1, count + 1)]
        struck = (fault.page - 1) * PAGE_SIZE + 1
        if fault.kind == "odd_row":
            rows[struck] = [rows[struck][0]]
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows([["id", "text", "note"], *rows])
        whole = text.getvalue().encode()
        if fault.kind == "cut":
            whole = whole[: whole.index(key_of(struck + 1).encode()) + 2]
        self.folder.joinpath("things.csv").write_bytes(whole)
        dataset = {"path": "*.csv", "page_rows": PAGE_SIZE, "key": "id"}
        dataset["required_columns"] = ["id"]
        yield Served(
            SOURCE.config.model_validate({"connection": "drop", "datasets": {"things": dataset}}),
            SOURCE.connection.model_validate({"root": self.folder}),
            "things",
        )

    def key(self, record: Record) -> str:
        return str(record["id"])


class TestCsv(SourceContract, WindowlessContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return CsvBench(tmp_path)

    def test_an_empty_dataset_is_complete_with_nothing(self, bench: Bench) -> None:
        # A file with a header alone is no client without data but an export that failed.
        with bench.serve(0) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Unreadable)
        assert_says_what_where_and_mend(reading.error)
