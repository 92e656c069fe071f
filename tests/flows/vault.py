"""Every kind of connection with every kind of credential that it may hold, over real simulators."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import canopsis, easyvista, itop, jsonapi, servicenow
from sandbox.canopsis_knobs import Knobs
from sandbox.serve import serve
from tests.flows.front import Front
from tests.flows.hunt import planted

ODD = '"&/é+ %<'  # what JSON, HTML, addresses and forms each write in their own way
ASCII = '"&/+%<'  # the same, for keys and tokens that travel in a header
QUICK = {"attempts": 2, "initial": 0.001, "max_delay": 0.002, "jitter": 0}
HASTE = {"attempts": 2, "first": 0.001, "longest": 0.002}

DATASETS: dict[str, tuple[dict[str, Any], str]] = {
    "api": (
        {
            "path": "/api/servers",
            "data_selector": "data",
            "primary_key": "id",
            "error_path": "error",
            "paginator": {
                "type": "page_number",
                "base_page": 1,
                "page_size": 5,
                "page_size_param": "limit",
            },
        },
        "name",
    ),
    "itop": ({"class": "Server"}, "name"),
    "servicenow": ({"table": "cmdb_ci_server"}, "name"),
    "easyvista": ({"resource": "assets"}, "ASSET_TAG"),
    "csv": ({"path": "servers.csv", "delimiter": ";"}, "name"),
}


@dataclass(frozen=True)
class Case:
    """A connection with its secrets, `{name of the environment variable: value}`.

    *knobs* are those with which the simulator lets these credentials in.
    """

    name: str
    kind: str
    words: dict[str, Any]
    secrets: dict[str, str]
    knobs: dict[str, Any] = field(default_factory=dict)


def _basic(name: str, kind: str, user: str, odd: str, **words: Any) -> Case:
    secret = planted(name, odd)
    auth = {"type": "basic", "username": user, "password": "${SECRET}"}
    return Case(name, kind, {"auth": auth, **words}, {"SECRET": secret})


def cases() -> list[Case]:
    """All of them; what is not HTTP has tests of its own."""
    return [*_of_api(), *_of_vendors(), *_of_canopsis()]


def _of_api() -> Iterator[Case]:
    made = _basic("api basic", "api", "api", ODD)
    yield Case(
        made.name, "api", made.words, made.secrets, _let("basic", password=made.secrets["SECRET"])
    )
    token = planted("api bearer", ASCII)
    auth = {"type": "bearer", "token": "${SECRET}"}
    yield Case("api bearer", "api", {"auth": auth}, {"SECRET": token}, _let("bearer", token=token))
    for place in ("header", "query"):
        key = planted(f"api {place}", ASCII if place == "header" else ODD)
        auth = {"type": "api_key", "name": "X-Sesame", "key": "${SECRET}", "location": place}
        knobs = _let("api_key", api_key=key, api_key_name="X-Sesame", api_key_in=place)
        yield Case(f"api key in {place}", "api", {"auth": auth}, {"SECRET": key}, knobs)
    for way in ("header", "body"):
        secret = planted(f"api oauth {way}", ASCII)
        auth = {
            "type": "oauth2_client_credentials",
            "token_url": "{url}/token",
            "client_id": "api-client",
            "client_secret": "${SECRET}",
            "client_in": way,
        }
        knobs = _let("oauth2", client_secret=secret)
        yield Case(f"api oauth2 in {way}", "api", {"auth": auth}, {"SECRET": secret}, knobs)
    header = planted("api headers", ASCII)
    yield Case("api headers", "api", {"headers": {"X-Api-Token": "${SECRET}"}}, {"SECRET": header})
    proxy = planted("api proxy")
    words = {"proxy": "http://me:${SECRET}@{host}"}
    yield Case("api proxy", "api", words, {"SECRET": proxy})


def _let(auth: str, **knobs: Any) -> dict[str, Any]:
    return {"auth": auth, **knobs}


def _of_vendors() -> Iterator[Case]:
    for way in ("form", "basic"):
        made = _basic(f"itop {way}", "itop", "etl", ODD)
        words = {"auth": made.words["auth"] | {"type": way}}
        users = [{"login": "etl", "password": made.secrets["SECRET"]}]
        yield Case(made.name, "itop", words, made.secrets, {"users": users})
    token = planted("itop token", ASCII)
    auth = {"type": "api_key", "name": "Auth-Token", "key": "${SECRET}"}
    knobs = {"release": "3.2", "login_types": ["token"], "token": token}
    yield Case("itop token", "itop", {"auth": auth}, {"SECRET": token}, knobs)
    made = _basic("servicenow basic", "servicenow", "etl", ODD)
    users = {"etl": {"password": made.secrets["SECRET"]}}
    yield Case(made.name, "servicenow", made.words, made.secrets, {"users": users})
    password, client = planted("servicenow password", ODD), planted("servicenow client", ASCII)
    auth = {
        "type": "oauth2_password",
        "token_url": "{url}/oauth_token.do",
        "client_id": "etl-client",
        "client_secret": "${CLIENT}",
        "username": "etl",
        "password": "${SECRET}",
        "client_in": "body",
    }
    knobs = {
        "users": {"etl": {"password": password}},
        "clients": {"etl-client": {"secret": client}},
    }
    secrets = {"SECRET": password, "CLIENT": client}
    yield Case("servicenow oauth2", "servicenow", {"auth": auth}, secrets, knobs)
    made = _basic("easyvista basic", "easyvista", "api", ODD, account="50004")
    users = {"api": {"password": made.secrets["SECRET"]}}
    yield Case(made.name, "easyvista", made.words, made.secrets, {"users": users})
    token = planted("easyvista bearer", ASCII)
    words = {"account": "50004", "auth": {"type": "bearer", "token": "${SECRET}"}}
    yield Case("easyvista bearer", "easyvista", words, {"SECRET": token}, {"tokens": {token: {}}})


def _of_canopsis() -> Iterator[Case]:
    key = planted("canopsis key", ASCII)
    auth: dict[str, Any] = {"type": "api_key", "key": "${SECRET}"}
    user = {"name": "root", "authkey": key}
    yield Case("canopsis key", "canopsis", {"auth": auth}, {"SECRET": key}, {"users": [user]})
    knobs = {"users": [user], "version": "3.48.0"}
    yield Case("canopsis 3.48", "canopsis", {"auth": auth}, {"SECRET": key}, knobs)
    for way in ("basic", "login"):
        secret = planted(f"canopsis {way}", ODD)
        auth = {"type": way, "username": "root", "password": "${SECRET}"}
        knobs = {"users": [{"name": "root", "password": secret}]}
        yield Case(f"canopsis {way}", "canopsis", {"auth": auth}, {"SECRET": secret}, knobs)
    proxy = planted("canopsis proxy")
    words = {
        "auth": {"type": "api_key", "key": "sandbox-key"},
        "proxy": "http://me:${SECRET}@{host}",
    }
    yield Case("canopsis proxy", "canopsis", words, {"SECRET": proxy})


@dataclass
class Vault:
    """The simulators, each behind a front; `fronts` and `urls` by kind."""

    fronts: dict[str, Front]
    urls: dict[str, str]
    turn: dict[str, Callable[[dict[str, Any]], None]]

    def settle(
        self, case: Case, folder: Path, dataset: tuple[dict[str, Any], str] | None = None
    ) -> None:
        """A refsync.yaml and the job `acme/servers` in *folder*, for one connection to be tried.

        *dataset* is what it reads where that is not the usual one, and the path of the name.
        """
        for front in self.fronts.values():
            front.turn(None)
        for kind, turn in self.turn.items():
            turn(case.knobs if kind == case.kind else {})
        source = case.kind if case.kind != "canopsis" else "csv"
        words = {"source": {"type": source, **self._connection(source, case)}}
        words["target"] = {"type": "canopsis", **self._connection("canopsis", case)}
        lines = [f"  {name}: {_flow(each)}\n" for name, each in words.items()]
        head = "ledger: sqlite:///state/ledger.db\nspool: state/spool\nstate: state\njobs: jobs\n"
        if case.kind != "canopsis" and case.name != "api basic":
            head += "events: false\n"  # they cost six calls
        (folder / "refsync.yaml").write_text(f"{head}connections:\n{''.join(lines)}", "utf-8")
        read, name = dataset or DATASETS[source]
        job = {
            "source": {"type": source, "connection": "source", "datasets": {"servers": read}},
            "mapping": {
                "entities": [
                    {
                        "dataset": "servers",
                        "component": {"name": name, "category": {"set": "Server"}},
                    }
                ]
            },
            "sync": {"connection": "target", "import_source": "acme", "retries": 0},
        }
        path = folder / "jobs" / "acme" / "servers.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_flow(job), "utf-8")
        (folder / "servers.csv").write_text("name\nsrv-001\nsrv-002\n", "utf-8")

    def _connection(self, kind: str, case: Case) -> dict[str, Any]:
        mine = kind == case.kind
        if kind in ("csv", "sql"):
            return case.words if mine else {"root": "."}
        url = self.urls[kind]
        usual: dict[str, Any] = {"base_url": url, "retry": QUICK}
        if kind == "canopsis":
            usual = {
                "url": url,
                "auth": {"type": "api_key", "key": "sandbox-key"},
                "retry": HASTE,
                "imports": {"pace": {"first": 0.01, "longest": 0.05}},
            }
        return _filled(usual | (case.words if mine else {}), url)


def _filled(words: Any, url: str) -> Any:
    if isinstance(words, dict):
        return {key: _filled(value, url) for key, value in words.items()}
    if isinstance(words, str):
        return words.replace("{url}", url).replace("{host}", url.removeprefix("http://"))
    return words


def _flow(words: Any) -> str:
    """YAML is a superset of JSON."""
    return json.dumps(words, ensure_ascii=False)


@contextlib.contextmanager
def open_vault() -> Iterator[Vault]:
    servers = [{"id": f"{rank}", "name": f"srv-{rank:03}"} for rank in range(12)]
    apps: dict[str, Any] = {
        "api": jsonapi.create_app({"servers": servers}),
        "itop": itop.create_app(),
        "servicenow": servicenow.create_app(),
        "easyvista": easyvista.create_app(),
        "canopsis": canopsis.create_app(Knobs(tick=0, event_delay=0)),
    }
    states = {
        "api": apps["api"].state.jsonapi,
        "itop": apps["itop"].state.itop,
        "servicenow": apps["servicenow"].state.servicenow,
        "easyvista": apps["easyvista"].state.easyvista,
        "canopsis": apps["canopsis"].state.canopsis,
    }

    def turner(kind: str) -> Callable[[dict[str, Any]], None]:
        def turn(knobs: dict[str, Any]) -> None:
            states[kind].reset()
            (states[kind].knobs if kind == "canopsis" else states[kind]).turn(knobs)

        return turn

    fronts = {kind: Front(app) for kind, app in apps.items()}
    with contextlib.ExitStack() as stack:
        urls = {kind: stack.enter_context(serve(front)) for kind, front in fronts.items()}
        yield Vault(fronts, urls, {kind: turner(kind) for kind in apps})
