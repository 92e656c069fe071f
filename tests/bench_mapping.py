"""What mapping costs: entities per second of one core, and a ratio to a hand-written loop.

The collector is off, as it is while a page is mapped (`specs/peers.md` §3). Pages of 1,000 records
are mapped, encoded and fingerprinted, as in a run.
"""

import gc
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pandas as pd

from mappings.loading import load_mapping
from mappings.mapper import Mapper
from referential.entity import EntityPage
from sandbox.cmdb import records
from tests.pages import page_of

Record = dict[str, Any]
Pages = list[list[Record]]
Way = Callable[[list[Record]], EntityPage]

PAGE = 1_000
ENTITIES = 50_000

DOCUMENTED = {
    "entities": [
        {
            "dataset": "servers",
            "component": {
                "name": {"copy": "_id"},
                "category": {"set": "ServeurApplication"},
                "infos": {
                    "description": {
                        "value": {"template": "{{uppercase .Field}}", "field": "_source.desc"}
                    },
                    "codeComposant": {
                        "value": {
                            "template": "{{uppercase .Field}}",
                            "field": "_source.codeComposant",
                        },
                        "description": "Code composant",
                    },
                    "env": {"value": {"copy": "_source.env"}, "description": "Environnement"},
                },
            },
            "ignore": ["_source.id", "_source.type"],
        }
    ]
}

ACME = {
    "entities": [
        {
            "dataset": "servers",
            "component": {
                "name": "name",
                "category": {"set": "Server"},
                "impact_level": {
                    "copy": "criticality",
                    "lookup": {"low": 1, "medium": 2, "high": 3},
                },
                "infos": {
                    "env": {"value": "environment.label", "description": "Environment"},
                    "site": {"value": "{{ uppercase .location.site }}", "description": "Site"},
                    "room": {"value": "location.room", "description": "Room"},
                    "rack": {"value": "location.rack.name", "description": "Rack"},
                    "team": {"value": "owner.team", "description": "Team"},
                    "app": {"value": "application.code", "description": "Application"},
                    "os": {"value": "os.version", "description": "System"},
                    "tags": {"value": "tags", "description": "Tags"},
                    "lot": {
                        "value": {"regexp": "^(?P<lot>[0-9]+)-", "field": "serial"},
                        "description": "Lot",
                    },
                },
            },
            "ignore": [
                *("id", "status", "ip", "updated_at", "os.family", "environment.code"),
                *("location.rack.unit", "owner.contacts", "application.name", "application.tier"),
            ],
        }
    ]
}

_LEVELS = {"low": 1, "medium": 2, "high": 3}
_LOT = re.compile("^(?P<lot>[0-9]+)-").search


def careful(page: list[Record]) -> EntityPage:
    """ACME as one would write it for these records alone; what is missing is left out."""
    ids, bodies = [], []
    for record in page:
        location = record.get("location") or {}
        lot = _LOT(record.get("serial") or "")
        infos = {}
        for key, described, value in (
            ("env", "Environment", (record.get("environment") or {}).get("label")),
            ("site", "Site", (location.get("site") or "").upper()),
            ("room", "Room", location.get("room")),
            ("rack", "Rack", (location.get("rack") or {}).get("name")),
            ("team", "Team", (record.get("owner") or {}).get("team")),
            ("app", "Application", (record.get("application") or {}).get("code")),
            ("os", "System", (record.get("os") or {}).get("version")),
            ("tags", "Tags", record.get("tags")),
            ("lot", "Lot", lot["lot"] if lot else None),
        ):
            if value is not None:
                infos[key] = {"description": described, "name": key, "value": value}
        ids.append(record["name"])
        bodies.append(
            {
                "action": "set",
                "category": "Server",
                "enabled": True,
                "impact_level": _LEVELS[record["criticality"]],
                "infos": infos,
                "name": record["name"],
                "type": "component",
            }
        )
    return page_of(ids, ["component"] * len(ids), ids, bodies)


def trusting(page: list[Record]) -> EntityPage:
    """ACME for records of which nothing is ever missing: the least that Python can do."""
    ids, bodies = [], []
    for record in page:
        location, app, env = record["location"], record["application"], record["environment"]
        lot = _LOT(record["serial"])
        name = record["name"]
        # fmt: off
        infos = {
            "app": {"description": "Application", "name": "app", "value": app["code"]},
            "env": {"description": "Environment", "name": "env", "value": env["label"]},
            "lot": {"description": "Lot", "name": "lot", "value": lot["lot"]},
            "os": {"description": "System", "name": "os", "value": record["os"]["version"]},
            "rack": {"description": "Rack", "name": "rack", "value": location["rack"]["name"]},
            "room": {"description": "Room", "name": "room", "value": location["room"]},
            "site": {"description": "Site", "name": "site", "value": location["site"].upper()},
            "tags": {"description": "Tags", "name": "tags", "value": record["tags"]},
            "team": {"description": "Team", "name": "team", "value": record["owner"]["team"]},
        }
        # fmt: on
        ids.append(name)
        bodies.append(
            {
                "action": "set",
                "category": "Server",
                "enabled": True,
                "impact_level": _LEVELS[record["criticality"]],
                "infos": infos,
                "name": name,
                "type": "component",
            }
        )
    return page_of(ids, ["component"] * len(ids), ids, bodies)


APPS = {
    "copy": "id",
    "lookup": {"dataset": "links", "key": "server", "value": "app", "many": True},
    "unknown": "warn",
}
JOINED = {
    "entities": [
        {"dataset": "servers", "component": {"name": "name", "infos": {"apps": APPS}}},
        {
            "dataset": "servers",
            "each": APPS,
            "service": {
                "name": ".",
                "pattern": {"field": "name", "cond": "is_one_of", "value": "$parent.name"},
            },
        },
    ]
}
SERVICES = {"entities": JOINED["entities"][1:]}


def join_figures(servers: int = 100_000, links: int = 300_000) -> dict[str, float]:
    """What a one-to-many join costs, as a ratio to `pandas.merge` of the same two tables.

    The services alone, and with the component of each server; encoded and fingerprinted.
    """
    draw = random.Random(7)
    left = [{"id": f"S{rank}", "name": f"host-{rank}"} for rank in range(servers)]
    right = [
        {"server": f"S{draw.randrange(servers)}", "app": f"A{draw.randrange(3_000)}"}
        for _ in range(links)
    ]
    frames = pd.DataFrame(left), pd.DataFrame(right)
    merge = services = whole = math.inf
    with _collector_off():
        for _ in range(3):
            start = time.process_time()
            frames[0].merge(frames[1], left_on="id", right_on="server", how="left")
            merge = min(merge, time.process_time() - start)
            services = min(services, _joined(SERVICES, left, right))
            whole = min(whole, _joined(JOINED, left, right))
    return {
        "join to services / pandas.merge": services / merge,
        "join to components and services": whole / merge,
    }


def _joined(job: dict[str, Any], servers: list[Record], links: list[Record]) -> float:
    """CPU seconds of the whole mapping of two datasets, in pages."""
    mapper = load_mapping(job)
    start = time.process_time()
    for dataset, rows in (("links", links), ("servers", servers)):
        for first in range(0, len(rows), PAGE):
            mapper.map_page(dataset, rows[first : first + PAGE], first + 1)
        mapper.finish(dataset)
    return time.process_time() - start


def figures() -> dict[str, float]:
    """Entities per second, and the cost of ACME as a ratio to each of the two loops."""
    (documented,) = _race([_mapped(load_mapping(DOCUMENTED))], _pages(_documents()))
    ways = [_mapped(load_mapping(ACME)), careful, trusting]
    mapped, loop, least = _race(ways, _pages(records(ENTITIES)))
    return {
        "documented mapping, entities/s": 1 / documented,
        "acme mapping, entities/s": 1 / mapped,
        "acme mapping / careful loop": mapped / loop,
        "acme mapping / trusting loop": mapped / least,
    }


def same() -> bool:
    """Whether the three ways make the same bytes of the same records."""
    pages = _pages(records(2 * PAGE))
    ways = (_mapped(load_mapping(ACME)), careful, trusting)
    made = [[payload for page in pages for payload in way(page).payloads] for way in ways]
    return made[0] == made[1] == made[2]


def _mapped(mapper: Mapper) -> Way:
    return lambda page: mapper.map_page("servers", page, 1).entities


def _documents() -> list[Record]:
    return [
        {
            "_id": f"Doc-ServeurAPP{number}",
            "_source": {
                "id": f"Doc-ServeurAPP{number}",
                "desc": f"Serveur Application{number}",
                "type": "WEBSERVICE",
                "env": "Production",
                "codeComposant": f"Doc-Composant{number % 400}",
            },
        }
        for number in range(ENTITIES)
    ]


def _pages(rows: list[Record]) -> Pages:
    """Pages as a source gives them: decoded, keys shared as the decoder shares them."""
    return [orjson.loads(orjson.dumps(rows[at : at + PAGE])) for at in range(0, len(rows), PAGE)]


def _race(ways: list[Way], pages: Pages) -> list[float]:
    """CPU seconds per entity of each way, best of seven rounds in turn.

    Taking turns, all suffer alike from what else the machine does.
    """
    best = [math.inf] * len(ways)
    with _collector_off():
        for _ in range(7):
            for rank, way in enumerate(ways):
                start = time.process_time()
                for page in pages:
                    way(page)
                best[rank] = min(best[rank], time.process_time() - start)
    entities = sum(map(len, pages))
    return [seconds / entities for seconds in best]


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    for name, figure in (figures() | join_figures()).items():
        print(f"{name:<32} {figure:>12,.2f}")  # noqa: T201 - what a bench is for
