"""The simulated iTop lets in whom real ones do, and says no in their words (specs/itop.md §2)."""

from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest
import requests

from sandbox.itop_store import Objects
from tests.sandbox.itop_captures import captured
from tests.sandbox.itop_client import PATH, Client, serving

OPERATIONS = "list_operations"
LIST = '{"operation":"list_operations"}'
INVALID = '{"code":1,"message":"Error: Invalid login"}'
OLD = ["2.3.4", "2.4.3"]
ALL = [*OLD, "3.2"]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    held = Objects()
    first = held.add("Organization", name="first")
    below = held.add("Organization", name="below", parent_id=first)
    other = held.add("Organization", name="other")
    for org in (first, below, other):
        held.add("Server", name=f"srv-{org}", org_id=org)
    with serving(held) as client:
        yield client


@pytest.fixture
def itop(client: Client) -> Client:
    client.itop.reset()
    return client


@pytest.fixture(params=ALL)
def any_itop(itop: Client, request: pytest.FixtureRequest) -> Client:
    """The three releases, one after the other."""
    itop.turn(release=request.param)
    return itop


@pytest.fixture(params=OLD)
def old_itop(itop: Client, request: pytest.FixtureRequest) -> Client:
    """The two releases of the client."""
    itop.turn(release=request.param)
    return itop


def form(*credentials: str | None) -> dict[str, str]:
    """A call of list_operations, by `etl` unless said; None is left out."""
    user, password = credentials or ("etl", "etl-password")
    fields = {"auth_user": user, "auth_pwd": password, "json_data": LIST}
    return {name: value for name, value in fields.items() if value is not None}


def test_form_fields_let_in_at_any_root(any_itop: Client) -> None:
    for path in (PATH, f"/itop{PATH}", f"/web/itop{PATH}"):
        assert any_itop.post(form(), path=path).json()["message"] == "Operations: 7"


def test_another_path_is_not_found(itop: Client) -> None:
    assert itop.post(form(), path="/webservices/rest").status_code == 404


@pytest.mark.parametrize("user", ["nobody", "gone"])
def test_unknown_and_disabled_users_are_invalid(any_itop: Client, user: str) -> None:
    assert any_itop.post(form(user, f"{user}-password")).text == INVALID


def test_a_wrong_password_is_invalid(any_itop: Client) -> None:
    release = {"2.3.4": "23", "2.4.3": "24", "3.2": "32"}[any_itop.itop.knobs.release]

    assert any_itop.post(form("etl", "wrong")).text == captured(f"{release}_err_bad_login.json")


@pytest.mark.parametrize(
    ("user", "name"), [(None, "err_no_credentials"), ("etl", "err_no_password")]
)
def test_missing_credentials_are_a_missing_password_on_2x(
    old_itop: Client, user: str | None, name: str
) -> None:
    release = "23" if old_itop.itop.knobs.release == "2.3.4" else "24"

    answer = old_itop.post(form(user, None))

    assert answer.text == captured(f"{release}_{name}.json")


def test_missing_credentials_are_invalid_on_3x(itop: Client) -> None:
    assert itop.post(form(None, None)).text == captured("32_err_no_credentials.txt")
    assert itop.post(form("etl", None)).text == captured("32_err_no_pwd.json")


def test_a_json_body_is_not_read(any_itop: Client) -> None:
    answer = requests.post(f"{any_itop.url}{PATH}?version=1.3", json=form(), timeout=10).json()

    assert answer["code"] in (1, 6)


def test_credentials_in_the_url_need_the_login_type(any_itop: Client) -> None:
    url = f"{any_itop.url}{PATH}"
    query = {**form(), "version": "1.3"}

    assert requests.get(url, params=query, timeout=10).json()["code"] in (1, 6)

    any_itop.turn(login_types=["form", "url"])
    assert requests.get(url, params=query, timeout=10).json()["code"] == 0
    assert any_itop.call(OPERATIONS).json()["code"] == 0


def test_basic_lets_in(any_itop: Client) -> None:
    answer = any_itop.post(form(None, None), auth=("etl", "etl-password"))

    assert answer.json()["code"] == 0


def test_wrong_basic_is_401_without_a_body_on_2x(old_itop: Client) -> None:
    answer = old_itop.post(form(None, None), auth=("etl", "wrong"))

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["Content-Type"].startswith("text/html")
    release = old_itop.itop.knobs.release
    assert answer.headers["WWW-Authenticate"] == f'Basic realm="iTop version {release}'


def test_wrong_basic_is_invalid_on_3x(itop: Client) -> None:
    answer = itop.post(form(None, None), auth=("etl", "wrong"))

    assert captured("32_err_basic_bad.http").endswith(answer.text)
    assert (answer.status_code, answer.text) == (200, INVALID)


def test_basic_cannot_carry_a_password_with_a_colon(itop: Client) -> None:
    assert itop.post(form("colon", "pass:word")).json()["code"] == 0
    assert itop.post(form(None, None), auth=("colon", "pass:word")).text == INVALID


def test_a_token_lets_in_by_header_or_field_where_it_is_allowed(itop: Client) -> None:
    header = {"Auth-Token": "itop-token"}
    asked = form(None, None)

    assert itop.post(asked, headers=header).text == INVALID

    itop.turn(login_types=["form", "token"])
    assert itop.post(asked, headers=header).json()["code"] == 0
    assert itop.post({**asked, "auth_token": "itop-token"}).json()["code"] == 0
    assert itop.post(asked, headers={"Auth-Token": "another"}).text == INVALID


def test_2x_knows_no_tokens(old_itop: Client) -> None:
    old_itop.turn(login_types=["form", "token"])

    answer = old_itop.post(form(None, None), headers={"Auth-Token": "itop-token"})

    assert answer.json()["code"] == 6


def test_the_token_mode_without_a_token_is_a_sentence(itop: Client) -> None:
    answer = itop.post(form(), query={"login_mode": "token"})

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not answer.text.startswith(("{", "<"))


@pytest.mark.parametrize("user", ["etl", "portal"])
def test_the_rest_profile_is_a_rule_of_3x_that_may_be_off(itop: Client, user: str) -> None:
    itop.turn(rest_profile=False)

    code = itop.call(OPERATIONS, user=user).json()["code"]

    assert code == (1 if user == "portal" else 0)
    assert itop.call(OPERATIONS, user="norest").json()["code"] == 0


def test_2x_asks_for_no_rest_profile(old_itop: Client) -> None:
    assert old_itop.ids("SELECT Server", user="norest") == [1, 2, 3]


def test_a_class_may_be_unreadable_or_not_for_export(any_itop: Client) -> None:
    denied = {"login": "etl", "password": "etl-password"}
    any_itop.turn(users=[{**denied, "unreadable": ["FunctionalCI"]}])
    unreadable = any_itop.get("Server", "SELECT Server")
    any_itop.turn(users=[{**denied, "unexportable": ["Server"]}])
    unexportable = any_itop.get("Server", "SELECT Server")

    start = "The current user does not have enough permissions for"
    told = {"code": 1, "message": f"{start} reading data of class Server", "objects": None}
    assert unreadable == told
    assert unexportable == {**told, "message": f"{start} exporting data of class Server"}


@pytest.mark.parametrize(
    "kind", ["CMDBChange", "CMDBChangeOpDelete", "User", "URP_Profiles", "Event", "SynchroReplica"]
)
def test_only_administrators_read_what_is_internal(any_itop: Client, kind: str) -> None:
    assert any_itop.get(kind, f"SELECT {kind}", user="admin")["code"] == 0
    assert any_itop.get(kind, f"SELECT {kind}")["code"] == 1


def test_rows_of_other_organizations_are_absent_without_a_word(any_itop: Client) -> None:
    user = {"login": "etl", "password": "etl-password", "organizations": [1]}
    any_itop.turn(users=[user])

    assert any_itop.get("Server", "SELECT Server")["message"] == "Found: 2"
    assert any_itop.ids("SELECT Server WHERE id IN (2, 3)") == [2]
    assert any_itop.ids("SELECT Organization", "Organization") == [2, 1]


def test_a_cookie_of_a_good_call_hides_a_wrong_password_on_2x(old_itop: Client) -> None:
    cookie = session(old_itop.post(form()))

    assert old_itop.post(form("etl", "wrong"), cookies=cookie).json()["code"] == 0
    assert old_itop.post(form("etl", "wrong")).text == INVALID

    old_itop.turn(trusting_sessions=False)
    assert old_itop.post(form("etl", "wrong"), cookies=cookie).text == INVALID


def test_3x_does_not_trust_cookies(itop: Client) -> None:
    cookie = session(itop.post(form()))

    assert itop.post(form("etl", "wrong"), cookies=cookie).text == INVALID


def test_a_cookie_of_a_bad_call_is_no_login(old_itop: Client) -> None:
    cookie = session(old_itop.post(form("etl", "wrong")))

    assert old_itop.post(form("etl", "wrong"), cookies=cookie).text == INVALID


def session(answer: requests.Response) -> dict[str, str]:
    """The cookie an answer sets, as a caller would send it back."""
    jar = SimpleCookie(answer.headers["Set-Cookie"])
    assert all(name.startswith("itop-") for name in jar)
    return {name: morsel.value for name, morsel in jar.items()}


def test_a_call_of_the_console_without_login_is_401(any_itop: Client) -> None:
    answer = any_itop.post(form("etl", "wrong"), headers={"X-Combodo-Ajax": "true"})

    assert answer.status_code == 401


def test_plain_http_may_be_refused(any_itop: Client) -> None:
    any_itop.turn(secure=True)

    answer = any_itop.call(OPERATIONS).text

    assert answer == '{"code":100,"message":"Error: Secure connection required!"}'


def test_a_body_that_is_too_large_loses_its_credentials(any_itop: Client) -> None:
    any_itop.turn(post_max_bytes=1000)

    answer = any_itop.get("Server", f"SELECT Server WHERE id IN ({','.join(['1'] * 900)})")

    assert answer["code"] in (1, 6)


def test_a_redirected_post_arrives_without_its_fields(any_itop: Client) -> None:
    any_itop.fault("redirect", on="", to=any_itop.url, times=2)
    moved = any_itop.call(OPERATIONS)

    followed = any_itop.call(OPERATIONS, allow_redirects=True)

    assert moved.status_code == 302
    assert moved.headers["Location"] == f"{any_itop.url}{PATH}?version=1.3"
    assert followed.json()["code"] in (1, 6)


@pytest.mark.parametrize(
    ("release", "version", "served"),
    [
        ("2.4.3", "1.0", True),
        ("2.4.3", "1.2", True),
        ("2.4.3", "1.30", True),
        ("2.4.3", "1", True),
        ("2.4.3", "1.4", False),
        ("2.3.4", "1.4", False),
        ("2.3.4", "new", False),
        ("3.2", "1.4", True),
        ("3.2", "1.30", False),
        ("3.2", "1", False),
    ],
)
def test_versions_are_a_gate(itop: Client, release: str, version: str, served: bool) -> None:  # noqa: FBT001 - a column
    itop.turn(release=release)

    answer = itop.call(OPERATIONS, version=version).json()

    assert answer["code"] == (0 if served else 10)


def test_what_a_call_lacks_is_said_in_order(itop: Client) -> None:
    credentials = {"auth_user": "etl", "auth_pwd": "etl-password"}

    assert itop.post(form(), version="").text == captured("32_err_missing_version.txt")
    assert itop.post(credentials).text == captured("32_err_missing_json.txt")
    for text in ("{", "0", "null", "[]"):
        answer = itop.post({**credentials, "json_data": text})
        assert answer.text == captured("32_err_bad_json.json")
    assert itop.post({**credentials, "json_data": "{}"}).json() == {
        "code": 100,
        "message": "Error: Missing parameter 'operation'",
    }


def test_the_version_may_be_in_the_body(any_itop: Client) -> None:
    assert any_itop.post({**form(), "version": "1.3"}, version="").json()["code"] == 0


def test_a_multipart_form_is_read_and_its_file_from_3x_on(any_itop: Client) -> None:
    credentials = {"auth_user": "etl", "auth_pwd": "etl-password"}

    fields = any_itop.post({}, files={name: (None, value) for name, value in form().items()})
    file = any_itop.post(credentials, files={"json_data": ("call.json", LIST)})

    assert fields.json()["code"] == 0
    assert file.json()["code"] == (0 if any_itop.itop.model.modern else 3)


def test_a_callback_wraps_the_answer(any_itop: Client) -> None:
    answer = any_itop.post(form(), query={"callback": "told"})

    assert answer.headers["Content-Type"].startswith("application/javascript")
    assert answer.text.startswith("told({")
    assert answer.text.endswith("})")


def test_nobody_writes(any_itop: Client) -> None:
    asked = {"class": "Server", "key": 1, "fields": {"name": "x"}}

    answer = any_itop.call("core/update", asked).json()

    assert answer["code"] == 1
    assert "for modifying data of class Server" in answer["message"]
    assert any_itop.fields("Server", 1, "name") == {"name": "srv-1"}
