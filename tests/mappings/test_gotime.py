"""Go's time layouts and zones."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mappings.golang import gotime

TIME = datetime(2021, 1, 3, 22, 9, 7, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02T15:04:05.000Z07:00", "2021-01-03T22:09:07.123Z"),
        ("Monday, 2 January 2006", "Sunday, 3 January 2021"),
        ("Mon Jan _2 3:04PM 06", "Sun Jan  3 10:09PM 21"),
        (".999999999 ,00 .0000000", ".123456 ,12 .1234560"),
        ("002 __2 -0700 MST", "003   3 +0000 UTC"),
        ("_2006 20060102 Janvier Mondays", "_2021 20210103 Janvier Sundays"),
        ("été 4 5", "été 9 7"),
    ],
)
def test_a_layout_is_an_example(layout: str, text: str) -> None:
    assert gotime.formatted(TIME, layout) == text


def test_a_naive_time_is_in_utc_and_an_offset_without_name_shows_as_numbers() -> None:
    offset = timezone(timedelta(hours=-3, minutes=-30))

    assert gotime.text(TIME.replace(tzinfo=None)) == "2021-01-03 22:09:07.123456 +0000 UTC"
    assert gotime.text(TIME.astimezone(offset)) == "2021-01-03 18:39:07.123456 -0330 -0330"


def test_a_zone_is_known_by_its_name_in_the_database_alone() -> None:
    paris = gotime.zone("Europe/Paris")

    assert paris is not None
    assert gotime.formatted(TIME.astimezone(paris), "15:04 MST") == "23:09 CET"
    assert [gotime.zone(name) for name in ("", "../etc/passwd", "/etc/passwd", "Paris")] == [
        None
    ] * 4
    assert gotime.moved(datetime(1, 1, 1, tzinfo=UTC), timezone(timedelta(hours=-5))) is None
