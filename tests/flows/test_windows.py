"""The span of a backfill cut into windows, and the ids that somebody names."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.misdeclared import Misdeclared
from flows.named_ids import checked, read_ids
from flows.windows import Cut, cut_of, shown

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 12, 0, 30, 999, tzinfo=UTC)


def cut(since: str, until: str = "", window: str = "7d", zone: ZoneInfo = PARIS) -> Cut:
    return cut_of(since, until, window, zone=zone, now=NOW)


def bounds(made: Cut) -> list[str]:
    return [f"{each.low:%m-%d %H:%M} {each.high:%m-%d %H:%M}" for each in made.windows()]


def test_windows_follow_one_another_and_the_last_one_may_be_shorter() -> None:
    made = cut("2026-01-01T00:00:00Z", "2026-01-17T06:00:00Z")

    assert bounds(made) == [
        "01-01 00:00 01-08 00:00",
        "01-08 00:00 01-15 00:00",
        "01-15 00:00 01-17 06:00",
    ]
    assert {(each.since, each.span) for each in made.windows()} == {
        (datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=7))
    }


def test_a_bare_date_is_midnight_in_the_zone_and_windows_are_exact_spans_whatever_clocks_do() -> (
    None
):
    # clocks go forward in the night to the 29th of March
    made = cut("2026-03-28", "2026-03-31", "1d")

    assert bounds(made) == [
        "03-27 23:00 03-28 23:00",
        "03-28 23:00 03-29 23:00",
        "03-29 23:00 03-30 22:00",
    ]


def test_midnight_that_a_clock_leaves_out_is_the_first_moment_of_the_day() -> None:
    beirut = ZoneInfo("Asia/Beirut")  # at midnight to the 29th of March, it was one o'clock

    assert cut("2026-03-29", "2026-03-30", zone=beirut).since == datetime(
        2026, 3, 28, 22, tzinfo=UTC
    )


def test_a_window_longer_than_the_span_is_the_span() -> None:
    assert bounds(cut("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "900000d")) == [
        "01-01 00:00 01-02 00:00"
    ]


def test_an_end_in_the_future_is_cut_to_now_with_a_note_and_no_end_is_now() -> None:
    late, none = cut("2026-11-24", "2027-01-01"), cut("2026-11-24")

    assert late.until == none.until == datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
    assert late.notes == (
        "nothing is modified after now: --until 2027-01-01 is cut to 2026-11-24 13:00:30+01:00",
    )
    assert none.notes == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("2026-01-08", "2026-01-08"), "no time lies between --since, 2026-01-08 00:00+01:00"),
        (("2026-01-09", "2026-01-08"), "and --until, 2026-01-08 00:00+01:00"),
        (("2026-12-01", "2026-12-08"), "2026-12-01 00:00+01:00 is in the future"),
        (("2026-01-08T00:00:00",), "has no offset from UTC"),
        (("2026-02-30",), "is no moment"),
        (("0001-01-01",), "is no moment"),
        (("2020-01-01", "2026-01-01", "1h"), "52,608 windows of 1h lie between"),
        (("2026-01-01", "2026-01-02", "0d"), "'0d' is no span of time"),
        (("2026-01-01", "2026-01-02", "week"), "'week' is no span of time"),
    ],
)
def test_what_is_no_span_is_said_with_its_mend(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(Misdeclared) as refused:
        cut(*words)

    (fault,) = refused.value.faults
    assert says in fault.what
    assert fault.mend


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Misdeclared) as refused:
        cut("", "soon", "long")

    assert [fault.where for fault in refused.value.faults] == ["--since", "--until", "--window"]


def test_a_thousand_windows_may_be_and_no_more() -> None:
    assert len(list(cut("2026-01-01T00:00:00Z", "2026-02-11T16:00:00Z", "1h").windows())) == 1_000
    with pytest.raises(Misdeclared, match="1,001 windows"):
        cut("2026-01-01T00:00:00Z", "2026-02-11T16:00:01Z", "1h")


@pytest.mark.parametrize(
    ("zone", "text"), [("UTC", "2026-07-01 22:00Z"), ("Europe/Paris", "2026-07-02 00:00+02:00")]
)
def test_a_moment_is_shown_as_people_in_the_zone_write_it(zone: str, text: str) -> None:
    assert shown(datetime(2026, 7, 1, 22, tzinfo=UTC), ZoneInfo(zone)) == text


def test_ids_are_lines_without_blanks_and_comments_each_once(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_bytes("\ufeff007\r\n\n# an id has a sign in it: a#b\n a#b \n007\né\n".encode())

    assert read_ids(str(file)) == {"007", "a#b", "é"}


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"# nothing\n\n", "no id is named"), (b"\xff\xfe1", "it is not UTF-8")],
)
def test_a_file_that_names_nothing_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "ids"
    file.write_bytes(content)

    with pytest.raises(Misdeclared, match=says):
        read_ids(str(file))


def test_a_hundred_thousand_ids_may_be_named_and_no_more() -> None:
    assert len(checked(map(str, range(100_000)), "ids")) == 100_000
    with pytest.raises(Misdeclared, match="100,001 ids are named, 100,000 may be"):
        checked(map(str, range(100_001)), "ids")
