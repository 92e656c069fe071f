"""A place to run jobs: two simulators, a refsync.yaml, a folder of job files, all of one test."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from flows.job import Job, load_job
from flows.run import Report, run_job
from flows.settings import Settings, load_settings
from flows.workplace import Options, open_ledger
from referential.history import Reject, Run
from sandbox.canopsis_platform import Canopsis
from sandbox.jsonapi_state import Api

NAME = "acme/servers"
KEY = "sandbox-key"

SETTINGS = """\
ledger: sqlite:///state/ledger.db
spool: state/spool
state: state
jobs: jobs
events: false
connections:
  acme-cmdb:
    type: api
    base_url: {api}
    retry: {{attempts: 2, initial: 0.01, max_delay: 0.02, jitter: 0}}
  acme-canopsis:
    type: canopsis
    url: {canopsis}
    auth: {{type: api_key, key: "${{ACME_KEY}}"}}
    retry: {{attempts: 2, first: 0.01, longest: 0.02}}
    imports: {{pace: {{first: 0.01, longest: 0.05}}}}
"""

JOB = """\
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers:
      path: /api/servers
      data_selector: data
      primary_key: id
      total_header: X-Total-Count
      paginator: {type: page_number, base_page: 1, page_size: 10, page_size_param: limit}
mapping:
  entities:
    - dataset: servers
      component:
        name: name
        category: {set: Server}
        infos:
          site: {value: site, description: Site}
      ignore: [id]
sync:
  connection: acme-canopsis
  import_source: acme-cmdb
"""


def servers(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Records `srv-001`, `srv-002`, …; `changes` are fields that all of them have."""
    return [
        {"id": f"{rank:03}", "name": f"srv-{rank:03}", "site": "Nîmes"} | changes
        for rank in range(1, count + 1)
    ]


@dataclass
class Workshop:
    """What a test holds in its hands."""

    folder: Path
    canopsis_url: str
    api_url: str
    canopsis: Canopsis
    api: Api

    def write_job(self, text: str = JOB, name: str = NAME) -> Path:
        """A job file; *text* may be indented as a test writes it."""
        path = self.folder / "jobs" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def write_settings(self, text: str) -> None:
        (self.folder / "refsync.yaml").write_text(text, encoding="utf-8")

    def serve(self, records: list[dict[str, Any]], name: str = "servers") -> None:
        """What the CMDB answers from now on."""
        self.api.put_collection(name, records)

    def job(self, name: str = NAME) -> Job:
        return load_job(name, self.folder / "jobs")

    def settings(self) -> Settings:
        return load_settings()

    def run(self, name: str = NAME, **options: Any) -> Report:
        return run_job(self.settings(), self.job(name), Options(**options))

    def imports(self) -> list[dict[str, Any]]:
        """The imports that Canopsis received, and the items of each."""
        with self.canopsis.lock:
            return [
                {"source": job.source, "partial": job.partial, "items": job.items}
                for job in self.canopsis.traffic.jobs
            ]

    def writes(self) -> list[str]:
        """The calls that change something in Canopsis, as `METHOD /route`."""
        with self.canopsis.lock:
            routes = list(self.canopsis.traffic.requests)
        # the probe of rights makes two of them, with bodies that cannot change anything
        return [route for route in routes if not route.startswith("GET ")]

    def entities(self) -> dict[str, dict[str, Any]]:
        """What Canopsis holds, by id."""
        with self.canopsis.lock:
            store = self.canopsis.store
            return {each: dict(store.entities[each]) for each in store.live_ids()}

    def last_run(self) -> Run:
        with open_ledger(self.settings()) as ledger:
            return ledger.runs(1)[0]

    def runs(self) -> list[Run]:
        with open_ledger(self.settings()) as ledger:
            return ledger.runs()

    def rejects(self, run: str) -> list[Reject]:
        with open_ledger(self.settings()) as ledger:
            return ledger.rejects(run)

    def known(self) -> dict[str, str]:
        """What the ledger owns for the job, `{id: state}`."""
        with open_ledger(self.settings()) as ledger:
            frame = ledger.known(self.job().feed)
        return dict(zip(frame["id"], frame["state"], strict=True))

    def summary(self, run: str, name: str = NAME) -> Any:
        """What the extraction of a run left in its spool."""
        path = self.folder / "state" / "spool" / name / run / "extracted.json"
        return orjson.loads(path.read_bytes())
