"""Seven rows, served by three, and a thin caller of the simulated JSON API."""

from typing import Any

import requests

Json = Any

ROWS = [{"id": f"{rank:02}", "name": f"sérveur {rank}"} for rank in range(7)]
IDS = [row["id"] for row in ROWS]
PAGES = [IDS[:3], IDS[3:6], IDS[6:]]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


class Client:
    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def close(self) -> None:
        self.session.close()

    def turn(self, **knobs: Any) -> None:
        answer = self.session.put(f"{self.url}/sandbox/knobs", json=knobs, timeout=10)
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, **fields: Any) -> None:
        """Set one fault, in place of those there were."""
        self.turn(faults=[{"kind": kind, **fields}])

    def get(self, path: str = "/api/servers", **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        return self.session.get(f"{self.url}{path}", **options)

    def page(self, **params: Any) -> list[str]:
        """The ids of one page of the plain envelope."""
        return ids(self.get(params=params).json()["data"])

    def traffic(self) -> Json:
        return self.get("/sandbox/traffic").json()
