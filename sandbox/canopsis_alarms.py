"""The alarms of the Canopsis simulator: opened by events, resolved by events and by the engines."""

import uuid
from typing import Any

from sandbox.canopsis_store import Doc, Store

Alarm = dict[str, Any]


class Alarms:
    """At most one open alarm an entity, and those that are over.

    An alarm is `{"_id", "t", "d": entity id, "v": {"component", "connector", "connector_name",
    "resource"?, "state": {"val"}, "status": {"val"}, "output", "creation_date",
    "last_update_date", "resolved"?}}`, times in Unix seconds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.open: dict[str, Alarm] = {}
        self.resolved: list[Alarm] = []

    def check(self, doc: Doc, *, state: int, output: str, now: int) -> None:
        """What a check event says of an entity: 0 closes its alarm, more opens or updates it."""
        alarm = self.open.get(doc["_id"])
        if state == 0:
            self.resolve(doc["_id"], now=now)
        elif alarm is None:
            self.open[doc["_id"]] = self._new(doc, state, output, now)
        else:
            alarm["v"]["state"] = {"val": state}
            alarm["v"]["output"] = output
            alarm["v"]["last_update_date"] = now
        self._store.touch()

    def resolve(self, entity: str, *, now: int) -> None:
        """End the open alarm of an entity, if it has one."""
        alarm = self.open.pop(entity, None)
        if alarm is not None:
            alarm["v"] |= {"resolved": now, "state": {"val": 0}, "status": {"val": 0}}
            self.resolved.append(alarm)
            self._store.touch()

    def state(self, entity: str) -> int:
        """State of the open alarm: 0 (none) to 3 (critical)."""
        alarm = self.open.get(entity)
        return 0 if alarm is None else int(alarm["v"]["state"]["val"])

    def _new(self, doc: Doc, state: int, output: str, now: int) -> Alarm:
        connector, _, connector_name = doc.get("connector", "").partition("/")
        value: Alarm = {
            "component": doc.get("component", doc["_id"]),
            "connector": connector,
            "connector_name": connector_name,
            "state": {"val": state},
            "status": {"val": 1},
            "output": output,
            "creation_date": now,
            "last_update_date": now,
        }
        if doc["type"] == "resource":
            value["resource"] = doc["name"]
        return {"_id": str(uuid.uuid4()), "t": now, "d": doc["_id"], "v": value}
