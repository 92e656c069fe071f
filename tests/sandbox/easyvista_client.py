"""A thin caller of the simulated EasyVista, and the tenant it is served with."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from sandbox.easyvista import create_app
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.serve import serve

ACCOUNT = "50004"
LOGIN = ("api", "api-password")


class Client:
    """Calls with the password of `api`; `get` takes a path below the account."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.root = f"{url}/api/v1/{ACCOUNT}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = LOGIN

    def get(self, path: str = "assets", **params: Any) -> requests.Response:
        return self.ask(f"{self.root}/{path}", params=params)

    def ask(self, url: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        return self.session.get(url, allow_redirects=False, **options)

    def body(self, path: str = "assets", **params: Any) -> dict[str, Any]:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def records(self, path: str = "assets", **params: Any) -> list[Any]:
        records: list[Any] = self.body(path, **params)["records"]
        return records

    def column(self, name: str, path: str = "assets", **params: Any) -> list[Any]:
        return [record[name] for record in self.records(path, **params)]

    def total(self, path: str = "assets", **params: Any) -> int:
        return int(self.body(path, max_rows=1, **params)["total_record_count"])

    def found(self, search: str, path: str = "assets") -> int:
        """How many rows a search finds."""
        return self.total(path, search=search)

    def turn(self, **knobs: Any) -> None:
        answer = self.session.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=10)
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, **fields: Any) -> None:
        """Set one fault, in place of those there were."""
        self.turn(faults=[{"kind": kind, **fields}])

    def put(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        url = f"{self.url}/sandbox/tables/{table}"
        answer = self.session.put(url, json=list(rows), timeout=10)
        assert answer.status_code == 200, answer.text

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=10)

    def traffic(self) -> dict[str, Any]:
        told: dict[str, Any] = self.control("GET", "traffic").json()
        return told


@contextlib.contextmanager
def served(
    tables: Mapping[str, Sequence[dict[str, Any]]] | None = None,
    knobs: EasyVistaKnobs | None = None,
) -> Iterator[Client]:
    """A simulator of its own; the invented tenant when no table is given."""
    with serve(create_app(tables, knobs)) as url:
        client = Client(url)
        try:
            yield client
        finally:
            client.session.close()
