"""A thin caller of the simulated ServiceNow."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from sandbox.servicenow_schema import Record

Json = Any

CLIENT = {"client_id": "etl-client", "client_secret": "client-secret"}
BY_ID = "ORDERBYsys_id"


def ids(rows: list[Record]) -> list[str]:
    return [row["sys_id"] for row in rows]


class Client:
    """Calls without cookies, with the account `etl` unless said."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        self.session.close()

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        user: str = "etl",
        method: str = "GET",
        **options: Any,
    ) -> requests.Response:
        options.setdefault("timeout", 10)
        if user:
            options["auth"] = (user, "secret")
        return self.session.request(
            method, f"{self.url}{path}", params=params, allow_redirects=False, **options
        )

    def page(
        self, table: str, query: str = "", *, user: str = "etl", **params: Any
    ) -> requests.Response:
        """The answer to a list call; *params* without their `sysparm_`."""
        asked = {f"sysparm_{name}": value for name, value in params.items()}
        if query:
            asked["sysparm_query"] = query
        return self.get(f"/api/now/table/{table}", asked, user=user)

    def rows(self, table: str, query: str = "", *, user: str = "etl", **params: Any) -> list[Any]:
        answer = self.page(table, query, user=user, **params)
        assert answer.status_code == 200, answer.text
        rows: list[Any] = answer.json()["result"]
        return rows

    def names(self, table: str, query: str, **params: Any) -> list[str]:
        """The names of the rows a query selects, by sys_id."""
        ordered = f"{query}^{BY_ID}" if query else BY_ID
        return [row["name"] for row in self.rows(table, ordered, fields="name", **params)]

    def count(self, table: str, query: str = "", *, user: str = "etl") -> int:
        answer = self.page(table, query, user=user, limit=1, fields="sys_id")
        return int(answer.headers["X-Total-Count"])

    def turn(self, **knobs: Any) -> None:
        answer = self.session.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=10)
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, **fields: Any) -> None:
        """Set one fault, in place of those there were."""
        self.turn(faults=[{"kind": kind, **fields}])

    def put(self, table: str, rows: list[Record]) -> None:
        self._control("PUT", f"tables/{table}", rows)

    def write(self, table: str, *rows: Record) -> None:
        self._control("POST", f"tables/{table}", list(rows))

    def delete(self, table: str, sys_id: str, **params: str) -> None:
        self._control("DELETE", f"tables/{table}/{sys_id}", params=params)

    def revoke(self, **params: str) -> None:
        self._control("DELETE", "tokens", params=params)

    def reset(self) -> None:
        self._control("POST", "reset")

    def traffic(self) -> Json:
        return self.session.get(f"{self.url}/sandbox/traffic", timeout=10).json()

    def token(self, grant: str, **form: str) -> requests.Response:
        """Ask for a token, the client's credentials in the form."""
        sent = {"grant_type": grant, **CLIENT, **form}
        return self.session.post(f"{self.url}/oauth_token.do", data=sent, timeout=10)

    def with_token(self, token: str) -> requests.Response:
        return self.get(
            "/api/now/table/cmdb_rel_type",
            {"sysparm_limit": 1},
            user="",
            headers={"Authorization": f"Bearer {token}"},
        )

    def _control(self, method: str, path: str, body: Any = None, **options: Any) -> None:
        answer = self.session.request(
            method, f"{self.url}/sandbox/{path}", json=body, timeout=10, **options
        )
        assert answer.ok, answer.text


def numbered(count: int, **values: str) -> list[Record]:
    """Rows `000`, `001`, … by sys_id and by name."""
    return [
        {"sys_id": f"{number:03}", "name": f"row-{number:03}", **values} for number in range(count)
    ]
