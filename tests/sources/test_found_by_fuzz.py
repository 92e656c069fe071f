"""Rows that were lost, doubled or not wanted, found by `python -m tests.fuzz_sources`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.itop import create_app as create_itop
from sandbox.itop_store import Objects
from sandbox.serve import serve
from sandbox.servicenow import create_app as create_servicenow
from sources.base import Complete, Partial, Scope
from sources.errors import Refused
from sources.servicenow_encoded import contradictions
from tests.sources import easyvista_rig, itop_rig, servicenow_rig

MORNING = datetime(2026, 3, 29, tzinfo=UTC)


@pytest.fixture(scope="module")
def instance() -> Iterator[servicenow_rig.Rig]:
    app = create_servicenow({})
    with serve(app) as url:
        yield servicenow_rig.Rig(url, app.state.servicenow)


@pytest.fixture
def servicenow(instance: servicenow_rig.Rig) -> servicenow_rig.Rig:
    instance.instance.reset()
    return instance


@pytest.fixture(scope="module")
def itop() -> Iterator[itop_rig.Rig]:
    app = create_itop(Objects())
    with serve(app) as url:
        yield itop_rig.Rig(url, app)


@pytest.fixture(scope="module")
def easyvista() -> Iterator[easyvista_rig.Rig]:
    with easyvista_rig.served() as rig:
        yield rig


# -- ServiceNow


def things(*rows: tuple[str, str]) -> list[dict[str, str]]:
    """Rows of a table, each with its name and environment."""
    return [
        {
            "sys_id": f"{rank:032x}",
            "name": name,
            "u_env": env,
            "sys_updated_on": "2024-03-31 01:00:00",
        }
        for rank, (name, env) in enumerate(rows)
    ]


THINGS = {"table": "u_things"}


@pytest.mark.parametrize("effect", ["ignored", "refused"])
@pytest.mark.parametrize(
    "query",
    [
        [{"field": "name", "cond": "begin_with", "value": "a"}],
        # Of an OR whose half is ignored the other half alone is left, and rows are lost.
        [
            {
                "any": [
                    {"field": "name", "cond": "not_contain", "value": "a"},
                    {"field": "u_env", "cond": "eq", "value": "prod"},
                ]
            }
        ],
        "nameLIKEa^ORu_env=prod",
        "name>=b",
    ],
)
def test_a_query_of_which_the_account_may_not_compare_a_part_is_refused(
    servicenow: servicenow_rig.Rig, query: Any, effect: str
) -> None:
    servicenow.instance.put_table("u_things", things(("a", "prod"), ("b", "test"), ("c", "prod")))
    assert servicenow.read({**THINGS, "query": query}).evidence

    servicenow.turn(query_acls=[{"fields": ["name"], "effect": effect}])
    read = servicenow.read({**THINGS, "query": query})

    assert isinstance(read.error, Refused)
    assert read.pages == []
    if effect == "ignored":
        assert "the instance ignores conditions on name" in read.told
        assert "query_range" in read.told


def test_a_window_that_labels_cannot_show_is_refused_where_it_is_ignored(
    servicenow: servicenow_rig.Rig,
) -> None:
    servicenow.instance.put_table("u_things", things(("a", "prod")))
    labels = {**THINGS, "display_value": True}
    assert servicenow.read(labels, since=datetime(2024, 4, 1, tzinfo=UTC)).records == []

    servicenow.turn(query_acls=[{"fields": ["sys_updated_on"]}])
    read = servicenow.read(labels, since=datetime(2024, 4, 1, tzinfo=UTC))

    assert isinstance(read.error, Refused)
    assert "ignores conditions on sys_updated_on" in read.told


def test_a_type_of_relation_that_is_hidden_makes_a_choice_of_types_partial(
    servicenow: servicenow_rig.Rig,
) -> None:
    types = [{"sys_id": key, "name": "Runs on::Runs"} for key in ("t1", "t2")]
    ends = {"parent": "a", "child": "b"}
    servicenow.instance.put_table("cmdb_rel_type", types)
    relations = [{"sys_id": key, "type": f"t{key}", **ends} for key in ("1", "2")]
    servicenow.instance.put_table("cmdb_rel_ci", relations)
    dataset = {"relations": True, "types": ["Runs on::Runs"]}
    asked = ("parent", "child", "type")
    assert len(servicenow.read(dataset, asked).records) == 2

    acl = {"table": "cmdb_rel_type", "starts": "t2", "field": "sys_id"}
    servicenow.turn(row_acls=[acl])

    assert "1 rows of cmdb_rel_type are hidden" in servicenow.read(dataset, asked).reason
    assert servicenow.read({"relations": True}, asked).evidence


def test_a_total_that_is_too_low_is_noticed_while_rows_go(servicenow: servicenow_rig.Rig) -> None:
    rows = things(*(("a", "prod") for _ in range(190)))
    servicenow.instance.put_table("u_things", rows)
    servicenow.turn(total_error=-50)
    servicenow.fault("rows", on="u_things", times=0, remove=2)

    read = servicenow.read({**THINGS, "page_size": 3})

    assert "X-Total-Count says" in read.reason


@pytest.mark.parametrize(
    ("query", "impossible"),
    [
        ("nameSTARTSWITHa", {"name": "nameLIKEa^nameNOT LIKEa"}),
        ("name!*a", {"name": "nameLIKEa^nameNOT LIKEa"}),
        ("ram>8", {"ram": "ram>8^ram<8"}),
        ("ramBETWEEN1@8", {"ram": "ram>1^ram<1"}),
        ("nameLIKEa^^b", {"name": "nameLIKEa^^b^nameNOT LIKEa^^b"}),
        ("active=true^nameINa,b", {}),
    ],
)
def test_what_no_row_can_meet_is_made_of_what_is_compared(
    query: str, impossible: dict[str, str]
) -> None:
    assert contradictions(query) == impossible


# -- iTop


def servers(count: int, **values: Any) -> Objects:
    held = Objects()
    for number in range(1, count + 1):
        held.add("Server", name=f"srv-{number}", status="production", **values)
    return held


def test_objects_that_come_and_go_in_one_window_are_no_error(itop: itop_rig.Rig) -> None:
    held = servers(6)
    held.change("Server::3", status="obsolete")
    change = {"Server::3": {"status": "production"}, "Server::2": {"status": "obsolete"}}
    itop.hold(held, faults=[{"kind": "rows", "on": "Server", "change": change}])

    read = itop.read({"where": "status != 'obsolete'"})

    assert read.values("id") == ["1", "3", "4", "5", "6"]
    assert isinstance(read.outcome, Complete)
    assert "1 were gone when asked for again" in read.told


def test_a_list_of_ids_of_another_slice_is_partial(itop: itop_rig.Rig) -> None:
    itop.hold(servers(8))
    first, last = itop.slices({"page_size": 4}, 2)
    assert itop.read({"page_size": 4}, slice=first).values("id") == ["1", "2", "3", "4"]

    itop.itop.turn({"faults": [{"kind": "repeat", "on": "Server"}]})  # the answer before
    read = itop.read({"page_size": 4}, slice=last)

    assert isinstance(read.outcome, Partial)
    assert "iTop answers the list of ids after 4 with others" in read.told


# -- EasyVista

ASSETS = {"resource": "assets", "crosscheck": "none"}


def assets(*stamps: str, **values: Any) -> dict[str, list[dict[str, Any]]]:
    places = {"LOCATION_ID": 1, "DEPARTMENT_ID": 1, "IS_CI": 1, **values}
    rows = [
        {"ASSET_ID": 11 + rank, "ASSET_TAG": f"A{rank}", "LAST_UPDATE": stamp, **places}
        for rank, stamp in enumerate(stamps)
    ]
    locations, departments = [{"LOCATION_ID": 1}], [{"DEPARTMENT_ID": 1}]
    return {"AM_ASSET": rows, "AM_LOCATION": locations, "AM_DEPARTMENT": departments}


def stamped(count: int) -> dict[str, list[dict[str, Any]]]:
    return assets(*(f"2026-03-29T00:00:{number:02}.000+00:00" for number in range(count)))


def test_the_links_of_cis_that_the_list_of_assets_leaves_out_are_read(
    easyvista: easyvista_rig.Rig,
) -> None:
    tables = stamped(3)
    tables["AM_ASSET"][1]["LOCATION_ID"] = None
    tables["CI_LINK"] = [
        {"LINK_ID": 1, "PARENT_CI_ID": 12, "CHILD_CI_ID": 99, "RELATION_TYPE_ID": 1}
    ]
    easyvista.hold(tables, inner_joins=True)

    read = easyvista.read({"links": {"of": "assets"}})

    assert read.values("PARENT_CI_ID") == ["12"]
    assert read.complete
    assert "1 CIs that /assets leaves out are added" in read.told


def test_a_ci_is_missed_though_the_server_drops_the_condition_that_tells_cis(
    easyvista: easyvista_rig.Rig,
) -> None:
    tables = stamped(2)
    tables["AM_ASSET"][0]["LOCATION_ID"] = None
    tables["AM_ASSET"][1]["IS_CI"] = 0
    easyvista.hold(tables, inner_joins=True, dropped=["IS_CI"])

    read = easyvista.read({"resource": "assets"})

    assert not read.complete
    assert "1 CIs of /configuration-items are not in /assets" in read.told


@pytest.mark.parametrize("odd", ["not an object", {"ASSET_TAG": "of no id"}])
def test_a_record_that_has_no_id_to_ask_its_links_by_makes_them_partial(
    easyvista: easyvista_rig.Rig, odd: Any
) -> None:
    fault = {"kind": "bad_record", "on": "configuration-items", "record": odd}
    easyvista.hold(stamped(3), faults=[fault])

    read = easyvista.read({"links": {}})

    assert not read.complete
    assert "configuration-items: 1 records have no ASSET_ID" in read.told


def test_a_record_without_the_field_that_is_compared_is_kept(
    easyvista: easyvista_rig.Rig,
) -> None:
    odd = {"kind": "bad_record", "on": "assets", "index": 1, "record": {"ASSET_ID": "12"}}
    easyvista.hold(stamped(3), faults=[odd])
    dataset = ASSETS | {"search": [{"field": "ASSET_TAG", "cond": "begin_with", "value": "A"}]}

    read = easyvista.read(dataset, easyvista_rig.fields())

    assert read.values("ASSET_ID") == ["11", "12", "13"]
    assert "1 records could not be compared" in read.told


def test_each_link_that_is_no_object_is_a_reject(easyvista: easyvista_rig.Rig) -> None:
    tables = stamped(3)
    tables["CI_LINK"] = [
        {"LINK_ID": number, "PARENT_CI_ID": number, "CHILD_CI_ID": 99, "RELATION_TYPE_ID": 1}
        for number in (11, 12, 13)
    ]
    fault = {"kind": "bad_record", "on": "configuration-items/*", "times": 2}
    easyvista.hold(tables, faults=[fault])

    read = easyvista.read({"links": {}})

    assert (len(read.records), len(read.rejects)) == (1, 2)


def test_a_window_reads_the_whole_of_a_second_where_stamps_tell_no_more(
    easyvista: easyvista_rig.Rig,
) -> None:
    tables = assets("2026-03-29T00:00:04.250+00:00", "2026-03-29T00:00:05.000+00:00")
    easyvista.hold(tables, stamps="locale")
    written = {"timezone": "Europe/Paris", "date_format": "%d/%m/%Y %H:%M:%S"}
    since = MORNING.replace(second=4, microsecond=100_000)

    read = easyvista.read(ASSETS, Scope(frozenset({"ASSET_TAG"}), since), **written)

    assert read.values("ASSET_TAG") == ["A0", "A1"]
    assert read.complete


@pytest.mark.parametrize("stamps", ["offset", "utc", "locale"])
def test_a_condition_of_days_leaves_out_nothing_that_the_server_kept(
    easyvista: easyvista_rig.Rig, stamps: str
) -> None:
    # In Paris it is the 29th, by the clock of UTC the 28th.
    easyvista.hold(assets("2026-03-28T23:30:00.000+00:00"), stamps=stamps)
    written: dict[str, Any] = {}
    if stamps == "locale":
        written = {"timezone": "Europe/Paris", "date_format": "%d/%m/%Y %H:%M:%S"}
    dataset = ASSETS | {"search": [{"field": "LAST_UPDATE", "since": "2026-03-29"}]}

    read = easyvista.read(dataset, easyvista_rig.fields("ASSET_TAG"), **written)

    assert read.values("ASSET_TAG") == ["A0"]


def test_a_dropped_condition_is_refused_though_rows_come_between_two_totals(
    easyvista: easyvista_rig.Rig,
) -> None:
    added = {"ASSET_ID": 999, "LOCATION_ID": 1, "DEPARTMENT_ID": 1}
    fault = {"kind": "rows", "on": "assets", "at": 2, "add": [added]}
    easyvista.hold(stamped(3), faults=[fault])

    read = easyvista.read(ASSETS | {"search": [{"field": "NOTHING_ID", "value": 1}]})

    assert isinstance(read.error, Refused)
    assert "drops the condition" in read.told


@pytest.mark.parametrize("window", [False, True])
def test_an_empty_page_that_announces_another_is_partial_without_a_total(
    easyvista: easyvista_rig.Rig, *, window: bool
) -> None:
    faults = [{"kind": "short", "on": "assets", "at": 2, "times": 2, "keep": 0}]
    easyvista.hold(stamped(9), counts="missing", faults=faults)
    scope = Scope(frozenset({"ASSET_TAG"}), MORNING if window else None)

    read = easyvista.read(ASSETS | {"page_size": 2}, scope)

    assert not read.complete
    assert "an empty page announces a next one" in read.told


def test_a_total_that_is_too_low_is_noticed_on_a_build_without_offsets(
    easyvista: easyvista_rig.Rig,
) -> None:
    easyvista.hold(stamped(9), build="2018", total_error=-1)

    read = easyvista.read(ASSETS | {"page_size": 2})

    assert not read.complete
    assert "total_record_count says 8, 9 records were received" in read.told


def test_a_total_that_is_too_low_does_not_end_a_window_that_goes_on(
    easyvista: easyvista_rig.Rig,
) -> None:
    ticks = [0, 0, 1, 1, 1]
    stamps = [f"2026-03-29T00:00:0{tick}.000+00:00" for tick in ticks]
    easyvista.hold(assets(*stamps), total_error=-1)

    read = easyvista.read(ASSETS | {"page_size": 2}, Scope(frozenset(), MORNING))

    assert len(read.records) == 5
    assert not read.complete


@pytest.mark.parametrize("next_link", ["present", "absent", "always"])
def test_a_window_ends_whatever_the_last_page_announces(
    easyvista: easyvista_rig.Rig, next_link: str
) -> None:
    easyvista.hold(stamped(5), next_link=next_link)

    read = easyvista.read(ASSETS | {"page_size": 2}, Scope(frozenset(), MORNING))

    assert len(read.records) == 5
    assert read.complete


def test_a_window_ends_where_offsets_are_ignored_and_pages_hold_one_record(
    easyvista: easyvista_rig.Rig,
) -> None:
    knobs = {"offset_ignored": True, "max_rows_cap": 1, "counts": "missing"}
    easyvista.hold(assets(*["2026-03-29T00:00:00.000+00:00"] * 3), **knobs)

    read = easyvista.read(ASSETS, Scope(frozenset(), MORNING))

    assert not read.complete
    assert "again the records of an earlier page" in read.told
    assert easyvista.calls() < 10
