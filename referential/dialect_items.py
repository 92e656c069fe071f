"""Canonical items rewritten as the configuration items and links of D1 and D0.

    {"action":"set","component":"sw1","enabled":true,"impact_level":1,"infos":{},"name":"eth0",
     "type":"resource"}

becomes an item with its `_id` (`eth0/sw1`), and `{"from":["eth0/sw1"],"to":"sw1",
"action":"create"}` among the links (`specs/canopsis.md` §2.2, §2.3, §3.1). Only the fields that
are named here are sent: D0 would copy any other one to the root of the entity.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from referential.entity import Body, entity_id

SETTING = ("set", "update")


def graph(items: Iterable[bytes], absent: Sequence[str], make: Callable[[Body], Body]) -> Body:
    """`{"cis": […], "links": […]}`: *absent* components first, each item by *make*.

    The items come before the links, which are understood by the types of the items.
    """
    cis, links = [make(lone_component(name)) for name in absent], dict[str, list[str]]()
    for body in map(orjson.loads, items):
        made = make(body)
        cis.append(made)
        if body["type"] == "resource" and body["action"] in SETTING:
            links.setdefault(body["component"], []).append(made["_id"])
    linked = [{"from": ids, "to": to, "action": "create"} for to, ids in links.items()]
    return {"cis": cis, "links": linked}


def lone_component(name: str) -> Body:
    """What D2 makes by itself of a component that nobody described (§3.2)."""
    return {
        "action": "set",
        "type": "component",
        "name": name,
        "enabled": True,
        "impact_level": 1,
        "infos": {},
    }


def base(body: Body) -> Body:
    """The fields of every version; `enabled` always, lest 4.5.9 and later crash (§3.12)."""
    made = {
        "_id": entity_id(body["type"], body["name"], body.get("component", "")),
        "type": body["type"],
        "action": body["action"],
    }
    if body["action"] in SETTING:
        made["name"] = body["name"]
        made["enabled"] = body.get("enabled", False)
        made["impact_level"] = body.get("impact_level", 1)
        made["infos"] = body.get("infos", {})
    return made


def components_needed(items: Iterable[bytes]) -> tuple[set[str], set[str], set[str]]:
    """Components set by *items*, components that their resources belong to, category names."""
    given, needed, categories = set[str](), set[str](), set[str]()
    for body in map(orjson.loads, items):
        if body["action"] not in SETTING:
            continue
        if body["type"] == "component":
            given.add(body["name"])
        elif body["type"] == "resource":
            needed.add(body["component"])
        if body.get("category"):
            categories.add(body["category"])
    return given, needed - given, categories


def replacing(item: bytes, infos: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The same item as an `update` with exactly these infos: how D1 and D0 drop keys (§3.12)."""
    body = orjson.loads(item) | {"action": "update", "infos": infos}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
