"""The simulated iTop serves values, pages and graphs as each release does, and a CMDB to read."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.itop import create_app
from sandbox.itop_knobs import ItopKnobs
from sandbox.itop_objects import objects
from sandbox.itop_store import Objects
from sandbox.serve import serve
from tests.sandbox.itop_captures import captured
from tests.sandbox.itop_client import PATH, Client, serving

RELEASES = ["2.3.4", "2.4.3", "3.2"]
SERVERS = 210
LINK = "lnkApplicationSolutionToFunctionalCI"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(objects(SERVERS)) as client:
        yield client


@pytest.fixture
def itop(client: Client) -> Client:
    client.itop.reset()
    return client


@pytest.fixture(params=RELEASES)
def any_itop(itop: Client, request: pytest.FixtureRequest) -> Client:
    """The three releases, one after the other."""
    itop.turn(release=request.param)
    return itop


# -- the invented CMDB


def test_the_cmdb_is_the_same_at_every_call_and_as_large_as_asked() -> None:
    first, second = objects(120), objects(120)

    assert [(each.key, each.values) for each in first] == [
        (each.key, each.values) for each in second
    ]
    assert first.ids("Server") == list(range(1, 121))
    assert objects(0).ids("Server") == []


def test_every_key_of_the_cmdb_points_to_something(itop: Client) -> None:
    held, model = itop.itop.held, itop.itop.model

    loose = [
        f"{thing.key}.{name}"
        for thing in held
        for name, each in model.attributes(thing.kind).items()
        if each.kind == "key"
        and thing.values.get(name)
        and held.find(each.target, thing.values[name]) is None
    ]

    assert loose == []


def test_the_cmdb_has_what_hurts(itop: Client) -> None:
    fields = "name,description,status,nb_u,location_id,move2production"
    answer = itop.get("Server", "SELECT Server", fields)

    rows = [each["fields"] for each in answer["objects"].values()]
    text = json.dumps(rows, ensure_ascii=False)
    for odd in ("\\r\\n", "\\t", "<script>", "&amp;", "\u2028", "🚀", "é", "\\\\back", '\\"q\\"'):
        assert odd in text
    assert sum(row["name"] == "srv-dup" for row in rows) == SERVERS // 10
    assert {row["nb_u"] for row in rows} == {"", "1", "2", "3"}
    assert "0" in {row["location_id"] for row in rows}
    assert "" in {row["move2production"] for row in rows}


def test_every_class_of_the_cmdb_is_read_in_every_release(any_itop: Client) -> None:
    kinds = {thing.kind for thing in any_itop.itop.held}

    for kind in kinds:
        answer = any_itop.get(kind, f"SELECT {kind}", "*+", user="admin")
        assert answer["code"] == 0
        assert answer["message"] == f"Found: {len(answer['objects'])}"
        assert {each["class"] for each in answer["objects"].values()} <= kinds


# -- values


def test_values_are_texts_but_flags_lists_and_logs(any_itop: Client) -> None:
    any_itop.itop.held.add(
        "Server", 900, name="x", org_id=2, nb_u=0, move2production="2024-03-15", status="obsolete"
    )

    shown = any_itop.fields("Server", 900, "*")

    assert {name: shown[name] for name in ("nb_u", "org_id", "rack_id", "rack_name")} == {
        "nb_u": "0",
        "org_id": "2",
        "rack_id": "0",
        "rack_name": "",
    }
    assert (shown["move2production"], shown["purchase_date"]) == ("2024-03-15", "")
    assert shown["contacts_list"] == []
    assert shown.get("obsolescence_flag", True) is True
    assert shown.get("rack_id_obsolescence_flag", "") == ""


def test_a_key_tells_the_obsolescence_of_what_it_points_to_as_text(itop: Client) -> None:
    held = itop.itop.held
    held.add("Location", 900, name="closed", status="inactive")
    held.add("Server", 900, name="x", location_id=900)

    assert itop.fields("Server", 900, "location_id_obsolescence_flag") == {
        "location_id_obsolescence_flag": "1"
    }


def test_a_polymorphic_key_tells_the_class_behind_it(any_itop: Client) -> None:
    held = any_itop.itop.held
    host = held.add("Farm", name="a farm")
    held.add("VirtualMachine", 900, name="x", virtualhost_id=host)

    assert any_itop.fields("VirtualMachine", 900, "virtualhost_id_finalclass_recall") == {
        "virtualhost_id_finalclass_recall": "Farm"
    }


def test_a_parent_class_gives_mixed_children(any_itop: Client) -> None:
    answer = any_itop.get("FunctionalCI", "SELECT FunctionalCI WHERE id < 400", "id,finalclass")

    kinds = {each["class"] for each in answer["objects"].values()}
    assert {"Server", "VirtualMachine", "Hypervisor", "ApplicationSolution"} <= kinds
    assert all(each["fields"]["finalclass"] == each["class"] for each in answer["objects"].values())


@pytest.mark.parametrize(("release", "encoded"), [("2.4.3", "R&amp;amp;D"), ("3.2", "R&amp;D")])
def test_html_is_encoded_twice_before_3_2(itop: Client, release: str, encoded: str) -> None:
    itop.turn(release=release)

    assert encoded in itop.fields("UserRequest", 1, "description")["description"]
    assert encoded in itop.fields("DocumentNote", 1, "text")["text"]

    itop.turn(double_encoded_html=False)
    assert "R&amp;D" in itop.fields("DocumentNote", 1, "text")["text"]


def test_wiki_links_name_classes_in_the_users_language(itop: Client) -> None:
    itop.itop.held.change("Server::1", description="see [[Server:srv-00002]] and [[Rack:x]]")

    english = itop.fields("Server", 1, "description")["description"]
    french = itop.fields("Server", 1, "description", user="fr")["description"]

    assert english == "see [[Server:srv-00002]] and [[Rack:x]]"
    assert french == "see [[Serveur:srv-00002]] and [[Rack:x]]"


def test_a_picture_is_base64_with_its_downloads_on_3x(any_itop: Client) -> None:
    picture = {"data": b"\x00\xff", "mimetype": "image/png", "filename": "p.png"}
    person = any_itop.itop.held.add("Person", name="x", picture=picture)

    shown = any_itop.fields("Person", person, "picture")["picture"]

    modern = any_itop.itop.knobs.release == "3.2"
    assert shown.pop("downloads_count", None) == (0 if modern else None)
    assert shown == {"data": "AP8=", "mimetype": "image/png", "filename": "p.png"}


def test_ids_beyond_32_bits_are_texts(any_itop: Client) -> None:
    number = 2**33 + 1
    any_itop.itop.held.add("Server", number, name="far")

    assert any_itop.ids(f"SELECT Server WHERE id > {number - 1}") == [number]
    assert any_itop.fields("Server", number, "id") == {"id": str(number)}


def test_an_installation_may_have_attributes_of_its_own_and_lack_others(any_itop: Client) -> None:
    any_itop.turn(custom={"Server": "x_env x_owner_id=Person"}, missing=["Server.cpu"])
    any_itop.itop.held.change("Server::1", x_env="prod", x_owner_id=0)

    shown = any_itop.fields("Server", 1, "x_env,x_owner_id,x_owner_id_friendlyname")
    missing = any_itop.get("Server", 1, "cpu")["message"]

    unset = "" if any_itop.itop.knobs.release == "3.2" else " "
    assert shown == {"x_env": "prod", "x_owner_id": "0", "x_owner_id_friendlyname": unset}
    assert missing == "Error: output_fields: invalid attribute code 'cpu'"
    assert any_itop.ids("SELECT Server WHERE x_env = 'prod'") == [1]


def test_archived_objects_need_the_parameter(any_itop: Client) -> None:
    any_itop.itop.held.change("Server::1", archive_flag=1)
    oql = "SELECT Server WHERE id < 3"

    assert any_itop.ids(oql) == [2]
    assert any_itop.ids(oql, query={"with_archive": "1"}) == [1, 2]


# -- order and pages


def test_homonyms_come_in_no_order_while_the_others_keep_theirs(any_itop: Client) -> None:
    oql = "SELECT Server WHERE id <= 60"

    listings = [any_itop.ids(oql) for _ in range(6)]

    alone = [[each for each in listing if each % 10] for listing in listings]
    homonyms = [[each for each in listing if each % 10 == 0] for listing in listings]
    assert alone == [alone[0]] * 6
    assert len({tuple(each) for each in homonyms}) > 1
    assert sorted(homonyms[0]) == [10, 20, 30, 40, 50, 60]


def test_the_order_of_homonyms_may_be_settled(itop: Client) -> None:
    itop.turn(shuffle=False)

    assert itop.ids("SELECT Server WHERE name = 'srv-dup' AND id < 50") == [10, 20, 30, 40]


def test_pages_of_3x_lose_homonyms_while_found_tells_them_all(itop: Client) -> None:
    oql = "SELECT Server WHERE name = 'srv-dup'"
    answers = [
        itop.get("Server", oql, more={"limit": 3, "page": page})
        for page in range(1, SERVERS // 30 + 1)
    ]

    keys = [key for answer in answers for key in answer["objects"]]
    assert {answer["message"] for answer in answers} == {f"Found: {SERVERS // 10}"}
    assert len(keys) == SERVERS // 10
    assert len(set(keys)) < len(keys)


@pytest.mark.parametrize("release", ["2.3.4", "2.4.3"])
def test_2x_ignores_limit_and_page(itop: Client, release: str) -> None:
    itop.turn(release=release)

    for page in (0, 1, 2, 99):
        answer = itop.get("Server", "SELECT Server", more={"limit": 3, "page": page})
        assert len(answer["objects"]) == SERVERS


@pytest.mark.parametrize("limit", [0, -1, None, "none"])
def test_a_limit_that_is_none_gives_all(itop: Client, limit: Any) -> None:
    answer = itop.get("Server", "SELECT Server", more={"limit": limit, "page": 3})

    assert len(answer["objects"]) == SERVERS


# -- fields


def test_a_list_of_fields_kills_3x(itop: Client) -> None:
    asked = {"class": "Server", "key": 1, "output_fields": ["id"]}

    answer = itop.call("core/get", asked)

    assert answer.status_code == 500
    assert answer.text == captured("32_outfields_list.json")


def test_a_star_expands_lists_and_a_plus_their_own_classes(any_itop: Client) -> None:
    held = any_itop.itop.held
    for number in (1, 2):
        held.change(f"Server::{number}", location_id=20)

    star = any_itop.fields("Location", 20, "*")["physicaldevice_list"]
    plus = any_itop.fields("Location", 20, "*+")["physicaldevice_list"]

    assert len(star) == len(plus) > 1
    assert "cpu" not in star[0]
    assert "cpu" in plus[0]
    assert "location_id" not in plus[0]


def test_an_encoded_object_is_forgotten_when_anything_changes(itop: Client) -> None:
    fields = "name,organization_name"
    before = itop.fields("Server", 6, fields)
    itop.itop.held.change("Organization::1", name="renamed")
    itop.itop.held.change("Server::6", name="renamed too")

    assert before == {"name": "srv-00006", "organization_name": "Ville de Nîmes"}
    assert itop.fields("Server", 6, fields) == {
        "name": "renamed too",
        "organization_name": "renamed",
    }

    itop.itop.held = Objects()
    assert itop.get("Server", 6, fields)["objects"] is None


# -- the impact graph


def test_the_graph_is_walked_to_its_depth(any_itop: Client) -> None:
    held = any_itop.itop.held = Objects()
    held.add("Server", 1, name="srv")
    held.add("Hypervisor", 2, name="hyp", server_id=1)
    held.add("VirtualMachine", 3, name="vm", virtualhost_id=2)
    held.add("ApplicationSolution", 4, name="app")
    held.add(LINK, applicationsolution_id=4, functionalci_id=3)

    def keys(depth: int, **more: Any) -> list[str]:
        asked = {"class": "FunctionalCI", "relation": "impacts", "depth": depth, **more}
        return list(any_itop.call("core/get_related", asked).json()["objects"])

    chain = ["Server::1", "Hypervisor::2", "VirtualMachine::3", "ApplicationSolution::4"]
    assert [keys(depth, key=1) for depth in range(4)] == [chain[: n + 1] for n in range(4)]
    assert keys(9, key=4, direction="up") == chain[::-1]


def test_a_ring_of_impacts_is_walked_once(any_itop: Client) -> None:
    held = any_itop.itop.held = Objects()
    for first, second in ((1, 2), (2, 1)):
        held.add("ApplicationSolution", first, name=f"app-{first}")
        held.add(LINK, functionalci_id=first, applicationsolution_id=second)
    asked = {"class": "ApplicationSolution", "key": 1, "relation": "impacts"}

    answer = any_itop.call("core/get_related", asked).json()

    one, other = "ApplicationSolution::1", "ApplicationSolution::2"
    assert list(answer["objects"]) == [one, other]
    assert answer["relations"] == {one: [{"key": other}], other: [{"key": one}]}


def test_the_graph_ends_at_other_organizations(any_itop: Client) -> None:
    held = any_itop.itop.held = Objects()
    orgs = [held.add("Organization", name=name) for name in ("ours", "theirs")]
    for number, org in enumerate(orgs, 1):
        held.add("ApplicationSolution", number, name=f"app-{number}", org_id=org)
    held.add(LINK, functionalci_id=1, applicationsolution_id=2)
    asked = {"class": "ApplicationSolution", "key": 1, "relation": "impacts"}
    user = {"login": "etl", "password": "etl-password"}

    whole = any_itop.call("core/get_related", asked).json()
    any_itop.turn(users=[{**user, "organizations": [1]}])
    ours = any_itop.call("core/get_related", asked).json()

    assert list(whole["objects"]) == ["ApplicationSolution::1", "ApplicationSolution::2"]
    assert (list(ours["objects"]), ours["relations"]) == (["ApplicationSolution::1"], [])


def test_a_class_of_the_graph_that_is_not_for_export_refuses_all_of_it(itop: Client) -> None:
    user = {"login": "etl", "password": "etl-password", "unexportable": ["ApplicationSolution"]}
    itop.turn(users=[user])
    asked = {"class": "Server", "key": "SELECT Server", "relation": "impacts"}

    assert itop.call("core/get_related", asked).json() == {
        "code": 1,
        "message": "The current user does not have enough permissions for exporting data of"
        " class(es): ApplicationSolution",
    }


# -- control routes, and the rest of the house


def test_data_and_knobs_are_changed_over_http(itop: Client) -> None:
    url = f"{itop.url}/sandbox"

    added = requests.post(f"{url}/objects/Server", json=[{"name": "a"}, {"name": "b"}], timeout=10)
    first, second = added.json()["ids"]
    requests.patch(f"{url}/objects/Server/{first}", json={"name": "c"}, timeout=10)
    requests.delete(f"{url}/objects/Server/{second}", timeout=10)
    knobs = requests.put(f"{url}/knobs", json={"release": "2.4.3"}, timeout=10).json()

    assert itop.fields("Server", first, "name") == {"name": "c"}
    assert itop.get("Server", second)["objects"] is None
    assert knobs["release"] == itop.itop.knobs.release == "2.4.3"
    assert requests.get(f"{url}/knobs", timeout=10).json() == knobs


def test_what_cannot_be_changed_is_said(itop: Client) -> None:
    url = f"{itop.url}/sandbox"

    refused = requests.put(f"{url}/knobs", json={"relaese": "3.2"}, timeout=10)
    unknown = requests.post(f"{url}/objects/Servr", json=[{}], timeout=10)
    nobody = requests.delete(f"{url}/objects/Server/99999", timeout=10)

    assert (refused.status_code, unknown.status_code, nobody.status_code) == (400, 404, 404)
    assert "relaese" in refused.text


def test_traffic_is_told_and_a_reset_brings_all_back(itop: Client) -> None:
    itop.ids("SELECT Server WHERE id < 3")
    itop.itop.held.remove("Server::1")
    itop.turn(release="2.3.4")

    traffic = requests.get(f"{itop.url}/sandbox/traffic", timeout=10).json()
    requests.post(f"{itop.url}/sandbox/reset", timeout=10)

    assert traffic["requests"] == 1
    assert traffic["paths"][PATH]["requests"] == 1
    assert "SELECT" in traffic["calls"][0]["body"]
    assert itop.itop.knobs.release == "3.2"
    assert itop.ids("SELECT Server WHERE id < 3") == [1, 2]


def test_calls_that_share_a_session_queue_up_on_2x() -> None:
    with serve(create_app(objects(1), ItopKnobs(release="2.4.3", latency=0.05))) as url:
        headers = {"Cookie": "itop-360f1ddbbc26cab8c927e48098167e42=shared"}
        calls = [
            threading.Thread(
                target=requests.get,
                args=(f"{url}{PATH}",),
                kwargs={"headers": headers, "timeout": 10},
            )
            for _ in range(6)
        ]
        begun = time.monotonic()
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        took = time.monotonic() - begun

    assert took >= 6 * 0.05


def test_without_objects_of_its_own_it_serves_the_invented_ones() -> None:
    with serve(create_app()) as url:
        form = {
            "auth_user": "etl",
            "auth_pwd": "etl-password",
            "json_data": '{"operation":"core/get","class":"Server","key":1,"output_fields":"name"}',
        }
        answer = requests.post(f"{url}{PATH}?version=1.3", data=form, timeout=10).json()

    assert answer["objects"]["Server::1"]["fields"] == {"name": "srv-00001"}
