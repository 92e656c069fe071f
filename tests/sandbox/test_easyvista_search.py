"""The search of the simulated EasyVista, its three fates: cases E of specs/easyvista-cases.md."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.easyvista_client import Client, served

ALL = 250


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def rejected(api: Client, search: str) -> bool:
    answer = api.get(search=search, max_rows=1)
    assert answer.status_code in (200, 590)
    return answer.status_code == 590


def stamped(api: Client, *stamps: Any) -> None:
    """Assets 1, 2, … with these stamps."""
    rows = [{"ASSET_ID": rank, "LAST_UPDATE": stamp} for rank, stamp in enumerate(stamps, 1)]
    api.put("AM_ASSET", rows)


def found(api: Client, search: str) -> list[str]:
    """Keys of the rows that a search finds, in order."""
    return api.column("ASSET_ID", search=search, sort="ASSET_ID asc", fields="ASSET_ID")


@pytest.mark.parametrize(
    ("search", "count"),
    [
        pytest.param('ASSET_TAG:"T-0001"', 1, id="e1"),
        pytest.param("asset_tag:T-0001", 1, id="e2"),
        pytest.param(' ASSET_TAG : "T-0001" ', 1, id="e2 blanks"),
        pytest.param('STATUS_ID:"1",STATUS_ID:"2"', 90, id="e3"),
        pytest.param('STATUS_ID:"1",LOCATION_ID:"7"', 1, id="e4"),
        pytest.param('STATUS_ID:"1";LOCATION_ID:"7"', 0, id="e5"),
        pytest.param('ASSET_TAG~"T-00*"', 99, id="e6"),
        pytest.param('ASSET_TAG~"T-00%"', 99, id="e6 percent"),
        pytest.param('ASSET_TAG~"*-0001"', 1, id="e6 end"),
        pytest.param('ASSET_TAG~"T-00"', 0, id="e7"),
        pytest.param('ASSET_TAG~"T-0001"', 1, id="e7 exact"),
        pytest.param('ASSET_TAG:"T-00*"', 0, id="e8"),
        pytest.param('ASSET_TAG:"A*B"', 1, id="e8 literal"),
        pytest.param('ASSET_TAG~"T_0001"', 3, id="e9"),
        pytest.param('ASSET_TAG~"T[-_]0001"', 2, id="e10"),
        pytest.param('ASSET_TAG:"a,b"', 1, id="e11"),
        pytest.param("ASSET_TAG:a,b", 0, id="e11 unquoted"),
        pytest.param('ASSET_TAG:"22" screen"', 0, id="e12 raw"),
        pytest.param('ASSET_TAG:"22"" screen"', 0, id="e12 doubled"),
        pytest.param('ASSET_TAG:"22\\" screen"', 0, id="e12 backslash"),
        pytest.param('ASSET_TAG:"back\\slash"', 1, id="backslash is a letter"),
        pytest.param('ASSET_TAG:"X",ASSET_TAG:"T-0001"', 1, id="e13"),
        pytest.param('NOPE:"x"', ALL, id="e14"),
        pytest.param('LOCATION.LOCATION_PATH:"France/Lyon"', ALL, id="e15"),
        pytest.param('DEPARTMENT_FR:"Finance"', ALL, id="e16"),
        pytest.param('COMMENT_ASSET:"x"', ALL, id="memo"),
        pytest.param('DEPARTMENT.DEPARTMENT_FR:"Finance"', 10, id="e17"),
        pytest.param('EMPLOYEE.PASSWD:"never shown"', ALL, id="denied"),
        pytest.param('ASSET_TAG:"T-0001",NOPE:"x"', 1, id="e18"),
        pytest.param("zzz", ALL, id="e19"),
        pytest.param('ASSET_TAG LIKE "%T%"', ALL, id="e19 sql"),
        pytest.param('LAST_UPDATE>="2026-01-01"', ALL, id="e21"),
        pytest.param("STATUS_ID BETWEEN 1 AND 2", ALL, id="between"),
        pytest.param("ASSET_TAG:(a;b)", ALL, id="interval of texts"),
        pytest.param("LAST_UPDATE:(;)", ALL, id="interval without bounds"),
        pytest.param('STATUS_ID!"1"', 183, id="e32 not"),
        pytest.param('STATUS_ID!:"1"', 183, id="e32 not, with colon"),
        pytest.param('ASSET_TAG!~"T-*"', 20, id="e32 not like"),
        pytest.param("STATUS_ID:is_null", 22, id="e32 is_null"),
        pytest.param('STATUS_ID:"is_not_null"', 228, id="e32 is_not_null"),
        pytest.param('STATUS_ID!"is_null"', 228, id="e32 not is_null"),
        pytest.param('PURCHASE_PRICE:"1235,56"', 1, id="amount"),
        pytest.param('PURCHASE_DATE:"2023-05-05"', 3, id="day"),
        pytest.param("PURCHASE_DATE:(2023-05-01;2023-05-31)", 21, id="days"),
        pytest.param("", ALL, id="nothing"),
    ],
)
def test_e_a_condition_is_honoured_or_dropped(api: Client, search: str, count: int) -> None:
    assert api.found(search) == count


@pytest.mark.parametrize(
    "search",
    [
        pytest.param('STATUS_ID:"abc"', id="e20"),
        pytest.param('STATUS_ID:"1.0"', id="e20 decimal"),
        pytest.param('STATUS_ID:"3000000000"', id="e20 too large"),
        pytest.param('PURCHASE_PRICE:"dear"', id="amount"),
        pytest.param('LAST_UPDATE:">=2026-01-01"', id="e22"),
        pytest.param("LAST_UPDATE:(2026-01-01T00:00:00+01:00;)", id="e25"),
        pytest.param("LAST_UPDATE:(2026-01-01T00:00+01:00;)", id="e25 minutes"),
        pytest.param("LAST_UPDATE:(2026-01-01 00:00:00.000+01:00;)", id="e26"),
        pytest.param("LAST_UPDATE:(2026-01-01,2026-02-01)", id="e28"),
        pytest.param("LAST_UPDATE:(2026-13-40;)", id="no such day"),
        pytest.param("LAST_UPDATE:(01/02/2026;)", id="locale"),
        pytest.param("PURCHASE_DATE:(yesterday-ish;)", id="no date"),
        pytest.param('ASSET_TAG:"T-0001",STATUS_ID:"abc"', id="one of two"),
    ],
)
def test_e_a_condition_is_rejected(api: Client, search: str) -> None:
    assert rejected(api, search)


def test_e3_old_builds_read_the_last_of_repeated_fields(api: Client) -> None:
    api.turn(build="2018")

    assert found(api, 'STATUS_ID:"1",STATUS_ID:"2"') == found(api, 'STATUS_ID:"2"')


def test_e7_on_another_tenant_a_bare_pattern_is_contained(api: Client) -> None:
    api.turn(like="contains")

    assert api.found('ASSET_TAG~"-000"') == 9


@pytest.mark.parametrize(
    ("search", "keys"),
    [
        pytest.param("LAST_UPDATE:(2026-01-02;)", "2 3 4 5", id="e23"),
        pytest.param("LAST_UPDATE:(2026-01-02T10:00:00.500+01:00;)", "3 4 5", id="e24"),
        pytest.param("LAST_UPDATE:(2026-01-02T09:00:00.500Z;)", "3 4 5", id="e24 utc"),
        pytest.param("LAST_UPDATE:(2026-01-02T10:00:00.501+01:00;)", "4 5", id="e24 after"),
        pytest.param("LAST_UPDATE:(;2026-01-02T10:00:00.500+01:00)", "1 2 3", id="until"),
        pytest.param(
            "LAST_UPDATE:(2026-01-02T00:00:00.000+01:00;2026-01-02T11:00:00.000+01:00)",
            "2 3 4",
            id="e29",
        ),
        # read as UTC, an hour later than a caller in Paris means
        pytest.param("LAST_UPDATE:(2026-01-02T10:00:00.500;)", "5", id="e27"),
        pytest.param("LAST_UPDATE:(2026-01-03;2026-01-01)", "", id="upside down"),
        pytest.param('LAST_UPDATE:"2026-01-02T10:00:00.500+01:00"', "3", id="equal"),
    ],
)
def test_e23_to_e29_intervals(api: Client, search: str, keys: str) -> None:
    stamped(
        api,
        "2026-01-01T23:59:59.999+01:00",
        "2026-01-02T00:00:00.000+01:00",
        "2026-01-02T10:00:00.500+01:00",
        "2026-01-02T11:00:00.000+01:00",
        "2026-01-03T00:00:00.000+01:00",
        None,
    )

    assert found(api, search) == keys.split()


def test_an_interval_may_exclude_its_end(api: Client) -> None:
    stamped(api, "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    search = "LAST_UPDATE:(2026-01-01T00:00:00.000Z;2026-01-02T00:00:00.000Z)"
    assert found(api, search) == ["1", "2"]

    api.turn(interval_end="excluded")

    assert found(api, search) == ["1"]
    assert found(api, "LAST_UPDATE:(;2026-01-02T00:00:00.000Z)") == ["1"]


@pytest.mark.parametrize(
    ("token", "keys"),
    [
        ("today", "5"),
        ("yesterday", "4"),
        ("this_week", "4 5"),
        ("last_week", "3"),
        ("this_month", "5"),
        ("last_month", "2 3 4"),
        ("this_year", "2 3 4 5"),
        ("last_year", "1"),
    ],
)
def test_e30_relative_dates_are_those_of_the_calendar(api: Client, token: str, keys: str) -> None:
    stamped(
        api,
        "2025-12-31T22:59:00+00:00",
        "2026-08-01T12:00:00+00:00",
        "2026-08-30T21:59:59+00:00",
        "2026-08-30T22:00:00+00:00",
        "2026-09-01T05:00:00+00:00",
    )

    assert found(api, f"last_update:{token}") == keys.split()


def test_e30_relative_dates_of_a_day_without_time(api: Client) -> None:
    api.put(
        "AM_ASSET",
        [
            {"ASSET_ID": rank, "PURCHASE_DATE": f"2026-08-{day}"}
            for rank, day in enumerate((23, 24, 30, 31), 1)
        ],
    )

    assert found(api, "PURCHASE_DATE:last_week") == ["2", "3"]


def test_e31_a_plus_that_is_not_encoded_is_a_blank(api: Client) -> None:
    url = f"{api.root}/assets?search=LAST_UPDATE:(2026-01-01T00:00:00.000{{}}01:00;)"

    assert api.ask(url.format("%2B")).status_code == 200
    assert api.ask(url.format("+")).status_code == 590


def test_e32_old_builds_know_no_is_null(api: Client) -> None:
    api.turn(build="2018")

    assert rejected(api, "STATUS_ID:is_null")
    assert api.found("ASSET_LABEL:is_null") == 0


@pytest.mark.parametrize(
    ("fate", "count"), [("honoured", 151), ("dropped", ALL), ("rejected", None)]
)
def test_e33_an_interval_of_numbers_has_any_fate(api: Client, fate: str, count: int | None) -> None:
    api.turn(numeric_intervals=fate)

    if count is None:
        assert rejected(api, "ASSET_ID:(1100;)")
    else:
        assert api.found("ASSET_ID:(1100;)") == count


def test_e33_an_interval_of_numbers_includes_its_ends(api: Client) -> None:
    assert found(api, "ASSET_ID:(1100;1102)") == ["1100", "1101", "1102"]
    assert found(api, "ASSET_ID:(;1001)") == ["1001"]


def test_e34_a_search_that_is_too_long_is_refused_on_the_way(api: Client) -> None:
    answer = api.get(search=",".join(f'ASSET_ID:"{number}"' for number in range(1000)))

    assert answer.status_code == 414
    assert answer.headers["Content-Type"].startswith("text/html")


def test_h7_a_condition_may_be_dropped_by_name(api: Client) -> None:
    api.turn(dropped=["last_update"])

    assert api.found("LAST_UPDATE:(2026-08-01;)") == ALL
    assert api.found('LAST_UPDATE:(2026-08-01;),ASSET_TAG:"T-0001"') == 1


def test_case_and_trailing_blanks_may_not_matter(api: Client) -> None:
    searches = ['ASSET_TAG:"t-0001"', 'ASSET_TAG:"trailing"', 'ASSET_TAG~"t-000*"']
    assert [api.found(search) for search in searches] == [0, 0, 0]

    api.turn(collation="insensitive")

    assert [api.found(search) for search in searches] == [1, 1, 9]
    rows = [{"ASSET_ID": n, "ASSET_TAG": tag} for n, tag in enumerate("bAaB", 1)]
    api.put("AM_ASSET", rows)
    sorted_tags = api.column("ASSET_TAG", sort="ASSET_TAG asc,ASSET_ID asc")
    assert sorted_tags == ["A", "a", "b", "B"]


def test_e17_columns_of_linked_objects_are_searched(api: Client) -> None:
    assert api.found('STATUS.STATUS_EN:"Closed"', "requests") == 12
    assert api.found('RECIPIENT.E_MAIL:"user5@acme.example"', "requests") == 1
    assert api.found('employee.e_mail:"user8@acme.example"') == api.found('EMPLOYEE_ID:"8"') > 0
