"""What the cases of dialect D1 are written with: items, links, and a Canopsis of any version."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.canopsis_cases import Caller, Item, Json, infos

__all__ = ["A", "Linked", "R", "Start", "ci", "link", "linked_of"]

Start = Callable[[str], "Linked"]


class Linked(Caller):
    """A Canopsis that is sent items and links."""

    def __init__(self, url: str, version: str) -> None:
        base = f"{url}/backend" if version.startswith("4.3") else url
        super().__init__(base, status_path="contextgraph/import/status")
        self.control_url, self.version = url, version

    def control(self, path: str, **params: Any) -> Any:
        response = self._session.post(f"{self.control_url}/sandbox/{path}", params=params)
        response.raise_for_status()
        return response

    def send(self, body: Json, *, partial: bool = False) -> str:
        """Send a body as it is and give the id of its job, which has not run yet."""
        path = "contextgraph/import-partial" if partial else "contextgraph/import"
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        response = self.call("PUT", path, params={"source": "s1"}, **sent)
        assert response.status_code == 200, response.text
        return str(response.json()["_id"])

    def run(
        self, *cis: Item, links: tuple[Item, ...] = (), partial: bool = False
    ) -> tuple[str, str]:
        """(status, info) of an import, once it has ended and its events have."""
        return self.ran({"json": {"cis": cis, "links": links}}, partial=partial)

    def ran(self, body: Json, *, partial: bool = False) -> tuple[str, str]:
        job = self.send(body, partial=partial)
        self.settle()
        report = {key.lower(): value for key, value in self.status(job).items()}
        return report["status"], report["info"]


@pytest.fixture
def linked_of(url_of_version: Callable[[str], str]) -> Iterator[Start]:
    """A Canopsis of that version, as new."""
    with contextlib.ExitStack() as stack:

        def start(version: str) -> Linked:
            canopsis = stack.enter_context(
                contextlib.closing(Linked(url_of_version(version), version))
            )
            canopsis.control("reset")
            return canopsis

        yield start


def ci(entity: str, kind: str, action: str = "create", **fields: Any) -> Item:
    return {"_id": entity, "type": kind, "action": action, "enabled": True, **fields}


def link(to: str, *sources: str, action: str = "create") -> Item:
    return {"from": list(sources), "to": to, "action": action}


A = ci("A", "component", name="A", infos=infos(k="v"))
R = ci("R/A", "resource", name="R")
