"""What the itop source reads, from the three releases that `sandbox.itop` answers like."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.itop import create_app
from sandbox.itop_objects import objects
from sandbox.itop_store import Objects
from sandbox.serve import serve
from sources.base import Complete, Partial, Scope, Slice
from sources.errors import Refused, Unreadable
from sources.itop import SOURCE, count, extract
from sources.registry import SOURCES
from sources.slices import joined
from tests.sources.itop_rig import Rig, drained

RELEASES = ("2.3.4", "2.4.3", "3.2")
OLD = ("2.3.4", "2.4.3")
PARIS = {"timezone": "Europe/Paris"}
FRENCH = {"FR FR": {"date": "%d/%m/%Y", "datetime": "%d/%m/%Y %H:%M:%S"}}
FR_USER = {"auth": {"type": "form", "username": "fr", "password": "fr-password"}}


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app(Objects())
    with serve(app) as url:
        yield Rig(url, app)


@pytest.fixture(scope="module")
def cmdb() -> Objects:
    return objects(servers=200)


@pytest.fixture
def rig(served: Rig, cmdb: Objects) -> Rig:
    """The invented CMDB on a 3.2; ids of servers are 1 to 200, every tenth is `srv-dup`."""
    served.hold(cmdb.copy())
    return served


# What is asked for


@pytest.mark.parametrize("release", RELEASES)
def test_every_server_is_read_once_in_the_order_of_its_id(
    rig: Rig, cmdb: Objects, release: str
) -> None:
    rig.hold(cmdb.copy(), release=release)

    read = rig.read({"page_size": 30}, {"name", "location_name"})

    assert read.values("id") == [str(number) for number in range(1, 201)]
    assert read.values("name").count("srv-dup") == 20
    assert {frozenset(record) for record in read.records} == {
        frozenset({"id", "name", "location_name"})
    }
    assert read.told == (
        "200 ids of Server listed, each read once by its id, this is all that user etl may see: "
        "iTop leaves out other organizations silently"
    )


def test_a_list_of_ids_then_windows_and_at_last_whether_there_are_newer_ones(rig: Rig) -> None:
    rig.read({"page_size": 100, "where": "status != 'obsolete'"}, {"name"})

    where = "SELECT Server WHERE (status != 'obsolete')"
    assert rig.asked() == [
        {"operation": "core/get", "class": "Server", "key": key, "output_fields": fields}
        for key, fields in [
            (where, "id"),
            (f"{where} AND id > 0 AND id <= 125", "id,name"),
            (f"{where} AND id > 125 AND id <= 200", "id,name"),
            (f"{where} AND id > 200", "id"),
        ]
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_is_ever_asked_for_by_limit_and_page(rig: Rig, cmdb: Objects, release: str) -> None:
    rig.hold(cmdb.copy(), release=release)
    rig.read({"page_size": 50})
    rig.read({"class": "ApplicationSolution", "related": {}}, {"source"})
    rig.slices({"page_size": 50}, 4)
    rig.count({})

    assert rig.asked()
    assert not [asked for asked in rig.asked() if {"limit", "page"} & {*asked}]
    assert not [
        asked
        for asked in rig.asked()
        if asked.get("output_fields") in {"*", "*+", None} and asked["operation"] == "core/get"
    ]


def test_calls_are_posted_forms_without_cookies_and_without_credentials_in_the_address(
    rig: Rig,
) -> None:
    rig.read({"page_size": 50})

    for call in rig.itop.traffic.calls:
        assert (call["method"], call["path"]) == ("POST", "/webservices/rest.php")
        assert call["query"] == {"version": "1.3"}
        assert call["headers"]["content-type"] == "application/x-www-form-urlencoded"
        assert "cookie" not in call["headers"]
        assert call["body"].count("auth_pwd=etl-password") == 1


def test_a_path_asks_for_its_first_step(rig: Rig) -> None:
    read = rig.read({}, {"applicationsolution_list.applicationsolution_name", "name", "id"})

    assert rig.asked()[1]["output_fields"] == "id,applicationsolution_list,name"
    assert isinstance(read.records[0]["applicationsolution_list"], list)


def test_a_parent_class_gives_the_real_class_of_each_object_when_it_is_mapped(rig: Rig) -> None:
    read = rig.read({"class": "FunctionalCI"}, {"name", "finalclass"})

    assert {"Server", "VirtualMachine", "ApplicationSolution"} <= {*read.values("finalclass")}
    assert "finalclass" not in rig.read({}, {"name"}).records[0]


def test_link_classes_are_datasets_of_their_own(rig: Rig) -> None:
    read = rig.read(
        {"class": "lnkApplicationSolutionToFunctionalCI"},
        {"applicationsolution_name", "functionalci_id", "functionalci_id_finalclass_recall"},
    )

    assert len(read.records) == 88
    assert read.records[0] == {
        "id": "1",
        "applicationsolution_name": "Comptabilité 001",
        "functionalci_id": "8",
        "functionalci_id_finalclass_recall": "Server",
    }


def test_an_attribute_named_by_the_job_is_read_although_nothing_maps_it(rig: Rig) -> None:
    assert rig.read({"fields": ["cpu"]}, {"name"}).records[0] == {
        "id": "1",
        "name": "srv-00001",
        "cpu": "2",
    }


def test_without_a_mapping_every_attribute_but_lists_is_read(rig: Rig) -> None:
    (record, *_) = rig.read({}, None).records

    assert {"id", "name", "finalclass", "location_id_friendlyname", "nb_u"} <= {*record}
    assert not [value for value in record.values() if isinstance(value, list | dict)]


def test_all_attributes_with_their_lists_are_read_when_a_star_asks_for_them(rig: Rig) -> None:
    read = rig.read({"fields": ["*"], "where": "id < 4"}, {"name"})

    assert read.values("id") == ["1", "2", "3"]
    assert isinstance(read.records[0]["contacts_list"], list)
    assert read.records[0]["finalclass"] == "Server"


def test_archived_objects_are_asked_for_in_the_address(rig: Rig) -> None:
    rig.read({"archived": True})

    assert [call["query"] for call in rig.itop.traffic.calls] == [
        {"version": "1.3", "with_archive": "1"}
    ] * 3


def test_a_class_without_objects_is_complete_with_nothing(rig: Rig) -> None:
    read = rig.read({"where": "name = 'nobody'"})

    assert read.records == []
    assert isinstance(read.outcome, Complete)


# Whole queries


def test_a_whole_query_is_run_once_and_its_objects_are_read_by_their_ids(rig: Rig) -> None:
    query = (
        "SELECT s FROM Server AS s JOIN Location AS l ON s.location_id = l.id "
        "WHERE l.name = 'Site 03'"
    )

    read = rig.read({"oql": query, "page_size": 5}, {"name", "location_name"})

    assert {*read.values("location_name")} == {"Site 03"}
    assert [asked["key"] for asked in rig.asked()].count(query) == 1
    assert isinstance(read.outcome, Complete)


def test_a_union_of_classes_is_read_by_their_parent(rig: Rig) -> None:
    query = "SELECT Hypervisor UNION SELECT Farm"

    read = rig.read({"class": "VirtualHost", "oql": query}, {"name", "finalclass"})

    assert {*read.values("finalclass")} == {"Farm", "Hypervisor"}


def test_ids_of_another_class_are_never_taken_for_those_of_this_one(rig: Rig) -> None:
    # Location 1 and Server 1 are both there.
    read = rig.read({"oql": "SELECT Location UNION SELECT Location"})

    assert isinstance(read.error, Refused)
    assert "`oql` gives objects of Location" in read.told
    assert read.records == []


# Attributes that lack


def test_an_attribute_that_came_with_2_4_is_left_out_on_2_3_with_a_warning(
    rig: Rig, cmdb: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    rig.hold(cmdb.copy(), release="2.3.4")

    with caplog.at_level(logging.WARNING):
        read = rig.read({}, {"name", "obsolescence_flag", "location_id_obsolescence_flag"})

    assert [*read.records[0]] == ["id", "name"]
    assert len(read.records) == 200
    assert [each.getMessage() for each in caplog.records] == [
        f"source.datasets.feed: class Server has no attribute {name!r} in this iTop: left out"
        for name in ("location_id_obsolescence_flag", "obsolescence_flag")
    ]


def test_an_attribute_may_be_declared_optional(rig: Rig) -> None:
    read = rig.read({"optional": ["patching_group"]}, {"name", "patching_group"})

    assert len(read.records) == 200


@pytest.mark.parametrize("where", ["", "name = 'nobody'"])
def test_an_attribute_that_lacks_is_refused_with_the_nearest_one(rig: Rig, where: str) -> None:
    read = rig.read({"where": where}, {"name", "locaton_name"})

    assert isinstance(read.error, Refused)
    assert read.records == []
    assert read.told == (
        "class Server has no attribute 'locaton_name'\n"
        "where: source.datasets.feed\n"
        "mend: did you mean 'location_name'?"
    )


def test_an_unknown_class_is_refused_in_the_words_of_itop(rig: Rig) -> None:
    read = rig.read({"class": "Servr"})

    assert isinstance(read.error, Refused)
    assert "class: 'Servr' is not a valid class" in read.told


@pytest.mark.parametrize("release", RELEASES)
def test_an_unknown_attribute_in_a_condition_is_refused_with_the_nearest_one(
    rig: Rig, cmdb: Objects, release: str
) -> None:
    rig.hold(cmdb.copy(), release=release)

    read = rig.read({"where": "stauts = 'production'"})

    assert isinstance(read.error, Refused)
    assert "did you mean 'status'?" in read.told


def test_a_dataset_that_is_not_declared_is_refused(rig: Rig) -> None:
    with pytest.raises(Refused, match="no dataset 'fed'"):
        next(extract(rig.config({}), "fed", rig.connection(), Scope()))
    with pytest.raises(Refused, match="no dataset 'fed'"):
        count(rig.config({}), "fed", rig.connection(), Scope())


# Values


def test_dates_come_as_the_language_of_the_account_writes_them(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), dates=FRENCH)

    plain = rig.read({}, {"move2production"}, settings=FR_USER)
    french = {**FR_USER, "date_format": "%d/%m/%Y"}
    read = rig.read({"dates": ["move2production"]}, {"move2production"}, settings=french)

    assert plain.values("move2production")[0] == "02/01/2013"
    assert read.values("move2production")[0] == "2013-01-02"
    assert read.values("move2production")[4] == ""
    assert len(read.records) == 200


def test_dates_of_another_language_than_declared_are_rejects(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), dates=FRENCH)

    read = rig.read({"dates": ["move2production"]}, {"move2production"}, settings=FR_USER)

    assert {*read.values("move2production")} == {""}
    assert len(read.rejects) == 160
    assert read.rejects["Server::1"] == (
        "move2production '02/01/2013' is not written as '%Y-%m-%d'"
    )


@pytest.mark.parametrize("release", RELEASES)
def test_html_that_old_releases_encode_twice_is_the_same_on_all(
    rig: Rig, cmdb: Objects, release: str
) -> None:
    rig.hold(cmdb.copy(), release=release)
    words: dict[str, Any] = {"class": "UserRequest"}
    if release in OLD:
        words["encoded_html"] = ["description"]

    read = rig.read(words, {"description"})

    assert read.values("description") == ["<p>desc <b>R&amp;D</b></p>"]


def test_an_unset_external_key_is_null_where_that_is_asked_for(rig: Rig) -> None:
    assert rig.read({}, {"location_id"}).values("location_id")[8] == "0"
    assert rig.read({"unset_keys": True}, {"location_id"}).values("location_id")[8] is None


# Windows of modification dates


def test_tickets_are_read_by_their_last_update_in_the_local_time_of_itop(rig: Rig) -> None:
    words = {"class": "UserRequest", "cursor_field": "last_update"}

    def read(since: datetime, until: datetime | None = None) -> list[Any]:
        found = rig.read(words, {"ref"}, settings=PARIS, since=since, until=until)
        assert isinstance(found.outcome, Complete)
        return found.values("ref")

    # It was updated at 03:34:04 in Paris, an hour earlier in UTC.
    assert read(datetime(2026, 11, 24, 2, 34, 4, tzinfo=UTC)) == ["R-000001"]
    assert read(datetime(2026, 11, 24, 2, 34, 5, tzinfo=UTC)) == []
    assert (
        read(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 24, 2, 34, 4, tzinfo=UTC)) == []
    )
    assert SOURCE.windows


@pytest.mark.parametrize(
    ("words", "settings", "lacking"),
    [({}, PARIS, "`cursor_field`"), ({"cursor_field": "last_update"}, {}, "time zone")],
)
def test_a_window_that_cannot_be_honoured_is_refused(
    rig: Rig, words: dict[str, Any], settings: dict[str, Any], lacking: str
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    scopes: tuple[dict[str, Any], ...] = ({"since": moment}, {"until": moment})
    for scope in scopes:
        read = rig.read({"class": "Server", **words}, settings=settings, **scope)

        assert isinstance(read.error, Refused)
        assert f"it has no {lacking}" in read.told
        assert "mend: " in read.told
    assert rig.asked() == []


# Slices and counts


@pytest.mark.parametrize(
    "words",
    [{"page_size": 10}, {"page_size": 10, "oql": "SELECT Server WHERE status != 'obsolete'"}],
)
def test_slices_together_are_the_whole_and_none_overlaps_another(
    rig: Rig, words: dict[str, Any]
) -> None:
    whole = rig.read(words).values("id")

    reads = [rig.read(words, slice=each) for each in rig.slices(words, 4)]

    assert [len(read.records) for read in reads] == [len(whole) // 4] * 4
    assert [each for read in reads for each in read.values("id")] == whole
    outcome = joined([read.outcome for read in reads if read.outcome is not None])
    assert isinstance(outcome, Complete)
    # Slices of as many objects do not say the same.
    assert outcome.evidence.count("ids of Server") == 4


def test_what_is_made_after_the_slices_were_cut_is_in_the_last_one(rig: Rig) -> None:
    parts = rig.slices({"page_size": 10}, 4)
    new = rig.itop.held.add("Server", name="srv-new")

    reads = [rig.read({"page_size": 10}, slice=each) for each in parts]

    assert [str(new) in read.values("id") for read in reads] == [False, False, False, True]


def test_there_are_no_more_slices_than_pages(rig: Rig) -> None:
    assert len(rig.slices({"page_size": 100}, 8)) == 2
    assert rig.slices({"page_size": 500}, 8) == (Slice(0, 1),)
    assert rig.slices({"page_size": 1}, 1) == (Slice(0, 1),)


def test_a_count_is_the_number_of_ids(rig: Rig) -> None:
    assert rig.count({"where": "status != 'obsolete'"}) == 160


# Impact graphs


def test_an_impact_graph_gives_its_edges_once(rig: Rig) -> None:
    words = {"class": "ApplicationSolution", "related": {"direction": "up"}, "page_size": 2}

    read = rig.read(words, {"source", "target_name"})

    edges = [(record["source"], record["target"]) for record in read.records]
    assert len(edges) == len(set(edges)) > 0
    names = {record["source_name"] for record in read.records if record["source_class"] == "Farm"}
    assert names == {"ferme-1"}
    (farm, *_) = [record for record in read.records if record["source_class"] == "Farm"]
    assert farm["source"] == f"Farm::{farm['source_id']}"
    assert {*farm} == {
        f"{end}{part}" for end in ("source", "target") for part in ("", "_class", "_id", "_name")
    }
    assert f"{len(edges)} edges around 11 objects of ApplicationSolution" in read.told


def test_the_graph_of_what_stands_alone_has_no_edge(rig: Rig) -> None:
    lonely = rig.itop.held.add("Server", name="srv-lonely")

    read = rig.read({"where": f"id = {lonely}", "related": {}}, {"source"})

    assert read.records == []
    assert isinstance(read.outcome, Complete)


def test_a_graph_through_a_class_that_is_not_readable_is_refused_with_its_name(
    rig: Rig, cmdb: Objects
) -> None:
    user = {"login": "etl", "password": "etl-password", "unreadable": ["BusinessProcess"]}
    rig.hold(cmdb.copy(), users=[user])

    read = rig.read({"class": "ApplicationSolution", "related": {}}, {"source"})

    assert isinstance(read.error, Refused)
    assert "BusinessProcess" in read.told


def test_an_object_deleted_before_its_graph_was_asked_for_is_told_and_no_loss(rig: Rig) -> None:
    words = {"class": "ApplicationSolution", "related": {"direction": "up"}, "page_size": 1}
    pages = extract(rig.config(words), "feed", rig.connection(), Scope(fields=frozenset()))
    next(pages)
    rig.itop.held.remove(f"ApplicationSolution::{rig.itop.held.ids('ApplicationSolution')[-1]}")

    read = drained(pages)

    assert isinstance(read.outcome, Complete)
    assert "11 objects of ApplicationSolution, 1 of them gone meanwhile" in read.told


def test_an_object_that_is_not_in_its_own_graph_makes_it_partial(rig: Rig) -> None:
    nothing = '{"code":0,"message":"Nothing found","objects":null,"relations":[]}'
    fault = {"kind": "html", "body": nothing, "on": "core/get_related", "at": 2}
    rig.itop.turn({"faults": [fault]})

    read = rig.read({"class": "ApplicationSolution", "related": {}, "page_size": 4}, {"source"})

    assert isinstance(read.outcome, Partial)
    assert "4 objects are not in their own impact graph" in read.told


@pytest.mark.parametrize(
    "body",
    [
        '{"code":0,"objects":["a"],"relations":[]}',
        '{"code":0,"objects":{"Server::1":{}},"relations":[]}',
        '{"code":0,"objects":null,"relations":["a"]}',
        '{"code":0,"objects":null,"relations":{"Server::1":[{"key":3}]}}',
    ],
)
def test_a_graph_in_another_shape_is_unreadable(rig: Rig, body: str) -> None:
    fault = {"kind": "html", "body": body, "on": "core/get_related", "times": 0}
    rig.itop.turn({"faults": [fault]})

    read = rig.read({"where": "id = 1", "related": {}}, {"source"})

    assert isinstance(read.error, Unreadable)


def test_a_graph_that_itop_cannot_build_is_a_reject(rig: Rig) -> None:
    fault = {"kind": "fatal", "on": "core/get_related", "at": 2, "times": 1}
    rig.itop.turn({"faults": [fault]})

    read = rig.read({"where": "id < 4", "related": {}, "page_size": 1}, {"source"})

    assert [*read.rejects] == ["Server::2"]
    assert "1 of them rejects" in read.told


def test_a_field_that_no_edge_has_is_refused(rig: Rig) -> None:
    read = rig.read({"related": {}}, {"sauce"})

    assert isinstance(read.error, Refused)
    assert read.told.endswith("did you mean 'source'?")


def test_a_graph_is_one_slice_of_an_unknown_number_of_edges(rig: Rig) -> None:
    words = {"class": "ApplicationSolution", "related": {}, "page_size": 1}

    assert rig.slices(words, 4) == (Slice(0, 1),)
    assert rig.count(words) is None


# Objects that come and go


def test_an_object_deleted_after_it_was_listed_is_told_and_no_loss(rig: Rig) -> None:
    pages = extract(
        rig.config({"page_size": 50}), "feed", rig.connection(), Scope(fields=frozenset({"name"}))
    )
    first = next(pages)
    rig.itop.held.remove("Server::120")

    read = drained(pages)

    assert len(first.records) == 50
    assert len(read.records) == 149
    assert "1 were gone when asked for again" in read.told


def test_an_object_that_no_longer_meets_the_condition_is_gone(rig: Rig) -> None:
    words = {"page_size": 50, "where": "status != 'obsolete'"}
    pages = extract(rig.config(words), "feed", rig.connection(), Scope(fields=frozenset({"name"})))
    next(pages)
    rig.itop.held.change("Server::120", status="obsolete")
    rig.itop.held.change("Server::121", status="obsolete")
    rig.itop.held.change("Server::124", status="production")

    read = drained(pages)

    assert len(read.records) == 160 - 50 - 2 + 1
    assert "2 were gone when asked for again, 1 more appeared between them" in read.told


def test_objects_made_meanwhile_are_left_to_the_next_run(rig: Rig) -> None:
    pages = extract(rig.config({}), "feed", rig.connection(), Scope(fields=frozenset({"name"})))
    next(pages)
    rig.itop.held.add("Server", name="srv-new")

    read = drained(pages)

    assert isinstance(read.outcome, Complete)
    assert "1 were made meanwhile and are left to the next run" in read.told


def test_an_account_of_some_organizations_is_told_what_its_reading_proves(
    rig: Rig, cmdb: Objects
) -> None:
    user = {"login": "etl", "password": "etl-password", "organizations": [5]}
    rig.hold(cmdb.copy(), users=[user])

    read = rig.read()

    assert 0 < len(read.records) < 200
    assert "all that user etl may see" in read.told


def test_a_window_with_another_object_in_it_ends_the_reading_as_partial(rig: Rig) -> None:
    # The answer before comes again: rows that nobody asked for, and those asked for lacking.
    fault = {"kind": "repeat", "on": "Server", "fields": "name", "at": 2, "times": 0}
    rig.itop.turn({"faults": [fault]})

    read = rig.read({"page_size": 50})

    assert isinstance(read.outcome, Partial)
    assert "answers the window 51 to 100 with object 1" in read.told
    assert read.values("id") == [str(number) for number in range(1, 51)]
    assert len(rig.asked()) == 3  # the list, two windows, and nothing after that


def test_an_object_that_no_list_of_ids_asked_for_ends_the_reading_as_partial(rig: Rig) -> None:
    # Server 3, which lies between those that were asked for, comes instead of server 2.
    row = '{"code":0,"class":"Server","key":"%d","fields":{"id":"%d","name":"a"}}'
    rows = ",".join(f'"Server::{each}":{row % (each, each)}' for each in (1, 3, 4))
    body = f'{{"code":0,"message":"Found: 3","objects":{{{rows}}}}}'
    rig.itop.turn({"faults": [{"kind": "html", "body": body, "on": "Server", "fields": "name"}]})

    read = rig.read({"oql": "SELECT Server WHERE id IN (1, 2, 4)"})

    assert isinstance(read.outcome, Partial)
    assert "answers the window 1 to 4 with object 3" in read.told
    assert read.values("id") == ["1", "4"]


def test_the_source_is_registered() -> None:
    assert SOURCES["itop"] is SOURCE
