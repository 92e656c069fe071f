"""What the tests of dialect D0 are written with: items, and a Canopsis before 4.3."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import requests

from tests.sandbox.canopsis_cases import Item, Json

__all__ = ["Begin", "Webcore", "webcore_of"]

KEY = {"authkey": "sandbox-key"}
Begin = Callable[..., "Webcore"]


class Webcore:
    """One Canopsis, as the administrator unless a call brings other `params`."""

    def __init__(self, url: str, version: str) -> None:
        self.control_url = url
        self.url = url if version.startswith("3.") else f"{url}/backend"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options["params"] = options.get("params", KEY)
        return requests.request(
            method, self.url + path, timeout=10, allow_redirects=False, **options
        )

    def control(self, path: str, **body: Any) -> Json:
        method = "PUT" if body else "POST"
        options: dict[str, Any] = {"json": body} if body else {}
        response = requests.request(
            method, f"{self.control_url}/sandbox/{path}", timeout=10, **options
        )
        response.raise_for_status()
        return response.json()

    def put(self, body: Any, **options: Any) -> requests.Response:
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.call("PUT", "/api/contextgraph/import", data=sent, **options)

    def send(self, *cis: Item, links: tuple[Item, ...] = ()) -> str:
        """Send an import and give the id of its job, which has not run yet."""
        response = self.put({"json": {"cis": cis, "links": links}})
        assert response.status_code == 200, response.text
        return str(response.json()["data"][0]["import_id"])

    def status(self, job: str) -> Json:
        response = self.call("GET", f"/api/contextgraph/import/status/{job}")
        assert response.status_code == 200, response.text
        return response.json()

    def run(self, *cis: Item, links: tuple[Item, ...] = ()) -> Json:
        """The status of an import that has ended."""
        job = self.send(*cis, links=links)
        self.control("tick")
        return self.status(job)

    def failed(self, *cis: Item, links: tuple[Item, ...] = ()) -> str:
        report = self.run(*cis, links=links)
        assert report["status"] == "failed", report
        return str(report["info"])

    def done(self, *cis: Item, links: tuple[Item, ...] = ()) -> Json:
        report = self.run(*cis, links=links)
        assert report["status"] == "done", report
        return report["stats"]

    def context(self, **asked: Any) -> Json:
        response = self.call("POST", "/context", json=asked)
        assert response.status_code == 200, response.text
        return response.json()

    def entity(self, entity_id: str) -> Json:
        found = self.context(_filter={"_id": entity_id})["data"]
        assert len(found) == 1, found
        return found[0]

    def ids(self) -> list[str]:
        return [each["_id"] for each in self.context(sort=["_id"])["data"]]


@pytest.fixture
def webcore_of(url_of_version: Callable[[str], str]) -> Begin:
    """A Canopsis of that version, as new."""

    def begin(version: str = "3.25.0") -> Webcore:
        canopsis = Webcore(url_of_version(version), version)
        canopsis.control("reset")
        return canopsis

    return begin
