"""Accounts, tokens and sessions: cases 57 to 64 and 68 of the spec."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.servicenow_client import CLIENT, Client

PATH = "/api/now/table/cmdb_rel_type"
ONE = {"sysparm_limit": "1"}
OF_ETL = {"username": "etl", "password": "secret"}


def test_case_57_without_good_credentials_it_is_401(now: Client) -> None:
    wrong = now.get(PATH, user="", auth=("etl", "guess"))
    answers = [now.get(PATH, user=""), wrong, now.get(PATH, user="locked")]

    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'BASIC realm="Service-now"'
        assert answer.json() == {
            "error": {
                "message": "User Not Authenticated",
                "detail": "Required to provide Auth information",
            },
            "status": "failure",
        }
    assert now.traffic()["wrong_passwords"] == 1


def test_case_57_five_wrong_passwords_lock_the_account(now: Client) -> None:
    for _ in range(4):
        now.get(PATH, user="", auth=("etl", "guess"))
    assert now.get(PATH, ONE).status_code == 200  # and counts anew
    for _ in range(5):
        now.get(PATH, user="", auth=("etl", "guess"))

    assert now.get(PATH, ONE).status_code == 401
    assert now.token("password", **OF_ETL).status_code == 401
    assert now.get(PATH, ONE, user="etl_acl").status_code == 200


@pytest.mark.parametrize("where", ["body", "header"])
def test_case_58_a_password_is_granted_the_same_token_while_it_is_good(
    now: Client, where: str
) -> None:
    form = {"grant_type": "password", **OF_ETL}

    def ask() -> requests.Response:
        url = f"{now.url}/oauth_token.do"
        if where == "body":
            return now.session.post(url, data={**form, **CLIENT}, timeout=10)
        client = (CLIENT["client_id"], CLIENT["client_secret"])
        return now.session.post(url, data=form, auth=client, timeout=10)

    first, second = ask().json(), ask().json()

    assert set(first) == {
        "access_token",
        "refresh_token",
        "scope",
        "token_type",
        "expires_in",
    }
    assert (first["scope"], first["token_type"]) == ("useraccount", "Bearer")
    assert isinstance(first["expires_in"], int)
    assert second["access_token"] == first["access_token"]
    assert second["refresh_token"] == first["refresh_token"]
    assert second["expires_in"] <= first["expires_in"]
    assert now.traffic()["tokens"] == 1
    assert now.with_token(first["access_token"]).status_code == 200


def test_the_place_of_the_clients_credentials_may_be_one_alone(now: Client) -> None:
    now.turn(client_auth="basic")
    refused = now.token("password", **OF_ETL)
    now.turn(client_auth="body")
    granted = now.token("password", **OF_ETL)

    assert (refused.status_code, granted.status_code) == (401, 200)


def test_case_59_a_refresh_gives_a_new_token_and_keeps_its_own(now: Client) -> None:
    granted = now.token("password", **OF_ETL).json()

    refreshed = now.token("refresh_token", refresh_token=granted["refresh_token"]).json()

    assert refreshed["refresh_token"] == granted["refresh_token"]
    assert refreshed["access_token"] != granted["access_token"]
    assert now.with_token(granted["access_token"]).status_code == 401
    assert now.with_token(refreshed["access_token"]).status_code == 200


def test_case_60_client_credentials_have_no_refresh_token_and_madrid_has_none_of_it(
    now: Client,
) -> None:
    granted = now.token("client_credentials")
    now.turn(release="madrid")
    old = now.token("client_credentials")

    assert "refresh_token" not in granted.json()
    assert now.with_token(granted.json()["access_token"]).status_code == 200
    assert old.status_code == 401
    assert old.json()["error"] == "unsupported_grant_type"


def test_case_61_a_bad_client_or_user_is_denied(now: Client) -> None:
    denied = {"error": "server_error", "error_description": "access_denied"}

    for answer in (
        now.token("password", **OF_ETL, client_secret="guess"),
        now.token("password", username="etl", password="guess"),
        now.token("refresh_token", refresh_token="made up"),
    ):
        assert (answer.status_code, answer.json()) == (401, denied)


def test_case_62_a_token_is_not_asked_for_in_json(now: Client) -> None:
    sent = {"grant_type": "password", **CLIENT, **OF_ETL}

    answer = now.session.post(f"{now.url}/oauth_token.do", json=sent, timeout=10)

    assert answer.status_code == 400
    assert "access_token" not in answer.json()


def test_case_63_an_expired_token_is_401_until_it_is_refreshed(now: Client) -> None:
    granted = now.token("password", **OF_ETL).json()
    now.turn(token_lifetime=0)
    now.revoke()
    expired = now.token("refresh_token", refresh_token=granted["refresh_token"]).json()

    assert expired["expires_in"] == 0
    assert now.with_token(expired["access_token"]).status_code == 401

    now.turn(token_lifetime=1799)
    fresh = now.token("refresh_token", refresh_token=granted["refresh_token"]).json()
    assert now.with_token(fresh["access_token"]).status_code == 200


def test_case_63_the_refreshes_of_eight_workers_are_counted(now: Client) -> None:
    refresh = now.token("password", **OF_ETL).json()["refresh_token"]

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: now.token("refresh_token", refresh_token=refresh), range(8))
        tokens = {answer.json()["access_token"] for answer in answers}

    assert len(tokens) == 8
    assert now.traffic()["paths"]["/oauth_token.do"]["requests"] == 9


def test_case_64_a_token_is_revoked_before_its_time(now: Client) -> None:
    now.turn(token_uses=2)
    granted = now.token("password", **OF_ETL).json()

    statuses = [now.with_token(granted["access_token"]).status_code for _ in range(3)]
    now.revoke(refresh="true")
    gone = now.token("refresh_token", refresh_token=granted["refresh_token"])

    assert statuses == [200, 200, 401]
    assert gone.status_code == 401


def test_the_token_endpoint_fails_when_it_is_named(now: Client) -> None:
    now.fault("status", on="token", status=503)

    statuses = [now.token("client_credentials").status_code for _ in range(2)]

    assert statuses == [503, 200]


def test_basic_may_be_closed_to_all_but_web_service_accounts(now: Client) -> None:
    now.turn(basic_auth=False, users={"etl": {}, "machine": {"web_service_only": True}})

    assert now.get(PATH, ONE).status_code == 401
    assert now.get(PATH, ONE, user="machine").status_code == 200


def test_an_api_key_is_an_account_but_not_on_madrid(now: Client) -> None:
    now.turn(api_keys={"k-1": "etl"})
    headers = {"x-sn-apikey": "k-1"}

    today = now.get(PATH, ONE, user="", headers=headers)
    now.turn(release="madrid")
    madrid = now.get(PATH, ONE, user="", headers=headers)

    assert (today.status_code, madrid.status_code) == (200, 401)


def test_a_session_is_opened_with_each_call_that_brings_none(now: Client) -> None:
    for _ in range(3):
        answer = now.get(PATH, ONE)
        assert "JSESSIONID=" in answer.headers["Set-Cookie"]
        assert "BIGipServerpool_" in answer.headers["Set-Cookie"]

    assert now.traffic()["sessions"] == 3


def test_a_cookie_is_a_login(now: Client) -> None:
    with requests.Session() as browser:
        first = browser.get(f"{now.url}{PATH}", params=ONE, auth=("etl", "secret"), timeout=10)
        second = browser.get(f"{now.url}{PATH}", params=ONE, timeout=10)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Set-Cookie" not in second.headers
    assert now.traffic()["sessions"] == 1


@pytest.mark.parametrize("together", [True, False])
def test_case_68_calls_that_share_a_session_are_dropped_with_202(
    now: Client, *, together: bool
) -> None:
    # The queue of a session is empty at once: the second call under way is dropped.
    now.turn(session_queue=0, latency=0.3)
    session = _session_id(now)
    barrier = threading.Barrier(4)

    def ask(_: int) -> requests.Response:
        headers = {"Cookie": f"JSESSIONID={session}"} if together else {}
        barrier.wait(timeout=10)
        return requests.get(
            f"{now.url}{PATH}", params=ONE, auth=("etl", "secret"), headers=headers, timeout=10
        )

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))

    dropped = [answer for answer in answers if answer.status_code == 202]
    assert {answer.content for answer in dropped} <= {b""}
    assert bool(dropped) == together
    assert now.traffic()["dropped"] == len(dropped)


def _session_id(now: Client) -> str:
    told = now.get(PATH, ONE).headers["Set-Cookie"]
    return told.partition("JSESSIONID=")[2].partition(";")[0]
