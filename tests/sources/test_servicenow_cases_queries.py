"""Which rows: cases 28 to 41 of specs/servicenow-cases.md, and that no job can write a query."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_query import parse
from sources.base import Partial, Scope, Slice
from sources.errors import Refused
from sources.servicenow_dataset import ServiceNowDataset
from sources.servicenow_encoded import check_encoded, columns, conditions
from sources.servicenow_query import Rows, Window, filter_of, slices_of
from tests.sources.servicenow_rig import Rig

TIED = datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.instance.reset()
    return served


def condition(field: str, cond: str, value: Any) -> dict[str, Any]:
    return {"field": field, "cond": cond, "value": value}


def expected(rig: Rig, table: str, test: Any) -> list[str]:
    return [row["sys_id"] for row in rig.instance.data.view(table).rows if test(row)]


def test_case_28_and_or(rig: Rig) -> None:
    text = "operational_status=1^ORoperational_status=6^install_status=1"
    either = [condition("operational_status", "eq", each) for each in (1, "6")]
    typed = [{"any": either}, condition("install_status", "eq", "1")]

    reads = [rig.read({"query": query}) for query in (text, typed)]

    wanted = expected(
        rig,
        "cmdb_ci_server",
        lambda row: row["operational_status"] in "16" and row["install_status"] == "1",
    )
    assert reads[0].ids == reads[1].ids == wanted
    assert reads[0].evidence == reads[1].evidence


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sys_class_name=cmdb_ci_win_server^NQname=srv-000001", "begins another query"),
        ("active=true^ORDERBYname", "leave the order out"),
        ("active=true^ORDERBYDESCname", "leave the order out"),
        ("active=true^GROUPBYname", "is no condition"),
        ("name=a^b", "'b' is no condition"),
        ("Name=a", "is no condition"),
        ("active", "is no condition"),
        ("assigned_to=javascript:gs.getUserID()", "holds a script"),
        ("assigned_to=JavaScript :gs.getUserID()", "holds a script"),
        ("sys_created_on>javascript:gs.daysAgo(3)", "RELATIVEGT@day@ago@7"),
    ],
)
def test_case_29_and_40_what_would_break_the_paging_or_run_is_misdeclared(
    rig: Rig, query: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        rig.config({"query": query})


def test_case_30_lists(rig: Rig) -> None:
    wanted = ["cmdb_ci_win_server", "cmdb_ci_linux_server"]
    one = rig.read({"query": [condition("sys_class_name", "is_one_of", wanted)]})
    other = rig.read({"query": [condition("sys_class_name", "is_not_one_of", wanted)]})
    exact = rig.read({"classes": "cmdb_ci_server"})

    assert len(one.records) == 2400
    assert other.ids == exact.ids
    assert len(exact.records) == 100


def test_case_30_a_long_list_is_asked_for_bit_by_bit(rig: Rig) -> None:
    names = [f"srv-{number:06}" for number in range(0, 2500, 5)]
    read = rig.read({"query": [condition("name", "is_one_of", names)]})

    wanted = expected(rig, "cmdb_ci_server", lambda row: row["name"] in set(names))
    assert sorted(read.ids) == wanted
    assert f"X-Total-Count and /stats say {len(wanted)}" in read.evidence
    assert max(map(len, rig.queries())) < 3000


def test_case_30_a_row_that_two_bits_of_a_list_find_comes_once(rig: Rig) -> None:
    # To the database SRV-000001 and srv-000001 are one.
    names = [f"srv-{number:06}" for number in range(150)]
    names += [name.upper() for name in names]

    read = rig.read({"query": [condition("name", "is_one_of", names)]})

    assert len(read.ids) == len(set(read.ids)) > 100
    assert read.evidence


def test_case_31_exist(rig: Rig) -> None:
    lacking = rig.read({"query": [condition("location", "exist", False)]}, {"location"})
    there = rig.read({"query": [condition("location", "exist", True)]}, {"location"})

    assert set(lacking.values("location")) == {""}
    assert len(lacking.records) + len(there.records) == 2500


@pytest.mark.parametrize(
    ("cond", "value", "test"),
    [
        ("begin_with", "SRV-0000", lambda name: name.startswith("srv-0000")),
        ("end_with", "99", lambda name: name.endswith("99")),
        ("contain", "-0012", lambda name: "-0012" in name),
        ("not_contain", "-00", lambda name: "-00" not in name),
        ("neq", "srv-000001", lambda name: name != "srv-000001"),
    ],
)
def test_case_32_texts(rig: Rig, cond: str, value: str, test: Any) -> None:
    read = rig.read({"query": [condition("name", cond, value)]})

    assert read.ids == expected(rig, "cmdb_ci_server", lambda row: test(row["name"]))


def test_case_33_a_class_and_those_that_extend_it(rig: Rig) -> None:
    wanted = condition("sys_class_name", "instance_of", "cmdb_ci_server")

    read = rig.read({"table": "cmdb_ci", "query": [wanted]})

    assert len(read.records) == 2500


def test_numbers_are_compared_as_numbers(rig: Rig) -> None:
    above = condition("cpu_count", "gt", 4)
    read = rig.read({"query": [above, condition("cpu_count", "lt", 16)]}, {"cpu_count"})

    assert set(read.values("cpu_count")) == {"8"}


def test_case_34_slices_are_ranges_of_keys(rig: Rig) -> None:
    slices = rig.slices(4)
    reads = [rig.read(slice=each) for each in slices]

    assert [(each.low, each.high) for each in slices] == [
        ("", "40"),
        ("40", "80"),
        ("80", "c0"),
        ("c0", ""),
    ]
    assert [key for read in reads for key in read.ids] == rig.ids("cmdb_ci_server")
    assert all(f"say {len(read.ids)}" in read.evidence for read in reads)


@pytest.mark.parametrize("collation", ["insensitive", "binary"])
def test_case_34_odd_keys_are_in_one_slice(rig: Rig, collation: str) -> None:
    rig.turn(collation=collation)
    dataset = {"table": "cmn_location"}

    reads = [rig.read(dataset, slice=each) for each in rig.slices(7, dataset)]

    assert sorted(key for read in reads for key in read.ids) == sorted(rig.ids("cmn_location"))


@pytest.mark.parametrize("most", [1, 2, 3, 5, 64, 256, 1000])
def test_slices_meet_and_have_open_ends(most: int) -> None:
    slices = slices_of(most)

    assert len(slices) == min(most, 256)
    assert slices[0].low == slices[-1].high == ""
    assert [each.high for each in slices[:-1]] == [each.low for each in slices[1:]]
    assert [each.low for each in slices] == sorted({each.low for each in slices})


def test_case_35_a_window_of_one_second(rig: Rig) -> None:
    until = TIED + timedelta(seconds=1)
    read = rig.read({"overlap": 0}, {"sys_updated_on"}, since=TIED, until=until)

    assert read.values("sys_updated_on") == ["2024-03-31 01:30:00"] * 400
    assert "say 400" in read.evidence
    asked = "sys_updated_on>=2024-03-31 01:30:00^sys_updated_on<2024-03-31 01:30:01"
    assert rig.queries()[1] == f"{asked}^ORDERBYsys_id"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "query", ["nope=1^install_status=1", "location.nope=1", "company.parent.nope=1"]
)
def test_case_36_a_column_that_is_not_there_is_refused(
    rig: Rig, *, strict: bool, query: str
) -> None:
    rig.turn(strict_queries=strict)

    read = rig.read({"query": query})

    assert isinstance(read.error, Refused)
    assert "nope" in read.told
    assert "where: source.datasets.feed" in read.told
    assert read.pages == []


def test_case_36_dot_walked_conditions_are_let_by(rig: Rig) -> None:
    read = rig.read({"query": "location.parent.name=France^company.nameISNOTEMPTY"})

    assert 0 < len(read.records) < 2500
    assert read.evidence


def test_case_36_where_no_row_is_shown_the_counts_tell_an_unknown_field(rig: Rig) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "cmdb_ci_appl", "everything": True}])

    read = rig.read({"table": "cmdb_ci_appl", "query": "nope=1"}, user="etl_acl")
    known = rig.read({"table": "cmdb_ci_appl", "query": "nameISNOTEMPTY"}, user="etl_acl")

    assert isinstance(read.error, Refused)
    assert "ignores conditions on nope" in read.told
    assert isinstance(known.outcome, Partial)


@pytest.mark.parametrize(
    "name", ["a^b", "R&D", "100% up", "a+b", "#1", 'the "big" one', "two\nlines"]
)
def test_case_37_any_value_is_a_value(rig: Rig, name: str) -> None:
    read = rig.read({"query": [condition("name", "eq", name)]})

    assert read.values("name") == [name]


def test_case_37_a_caret_in_an_encoded_query_is_written_twice(rig: Rig) -> None:
    read = rig.read({"query": "name=a^^b"})

    assert read.values("name") == ["a^b"]


def test_case_38_and_39_rows_are_ordered_by_their_key_alone(rig: Rig) -> None:
    rig.read({"query": "install_status=1", "page_size": 500})

    assert all(query.endswith("^ORDERBYsys_id") for query in rig.queries())
    assert not any("sys_updated_on" in query for query in rig.queries())


def test_case_41_an_address_that_is_too_long_is_not_sent(rig: Rig) -> None:
    values = [f"a value of some length {number}" for number in range(400)]

    read = rig.read({"query": [condition("name", "is_not_one_of", values)]})

    assert isinstance(read.error, Refused)
    assert "the address of a page would have" in read.told
    assert rig.calls() == []


def test_case_41_a_front_that_is_stricter_is_told_in_its_words(rig: Rig) -> None:
    rig.turn(max_url_bytes=300)

    read = rig.read()

    assert isinstance(read.error, Refused)
    assert "ServiceNow answers 400 Bad Request" in read.told
    assert "header" in read.told


# What a job holds never becomes a query of its own


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (condition("a^b", "eq", "x"), "is no name"),
        (condition("name=a^ORname", "eq", "x"), "is no name"),
        (condition("name", "eq", "javascript:gs.getUserID()"), "holds a script"),
        (condition("name", "is_one_of", ["a", "javascript:1"]), "holds a script"),
        (condition("name", "is_one_of", ["a,b"]), "for its comma"),
        (condition("name", "is_one_of", []), "an empty list"),
        (condition("name", "is_one_of", "a"), "takes a list"),
        (condition("name", "eq", ["a"]), "takes one value"),
        (condition("name", "eq", ""), "compared with `exist`"),
        (condition("name", "exist", "yes"), "true or false"),
        (condition("cpu_count", "gt", "4"), "whole number"),
        (condition("name", "regexp", "a"), "Input should be"),
        ({"field": "name", "value": "a"}, "write `cond`"),
        ({"any": [condition("name", "eq", "a")], "field": "name"}, "stands alone"),
        ({"any": [{"any": [condition("name", "eq", "a")]}]}, "one level"),
    ],
)
def test_a_condition_that_is_none_is_misdeclared(broken: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ServiceNowDataset.model_validate({"table": "cmdb_ci", "query": [broken]})


TEXT = st.text(min_size=1, max_size=40)


def _is_value(text: str) -> bool:
    return "javascript" not in text.lower()


@given(TEXT.filter(_is_value), st.sampled_from(["eq", "neq", "contain", "begin_with", "end_with"]))
def test_whatever_a_value_holds_it_stays_one_value(value: str, cond: str) -> None:
    words = {"table": "cmdb_ci", "query": [condition("name", cond, value)]}
    query = filter_of(ServiceNowDataset.model_validate(words)).parts[0]

    (group,) = parse(Rows(query, after="0a").ordered).groups

    assert [[each and each.field for each in term] for term in group] == [["name"], ["sys_id"]]
    only = group[0][0]
    assert only is not None
    assert only.value == value


@given(st.lists(TEXT.filter(_is_value).filter(lambda text: "," not in text), min_size=1))
def test_whatever_a_list_holds_it_stays_one_list(values: list[str]) -> None:
    words = {"table": "cmdb_ci", "query": [condition("name", "is_one_of", values)]}
    parts = filter_of(ServiceNowDataset.model_validate(words)).parts

    found: list[str] = []
    for part in parts:
        ((term,),) = parse(part).groups
        assert term[0] is not None
        found += term[0].value.split(",") if term[0].operator == "IN" else [term[0].value]
    assert found == list(dict.fromkeys(values))


@given(st.text(alphabet="ab^=ORNQDERBYjavascript:IN>1_.", max_size=30))
def test_an_encoded_query_is_refused_or_leaves_the_paging_in_force(text: str) -> None:
    try:
        check_encoded(text)
    except ValueError:
        return
    query = parse(Rows(conditions(text), after="0a").ordered)
    (group,) = query.groups
    assert query.order == (("sys_id", False),)
    assert [each and each.field for each in group[-1]] == ["sys_id"]
    assert None not in [each for term in group for each in term]
    found = {each.field for term in group for each in term if each}
    assert found == columns(text) | {"sys_id"}


def test_the_end_mark_of_a_copied_query_is_left_out() -> None:
    check_encoded("active=true^EQ")

    assert conditions("active=true^EQ") == "active=true"
    assert conditions("name=a^^b") == "name=a^^b"


def test_a_related_list_is_let_by() -> None:
    text = "active=true^RLQUERYcmdb_rel_ci.parent,>=1^type=x^ENDRLQUERY^nameSTARTSWITHa"
    check_encoded(text)

    assert columns(text) == {"active", "name"}


# Windows


def window(since: datetime | None, until: datetime | None, **words: Any) -> Window | None:
    dataset = ServiceNowDataset.model_validate({"table": "cmdb_ci", **words})
    return Window.of(Scope(since=since, until=until), dataset, "Sun, 31 Mar 2024 12:00:00 GMT")


def test_a_window_ends_before_the_now_of_the_instance() -> None:
    found = window(TIED, None)

    assert found == Window(
        TIED - timedelta(minutes=15), datetime(2024, 3, 31, 11, 59, 30, tzinfo=UTC)
    )
    assert found.query == ("sys_updated_on>=2024-03-31 01:15:00^sys_updated_on<2024-03-31 11:59:30")


def test_a_window_holds_the_seconds_it_is_given() -> None:
    half = timedelta(milliseconds=500)
    found = window(TIED + half, TIED + half, overlap=0)

    assert found == Window(TIED, TIED + timedelta(seconds=1))
    assert found.holds(["2024-03-31 01:30:00"])
    assert not found.holds(["2024-03-31 01:30:01"])
    assert not found.holds(["2024-03-31 01:29:59"])
    assert found.holds([])


def test_a_window_without_a_beginning_has_an_end() -> None:
    found = window(None, TIED)

    assert found == Window(None, TIED)
    assert found.query == "sys_updated_on<2024-03-31 01:30:00"


def test_moments_of_other_zones_are_written_in_utc() -> None:
    paris = datetime.fromisoformat("2024-03-31T03:30:00+02:00")

    assert window(None, paris) == Window(None, TIED)


def test_no_window_is_none() -> None:
    assert window(None, None) is None


def test_values_that_travel_in_an_address_are_counted_as_they_travel() -> None:
    values = ["é" * 60 + str(number) for number in range(60)]
    words = {"table": "cmdb_ci", "query": [condition("name", "is_one_of", values)]}

    parts = filter_of(ServiceNowDataset.model_validate(words)).parts

    assert len(parts) > 1
    assert max(len(quote_plus(part)) for part in parts) < 5_000


def test_a_slice_of_a_query_is_asked_for_by_both(rig: Rig) -> None:
    rig.read({"query": "install_status=1"}, slice=Slice(1, 4, "40", "80"))

    assert rig.queries()[1] == "install_status=1^sys_id>=40^sys_id<80^ORDERBYsys_id"
