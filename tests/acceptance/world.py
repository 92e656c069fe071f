"""The two systems around a client's installation, as the acceptance tests look at them."""

from dataclasses import dataclass
from typing import Any

import requests

from sandbox.canopsis_platform import Canopsis
from sandbox.jsonapi_state import Api

KEY = "sandbox-key"


@dataclass(frozen=True)
class World:
    """A Canopsis and the API of a CMDB, both over real HTTP, both empty when a test begins."""

    canopsis_url: str
    api_url: str
    canopsis: Canopsis
    api: Api

    def read(self, path: str, **params: str | int) -> Any:
        """One read of Canopsis' own API, as a pilot's screen would do it."""
        answer = requests.get(
            f"{self.canopsis_url}/api/v4/{path}",
            params=params,
            headers={"x-canopsis-authkey": KEY},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()

    def entities(self) -> dict[str, dict[str, Any]]:
        """What Canopsis holds, by id."""
        listed = self.read("entities", limit=10_000, no_events="true")
        return {entity["_id"]: entity for entity in listed["data"]}

    def state(self) -> bytes:
        """Everything that Canopsis stores but moments and random ids, in one order."""
        url = f"{self.canopsis_url}/sandbox/state"
        answer = requests.get(url, params={"stable": "true"}, timeout=30)
        answer.raise_for_status()
        return answer.content

    def traffic(self) -> dict[str, Any]:
        """What Canopsis received: `requests` and `bytes` by `METHOD /route`, `imports`."""
        answer = requests.get(f"{self.canopsis_url}/sandbox/traffic", timeout=10)
        answer.raise_for_status()
        traffic: dict[str, Any] = answer.json()
        return traffic

    def writes(self) -> dict[str, int]:
        """The bytes of the calls that change something, by `METHOD /route`."""
        return {
            route: count
            for route, count in self.traffic()["bytes"].items()
            if not route.startswith("GET ")
        }

    def forget_traffic(self) -> None:
        """Count afresh."""
        requests.delete(f"{self.canopsis_url}/sandbox/traffic", timeout=10).raise_for_status()
