"""The invented client's workbook, and whatever may become of one on its way."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from sandbox.workbook import machine_names, workbook
from sandbox.workbook_xml import Failed, Formula, Shown
from sources.base import Complete
from sources.errors import SourceError
from sources.excel import SOURCE
from tests.sources.books import SHEET, book, rewritten
from tests.sources.drops import DropFolder

WHOLE = book(
    ["a", "b", "c"],
    [Shown(1, "000"), "x", Formula("A2", 7)],
    ["2", None, Failed("#N/A")],
    ["3", "y", 1.5],
    merged=["B2:B3"],
)
PARTS = (SHEET, "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml")


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path, SOURCE)


def test_the_workbook_is_the_same_at_every_call() -> None:
    assert workbook(50) == workbook(50)


def test_the_workbook_is_read_to_its_last_machine(drop: DropFolder) -> None:
    drop.put("a.xlsx", workbook(500))

    reading = drop.read(sheet="Machines", error_cells="null")

    assert [record["Hostname"] for record in reading.records] == [*machine_names(500)]
    assert "its dimension is A1:L501" in reading.evidence


def test_the_second_day_differs_by_what_was_asked(drop: DropFolder) -> None:
    options = {"sheet": "Machines", "error_cells": "null"}
    drop.put("a.xlsx", workbook(200))
    first = {each["Hostname"]: each for each in drop.read(**options).records}
    drop.put("a.xlsx", workbook(200, changed=0.1, gone=5))
    second = {each["Hostname"]: each for each in drop.read(**options).records}

    changed = [name for name in second if second[name]["Owner"] != first[name]["Owner"]]

    assert len(first) - len(second) == 5
    assert 15 <= len(changed) <= 20


@seed(20260125)
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_damage_is_our_error_or_told(drop: DropFolder, data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(PARTS))

    def damage(text: str) -> str:
        first = data.draw(st.integers(0, len(text)))
        last = data.draw(st.integers(first, min(first + 40, len(text))))
        put = data.draw(st.sampled_from(["", "<", ">", '"', "&", "9", "A", "</c>", "<row>", "\0"]))
        return text[:first] + put + text[last:]

    drop.put("a.xlsx", rewritten(WHOLE, part, damage))

    with contextlib.suppress(SourceError):
        outcome = drop.read(max_bad_rows=1, min_rows=0).outcome
        assert isinstance(outcome, Complete)
        assert outcome.evidence


@seed(20260126)
@settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_any_byte_that_is_flipped_loses_no_row_in_silence(
    drop: DropFolder, place: int, flip: int
) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= flip
    drop.put("a.xlsx", bytes(damaged))

    with contextlib.suppress(SourceError):
        reading = drop.read()
        assert len(reading.records) + len(reading.rejects) == 3
