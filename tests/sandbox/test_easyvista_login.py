"""Who may call the simulated EasyVista: cases A of specs/easyvista-cases.md."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.easyvista_client import Client, served

WRONG = {"error": "Invalid Login / Password"}
DENIED = {"error": "Unauthorized Method for your profile"}


@pytest.fixture(scope="module")
def tenant_api() -> Iterator[Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(tenant_api: Client) -> Client:
    tenant_api.control("POST", "reset")
    return tenant_api


def bearer(api: Client, token: str) -> requests.Response:
    return requests.get(
        f"{api.root}/assets",
        headers={"Authorization": f"Bearer {token}"},
        params={"max_rows": "1"},
        timeout=10,
    )


def test_a1_the_license_answers_an_object(api: Client) -> None:
    answer = api.get("license")

    assert answer.status_code == 200
    assert answer.json()["PRODUCT_VERSION"] == "2025.3"


def test_a2_an_access_token_opens_the_lists(api: Client) -> None:
    assert bearer(api, "api-token").json()["record_count"] == "1"
    assert bearer(api, "another").status_code == 401


@pytest.mark.parametrize(
    "auth",
    [("api", "wrong"), ("nobody", "api-password"), ("api", ""), None],
    ids=["a3 password", "a3 login", "empty password", "a5 no authorization"],
)
def test_a3_a5_wrong_credentials_are_a_401(api: Client, auth: Any) -> None:
    answer = requests.get(f"{api.root}/assets", auth=auth, timeout=10)

    assert (answer.status_code, answer.json()) == (401, WRONG)


@pytest.mark.parametrize("header", ["Basic ***", "Basic /w==", "Digest x", "Bearer", "x"])
def test_a5_an_authorization_that_cannot_be_read_is_a_401(api: Client, header: str) -> None:
    answer = requests.get(f"{api.root}/assets", headers={"Authorization": header}, timeout=10)

    assert answer.status_code == 401


def test_a4_another_account_number_is_the_same_401(api: Client) -> None:
    answer = api.ask(f"{api.url}/api/v1/99999/assets")

    assert (answer.status_code, answer.json()) == (401, WRONG)


def test_a6_a_token_ends_after_so_many_calls(api: Client) -> None:
    api.turn(tokens={"short": {"uses": 2}})

    assert [bearer(api, "short").status_code for _ in range(4)] == [200, 200, 401, 401]


@pytest.mark.parametrize(
    ("expires", "status"), [("2026-09-02", 200), ("2026-09-01", 401), ("2026-08-31", 401)]
)
def test_a6_a_token_ends_at_midnight_of_its_date(api: Client, expires: str, status: int) -> None:
    api.turn(tokens={"dated": {"expires": expires}}, now="2026-09-01T08:00:00.000+02:00")

    assert bearer(api, "dated").status_code == status


@pytest.mark.parametrize("build", ["2018", "2021"])
def test_older_builds_know_no_access_token(api: Client, build: str) -> None:
    api.turn(build=build)

    assert bearer(api, "api-token").status_code == 401


def test_a7_a_profile_lacks_a_route(api: Client) -> None:
    api.turn(users={"api": {"denied": ["employees", "assets/{id}/asset-links"]}})

    for path in ("employees", "employees/5", "employees/5/groups", "assets/1001/asset-links"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()) == (403, DENIED)
    assert [api.get(path).status_code for path in ("assets", "assets/1001", "groups")] == [200] * 3


def test_a7_rights_are_per_method_and_per_external_table(api: Client) -> None:
    api.turn(users={"api": {"denied": ["GET E_CONTRACT_TYPE", "POST assets"]}})

    assert api.get("E_CONTRACT_TYPE").status_code == 403
    assert api.get("assets").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(api: Client, method: str) -> None:
    answer = api.session.request(method, f"{api.root}/assets/1001", timeout=10)

    assert (answer.status_code, answer.json()) == (403, DENIED)
    assert api.get("assets/1001").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["nonexistent", "asset", "asset/1001", "configuration_items", "E_ABSENT", "assets/1001/nope"],
)
def test_a8_a_path_that_does_not_exist_is_a_403_too(api: Client, path: str) -> None:
    answer = api.get(path)

    assert (answer.status_code, answer.json()) == (403, DENIED)


def test_a9_the_routes_are_described_with_a_201(api: Client) -> None:
    answer = api.get("swagger")

    assert answer.status_code == 201
    paths = answer.json()["paths"]
    assert {"/assets", "/configuration-items/{id}/item-links", "/E_CONTRACT_TYPE"} <= set(paths)
    assert "/nonexistent" not in paths


def test_a10_the_bare_swagger_of_the_host_is_a_403(api: Client) -> None:
    assert api.ask(f"{api.url}/swagger").status_code == 403
    assert requests.get(f"{api.url}/swagger", timeout=10).status_code == 403


def test_a11_a12_a_redirect_leads_elsewhere(api: Client) -> None:
    api.fault("redirect", to="https://sso.example")

    answer = api.get("assets", max_rows=1)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"https://sso.example/api/v1/{50004}/assets?max_rows=1"


LATE = ["license", "swagger", "groups", "suppliers", "domains"]


@pytest.mark.parametrize(
    ("build", "absent"),
    [("2018", [*LATE, "status", "characteristics"]), ("2021", LATE), ("2025.3", [])],
)
def test_older_builds_lack_routes(api: Client, build: str, absent: list[str]) -> None:
    api.turn(build=build)

    every = [*LATE, "status", "characteristics", "assets"]
    assert [path for path in every if api.get(path).status_code == 403] == absent


def test_b26_a_narrow_account_sees_fewer_rows_in_silence(api: Client) -> None:
    perimeter = {"AM_ASSET": 'STATUS_ID:"1"'}
    api.turn(users={"api": {"perimeter": perimeter}}, dropped=["STATUS_ID"])

    seen = set(api.column("ASSET_ID", max_rows=250))

    assert api.total() == len(seen) == 45
    assert api.get("assets/1001").status_code == 200
    assert api.get("assets/1002").status_code == 404
    assert api.total("employees") == 90


def test_a_password_that_is_not_ascii_is_read_as_utf8(api: Client) -> None:
    api.turn(users={"é": {"password": "pâss:wörd"}})

    login = ("é".encode(), "pâss:wörd".encode())
    assert requests.get(f"{api.root}/assets", auth=login, timeout=10).status_code == 200
