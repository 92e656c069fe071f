"""Encoded queries select what the platform would: cases 28 to 41 of specs/servicenow-cases.md."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.servicenow_items import ODD_NAMES, TIED
from sandbox.servicenow_query import Condition, parse
from sandbox.servicenow_schema import key
from tests.sandbox.servicenow_client import BY_ID, Client, ids, numbered

SERVERS = "cmdb_ci_server"
FARM = [
    {"sys_id": "1", "name": "alpha", "os": "Linux", "ram": "512", "sys_updated_by": "alpha"},
    {"sys_id": "2", "name": "Beta", "os": "Windows", "ram": "2048", "location": "paris"},
    {"sys_id": "3", "name": "gamma", "os": "", "ram": "", "short_description": "a^b, c"},
    {"sys_id": "4", "name": "alphabet", "os": "linux", "ram": "8192", "location": "gone"},
]


@pytest.fixture
def farm(now: Client) -> Client:
    """Four servers of one class."""
    now.put("cmn_location", [{"sys_id": "paris", "name": "Paris"}])
    now.put("cmdb_ci", [])
    now.put(SERVERS, FARM)
    return now


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=alpha", "1"),
        ("name=ALPHA", ""),  # values of = are in one case of letters
        ("name!=alpha", "234"),
        ("nameINalpha,gamma", "13"),
        ("nameNOT INalpha,gamma", "24"),
        ("nameSTARTSWITHALPHA", "14"),
        ("nameENDSWITHa", "123"),
        ("name%bet", "4"),
        ("nameLIKEPHA", "14"),
        ("nameCONTAINSeta", "2"),
        ("name*eta", "2"),
        ("nameNOT LIKEalpha", "23"),
        ("name!*alpha", "23"),
        ("osISEMPTY", "3"),
        ("osEMPTYSTRING", "3"),
        ("osISNOTEMPTY", "124"),
        ("osANYTHING", "1234"),
        ("ram>512", "24"),
        ("ram>=512", "124"),
        ("ram<2048", "1"),
        ("ram<=2048", "12"),
        ("ramBETWEEN512@2048", "12"),
        ("nameBETWEENalpha@beta", "124"),  # text ranges follow the collation
        ("name>beta", "3"),
        ("nameSAMEASsys_updated_by", "1"),
        ("nameNSAMEASsys_updated_by", "234"),
        ("nameGT_FIELDos", ""),
        ("nameLT_FIELDos", "124"),
        ("location=paris", "2"),
        ("locationLIKEpar", "2"),  # a reference is searched by its name
        ("location.name=Paris", "2"),
        ("location.nameISEMPTY", "134"),
        ("123TEXTQUERY321=windows", "2"),
        ("sys_id=2", "2"),
        ("sys_id>1^sys_id<=3", "23"),
        ("sys_id>=2^ORsys_id=1^sys_id<4", "123"),
        ("name=alpha^NQname=gamma", "13"),
        ("name=alpha^EQ", "1"),
        ("GROUPBYos", "1234"),
        ("", "1234"),
    ],
)
def test_each_operator_selects_its_rows(farm: Client, query: str, expected: str) -> None:
    found = farm.rows(SERVERS, f"{query}^{BY_ID}" if query else BY_ID, fields="sys_id")

    assert "".join(ids(found)) == expected
    assert farm.count(SERVERS, query) == len(expected)


def test_case_28_or_binds_to_the_condition_before_it(now: Client) -> None:
    query = "operational_status=1^ORoperational_status=6^install_status=1"

    rows = now.rows(SERVERS, query, fields="operational_status,install_status")

    pairs = {(row["operational_status"], row["install_status"]) for row in rows}
    assert pairs == {("1", "1"), ("6", "1")}


def test_case_29_what_follows_nq_filters_the_last_group_alone(now: Client) -> None:
    first, second = "sys_class_name=cmdb_ci_win_server", "name=srv-000001"

    union = now.count(SERVERS, f"{first}^NQ{second}")
    appended = now.count(SERVERS, f"{first}^NQ{second}^sys_id>{'f' * 32}")

    assert union == 901
    assert appended == 900


def test_case_30_in_and_not_in(now: Client) -> None:
    both = "sys_class_nameINcmdb_ci_win_server,cmdb_ci_linux_server"

    assert now.count(SERVERS, both) == 2400
    assert now.count(SERVERS, "sys_class_nameNOT INcmdb_ci_server") == 2400


def test_case_31_isempty(now: Client) -> None:
    assert now.count(SERVERS, "locationISEMPTY") == 250
    assert now.count(SERVERS, "locationISNOTEMPTY") == 2250


def test_case_32_text_operators_ignore_the_case_of_letters_and_words_do_not(now: Client) -> None:
    assert now.count(SERVERS, "nameSTARTSWITHSRV-0000") == now.count(SERVERS, "nameLIKEsrv-0000")
    assert now.count(SERVERS, "namestartswithsrv") == 2500  # no operator: dropped


def test_case_33_instanceof_takes_the_class_and_what_extends_it(now: Client) -> None:
    assert now.count("cmdb_ci", "sys_class_nameINSTANCEOFcmdb_ci_server") == 2500
    assert now.count("cmdb_ci", "sys_class_name=cmdb_ci_server") == 100


def test_case_34_a_range_of_sys_ids_is_sorted_and_counted(now: Client) -> None:
    every = ids(now.rows(SERVERS, BY_ID, fields="sys_id"))

    answer = now.page(SERVERS, f"sys_id>=40^sys_id<80^{BY_ID}", fields="sys_id")

    expected = [sys_id for sys_id in every if "40" <= sys_id < "80"]
    assert ids(answer.json()["result"]) == expected
    assert int(answer.headers["X-Total-Count"]) == len(expected)


def test_ranges_together_are_the_whole(now: Client) -> None:
    bounds = ["sys_id<40", "sys_id>=40^sys_id<80", "sys_id>=80^sys_id<c0", "sys_id>=c0"]

    for table, total in ((SERVERS, 2500), ("cmn_location", 120)):
        assert sum(now.count(table, bound) for bound in bounds) == total


def test_case_35_four_hundred_rows_of_one_second(now: Client) -> None:
    window = f"sys_updated_on>={TIED}^sys_updated_on<2024-03-31 01:30:01"

    assert now.count(SERVERS, window) == 400


def test_case_36_an_invalid_condition_is_dropped_or_empties_the_answer(now: Client) -> None:
    plain = now.count(SERVERS, "install_status=1")

    dropped = now.count(SERVERS, "nope=1^install_status=1")
    whole = now.count(SERVERS, "nope=1")
    now.turn(strict_queries=True)
    strict = now.page(SERVERS, "nope=1^install_status=1")

    assert 0 < dropped == plain < whole == 2500
    assert (strict.status_code, strict.json()) == (200, {"result": []})


def test_case_37_a_doubled_caret_is_one_of_the_value(now: Client) -> None:
    assert now.names(SERVERS, "name=a^^b") == ["a^b"]
    assert now.names(SERVERS, "name=a^b") == ["a"]


def test_case_38_without_order_pages_overlap_and_with_it_they_do_not(now: Client) -> None:
    def read(query: str) -> list[str]:
        pages = (
            now.rows(SERVERS, query, limit=500, offset=offset, fields="sys_id")
            for offset in range(0, 2500, 500)
        )
        return [sys_id for page in pages for sys_id in ids(page)]

    assert len(set(read(""))) < 2500
    assert len(set(read(BY_ID))) == 2500


def test_case_39_ties_of_the_order_are_shuffled(now: Client) -> None:
    asked = {"fields": "sys_id,sys_updated_on", "limit": 2500}

    first, second = (now.rows(SERVERS, "ORDERBYsys_updated_on", **asked) for _ in range(2))
    tied = (now.rows(SERVERS, f"ORDERBYsys_updated_on^{BY_ID}", **asked) for _ in range(2))

    assert first != second
    assert [r["sys_updated_on"] for r in first] == [r["sys_updated_on"] for r in second]
    assert next(tied) == next(tied)


def test_case_40_a_script_in_a_value_is_evaluated(now: Client) -> None:
    me = key("sys_user:etl")
    now.write(SERVERS, {"sys_id": "mine", "name": "mine", "assigned_to": me})

    assert now.names(SERVERS, "assigned_to=javascript:gs.getUserID()") == ["mine"]
    assert now.names(SERVERS, "assigned_toDYNAMIC90d1921e5f510100a9ad2572f2b477fe") == ["mine"]
    assert now.count(SERVERS, "assigned_to=javascript:gs.getUserID()", user="etl_acl") == 0


def test_case_41_an_address_too_long_is_refused_in_html(now: Client) -> None:
    long = now.page(SERVERS, "sys_idIN" + "a" * 8192)
    short = now.page(SERVERS, "sys_idIN" + "a" * 7000)

    assert long.status_code == 400
    assert long.headers["Content-Type"].startswith("text/html")
    assert "Request header is too large" in long.text
    assert short.json() == {"result": []}


def test_dates_are_literal_utc_and_generated_ones_are_local(now: Client) -> None:
    literal = f"sys_updated_on={TIED}"
    generated = "sys_updated_on=javascript:gs.dateGenerate('2024-03-31','03:30:00')"

    assert now.count(SERVERS, literal) == 400
    assert now.count(SERVERS, generated) == 400
    assert now.count(SERVERS, generated, user="etl_acl") == 0  # its zone is UTC


def test_days_and_distances(now: Client) -> None:
    moment = datetime.now(UTC)
    now.put(
        "u_moments",
        [
            {"sys_id": "1", "sys_updated_on": TIED, "sys_created_on": "2024-03-01 00:00:00"},
            {"sys_id": "2", "sys_updated_on": "2024-03-31 22:30:00"},
            {"sys_id": "3", "sys_updated_on": f"{moment - timedelta(hours=2):%Y-%m-%d %H:%M:%S}"},
        ],
    )

    def found(query: str, user: str = "etl") -> str:
        return "".join(ids(now.rows("u_moments", f"{query}^{BY_ID}", user=user, fields="sys_id")))

    day = "2024-03-31@javascript:gs.dateGenerate('2024-03-31','start')"
    assert found(f"sys_updated_onON{day}") == "1"  # until 22:00 UTC in Paris
    assert found(f"sys_updated_onON{day}", "etl_acl") == "12"
    assert found(f"sys_updated_onNOTON{day}") == "23"
    assert found("sys_updated_onRELATIVEGT@hour@ago@3") == "3"
    assert found("sys_updated_onRELATIVEGE@hour@ago@1") == ""
    assert found("sys_updated_onRELATIVELT@day@ago@30") == "12"
    assert found("sys_updated_onRELATIVELE@hour@ahead@1") == "123"
    sunday = "Sunday@javascript:gs.datePart('dayofweek','sunday','EE')"
    assert found(f"sys_updated_onDATEPART{sunday}", "etl_acl").startswith("12")
    year = "2024@javascript:gs.datePart('year','2024','EE')"
    assert found(f"sys_updated_onDATEPART{year}") == "12"
    assert found("sys_updated_onMORETHANsys_created_on@day@after@3") == "1"
    assert found("sys_created_onLESSTHANsys_updated_on@month@before@2") == "1"


def test_values_out_of_place_are_invalid_conditions(farm: Client) -> None:
    for query in (
        "ram>many",
        "ramBETWEEN5",
        "sys_updated_onRELATIVEGT@hour",
        "sys_updated_onON31/03/2024",
        "sys_updated_onDATEPARTsometime",
        "nameSAMEASnope",
        "sys_updated_onMORETHANnope@day@before@3",
        "RLQUERYnope.parent,>=1^ENDRLQUERY",
        "nonsense",
        "name.location=1",
    ):
        assert farm.count(SERVERS, query) == 4, query


def test_a_related_list_counts_the_rows_that_lead_here(farm: Client) -> None:
    links = [("1", "2"), ("1", "3"), ("2", "3")]
    farm.put(
        "cmdb_rel_ci",
        [{"sys_id": f"r{a}{b}", "parent": a, "child": b} for a, b in links],
    )

    assert farm.names(SERVERS, "RLQUERYcmdb_rel_ci.parent,>=1^ENDRLQUERY") == ["alpha", "Beta"]
    assert farm.names(SERVERS, "RLQUERYcmdb_rel_ci.parent,>1^ENDRLQUERY") == ["alpha"]
    assert farm.names(SERVERS, "RLQUERYcmdb_rel_ci.child,=0^ENDRLQUERY") == ["alpha", "alphabet"]


def test_other_parameters_are_conditions_where_there_is_no_query(farm: Client) -> None:
    path = f"/api/now/table/{SERVERS}"
    farm.write(SERVERS, {"sys_id": "4", "operational_status": "6"})

    by_value = farm.get(path, {"name": "alpha"}).json()["result"]
    by_label = farm.get(path, {"operational_status": "Retired"}).json()["result"]
    beside_a_query = farm.get(path, {"name": "alpha", "sysparm_query": "osISEMPTY"})

    assert ids(by_value) == ["1"]
    assert ids(by_label) == ["4"]
    assert ids(beside_a_query.json()["result"]) == ["3"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("ORDERBYDESCsys_id", "4321"),
        ("ORDERBYname", "1423"),
        ("ORDERBYos^ORDERBYDESCsys_id", "3412"),  # Linux is linux
        ("ORDERBYDESCos^ORDERBYsys_id", "2143"),
        ("ORDERBYlocation^ORDERBYsys_id", "1342"),
        ("ORDERBYnope^ORDERBYsys_id", "1234"),
    ],
)
def test_rows_come_in_the_order_asked(farm: Client, order: str, expected: str) -> None:
    assert "".join(ids(farm.rows(SERVERS, order, fields="sys_id"))) == expected


@pytest.mark.parametrize(
    ("collation", "expected"), [("insensitive", ["a", "B", "c"]), ("binary", ["B", "a", "c"])]
)
def test_the_database_decides_the_order_of_odd_ids(
    now: Client, collation: str, expected: list[str]
) -> None:
    now.turn(collation=collation)
    now.put("u_odd", [{"sys_id": each} for each in "acB"])

    rows = now.rows("u_odd", BY_ID)
    after = now.rows("u_odd", f"sys_id>{expected[0]}^{BY_ID}")

    assert ids(rows) == expected
    assert ids(after) == expected[1:]


def test_odd_names_are_there_and_found(now: Client) -> None:
    for name in filter(None, ODD_NAMES):
        assert now.names(SERVERS, f"name={name.replace('^', '^^')}") == [name]
    assert now.names(SERVERS, "nameISEMPTY") == [""]


def test_a_filter_is_kept_from_page_to_page_until_the_data_changes(now: Client) -> None:
    now.put("u_small", numbered(6, u_kind="x"))
    query = f"u_kind=x^sys_id>001^{BY_ID}"

    before = ids(now.rows("u_small", query, limit=2))
    now.write("u_small", {"sys_id": "002", "u_kind": "y"})
    after = ids(now.rows("u_small", query, limit=2))

    assert (before, after) == (["002", "003"], ["003", "004"])


def test_a_query_is_groups_of_terms_of_conditions_and_an_order() -> None:
    query = parse("a=1^ORb>2^c=x^^y^NQdISEMPTY^ORDERBYa^ORDERBYDESCb")

    assert query.groups == (
        (
            (Condition("a", "=", "1"), Condition("b", ">", "2")),
            (Condition("c", "=", "x^y"),),
        ),
        ((Condition("d", "ISEMPTY", ""),),),
    )
    assert query.order == (("a", False), ("b", True))
