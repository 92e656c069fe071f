"""What the cases of `specs/canopsis.md` §10 are written with: items, and a caller over real HTTP.

A case is `given` (what the referential holds), `load` (an import, run to its end) and what is then
read back. Nothing here knows how the simulator works: it speaks HTTP, and moves the simulator's
clock and worker by `/sandbox/…`, because the cases must not wait for real seconds.
"""

from typing import Any

import requests

Item = dict[str, Any]
Json = Any

ROOT = {"x-canopsis-authkey": "sandbox-key"}
READER = {"x-canopsis-authkey": "reader-key"}
ENDED = ("done", "failed")


def c(name: str, action: str = "set", **fields: Any) -> Item:
    """A component; a `set` is enabled, as every sender must say."""
    return _item("component", name, action, fields)


def r(name: str, component: str, action: str = "set", **fields: Any) -> Item:
    """A resource of *component*."""
    return _item("resource", name, action, {"component": component, **fields})


def svc(name: str, action: str = "set", **fields: Any) -> Item:
    """A service; `entity_pattern` is given by the case."""
    return _item("service", name, action, fields)


def infos(**values: Any) -> dict[str, Item]:
    """Infos that hold a value and nothing else: `{"k": {"value": v}}`."""
    return {key: {"value": value} for key, value in values.items()}


def without(item: Item, *fields: str) -> Item:
    return {field: value for field, value in item.items() if field not in fields}


def condition(field: str, kind: str, value: Any, field_type: str | None = None) -> Item:
    typed = {"field_type": field_type} if field_type else {}
    return {"field": field, **typed, "cond": {"type": kind, "value": value}}


def names(kind: str, value: Any) -> list[list[Item]]:
    """A pattern of one condition on the name."""
    return [[condition("name", kind, value)]]


def values(entity: Json, field: str = "infos") -> dict[str, Any]:
    """What each info of an entity holds, without name and description."""
    return {key: info["value"] for key, info in (entity.get(field) or {}).items()}


def check_event(component: str, resource: str = "", state: Any = 3) -> Item:
    event = {
        "event_type": "check",
        "connector": "supervision",
        "connector_name": "poller1",
        "source_type": "resource" if resource else "component",
        "component": component,
        "state": state,
        "output": "as the poller said",
    }
    return {**event, "resource": resource} if resource else event


def service_form(name: str, **fields: Any) -> Item:
    """The body of `POST /entityservices`, complete."""
    form = {
        "name": name,
        "enabled": True,
        "output_template": "{{ .All }}",
        "impact_level": 1,
        "sli_avail_state": 0,
        "entity_pattern": names("begin_with", "x"),
    }
    return form | fields


def basics_form(**fields: Any) -> Item:
    """The body of `PUT /entitybasics`, complete."""
    return {"enabled": True, "impact_level": 1, "sli_avail_state": 0, "infos": []} | fields


def _item(kind: str, name: str, action: str, fields: Item) -> Item:
    enabled = {"enabled": True} if action == "set" else {}
    return {"type": kind, "name": name, "action": action, **enabled, **fields}


def answered(response: requests.Response) -> tuple[int, Json]:
    return response.status_code, response.json()


class Caller:
    """One Canopsis, as the administrator unless a call brings other `headers`."""

    def __init__(self, url: str, *, status_path: str = "contextgraph-import-status") -> None:
        self.url = url
        self._status_path = status_path
        self._session = requests.Session()

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call `/api/v4/<path>`; `headers={}` makes the call anonymous."""
        options.setdefault("headers", ROOT)
        return self._session.request(
            method, f"{self.url}/api/v4/{path}", timeout=10, allow_redirects=False, **options
        )

    def control(self, path: str, **params: Any) -> requests.Response:
        """Move the simulator itself: its worker, its clock, its state."""
        response = self._session.post(f"{self.url}/sandbox/{path}", params=params, timeout=10)
        response.raise_for_status()
        return response

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    # -- imports

    def put_import(
        self, items: list[Item] | bytes, *, source: str = "s1", partial: bool = False
    ) -> str:
        """Send an import and give the id of its job, which has not run yet."""
        path = "contextgraph-import-partial" if partial else "contextgraph-import"
        body: dict[str, Any] = {"data": items} if isinstance(items, bytes) else {"json": items}
        response = self.call("PUT", path, params={"source": source}, **body)
        assert response.status_code == 200, response.text
        assert list(response.json()) == ["_id"]
        return str(response.json()["_id"])

    def status(self, job: str) -> Json:
        response = self.get(f"{self._status_path}/{job}")
        assert response.status_code == 200, response.text
        return response.json()

    def load(self, items: list[Item] | bytes, *, source: str = "s1", partial: bool = False) -> Json:
        """Send an import, let the worker run it, and give its final status."""
        job = self.put_import(items, source=source, partial=partial)
        for _ in range(20):
            self.control("tick")
            report = self.status(job)
            if report["status"] in ENDED:
                return report
        raise AssertionError(f"the import never ended: {report}")

    def given(self, *items: Item, source: str = "s1", partial: bool = False) -> None:
        """Load what a case takes for granted, its events included."""
        report = self.load(list(items), source=source, partial=partial)
        assert report["status"] == "done", report
        self.settle()

    def settle(self) -> None:
        """Let what Canopsis does after an import or an event (asynchronously) be done."""
        for _ in range(2):  # the soft-delete worker resolves at one look, removes at the next
            self.control("tick")

    def advance(self, seconds: int) -> None:
        self.control("advance", seconds=seconds)
        self.settle()

    # -- what the referential holds

    def entity(self, entity_id: str) -> Json:
        response = self.get("entitybasics", _id=entity_id)
        assert response.status_code == 200, response.text
        return response.json()

    def service(self, entity_id: str) -> Json:
        response = self.get(f"entityservices/{entity_id}")
        assert response.status_code == 200, response.text
        return response.json()

    def context(self, entity_id: str) -> dict[str, list[str]]:
        """The neighbours of an entity, each list sorted."""
        response = self.get("entities/context-graph", _id=entity_id)
        assert response.status_code == 200, response.text
        graph = response.json()
        return {side: sorted(graph[side]) for side in ("impact", "depends")}

    def page(self, **params: Any) -> Json:
        response = self.get("entities", **params)
        assert response.status_code == 200, response.text
        return response.json()

    def ids(self, **params: Any) -> list[str]:
        """The ids that `/entities` finds, in the order it gives them."""
        return [entity["_id"] for entity in self.page(**{"paginate": "false"} | params)["data"]]

    def listed(self, entity_id: str) -> Json:
        """The entity as `/entities` shows it, which serves services too."""
        found = self.page(search=f'_id = "{entity_id}"')["data"]
        assert len(found) == 1, found
        return found[0]

    def has(self, entity_id: str) -> bool:
        return entity_id in self.ids(search=f'_id = "{entity_id}"')

    def open_alarms(self) -> list[str]:
        """The ids of the entities that have an open alarm, sorted."""
        response = self.get("alarms", opened="true", limit=1000)
        assert response.status_code == 200, response.text
        return sorted(alarm["entity"]["_id"] for alarm in response.json()["data"])

    def open_alarm(self, entity_id: str) -> None:
        """Open an alarm by the simulator's own means, without the entities an event would add."""
        alarm = {"entity": entity_id, "state": 3}
        response = self._session.post(f"{self.url}/sandbox/alarms", json=alarm, timeout=10)
        response.raise_for_status()

    def send_event(self, event: Json) -> Json:
        """Post events and let them be processed; gives the answer of the post."""
        response = self.call("POST", "event", json=event)
        assert response.status_code == 200, response.text
        self.settle()
        return response.json()

    def add_service(self, name: str, **fields: Any) -> str:
        """Create a service as the web interface does; gives its uuid."""
        response = self.call("POST", "entityservices", json=service_form(name, **fields))
        assert response.status_code == 201, response.text
        self.settle()
        return str(response.json()["_id"])

    def set_enabled(self, entity_id: str, *, enabled: bool) -> None:
        verb = "enable" if enabled else "disable"
        response = self.call("PUT", f"bulk/entities/{verb}", json=[{"_id": entity_id}])
        assert response.status_code == 207, response.text
        assert [item["status"] for item in response.json()] == [200]
        self.settle()
