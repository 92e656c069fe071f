"""The simulated iTop finds what an OQL query means, and refuses what OQL is not (§4.3)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from sandbox.itop_store import Objects
from tests.sandbox.itop_client import Client, serving

SERVER_OF = "lnkApplicationSolutionToFunctionalCI"
LOCATED = "SELECT s FROM Server AS s JOIN Location AS l ON s.location_id = l.id"
OWNED = "SELECT s FROM Server AS s JOIN Organization AS o ON s.org_id"
USED = f"JOIN {SERVER_OF} AS l ON l.functionalci_id"
USED_SERVER = f"{OWNED} = o.id {USED} = s.id"
USED_CI = f"SELECT FunctionalCI {USED} = FunctionalCI.id"
SOLVED = "JOIN ApplicationSolution AS a ON l.applicationsolution_id = a.id"
INCOMPATIBLE = "The joined class (Organization) is not compatible with the external key,"
NO_ID = "Wrong format for Join clause (right hand), expecting an id"


def small_cmdb() -> Objects:
    """Servers 1 to 6, two organizations one below the other, two locations, two solutions."""
    held = Objects()
    held.add("Organization", name="Zürich")
    held.add("Organization", name='O\'Reilly <Labs> "R&D"', parent_id=1)
    held.add("Location", name="Nîmes", org_id=1, status="active")
    held.add("Location", name="back\\slash", org_id=2, status="inactive")
    servers: tuple[dict[str, Any], ...] = (
        {"name": "alpha", "nb_u": 1, "move2production": "2024-03-15", "status": "production"},
        {"name": "Éta", "nb_u": 10, "status": "obsolete", "location_id": 1},
        {"name": "beta", "status": "stock", "location_id": 2, "move2production": "2024-03-16"},
        {"name": "gamma_1", "nb_u": 2, "status": "production", "org_id": 2},
        {"name": "gammaX1", "status": "obsolete", "org_id": 2, "cpu": "100%"},
        {"name": "omega", "nb_u": 0, "description": "tab\there", "location_id": 1},
    )
    for values in servers:
        held.add("Server", **{"org_id": 1, **values})
    held.add("VirtualMachine", 10, name="vm", org_id=2)
    for number, ci in ((20, 1), (21, 2)):
        held.add("ApplicationSolution", number, name=f"app-{number}", org_id=1)
        held.add(SERVER_OF, applicationsolution_id=number, functionalci_id=ci)
    held.add(SERVER_OF, applicationsolution_id=21, functionalci_id=10)
    for day in (1, 2, 3):
        change = held.add("CMDBChange", date=f"2026-11-0{day} 12:00:00", userinfo="seed")
        held.add("CMDBChangeOpCreate", change=change, objclass="Server", objkey=day)
    return held


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(small_cmdb()) as client:
        yield client


@pytest.fixture
def itop(client: Client) -> Client:
    client.itop.reset()
    return client


@pytest.fixture(params=["2.3.4", "2.4.3", "3.2"])
def any_itop(itop: Client, request: pytest.FixtureRequest) -> Client:
    """The three releases, one after the other."""
    itop.turn(release=request.param)
    return itop


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("id > 2 AND id <= 4", [3, 4]),
        ("id >= 2 AND id < 4", [2, 3]),
        ("id = 3", [3]),
        ("3 = id", [3]),
        ("id != 3", [1, 2, 4, 5, 6]),
        ("id IN (5, 1, 99, 1)", [1, 5]),
        ("id IN ('5', '1')", [1, 5]),
        ("id NOT IN (5, 1)", [2, 3, 4, 6]),
        ("id > 2 AND id IN (1, 2, 3, 4) AND status = 'stock'", [3]),
        ("id > 2 AND (id = 3 OR id = 6)", [3, 6]),
        ("id > 5 OR id < 2", [1, 6]),
        ("id > -1 AND id < 2", [1]),
        ("id = 0x3", [3]),
        ("(status != 'obsolete') AND id > 0", [1, 3, 4, 6]),
        ("status = 'production' AND org_id = 2", [4]),
        ("name = 'ETA'", [2]),
        ("name LIKE 'gamma%'", [4, 5]),
        ("name LIKE 'gamma\\\\_1'", [4]),
        ("name LIKE 'gamma_1'", [4, 5]),
        ("name NOT LIKE '%a%'", []),
        ("cpu LIKE '100\\\\%'", [5]),
        ("name REGEXP '^(alpha|beta)$'", [1, 3]),
        ("nb_u > 1", [2, 4]),
        ("nb_u = '10'", [2]),
        ("nb_u < 1", [6]),
        ("ISNULL(nb_u)", [3, 5]),
        ("ISNULL(nb_u) = 0 AND nb_u != 10", [1, 4, 6]),
        ("nb_u NOT IN (1, 2)", [2, 6]),
        ("nb_u IN (1, 10)", [1, 2]),
        ("nb_u + 1 = 2", [1]),
        ("nb_u * 2 = 20", [2]),
        ("nb_u / 2 = 5", [2]),
        ("nb_u - 1 = 0", [1]),
        ("move2production = '2024-03-15'", [1]),
        ("move2production = '2024-03-15 00:00:00'", [1]),
        ("move2production > '2024-03-15'", [3]),
        ("move2production <= '2024-03-15 12:00:00'", [1]),
        ("ISNULL(move2production) = 0", [1, 3]),
        ("location_id = 0", [1, 4, 5]),
        ("location_name = 'nimes'", [2, 6]),
        ("organization_name = 'O\\'Reilly <Labs> \"R&D\"'", [4, 5]),
        ('organization_name = "O\'Reilly <Labs> \\"R&D\\""', [4, 5]),
        ("location_name = 'back\\\\slash'", [3]),
        ("location_id_friendlyname = 'Nîmes'", [2, 6]),
        ("description = 'tab\there'", [6]),
        ("finalclass = 'Server' AND id = 1", [1]),
        ("friendlyname = 'beta'", [3]),
        ("`name` = 'beta'", [3]),
        ("Server.name = 'beta'", [3]),
        ("IF(nb_u > 1, 1, 0)", [2, 4]),
        ("COALESCE(nb_u, 7) = 7", [3, 5]),
        ("CONCAT(name, '-', status) = 'beta-stock'", [3]),
        ("1", [1, 2, 3, 4, 5, 6]),
        ("0", []),
        ("NULL = NULL", []),
        ("name = NULL", []),
    ],
)
def test_a_condition_finds_its_servers(itop: Client, where: str, found: list[int]) -> None:
    assert sorted(itop.ids(f"SELECT Server WHERE {where}")) == found


def test_the_oldest_release_knows_no_obsolescence(any_itop: Client) -> None:
    answer = any_itop.get("Server", "SELECT Server WHERE obsolescence_flag = 1")

    if any_itop.itop.knobs.release == "2.3.4":
        assert answer["code"] == 100
        assert "Unknown filter code - found 'obsolescence_flag' at 20" in answer["message"]
    else:
        assert sorted(answer["objects"]) == ["Server::2", "Server::5"]


@pytest.mark.parametrize(
    ("oql", "found"),
    [
        ("SELECT s FROM Server AS s WHERE s.name = 'beta'", [3]),
        (LOCATED, [2, 3, 6]),
        (f"{LOCATED} WHERE l.status = 'active' AND s.id > 2", [6]),
        ("SELECT Server JOIN Location ON Server.location_id = Location.id", [2, 3, 6]),
        (f"{USED_SERVER} {SOLVED} WHERE a.name = 'app-21'", [2]),
        (
            f"{OWNED} = o.id JOIN Organization AS top ON o.parent_id BELOW top.id WHERE top.id = 1",
            [4, 5],
        ),
        (f"{OWNED} BELOW o.id WHERE o.name = 'Zürich'", [1, 2, 3, 4, 5, 6]),
        (f"{OWNED} BELOW STRICT o.id WHERE o.name = 'Zürich'", [4, 5]),
        (f"{OWNED} NOT BELOW o.id WHERE o.id = 2", [1, 2, 3, 6]),
        (f"SELECT Server WHERE id IN ({USED_CI})", [1, 2]),
        ("SELECT Server WHERE id = 1 UNION SELECT Server WHERE id < 3", [1, 2]),
        ("SELECT Server WHERE id = 1 UNION SELECT VirtualMachine UNION SELECT PC", [1, 10]),
    ],
)
def test_a_query_finds_its_objects(itop: Client, oql: str, found: list[int]) -> None:
    assert sorted(itop.ids(oql, "FunctionalCI")) == found


def test_now_is_the_time_that_is_told(itop: Client) -> None:
    itop.turn(now="2026-11-03 13:00:00")

    for interval, found in (("1 DAY", 1), ("25 HOUR", 2), ("2880 MINUTE", 2), ("1 MONTH", 3)):
        oql = f"SELECT CMDBChangeOp WHERE date >= DATE_SUB(NOW(), INTERVAL {interval})"
        assert len(itop.ids(oql, "CMDBChangeOp", user="admin")) == found
    oql = "SELECT CMDBChangeOp WHERE DATE_ADD(date, INTERVAL 1 YEAR) > '2027-11-02'"
    assert len(itop.ids(oql, "CMDBChangeOp", user="admin")) == 2
    oql = "SELECT CMDBChangeOp WHERE DATE(date) = CURRENT_DATE()"
    assert len(itop.ids(oql, "CMDBChangeOp", user="admin")) == 1


def test_without_a_time_told_now_is_ours(itop: Client) -> None:
    assert itop.ids("SELECT Server WHERE NOW() > '2026-01-01' AND id = 1") == [1]


@pytest.mark.parametrize(
    ("oql", "what"),
    [
        ("SELECT Server ORDER BY name", "Unexpected token NAME - found 'ORDER' at 14"),
        ("SELECT Server LIMIT 10", "Unexpected token NAME - found 'LIMIT' at 14"),
        (
            "SELECT Server WHERE id BETWEEN 1 AND 2",
            "Unexpected token NAME - found 'BETWEEN' at 23",
        ),
        ("SELECT COUNT(id)", "Unexpected token PAR_OPEN - found '(' at 12"),
        ("SELECT Server WHERE", "Unexpected token End of Input - found '0' at 0"),
        ("SELECT Server WHERE (id = 1", "Unexpected token End of Input - found '0' at 0"),
        ("SELECT Server WHERE id = 1)", "Unexpected token PAR_CLOSE - found ')' at 26"),
        ("SELECT Server; SELECT Server", "Unexpected input at line 1: ;"),
        ("SELECT Server WHERE name = 'a", "Unexpected input at line 1: '"),
        ("SELECT Server WHERE name = '\\\"'", "Unexpected input at line 1: '"),
        ("SELECT Server WHERE name = 'a' 'b'", "Unexpected token STRVAL - found ''b'' at 31"),
        ("select Server", "Unexpected token NAME - found 'Server' at 7"),
        ("SELECT Servr", "Unknown class - found 'Servr' at 7"),
        (
            "SELECT s FROM Server AS t",
            "Unknown class [alias] - found 's' at 7 in 'SELECT s FROM Server AS t', expecting {t}",
        ),
        ("SELECT Server WHERE x.id = 1", "Unknown class [alias] - found 'x' at 20"),
        (f"{LOCATED} WHERE id = 1", "Ambiguous filter code - found 'id' at 75"),
        (
            "SELECT s FROM Server AS s JOIN Location AS l ON s.name = l.id",
            "Unknown key in join condition (left expression) - found 'name' at 50",
        ),
        (
            "SELECT s FROM Server AS s JOIN Location AS l ON location_id = l.id",
            "Unknown class in join condition (left expression) - found 'location_id' at 48",
        ),
        (
            "SELECT s FROM Server AS s JOIN Location AS l ON s.location_id = l.name",
            f"{NO_ID} - found 'name' at 66",
        ),
        (
            "SELECT s FROM Server AS s JOIN Organization AS o ON s.location_id = o.id",
            f"{INCOMPATIBLE} which is pointing to Location - found 'location_id' at 54",
        ),
        (
            "SELECT s FROM Server AS s JOIN Location AS s ON s.location_id = s.id",
            "Duplicate class alias - found 's' at 43",
        ),
        (
            "SELECT Server UNION SELECT Location",
            "Incompatible classes: could not find a common ancestor - found 'Location' at 27",
        ),
        ("SELECT Server WHERE FLOOR(id) = 1", "FLOOR is not known to the simulator"),
    ],
)
def test_what_is_not_oql_is_refused_as_each_release_words_it(
    any_itop: Client, oql: str, what: str
) -> None:
    answer = any_itop.get("Server", oql)

    assert answer["code"] == 100
    assert what in answer["message"]
    wrapped = f"Error: Query failed to execute: query = {oql}, exception_class = "
    if any_itop.itop.knobs.release == "3.2":
        assert answer["message"].startswith(wrapped)
    else:
        assert answer["message"].startswith(f"Error: {what[:20]}")


def test_a_long_list_of_ids_costs_little_to_read(itop: Client) -> None:
    ids = ",".join(map(str, range(100_000)))

    assert sorted(itop.ids(f"SELECT Server WHERE id IN ({ids})")) == [1, 2, 3, 4, 5, 6]


def test_objects_come_by_name_whatever_their_case_and_accents(any_itop: Client) -> None:
    answer = any_itop.get("Server", "SELECT Server", "name")

    names = [each["fields"]["name"] for each in answer["objects"].values()]
    assert names == ["alpha", "beta", "Éta", "gamma_1", "gammaX1", "omega"]


def test_windows_of_ids_are_the_whole(any_itop: Client) -> None:
    bounds = [0, 1, 4, 9]
    windows = [f"SELECT Server WHERE id > {a} AND id <= {b}" for a, b in pairwise(bounds)]

    assert [sorted(any_itop.ids(each)) for each in windows] == [[1], [2, 3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (3, [3]),
        ("3", [3]),
        (99, []),
        ({"name": "BETA"}, [3]),
        ({"org_id": 2, "status": "obsolete"}, [5]),
        ({"org_id": {"name": "Zürich"}, "status": "stock"}, [3]),
        ({"org_id": "SELECT Organization WHERE parent_id = 1"}, [4, 5]),
        ({"id": 2}, [2]),
        ({}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_key_is_an_id_or_criteria_as_well(itop: Client, key: object, found: list[int]) -> None:
    answer = itop.get("Server", key)

    assert sorted(int(each["key"]) for each in (answer["objects"] or {}).values()) == found


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ([1], "Error: Wrong format for key"),
        (True, "Error: Wrong format for key"),
        ({"foo": 1}, "Error: foo: Unknown attribute"),
        (
            {"org_id": {"parent_id": 9}},
            "Error: org_id: No item found with criteria: parent_id: 9 (9)",
        ),
        (
            {"location_id": {"foo": "x"}},
            "Error: location_id: foo: Unknown attribute",
        ),
        (
            {"org_id": {"code": ""}},
            "Error: org_id: Several items found (2) with criteria: code:  ()",
        ),
    ],
)
def test_a_key_that_means_nothing_is_refused(itop: Client, key: object, message: str) -> None:
    assert itop.get("Server", key) == {"code": 100, "message": message}
