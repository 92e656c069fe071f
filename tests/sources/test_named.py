"""Records named by their ids: what each source asks its system for, and what it refuses."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.itop import create_app as create_itop
from sandbox.serve import serve
from sandbox.servicenow import create_app as create_servicenow
from sources import api, csv_file
from sources.base import Complete, Partial, Scope
from sources.errors import Refused
from tests.sources.contract import assert_says_what_where_and_mend
from tests.sources.drops import DropFolder
from tests.sources.easyvista_rig import Rig as EasyVistaRig
from tests.sources.easyvista_rig import fields as easyvista_fields
from tests.sources.easyvista_rig import rows as easyvista_rows
from tests.sources.easyvista_rig import served as served_easyvista
from tests.sources.itop_rig import Rig as ItopRig
from tests.sources.servicenow_rig import Rig as ServiceNowRig
from tests.sources.sql_rig import SqliteStore, Store, extracted

LEFT_OUT = sorted(
    str(row["ASSET_ID"])
    for row in easyvista_rows()["AM_ASSET"]
    if row["IS_CI"] and (row["LOCATION_ID"] is None or row["DEPARTMENT_ID"] is None)
)


def named(*ids: str, **scope: Any) -> Scope:
    return Scope(ids=frozenset(ids), **scope)


# --- sql

KEYS = {
    "whole numbers": ("{n}", "bigint", "7", "x7"),
    "texts": ("'k:{n}%'", "text", "k:7%", "7"),
    "decimals": ("{n}.50", "numeric(9, 2)", "7.50", "seven"),
    "uuids": (
        "'00000000-0000-0000-0000-0000000000{n:02}'",
        "uuid",
        f"{'0' * 8}-{'0000-' * 3}{'0' * 10}07",
        "7",
    ),
    "days": ("'2026-01-{n:02}'", "date", "2026-01-07", "2026-13-40"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_rows_are_asked_for_by_a_key_of_its_own_kind(postgresql: Store, kind: str) -> None:
    value, column, wanted, none = KEYS[kind]
    rows = ", ".join(f"({value.format(n=n)}, {n})" for n in range(1, 22))
    postgresql.execute(
        f"CREATE TABLE keyed (k {column}, n INTEGER)",
        "INSERT INTO keyed VALUES (NULL, 0)",
        f"INSERT INTO keyed VALUES {rows}",  # noqa: S608 - the words of this file
    )

    found = extracted(postgresql, "SELECT * FROM keyed", named(wanted, none), key="k")

    assert found.error is None, found.error
    assert [record["n"] for record in found.records] == [7]
    assert isinstance(found.outcome, Complete)
    assert found.outcome.absent == (none,)


@pytest.mark.parametrize("wrap", [True, False])
def test_more_rows_than_one_statement_names_are_read_in_several(store: Store, wrap: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rows = ", ".join(f"('k{n}')" for n in range(1_300))
    store.execute("CREATE TABLE keyed (k text)", f"INSERT INTO keyed VALUES {rows}")  # noqa: S608 - as above

    ids = [f"k{n}" for n in range(1_201)]
    found = extracted(store, "SELECT k FROM keyed", named(*ids, "none"), key="k", wrap=wrap)

    assert sorted(record["k"] for record in found.records) == sorted(ids)
    assert isinstance(found.outcome, Complete)
    assert found.outcome.absent == ("none",)
    assert "1,201 of 1,202 ids found" in found.outcome.evidence


def test_rows_of_an_empty_table_are_all_absent(store: Store) -> None:
    store.execute("CREATE TABLE keyed (k text)")

    found = extracted(store, "SELECT k FROM keyed", named("a"), key="k")

    assert (found.records, found.outcome and found.outcome.absent) == ([], ("a",))  # type: ignore[union-attr] - told apart by the equality


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({}, "it declares no `key`"),
        ({"key": ["id", "name"]}, "its `key` is several"),
        ({"key": "share"}, "which is of type float"),
    ],
)
def test_rows_that_no_text_names_for_certain_are_refused(
    sqlite: SqliteStore, words: Mapping[str, Any], says: str
) -> None:
    sqlite.execute(
        "CREATE TABLE t (id text, name text, share real)", "INSERT INTO t VALUES (1, 2, 3)"
    )
    select = "SELECT id, name, share FROM t"

    found = extracted(sqlite, select, named("1"), **words)

    assert isinstance(found.error, Refused)
    assert says in str(found.error)
    assert_says_what_where_and_mend(found.error)


# --- files and APIs


def test_rows_of_a_file_are_named_by_the_column_that_is_declared(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, csv_file.SOURCE)
    drop.put("a.csv", "tag;name\n007;a\n7;b\n07;c\n")

    read = drop.read(named("007", "8"), key="tag")

    assert read.records == [{"tag": "007", "name": "a"}]
    assert isinstance(read.outcome, Complete)
    assert read.outcome.absent == ("8",)


def test_rows_of_merged_files_are_named_by_the_key_they_are_merged_by(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, csv_file.SOURCE)
    drop.put("a.csv", "tag;name\n1;a\n2;b\n")
    drop.put("b.csv", "tag;site\n1;Lyon\n2;Brest\n")

    read = drop.read(named("2"), paths=["a.csv", "b.csv"], merge={"key": "tag"})

    assert read.records == [{"tag": "2", "name": "b", "site": "Brest"}]


def test_a_file_of_which_only_some_rows_were_read_is_not_cleared_away(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, csv_file.SOURCE)
    drop.put("a.csv", "tag;name\n1;a\n2;b\n")

    read = drop.read(named("2"), key="tag", after_load="archive")

    assert isinstance(read.outcome, Complete)
    assert read.outcome.taken == ()


def test_a_column_that_is_not_there_names_no_row(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path, csv_file.SOURCE)
    drop.put("a.csv", "Tag;name\n1;a\n")

    with pytest.raises(Refused, match="no column 'tag'") as refused:
        drop.read(named("1"), key="tag")

    assert "did you mean 'Tag'?" in "\n".join(refused.value.__notes__)


@pytest.mark.parametrize(
    ("source", "dataset", "word"),
    [
        (csv_file.SOURCE, {"path": "*.csv"}, "key"),
        (api.SOURCE, {"path": "/x"}, "primary_key"),
        (api.SOURCE, {"path": "/x", "primary_key": ["a", "b"]}, "primary_key"),
    ],
)
def test_what_declares_no_key_is_refused_before_anything_is_asked(
    tmp_path: Path, source: Any, dataset: Mapping[str, Any], word: str
) -> None:
    config = source.config.model_validate({"connection": "x", "datasets": {"d": dataset}})
    words = {"root": tmp_path} if source is csv_file.SOURCE else {"base_url": "http://127.0.0.1:9"}
    to = source.connection.model_validate(words)

    for ask in (source.refuse, lambda *asked: next(source.extract(*asked))):
        with pytest.raises(Refused, match=f"`{word}`") as refused:
            ask(config, "d", to, named("1"))
        assert_says_what_where_and_mend(refused.value)


# --- iTop


@pytest.fixture(scope="module")
def itop() -> Iterator[ItopRig]:
    app = create_itop()
    with serve(app) as url:
        yield ItopRig(url, app)


@pytest.mark.parametrize("words", [{}, {"where": "status != 'obsolete'"}, {"oql": "SELECT Server"}])
def test_itop_is_asked_for_objects_by_lists_of_ids_and_for_nothing_between(
    itop: ItopRig, words: Mapping[str, Any]
) -> None:
    whole = itop.read(words).records
    wanted = {whole[0]["id"], whole[-1]["id"]}
    itop.itop.traffic.clear()

    read = itop.read(words, ids=frozenset({*wanted, "999999", "Server::1", "٣"}))

    assert {record["id"] for record in read.records} == wanted
    assert isinstance(read.outcome, Complete)
    assert read.outcome.absent == ("999999", "Server::1", "٣")
    asked = [str(each.get("key", "")) for each in itop.asked()]
    assert not [query for query in asked if "id >" in query]
    assert [query for query in asked if "id IN (" in query]


def test_edges_of_an_impact_graph_have_no_ids(itop: ItopRig) -> None:
    read = itop.read({"related": {}}, None, ids=frozenset({"1"}))

    assert isinstance(read.error, Refused)
    assert "edges of an impact graph" in read.told


# --- ServiceNow


@pytest.fixture(scope="module")
def snow() -> Iterator[ServiceNowRig]:
    app = create_servicenow()
    with serve(app) as url:
        yield ServiceNowRig(url, app.state.servicenow)


def test_servicenow_is_asked_for_rows_by_lists_that_an_address_can_hold(
    snow: ServiceNowRig,
) -> None:
    every = snow.ids("cmdb_ci_server")
    wanted, none = every[:230], "f" * 32
    snow.instance.traffic.clear()

    read = snow.read(ids=frozenset([*wanted, none]))

    assert sorted(read.ids) == sorted(wanted)
    assert isinstance(read.outcome, Complete), read.told
    assert read.outcome.absent == (none,)
    asked = {query.partition("^")[0] for query in snow.queries("cmdb_ci_server")}
    lists = [query for query in asked if query.startswith("sys_idIN")]
    assert len(lists) == 3
    assert max(map(len, lists)) < 4_000


def test_rows_that_servicenow_gives_unasked_make_the_reading_partial(snow: ServiceNowRig) -> None:
    one, other = snow.ids("cmdb_ci_server")[:2]
    answer = [{"sys_id": other, "name": "not asked for"}]
    snow.fault("result", value=answer)

    read = snow.read(ids=frozenset({one}))

    assert isinstance(read.outcome, Partial)
    assert "rows come that were not named" in read.reason


# --- EasyVista


@pytest.fixture(scope="module")
def easyvista() -> Iterator[EasyVistaRig]:
    with served_easyvista() as rig:
        yield rig


TAG = easyvista_fields("ASSET_TAG")


def test_easyvista_is_asked_for_assets_by_search_as_many_as_an_address_holds(
    easyvista: EasyVistaRig,
) -> None:
    easyvista.hold()
    ids = [str(row["ASSET_ID"]) for row in easyvista_rows()["AM_ASSET"]][:200]

    read = easyvista.read({"resource": "assets"}, named(*ids, "1", "no number", fields=TAG.fields))

    assert sorted(str(each) for each in read.values("ASSET_ID")) == sorted(ids)
    assert isinstance(read.outcome, Complete), read.told
    assert read.outcome.absent == ("1", "no number")
    searches = {query.get("search", "") for query in easyvista.queries("assets")}
    listed = [search for search in searches if search.startswith('ASSET_ID:"')]
    assert len(listed) > 1
    assert max(map(len, listed)) <= 1_500
    assert "number" not in "".join(searches)


def test_assets_that_the_list_leaves_out_are_asked_for_one_by_one(easyvista: EasyVistaRig) -> None:
    easyvista.hold(inner_joins=True)

    read = easyvista.read({"resource": "assets"}, named(LEFT_OUT[0], "1", fields=TAG.fields))
    blind = easyvista.read(
        {"resource": "assets", "crosscheck": "none"}, named(LEFT_OUT[0], fields=TAG.fields)
    )

    assert [str(each) for each in read.values("ASSET_ID")] == [LEFT_OUT[0]]
    assert read.outcome is not None
    assert getattr(read.outcome, "absent", None) == ("1",)
    assert getattr(blind.outcome, "absent", None) == (LEFT_OUT[0],)


def test_links_are_named_by_no_single_id(easyvista: EasyVistaRig) -> None:
    easyvista.hold()

    read = easyvista.read({"links": {"of": "configuration-items"}}, named("1"))

    assert isinstance(read.error, Refused)
    assert "its `key` is several" in read.told
