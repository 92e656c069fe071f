"""A small feed with everything a day can bring, and the days of its life.

Servers are components, their volumes are resources, applications are services that gather servers:
what Canopsis couples (a component takes its resources along, services compute what depends on them)
is coupled here.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Day = dict[str, list[Record]]  # records by collection

JOB = "acme/shop"
SERVERS, APPLICATIONS = 24, 3
NEW = 3  # on the last day, of servers
UNNAMED = "srv-010"  # on the last day, a component that only its resource speaks of

_TEXT = """\
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers: {path: /servers, data_selector: data, primary_key: id, total_header: X-Total-Count,
              paginator: {type: page_number, base_page: 1, page_size: 10, page_size_param: limit}}
    volumes: {path: /volumes, data_selector: data, primary_key: id, total_header: X-Total-Count}
    applications: {path: /applications, data_selector: data, primary_key: id,
                   total_header: X-Total-Count}

mapping:
  entities:
    - dataset: servers
      component:
        name: name
        category: category
        infos:
          site: {value: site}
          team: {value: team}
          note: {value: note}
          app: {value: app}
    - dataset: volumes
      resource:
        name: name
        component: server
        infos: {size: size, note: note}
    - dataset: applications
      service:
        name: name
        category: {set: Application}
        pattern: {field: infos.app, field_type: string, cond: eq, value: code}
        infos: {owner: owner}

sync:
  connection: acme-canopsis
  import_source: acme-shop
  missing: MISSING
  limits: {missing: 60%, changed: 100%, minimum_population: 5}
"""


def write_job(folder: Path, *, missing: str = "disable") -> Path:
    """The folder of jobs in which `JOB` is."""
    path = folder / f"{JOB}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEXT.replace("MISSING", missing), encoding="utf-8")
    return folder


def first_day() -> Day:
    """Everything is new: components, resources, services, categories."""
    return _day(range(SERVERS), range(APPLICATIONS))


def day_between() -> Day:
    """Every fifth server is gone with its volumes, and one application."""
    return _day([each for each in range(SERVERS) if each % 5], range(1, APPLICATIONS))


def last_day() -> Day:
    """What was gone is back, others are gone, new, changed, or have lost a field."""
    servers = [each for each in range(SERVERS + NEW) if each % 7 != 3]
    day = _day(servers, range(APPLICATIONS + 1), _changed)
    # A component that was disabled stays away, and one of its resources is back.
    return day | {"volumes": [*day["volumes"], _volume(2 * 10)]}


def day_after() -> Day:
    """The CMDB has changed its mind on part of the last day, while nobody was loading."""
    servers = [each for each in range(SERVERS + NEW) if each % 7 != 3 and each % 4 != 1]
    return _day(servers, range(APPLICATIONS))


def _day(
    servers: Sequence[int],
    applications: range,
    change: Callable[[str, int, Record], Record] = lambda _kind, _number, record: record,
) -> Day:
    volumes = [each for server in servers for each in (2 * server, 2 * server + 1)]
    return {
        "servers": [change("server", each, _server(each)) for each in servers],
        "volumes": [change("volume", each, _volume(each)) for each in volumes],
        "applications": [change("application", each, _application(each)) for each in applications],
    }


def _server(number: int) -> Record:
    return {
        "id": f"S{number:03}",
        "name": f"srv-{number:03}",
        "category": ("Linux", "Windows")[number % 2],
        "site": ("Lyon", "Nîmes", "Brest")[number % 3],
        "team": "Systèmes",
        "note": f"rack {number}",
        "app": f"A{number % APPLICATIONS}",
    }


def _volume(number: int) -> Record:
    server = number // 2
    return {
        "id": f"V{number:03}",
        "name": f"vol{number % 2}",
        "server": f"srv-{server:03}",
        "size": str(10 * number),
        "note": "local",
    }


def _application(number: int) -> Record:
    return {
        "id": f"A{number}",
        "name": f"app-{number}",
        "code": f"A{number}",
        "owner": "Paie",
    }


def _changed(kind: str, number: int, record: Record) -> Record:
    """Some change, some lose an info or their category, one application gathers others."""
    if kind == "application":
        return record | ({"owner": "Réseau"} if number % 2 else {})
    if number % 3 == 1:
        record = record | ({"team": "Réseau"} if kind == "server" else {"size": "1"})
    if number % 4 == 2:
        del record["note"]
    if kind == "server" and number % 8 == 4:
        record["category"] = ""
    return record
