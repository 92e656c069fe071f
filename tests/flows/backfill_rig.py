"""A CMDB with a past: a served ServiceNow whose servers changed over some weeks, and its job."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_knobs import ServiceNowKnobs

JOB_NAME = "acme/past"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKS = 4  # unless a test feeds more
EACH = 3  # servers that changed in each week
TABLE, LINKS = "cmdb_ci_server", "u_link"

CONNECTION = """\
  acme-snow:
    type: servicenow
    base_url: {snow}
    auth: {{type: basic, username: etl, password: secret}}
    max_concurrency: 4
    retry: {{attempts: 2, initial: 0.01, max_delay: 0.02, jitter: 0}}
"""

JOB = """\
source:
  type: servicenow
  connection: acme-snow
  datasets:
    servers: {table: cmdb_ci_server, overlap: 0, page_size: 50}
    links: {table: u_link, overlap: 0, page_size: 50}
mapping:
  entities:
    - dataset: servers
      component:
        name: name
        infos:
          site: {value: short_description}
          note: {value: asset_tag}
      ignore: [sys_id, sys_updated_on]
    - dataset: links
      service:
        name: "APP-{{ .u_app }}"
        pattern: {field: name, cond: is_one_of, value: u_server}
      ignore: [sys_id]
sync:
  connection: acme-canopsis
  import_source: acme-snow
  schedule: {cron: "0 2 * * *", timezone: Europe/Paris}
"""


def server(number: int, **changes: Any) -> dict[str, Any]:
    """The *number*-th server (0-based): three of a week, in the middle of it."""
    moment = FIRST + WEEK * (number // EACH) + timedelta(days=3, hours=number % EACH)
    return {
        "sys_id": sys_id(f"server {number}"),
        "name": f"srv-{number:03}",
        "short_description": "Nîmes",
        "asset_tag": f"tag {number}",
        "sys_updated_on": f"{moment:%Y-%m-%d %H:%M:%S}",
    } | changes


def link(app: str, number: int) -> dict[str, Any]:
    """A link that nobody touched since the year before."""
    return {
        "sys_id": sys_id(f"{app} {number}"),
        "u_app": app,
        "u_server": f"srv-{number:03}",
        "sys_updated_on": "2025-06-01 00:00:00",
    }


def sys_id(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Past:
    """The CMDB: `feed` makes it as it is at first."""

    url: str
    instance: Instance

    def feed(self, weeks: int = WEEKS) -> None:
        self.instance.reset()
        self.serve([server(number) for number in range(weeks * EACH)])
        links = [link("paie", 0), link("paie", 5), link("paie", 11), link("web", 7)]
        self.instance.put_table(LINKS, links)

    def serve(self, rows: list[dict[str, Any]]) -> None:
        self.instance.put_table(TABLE, rows)

    def asked(self, table: str = TABLE) -> list[str]:
        """The queries of the pages of *table*, in order."""
        return [
            str(call["query"].get("sysparm_query", ""))
            for call in self.instance.traffic.calls
            if call["path"].endswith(f"/table/{table}")
        ]


@contextmanager
def a_past() -> Iterator[Past]:
    app = create_app({}, ServiceNowKnobs())
    with serve(app) as url:
        yield Past(url, app.state.servicenow)


def await_that(look: Callable[[], Any], enough: Callable[[Any], bool] = bool) -> Any:
    """What *look* gives, once it is *enough*."""
    deadline = time.monotonic() + 30
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found
