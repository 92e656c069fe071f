"""An iTop that gives up, breaks, or will not let us in: what is read, and what is told."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from requests import Request, Session

from sandbox.itop import create_app
from sandbox.itop_objects import objects
from sandbox.itop_store import Objects
from sandbox.serve import serve
from sources.auth import FormAuth, authenticator
from sources.base import Complete, Partial
from sources.errors import Refused, Unreachable, Unreadable
from tests.sources.itop_rig import Rig

RELEASES = ("2.3.4", "2.4.3", "3.2")
ALL = [str(number) for number in range(1, 101)]
FAILS = {"on": "Server", "fields": "name"}  # windows of servers, and no other call


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app(Objects())
    with serve(app) as url:
        yield Rig(url, app)


@pytest.fixture(scope="module")
def cmdb() -> Objects:
    return objects(servers=100)


@pytest.fixture
def rig(served: Rig, cmdb: Objects) -> Rig:
    """The invented CMDB on a 3.2; ids of servers are 1 to 100."""
    served.hold(cmdb.copy())
    return served


def basic(username: str, password: str) -> dict[str, Any]:
    return {"auth": {"type": "basic", "username": username, "password": password}}


def form(username: str, password: str) -> dict[str, Any]:
    return {"auth": {"type": "form", "username": username, "password": password}}


def token(text: str) -> dict[str, Any]:
    return {"auth": {"type": "api_key", "name": "Auth-Token", "key": text}}


def windows(rig: Rig) -> int:
    return sum("name" in asked.get("output_fields", "") for asked in rig.asked())


# More than a server can do


@pytest.mark.parametrize("knobs", [{}, {"display_errors": True}], ids=["500", "200"])
def test_a_window_that_is_too_much_is_asked_for_in_halves_and_later_ones_are_smaller(
    rig: Rig, cmdb: Objects, knobs: dict[str, Any]
) -> None:
    rig.hold(cmdb.copy(), memory_objects=30, **knobs)

    read = rig.read({"page_size": 50})

    assert read.values("id") == ALL
    assert read.rejects == {}
    assert isinstance(read.outcome, Complete)
    # 50 fails, 25 and 25 pass; from then on windows have 25
    assert windows(rig) == 1 + 2 + 2


def test_a_list_of_ids_that_is_too_large_is_asked_for_in_parts(rig: Rig) -> None:
    read = rig.read({"page_size": 5}, settings={"max_body": "4KiB"})

    assert read.values("id") == ALL
    assert isinstance(read.outcome, Complete)


def test_a_window_over_the_cap_is_asked_for_in_halves(rig: Rig) -> None:
    read = rig.read({"page_size": 100}, settings={"max_body": "12KiB"})

    assert read.values("id") == ALL
    assert isinstance(read.outcome, Complete)


def test_an_object_over_the_cap_is_no_reject_but_a_setting_to_mend(rig: Rig) -> None:
    rig.itop.held.change("Server::7", name="x" * 20_000)

    read = rig.read({"page_size": 10}, settings={"max_body": "16KiB"})

    assert isinstance(read.error, Unreadable)
    assert "raise `max_body`" in read.told


@pytest.mark.parametrize("release", RELEASES)
def test_an_object_that_itop_cannot_write_is_a_reject_and_all_others_are_read(
    rig: Rig, cmdb: Objects, release: str
) -> None:
    rig.hold(cmdb.copy(), release=release, invalid_utf8=["Server::42"], invalid_field="name")

    read = rig.read({"page_size": 20})

    assert read.values("id") == [each for each in ALL if each != "42"]
    (reason,) = read.rejects.values()
    assert [*read.rejects] == ["Server::42"]
    assert len(reason) < 300
    assert not [word for word in reason.split() if len(word) > 60]  # no dump
    assert "1 cannot be served by iTop and are rejects" in read.told


def test_ranks_go_on_after_an_object_that_cannot_be_served(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), invalid_utf8=["Server::2"], invalid_field="name")

    read = rig.read({"page_size": 4, "where": "id < 7"})

    ranks = [(page.first, len(page.records), len(page.rejects)) for page in read.pages]
    assert ranks == [(1, 1, 0), (2, 0, 1), (3, 2, 0), (5, 2, 0)]
    assert [each.number for page in read.pages for each in page.rejects] == [2]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "fatal", "cause": "time"},
        {"kind": "status", "status": 504},
        {"kind": "status", "status": 500},
        {"kind": "empty"},
    ],
)
def test_a_window_that_fails_where_halves_pass_costs_no_object(
    rig: Rig, fault: dict[str, Any]
) -> None:
    rig.itop.turn(
        {"faults": [{**FAILS, "at": 2, "times": 1 + (fault["kind"] == "status"), **fault}]}
    )

    read = rig.read({"page_size": 25})

    assert read.values("id") == ALL
    assert read.rejects == {}
    assert isinstance(read.outcome, Complete)


def test_an_answer_that_is_not_there_in_time_is_asked_for_in_halves_and_not_again(
    rig: Rig,
) -> None:
    late = {"kind": "drip", "chunks": 2, "seconds": 1.0, "times": 1}
    rig.itop.turn({"faults": [{**FAILS, **late}]})

    read = rig.read({"page_size": 100}, settings={"timeout": {"read": 0.2}})

    assert read.values("id") == ALL
    assert windows(rig) == 3


def test_a_server_that_serves_no_object_at_all_is_an_error_and_not_a_hundred_rejects(
    rig: Rig,
) -> None:
    rig.itop.turn({"faults": [{**FAILS, "kind": "fatal", "times": 0}]})

    read = rig.read({"page_size": 50})

    assert isinstance(read.error, Unreadable)
    assert "Allowed memory size" in read.told
    assert windows(rig) < 40


# Outages


def test_maintenance_is_an_outage_in_its_own_words(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), maintenance=True)

    read = rig.read()

    assert isinstance(read.error, Unreachable)
    assert "under maintenance" in read.told


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "code", "code": 100, "message": "Error: MySQL server has gone away"},
        {"kind": "code", "code": 1205, "message": "Error: Lock wait timeout exceeded"},
        {"kind": "status", "status": 503},
        {"kind": "reset"},
        {"kind": "cut"},
    ],
)
def test_a_passing_outage_is_waited_for(rig: Rig, fault: dict[str, Any]) -> None:
    rig.itop.turn({"faults": [{**FAILS, **fault, "at": 2, "times": 1}]})

    read = rig.read({"page_size": 25})

    assert read.values("id") == ALL
    assert isinstance(read.outcome, Complete)
    assert windows(rig) == 5


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "code", "code": 1054, "message": "Error: Unknown column"},
        {"kind": "code", "code": 1, "message": "Error: Invalid login"},
        {"kind": "redirect", "to": "https://elsewhere.example"},
        {"kind": "status", "status": 404},
    ],
)
def test_what_waiting_does_not_mend_is_refused_at_once(rig: Rig, fault: dict[str, Any]) -> None:
    rig.itop.turn({"faults": [{**FAILS, **fault, "at": 2, "times": 0}]})

    read = rig.read({"page_size": 25})

    assert isinstance(read.error, Refused)
    assert len(read.records) == 25
    assert windows(rig) == 2


def test_a_refused_redirect_says_where_it_leads(rig: Rig) -> None:
    rig.itop.turn(
        {"faults": [{"kind": "redirect", "to": "https://itop.acme.example", "on": "", "times": 0}]}
    )

    read = rig.read()

    assert "the server redirects (302) to https://itop.acme.example" in read.told
    assert "write the final address in `base_url`" in read.told


def test_a_wrong_number_of_objects_is_partial(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), found_error=3)

    read = rig.read({"page_size": 25})

    assert read.values("id") == ALL
    assert isinstance(read.outcome, Partial)
    assert "the list of ids says Found: 103, 100 objects came" in read.told
    assert "the window 1 to 25 says Found: 28, 25 objects came" in read.told


def test_what_a_window_lacks_is_asked_for_again_by_its_ids(rig: Rig) -> None:
    rig.itop.turn({"faults": [{**FAILS, "kind": "short", "keep": 0.6, "at": 2, "times": 1}]})

    read = rig.read({"page_size": 25})

    assert read.values("id") == ALL
    assert isinstance(read.outcome, Complete)
    assert "10 came only when asked for again" in read.told


# Who asks


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("auth", [form("etl", "etl-password"), basic("etl", "etl-password")])
def test_both_ways_to_say_a_password_work(
    rig: Rig, cmdb: Objects, release: str, auth: dict[str, Any]
) -> None:
    rig.hold(cmdb.copy(), release=release)

    assert rig.read({}, settings=auth).values("id") == ALL


def test_a_password_with_a_colon_works_in_a_form(rig: Rig) -> None:
    assert rig.read({}, settings=form("colon", "pass:word")).values("id") == ALL


def test_a_token_works(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), login_types=["form", "token"])

    assert rig.read({}, settings=token("itop-token")).values("id") == ALL
    assert isinstance(rig.read({}, settings=token("other-token")).error, Refused)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "auth",
    [
        form("etl", "wrong-password"),
        form("nobody", "etl-password"),
        form("gone", "gone-password"),
        basic("etl", "wrong-password"),
        {"auth": {"type": "none"}},
    ],
)
def test_who_is_not_let_in_is_refused_before_anything_is_read(
    rig: Rig, cmdb: Objects, release: str, auth: dict[str, Any]
) -> None:
    rig.hold(cmdb.copy(), release=release)
    assert rig.read().values("id") == ALL  # a good call leaves its cookie, which 2.x would trust

    read = rig.read({}, settings=auth)

    assert isinstance(read.error, Refused)
    assert read.records == []
    assert "password" not in read.told.replace("user, password or token", "")
    assert "mend: " in read.told


def test_a_plain_text_of_a_forced_login_is_unreadable(rig: Rig) -> None:
    page = {"kind": "html", "body": "Missing token", "on": "", "times": 0}
    rig.itop.turn({"faults": [page]})

    read = rig.read()

    assert isinstance(read.error, Unreadable)
    assert "Missing token" in read.told


def test_plain_http_that_itop_refuses_is_told_how_to_mend(rig: Rig, cmdb: Objects) -> None:
    rig.hold(cmdb.copy(), secure=True)

    read = rig.read()

    assert isinstance(read.error, Refused)
    assert "write https:// in `base_url`" in read.told


# The probe


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("2.3.4", "REST API 1.3, iTop 2.2 to 2.3"),
        ("2.4.3", "REST API 1.3, iTop 2.4 to 2.6.0"),
        ("3.2", "REST API 1.4, iTop 3.0 or later"),
    ],
)
def test_the_probe_says_what_is_known_of_the_release(
    rig: Rig, cmdb: Objects, release: str, version: str
) -> None:
    rig.hold(cmdb.copy(), release=release)

    probe = rig.probe({"class": "Server"}, {"class": "ApplicationSolution"})

    assert probe.version == version
    assert probe.identity == "user etl"
    assert probe.rights == ("read Server", "read ApplicationSolution")
    assert probe.lacking == ()


def test_the_probe_moves_no_object(rig: Rig) -> None:
    rig.probe({"class": "Server", "fields": ["name", "cpu"]})

    assert rig.asked() == [
        {"operation": "list_operations"},
        {
            "operation": "core/get",
            "class": "Server",
            "key": "SELECT Server WHERE id = 0",
            "output_fields": "id,cpu,name",
        },
    ]


def test_the_probe_names_every_class_that_is_not_readable(rig: Rig, cmdb: Objects) -> None:
    user = {
        "login": "etl",
        "password": "etl-password",
        "unreadable": ["Person"],
        "unexportable": ["Server"],
    }
    rig.hold(cmdb.copy(), users=[user])

    probe = rig.probe({"class": "Person"}, {"class": "Location"}, {"class": "Server"})

    assert probe.rights == ("read Location",)
    assert probe.lacking == ("reading of class Person", "exporting of class Server")


@pytest.mark.parametrize(
    ("auth", "lacking"),
    [
        (form("norest", "norest-password"), "profile REST Services User"),
        (form("restonly", "restonly-password"), "reading of class Server"),
        (form("portal", "portal-password"), "an account that is not of the portal alone"),
    ],
)
def test_the_probe_names_the_profile_that_lacks(
    rig: Rig, auth: dict[str, Any], lacking: str
) -> None:
    assert rig.probe({"class": "Server"}, **auth).lacking == (lacking,)


def test_an_account_that_may_not_read_organizations_leaves_the_release_open(
    rig: Rig, cmdb: Objects
) -> None:
    user = {"login": "etl", "password": "etl-password", "unreadable": ["Organization"]}
    rig.hold(cmdb.copy(), release="2.4.3", users=[user])

    assert rig.probe({"class": "Server"}).version == "REST API 1.3, iTop 2.2 to 2.6.0"


def test_the_probe_refuses_an_attribute_that_lacks(rig: Rig) -> None:
    with pytest.raises(Refused, match="no attribute 'cppu'"):
        rig.probe({"class": "Server", "fields": ["cppu"]})


def test_the_probe_refuses_a_wrong_password(rig: Rig) -> None:
    with pytest.raises(Refused, match="Invalid login"):
        rig.probe({"class": "Server"}, **form("etl", "wrong"))


# Credentials in a form


def prepared(method: str, **words: Any) -> Any:
    auth = FormAuth(username="zoé", password=SecretStr("p&ss=w rd"))
    session = Session()
    session.auth = authenticator(auth, lambda *_: None)
    return session.auth, session.prepare_request(
        Request(method, "https://itop.example/rest", **words)
    )


def test_credentials_join_the_fields_of_a_form_once() -> None:
    auth, request = prepared("POST", data={"json_data": "{}"})

    auth(request)  # as when a call is sent again

    assert request.body == "json_data=%7B%7D&auth_user=zo%C3%A9&auth_pwd=p%26ss%3Dw+rd"
    assert request.headers["Content-Length"] == str(len(request.body))
    assert auth.identity == "user zoé"
    assert auth.secrets() == ("p&ss=w rd",)


@pytest.mark.parametrize("words", [{"method": "GET"}, {"method": "POST", "json": {}}])
def test_credentials_of_a_form_are_never_left_out_in_silence(words: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="calls that send one"):
        prepared(**words)
