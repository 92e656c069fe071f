"""Control of the simulator over HTTP, under `/sandbox`, without credentials.

| call | does |
|---|---|
| `GET /sandbox/traffic` | what was received: `requests` and `bytes` by `METHOD /route`, `imports` |
| `DELETE /sandbox/traffic` | starts counting afresh |
| `GET`, `PUT /sandbox/knobs` | reads or turns knobs (`canopsis_knobs.Knobs`), those named only |
| `POST /sandbox/tick` | runs jobs, events and the soft-delete worker to rest |
| `POST /sandbox/advance?seconds=N` | moves the clock |
| `POST /sandbox/reset` | empties everything and turns the knobs back |
| `POST /sandbox/restart` | restarts the API: up to 22.10 its queue is lost, jobs stay as they are |
| `GET /sandbox/state[?stable=true]` | dumps entities, categories and open alarms |
| `POST /sandbox/entities` | inserts entities as they are, as the interface or an event would |
| `POST /sandbox/alarms` | opens an alarm: `{"entity", "state"?, "output"?}` |
"""

from typing import Any

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer
from sandbox.canopsis_knobs import KnobError
from sandbox.canopsis_platform import Canopsis, Traffic
from sandbox.canopsis_store import Doc

_VOLATILE = ("imported", "created", "updated", "last_event_date", "enable_history")


def traffic(canopsis: Canopsis, _: Call) -> Response:
    return answer(canopsis.traffic.as_json())


def forget_traffic(canopsis: Canopsis, _: Call) -> Response:
    canopsis.traffic = Traffic()
    return answer({})


def knobs(canopsis: Canopsis, _: Call) -> Response:
    return answer(canopsis.knobs.as_json())


def turn_knobs(canopsis: Canopsis, call: Call) -> Response:
    wanted = call.json()
    try:
        canopsis.knobs.turn(wanted)
    except (KnobError, AttributeError, TypeError) as fault:
        raise Refusal(400, {"error": str(fault)}) from fault
    canopsis.wake()
    return answer(canopsis.knobs.as_json())


def tick(canopsis: Canopsis, _: Call) -> Response:
    canopsis.tick()
    return answer({})


def advance(canopsis: Canopsis, call: Call) -> Response:
    try:
        canopsis.advance(float(call.query["seconds"]))
    except (KeyError, ValueError) as fault:
        raise Refusal(400, {"error": "seconds: a number is needed"}) from fault
    return answer({"now": canopsis.now()})


def reset(canopsis: Canopsis, _: Call) -> Response:
    canopsis.reset()
    return answer({})


def restart(canopsis: Canopsis, _: Call) -> Response:
    canopsis.jobs.restart()
    return answer({})


def state(canopsis: Canopsis, call: Call) -> Response:
    """Everything stored, sorted by id.

    `stable` leaves out what differs between two loads of the same thing: moments, and the random
    ids of categories, for which their names stand.
    """
    stable = call.query.get("stable") == "true"
    store = canopsis.store
    names = {key: category["name"] for key, category in store.categories.items()}
    entities = [store.entities[entity] for entity in sorted(store.entities)]
    shown: dict[str, Any] = {
        "entities": [_stable(doc, names) for doc in entities] if stable else entities,
        "categories": sorted(names.values()) if stable else list(store.categories.values()),
        "alarms": sorted(canopsis.alarms.open) if stable else list(canopsis.alarms.open.values()),
    }
    body = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
    return Response(body, media_type="application/json")


def add_entities(canopsis: Canopsis, call: Call) -> Response:
    """One object or several; all but `name` and `type` have defaults, the id of §3.1 among them."""
    raw = call.json()
    entities = raw if isinstance(raw, list) else [raw]
    now = int(canopsis.now())
    added = []
    for each in entities:
        name, kind = each["name"], each["type"]
        component = {"component": name} if kind == "component" else {}
        values = {"infos": {}, "impact_level": 1, "enabled": True, **component, **each}
        entity = values.pop("_id", None)
        if entity is None:
            entity = f"{name}/{values['component']}" if kind == "resource" else name
        canopsis.store.upsert(entity, values, now=now)
        if kind == "resource" and canopsis.knobs.numbers() < (23, 4):
            canopsis.store.arrays.link(entity, values["component"])
        canopsis.graph.assign(entity)
        added.append(entity)
    return answer({"_id": added if isinstance(raw, list) else added[0]}, 201)


def open_alarm(canopsis: Canopsis, call: Call) -> Response:
    raw = call.json()
    doc = canopsis.store.entities.get(raw["entity"])
    if doc is None:
        raise Refusal(404, {"error": f"no entity {raw['entity']}"})
    output, now = raw.get("output", ""), int(canopsis.now())
    canopsis.alarms.check(doc, state=raw.get("state", 3), output=output, now=now)
    return answer({"_id": canopsis.alarms.open[doc["_id"]]["_id"]}, 201)


def _stable(doc: Doc, names: dict[str, str]) -> Doc:
    shown = {key: value for key, value in doc.items() if key not in _VOLATILE}
    if "category" in shown:
        shown["category"] = names.get(shown["category"])
    if "services" in shown:
        shown["services"] = sorted(shown["services"])
        if not shown["services"]:
            del shown["services"]
    if "soft_deleted" in shown:
        shown["soft_deleted"] = True
    return shown


ENDPOINTS = (
    Endpoint("GET", "/sandbox/traffic", traffic),
    Endpoint("DELETE", "/sandbox/traffic", forget_traffic),
    Endpoint("GET", "/sandbox/knobs", knobs),
    Endpoint("PUT", "/sandbox/knobs", turn_knobs),
    Endpoint("POST", "/sandbox/tick", tick),
    Endpoint("POST", "/sandbox/advance", advance),
    Endpoint("POST", "/sandbox/reset", reset),
    Endpoint("POST", "/sandbox/restart", restart),
    Endpoint("GET", "/sandbox/state", state),
    Endpoint("POST", "/sandbox/entities", add_entities),
    Endpoint("POST", "/sandbox/alarms", open_alarm),
)
