"""The simulated iTop answers what real ones of three releases did, byte for byte."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.itop_store import Objects
from tests.sandbox.itop_captures import captured, release_of, world_of
from tests.sandbox.itop_client import Client, serving

CIS = "id,name,finalclass"
LINKS = "lnkApplicationSolutionToFunctionalCI"
SPECIAL = (
    "id,name,description,nb_u,move2production,purchase_date,org_id,organization_name,"
    "location_id,location_name,status,obsolescence_flag,obsolescence_date,redundancy"
)
TICKET = "id,ref,title,description,public_log,start_date,last_update,close_date,tto,ttr,status"
TICKET_FR = "id,start_date,last_update,public_log,status,finalclass"
DATES = {"FR FR": {"date": "%d/%m/%Y", "datetime": "%d/%m/%Y %H:%M"}}
Server = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A capture, the call that was answered so, and who made it."""

    name: str
    params: Mapping[str, Any]
    user: str = "etl"
    version: str = "1.3"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    world: str = ""  # the capture that tells the objects, when it is another one
    add: Callable[[Objects], Any] = lambda _: None  # what the capture does not tell


def get(kind: str, key: Any, fields: Any = None, **more: Any) -> dict[str, Any]:
    """The parameters of core/get, without `output_fields` when none are named."""
    asked = {"operation": "core/get", "class": kind, "key": key, **more}
    return asked if fields is None else {**asked, "output_fields": fields}


def related(kind: str, key: Any, **more: Any) -> dict[str, Any]:
    asked = {"operation": "core/get_related", "class": kind, "key": key}
    return {**asked, "relation": "impacts", **more}


def each(releases: str, name: str, params: Mapping[str, Any], **more: Any) -> list[Case]:
    return [Case(f"{release}_{name}.json", params, **more) for release in releases.split()]


def named(kind: str, number: int, **values: Any) -> Callable[[Objects], Any]:
    return lambda held: held.add(kind, number, **values)


def filled(servers: int) -> Callable[[Objects], Any]:
    """Servers whose names come after all others, up to that number."""
    return lambda held: [
        held.add("Server", name="zz") for _ in range(servers - len(held.ids("Server")))
    ]


OPERATIONS = {"operation": "list_operations"}
OBJECTS = [
    *each("23 24 32", "get_server_star", get("Server", "SELECT Server", "*")),
    *each("23 24 32", "app_star", get("ApplicationSolution", "SELECT ApplicationSolution")),
    *each("23 24 32", "vm_star", get("VirtualMachine", "SELECT VirtualMachine")),
    *each("23 24 32", "lnk_star", get(LINKS, f"SELECT {LINKS} WHERE functionalci_id = 105")),
    *each("32", "lnk_starplus", get(LINKS, f"SELECT {LINKS}", "*+")),
    *each("32", "bp_star", get("BusinessProcess", "SELECT BusinessProcess")),
    *each("23 24", "org_star", get("Organization", 4)),
    *each("32", "org_star", get("Organization", "SELECT Organization")),
    *each("23 24 32", "person_star", get("Person", {"name": "Surname005"})),
    *each("23 24 32", "functionalci_starplus", get("FunctionalCI", "SELECT Server", "*+")),
    *each("32", "functionalci_parent_fields", get("FunctionalCI", "SELECT FunctionalCI", CIS)),
    *each(
        "23 24 32",
        "union_oql",
        get("FunctionalCI", "SELECT Server UNION SELECT VirtualMachine", CIS),
    ),
    *each(
        "23 24 32",
        "class_mismatch_other2",
        get("Server", "SELECT Location WHERE id < 3", "name,status"),
    ),
    *each(
        "32", "class_mismatch_other", get("Server", "SELECT Location WHERE id < 3", "name,status")
    ),
    *each("32", "class_mismatch_child", get("FunctionalCI", "SELECT Server")),
    *each(
        "23 24",
        "class_mismatch_parentoql",
        get("Server", "SELECT FunctionalCI WHERE id = 105", "id,name,cpu"),
    ),
    *each("23 24", "page0", get("Server", "SELECT Server", "id", limit=1, page=0)),
    *each("23 24", "docauthor_get", get("Server", "SELECT Server", "id"), user="admin"),
    *each("32", "fr_server", get("Server", 105), user="fr"),
    *each(
        "32",
        "obsolete_server",
        get(
            "Server",
            "SELECT Server WHERE obsolescence_flag = 1",
            "id,status,obsolescence_flag,obsolescence_date",
            limit=1,
        ),
        add=lambda held: [held.add("Server", name="zz", status="obsolete") for _ in range(49)],
    ),
    *each("23 24", "outfields_list", get("Server", 105, ["id", "name"])),
    *each("32", "outfields_spaces_dup", get("Server", 105, " id , name,id")),
    *each("32", "key_numeric_string", get("Server", "105", "id")),
    *each("32", "get_criteria", get("Server", {"name": "Server1"}, "id,name")),
    *each(
        "32",
        "multi_class_oql",
        get(
            "ApplicationSolution",
            "SELECT a, l FROM ApplicationSolution AS a JOIN lnkApplicationSolutionToFunctionalCI"
            " AS l ON l.applicationsolution_id = a.id",
            "id,name",
        ),
        add=lambda held: held.add(LINKS, applicationsolution_id=2667, functionalci_id=1),
    ),
    *each(
        "32",
        "oql_escape",
        get(
            "Organization",
            "SELECT Organization WHERE name = 'O\\'Reilly <Labs> \"R&D\"'",
            "id,name",
        ),
    ),
    *each(
        "24",
        "idrange",
        get(
            "Server",
            "SELECT Server WHERE id > 100 AND id <= 104",
            "id,name,obsolescence_flag,nb_u,move2production",
        ),
    ),
    *each(
        "32",
        "idrange",
        get("Server", "SELECT Server WHERE id > 100 AND id <= 104", "id,name,friendlyname"),
    ),
    *each("23 24", "ticket", get("UserRequest", 1, TICKET)),
    *each(
        "32",
        "ticket",
        get("UserRequest", 1, f"{TICKET},caller_id_friendlyname"),
        add=lambda held: (
            held.add("Person", 45, first_name="Given5", name="Surname005"),
            held.change("UserRequest::1", caller_id=45),
        ),
    ),
    *each("32", "docnote", get("DocumentNote", "SELECT DocumentNote")),
    *each("32", "changeop_delete", get("CMDBChangeOp", 14540, "*+"), user="admin"),
    *each(
        "32", "dates_default_user", get("Server", 105, "id,move2production,purchase_date,status")
    ),
    *each(
        "32",
        "dates_fr_user",
        get("Server", 105, "id,move2production,purchase_date,status"),
        user="fr",
        knobs={"dates": DATES},
        world="32_dates_default_user.json",
    ),
    *each(
        "32",
        "ticket_fr",
        get("UserRequest", 1, TICKET_FR),
        user="fr",
        knobs={"dates": DATES},
        world="32_ticket.json",
    ),
    *each(
        "32",
        "server_linkfield",
        get("Server", 105, "id,applicationsolution_list,contacts_list"),
        add=lambda held: held.change("Server::105", name="srv-00074"),
    ),
    *each(
        "32",
        "server_special",
        get("Server", "SELECT Server", SPECIAL, limit=6),
        add=filled(43),
    ),
    *each(
        "32",
        "count_only",
        get("Server", "SELECT Server", "id", limit=1, page=1),
        add=filled(2004),
    ),
    *each(
        "32", "limit_str", get("Server", "SELECT Server", "id,name", limit="2"), add=filled(2004)
    ),
    *each(
        "32",
        "page1_limit3",
        get("Server", "SELECT Server", "id,name", limit=3, page=1),
        add=filled(2004),
    ),
    *each(
        "32",
        "page2_limit3",
        get("Server", "SELECT Server", "id,name", limit=3, page=2),
        add=lambda held: (
            [held.add("Server", number, name=f"Server{number}") for number in (1, 2, 3)],
            filled(2004)(held),
        ),
    ),
]
BARE = [
    *each("23 24 32", "list_operations", OPERATIONS),
    *each("23 24", "list_operations_v10", OPERATIONS, version="1.0"),
    *each("23 24", "list_operations_v14", OPERATIONS, version="1.4"),
    *each("32", "version14", OPERATIONS, version="1.4"),
    *each("32", "restonly_listops", OPERATIONS, user="restonly"),
    *each("32", "restonly_get", get("Server", "SELECT Server"), user="restonly"),
    *each("23 24", "portal", OPERATIONS, user="portal"),
    *each("32", "portalrest", OPERATIONS, user="portal"),
    *each("32", "err_no_rest_profile", OPERATIONS, user="norest"),
    *each("32", "err_norest", OPERATIONS, user="norest"),
    *each("32", "err_unknown_user", OPERATIONS, user="nobody"),
    *each("23 24 32", "changeop_etl", get("CMDBChangeOp", "SELECT CMDBChangeOp", "id")),
    *each(
        "32",
        "changeop_nowsub",
        get("CMDBChangeOp", "SELECT CMDBChangeOp WHERE date > DATE_SUB(NOW(), INTERVAL 1 DAY)"),
    ),
    *each("32", "err_unknown_op", {"operation": "core/foo"}),
    *each("32", "err_unsupported_version", OPERATIONS, version="9.9"),
    *each("23 24 32", "err_bad_class", get("Servr", "SELECT Server", "id")),
    *each("23 24 32", "err_bad_field", get("Server", "SELECT Server", "id,foo")),
    *each("23 24", "err_bad_oql", get("Server", "SELECT Server WHERE foo=1", "id")),
    *each("32", "err_bad_oql", get("Server", "SELECT Server WHERE foo = 1", "id")),
    *each("23 24 32", "err_bad_oql2", get("Server", "SELEC Server", "id")),
    *each("32", "fr_err", get("Server", "SELECT", "id"), user="fr"),
    *each("32", "quote_oql", get("Server", 'SELECT Server WHERE name = "srv \\u00fcn\\u00efcode"')),
    *each("32", "err_no_key", get("Server", None, "id")),
    *each("32", "key_list", get("Server", [1, 2], "id")),
    *each(
        "32",
        "key_criteria_extkey_none",
        get("Server", {"org_id": {"name": "Nope"}}, "id"),
    ),
    *each(
        "32",
        "class_mismatch_parentoql",
        get("Server", "SELECT FunctionalCI WHERE id = 105", "id,name,cpu"),
    ),
    *each("32", "functionalci_subclass_field", get("FunctionalCI", "SELECT Server", "id,cpu")),
    *each("32", "get_server_basic", get("Server", "SELECT Server", "id,name,org_name")),
    *each("23", "idrange", get("Server", "SELECT Server", "id,obsolescence_flag")),
    *each("32", "outfields_classspec", get("Server", "SELECT Server", "Server:id,name")),
    *each("32", "outfields_empty", get("Server", "SELECT Server", "")),
    *each("23 24 32", "get_empty", get("Server", "SELECT Server WHERE id = 0")),
    *each("32", "get_single_int_missing", get("Server", 999_999)),
    *each("32", "page0", get("Server", "SELECT Server", "id", limit=3, page=0)),
    *each(
        "32",
        "page_beyond",
        get("Server", "SELECT Server", "id", limit=3, page=1000),
        add=filled(2004),
    ),
    *each(
        "32",
        "check_credentials_ok",
        {"operation": "core/check_credentials", "user": "fr", "password": "fr-password"},
    ),
    *each(
        "32",
        "check_credentials_ko",
        {"operation": "core/check_credentials", "user": "fr", "password": "no"},
    ),
    *each("23 24 32", "related_empty", related("Server", "SELECT Server WHERE id = 0")),
    *each("32", "related_norel", related("Server", 105, relation=None)),
    *each("32", "related_baddir", related("Server", 105, direction="left")),
]
SOLUTION = "SELECT ApplicationSolution"
RELATED = [
    *each("23 24 32", "related_up", related("ApplicationSolution", SOLUTION, direction="up")),
    *each(
        "32",
        "related_dependson",
        related("ApplicationSolution", SOLUTION, relation="depends on", depth=1),
        world="32_related_up.json",
    ),
    *each("32", "related_down", related("Server", 105)),
    *each("32", "related_redundancy", related("Server", 105, redundancy=True)),
    *each("32", "related_isolated", related("Location", 1)),
    *each("32", "related_badrel", related("Server", 105, relation="nothing")),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(Objects()) as client:
        yield client


@pytest.fixture
def itop(client: Client) -> Client:
    client.itop.reset()
    return client


@pytest.mark.parametrize("case", [*OBJECTS, *RELATED], ids=lambda case: case.name)
def test_the_objects_of_a_capture_are_answered_as_they_were(itop: Client, case: Case) -> None:
    itop.itop.held = world_of(case.world or case.name)
    case.add(itop.itop.held)

    assert_as_captured(itop, case)


@pytest.mark.parametrize("case", BARE, ids=lambda case: case.name)
def test_what_a_capture_says_without_objects_is_said_again(itop: Client, case: Case) -> None:
    case.add(itop.itop.held)

    assert_as_captured(itop, case)


def assert_as_captured(itop: Client, case: Case) -> None:
    itop.turn(release=release_of(case.name), shuffle=False, **case.knobs)

    answer = itop.call(None, case.params, user=case.user, version=case.version)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == captured(case.name)
