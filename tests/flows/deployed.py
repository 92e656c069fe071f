"""What a Prefect server says of the deployments of one test, and what an operator does to them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

T = TypeVar("T")
WITHIN = 120  # seconds for a run to be started, to work and to be recorded
# what a server on SQLite says while it writes something else; Prefect's own client asks again too
BUSY = Retry(total=20, status_forcelist=[503], allowed_methods=None, backoff_factor=0.05)

_session = requests.Session()
_session.mount("http://", HTTPAdapter(max_retries=BUSY))


@dataclass(frozen=True)
class Deployed:
    """The API of the server at `url`."""

    url: str

    def all(self) -> dict[str, dict[str, Any]]:
        """Every deployment by its full name, `<flow>/<deployment>`."""
        flows = {each["id"]: each["name"] for each in self.ask("flows/filter", {})}
        found = self.ask("deployments/filter", {})
        return {f"{flows[each['flow_id']]}/{each['name']}": each for each in found}

    def one(self, name: str) -> dict[str, Any]:
        return self.all()[name]

    def make(self, name: str, **words: Any) -> str:
        """A deployment that somebody else makes; returns its id."""
        flow, _, deployment = name.partition("/")
        made = self.ask("flows", {"name": flow})
        body = {"flow_id": made["id"], "name": deployment, "entrypoint": "x.py:x"} | words
        return str(self.ask("deployments", body)["id"])

    def pool(self, name: str, kind: str = "process", **words: Any) -> None:
        answer = _session.get(f"{self.url}/api/work_pools/{name}", timeout=30)
        if answer.status_code == 404:
            self.ask("work_pools", {"name": name, "type": kind} | words)

    def run(self, name: str, **parameters: Any) -> str:
        """Ask for a run now; returns its id."""
        answer = self.ask_to_run(name, **parameters)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def ask_to_run(self, name: str, **parameters: Any) -> requests.Response:
        url = f"{self.url}/api/deployments/{self.one(name)['id']}/create_flow_run"
        return _session.post(url, json={"parameters": parameters}, timeout=30)

    def flow_run(self, identity: str) -> dict[str, Any]:
        answer = _session.get(f"{self.url}/api/flow_runs/{identity}", timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, identity: str) -> dict[str, Any]:
        """The flow run once its state is final."""
        final = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        return await_that(lambda: self.flow_run(identity), lambda run: run["state_type"] in final)

    def artifacts(self, identity: str) -> dict[str, dict[str, Any]]:
        only = {"artifacts": {"flow_run_id": {"any_": [identity]}}}
        return {each["key"]: each for each in self.ask("artifacts/filter", only)}

    def log(self, identity: str) -> str:
        only = {"logs": {"flow_run_id": {"any_": [identity]}}}
        return "\n".join(line["message"] for line in self.ask("logs/filter", only))

    def scheduled(self, name: str) -> list[str]:
        """The moments at which the runs to come of a deployment are due, in order."""
        only = {
            "deployments": {"id": {"any_": [self.one(name)["id"]]}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        return sorted(run["expected_start_time"] for run in self.ask("flow_runs/filter", only))

    def pause(self, name: str) -> None:
        self._patch(f"deployments/{self.one(name)['id']}", {"paused": True})

    def pause_schedule(self, name: str) -> None:
        found = self.one(name)
        (schedule,) = found["schedules"]
        self._patch(f"deployments/{found['id']}/schedules/{schedule['id']}", {"active": False})

    def add_schedule(self, name: str, cron: str) -> None:
        body = [{"schedule": {"cron": cron, "timezone": "UTC"}, "active": True}]
        self.ask(f"deployments/{self.one(name)['id']}/schedules", body)

    def clear(self) -> None:
        """Delete every deployment."""
        for each in self.ask("deployments/filter", {}):
            url = f"{self.url}/api/deployments/{each['id']}"
            _session.delete(url, timeout=30).raise_for_status()

    def ask(self, path: str, body: Any) -> Any:
        answer = _session.post(f"{self.url}/api/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def _patch(self, path: str, body: Any) -> None:
        answer = _session.patch(f"{self.url}/api/{path}", json=body, timeout=30)
        assert answer.ok, answer.text


def await_that(look: Callable[[], T], enough: Callable[[T], Any], within: float = WITHIN) -> T:
    """What *look* sees, once it is *enough*."""
    deadline = time.monotonic() + within
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found
