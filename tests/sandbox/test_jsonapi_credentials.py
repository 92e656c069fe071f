"""The simulated JSON API lets in those who show the credentials it asks for, and no one else."""

from typing import Any

import pytest

from sandbox.jsonapi_auth import Tokens
from sandbox.jsonapi_knobs import ApiKnobs
from tests.sandbox.jsonapi_client import Client


@pytest.mark.parametrize(
    ("knobs", "options"),
    [
        ({"auth": "basic"}, {"auth": ("api", "api-password")}),
        ({"auth": "basic", "password": "é:€"}, {"auth": ("api", "é:€".encode())}),
        ({"auth": "bearer"}, {"headers": {"Authorization": "Bearer api-token"}}),
        ({"auth": "api_key"}, {"headers": {"x-api-key": "api-key"}}),
        (
            {"auth": "api_key", "api_key_in": "query", "api_key_name": "key"},
            {"params": {"key": "api-key"}},
        ),
    ],
    ids=["basic", "basic in UTF-8", "bearer", "key in header", "key in query"],
)
def test_every_credential(api: Client, knobs: dict[str, Any], options: dict[str, Any]) -> None:
    api.turn(**knobs)

    assert api.get().status_code == 401
    assert "WWW-Authenticate" in api.get().headers
    assert api.get(**options).status_code == 200


def test_a_token_is_good_for_as_many_calls_as_said(api: Client) -> None:
    api.turn(auth="oauth2", token_uses=2)
    form = {"grant_type": "client_credentials"}
    client = ("api-client", "api-secret")
    answer = api.session.post(f"{api.url}/token", data=form, auth=client, timeout=10).json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}

    statuses = [api.get(headers=bearer).status_code for _ in range(3)]

    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert statuses == [200, 200, 401]
    assert api.traffic()["tokens"] == 1


def test_a_token_is_good_until_its_end() -> None:
    tokens = Tokens()
    token = tokens.issue(ApiKnobs(token_lifetime=60), now=100)

    assert [tokens.accept(token, now) for now in (100, 159.9, 160)] == [True, True, False]


def test_a_client_is_refused_with_wrong_credentials_or_in_the_wrong_place(api: Client) -> None:
    api.turn(auth="oauth2", client_auth="body")
    url, form = f"{api.url}/token", {"grant_type": "client_credentials"}
    right = {"client_id": "api-client", "client_secret": "api-secret"}

    header = api.session.post(url, data=form, auth=("api-client", "api-secret"), timeout=10)
    wrong = api.session.post(url, data=form | right | {"client_secret": "x"}, timeout=10)
    other = api.session.post(url, data=right | {"grant_type": "password"}, timeout=10)
    good = api.session.post(url, data=form | right, timeout=10)

    assert [answer.status_code for answer in (header, wrong, other, good)] == [401, 401, 400, 200]
