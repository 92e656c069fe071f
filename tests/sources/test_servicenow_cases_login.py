"""Who asks: cases 57 to 64 of specs/servicenow-cases.md; what pysnow may not do to a session."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sources.base import Scope
from sources.errors import Refused
from sources.servicenow import SOURCE
from sources.servicenow_client import Instance, View
from sources.servicenow_pysnow import pysnow
from sources.servicenow_query import Rows
from sources.session import USER_AGENT
from tests.sources.servicenow_rig import Rig

ROOT = Path(__file__).resolve().parents[2]
CLIENT = {"client_id": "etl-client", "client_secret": "client-secret"}
SECRETS = ("secret", "client-secret", "access-1", "refresh-1")


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Rig:
    served.instance.reset()
    return served


def password(rig: Rig, **more: Any) -> dict[str, Any]:
    kind = {"type": "oauth2_password", "token_url": f"{rig.url}/oauth_token.do"}
    return {"auth": {**kind, **CLIENT, "username": "etl", "password": "secret", **more}}


def client(rig: Rig, **more: Any) -> dict[str, Any]:
    kind = {"type": "oauth2_client_credentials", "token_url": f"{rig.url}/oauth_token.do"}
    return {"auth": {**kind, **CLIENT, **more}}


@pytest.mark.parametrize("user", ["locked", "nobody"])
def test_case_57_wrong_credentials_are_tried_once(rig: Rig, user: str) -> None:
    read = rig.read(user=user)

    assert isinstance(read.error, Refused)
    assert "401 Unauthorized: User Not Authenticated: Required to provide Auth" in read.told
    assert "a user that is locked" in read.told
    assert len(rig.calls()) == 1


@pytest.mark.parametrize("where", ["header", "body"])
def test_case_58_the_password_grant(rig: Rig, where: str) -> None:
    rig.turn(client_auth={"header": "basic", "body": "body"}[where])

    read = rig.read(settings=password(rig, client_in=where))

    assert len(read.records) == 2500
    assert rig.instance.login.issued == 1
    assert {call["headers"]["authorization"] for call in rig.calls()} == {"Bearer access-1"}


def test_case_58_a_token_that_is_about_to_expire_is_not_asked_for_again_and_again(
    rig: Rig,
) -> None:
    rig.turn(token_lifetime=30)

    read = rig.read({"page_size": 250}, settings=password(rig))

    assert len(read.records) == 2500
    assert rig.instance.traffic.requests["/oauth_token.do"] == 1


def test_case_59_and_64_a_revoked_token_is_renewed_by_the_refresh_token(rig: Rig) -> None:
    rig.turn(token_uses=4)

    read = rig.read({"page_size": 250}, settings=password(rig))

    assert len(read.records) == 2500
    assert rig.instance.login.issued == 3
    assert rig.instance.traffic.statuses[401] == 2
    grants = [call["body"] for call in rig.instance.traffic.calls if "oauth" in call["path"]]
    assert ["grant_type=refresh_token" in grant for grant in grants] == [False, True, True]


def test_case_59_a_refresh_token_that_is_good_no_more_gives_way_to_the_password(rig: Rig) -> None:
    connection = rig.connection(**password(rig))

    with Instance(connection) as instance:
        instance.sheet(View("cmdb_ci_server"), Rows(), ("sys_id",), limit=1)
        rig.instance.login.revoke(refresh=True)
        sheet = instance.sheet(View("cmdb_ci_server"), Rows(), ("sys_id",), limit=1)

    assert len(sheet.rows) == 1
    assert rig.instance.login.issued == 2


def test_case_60_client_credentials(rig: Rig) -> None:
    read = rig.read(settings=client(rig))
    probe = rig.probe(**client(rig))

    assert len(read.records) == 2500
    assert probe.identity == "OAuth 2 client etl-client (etl, Europe/Paris)"


def test_case_60_madrid_knows_no_client_credentials(rig: Rig) -> None:
    rig.turn(release="madrid")

    read = rig.read(settings=client(rig))

    assert isinstance(read.error, Refused)
    assert "unsupported_grant_type" in read.told


@pytest.mark.parametrize("wrong", [{"password": "h1dden"}, {"client_secret": "h1dden"}])
def test_case_61_a_refused_grant_is_told_without_its_secrets(
    rig: Rig, wrong: dict[str, str]
) -> None:
    read = rig.read(settings=password(rig, **wrong))

    assert isinstance(read.error, Refused)
    assert "access_denied" in read.told
    assert "h1dden" not in read.told + repr(read.error.__context__)
    assert rig.instance.traffic.requests["/oauth_token.do"] == 1


def test_case_63_slices_share_one_token_and_renew_it_once(rig: Rig) -> None:
    connection = rig.connection(**password(rig))
    config = rig.config({"page_size": 50})
    start = threading.Barrier(8)
    half = threading.Barrier(8, action=rig.instance.login.revoke)

    def read(part: Any) -> int:
        extraction = SOURCE.extract(
            config, "feed", connection, Scope(fields=frozenset({"name"}), slice=part)
        )
        start.wait(30)
        count = len(next(extraction).records)
        half.wait(30)
        return count + sum(len(page.records) for page in extraction)

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(read, rig.slices(8)))

    assert sum(counts) == 2500
    assert rig.instance.login.issued == 2
    assert rig.instance.traffic.requests["/oauth_token.do"] == 2


def test_an_api_key_goes_in_a_header(rig: Rig) -> None:
    rig.turn(api_keys={"k3y": "etl"})
    auth = {"type": "api_key", "name": "x-sn-apikey", "key": "k3y"}

    assert len(rig.read(settings={"auth": auth}).records) == 2500


def test_credentials_in_forms_are_misdeclared(rig: Rig) -> None:
    with pytest.raises(ValidationError, match="no credentials from a form"):
        rig.connection(auth={"type": "form", "username": "etl", "password": "secret"})


def test_nothing_tells_the_secrets(rig: Rig) -> None:
    rig.turn(state="hibernating")
    settings = password(rig)
    read = rig.read(settings=settings)

    assert read.error is not None
    shown = read.told + repr(read.error.__context__) + repr(rig.connection(**settings))
    assert not [secret for secret in SECRETS if f"'{secret}'" in shown or f"={secret}" in shown]


# pysnow


def test_calls_say_who_we_are_and_keep_no_cookie(rig: Rig) -> None:
    rig.read(settings={"headers": {"X-Team": "cmdb"}})

    headers = [call["headers"] for call in rig.calls()]
    assert {each["user-agent"] for each in headers} == {USER_AGENT}
    assert {each["accept"] for each in headers} == {"application/json"}
    assert {each["x-team"] for each in headers} == {"cmdb"}
    assert not [each for each in headers if "cookie" in each]
    assert rig.instance.login.opened == len(rig.instance.traffic.calls)


def test_every_request_is_made_by_pysnow(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    request = pysnow().request.SnowRequest._get_response

    def noting(self: Any, *arguments: Any, **words: Any) -> Any:
        made.append(self._url)
        return request(self, *arguments, **words)

    monkeypatch.setattr(pysnow().request.SnowRequest, "_get_response", noting)
    rig.read({"query": "install_status=1"})
    rig.read({"relations": True}, {"type.name"})
    rig.probe()
    rig.count()

    assert len(made) == len(rig.instance.traffic.calls) > 10


def test_each_thread_has_a_resource_of_its_own(rig: Rig) -> None:
    connection = rig.connection()
    config = rig.config({"page_size": 25})

    def read(part: Any) -> list[str]:
        scope = Scope(fields=frozenset({"name"}), slice=part)
        pages = SOURCE.extract(config, "feed", connection, scope)
        return [record["sys_id"] for page in pages for record in page.records]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, rig.slices(16)))

    assert [key for part in found for key in part] == rig.ids("cmdb_ci_server")


def test_parameters_of_one_call_are_not_those_of_the_next(rig: Rig) -> None:
    with Instance(rig.connection()) as instance:
        view = View("cmdb_ci_server", "all", exclude_reference_link=False)
        both = instance.sheet(view, Rows(), ("location",), limit=1, offset=2, counted=True)
        total = instance.total(view, Rows("install_status=7"))
        raw = instance.sheet(view.raw, Rows(), ("location", "sys_id"), limit=1)
        again = instance.sheet(view, Rows(), ("location",), limit=1, offset=2)

    assert both.total == 2500
    assert total is not None
    assert 0 < total < 2500
    assert isinstance(raw.rows[0]["location"], str)
    assert again.rows == both.rows
    assert again.total is None


def test_an_address_below_a_path_is_kept(rig: Rig) -> None:
    connection = rig.connection(base_url=f"{rig.url}/proxy/")

    with Instance(connection) as instance, pytest.raises(Refused, match="400"):
        instance.sheet(View("cmdb_ci_server"), Rows(), limit=1)

    assert "/proxy/api/now/table/cmdb_ci_server" in rig.paths()


def _fresh(code: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_registry_does_not_load_pysnow() -> None:
    code = "import sys, sources.registry; print('pysnow' in sys.modules or 'ijson' in sys.modules)"

    assert _fresh(code) == "False"


def test_pysnow_loads_where_warnings_are_errors() -> None:
    code = "from sources.servicenow_pysnow import pysnow; print(pysnow().__name__)"

    assert _fresh(code, "-W", "error") == "pysnow"


def test_warnings_of_what_pysnow_needs_are_let_by_and_no_others() -> None:
    code = """
import sys, types, warnings, importlib.abc, importlib.machinery

class Loud(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "pytz" else None
    def exec_module(self, module):
        exec(compile("import warnings; warnings.warn('utcfromtimestamp', DeprecationWarning)",
                     "pytz", "exec"), module.__dict__)

sys.meta_path.insert(0, Loud())
sys.modules["magic"] = None   # as where libmagic is not installed
from sources.servicenow_pysnow import pysnow
print(pysnow().__name__)
try:
    warnings.warn("ours", DeprecationWarning)
except DeprecationWarning:
    print("raised")
"""
    assert _fresh(code, "-W", "error").split() == ["pysnow", "raised"]


def test_without_pysnow_the_source_says_what_to_install() -> None:
    code = """
import sys
sys.modules["pysnow"] = None
from sources.errors import Refused
from sources.servicenow_pysnow import pysnow
try:
    pysnow()
except Refused as refused:
    print(refused, refused.__notes__)
"""
    assert "install refsync with the extra `servicenow`" in _fresh(code)
