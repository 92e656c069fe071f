"""Pages and shapes: cases 1 to 27 of specs/servicenow-cases.md, as far as they are an extractor's.

The sandbox's fixture is the spec's: 2,500 servers, `big`, `weird`, and `hidblock`.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sources.errors import Refused
from tests.sources.servicenow_rig import Rig

LOCATIONS = {"table": "cmn_location"}


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.instance.reset()
    return served


# 1. Happy path


def test_case_1_to_3_pages_follow_one_another_to_the_last(rig: Rig) -> None:
    read = rig.read()

    assert [len(page.records) for page in read.pages] == [1000, 1000, 500]
    assert [page.first for page in read.pages] == [1, 1001, 2001]
    assert read.ids == rig.ids("cmdb_ci_server")
    assert read.evidence == (
        "2,500 rows, every sys_id once and in order, X-Total-Count and /stats say 2,500"
    )


def test_case_2_a_page_begins_after_the_last_row_of_the_one_before(rig: Rig) -> None:
    ids = rig.ids("cmdb_ci_server")

    rig.read()

    assert rig.queries() == [
        "ORDERBYsys_id",
        f"sys_id>{ids[999]}^ORDERBYsys_id",
        f"sys_id>{ids[1999]}^ORDERBYsys_id",
    ]
    assert {call["query"]["sysparm_offset"] for call in rig.calls()} == {"0"}


def test_case_4_and_5_one_page_and_its_count_are_two_calls(rig: Rig) -> None:
    read = rig.read({"page_size": 10_000})

    assert len(read.records) == 2500
    assert len(rig.instance.traffic.calls) == 2


def test_case_6_the_default_limit_is_never_met(rig: Rig) -> None:
    read = rig.read({"table": "big"})

    assert len(read.records) == 10_050
    assert {call["query"]["sysparm_limit"] for call in rig.calls()} == {"1000"}


def test_case_7_links_are_not_asked_for(rig: Rig) -> None:
    rig.turn(host="elsewhere.example", negative_prev=True)

    read = rig.read()

    assert len(read.records) == 2500
    asked = {call["query"]["sysparm_suppress_pagination_header"] for call in rig.calls()}
    assert asked == {"true"}


@pytest.mark.parametrize("stays", [False, True], ids=["variant A", "variant B"])
def test_case_8_counts_are_asked_for_where_they_serve(rig: Rig, *, stays: bool) -> None:
    rig.turn(no_count_header=stays)

    read = rig.read()

    assert len(read.records) == 2500
    assert [call["query"]["sysparm_no_count"] for call in rig.calls()] == ["false", "true", "false"]


def test_case_9_a_query_without_rows_is_complete(rig: Rig) -> None:
    read = rig.read({"query": "name=doesnotexist"})

    assert read.records == []
    assert read.evidence.startswith("0 rows")


def test_case_10_and_12_v1_says_404_where_nothing_is_found(rig: Rig) -> None:
    read = rig.read({"query": "name=doesnotexist"}, settings={"version": "v1"})

    assert read.records == []
    assert read.evidence.startswith("0 rows")
    assert "/api/now/v1/table/cmdb_ci_server" in rig.paths()


def test_case_10_v1_and_v2_give_the_same_rows(rig: Rig) -> None:
    reads = [rig.read(settings={"version": version}) for version in ("v1", "v2", None)]

    assert reads[0].records == reads[1].records == reads[2].records


# 2. Shapes


def test_case_13_a_reference_with_its_link_is_its_id(rig: Rig) -> None:
    read = rig.read({"exclude_reference_link": False}, {"location", "name"})

    rows = rig.instance.data.view("cmdb_ci_server").rows
    assert read.values("location") == [row["location"] for row in rows]
    assert "" in read.values("location")


def test_case_13_the_link_is_there_for_those_who_ask(rig: Rig) -> None:
    read = rig.read({"exclude_reference_link": False}, {"location.link", "location.value"})

    found = next(each for each in read.values("location") if each)
    link = f"https://acme.service-now.com/api/now/table/cmn_location/{found['value']}"
    assert found["link"] == link


def test_case_14_a_reference_without_link_is_its_id(rig: Rig) -> None:
    read = rig.read(fields={"location"})

    assert read.values("location") == [
        row["location"] for row in rig.instance.data.view("cmdb_ci_server").rows
    ]


def test_case_15_labels_with_links_keep_the_id(rig: Rig) -> None:
    fields = {"operational_status", "location.display_value", "location.value"}
    read = rig.read({"display_value": True, "exclude_reference_link": False}, fields)
    raw = rig.read(fields={"location"})

    assert "Operational" in read.values("operational_status")
    places = [each["value"] if each else "" for each in read.values("location")]
    assert places == raw.values("location")
    assert "HQ Paris" in {each["display_value"] for each in read.values("location") if each}


def test_case_16_labels_without_links_have_no_id_and_relations_refuse_them(rig: Rig) -> None:
    read = rig.read({"display_value": True}, {"location"})

    assert "HQ Paris" in read.values("location")
    assert read.ids == rig.ids("cmdb_ci_server")
    with pytest.raises(ValidationError, match="relations are read by their ids"):
        rig.config({"relations": True, "display_value": True})


def test_case_17_and_18_both_values_are_found_by_their_names(rig: Rig) -> None:
    fields = {"operational_status", "location.value", "location.display_value", "os"}
    read = rig.read({"display_value": "all"}, fields)
    raw = rig.read(fields={"operational_status", "location", "os"})

    assert read.ids == raw.ids
    assert read.values("operational_status") == raw.values("operational_status")
    assert read.values("os") == raw.values("os")
    assert [each["value"] for each in read.values("location")] == raw.values("location")
    assert "HQ Paris" in {each["display_value"] for each in read.values("location")}
    assert {call["query"]["sysparm_limit"] for call in rig.calls()} == {"500", "1000"}


def test_case_19_truth_is_written_in_lower_case(rig: Rig) -> None:
    rig.read({"display_value": True})

    names = ("sysparm_display_value", "sysparm_exclude_reference_link")
    assert {call["query"][name] for call in rig.calls() for name in names} == {"true"}


def test_case_20_dates_are_utc_and_their_labels_are_in_the_zone_of_the_account(rig: Rig) -> None:
    fields = {"sys_updated_on.value", "sys_updated_on.display_value"}
    read = rig.read({"display_value": "all"}, fields)

    tied = {"display_value": "2024-03-31 03:30:00", "value": "2024-03-31 01:30:00"}
    assert read.values("sys_updated_on").count(tied) == 400


@pytest.mark.parametrize("variant", ["empty", "missing"])
def test_case_21_dot_walked_columns_are_objects(rig: Rig, variant: str) -> None:
    rig.turn(empty_dotwalk=variant)

    read = rig.read(fields={"location.name", "location.parent.name", "company"})

    places = read.values("location")
    assert {"name": "Site Paris 072", "parent": {"name": "France"}} in places
    assert {"name": "", "parent": {"name": ""}} in places
    assert all(isinstance(each, str) for each in read.values("company"))
    assert "no row has" not in read.evidence
    assert "missing" not in read.evidence


def test_case_21_a_reference_is_asked_whole_or_inside(rig: Rig) -> None:
    read = rig.read(fields={"location", "location.name"})

    assert isinstance(read.error, Refused)
    assert "'location' is asked whole, and inside by 'location.name'" in read.told
    assert "mend: write location.sys_id for its id" in read.told


def test_case_21_the_id_is_there_beside_the_name(rig: Rig) -> None:
    read = rig.read(fields={"location.sys_id", "location.name"})
    raw = rig.read(fields={"location"})

    assert [each["sys_id"] for each in read.values("location")] == raw.values("location")


def test_case_22_a_column_that_is_not_there_is_told(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    read = rig.read(fields={"name", "nope", "u_missing"})

    told = "no row has nope, u_missing: no such column of this table, or no right to read"
    assert told in read.evidence
    assert f"feed: {told}" in caplog.messages


def test_case_22_a_label_in_place_of_a_column_is_refused(rig: Rig) -> None:
    read = rig.read(fields={"Asset tag"})

    assert "no column can be called 'Asset tag'" in read.told
    assert rig.calls() == []


def test_case_23_columns_of_a_child_are_not_on_its_parent(rig: Rig) -> None:
    read = rig.read({"table": "cmdb_ci"}, {"name", "os"})

    assert len(read.records) == 3360
    assert "no row has os" in read.evidence


def test_case_24_the_class_tells_the_table(rig: Rig) -> None:
    read = rig.read(
        {"display_value": "all"}, {"sys_class_name.value", "sys_class_name.display_value"}
    )

    linux = {"display_value": "Linux Server", "value": "cmdb_ci_linux_server"}
    assert read.values("sys_class_name").count(linux) == 1500


def test_case_25_all_is_text_and_nothing_is_an_empty_text(rig: Rig) -> None:
    read = rig.read(fields=("name", "location", "virtual", "cpu_count", "assigned_to"))

    values = [value for record in read.records for value in record.values()]
    assert {type(value) for value in values} == {str}
    assert {"true", "false", "4", ""} <= set(values)


def test_case_26_keys_are_not_all_guids(rig: Rig) -> None:
    read = rig.read({**LOCATIONS, "page_size": 7})
    domains = rig.read({"exclude_reference_link": False}, {"sys_domain"})

    assert read.ids == rig.ids("cmn_location")
    assert {"global", "ABCDEF00000000000000000000000000"} <= set(read.ids)
    assert "120 rows" in read.evidence
    assert set(domains.values("sys_domain")) == {"global"}


@pytest.mark.parametrize("page_size", [3, 50])
def test_case_26_odd_keys_stand_where_a_binary_collation_wants_them(
    rig: Rig, page_size: int
) -> None:
    rig.turn(collation="binary")

    read = rig.read({**LOCATIONS, "page_size": page_size})

    assert read.ids == rig.ids("cmn_location")
    assert read.ids != sorted(read.ids, key=str.lower)
    assert read.evidence


def test_case_27_no_view_narrows_the_columns(rig: Rig) -> None:
    rig.read()

    assert {call["query"]["sysparm_fields"] for call in rig.calls()} == {"name,sys_id"}
    assert {call["query"]["sysparm_view"] for call in rig.calls()} == {""}


def test_nothing_named_gives_every_column(rig: Rig) -> None:
    read = rig.read(fields=None)

    assert {"name", "os", "ram", "sys_class_name", "sys_mod_count"} <= set(read.records[0])


def test_columns_may_be_asked_besides_those_of_the_mapping(rig: Rig) -> None:
    read = rig.read({"fields": ["os", "location.name"]})

    assert set(read.records[0]) == {"name", "os", "location", "sys_id"}


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"table": "cmdb_ci/../x"}, "is no name"),
        ({"table": "CMDB_CI"}, "is no name"),
        ({"table": ""}, "a dataset has a table"),
        ({"table": "t", "fields": ["a b"]}, "is no name"),
        ({"table": "t", "types": "Runs on::Runs"}, "`types` are of relations"),
        ({"table": "t", "colour": "blue"}, "Extra inputs"),
        ({"table": "t", "classes": "a^b"}, "is no name"),
    ],
)
def test_a_dataset_that_is_no_table_is_misdeclared(
    rig: Rig, dataset: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        rig.config(dataset)
