"""Hidden rows, counts, relations, the probe: cases 42 to 56 of specs/servicenow-cases.md."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_knobs import ServiceNowKnobs
from sandbox.servicenow_schema import key
from sources.base import Partial, Scope
from sources.errors import Refused
from sources.servicenow import SOURCE
from sources.servicenow_reckoning import Counts, reckoned
from tests.sources.conftest import Server
from tests.sources.servicenow_rig import Rig

RELATIONS = {"relations": True}
DEPENDS = "Depends on::Used by"


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.instance.reset()
    return served


def seen(rig: Rig, table: str, user: str) -> list[str]:
    hidden = rig.instance.hidden(table, user)
    return [each for each in rig.ids(table) if each not in hidden]


# 4. ACL trimming


def test_case_42_short_pages_are_not_the_end(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    read = rig.read({"page_size": 100}, user="etl_acl")

    assert read.ids == seen(rig, "cmdb_ci_server", "etl_acl")
    assert len(read.ids) == 2400
    assert read.evidence == (
        "2,400 rows, every sys_id once and in order, X-Total-Count and /stats say 2,500: "
        "100 are hidden from the account or came while reading"
    )
    told = "cmdb_ci_server: 100 of 2500 rows that are counted were not shown"
    assert [each.partition(": hidden")[0] for each in caplog.messages] == [told]
    assert len(rig.calls()) <= 28


@pytest.mark.parametrize("share", [2, 4, 10])
def test_case_42_rows_hidden_at_random(rig: Rig, share: int) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "hidblock", "every": share}])

    read = rig.read({"table": "hidblock", "page_size": 100}, user="etl_acl")

    assert read.ids == seen(rig, "hidblock", "etl_acl")
    assert read.evidence


@pytest.mark.parametrize("page_size", [23, 100, 1000])
def test_case_43_and_44_a_hidden_block_is_walked_across(rig: Rig, page_size: int) -> None:
    read = rig.read({"table": "hidblock", "page_size": page_size}, user="etl_acl")

    hidden = len(rig.instance.hidden("hidblock", "etl_acl"))
    assert hidden > 100
    assert read.ids == seen(rig, "hidblock", "etl_acl")
    assert f"{hidden} are hidden" in read.evidence


@pytest.mark.parametrize("block", [("", "3"), ("c", ""), ("", "0fff")])
def test_case_43_a_hidden_block_at_either_end(rig: Rig, block: tuple[str, str]) -> None:
    acl = {"user": "etl_acl", "table": "hidblock", "low": block[0], "high": block[1]}
    rig.turn(row_acls=[acl])

    read = rig.read({"table": "hidblock", "page_size": 50}, user="etl_acl")

    assert read.ids == seen(rig, "hidblock", "etl_acl")
    assert read.evidence


def test_case_43_slices_of_a_table_with_a_hidden_block(rig: Rig) -> None:
    dataset = {"table": "hidblock", "page_size": 50}

    reads = [rig.read(dataset, user="etl_acl", slice=each) for each in rig.slices(16, dataset)]

    assert [one for read in reads for one in read.ids] == seen(rig, "hidblock", "etl_acl")
    assert [len(read.ids) for read in reads].count(0) == 1
    assert all(read.evidence for read in reads)


def test_case_95_rights_that_were_lost_are_noticed_in_slices_too(rig: Rig) -> None:
    acl = {"user": "etl_acl", "table": "hidblock", "low": "01", "high": ""}
    rig.turn(row_acls=[acl])

    reads = [rig.read({"table": "hidblock"}, user="etl_acl", slice=s) for s in rig.slices(4)]

    assert all("right to read" in read.reason for read in reads)


def test_case_45_and_95_a_table_of_which_nothing_is_shown_is_partial(rig: Rig) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "cmdb_ci_appl", "everything": True}])

    read = rig.read({"table": "cmdb_ci_appl"}, user="etl_acl")

    assert read.records == []
    assert "none of the 800 rows that are counted is shown to the account" in read.reason


def test_case_95_rights_that_were_lost_make_a_partial_reading(rig: Rig) -> None:
    acl = {"user": "etl_acl", "table": "cmdb_ci_server", "low": "01", "high": ""}
    rig.turn(row_acls=[acl])

    lost = rig.read(user="etl_acl")
    known = rig.read({"max_hidden": 1}, user="etl_acl")

    assert 0 < len(lost.ids) < 25
    assert "more than `max_hidden` lets pass (50%)" in lost.reason
    assert known.ids == lost.ids
    assert "are hidden from the account" in known.evidence


@pytest.mark.parametrize("variant", ["missing", "empty"])
def test_case_46_a_column_that_may_not_be_read_is_told_or_empty(rig: Rig, variant: str) -> None:
    acl = {"user": "etl_acl", "fields": ["serial_number"], "shape": variant}
    rig.turn(field_acls=[acl])

    read = rig.read(fields={"name", "serial_number"}, user="etl_acl")

    assert len(read.records) == 2400
    told = "no row has serial_number: no such column of this table, or no right to read"
    assert (told in read.evidence) == (variant == "missing")


def test_case_47_a_table_that_is_refused(rig: Rig) -> None:
    read = rig.read(RELATIONS, {"parent", "child"}, user="ro_none")

    assert isinstance(read.error, Refused)
    assert "403 Forbidden: Operation Failed: ACL Exception Query Failed" in read.told
    assert "mend: ask for the rights" in read.told
    assert "transaction: " in read.told


@pytest.mark.parametrize("count", [7, 2500])
def test_case_48_a_range_that_is_ignored_stops_at_the_second_page(rig: Rig, count: int) -> None:
    read = rig.read({"page_size": count - 1}, user="etl_range")

    assert "page 2 does not follow the one before" in read.reason
    assert "query_range on cmdb_ci_server.sys_id" in read.reason
    assert len(read.ids) == len(set(read.ids)) == count - 1
    assert len(rig.calls()) == 2


def test_case_48_a_range_that_is_ignored_in_a_slice(rig: Rig) -> None:
    reads = [rig.read(user="etl_range", slice=each) for each in rig.slices(4)]

    assert all("query_range" in read.reason for read in reads)


def test_case_48_a_range_that_is_refused(rig: Rig) -> None:
    rig.turn(query_acls=[{"user": "etl_range", "effect": "refused"}])

    read = rig.read(user="etl_range")

    assert isinstance(read.error, Refused)
    assert "Insufficient rights to query records" in read.told
    assert "query_range" in read.told


def test_case_48_a_window_that_is_ignored_is_noticed(rig: Rig) -> None:
    acl = {"user": "etl_range", "fields": ["sys_updated_on"]}
    rig.turn(query_acls=[acl])

    read = rig.read(user="etl_range", since=datetime(2024, 3, 31, tzinfo=UTC))

    assert "query_range on cmdb_ci_server.sys_updated_on" in read.reason


def test_classes_that_are_ignored_are_noticed(rig: Rig) -> None:
    # Nothing in the sandbox drops an equality: a page that is repeated does as if.
    rows = [{"sys_id": f"{rank:032x}", "sys_class_name": "u_other"} for rank in range(3)]
    rig.instance.put_table("u_mixed", rows)
    rig.fault("repeat", "u_mixed", at=2, times=0)
    rig.read({"table": "u_mixed", "page_size": 5})

    read = rig.read({"table": "u_mixed", "classes": "u_wanted", "page_size": 5})

    assert isinstance(read.error, Refused)
    assert "gives rows of 'u_other'" in read.told


# 5. Other APIs


def test_case_49_rows_are_counted_hidden_ones_included(rig: Rig) -> None:
    assert rig.count() == rig.count(user="etl_acl") == 2500
    retired = [row["install_status"] for row in rig.instance.data.view("cmdb_ci_server").rows]
    assert rig.count({"query": "install_status=7"}) == retired.count("7") > 0
    assert rig.count({"classes": "cmdb_ci_server"}) == 100


def test_case_49_a_count_that_is_refused_is_none(rig: Rig) -> None:
    rig.fault("status", "stats/cmdb_ci_server", status=403, times=0)

    assert rig.count() is None


def test_case_49_without_the_aggregate_api_the_total_is_proof(rig: Rig) -> None:
    rig.fault("status", "stats/cmdb_ci_server", status=403, times=0)

    read = rig.read()

    assert read.evidence == (
        "2,500 rows, every sys_id once and in order, "
        "X-Total-Count says 2,500 and /stats is not to be read"
    )


def test_case_49_a_count_that_takes_too_long_is_done_without(rig: Rig) -> None:
    rig.fault("result", "stats/cmdb_ci_server", times=0, missing=True)

    read = rig.read()

    assert "/stats is not to be read" in read.evidence
    assert rig.count() is None


@pytest.mark.parametrize("answers", [True, False])
def test_without_x_total_count_the_aggregate_api_tells_the_end(
    server: Server, *, answers: bool
) -> None:
    # As behind a proxy that lets through no header that it does not know.
    ids = [f"{rank:02x}" for rank in range(25)]

    async def table(request: Request) -> Response:
        query = request.query_params["sysparm_query"]
        after = query.partition("sys_id>")[2].partition("^")[0]
        left = [each for each in ids if each > after]
        if "/stats/" not in request.url.path:
            limit = int(request.query_params["sysparm_limit"])
            return JSONResponse({"result": [{"sys_id": each} for each in left[:limit]]})
        if not answers:
            return Response(status_code=403)
        return JSONResponse({"result": {"stats": {"count": str(len(left))}}})

    instance = Instance({}, ServiceNowKnobs())
    read = Rig(server.add(table), instance).read({"table": "u_t", "page_size": 10})

    assert len(read.ids) == 25
    if answers:
        assert "X-Total-Count and /stats say 25" in read.evidence
    else:
        assert "no total tells where the rows end" in read.reason


@pytest.mark.parametrize(("total", "stats"), [(3, 0), (-3, 0), (0, 3), (0, -3)])
def test_counts_that_contradict_each_other_are_partial(rig: Rig, total: int, stats: int) -> None:
    rig.turn(total_error=total, stats_error=stats)

    read = rig.read()

    assert read.reason == (
        f"X-Total-Count says {2500 + total:,} and /stats {2500 + stats:,}; 2,500 rows were read"
    )


@pytest.mark.parametrize(
    ("counts", "received", "words"),
    [
        (Counts(None, None), 3, "no total confirms"),
        (Counts(2, None), 3, "X-Total-Count says 2, 3 rows were read"),
        (Counts(3, 0, agree=False), 3, "X-Total-Count says 3 and /stats 0"),
        (Counts(3, 3), 0, "none of the 3 rows"),
        (Counts(5, 5), 2, "more than `max_hidden`"),
    ],
)
def test_what_makes_a_reading_partial(counts: Counts, received: int, words: str) -> None:
    outcome = reckoned(counts, received, table="t", max_hidden=0.5)

    assert isinstance(outcome, Partial)
    assert words in outcome.reason


def test_case_52_and_53_relations_have_their_types_in_words(rig: Rig) -> None:
    fields = {"parent", "child", "type.name", "type.parent_descriptor", "type.child_descriptor"}
    read = rig.read(RELATIONS, fields)

    names = Counter(each["name"] for each in read.values("type"))
    assert names[DEPENDS] == 810
    assert {"Runs on::Runs", "Connects to::Connected by"} <= names.keys()
    one = next(each for each in read.values("type") if each["name"] == DEPENDS)
    assert one == {
        "sys_id": "1a9cb166f1571100a92eb60da2bce5c5",
        "name": DEPENDS,
        "parent_descriptor": "Depends on",
        "child_descriptor": "Used by",
    }
    assert all(record["parent"] and record["child"] for record in read.records)
    assert rig.paths() >= {"/api/now/table/cmdb_rel_type"}
    assert len(rig.calls("cmdb_rel_type")) == 1


def test_case_52_what_is_no_relation_is_left_out_and_counted(rig: Rig) -> None:
    read = rig.read(RELATIONS, {"parent", "child", "type.name"})

    assert len(read.records) == 5970
    assert "6,000 rows" in read.evidence
    assert "left out: 5 of a CI with itself, 5 without an end, 20 written twice" in read.evidence
    assert "10 of a type that is not in cmdb_rel_type" in read.evidence
    assert read.rejects == []
    told = [(one["parent"], one["child"], one["type"]["sys_id"]) for one in read.records]
    assert len(told) == len(set(told))


def test_case_52_relations_by_the_ids_of_their_types_need_no_types(rig: Rig) -> None:
    read = rig.read(RELATIONS, {"parent", "child", "type"})

    assert "1a9cb166f1571100a92eb60da2bce5c5" in read.values("type")
    assert len(rig.calls("cmdb_rel_type")) == 0


def test_case_52_a_type_is_asked_by_its_id_or_in_words(rig: Rig) -> None:
    read = rig.read(RELATIONS, {"type", "type.name"})

    assert "'type' is asked whole, and inside by 'type.name'" in read.told


def test_case_53_relations_of_some_types(rig: Rig) -> None:
    dataset = {**RELATIONS, "types": [DEPENDS, "Runs on::Runs"]}
    read = rig.read(dataset, {"parent", "child", "type.name"})

    names = Counter(each["name"] for each in read.values("type"))
    assert set(names) == {DEPENDS, "Runs on::Runs"}
    # 840 of the one, 800 of the other, of which 20 twice and 5 each without parent and of itself.
    assert "X-Total-Count and /stats say 1,6" in read.evidence


def test_case_53_a_type_that_is_not_there_is_refused(rig: Rig) -> None:
    read = rig.read({**RELATIONS, "types": "Depends on::Used"}, {"parent"})

    assert "no type of relation is called 'Depends on::Used'" in read.told
    assert f"did you mean '{DEPENDS}'?" in read.told


def test_case_53_types_that_are_all_hidden_are_refused(rig: Rig) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "cmdb_rel_type", "everything": True}])

    read = rig.read(RELATIONS, {"parent", "type.name"}, user="etl_acl")

    assert isinstance(read.error, Refused)
    assert "no type of relation is shown to user etl_acl" in read.told


def test_names_of_ends_may_be_asked_for(rig: Rig) -> None:
    dataset = {**RELATIONS, "types": DEPENDS}
    read = rig.read(dataset, {"parent.name", "child.name"})
    plain = rig.read(dataset, {"parent", "child"})

    names = {row["sys_id"]: row["name"] for row in rig.instance.data.view("cmdb_ci").rows}
    assert [(one["parent"]["name"], one["child"]["name"]) for one in read.records] == [
        (names[one["parent"]], names[one["child"]])
        for one in plain.records
        if one["child"] in names  # the others lead nowhere, and come without an end
    ]
    assert "15 without an end" in read.evidence
    assert "5 without an end" in plain.evidence


def test_slices_of_relations_are_their_whole(rig: Rig) -> None:
    reads = [rig.read(RELATIONS, {"parent"}, slice=each) for each in rig.slices(4, RELATIONS)]

    found = {one for read in reads for one in read.ids}
    # One written twice in two slices comes twice: each slice knows of its own alone.
    assert 5970 <= len(found) <= 5990


def test_case_54_deletes_are_never_read_of(rig: Rig) -> None:
    rig.instance.delete("cmdb_ci_linux_server", rig.ids("cmdb_ci_linux_server")[:3])

    read = rig.read()
    rig.probe()

    assert len(read.records) == 2497
    assert not [path for path in rig.paths() if "audit" in path]


# The probe


def test_the_probe_tells_release_account_and_rights(rig: Rig) -> None:
    probe = rig.probe({}, RELATIONS, {"table": "cmdb_ci_server", "query": "nope=1"})

    assert probe.version == "ServiceNow, Australia, glide-australia__patch4"
    assert probe.identity == "user etl (etl, Europe/Paris)"
    assert probe.rights == ("read cmdb_ci_server", "read cmdb_rel_ci", "read cmdb_rel_type")
    assert probe.lacking == ()


def test_the_probe_reads_one_row_of_a_dataset_at_most(rig: Rig) -> None:
    rig.probe()

    assert {call["query"]["sysparm_limit"] for call in rig.calls("cmdb_ci_server")} == {"1"}
    assert len(rig.calls("cmdb_ci_server")) == 2


def test_the_probe_does_with_what_an_account_may_read(rig: Rig) -> None:
    acls = [{"user": "etl", "table": table} for table in ("sys_properties", "sys_user")]
    rig.turn(table_acls=acls)

    probe = rig.probe()

    assert probe.version == "ServiceNow, release unknown: sys_properties is not to be read"
    assert probe.identity == "user etl"
    assert probe.lacking == ()


def test_the_probe_names_a_table_that_is_refused(rig: Rig) -> None:
    probe = rig.probe({}, RELATIONS, user="ro_none")

    assert probe.rights == ("read cmdb_ci_server", "read cmdb_rel_type")
    assert probe.lacking == ("read cmdb_rel_ci",)


def test_the_probe_tells_rows_that_are_hidden_from_none(rig: Rig) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "cmdb_ci_appl", "everything": True}])
    rig.instance.put_table("u_empty", [])

    probe = rig.probe({"table": "cmdb_ci_appl"}, {"table": "u_empty"}, user="etl_acl")

    assert probe.rights == ("read u_empty (empty)",)
    assert probe.lacking == ("read the rows of cmdb_ci_appl: 800 are counted and none is shown",)


def test_the_probe_looks_further_where_the_first_row_is_hidden(rig: Rig) -> None:
    rig.turn(row_acls=[{"user": "etl_acl", "table": "cmdb_ci_server", "low": "", "high": "1"}])

    assert rig.probe(user="etl_acl").lacking == ()


@pytest.mark.parametrize("effect", ["ignored", "refused"])
def test_the_probe_names_ranges_that_are_not_taken(rig: Rig, effect: str) -> None:
    rig.turn(query_acls=[{"user": "etl_range", "effect": effect}])

    assert rig.probe(user="etl_range").lacking == ("query_range on cmdb_ci_server.sys_id",)


def test_on_madrid_there_are_no_query_acls(rig: Rig) -> None:
    rig.turn(release="madrid")

    probe = rig.probe(user="etl_range")
    read = rig.read(user="etl_range")

    assert probe.lacking == ()
    assert "Madrid" in probe.version
    assert len(read.records) == 2500


def test_a_table_that_is_not_there_is_refused_in_the_words_of_the_instance(rig: Rig) -> None:
    read = rig.read({"table": "cmdb_ci_sever"})

    assert "ServiceNow answers 400 Bad Request: Invalid table cmdb_ci_sever" in read.told
    assert "mend: check `table`" in read.told
    with pytest.raises(Refused, match="Invalid table"):
        rig.probe({"table": "cmdb_ci_sever"})


VIEW_ROWS: list[list[dict[str, Any]]] = [
    [{"name": "a"}, {"name": "b"}],
    [{"sys_id": "__ENC__MTIz", "name": "a"}],
]


@pytest.mark.parametrize("rows", VIEW_ROWS, ids=["without sys_id", "with a composite one"])
def test_a_database_view_is_refused(rig: Rig, rows: list[dict[str, Any]]) -> None:
    rig.instance.put_table("u_view", rows)

    read = rig.read({"table": "u_view"})

    assert isinstance(read.error, Refused)
    assert "database views" in read.told
    assert read.records == []


def test_the_probe_knows_a_database_view(rig: Rig) -> None:
    rig.instance.put_table("u_view", [{"sys_id": "1", "name": "a"}])
    rig.instance.put_table("sys_db_view", [{"sys_id": key("view"), "name": "u_view"}])

    assert rig.probe({"table": "u_view"}).lacking == (
        "a table: u_view is a database view, whose rows have no sys_id",
    )


def test_the_options_of_the_read_are_sent(rig: Rig) -> None:
    rig.read({"query_category": "reports", "no_domain": True})

    sent = rig.calls()[0]["query"]
    assert sent["sysparm_query_category"] == sent["sysparm_read_replica_category"] == "reports"
    assert sent["sysparm_query_no_domain"] == "true"


def test_an_unknown_dataset_is_refused_with_the_nearest(rig: Rig) -> None:
    with pytest.raises(Refused, match="no dataset 'fed'") as error:
        SOURCE.count(rig.config({}), "fed", rig.connection(), Scope())

    assert "mend: did you mean 'feed'?" in error.value.__notes__
