"""A thin caller of the simulated iTop."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from sandbox.itop import create_app
from sandbox.itop_state import Itop
from sandbox.itop_store import Objects
from sandbox.serve import serve

Json = Any
PATH = "/webservices/rest.php"


class Client:
    """Calls as `etl`, without cookies, unless said otherwise; `itop` is the simulator itself."""

    def __init__(self, url: str, itop: Itop) -> None:
        self.url = url
        self.itop = itop
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def call(
        self,
        operation: str | None,
        params: Mapping[str, Any] | None = None,
        *,
        user: str = "etl",
        **options: Any,
    ) -> requests.Response:
        """Call an operation; *options* are those of `post`."""
        asked = {"operation": operation, **(params or {})} if operation else params or {}
        form = {"auth_user": user, "auth_pwd": f"{user}-password", "json_data": json.dumps(asked)}
        return self.post(form, **options)

    def post(
        self, form: Mapping[str, Any], *, version: str = "1.3", path: str = PATH, **options: Any
    ) -> requests.Response:
        query = {"version": version} if version else {}
        timeout = options.pop("timeout", 10)
        options.setdefault("allow_redirects", False)
        return self.session.post(
            f"{self.url}{path}",
            params=query | options.pop("query", {}),
            data=form,
            timeout=timeout,
            **options,
        )

    def get(self, kind: str, key: Any, fields: Any = "id", **options: Any) -> Json:
        """The decoded answer to core/get."""
        more = options.pop("more", {})
        asked = {"class": kind, "key": key, "output_fields": fields, **more}
        return self.call("core/get", asked, **options).json()

    def ids(self, oql: str, kind: str = "Server", **options: Any) -> list[int]:
        """The ids that a query finds, in the order of the answer."""
        answer = self.get(kind, oql, **options)
        assert answer["code"] == 0, answer["message"]
        return [int(each["key"]) for each in (answer["objects"] or {}).values()]

    def fields(self, kind: str, key: Any, fields: str, **options: Any) -> Json:
        """The `fields` of the one object that is found."""
        answer = self.get(kind, key, fields, **options)
        assert answer["message"] == "Found: 1", answer
        return next(iter(answer["objects"].values()))["fields"]

    def turn(self, **knobs: Any) -> None:
        self.itop.turn(knobs)

    def fault(self, kind: str, **fields: Any) -> None:
        """Set one fault, in place of those there were."""
        self.turn(faults=[{"kind": kind, **fields}])


@contextmanager
def serving(held: Objects) -> Iterator[Client]:
    """A caller of a simulated iTop with those objects."""
    app = create_app(held)
    with serve(app) as url:
        client = Client(url, app.state.itop)
        with client.session:
            yield client
