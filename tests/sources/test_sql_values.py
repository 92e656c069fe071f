"""Values of every driver become what JSON has, without loss, or their row is a reject."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.sql_values import Recorder

PARIS = timezone(timedelta(hours=2))


def record(*values: Any) -> dict[str, Any]:
    """The one record of a row."""
    columns = [f"c{rank}" for rank in range(len(values))]
    page = Recorder("things", columns, ()).page([values], 1)
    assert page.rejects == ()
    return page.records[0]


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ("007", "007"),
        (7, 7),
        (2**63, 2**63),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.123"), "12345678901234567890.123"),
        (Decimal("NaN"), "NaN"),
        (datetime(2026, 1, 31, 2, 0, tzinfo=UTC).replace(tzinfo=None), "2026-01-31T02:00:00"),
        (datetime(2026, 1, 31, 2, 0, 0, 5, UTC), "2026-01-31T02:00:00.000005Z"),
        (datetime(2026, 1, 31, 2, 0, tzinfo=PARIS), "2026-01-31T00:00:00Z"),
        (datetime.min.replace(tzinfo=PARIS), "0001-01-01T00:00:00+02:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(2, 30), "02:30:00"),
        (timedelta(hours=26, seconds=1), "26:00:01"),
        (timedelta(hours=-1, microseconds=-5), "-01:00:00.000005"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (b"\x00\xff", "00ff"),
        (bytearray(b"\x01"), "01"),
        (memoryview(b"\x02"), "02"),
        ({"a": [1, {"b": Decimal("1.0")}]}, {"a": [1, {"b": "1.0"}]}),
        ((1, date(2026, 1, 1)), [1, "2026-01-01"]),
        ([], []),
    ],
    ids=str,
)
def test_a_value_is_given_as_json_has_it(value: Any, given: Any) -> None:
    assert record(value) == {"c0": given}
    assert type(record(value)["c0"]) is type(given)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a\0b", "a NUL character"),
        ("\ud83d", "half a character in a text"),
        ({"a": ["\0"]}, "a NUL character"),
        ({"\ud83d": 1}, "half a character in a text"),
        ([[{"a": object()}]], "object has no form in JSON; mend: cast it to a text in the SELECT"),
        (1j, "complex has no form in JSON; mend: cast it to a text in the SELECT"),
    ],
    ids=repr,
)
def test_a_value_that_json_cannot_hold_makes_its_row_a_reject(value: Any, reason: str) -> None:
    rows = [("1", "x", None), ("2", value, 4), ("3", None, "y")]

    page = Recorder("things", ["id", "v", "w"], ()).page(rows, 11)

    assert page.first == 11
    assert page.records == [{"id": "1", "v": "x", "w": None}, {"id": "3", "v": None, "w": "y"}]
    (reject,) = page.rejects
    assert (reject.dataset, reject.number) == ("things", 12)
    assert reject.reason == f"column 'v': {reason}"
    assert reject.sample.startswith("id='2', v=")
    assert orjson.dumps(reject.sample)


def test_a_reject_hides_secrets_and_its_sample_is_short() -> None:
    rows = [("s3cr3t " + "x" * 500, "\0")]

    (reject,) = Recorder("things", ["id", "v"], ("s3cr3t",)).page(rows, 1).rejects

    assert reject.sample.startswith("id='*** xxx")
    assert len(reject.sample) == 201


def test_columns_that_a_driver_is_sure_of_are_not_looked_at() -> None:
    rows = [("a", Decimal(1)), ("b", Decimal(2))]

    sure = Recorder("things", ["id", "v"], (), sure=["id"]).page(rows, 1)
    surer = Recorder("things", ["id", "v"], (), sure=["id", "v"]).page(rows, 1)

    assert sure.records == [{"id": "a", "v": "1"}, {"id": "b", "v": "2"}]
    assert surer.records[0]["v"] is rows[0][1]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(PARIS))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5))
def test_every_row_is_a_record_that_can_be_written_or_a_reject(rows: list[tuple[Any, Any]]) -> None:
    page = Recorder("things", ["a", "b"], ()).page(rows, 1)

    assert len(page.records) + len(page.rejects) == len(rows)
    written = orjson.dumps(page.records, option=orjson.OPT_PASSTHROUGH_DATETIME)
    assert orjson.loads(written) == page.records
